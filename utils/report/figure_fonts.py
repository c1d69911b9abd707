"""The font of the figures: DejaVu Sans with few glyphs, from which those that a PDF embeds are taken quickly."""

from __future__ import annotations

from pathlib import Path

from matplotlib import font_manager

from .figure_style import FIGURE_FONT

_VENDOR = Path(__file__).parent / "vendor"
_FILES = {"normal": _VENDOR / "DejaVuSans.ttf", "bold": _VENDOR / "DejaVuSans-Bold.ttf"}


def register_fonts() -> None:
    """Make the fonts known to Matplotlib, under a name that nothing else has; a second call does nothing."""
    known = font_manager.fontManager.ttflist
    if not any(entry.name == FIGURE_FONT for entry in known):
        known += [
            font_manager.FontEntry(fname=str(path), name=FIGURE_FONT, weight=weight) for weight, path in _FILES.items()
        ]


register_fonts()
