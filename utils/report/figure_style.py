"""One look for every printed figure: colours that colour-blind readers tell apart, and how models are named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..base.errors import one_line

ACCURACY_COLOUR, CONFIDENCE_COLOUR = "#0072B2", "#D55E00"
LEVEL_COLOURS: Mapping[str, str] = {"L0": "#999999", "L1": "#56B4E9", "L2": "#0072B2"}
"""Grey, light and dark blue: in order also in print without colour."""

PUBLISHED_COLOUR = "#B3B3B3"
GUIDE_COLOUR = "#767676"
TEXT_COLOUR = "#333333"
GRID_COLOUR = "#E6E6E6"

_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES = ("-", "--", "-.", ":")

FIGURE_FONT = "DejaVu Sans of medqdeg"
"""Family that `figure_fonts` makes known; what it lacks is taken from DejaVu Sans itself."""

RC: Mapping[str, Any] = {
    "font.family": [FIGURE_FONT, "DejaVu Sans"],
    "font.size": 8.0,
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.0,
    "axes.edgecolor": GUIDE_COLOUR,
    "axes.labelcolor": TEXT_COLOUR,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID_COLOUR,
    "grid.linewidth": 0.6,
    "text.color": TEXT_COLOUR,
    "text.hinting": "none",  # text is as wide in one format as in another, which are laid out together
    "figure.dpi": 200,
    "text.parse_math": False,  # a model's name may hold a $
    "xtick.color": TEXT_COLOUR,
    "ytick.color": TEXT_COLOUR,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "errorbar.capsize": 0.0,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "medqdeg",  # the same bytes each time
}
"""Matplotlib settings of every figure (Okabe and Ito's palette: https://jfly.uni-koeln.de/color/)."""


@dataclass(frozen=True)
class ModelStyle:
    """Colour, marker and dashes of a model, unlike those of any other in the figure."""

    colour: str
    marker: str
    dashes: str


def model_styles(models: Iterable[str]) -> dict[str, ModelStyle]:
    """Return one style per model; after seven the colours come again with other markers and dashes."""
    colours = len(_OKABE_ITO)
    return {
        model: ModelStyle(
            _OKABE_ITO[number % colours],
            _MARKERS[(number + number // colours) % len(_MARKERS)],
            _LINES[number // colours % len(_LINES)],
        )
        for number, model in enumerate(dict.fromkeys(models))
    }


def label(name: object, longest: int = 34) -> str:
    """Return a name on one line that no plotting library takes for markup or for a hidden label.

    A long one loses its middle: names of models often differ at their ends.
    """
    text = one_line(name)
    if len(text) > longest:
        text = f"{text[: (longest + 1) // 2 - 1]}…{text[-(longest // 2) :]}"
    return f" {text}" if text.startswith("_") else text


def signed(value: float) -> str:
    """Return a difference of shares in points, with its sign and one decimal."""
    return f"{100 * value:+.1f}".replace("-", "−")


def spoken(name: str) -> str:
    """Return a column's or node's name in words."""
    words = {"calibration_shift": "Calibration Shift", "intensity_jitter": "intensity", "resolution_blur": "blur"}
    return words.get(name, name.replace("_", " "))
