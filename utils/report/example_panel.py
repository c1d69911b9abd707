"""The lower part of the headline figure: an item's question, its pictures level by level, and the votes on each."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from ..base.errors import one_line
from .example import Example
from .figure_style import ACCURACY_COLOUR, CONFIDENCE_COLOUR, GUIDE_COLOUR, label, spoken
from .headline_size import HeadlineSize
from .item_votes import SHORT

_POINTS = 7.5
_LINE, _CAPTION_LINE = 0.155, 0.13  # inches
_VOTE, _VOTE_ROW = 0.1295, 0.16  # inches from one vote to the next, and from one row to the next


class ExamplePanel:
    """An item as the headline figure shows it.

    Args:
        example: with one picture per level.
        size: of the figure.

    Attributes:
        height: inches that it takes at the bottom of the figure.
    """

    def __init__(self, example: Example, size: HeadlineSize) -> None:
        self._example, self._size = example, size
        self._told = _question_lines(example, size.characters(_POINTS))
        self._caption = textwrap.wrap(_caption(example), size.characters(_POINTS))
        self._votes = [[letter for letter in record["letters"] if letter not in SHORT] for record in example.records]
        longest = max(map(len, self._votes))
        rows = max(1, -(-longest // (int(size.picture / _VOTE) + 1)))
        self._in_a_row = max(1, -(-longest // rows))
        more = _CAPTION_LINE * max(0, len(self._caption) - 2)
        self._caption_top = 0.5 + more
        more += _VOTE_ROW * (rows - 1)
        self._base = 0.82 + more
        self.height = _LINE * len(self._told) + size.picture + 0.95 + more

    def draw(self, figure: Figure) -> None:
        """Draw it at the bottom of a figure that has its size."""
        width, height = figure.get_size_inches()
        size, left = self._size, self._size.margin / width
        for number, line in enumerate(self._told):
            y = (self.height - 0.05 - number * _LINE) / height
            figure.text(left, y, label(line, 2 * size.characters(_POINTS)), va="top", fontsize=_POINTS)
        across = size.picture / width
        for number, (record, path) in enumerate(zip(self._example.records, self._example.pictures, strict=True)):
            middle = size.middle(number) / width
            axes = figure.add_axes((middle - across / 2, self._base / height, across, size.picture / height))
            with Image.open(path) as image:
                axes.imshow(np.asarray(image.convert("RGB")))
            axes.set_axis_off()
            for start in range(0, len(self._votes[number]), self._in_a_row):
                row = self._votes[number][start : start + self._in_a_row]
                y = (self._base - 0.13 - _VOTE_ROW * (start // self._in_a_row)) / height
                for place, letter in enumerate(row):
                    x = middle + (place - (len(row) - 1) / 2) * _VOTE / width
                    _draw_vote(figure, x, y, letter, right=letter == record["answer"])
        figure.text(
            left, self._caption_top / height, "\n".join(self._caption), va="top", color=GUIDE_COLOUR, fontsize=_POINTS
        )


def _question_lines(example: Example, characters: int) -> list[str]:
    """Return question and options in full, in lines; the answer is marked."""
    answer = example.records[0]["answer"]
    texts = dict(zip(map(str, example.records[0]["options"]), example.options, strict=False))
    options = [f"{letter}. {one_line(text)}{' ✓' if letter == answer else ''}" for letter, text in texts.items()]
    question = textwrap.wrap(one_line(example.question.strip()), characters)
    return question + textwrap.wrap("   ".join(options), characters, break_long_words=True)


def _caption(example: Example) -> str:
    record = example.records[-1]
    return (
        f"One item ({record['modality']}, {spoken(record['degradation'])}) and its votes: underlined is right, boxed "
        f"is wrong. It is {example.rank} among {example.items} items at {record['level']} {example.found_by}"
    )


def _draw_vote(figure: Figure, x: float, y: float, letter: str, *, right: bool) -> None:
    """Draw a letter, underlined where it is right and boxed where it is wrong."""
    width, height = figure.get_size_inches()
    style = {"ha": "center", "va": "center", "fontweight": "bold", "fontsize": _POINTS}
    if right:
        figure.text(x, y, letter, color=ACCURACY_COLOUR, **style)
        ends = [x - 0.05 / width, x + 0.05 / width]
        figure.add_artist(Line2D(ends, [y - 0.075 / height] * 2, color=ACCURACY_COLOUR, linewidth=1.6))
    else:
        box = {"boxstyle": "square,pad=0.18", "facecolor": "none", "edgecolor": CONFIDENCE_COLOUR, "linewidth": 0.9}
        figure.text(x, y, letter, color=CONFIDENCE_COLOUR, bbox=box, **style)
