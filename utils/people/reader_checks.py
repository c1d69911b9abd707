"""Whether one reader can be relied on: pictures shown twice, pairs to be refused, the two halves of a session.

Repeats and sentinels are few, so every share comes with its exact interval (Clopper and Pearson, Biometrika 26, 1934).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Codes = NDArray[np.integer[Any]]

CAUGHT_AT_LEAST = 0.5
"""A reader whose sentinel hits are surely below this did not look: half of what is broken on purpose is easy."""


SURE_DRIFT = 0.01
"""p below which the two halves of a session differ."""


@dataclass(frozen=True)
class Share:
    """A share of few.

    Attributes:
        hits: of them.
        of: number of trials.
        estimate: NaN without trials.
        low: of the exact 95% interval; 0 without trials.
        high: likewise; 1 without trials.
    """

    hits: int
    of: int
    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.hits} of {self.of} [{self.low:.2f}, {self.high:.2f}]" if self.of else "none of 0"


def share(hits: int, of: int) -> Share:
    """Return hits / of with its exact 95% interval.

    Raises:
        ValueError: unless 0 <= hits <= of.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} of {of} is no share")
    if of == 0:
        return Share(0, 0, float("nan"), 0.0, 1.0)
    ends = stats.binomtest(hits, of).proportion_ci(0.95, method="exact")
    return Share(hits, of, hits / of, float(ends.low), float(ends.high))


def intra_reader(first: Codes, second: Codes) -> Share:
    """Return how often a reader says the same of a picture that comes again.

    Args:
        first: (n,) codes at the first showing.
        second: (n,) codes of the same pictures at the second.
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise ValueError(f"want the same pictures twice, got {first.shape} and {second.shape}")
    return share(int((first == second).sum()), len(first))


def sentinel_hits(out: NDArray[np.bool_]) -> Share:
    """Return how often a reader refuses pairs that are broken on purpose.

    Args:
        out: (n,) whether the reader said anything but "keep", one entry per sentinel.
    """
    return share(int(np.asarray(out).sum()), len(out))


def misses_sentinels(hits: Share) -> bool:
    """Return whether a reader surely catches less than half of the sentinels.

    Whoever always keeps is caught by six or more of them; who catches 80% of 20 is accused once in 20,000 sessions.
    """
    return hits.high < CAUGHT_AT_LEAST


@dataclass(frozen=True)
class Drift:
    """How a reader's answers move from the first half of a session to the second.

    Attributes:
        first: share in the first half.
        second: share in the second half.
        p: two-sided, of "no difference" (Fisher's exact test); NaN where a half is empty. The order of the trials is
            random, so that the halves differ by the reader alone.
    """

    first: Share
    second: Share
    p: float


def drift(said: NDArray[np.bool_], positions: Codes) -> Drift:
    """Return the drift of a reader's yes-or-no answers, such as "out", "right" or "flagged".

    Args:
        said: (n,) the answers.
        positions: (n,) places of their trials in the session, in any order.
    """
    said = np.asarray(said, dtype=bool)[np.argsort(positions, kind="stable")]
    halves = said[: len(said) // 2], said[len(said) // 2 :]
    table = np.array([[half.sum(), (~half).sum()] for half in halves])
    p = float(stats.fisher_exact(table).pvalue) if all(len(half) for half in halves) else float("nan")
    first, second = (share(int(row[0]), int(row.sum())) for row in table)
    return Drift(first, second, p)
