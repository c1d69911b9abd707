"""One level of a wrapped task as a whole, and what changes between levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..base.log import logger
from ..base.versions import versions
from ..scoring import level_summary
from ..scoring.aggregations import NotInTable
from .votes import GIVEN, LOG_T

SCORES = ("accuracy", "confidence", "calibration_shift", "unread_rate", "missing_rate", "trials")


def summarise_level(records: Sequence[Mapping[str, Any]]) -> NotInTable:
    """Return one level's scores, overall, by degradation and by modality, with conditions and versions."""
    level = wrapped_level(records)
    for warning in level["conditions"]["warnings"]:
        logger.warning(f"medqdeg {records[0]['task']} {level['level']}: {warning}")
    return NotInTable(level)


def compare_levels(summaries: Sequence[Mapping[str, Any]], sizes: Sequence[int], weight_by_size: bool) -> NotInTable:
    """Return accuracy drop and shift change from L0 to the degraded levels, overall and by degradation."""
    return NotInTable(level_summary.compare_levels(summaries))


def wrapped_level(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `level`, `overall` scores, `nodes` (by assigned degradation and by modality), `conditions`, `versions`.

    The assigned degradation is the same for an item at every level, so a node holds the same items at L0.
    """
    levels = sorted({record["level"] for record in records})
    return {
        "level": levels[0] if len(levels) == 1 else "+".join(levels),
        "overall": _scores(records),
        "nodes": {"degradation": _by(records, "assigned"), "modality": _by(records, "modality")},
        "conditions": _conditions(records),
        "versions": versions(),
    }


def _scores(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"n": len(records), **{name: level_summary.mean(record[name] for record in records) for name in SCORES}}


def _by(records: Sequence[Mapping[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    names = sorted({record[key] for record in records if record[key] is not None})
    return {name: _scores([record for record in records if record[key] == name]) for name in names}


def _conditions(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    failed = [record for record in records if record["error"]]
    rules = Counter(record["k_rule"] for record in records if record["k_rule"])
    without = sum(record["images"] == 0 for record in records)
    unchanged = sum(record["unchanged_images"] for record in records)
    identical = sum(record["trials"] >= 2 and record["distinct_replies"] == 1 for record in records)
    scales = Counter(record["confidence_scale"] for record in records if record["confidence_scale"])
    scored_0 = sum(record["right_votes_scored_0"] for record in records)
    too_many = sum(record["k_rule"] == GIVEN and len(record["options"]) > record["k"] for record in records)
    warnings = []
    if failed:
        warnings.append(f"{len(failed)} items could not be scored, first {failed[0]['item_id']}: {failed[0]['error']}")
    if without:
        warnings.append(f"{without} of {len(records)} items have no image, so nothing of theirs is degraded")
    if unchanged:
        warnings.append(f"{unchanged} images are as they were: their degradation has no effect on them")
    if identical > level_summary.SUSPICIOUS_SHARE * len(records):
        warnings.append(f"all replies to an item are identical on {identical} of {len(records)} items")
    if scales[LOG_T] and scales[LOG_T] < sum(scales.values()):
        warnings.append(
            f"the number of possible answers is open on {scales[LOG_T]} of {len(records)} items: their confidence is "
            "relative to log T and does not compare with that of items with options"
        )
    if scored_0:
        warnings.append(
            f"{scored_0} of {sum(record['trials'] for record in records)} replies vote for the right answer and score "
            "0 in the task: confidence and accuracy speak of different replies there"
        )
    if too_many:
        warnings.append(f"{too_many} items have more different answers than the K given; K stays as it is")
    return {
        "trials": {str(trials): count for trials, count in sorted(Counter(len(r["votes"]) for r in records).items())},
        "k_rule": dict(sorted(rules.items())),
        "confidence_scale": dict(sorted(scales.items())),
        "right_votes_scored_0": scored_0,
        "item_id_rule": dict(sorted(Counter(record["item_id_rule"] for record in records).items())),
        "score_metric": dict(sorted(Counter(filter(None, (record["score_metric"] for record in records))).items())),
        "identical_items": identical,
        "items_without_images": without,
        "unchanged_images": unchanged,
        "failed_items": len(failed),
        "warnings": warnings,
    }
