"""Frames of nodes: modalities, degradations, and capabilities, tasks and skills, in the benchmark's order."""

from __future__ import annotations

import pandas as pd

from ..analysis.analyse import Analysis
from ..dataset.taxonomy import (
    CAPABILITIES,
    CLEAN,
    DEGRADATIONS,
    LEVELS,
    MODALITIES,
    SKILLS,
    TASKS,
    UNLABELLED,
    capability_of,
    degradation_category,
    task_of,
)
from .frame_kinds import CORE, framed


def modality(analysis: Analysis) -> pd.DataFrame:
    """Return accuracy, confidence and shift by modality and level."""
    chosen = _axis(analysis, "modality")
    return framed(
        "modality", _in_order(chosen.assign(model=chosen["run"], modality=chosen["node"]), "modality", MODALITIES)
    )


def degradation_drop(analysis: Analysis) -> pd.DataFrame:
    """Return the matched changes of accuracy, confidence and shift by degradation, from L0 to L1 and to L2."""
    table = analysis.tables["changes"]
    comparisons = [f"{CLEAN}_to_{level}" for level in LEVELS[1:]]
    chosen = table[
        (table["axis"] == "degradation")
        & (table["pairing"] == "matched")
        & table["figure"].isin(CORE)
        & table["comparison"].isin(comparisons)
    ]
    chosen = chosen.assign(
        model=chosen["run"],
        degradation=chosen["node"],
        category=[degradation_category(node) for node in chosen["node"]],
    )
    return framed("degradation_drop", _in_order(chosen, "degradation", tuple(DEGRADATIONS)))


def hierarchy(analysis: Analysis) -> pd.DataFrame:
    """Return accuracy, confidence and shift of every capability, task and skill at every level."""
    parts = []
    for tier, order in (("capability", CAPABILITIES), ("task", TASKS), ("skill", SKILLS)):
        chosen = _axis(analysis, tier)
        nodes = chosen["node"]
        chosen = chosen.assign(
            model=chosen["run"],
            tier=tier,
            node_name=nodes,
            capability=[_capability(tier, node) for node in nodes],
            task=[None if tier == "capability" else node if tier == "task" else task_of(node) for node in nodes],
            skill=list(nodes) if tier == "skill" else None,
        )
        parts.append(_in_order(chosen, "node_name", (*order, UNLABELLED)))
    return framed("hierarchy", pd.concat(parts, ignore_index=True))


def _axis(analysis: Analysis, axis: str) -> pd.DataFrame:
    table = analysis.tables["figures"]
    return table[(table["axis"] == axis) & table["figure"].isin(CORE)]


def _capability(tier: str, node: str) -> str:
    if tier == "capability":
        return node
    return capability_of(node) if tier == "skill" else _CAPABILITY_OF_TASK.get(node, node)


def _in_order(table: pd.DataFrame, column: str, order: tuple[str, ...]) -> pd.DataFrame:
    """Sort the rows of each run by the benchmark's order of nodes; names that are not in it come last."""
    place = {name: number for number, name in enumerate(order)}
    runs = {name: number for number, name in enumerate(dict.fromkeys(table["model"]))}
    keys = table.assign(
        _run=table["model"].map(runs), _place=table[column].map(lambda name: place.get(name, len(place)))
    )
    return keys.sort_values(["_run", "_place"], kind="stable", ignore_index=True)


_CAPABILITY_OF_TASK = {task_of(skill): capability_of(skill) for skill in SKILLS}
