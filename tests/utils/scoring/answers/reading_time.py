"""How long a reader of replies takes on a text that repeats one unit."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds_to_read(read: Callable[[str], object], text: str, tries: int = 3) -> float:
    """Return the least processor time of some tries."""
    best = float("inf")
    for _ in range(tries):
        start = time.process_time()
        read(text)
        best = min(best, time.process_time() - start)
    return best
