"""What one item adds to the agreement gap: how many pairs of its readable votes agree, minus how many are right.

The same as `analysis.statistics.agreement_gap`, which has the formulas and the reasons for them, for one record in a
harness. The gap of a set is the sum of `difference` over the sum of `weight`: 0 for a calibrated model at every T.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .confidence import NO_VOTE, UNREAD
from .elicitation import EXACT, VERBALIZED


@dataclass(frozen=True)
class ItemGap:
    """One item's terms.

    Attributes:
        difference: agree - right.
        weight: share of pairs that are readable, letter mass squared, or number of trials with letter and number.
        readable: the same as a share in [0, 1].
        varies: whether the trials can differ as far as this item shows: two different votes, or no votes at all
            (exact, verbalized).
    """

    difference: float
    weight: float
    readable: float
    varies: bool


def item_gap(record: Mapping[str, Any]) -> ItemGap | None:
    """Return the terms of a record, or None where it has none: fewer than two answered votes, no scores."""
    if record["accuracy"] is None:
        return None
    if record.get("elicitation") == EXACT:
        square = record["letter_mass"] ** 2
        right = record["probabilities"][record["options"].index(record["answer"])]
        agree = math.fsum(share**2 for share in record["probabilities"])
        return ItemGap(square * (agree - right), square, square, True)
    letters = [letter for letter in record["letters"] if letter not in NO_VOTE]
    if record.get("elicitation") == VERBALIZED:
        stated = [
            number - (letter == record["answer"])
            for letter, number in zip(record["letters"], record["stated"], strict=True)
            if number is not None and letter in record["options"]
        ]
        return ItemGap(math.fsum(stated), len(stated), len(stated) / len(letters), True)
    trials = len(letters)
    if trials < 2:
        return None
    counts = Counter(letters)
    varies = len(counts) > 1
    counts.pop(UNREAD, None)
    read, pairs = sum(counts.values()), trials * (trials - 1)
    agree = sum(count * (count - 1) for count in counts.values())
    right = (read - 1) * counts[record["answer"]] if read else 0
    weight = read * (read - 1) / pairs
    return ItemGap((agree - right) / pairs, weight, weight, varies)


def agreement_gap(gaps: Iterable[tuple[ItemGap, float]]) -> float | None:
    """Return the gap of items with their weights in the whole set; exact, so the order does not matter.

    None without items, where nothing is readable, and where no votes vary within any item: a greedy model agrees with
    itself by construction.
    """
    found = list(gaps)
    whole = math.fsum(weight * gap.weight for gap, weight in found)
    if whole <= 0 or not any(gap.varies for gap, _ in found):
        return None
    return math.fsum(weight * gap.difference for gap, weight in found) / whole
