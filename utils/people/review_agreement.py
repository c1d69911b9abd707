"""Agreement on the verdicts of a review, in the three forms in which it is asked for.

All verdicts as they are; keep against out, which decides what a data set holds; and too weak, keep, too strong as an
order in which neighbours are a near miss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .agreement import MISSING, REPLICATES, Agreement, Codes, agreement, linear_weights
from .verdicts import KEEP, VERDICTS

_STRENGTH = (2, KEEP, 3)


@dataclass(frozen=True)
class ReviewAgreement:
    """How far reviewers agree.

    Attributes:
        verdicts: on all of `VERDICTS`.
        out: on "keep" against everything else, "out".
        strength: on too weak, keep, too strong in this order, other verdicts left out; with AC2.
    """

    verdicts: Agreement
    out: Agreement
    strength: Agreement

    def lines(self) -> list[str]:
        """Return everything, to be printed together: no coefficient stands alone."""
        found = []
        for title, one in (
            ("Keep or out", self.out),
            ("All verdicts", self.verdicts),
            ("Too weak, keep, too strong", self.strength),
        ):
            found += [f"{title}:", *(f"  {line}" for line in one.lines())]
        return found


def review_agreement(
    verdicts: Codes, *, rng: np.random.Generator, clusters: Codes | None = None, replicates: int = REPLICATES
) -> ReviewAgreement:
    """Return the agreement of some reviewers.

    Args:
        verdicts: (pairs, readers) keys of `VERDICTS`, -1 where a reader has not seen the pair. Sentinels and repeats
            are no part of it.
        rng: of the bootstrap.
        clusters: (pairs,) number of the item that each pair belongs to; what the bootstrap draws.
        replicates: of the bootstrap.
    """
    verdicts = np.asarray(verdicts)
    names = [VERDICTS[key] for key in range(len(VERDICTS))]
    out: NDArray[np.int64] = np.where(verdicts == MISSING, MISSING, verdicts != KEEP).astype(np.int64)
    strength = np.full(verdicts.shape, MISSING)
    for place, key in enumerate(_STRENGTH):
        strength[verdicts == key] = place
    return ReviewAgreement(
        agreement(verdicts, names, rng=rng, clusters=clusters, replicates=replicates),
        agreement(out, ("keep", "out"), rng=rng, clusters=clusters, replicates=replicates),
        agreement(
            *(strength, [VERDICTS[key] for key in _STRENGTH]),
            rng=rng,
            weights=linear_weights(len(_STRENGTH)),
            clusters=clusters,
            replicates=replicates,
        ),
    )
