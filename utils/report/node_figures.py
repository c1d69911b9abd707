"""Figures of one model on every modality, and on every capability, task and skill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..dataset.taxonomy import LEVELS, UNLABELLED
from .figure_parts import Frames, dots, headed, percent, share_rows, small_handle
from .figure_style import GUIDE_COLOUR, LEVEL_COLOURS, TEXT_COLOUR, label
from .frame_kinds import CORE

_TIERS = ["capability", "task", "skill"]


def modality(frames: Frames, model: str) -> Figure | None:
    """Draw one model's accuracy, confidence and shift by modality, the levels beside each other."""
    frame = frames["modality"]
    frame = frame[frame["model"] == model]
    nodes = list(frame["modality"].unique())
    return _forest(frame, frame["modality"].map(nodes.index), [label(node) for node in nodes], model)


def hierarchy(frames: Frames, model: str) -> Figure | None:
    """Draw one model's accuracy, confidence and shift on every capability, task and skill that it has items of."""
    frame = frames["hierarchy"]
    frame = frame[(frame["model"] == model) & (frame["capability"] != UNLABELLED)]
    # The benchmark's order, each node before those below it: a missing tier sorts first.
    paths = pd.MultiIndex.from_frame(frame[_TIERS].fillna(""))
    order = {tier: list(dict.fromkeys(frame[tier].dropna())) for tier in _TIERS}
    nodes = sorted(
        set(paths),
        key=lambda path: [-1 if not node else order[tier].index(node) for tier, node in zip(_TIERS, path, strict=True)],
    )
    most = frame.groupby(paths)["n"].max()
    names = [f"{[node for node in path if node][-1]} ({most[path]})" for path in nodes]
    figure = _forest(frame, pd.Series(paths.map(nodes.index), index=frame.index), names, model)
    if figure is not None:
        for tick, (_, task, skill) in zip(figure.axes[0].get_yticklabels(), nodes, strict=True):
            tick.set(
                fontweight="normal" if skill else "bold",
                color=GUIDE_COLOUR if skill else TEXT_COLOUR,
                fontsize=7.5 if task else 8.5,
            )
    return figure


def _forest(frame: pd.DataFrame, rows: pd.Series, names: Sequence[str], model: str) -> Figure | None:
    """Draw one row per name and one panel per metric; `rows` says in which row each line of the frame stands."""
    if not len(names):
        return None
    figure = Figure(figsize=(7.6, 1.1 + 0.26 * len(names)), layout="constrained")
    panels = figure.subplots(1, len(CORE), sharey=True)
    levels = [level for level in LEVELS if level in set(frame["level"])]
    for axes, name in zip(panels, CORE, strict=True):
        for level in levels:
            own = frame[(frame["figure"] == name) & (frame["level"] == level)]
            # A value without an interval is the smallest.
            for part, size in ((own[own["low"].notna()], 3.6), (own[own["low"].isna()], 2.0)):
                places = rows[part.index] + (LEVELS.index(level) - 1) * 0.24
                ends, colour = part[["low", "high"]], LEVEL_COLOURS[level]
                dots(axes, places, part["estimate"], ends, part["small"], colour, size=size, sideways=True)
        headed(axes, name)
        axes.grid(visible=False, axis="y")
        shift = name == "calibration_shift"
        if shift:
            axes.axvline(0, color=GUIDE_COLOUR, linewidth=0.8)
        else:
            axes.set_xlim(-0.02, 1.02)
        _stripes(axes, len(names))
        percent(axes, "x", signed=shift)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    panels[0].tick_params(axis="y", length=0)
    share_rows(panels)
    handles = [Line2D([], [], color=LEVEL_COLOURS[level], marker="o", label=level) for level in levels]
    if frame["small"].any():
        handles.append(small_handle())
    if (frame["estimate"].notna() & frame["low"].isna()).any():
        handles.append(small_handle("no interval: too few source questions", size=2.0))
    figure.suptitle(label(model, 60), x=0.01, ha="left", fontsize=9.5, fontweight="bold")
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _stripes(axes: Axes, rows: int) -> None:
    corners = np.array([[0, -0.5], [1, -0.5], [1, 0.5], [0, 0.5]])
    stripes = [corners + np.array([0, row]) for row in range(0, rows, 2)]
    axes.add_collection(
        PolyCollection(stripes, facecolor="#F6F6F6", transform=axes.get_yaxis_transform(), zorder=0), autolim=False
    )
