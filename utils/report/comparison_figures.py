"""Models beside each other: what each degradation costs, ranks, paired differences."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from .figure_parts import ROW, Frames, dots, folded, headed, percent, share_rows, unranked
from .figure_style import (
    ACCURACY_COLOUR,
    GUIDE_COLOUR,
    PUBLISHED_COLOUR,
    TEXT_COLOUR,
    label,
    model_styles,
)
from .frame_kinds import CORE
from .paper_tables import OURS


def rank_change(frames: Frames) -> Figure | None:
    """Draw each model's rank at L0 and at L2, joined."""
    frame = frames["rank_change"]
    if len(frame) < 2:
        return None
    styles = model_styles(frames["headline"]["model"])
    figure = Figure(figsize=(5.2, 0.9 + 0.17 * max(len(frame), 4)), layout="constrained")
    axes = figure.subplots()
    places = {}
    for level in ("l0", "l2"):
        order = frame.sort_values([f"rank_{level}", "model"]).index
        places[level] = pd.Series(range(1, len(frame) + 1), index=order)
    for number, row in frame.iterrows():
        own = row["origin"] == OURS
        colour = styles[row["model"]].colour if own else PUBLISHED_COLOUR
        ends = [places[level][number] for level in ("l0", "l2")]
        axes.plot([0, 1], ends, color=colour, marker="o", markersize=3, linewidth=1.6 if own else 0.9, zorder=2 + own)
        for x, side, place, level in ((-0.03, "right", ends[0], "l0"), (1.03, "left", ends[1], "l2")):
            accuracy, rank = f"{100 * row[f'accuracy_{level}']:.1f}", row[f"rank_{level}"]
            name = label(row["model"], 30)
            text = f"{name}  {accuracy}  {rank}" if side == "right" else f"{rank}  {accuracy}  {name}"
            axes.text(
                x, place, text, ha=side, va="center", fontsize=6.5,
                color=TEXT_COLOUR if own or colour != PUBLISHED_COLOUR else GUIDE_COLOUR,
                fontweight="bold" if own else "normal",
            )  # fmt: skip
    axes.set_xlim(-1.3, 2.3)
    axes.set_ylim(len(frame) + 0.7, 0.2)
    axes.set_xticks([0, 1], ["L0", "L2"])
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    absent = [f"{label(run)} ({reason})" for run, reason in unranked(frames).items() if run not in set(frame["model"])]
    if absent:
        figure.supxlabel(folded([f"Not ranked: {'; '.join(absent)}"], 80), fontsize=7, color=GUIDE_COLOUR)
    return figure


def paired(frames: Frames) -> Figure | None:
    """Draw the paired differences at the severest level compared; hollow where within noise."""
    frame = frames["paired"]
    if frame.empty:
        return None
    level = max(frame["level"])
    frame = frame[frame["level"] == level]
    pairs = list(dict.fromkeys(zip(frame["first"], frame["second"], strict=True)))
    figure = Figure(figsize=(7.6, 1.2 + ROW * len(pairs)), layout="constrained")
    panels = figure.subplots(1, len(CORE), sharey=True)
    for axes, name in zip(panels, CORE, strict=True):
        for noise, colour in ((True, GUIDE_COLOUR), (False, ACCURACY_COLOUR)):
            own = frame[(frame["figure"] == name) & (frame["within_noise"] == noise)]
            places = [pairs.index(pair) for pair in zip(own["first"], own["second"], strict=True)]
            dots(axes, places, own["estimate"], own[["low", "high"]], own["within_noise"], colour, sideways=True)
        axes.axvline(0, color=GUIDE_COLOUR, linewidth=0.8)
        headed(axes, name)
        axes.grid(visible=False, axis="y")
        percent(axes, "x", signed=True)
    names = [f"{label(first, 24)} − {label(second, 24)}" for first, second in pairs]
    panels[0].set_yticks(range(len(pairs)), names)
    panels[0].set_ylim(len(pairs) - 0.4, -0.6)
    share_rows(panels)
    figure.supxlabel(f"Difference at {level}, points. Hollow: within noise.", fontsize=7.5)
    return figure
