"""Accuracy over L1 and L2 together, by task and by degradation category, with intervals: what tables 2 and 3 print."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..dataset.taxonomy import CLEAN
from .cell_sums import Cell, CellSums, Replicates, combined
from .item_table import ALL, OVERALL, ItemTable
from .statistics.bootstrap import ClusterBootstrap
from .statistics.comparisons import matched_change

_POOLED = "L1+L2"


@dataclass(frozen=True)
class Pooled:
    """The accuracy of one node over L1 and L2.

    Attributes:
        node: a task or category, or None for the average.
        accuracy: one row.
        change: its change from L0, one row; None where L0 lacks items.
    """

    node: str | None
    accuracy: Replicates
    change: Replicates | None


def pooled_tasks(items: ItemTable, tasks: Sequence[str], replicates: int, seed: int) -> Iterator[Pooled]:
    """Yield the macro mean of some tasks, where the run has items of all of them, and each task.

    The change is plain: over L1 and L2 minus L0.

    Args:
        items: of one run.
        tasks: mid-level tasks.
        replicates: of the cluster bootstrap.
        seed: of the bootstrap.
    """
    sums = _pooled_sums(items, replicates, seed, "task")
    if not any(cell.level == _POOLED for cell in sums.cells):
        return
    accuracy = sums.mean(sums.table.columns["accuracy"], with_errors=True)
    place = {cell: row for row, cell in enumerate(sums.cells)}
    pooled = [Cell(_POOLED, "task", node) for node in tasks]
    clean = [Cell(CLEAN, "task", node) for node in tasks]
    found = [number for number, cell in enumerate(pooled) if cell in place]
    paired = [number for number in found if clean[number] in place]
    if len(found) == len(pooled):
        average = _mean_of(accuracy.rows([place[cell] for cell in pooled]))
        change = None
        if len(paired) == len(pooled):
            change = _minus(average, _mean_of(accuracy.rows([place[cell] for cell in clean])))
        yield Pooled(None, average, change)
    for number in found:
        here = accuracy.rows([place[pooled[number]]])
        change = _minus(here, accuracy.rows([place[clean[number]]])) if number in paired else None
        yield Pooled(pooled[number].node, here, change)


def pooled_categories(items: ItemTable, categories: Sequence[str], replicates: int, seed: int) -> Iterator[Pooled]:
    """Yield the micro mean, over all items of L1 and L2, and each degradation category.

    The change is matched: each degraded item against the clean items of its source question.

    Args:
        items: of one run.
        categories: degradation categories.
        replicates: of the cluster bootstrap.
        seed: of the bootstrap.
    """
    sums = _pooled_sums(items, replicates, seed, "degradation_category", OVERALL)
    table = sums.table
    accuracy = sums.mean(table.columns["accuracy"], with_errors=True)
    own = matched_change(table.columns["accuracy"], table.questions, table.levels == CLEAN, table.levels == _POOLED)
    change = sums.mean(own)
    place = {cell: row for row, cell in enumerate(sums.cells)}
    wanted: dict[str | None, Cell] = {None: Cell(_POOLED, OVERALL, ALL)}
    wanted |= {node: Cell(_POOLED, "degradation_category", node) for node in categories}
    for node, cell in wanted.items():
        if cell in place:
            row = [place[cell]]
            yield Pooled(node, accuracy.rows(row), change.rows(row) if change.n[row[0]] else None)


def _pooled_sums(items: ItemTable, replicates: int, seed: int, *axes: str) -> CellSums:
    """Return the cells of some axes with L1 and L2 as one level."""
    pooled = np.where(items.levels == CLEAN, CLEAN, _POOLED).astype(object)
    table = replace(items, levels=pooled, nodes={axis: items.nodes[axis] for axis in axes})
    return CellSums(table, _draws(len(table.cluster_ids), replicates, seed))


@functools.lru_cache(maxsize=1)
def _draws(clusters: int, replicates: int, seed: int) -> NDArray[np.uint16]:
    return ClusterBootstrap(clusters, replicates, seed).draws()


def _mean_of(parts: Replicates) -> Replicates:
    """Return the macro mean of some cells; it is as sure as its smallest part."""
    rows = [parts.rows([number]) for number in range(len(parts.n))]
    joined = combined(rows, parts.values.mean(axis=0, keepdims=True))
    return replace(joined, n=parts.n.sum(keepdims=True))


def _minus(after: Replicates, before: Replicates) -> Replicates:
    return combined([after, before], after.values - before.values)
