"""The one exception that stands for bad input."""

from __future__ import annotations


class InputError(ValueError):
    """Something that the user gave cannot be used.

    The message is one line: what is wrong, where, and what to do. Command lines print it and exit with status
    1; the lmms-eval hooks turn it into `SystemExit`, since lmms-eval swallows every other exception and exits
    0.
    """


def one_line(error: object) -> str:
    """Return a message on one line, safe to print whatever a damaged file put into it; cut at 500 characters.

    An exception without a message gives its type's name.
    """
    text = " ".join(str(error).split())
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text[:500] or type(error).__name__
