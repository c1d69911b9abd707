"""The one exception for bad input."""

from __future__ import annotations


class InputError(ValueError):
    """Something that the user gave cannot be used.

    The message is one line: what is wrong, where, and what to do. Command lines print it and exit with status
    1; the lmms-eval hooks turn it into `SystemExit`, since lmms-eval swallows every other exception and exits
    0.
    """


def one_line(message: object, longest: int = 600) -> str:
    """Return a message on one line, safe to print whatever a damaged file put into it.

    Characters that do not print become "?", and what is longer than `longest` characters is cut off with "...". An
    exception without a message gives its type's name.
    """
    text = " ".join(str(message).split())
    if not text and isinstance(message, BaseException):
        text = type(message).__name__
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text if len(text) <= longest else text[:longest] + " ..."
