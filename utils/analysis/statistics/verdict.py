"""Does overconfidence hold or grow while accuracy falls? The verdict on the AI Dunning-Kruger effect within a model.

Three claims about the step from L0 to Lx, each item against its own clean version, judged by 95% intervals with the
margin DELTA = 0.02:

| claim | shown | refuted |
|---|---|---|
| accuracy falls, also among readable votes | both highs < 0 | either low >= 0 |
| overconfidence holds or grows | low of the gap's change > -DELTA | high < -DELTA |
| overconfident at Lx | low of the gap at Lx > DELTA | high < DELTA |

*supported* where all are shown, *contradicted* where any is refuted, else *not decided*, with the open claims. A claim
without an interval is open. The paper's rule (Acc falls, shift holds or grows) asks the plug-in shift, which few
votes bias upwards and which a calibrated model raises as it becomes unsure; `paper_rule` and `paper_shift_verdict` keep
it under its own name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from .clustered import Array, ClusteredRatio, clustered_change, one_sided_p
from .gap_intervals import LevelGap, gap_change

DELTA: Final = 0.02
"""Changes and gaps up to this size count as none."""

FEWEST_QUESTIONS: Final = 10
"""Effective number of source questions below which there is no verdict."""

TOO_FEW_QUESTIONS: Final = "too few source questions"

Word = Literal["supported", "contradicted", "not decided"]
Bounds = tuple[float, float]
_Standing = Literal["shown", "refuted", "open"]

ACCURACY, GROWTH, OVERCONFIDENT = "accuracy falls", "overconfidence holds or grows", "overconfident at the end"


@dataclass(frozen=True)
class Verdict:
    """The answer, or why there is none.

    Attributes:
        word: "supported", "contradicted", "not decided"; None where nothing can be said.
        form: "grows" or "holds" where supported.
        open_claims: claims that are neither shown nor refuted.
        refuted: claims that are refuted.
        reason: why there is no word.
    """

    word: Word | None
    form: Literal["grows", "holds"] | None = None
    open_claims: tuple[str, ...] = ()
    refuted: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def because(self) -> str:
        """What the verdict rests on, in words."""
        return {
            "supported": f"overconfidence {self.form}",
            "contradicted": f"refuted: {' and '.join(self.refuted)}",
            "not decided": f"open: {' and '.join(self.open_claims)}",
            None: str(self.reason),
        }[self.word]

    @property
    def sentence(self) -> str:
        """The verdict and what it rests on, in words."""
        return f"none: {self.because}" if self.word is None else f"{self.word} ({self.because})"


def verdict(
    accuracy: Bounds,
    readable_accuracy: Bounds,
    gap_change: Bounds,
    gap: Bounds,
    *,
    effective: float = math.inf,
    without_gap: str | None = None,
) -> Verdict:
    """Judge the three claims.

    Args:
        accuracy: ends of the interval of Acc(Lx) - Acc(L0); NaN where there is none.
        readable_accuracy: the same of the accuracy among readable pairs, sum right / sum w.
        gap_change: the same of gap(Lx) - gap(L0).
        gap: ends of the interval of gap(Lx).
        effective: effective number of source questions.
        without_gap: why there is no gap at one of the levels, if so.
    """
    if without_gap is not None:
        return Verdict(None, reason=without_gap)
    if not effective >= FEWEST_QUESTIONS:
        return Verdict(None, reason=TOO_FEW_QUESTIONS)
    standings: Mapping[str, _Standing] = {
        ACCURACY: _falls(accuracy, readable_accuracy),
        GROWTH: _above(gap_change, -DELTA),
        OVERCONFIDENT: _above(gap, DELTA),
    }
    refuted = tuple(claim for claim, standing in standings.items() if standing == "refuted")
    still_open = tuple(claim for claim, standing in standings.items() if standing == "open")
    if refuted:
        return Verdict("contradicted", refuted=refuted, open_claims=still_open)
    if still_open:
        return Verdict("not decided", open_claims=still_open)
    return Verdict("supported", "grows" if gap_change[0] > 0 else "holds")


@dataclass(frozen=True)
class Claims:
    """What the verdict looks at, for (s,) sets of items: ends of intervals, NaN where there is none.

    Attributes:
        accuracy, readable_accuracy, gap_change, gap: two (s,) arrays each.
        effective: (s,) effective numbers of source questions.
        p: (s,) of `p_of_supported`.
    """

    accuracy: tuple[Array, Array]
    readable_accuracy: tuple[Array, Array]
    gap_change: tuple[Array, Array]
    gap: tuple[Array, Array]
    effective: Array
    p: Array

    def verdicts(self, without_gap: str | None = None) -> list[Verdict]:
        """Return the verdict on each set."""
        ends = (self.accuracy, self.readable_accuracy, self.gap_change, self.gap)
        return [
            verdict(
                *((float(low[row]), float(high[row])) for low, high in ends),
                effective=float(self.effective[row]),
                without_gap=without_gap,
            )
            for row in range(len(self.effective))
        ]


def claims(
    accuracy: tuple[ClusteredRatio, ClusteredRatio],
    readable_accuracy: tuple[ClusteredRatio, ClusteredRatio],
    gap: tuple[LevelGap, LevelGap],
) -> Claims:
    """Return the intervals and p-values behind the verdict.

    Args:
        accuracy, readable_accuracy, gap: of L0 and of Lx, on the same clusters; matched, so that a clean item weighs as
            much as its degraded versions do.
    """
    falls = [clustered_change(*pair) for pair in (accuracy, readable_accuracy)]
    change, later = gap_change(*gap), gap[1]
    one_sided = [
        *(fall.p_of_at_least(0.0) for fall in falls),
        change.p_of_at_most(-DELTA),
        one_sided_p(later.ratio.estimate, later.ratio.error, later.ratio.effective - 1, DELTA),
    ]
    return Claims(
        falls[0].interval((-1.0, 1.0)),
        falls[1].interval((-1.0, 1.0)),
        change.interval(),
        later.interval(),
        np.minimum(later.ratio.effective, accuracy[1].effective),
        p_of_supported(one_sided),
    )


def p_of_supported(one_sided: Sequence[Array]) -> Array:
    """Return 2 x the largest one-sided p of the four statements behind "supported", at most 1.

    All must hold, so the weakest decides (an intersection-union test); twice, because each claim is judged by the end
    of a two-sided 95% interval. NaN where a claim has no p.

    Args:
        one_sided: (s,) p-values of "accuracy does not fall", "accuracy among readable votes does not fall", "the gap's
            change is at most -DELTA", "the gap is at most DELTA".
    """
    p: Array = np.minimum(1.0, 2 * np.max(np.array(one_sided), axis=0))
    return p


def _falls(*changes: Bounds) -> _Standing:
    if any(low >= 0 for low, _ in changes):
        return "refuted"
    return "shown" if all(high < 0 for _, high in changes) else "open"


def _above(bounds: Bounds, edge: float) -> _Standing:
    low, high = bounds
    return "shown" if low > edge else "refuted" if high < edge else "open"
