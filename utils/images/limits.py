"""Limits on an image file that are checked before its pixels are decoded."""

from __future__ import annotations

import math

from ..base.errors import InputError

MAX_PIXELS = 89_478_485
"""Images with more pixels are refused: Pillow's own warning level, a quarter GiB of 24-bit colour."""


def check_size(width: int, height: int, name: str) -> None:
    """Refuse an image that is empty or has more than `MAX_PIXELS` pixels, before its pixels are decoded.

    Raises:
        InputError: where it is.
    """
    if width < 1 or height < 1:
        raise InputError(f"{name}: has no pixels ({width} x {height})")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name}: {width} x {height} pixels are over the limit of {MAX_PIXELS:,}; cut or reduce the image first"
        )


def check_window(window: tuple[float, float] | str | None, name: str) -> None:
    """Refuse a window that no formula takes.

    Raises:
        InputError: neither None, "full" nor a pair of finite numbers, the second of them positive.
    """
    if window is None or window == "full":
        return
    if isinstance(window, str) or not (len(window) == 2 and all(map(math.isfinite, window)) and window[1] > 0):
        raise InputError(f"{name}: window {window!r} is neither full nor a centre and a positive width")


def choose_frame(frames: int, frame: int | None, name: str) -> int:
    """Return the index of the frame to read.

    Raises:
        InputError: several frames and none chosen, or there is no such frame.
    """
    if frame is None:
        if frames > 1:
            raise InputError(f"{name}: holds {frames} frames; choose one (frame=0 .. {frames - 1})")
        return 0
    if not 0 <= frame < frames:
        raise InputError(f"{name}: has no frame {frame} (it holds {frames}, counted from 0)")
    return frame
