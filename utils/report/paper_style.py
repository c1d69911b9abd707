"""Width and font of the figures for papers, so that they stand on the page as they are, without scaling."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..base.errors import InputError

COLUMN, TEXT = 85.0, 178.0
"""Millimetres of one column and of the text of a page in two columns, as most journals have them."""

_INCH = 25.4
_NARROWEST, _WIDEST = 60.0, 400.0
_HIGHEST = 240.0
"""Millimetres that a page has for a figure."""

_STACKED = 0.7
"""Below this share of the width that it is drawn for, a figure's panels stand below each other."""

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

    def fit(self, figure: Figure) -> None:
        """Give a figure its width before it is laid out: letters keep their size, panels that get too narrow are put
        below each other, and texts and legends are broken anew."""
        if self.width is None:
            return
        width, height = figure.get_size_inches()
        wanted = self.width / _INCH
        if wanted < _STACKED * width and figure.get_layout_engine() is not None:
            if height * _stacked_height(figure) * _INCH > _HIGHEST:
                wanted = min(width, TEXT / _INCH)  # a column cannot hold it
            else:
                height *= _stack(figure)
        figure.set_size_inches(wanted, height)
        for text in (figure._supxlabel, figure._suptitle):  # Matplotlib has no public way to them
            if text is not None:
                characters = int(wanted * 72 / (0.56 * text.get_fontsize()))
                told = [line for part in text.get_text().split("\n") for line in _lines(part, characters)]
                text.set_text("\n".join(told))
        for legend in list(figure.legends):
            names = [text.get_text() for text in legend.get_texts()]
            fits = int(wanted * 72 / ((max(map(len, names), default=1) + 10) * 0.56 * 7.5))
            if fits < legend._ncols or wanted < _STACKED * width:
                handles = legend.legend_handles
                legend.remove()
                figure.legend(handles=handles, labels=names, loc="outside lower center", ncols=max(1, fits))


def _panels(figure: Figure) -> list[Axes]:
    """Return the panels of a figure that has two or more in one row and nothing else; else none."""
    panels = [axes for axes in figure.axes if axes.get_subplotspec() is not None]
    one_row = len(panels) == len(figure.axes) and not any(axes.get_subplotspec().rowspan.start for axes in panels)
    return panels if one_row and len(panels) > 1 else []


def _stacked_height(figure: Figure) -> float:
    return 0.85 * max(len(_panels(figure)), 1 / 0.85)


def _stack(figure: Figure) -> float:
    """Put the panels of a figure in one column if they are in one row; return by how much it gets higher."""
    higher, panels = _stacked_height(figure), _panels(figure)
    if panels:
        grid = figure.add_gridspec(len(panels), 1)
        for place, axes in enumerate(panels):
            axes.set_subplotspec(grid[place])
            axes.tick_params(axis="y", labelleft=True)
    return higher


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
