"""How often is "overconfidence grows" said of models of which it is not true, and of models of which it is?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medqdeg.utils.analysis.statistics.clustered import student_interval
from medqdeg.utils.analysis.statistics.comparisons import dunning_kruger_verdict
from medqdeg.utils.analysis.statistics.estimators import plug_in_confidence

from .batches import Level, by_question, drawn_levels, matched_claims
from .worlds import Drawn, World, draw

ASKED: tuple[tuple[str, int], ...] = (
    *(("votes", trials) for trials in (2, 3, 5, 10, 100)),
    ("exact", 1),
    ("verbalized", 3),
)
"""Elicitation and T."""

CALIBRATED: Mapping[str, World] = {
    "laplace": World("laplace", (2.0, 1.0)),
    "laplace, K 2": World("laplace", (2.0, 1.0), k=2),
    "laplace, K 10": World("laplace", (4.0, 2.0), k=10),
    "laplace, nearly perfect": World("laplace", (7.0, 5.0)),
    "elimination": World("elimination", (0.8, 0.5)),
    "elimination, guessing": World("elimination", (0.3, 0.1), k=5),
    "sure or guessing": World("sure", (0.6, 0.3)),
    "sure or guessing, unequal": World("sure", (0.8, 0.5), sizes="unequal"),
    "beta": World("beta", (0.7, 0.4)),
    "beta, unequal": World("beta", (0.85, 0.6), sizes="unequal"),
    "beta, refusing": World("beta", (0.7, 0.4), refusal=(0.02, 0.45)),
}
"""Accuracy falls and nothing else: "supported" is false."""

ALIKE: Mapping[str, World] = {
    "laplace, refusing": World("laplace", (2.0, 2.0), (1.6, 1.6), (0.02, 0.45)),
    "beta, refusing": World("beta", (0.7, 0.7), (1.6, 1.6), (0.02, 0.45)),
    "sure, refusing": World("sure", (0.5, 0.5), (1.0, 1.0), (0.02, 0.45)),
}
"""As overconfident at L2 as at L0, only refusing more: accuracy among readable votes does not fall."""

GROWING: Mapping[str, World] = {
    "laplace, to .08": World("laplace", (2.6, 1.7), (1.0, 1.6)),
    "beta, to .08": World("beta", (0.7, 0.35), (1.0, 1.8)),
    "laplace, .04 to .12": World("laplace", (2.6, 1.7), (1.4, 2.1)),
    "laplace, to .17": World("laplace", (2.6, 1.4), (1.0, 3.0)),
    "beta, to .17": World("beta", (0.7, 0.25), (1.0, 4.5)),
}
"""Overconfidence grows: "supported" is true."""


@dataclass
class Words:
    """Shares of the data sets of one setting.

    Attributes:
        supported: by the verdict.
        paper_shift: by the verdict on the plug-in shift, with the same t intervals.
    """

    supported: float
    paper_shift: float


def words(world: World, asked: tuple[str, int], questions: int, data_sets: int, seed: tuple[int, ...]) -> Words:
    """Return how often each verdict says "supported"."""
    rng = np.random.default_rng(seed)
    found: list[bool] = []
    paper: list[bool] = []
    for _ in range(4):  # other sizes of the questions each time
        drawn = draw(world, data_sets // 4, questions, rng)
        clean, degraded = drawn_levels(drawn, *asked, rng)
        found += [one.word == "supported" for one in matched_claims(clean, degraded, drawn.versions).verdicts()]
        paper += _paper(drawn, clean, degraded, asked[0])
    return Words(float(np.mean(found)), float(np.mean(paper)))


def _paper(drawn: Drawn, clean: Level, degraded: Level, elicitation: str) -> list[bool]:
    """The rule on accuracy and plug-in shift, matched, with Student's intervals."""
    versions = drawn.versions
    ends = []
    for of in ("accuracy", "shift"):
        sides = []
        for place, level in enumerate((clean, degraded)):
            values = level.accuracy
            if of == "shift":
                values = _confidence(drawn.p[place], level, elicitation) - values
            sides.append(values)
        change = by_question(sides[1], versions) - versions * sides[0]
        mean = change.sum(axis=1) / versions.sum()
        g = len(versions)
        error = np.sqrt(g / (g - 1) * ((change - mean[:, None] * versions) ** 2).sum(axis=1)) / versions.sum()
        effective = versions.sum() ** 2 / (versions**2).sum()
        ends.append(student_interval(mean, error, np.full(len(mean), effective - 1)))
    return [
        dunning_kruger_verdict(*((low[row], high[row]) for low, high in ends)) == "supported"
        for row in range(len(clean.accuracy))
    ]


def _confidence(p: np.ndarray, level: Level, elicitation: str) -> np.ndarray:
    k = p.shape[-1]
    if elicitation == "verbalized":
        agree, _, usable = level.terms
        assert level.unread is not None
        return (agree + level.unread / k) / (usable + level.unread)
    if elicitation == "exact":
        shares = p
    else:
        assert level.counts is not None
        assert level.unread is not None
        whole = level.counts + (level.unread / k)[..., None]
        shares = whole / whole.sum(axis=-1, keepdims=True)
    flat = shares.reshape(-1, k)
    return plug_in_confidence(flat, np.full(len(flat), k)).reshape(shares.shape[:-1])
