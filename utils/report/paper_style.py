"""Width and font of the figures for papers, so that they stand on the page as they are, without scaling."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from ..base.errors import InputError

COLUMN, TEXT = 85.0, 178.0
"""Millimetres of one column and of the text of a page in two columns, as most journals have them."""

_INCH = 25.4
_NARROWEST, _WIDEST = 60.0, 400.0
_HIGHEST = 240.0
"""Millimetres that a page has for a figure."""

_STACKED = 0.7
"""Below this share of the width that it is drawn for, a figure's panels stand below each other."""

_SLACK = 0.02
"""Inches that texts may share, and stand beyond the figure: the room around their letters."""

_NAMED = {"column": COLUMN, "text": TEXT}


@dataclass(frozen=True)
class PaperStyle:
    """How figures are set.

    Attributes:
        width: in millimetres; None leaves every figure as wide as it is drawn.
        font: family of all text; None for DejaVu Sans.
    """

    width: float | None = None
    font: str | None = None

    def settings(self) -> dict[str, object]:
        """Return Matplotlib's settings; what the chosen font lacks is taken from DejaVu Sans."""
        return {} if self.font is None else {"font.family": [self.font, "DejaVu Sans"]}

    def drawn(self, draw: Callable[[], Figure | None]) -> Figure | None:
        """Draw a figure at its width: letters keep their size, texts and legends are broken anew.

        Of the ways in which it can stand on a page the first is taken in which nothing overlaps or leaves the figure:
        panels side by side, unless they get too narrow, panels below each other, then both in the text's width.
        Where there is none, as with forty skills, the panels stand side by side in the text's width.
        """
        figure = draw()
        if self.width is None or figure is None or figure.get_layout_engine() is None:
            return figure
        own = float(figure.get_size_inches()[0])
        wanted = self.width / _INCH
        widths = [wanted, *([TEXT / _INCH] if wanted < TEXT / _INCH else [])]
        ways = [(width, stacked) for width in widths for stacked in (False, True) if stacked or width >= _STACKED * own]
        for width, stacked in [*ways, (widths[-1], False)]:
            figure = draw()
            assert figure is not None
            _fit(figure, width, stacked=stacked)
            if _is_whole(figure):
                break
        return figure


def _fit(figure: Figure, width: float, *, stacked: bool) -> None:
    """Give a figure its width, in inches, before it is laid out."""
    own, height = figure.get_size_inches()
    figure.set_size_inches(width, height * (_stack(figure) if stacked else 1.0))
    below = figure._supxlabel  # Matplotlib has no public way to them
    for text in (below, figure._suptitle):
        if text is not None:
            characters = int(width * 72 / (0.56 * text.get_fontsize()))
            paragraphs = re.sub(r"(?<!\.)\n", " ", text.get_text()).split("\n")
            text.set_text("\n".join(line for part in paragraphs for line in _lines(part, characters)))
    for legend in list(figure.legends):
        names = [text.get_text() for text in legend.get_texts()]
        room = width * 72 / (0.56 * 7.5)
        fits = len(names) if sum(map(len, names)) + 8 * len(names) <= room else int(room / (max(map(len, names)) + 8))
        if fits < legend._ncols or width < _STACKED * own:
            handles = legend.legend_handles
            legend.remove()
            where = "outside upper center" if below is not None and below.get_text() else "outside lower center"
            title = legend.get_title().get_text() or None
            columns = max(1, fits)
            figure.legend(handles=handles, labels=names, loc=where, ncols=columns, title=title, title_fontsize=7.5)


def _is_whole(figure: Figure) -> bool:
    """Whether a page has room for a figure, and nothing in it overlaps or leaves it at its sides."""
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    content = figure.get_tightbbox()
    if height * _INCH > _HIGHEST or content.x0 < -_SLACK or content.x1 > width + _SLACK:
        return False
    boxes = np.array([text.get_window_extent().extents for text in _texts(figure)])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    overlaps = ((high - low) > _SLACK * figure.dpi).all(axis=-1)
    return not np.triu(overlaps, 1).any()


def _texts(figure: Figure) -> list[Text]:
    """Return the texts that are seen: not the labels of ticks beyond an axis."""
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        if axes.get_visible():
            found += axes.texts
            for axis, (start, end) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
                ends = sorted((start, end))
                ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False)
                found += [label for place, label in ticks if ends[0] <= place <= ends[1]]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _panels(figure: Figure) -> list[Axes]:
    """Return the panels of a figure that has two or more in one row and at most a colour bar besides; else none."""
    panels = [axes for axes in figure.axes if axes.get_subplotspec() is not None]
    others = [axes for axes in figure.axes if axes not in panels and axes.get_label() != "<colorbar>"]
    one_row = not others and not any(axes.get_subplotspec().rowspan.start for axes in panels)
    return panels if one_row and len(panels) > 1 else []


def _stack(figure: Figure) -> float:
    """Put the panels of a figure in one column if they are in one row; return by how much it gets higher."""
    panels = _panels(figure)
    if panels:
        grid = figure.add_gridspec(len(panels), 1)
        for place, axes in enumerate(panels):
            axes.set_subplotspec(grid[place])
            axes.tick_params(axis="y", labelleft=True)
    return 0.85 * max(len(panels), 1 / 0.85)


def _lines(text: str, characters: int) -> list[str]:
    return textwrap.wrap(text, characters) or [""]


DEFAULT_STYLE = PaperStyle()


def paper_style(width: str | None, font: str | None) -> PaperStyle:
    """Return the style that a person asked for.

    Args:
        width: "column", "text", or millimetres such as "120" or "120mm".
        font: a family that Matplotlib finds on this machine.

    Raises:
        InputError: a width that is none of these, or a font that is not there.
    """
    return PaperStyle(None if width is None else _millimetres(width), None if font is None else _family(font))


def _millimetres(text: str) -> float:
    named = _NAMED.get(text.strip().lower())
    if named is not None:
        return named
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:mm)?", text.strip().lower())
    if match is None or not _NARROWEST <= float(match[1]) <= _WIDEST:
        raise InputError(
            f"--width {text}: say column ({COLUMN:g} mm), text ({TEXT:g} mm), or millimetres from {_NARROWEST:g} to "
            f"{_WIDEST:g}"
        )
    return float(match[1])


def _family(name: str) -> str:
    from matplotlib import font_manager

    known = {entry.name for entry in font_manager.fontManager.ttflist}
    if name not in known and name.lower() not in ("serif", "sans-serif", "monospace"):
        alike = sorted(each for each in known if name.split()[0].lower() in each.lower())[:5]
        raise InputError(f"--font {name}: no such font here{'; there is ' + ', '.join(alike) if alike else ''}")
    return name
