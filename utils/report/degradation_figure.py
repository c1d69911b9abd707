"""What each degradation costs: bars with intervals for one run, a heat map for several."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .figure_parts import ROW, Frames, folded, percent
from .figure_style import CONFIDENCE_COLOUR, GUIDE_COLOUR, TEXT_COLOUR, label, signed, spoken

_ENOUGH = 10  # source questions from which an estimate sets the axis, where none rests on 30
_SMALL = "* fewer than 30 source questions"
_NO_INTERVAL = "° no interval: too few source questions, or too few of them differ"
_LABEL = 0.16  # of the axis, that the value of a bar beyond it takes


def degradation_drop(frames: Frames) -> Figure | None:
    """Draw the matched change of accuracy by degradation, one panel per level: bars for one run, else a heat map."""
    frame = frames["degradation_drop"]
    frame = frame[frame["figure"] == "accuracy"]
    if frame.empty:
        return None
    return _bars(frame) if frame["model"].nunique() == 1 else _heat_map(frame)


def _bars(frame: pd.DataFrame) -> Figure:
    comparisons = list(frame["comparison"].unique())
    rows, known = order_of(frame)
    figure = Figure(figsize=(7.6, 1.2 + ROW * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(comparisons), sharey=True, squeeze=False)[0]
    frame_of_all = _frame_of(frame)
    for axes, comparison in zip(panels, comparisons, strict=True):
        own = frame[frame["comparison"] == comparison].set_index("degradation").reindex(rows)
        _draw_bars(axes, own, frame_of_all)
        axes.set_title(comparison.replace("_to_", " to "))
    panels[0].set_yticks(range(len(rows)), [spoken(row) for row in rows])
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    for tick in panels[0].get_yticklabels()[known:]:
        tick.set_color(GUIDE_COLOUR)
    says = "Change of accuracy in points, each degraded item against its own clean version; n: items."
    small = f"Pale, {_SMALL}. " if frame["small"].any() else ""
    without = f"Grey and last, {_NO_INTERVAL}. " if known < len(rows) else ""
    below = f"{small}{without}◂ ▸: the interval goes on beyond the axis; with a number: the value itself lies there."
    figure.supxlabel(folded([says, below]), fontsize=7, color=GUIDE_COLOUR)
    return figure


def order_of(frame: pd.DataFrame) -> tuple[list[str], int]:
    """Return the degradations in the order in which they are drawn, and how many of them have an interval.

    Those with an interval come first, the costliest at the top. The values of the others are no order: those of most
    items come first.

    Args:
        frame: rows of `degradation_drop` of one figure.
    """
    known = frame[frame["low"].notna()].groupby("degradation")["estimate"].mean().sort_values(kind="stable")
    others = frame[~frame["degradation"].isin(known.index)].groupby("degradation")["n"].sum()
    return [*known.index, *others.sort_values(ascending=False, kind="stable").index], len(known)


def _frame_of(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the axis: what rests on enough source questions, with its intervals, and 0."""
    basis = frame[~frame["small"].astype(bool)]
    enough = frame[frame["clusters"] >= _ENOUGH]
    for wider in (enough[enough["low"].notna()], enough):
        basis = basis if len(basis) else wider
    basis = basis if len(basis) else frame
    ends = basis[["estimate", "low", "high"]].to_numpy(dtype=float)
    low, high = min(0.0, float(np.nanmin(ends))), max(0.0, float(np.nanmax(ends)))
    room = max(0.01, 0.04 * (high - low))
    low, high = low - room, high + room
    # A value beyond the axis has room beside the line at 0.
    share = _LABEL / (1 - _LABEL)
    if (frame["estimate"] > high).any():
        high = max(high, -low * share)
    if (frame["estimate"] < low).any():
        low = min(low, -high * share)
    return low, high


def _draw_bars(axes: Axes, own: pd.DataFrame, frame: tuple[float, float]) -> None:
    low, high = frame
    for place, row in enumerate(own.itertuples()):
        if np.isnan(row.estimate):
            continue
        if np.isnan(row.low):
            inside = low <= row.estimate <= high
            axes.plot(
                row.estimate if inside else np.nan, place, "o", color=GUIDE_COLOUR, markerfacecolor="white",
                markersize=3,
            )  # fmt: skip
        else:
            pale = 0.35 if row.small else 0.8
            axes.barh(place, np.clip(row.estimate, low, high), color=CONFIDENCE_COLOUR, alpha=pale, height=0.6)
            axes.hlines(place, max(row.low, low), min(row.high, high), color=TEXT_COLOUR, linewidth=1.0)
        for beyond, x, mark, side in (
            (np.fmin(row.estimate, row.low) < low, low, "◂", "left"),
            (np.fmax(row.estimate, row.high) > high, high, "▸", "right"),
        ):
            if beyond:
                outside = row.estimate < low or row.estimate > high
                value = f" {signed(row.estimate)} " if outside else ""
                text = f"{mark}{value}" if side == "left" else f"{value}{mark}"
                axes.text(x, place, text, ha=side, va="center", fontsize=6, color=TEXT_COLOUR)
        size = f"{row.n:.0f}{'*' if row.small else ''}{'°' if np.isnan(row.low) else ''}"
        axes.text(
            1.01, place, size, transform=axes.get_yaxis_transform(), va="center", fontsize=6.5, color=GUIDE_COLOUR
        )
    axes.text(1.01, 1.0, "n", transform=axes.transAxes, va="bottom", fontsize=6.5, color=GUIDE_COLOUR)
    axes.axvline(0, color=GUIDE_COLOUR, linewidth=0.8)
    axes.set_xlim(low, high)
    axes.grid(visible=False, axis="y")
    percent(axes, "x", signed=True)


def _heat_map(frame: pd.DataFrame) -> Figure:
    models, comparisons = list(frame["model"].unique()), list(frame["comparison"].unique())
    nodes = frame.drop_duplicates("degradation").sort_values("category", kind="stable")
    rows = list(nodes["degradation"])
    solid = frame.loc[~frame["small"], "estimate"].abs()
    reach = max(0.1, float(solid.max() if len(solid) else frame["estimate"].abs().max()))
    width = 2.3 + len(comparisons) * (0.62 * len(models) + 0.35)
    figure = Figure(figsize=(max(width, 4.2), 1.7 + ROW * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(comparisons), sharey=True, squeeze=False)[0]
    for axes, comparison in zip(panels, comparisons, strict=True):
        own = frame[frame["comparison"] == comparison]
        values = own.pivot(index="degradation", columns="model", values="estimate").reindex(rows)[models]
        small = own.pivot(index="degradation", columns="model", values="small").reindex(rows)[models]
        without = own.pivot(index="degradation", columns="model", values="low").reindex(rows)[models].isna()
        faint = np.where(small.fillna(True).astype(bool), 0.45, 1.0)  # what is mostly noise recedes
        image = axes.imshow(values.mask(without), cmap="PuOr", vmin=-reach, vmax=reach, aspect="auto", alpha=faint)
        for (row, column), value in np.ndenumerate(values.to_numpy(dtype=float)):
            if not np.isnan(value):
                bare = bool(without.iloc[row, column])
                text = signed(value) + ("*" if small.iloc[row, column] else "") + ("°" if bare else "")
                dark = abs(value) > 0.65 * reach and faint[row, column] == 1.0
                colour = GUIDE_COLOUR if bare else "white" if dark else "black"
                axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
        axes.set_xticks(range(len(models)), [_in_lines(model) for model in models], fontsize=6)
        axes.set_title(comparison.replace("_to_", " to "))
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        breaks = np.flatnonzero(nodes["category"].to_numpy()[1:] != nodes["category"].to_numpy()[:-1])
        for place in breaks:
            axes.axhline(place + 0.5, color="white", linewidth=2.5)
    panels[0].set_yticks(range(len(rows)), [spoken(row) for row in rows])
    bar = figure.colorbar(
        image,
        ax=panels,
        shrink=0.7,
        pad=0.02,
        format=lambda value, _: signed(value).removesuffix(".0") if value else "0",
    )
    bar.set_label("change of accuracy, points", fontsize=7)
    bar.outline.set_visible(False)
    if frame["small"].any():
        figure.supxlabel(f"{_SMALL}; {_NO_INTERVAL}", fontsize=7, color=GUIDE_COLOUR)
    return figure


def _in_lines(model: str) -> str:
    """Return a name in lines that a column of the heat map has room for, upright."""
    text = label(model, 36).replace("-", "- ").replace("_", "_ ")
    lines = textwrap.wrap(text, 10, break_long_words=True)
    return "\n".join(line.replace("- ", "-").replace("_ ", "_") for line in lines)
