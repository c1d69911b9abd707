"""The display check before each sitting: a wedge of 18 greys, and digits that a poor display or room swallows."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .chain import digest

STEPS = 18
CONTRAST = round(0.05 * 255)
"""Grey levels between a digit and its ground: 5% of the range."""
DIGITS = 3
_SIDE, _SIZE = 120, 80


def digits(*salt: object) -> tuple[str, str]:
    """Return the digits on black and on white; no zero, which could be taken for the letter."""
    drawn = [str(1 + int(digest(*map(str, salt), place)[:8], 16) % 9) for place in range(2 * DIGITS)]
    return "".join(drawn[:DIGITS]), "".join(drawn[DIGITS:])


def picture(on_black: str, on_white: str) -> np.ndarray:
    """Return the check as grey levels.

    Args:
        on_black: digits for the left half.
        on_white: digits for the right half.

    Returns:
        uint8 of shape (H, W, 3): the wedge from 0 to 255 in equal steps, below it the digits at `CONTRAST`.
    """
    width = _SIDE * 2 * DIGITS
    wedge = np.repeat(np.rint(np.linspace(0, 255, STEPS)), width // STEPS)
    top = np.broadcast_to(wedge, (96, width)).astype(np.uint8)
    image = Image.new("L", (width, _SIDE + 40), 0)
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, image.height), fill=255)
    font = ImageFont.load_default(_SIZE)
    for place, digit in enumerate(on_black + on_white):
        grey = CONTRAST if place < DIGITS else 255 - CONTRAST
        draw.text((_SIDE * place + _SIDE // 2, image.height // 2), digit, fill=grey, font=font, anchor="mm")
    whole = np.vstack([top, np.asarray(image)])
    return np.repeat(whole[..., None], 3, axis=2)


def passed(wanted: tuple[str, str], typed: str) -> bool:
    """Whether all digits were read; spaces between them do not count."""
    return "".join(typed.split()) == "".join(wanted)
