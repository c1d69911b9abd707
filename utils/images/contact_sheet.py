"""A contact sheet: one row per degradation, clean and degraded images side by side, labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from . import to_8_bits

# Dark and neutral, so that the page neither dazzles beside a radiograph nor tints a stain.
_PAGE, _TEXT, _QUIET, _RULE = "#15171b", "#f2f4f7", "#9aa3af", "#2b2f36"
_MARGIN, _GAP, _NOTE_HEIGHT = 28, 14, 19
_HEAD_HEIGHT, _CAPTION_HEIGHT = 78, 26


@dataclass(frozen=True)
class SheetRow:
    """One row: `label` in large type, `notes` in small type below it, images, and a caption under each."""

    label: str
    notes: tuple[str, ...]
    images: tuple[Image.Image | None, ...]
    captions: tuple[str, ...]


def draw_contact_sheet(
    rows: Sequence[SheetRow], columns: Sequence[str], *, title: str, cell: int = 320, label_width: int = 216
) -> Image.Image:
    """Draw the sheet.

    Args:
        rows: each with as many images as there are columns; None leaves its place empty, with the caption.
        columns: what stands over each column.
        title: what stands over the page.
        cell: side in pixels of the square that each image is fitted into. Larger images are reduced by area,
            which also makes fine noise look weaker; smaller ones are enlarged by whole pixels, without
            smoothing.
        label_width: room in pixels for labels and notes; longer ones are cut off.

    Returns:
        An RGB image.
    """
    width = 2 * _MARGIN + label_width + len(columns) * (cell + _GAP) - _GAP
    fitted = [[None if image is None else _fit(image, cell) for image in row.images] for row in rows]
    heights = [
        max(*(image.height for image in images if image is not None), cell // 3, _NOTE_HEIGHT * len(row.notes))
        + _CAPTION_HEIGHT
        + 2 * _GAP
        for row, images in zip(rows, fitted, strict=True)
    ]
    page = Image.new("RGB", (width, _HEAD_HEIGHT + sum(heights) + _MARGIN), _PAGE)
    draw = ImageDraw.Draw(page)
    large, middle, small = (ImageFont.load_default(size) for size in (20, 17, 13))

    draw.text((_MARGIN, 18), title, font=large, fill=_TEXT)
    lefts = [_MARGIN + label_width + place * (cell + _GAP) for place in range(len(columns))]
    for left, column in zip(lefts, columns, strict=True):
        draw.text((left, 52), column, font=middle, fill=_TEXT)

    top = _HEAD_HEIGHT
    for row, images, height in zip(rows, fitted, heights, strict=True):
        draw.line([(_MARGIN, top), (width - _MARGIN, top)], fill=_RULE)
        draw.text((_MARGIN, top + _GAP), row.label, font=middle, fill=_TEXT)
        for place, note in enumerate(row.notes):
            text = _shorten(note, small, label_width - _GAP)
            draw.text((_MARGIN, top + _GAP + _CAPTION_HEIGHT + _NOTE_HEIGHT * place), text, font=small, fill=_QUIET)
        for left, image, caption in zip(lefts, images, row.captions, strict=True):
            below = top + _GAP
            if image is not None:
                page.paste(image, (left, below))
                below += image.height
            draw.text((left, below + 6), _shorten(caption, small, cell), font=small, fill=_QUIET)
        top += height
    return page


def caption(parameters: Mapping[str, Any]) -> str:
    """Write an operator's parameters on one line; long lists as their number of values, seeds not at all."""
    parts = []
    for key, value in parameters.items():
        if key.endswith("seed"):
            continue
        parts.append(f"{key.replace('_', ' ')} {_short(value)}")
    return ", ".join(parts)


def _short(value: Any) -> str:
    if isinstance(value, bool | str) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return "(" + caption(value) + ")"
    values = list(value)
    if len(values) <= 4 and all(isinstance(each, int | float) for each in values):
        return "(" + ", ".join(map(_short, values)) + ")"
    return f"({len(values)} values)"


def _fit(image: Image.Image, cell: int) -> Image.Image:
    plain = _as_rgb(image)
    side = max(plain.size)
    if side > cell:
        size = (max(1, round(plain.width * cell / side)), max(1, round(plain.height * cell / side)))
        return plain.resize(size, Image.Resampling.BOX)
    factor = cell // side
    return plain.resize((plain.width * factor, plain.height * factor), Image.Resampling.NEAREST)


def _as_rgb(image: Image.Image) -> Image.Image:
    image = to_8_bits(image)
    if image.mode in ("LA", "RGBA"):
        coloured = image.convert("RGBA")
        page = Image.new("RGBA", image.size, _PAGE)
        return Image.alpha_composite(page, coloured).convert("RGB")
    return image.convert("RGB")


def _shorten(text: str, font: Any, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text.rstrip(" ,") + "..."
