"""The console that commands print tables and sentences to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_UNFOLDED = 10_000
"""Columns of what is no terminal: wide enough that nothing is folded."""


def output_console() -> Console:
    """Return a console for standard output: as wide as the terminal, and unfolded into a pipe or a file.

    `COLUMNS` is obeyed in both.
    """
    from rich.console import Console

    folded = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console() if folded else Console(width=_UNFOLDED)
