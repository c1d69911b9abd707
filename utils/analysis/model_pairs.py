"""Two runs on the same items: paired differences of every figure of every cell, or the reason why there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..runs.run import Run
from .cells import CellFigures, Replicates, combined
from .item_table import elicitation_of


def reason_against_pairing(first: Run, second: Run) -> str | None:
    """Say in one phrase why two runs do not compare item by item, or return None if they do.

    They do where both hold the same items (identity, level, options, answer, source question), elicited alike, with the
    same number of requested trials each.
    """
    items = [{_identity(record): len(record["letters"]) for record in run.records} for run in (first, second)]
    only = [len(items[0].keys() - items[1].keys()), len(items[1].keys() - items[0].keys())]
    if any(only):
        return f"different items: {only[0]} only in {first.name}, {only[1]} only in {second.name}"
    kinds = [sorted({elicitation_of(record) for record in run.records}) for run in (first, second)]
    if kinds[0] != kinds[1]:
        return f"different elicitations: {', '.join(kinds[0])} against {', '.join(kinds[1])}"
    if items[0] != items[1]:
        trials = [dict(sorted(Counter(counts.values()).items())) for counts in items]
        return f"different numbers of trials T (T -> items): {trials[0]} against {trials[1]}"
    return None


def model_differences(first: CellFigures, second: CellFigures) -> dict[str, Replicates]:
    """Return figure -> difference first - second for every cell; the runs share items, cells and draws."""
    if first.cells != second.cells:
        raise ValueError("the runs do not have the same cells")
    return {
        name: combined([found, second.figures[name]], found.values - second.figures[name].values)
        for name, found in first.figures.items()
    }


def _identity(record: Mapping[str, object]) -> tuple[object, ...]:
    options = record["options"]
    assert isinstance(options, list)
    keys = ("item_id", "level", "answer", "source_question_id", "degradation")
    return (*(record[key] for key in keys), *options)
