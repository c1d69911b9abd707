"""Whether an integration samples: what items whose replies are all equal show about it, and what they do not.

An integration that ignores the temperature gives every trial of an item the same reply, save for what the arithmetic of
batches of other sizes changes now and then. A model that is certain of most items does the same there, and votes
differently on the others. So the items on which the votes differ decide: more of them than batches explain, and the
integration samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .confidence import MISSING

MOSTLY_IDENTICAL: Final = 0.5
"""Below this share of items whose raw replies are all equal nothing is asked."""

BATCH_NOISE: Final = 0.05
"""Most items, as a share, on which the votes of a model that does not sample differ. Greedy decoding of a small model
in bfloat16 in batches of other sizes changed 0.2% of tokens, so about as many one-letter answers; longer replies change
more often (14% of those of 64 tokens), but seldom their answer."""

LEVEL: Final = 0.01
"""A share of differing items that noise alone would reach less often than this is no noise."""


def sampling_suspicion(records: Sequence[Mapping[str, Any]]) -> str | None:
    """Return, in words, why the run may not have sampled; None where nothing suggests it.

    Asked where more than half of the items with two or more answered trials have only equal raw replies. With v of
    these n items whose votes differ, P(V >= v) for V ~ Binomial(n, `BATCH_NOISE`) is how often noise alone gives so
    many; at `LEVEL` or above the run is suspected. Nothing has to be known of the model's distributions: items on which
    it is certain say nothing either way.

    Args:
        records: of one run, or of one level of it.
    """
    from scipy.special import bdtrc

    repeated = [record for record in records if record["trials"] >= 2]
    identical = sum(record["distinct_replies"] == 1 for record in repeated)
    if not repeated or identical <= MOSTLY_IDENTICAL * len(repeated):
        return None
    differing = sum(len(set(record["letters"]) - {MISSING}) > 1 for record in repeated)
    probability = 1.0 if differing == 0 else float(bdtrc(differing - 1, len(repeated), BATCH_NOISE))
    if probability < LEVEL:
        return None
    return (
        f"all replies to an item are identical on {identical} of {len(repeated)} items, and the votes differ on "
        f"{differing}, no more than an integration that does not sample would show (p = {probability:.2g}): look at "
        "temperature and top_k, unless the model is that certain"
    )
