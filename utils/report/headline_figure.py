"""The headline figure of a run: accuracy and confidence by level, and an item on which they diverge."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from ..base.errors import one_line
from ..dataset.taxonomy import LEVELS
from .example import Example
from .figure_parts import Frames, dots, percent, unranked
from .figure_style import ACCURACY_COLOUR, CONFIDENCE_COLOUR, GUIDE_COLOUR, label, signed, spoken
from .item_votes import SHORT

_LEFT, _RIGHT = 0.08, 0.86  # of the panel, as shares of the figure's width
_NAMES = {"L0": "L0, clean", "L1": "L1, mild", "L2": "L2, severe"}
SLOGAN = "When the image gets worse, does the model know that it knows less?"
TOY = "medqdeg-reference"
"""The model that comes with medqdeg: small, and trained on its own phantoms."""

_WIDTH = 7.4
_HEADER, _PANEL, _BELOW_PANEL, _PICTURE, _LINE = 0.72, 2.75, 0.62, 1.5, 0.155  # inches
_CHARACTERS = 118  # of a line of question or options
_LINES = (("confidence", CONFIDENCE_COLOUR), ("accuracy", ACCURACY_COLOUR))


def headline_figure(
    frames: Frames, model: str, example: Example | None = None, *, slogan: bool = False, phantoms: bool = False
) -> Figure | None:
    """Draw a run's accuracy and confidence by level with the gap between them, and an example below.

    Args:
        frames: of `content.report_frames`.
        model: the run.
        example: of the run, with its pictures.
        slogan: head the figure with the question that it answers, not with the model.
        phantoms: the images are drawings, which the figure then says.

    Returns:
        The figure, or None for a run of a single level or without any answer.
    """
    frame = frames["headline"]
    frame = frame[frame["model"] == model]
    if len(frame) < 2 or frame["accuracy"].isna().all():
        return None
    told = _question_lines(example) if example else []
    below = len(told) * _LINE + _PICTURE + 0.95 if example else 0.0
    height = _HEADER + _PANEL + _BELOW_PANEL + below
    figure = Figure(figsize=(_WIDTH, height))
    bottom = (_BELOW_PANEL + below) / height
    _draw_lines(figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, _PANEL / height)), frame)
    corner = {"x": 0.02, "ha": "left", "va": "top"}
    toy = ", a toy model" if model == TOY else ""
    named = f"{label(model, 60)}{toy}{' on drawn images (phantoms)' if phantoms else ''}"
    figure.text(y=1 - 0.09 / height, s=SLOGAN if slogan else named, fontsize=11, fontweight="bold", **corner)
    sizes = ", ".join(f"{row.n:,} at {row.level}" for row in frame.itertuples())
    text = f"{f'{named}; ' if slogan else ''}items: {sizes}. Bars and brackets: 95% intervals."
    if reason := unranked(frames).get(model):
        text += f"\nNot ranked: {reason}."
    figure.text(y=1 - 0.32 / height, s=text, color=GUIDE_COLOUR, **corner)
    if example is not None:
        _draw_example(figure, example, told)
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
    axes.set_ylim(0, 1.02)  # from 0: the height of a line is what it says
    percent(axes, "y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _question_lines(example: Example) -> list[str]:
    """Return question and options in full, in lines; the answer is marked."""
    answer = example.records[0]["answer"]
    texts = dict(zip(map(str, example.records[0]["options"]), example.options, strict=False))
    options = [f"{letter}. {one_line(text)}{' ✓' if letter == answer else ''}" for letter, text in texts.items()]
    question = textwrap.wrap(one_line(example.question.strip()), _CHARACTERS)
    return question + textwrap.wrap("   ".join(options), _CHARACTERS, break_long_words=True)


def _draw_example(figure: Figure, example: Example, told: Sequence[str]) -> None:
    width, height = figure.get_size_inches()
    top = len(told) * _LINE + _PICTURE + 0.95
    for number, line in enumerate(told):
        figure.text(0.02, (top - 0.05 - number * _LINE) / height, label(line, 2 * _CHARACTERS), va="top", fontsize=7.5)
    base = 0.82
    for number, (record, path) in enumerate(zip(example.records, example.pictures, strict=True)):
        middle = _LEFT + (_RIGHT - _LEFT) * (number + 0.5) / len(LEVELS)
        across = _PICTURE / width
        axes = figure.add_axes((middle - across / 2, base / height, across, _PICTURE / height))
        with Image.open(path) as image:
            axes.imshow(np.asarray(image.convert("RGB")))
        axes.set_axis_off()
        letters = [letter for letter in record["letters"] if letter not in SHORT]
        step = min(0.0175, 0.22 / max(len(letters), 1))
        for place, letter in enumerate(letters):
            x = middle + (place - (len(letters) - 1) / 2) * step
            _draw_vote(figure, x, (base - 0.13) / height, letter, right=letter == record["answer"])
    record = example.records[-1]
    text = (
        f"One item ({record['modality']}, {spoken(record['degradation'])}) and its votes: underlined is right, boxed "
        f"is wrong. It is {example.rank} among {example.items} items at {record['level']} {example.found_by}"
    )
    lines = "\n".join(textwrap.wrap(text, _CHARACTERS))
    figure.text(0.02, 0.5 / height, lines, va="top", color=GUIDE_COLOUR, fontsize=7.5)


def _draw_vote(figure: Figure, x: float, y: float, letter: str, *, right: bool) -> None:
    """Draw a letter, underlined where it is right and boxed where it is wrong."""
    width, height = figure.get_size_inches()
    style = {"ha": "center", "va": "center", "fontweight": "bold", "fontsize": 7.5}
    if right:
        figure.text(x, y, letter, color=ACCURACY_COLOUR, **style)
        ends = [x - 0.05 / width, x + 0.05 / width]
        figure.add_artist(Line2D(ends, [y - 0.075 / height] * 2, color=ACCURACY_COLOUR, linewidth=1.6))
    else:
        box = {"boxstyle": "square,pad=0.18", "facecolor": "none", "edgecolor": CONFIDENCE_COLOUR, "linewidth": 0.9}
        figure.text(x, y, letter, color=CONFIDENCE_COLOUR, bbox=box, **style)
