"""Scores of a whole level and of every node of the hierarchies, and what changes between levels.

A node is a value on one axis: a capability, mid-level task or skill (table 4 of arXiv:2603.07769), a degradation or
its category (table 5), a modality, a source benchmark. All sums are exact (`math.fsum`), so that the order in which
several processes deliver the records does not change a single bit.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..dataset import taxonomy
from .agreement import agreement_gap, item_gap
from .answers import TIERS
from .confidence import MISSING, NO_VOTE, UNREAD
from .elicitation import EXACT
from .identical_replies import sampling_suspicion
from .records import ItemRecord

SCORES: tuple[str, ...] = (
    "accuracy",
    "majority_vote",
    "confidence",
    "calibration_shift",
    "unread_rate",
    "missing_rate",
    "trials",
)
"""The numbers of a record whose mean over a set is reported."""

AXES: Mapping[str, Callable[[ItemRecord], str | None]] = {
    "capability": lambda record: taxonomy.capability_of(record["skill"]),
    "task": lambda record: taxonomy.task_of(record["skill"]),
    "skill": lambda record: record["skill"],
    "degradation_category": lambda record: (
        taxonomy.degradation_category(record["degradation"]) if record["degradation"] else None
    ),
    "degradation": lambda record: record["degradation"],
    "modality": lambda record: record["modality"],
    "source": lambda record: record["source"],
}
"""Axis -> the node of a record on it, or None where the axis does not apply (a clean item has no degradation)."""

UNREAD_LIMIT = 0.1
"""From this share of unread trials at a level on, a run is warned of and not ranked: an unread trial is wrong and
uncertain by definition, so many of them look like a model that is calibrated."""

SUSPICIOUS_SHARE = 0.5
"""Above this share of replies that are empty, a run is suspected."""


def node_scores(records: Sequence[ItemRecord]) -> dict[str, Any]:
    """Return n and the mean scores of a set of records.

    Returns:
        `n` items, `n_scored` of them with at least one answered trial, `n_source_questions`, the mean of every one of
        `SCORES` over the items that have it (None if none has), `agreement_gap` (None where there is none,
        `scoring.agreement`) and `readable_share`, the part of the whole that it is about. An item whose trials are all
        missing has only a missing_rate (1) and trials (0); an invalid exact one, a missing_rate (0) and trials (1).
    """
    return {
        "n": len(records),
        "n_scored": sum(record["accuracy"] is not None for record in records),
        "n_source_questions": len({record["source_question_id"] for record in records}),
        **{
            name: mean(
                (record[name] for record in records),  # type: ignore[literal-required]
                [weight_of(record) for record in records],
            )
            for name in SCORES
        },
        **gap_scores(records),
    }


def gap_scores(records: Sequence[ItemRecord]) -> dict[str, float | None]:
    """Return `agreement_gap` and `readable_share` of a set of records."""
    gaps = [(gap, weight_of(record)) for record in records if (gap := item_gap(record)) is not None]
    whole = math.fsum(weight for _, weight in gaps)
    readable = math.fsum(weight * gap.readable for gap, weight in gaps) / whole if gaps else None
    return {"agreement_gap": agreement_gap(gaps), "readable_share": readable}


def weight_of(record: Mapping[str, Any]) -> float:
    """Return how many items of the whole set a record stands for: 1 unless the run is a subset."""
    return float(record.get("weight", 1.0))


def every_node(records: Iterable[ItemRecord]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return axis -> node -> `node_scores`, nodes in alphabetical order."""
    grouped: dict[str, dict[str, list[ItemRecord]]] = {axis: defaultdict(list) for axis in AXES}
    for record in records:
        for axis, node_of in AXES.items():
            if (node := node_of(record)) is not None:
                grouped[axis][node].append(record)
    return {axis: {node: node_scores(nodes[node]) for node in sorted(nodes)} for axis, nodes in grouped.items()}


def run_conditions(records: Sequence[ItemRecord]) -> dict[str, Any]:
    """Return what the scores of a run depend on, and what went wrong in it.

    Returns:
        `elicitation`: how the model was asked -> items; `trials`: requested trials an item -> items; `options`: K ->
        items (confidence does not compare across any of the three); `missing_trials`, `empty_replies`, `failed_items`;
        `identical_items`: items whose T >= 2 raw replies are all equal; `invalid_items`: exact items whose letters have
        too little mass, which have no scores; `letter_mass`: mean and smallest of the exact items (None without any);
        `read_as`: how the replies were read (`medqdeg.utils.scoring.answers.TIERS`, or "unread") -> trials, without the
        records of schema 1 and 2, which do not say;
        `stated_missing`, `stated_out_of_range`: verbalized trials without a usable confidence;
        `source_question_rule`: how the clean item behind a degraded one was found -> items; `warnings`: sentences.
    """
    elicitation = Counter(record["elicitation"] for record in records)
    trials = Counter(1 if record["elicitation"] == EXACT else len(record["letters"]) for record in records)
    identical = sum(record["trials"] >= 2 and record["distinct_replies"] == 1 for record in records)
    answered = sum(record["trials"] for record in records)
    empty = sum(record["empty_replies"] for record in records)
    failed = [record for record in records if record["error"]]
    missing = sum(letter == MISSING for record in records for letter in record["letters"])
    missing += sum(
        record["elicitation"] == EXACT and record["trials"] == 0 and not record["error"] for record in records
    )
    masses = [record["letter_mass"] for record in records if record["letter_mass"] is not None]
    invalid = sum(record["invalid"] for record in records)
    unstated = sum(record["stated_missing"] for record in records)
    out_of_range = sum(record["stated_out_of_range"] for record in records)
    warnings = []
    if unread := much_unread(records):
        rates = ", ".join(f"{rate:.1%} at {level}" for level, rate in unread.items())
        warnings.append(
            f"answered trials without an answer that can be read: {rates}; they count as wrong and as uncertain, so "
            "accuracy, confidence and shift there say little about the model"
        )
    if suspicion := sampling_suspicion(records):
        warnings.append(suspicion)
    if empty > SUSPICIOUS_SHARE * answered:
        # Some integrations (llava_hf of lmms-eval 0.7.3) swallow a failing model and hand back empty text.
        warnings.append(f"{empty} of {answered} replies are empty: the model may have failed without a word")
    if missing:
        warnings.append(f"{missing} trials are missing because their requests failed")
    if failed:
        warnings.append(f"{len(failed)} items could not be scored, first {failed[0]['item_id']}: {failed[0]['error']}")
    if invalid:
        warnings.append(
            f"{invalid} of {len(masses)} items are invalid and have no scores: their option letters have too little of "
            f"the model's probability (mean over all items {math.fsum(masses) / len(masses):.3f})"
        )
    if unstated or out_of_range:
        warnings.append(
            f"{unstated} of {answered} replies state no confidence and {out_of_range} one outside 0 to 100%; they "
            "count in no confidence (as guesses, 1/K, in confidence_unstated_as_guess)"
        )
    if len(elicitation) > 1:
        warnings.append(f"items were asked in different ways: {dict(sorted(elicitation.items()))}")
    if len(trials) > 1:
        warnings.append(f"items have different numbers of trials: {dict(sorted(trials.items()))}")
    return {
        "elicitation": _with_text_keys(elicitation),
        "trials": _with_text_keys(trials),
        "options": _with_text_keys(Counter(record["k"] for record in records)),
        "missing_trials": missing,
        "empty_replies": empty,
        "failed_items": len(failed),
        "identical_items": identical,
        "invalid_items": invalid,
        "letter_mass": {"mean": math.fsum(masses) / len(masses), "smallest": min(masses)} if masses else None,
        "read_as": _tier_counts(records),
        "stated_missing": unstated,
        "stated_out_of_range": out_of_range,
        "source_question_rule": _with_text_keys(Counter(record["source_question_rule"] for record in records)),
        "warnings": warnings,
    }


def _tier_counts(records: Iterable[ItemRecord]) -> dict[str, int]:
    found = Counter(
        UNREAD if tier is None else tier
        for record in records
        for letter, tier in zip(record["letters"], record.get("read_as") or (), strict=False)
        if letter not in NO_VOTE
    )
    return {tier: found[tier] for tier in (*TIERS, UNREAD) if found[tier]}


def unread_rates(records: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return level -> mean unread rate over the items that have one, for the levels that do."""
    by_level: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if record["unread_rate"] is not None:
            by_level[record["level"]].append(record["unread_rate"])
    return {level: math.fsum(rates) / len(rates) for level, rates in sorted(by_level.items())}


def much_unread(records: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return level -> unread rate, for the levels at which it is `UNREAD_LIMIT` or more."""
    # 0.1 of every item is 0.1, also where the mean of many 0.1 is the next smaller number.
    return {level: rate for level, rate in unread_rates(records).items() if round(rate, 9) >= UNREAD_LIMIT}


def level_summary(records: Sequence[ItemRecord]) -> dict[str, Any]:
    """Return one level's `level`, `overall` scores, `conditions` and `nodes`.

    Of a series, the level is "series", and `severities` has the scores of each, by label.
    """
    levels = sorted({record["level"] for record in records})
    if not set(levels) <= {*taxonomy.LEVELS, taxonomy.GONE}:
        by_level = {level: [record for record in records if record["level"] == level] for level in levels}
        series = {"severities": {level: node_scores(chosen) for level, chosen in by_level.items()}}
        levels = ["series"]
    else:
        series = {}
    return {
        "level": levels[0] if len(levels) == 1 else "+".join(levels),
        "overall": node_scores(records),
        **series,
        "conditions": run_conditions(records),
        "nodes": every_node(records),
    }


def dunning_kruger(clean: Mapping[str, Any], degraded: Mapping[str, Any]) -> bool | None:
    """Return the paper's intra-model rule: Acc(L0) > Acc(Lx) and shift(L0) <= shift(Lx); None if a score is missing."""
    if any(side[name] is None for side in (clean, degraded) for name in ("accuracy", "calibration_shift")):
        return None
    falls: bool = clean["accuracy"] > degraded["accuracy"]
    return falls and bool(clean["calibration_shift"] <= degraded["calibration_shift"])


def level_change(clean: Mapping[str, Any], degraded: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes from L0 to a degraded level, in the paper's plain form (no matching of items).

    Returns:
        `accuracy_drop` = Acc(L0) - Acc(Lx), `confidence_change`, `shift_change` and `gap_change` = Lx - L0 (the last
        None where a level has no agreement gap), `dunning_kruger`.
    """
    effect = dunning_kruger(clean, degraded)
    if effect is None:
        return dict.fromkeys(("accuracy_drop", "confidence_change", "shift_change", "gap_change", "dunning_kruger"))
    gaps = clean.get("agreement_gap"), degraded.get("agreement_gap")
    return {
        "accuracy_drop": clean["accuracy"] - degraded["accuracy"],
        "confidence_change": degraded["confidence"] - clean["confidence"],
        "shift_change": degraded["calibration_shift"] - clean["calibration_shift"],
        "gap_change": None if gaps[0] is None or gaps[1] is None else gaps[1] - gaps[0],
        "dunning_kruger": effect,
    }


def compare_levels(summaries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare the degraded levels with L0, overall and for every node that both have.

    Args:
        summaries: results of `level_summary`, any order, any subset of the levels.

    Returns:
        `overall`: "L0_to_L1", "L0_to_L2" -> `level_change`; `nodes`: axis -> node -> the same.
        Empty where L0 is absent.
    """
    by_level = {summary["level"]: summary for summary in summaries}
    clean = by_level.get(taxonomy.CLEAN)
    if clean is None:
        return {"overall": {}, "nodes": {}}
    steps = {f"{taxonomy.CLEAN}_to_{name}": by_level[name] for name in taxonomy.LEVELS[1:] if name in by_level}
    nodes: dict[str, dict[str, dict[str, Any]]] = {axis: {} for axis in clean["nodes"]}
    for axis, clean_nodes in clean["nodes"].items():
        for node, scores in clean_nodes.items():
            changes = {
                step: level_change(scores, degraded["nodes"][axis][node])
                for step, degraded in steps.items()
                if node in degraded["nodes"][axis]
            }
            if changes:
                nodes[axis][node] = changes
    overall = {step: level_change(clean["overall"], degraded["overall"]) for step, degraded in steps.items()}
    return {"overall": overall, "nodes": nodes}


def mean(values: Iterable[float | None], weights: Iterable[float] | None = None) -> float | None:
    """Return the exact mean of the values that are there, or None without any.

    Args:
        values: None where there is none.
        weights: one per value; all alike if None.
    """
    if weights is None:
        weighted = [(value, 1.0) for value in values if value is not None]
    else:
        weighted = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
    if not weighted:
        return None
    return math.fsum(value * weight for value, weight in weighted) / math.fsum(weight for _, weight in weighted)


def _with_text_keys(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(key): counts[key] for key in sorted(counts)}
