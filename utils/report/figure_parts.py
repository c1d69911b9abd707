"""Pieces that the printed figures share: points with intervals, axes in percent, legends."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from ..dataset.taxonomy import LEVELS
from . import figure_fonts as figure_fonts  # makes the fonts known
from .figure_style import GUIDE_COLOUR, label, model_styles, spoken

Frames = Mapping[str, pd.DataFrame]
"""Of `content.report_frames`."""

ROW = 0.22
"""Inches that a row of text takes."""


def dots(
    axes: Axes, places: ArrayLike, values: ArrayLike, ends: ArrayLike, small: ArrayLike, colour: str,
    *, marker: str = "o", size: float | None = None, sideways: bool = False,
) -> None:  # fmt: skip
    """Draw values with intervals, hollow where they are `small`.

    Args:
        axes: to draw on.
        places: (n,) along the other axis.
        values: (n,).
        ends: (n, 2) low and high; NaN where there is none.
        small: (n,) flags.
        colour: of all.
        marker: of all.
        size: of the markers, in points.
        sideways: values along x.
    """
    places, values, hollow = np.asarray(places, dtype=float), np.asarray(values), np.asarray(small, dtype=bool)
    low, high = np.asarray(ends, dtype=float).T
    (axes.hlines if sideways else axes.vlines)(places, low, high, color=colour, linewidth=1.0, zorder=2)
    for chosen, face in ((~hollow, colour), (hollow, "white")):
        if chosen.any():
            x, y = (values, places) if sideways else (places, values)
            axes.plot(x[chosen], y[chosen], marker, color=colour, markerfacecolor=face, markersize=size, zorder=3)


def percent(axes: Axes, axis: str, *, signed: bool = False) -> None:
    """Write the ticks of "x" or "y" as percent, or as signed points."""
    chosen = axes.xaxis if axis == "x" else axes.yaxis
    if signed:
        chosen.set_major_formatter(
            lambda value, _: f"{100 * value:+.3g}".replace("-", "−") if abs(value) > 1e-9 else "0"
        )
    else:
        chosen.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")


def share_rows(panels: Sequence[Axes]) -> None:
    """Keep the row labels that panels share on the first panel only."""
    for axes in panels[1:]:
        axes.tick_params(axis="y", left=False)


def headed(axes: Axes, name: str) -> None:
    """Head a panel with the name of its figure."""
    axes.set_title(spoken(name)[:1].upper() + spoken(name)[1:])


def level_axes(axes: Axes, name: str, *, room: float) -> None:
    """Finish a panel of one figure by level: the levels below it, per cent beside it, 0 marked where it is a shift.

    Args:
        axes: with its lines.
        name: of the figure.
        room: beside the first and the last level, in steps between levels.
    """
    axes.set_xticks(range(len(LEVELS)), LEVELS)
    axes.set_xlim(-room, len(LEVELS) - 1 + room)
    headed(axes, name)
    axes.grid(visible=False, axis="x")
    percent(axes, "y", signed=name == "calibration_shift")
    if name == "calibration_shift":
        axes.axhline(0, color=GUIDE_COLOUR, linewidth=0.8)


def model_legend(
    figure: Figure,
    models: Sequence[str],
    extra: Sequence[Line2D] = (),
    where: str = "outside lower center",
    columns: int | None = None,
) -> None:
    """Draw the legend of models, in as many columns as fit if none are given."""
    handles = [
        Line2D([], [], color=style.colour, marker=style.marker, linestyle=style.dashes, label=label(model))
        for model, style in model_styles(models).items()
    ]
    handles += extra
    longest = max(len(str(handle.get_label())) for handle in handles)
    fits = max(1, min(4, 140 // (longest + 8), len(handles)))
    figure.legend(handles=handles, loc=where, ncols=columns or fits)


def folded(texts: Iterable[str], width: int = 135) -> str:
    """Return texts for below a figure, each beginning a line; empty ones are left out."""
    return "\n".join(line for text in texts for line in textwrap.wrap(text, width))


def unranked(frames: Frames) -> dict[str, str]:
    """Return run -> why it has no rank beside the other runs, for those that have none."""
    rows = frames["headline"].dropna(subset=["not_ranked"]).drop_duplicates("model")
    return dict(zip(rows["model"], rows["not_ranked"], strict=True))


def small_handle(text: str = "fewer than 30 source questions", size: float | None = None) -> Line2D:
    """Return the legend's entry for hollow markers, of a size in points."""
    style = {"color": GUIDE_COLOUR, "marker": "o", "markerfacecolor": "white", "linestyle": ""}
    return Line2D([], [], label=text, markersize=size, **style)
