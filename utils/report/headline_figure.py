"""The headline figure of a run: accuracy and confidence by level, and an item on which they diverge."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..dataset.taxonomy import LEVELS
from .example import Example
from .example_panel import ExamplePanel
from .figure_parts import Frames, dots, percent, unranked
from .figure_style import ACCURACY_COLOUR, CONFIDENCE_COLOUR, GUIDE_COLOUR, RC, label, signed
from .headline_size import HeadlineSize, headline_size

_NAMES = {"L0": "L0, clean", "L1": "L1, mild", "L2": "L2, severe"}
SLOGAN = "When the image gets worse, does the model know that it knows less?"
TOY = "medqdeg-reference"
"""The model that comes with medqdeg: small, and trained on its own phantoms."""

_HEADER, _BELOW_PANEL = 0.72, 0.62  # inches
_TOP = 1.02  # of the panel
_TWO_LINES = 27  # points that the name of a line and its value take
_LINES = (("confidence", CONFIDENCE_COLOUR), ("accuracy", ACCURACY_COLOUR))


def headline_figure(
    frames: Frames,
    model: str,
    example: Example | None = None,
    *,
    slogan: bool = False,
    phantoms: bool = False,
    width: float | None = None,
) -> Figure | None:
    """Draw a run's accuracy and confidence by level with the gap between them, and an example below.

    Args:
        frames: of `content.report_frames`.
        model: the run.
        example: of the run, with its pictures.
        slogan: head the figure with the question that it answers, not with the model.
        phantoms: the images are drawings, which the figure then says.
        width: in millimetres; None for 188.

    Returns:
        The figure, or None for a run of a single level or without any answer.
    """
    frame = frames["headline"]
    frame = frame[frame["model"] == model]
    if len(frame) < 2 or frame["accuracy"].isna().all():
        return None
    size = headline_size(width)
    toy = ", a toy model" if model == TOY else ""
    named = f"{label(model, 60)}{toy}{' on drawn images (phantoms)' if phantoms else ''}"
    title = textwrap.wrap(SLOGAN if slogan else named, size.characters(1.15 * 11))
    sizes = ", ".join(f"{row.n:,} at {row.level}" for row in frame.itertuples())
    texts = [f"{f'{named}; ' if slogan else ''}items: {sizes}. Bars and brackets: 95% intervals."]
    if reason := unranked(frames).get(model):
        texts.append(f"Not ranked: {reason}.")
    about = [line for text in texts for line in textwrap.wrap(text, size.characters(RC["font.size"]))]
    header = _HEADER + 0.19 * (len(title) - 1) + 0.135 * max(0, len(about) - 2)
    below_panel = _BELOW_PANEL + (0.3 if size.narrow else 0)
    told = ExamplePanel(example, size) if example else None
    below = told.height if told else 0.0
    height = header + size.panel + below_panel + below
    figure = Figure(figsize=(size.width, height))
    bottom, across = (below_panel + below) / height, (size.right - size.left) / size.width
    axes = figure.add_axes((size.left / size.width, bottom, across, size.panel / height))
    _draw_lines(axes, frame, size)
    corner = {"x": size.margin / size.width, "ha": "left", "va": "top"}
    figure.text(y=1 - 0.09 / height, s="\n".join(title), fontsize=11, fontweight="bold", **corner)
    y = 1 - (0.32 + 0.19 * (len(title) - 1)) / height
    figure.text(y=y, s="\n".join(about), color=GUIDE_COLOUR, **corner)
    if told is not None:
        told.draw(figure)
    return figure


def _draw_lines(axes: Axes, frame: pd.DataFrame, size: HeadlineSize) -> None:
    places = frame["level"].map(LEVELS.index).to_numpy()
    axes.fill_between(places, frame["accuracy"], frame["confidence"], color="#F1F1F1", linewidth=0, zorder=0.5)
    last = frame.iloc[-1]
    apart = max(0.0, (_TWO_LINES - abs(last["confidence"] - last["accuracy"]) * size.panel * 72 / _TOP) / 2)
    for (name, colour), aside in zip(_LINES, (-0.012, 0.012), strict=True):
        above = last[name] == max(last["confidence"], last["accuracy"])
        values = frame[name].to_numpy()
        axes.plot(places, values, color=colour, linewidth=2.4, zorder=2.5)
        ends = frame[[f"{name}_low", f"{name}_high"]]
        dots(axes, places + aside, values, ends, frame["small"], colour, size=6.5)
        axes.annotate(
            f"{name}\n{100 * values[-1]:.1f}%", (places[-1], values[-1]),
            xytext=(13, apart if above else -apart), textcoords="offset points", va="center",
            color=colour, fontweight="bold", fontsize=9 if size.narrow else 10, annotation_clip=False,
        )  # fmt: skip
    shifts = {row.level: row for row in frame.itertuples()}
    for place, level in enumerate(LEVELS):
        told = [(_name(level, size), {"fontweight": "bold", "fontsize": 9.5})]
        if (row := shifts.get(level)) is not None:
            told.append((_shift(row, size), {"fontsize": 7 if size.narrow else RC["font.size"]}))
        for (text, style), below in zip(
            told, (-8, -34 if size.has_room_for_intervals and size.narrow else -21), strict=False
        ):
            axes.annotate(
                text, (place, 0), xycoords=("data", "axes fraction"), xytext=(0, below), textcoords="offset points",
                ha="center", va="top", annotation_clip=False, **style,
            )  # fmt: skip
    axes.set_xticks([])
    axes.set_xlim(-0.5, size.end)
    axes.set_ylim(0, _TOP)  # from 0: the height of a line is what it says
    percent(axes, "y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _name(level: str, size: HeadlineSize) -> str:
    if not size.narrow:
        return _NAMES[level]
    return _NAMES[level].replace(", ", "\n") if size.has_room_for_intervals else level


def _shift(row: Any, size: HeadlineSize) -> str:
    """Return a level's shift and its interval, in one line or two; the interval only where it has room."""
    shift = signed(row.calibration_shift)
    interval = f"[{signed(row.calibration_shift_low)}, {signed(row.calibration_shift_high)}]"
    if not size.narrow:
        return f"shift {shift} {interval}"
    return f"shift {shift}\n{interval}" if size.has_room_for_intervals else f"shift\n{shift}"
