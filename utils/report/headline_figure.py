"""The headline figure of a run: accuracy and confidence by level, and an item on which they diverge."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from ..dataset.taxonomy import LEVELS
from ..scoring.confidence import NO_LETTER
from .example import Example
from .figure_parts import Frames, dots, percent, unranked
from .figure_style import ACCURACY_COLOUR, CONFIDENCE_COLOUR, GUIDE_COLOUR, TEXT_COLOUR, label, signed, spoken
from .frame_kinds import CONFIDENT

_LONGEST_QUESTION = 100
_LEFT, _RIGHT = 0.08, 0.86  # of the panel, as shares of the figure's width
_NAMES = {"L0": "L0, clean", "L1": "L1, mild", "L2": "L2, severe"}
_LINES = (("confidence", CONFIDENCE_COLOUR), ("accuracy", ACCURACY_COLOUR))


def headline_figure(frames: Frames, model: str, example: Example | None = None) -> Figure | None:
    """Draw a run's accuracy and confidence by level with the gap between them, and an example below.

    Returns:
        The figure, or None for a run of a single level or without any answer.
    """
    frame = frames["headline"]
    frame = frame[frame["model"] == model]
    if len(frame) < 2 or frame["accuracy"].isna().all():
        return None
    figure = Figure(figsize=(7.4, 6.0 if example else 3.8))
    bottom, top = (0.5, 0.88) if example else (0.2, 0.82)
    _draw_lines(figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, top - bottom)), frame)
    corner = {"x": 0.02, "ha": "left", "va": "top"}
    title = "When the image gets worse, does the model know that it knows less?"
    figure.text(y=0.985, s=title, fontsize=12, fontweight="bold", **corner)
    sizes = ", ".join(f"{row.n:,} at {row.level}" for row in frame.itertuples())
    text = f"{label(model, 60)}; items: {sizes}. Bars and brackets: 95% intervals."
    if reason := unranked(frames).get(model):
        text += f"\nNot ranked: {reason}."
    figure.text(y=0.94 if example else 0.915, s=text, color=GUIDE_COLOUR, **corner)
    if example is not None:
        _draw_example(figure, example)
    return figure


def _draw_lines(axes: Axes, frame: pd.DataFrame) -> None:
    places = frame["level"].map(LEVELS.index).to_numpy()
    axes.fill_between(places, frame["accuracy"], frame["confidence"], color="#F1F1F1", linewidth=0, zorder=0.5)
    last = frame.iloc[-1]
    apart = 14 if abs(last["confidence"] - last["accuracy"]) < 0.08 else 0
    for (name, colour), aside in zip(_LINES, (-0.012, 0.012), strict=True):
        above = last[name] == max(last["confidence"], last["accuracy"])
        values = frame[name].to_numpy()
        axes.plot(places, values, color=colour, linewidth=2.4, zorder=2.5)
        ends = frame[[f"{name}_low", f"{name}_high"]]
        dots(axes, places + aside, values, ends, frame["small"], colour, size=6.5)
        axes.annotate(
            f"{name}\n{100 * values[-1]:.1f}%", (places[-1], values[-1]),
            xytext=(13, apart if above else -apart), textcoords="offset points", va="center",
            color=colour, fontweight="bold", fontsize=10, annotation_clip=False,
        )  # fmt: skip
    shifts = {row.level: row for row in frame.itertuples()}
    for place, level in enumerate(LEVELS):
        axes.annotate(
            _NAMES[level], (place, 0), xycoords=("data", "axes fraction"), xytext=(0, -8), textcoords="offset points",
            ha="center", va="top", fontweight="bold", fontsize=9.5, annotation_clip=False,
        )  # fmt: skip
        if (row := shifts.get(level)) is not None:
            axes.annotate(
                f"shift {signed(row.calibration_shift)} "
                f"[{signed(row.calibration_shift_low)}, {signed(row.calibration_shift_high)}]",
                (place, 0), xycoords=("data", "axes fraction"), xytext=(0, -21), textcoords="offset points",
                ha="center", va="top", annotation_clip=False,
            )  # fmt: skip
    axes.set_xticks([])
    axes.set_xlim(-0.5, len(LEVELS) - 0.5)
    shown = frame[[f"{name}_{end}" for name, _ in _LINES for end in ("low", "high")]].to_numpy()
    axes.set_ylim(max(0.0, np.nanmin(shown) - 0.06), min(1.02, np.nanmax(shown) + 0.03))
    percent(axes, "y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _draw_example(figure: Figure, example: Example) -> None:
    width, height = figure.get_size_inches()
    side = 0.225
    asked = re.split(r"(?<=[.!?])\s+", example.question.strip())[-1]  # what stands before tells how to look
    if asked and len(asked) <= _LONGEST_QUESTION:
        figure.text(0.02, 0.4, f"“{label(asked, _LONGEST_QUESTION)}”", va="top", fontstyle="italic")
    for number, (record, path) in enumerate(zip(example.records, example.pictures, strict=True)):
        middle = _LEFT + (_RIGHT - _LEFT) * (number + 0.5) / len(LEVELS)
        across = side * height / width
        axes = figure.add_axes((middle - across / 2, 0.14, across, side))
        with Image.open(path) as image:
            axes.imshow(np.asarray(image.convert("RGB")))
        axes.set_axis_off()
        letters = [letter for letter in record["letters"] if letter not in NO_LETTER]
        step = min(0.0155, 0.2 / max(len(letters), 1))
        for place, letter in enumerate(letters):
            x = middle + (place - (len(letters) - 1) / 2) * step
            colour = ACCURACY_COLOUR if letter == record["answer"] else TEXT_COLOUR
            figure.text(x, 0.127, letter, color=colour, ha="center", va="top", fontweight="bold", fontsize=8.5)
    record = example.records[-1]
    how_many = f"the first of {example.alike}" if example.alike > 1 else "the only one"
    figure.text(
        0.02, 0.08,
        f"One item ({record['modality']}, {spoken(record['degradation'])}) and its votes; blue is right. "
        f"It is {how_many} among {example.items} items at {record['level']}\n"
        f"that the model answers right when clean and wrong at {record['level']}, with a confidence of at least "
        f"{100 * CONFIDENT:.0f}% both times.",
        va="top", color=GUIDE_COLOUR, fontsize=7.5,
    )  # fmt: skip
