"""The aggregations that the files of `medqdeg wrap` name. They only connect: see `medqdeg.utils.wrapping`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..utils.scoring import level_summary
from ..utils.wrapping import summary
from .hooks import NotInTable, logger


def summarise_level(records: Sequence[Mapping[str, Any]]) -> NotInTable:
    """Return one level's scores, overall, by degradation and by modality, with conditions and versions."""
    level = summary.wrapped_level(records)
    for warning in level["conditions"]["warnings"]:
        logger.warning(f"medqdeg {records[0]['task']} {level['level']}: {warning}")
    return NotInTable(level)


def compare_levels(summaries: Sequence[Mapping[str, Any]], sizes: Sequence[int], weight_by_size: bool) -> NotInTable:
    """Return accuracy drop and shift change from L0 to the degraded levels, overall and by degradation."""
    return NotInTable(level_summary.compare_levels(summaries))
