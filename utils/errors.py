"""The one exception that stands for bad input."""

from __future__ import annotations


class InputError(ValueError):
    """Something that the user gave cannot be used.

    The message is one line: what is wrong, where, and what to do. Command lines print it and exit with status 1;
    the lmms-eval hooks turn it into `SystemExit`, since lmms-eval swallows every other exception and exits 0.
    """
