"""Cut-off images are refused, whatever Pillow's process-wide switch says.

lmms-eval sets `PIL.ImageFile.LOAD_TRUNCATED_IMAGES` when it is imported; half an image would then pass for a whole one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from PIL import ImageFile

from .process_wide import WhileAnyThreadIsInside


def strict_decoding() -> AbstractContextManager[None]:
    """Make PIL refuse cut-off images while any thread is inside; lmms-eval switches that check off for the process."""
    return _strict()


def _refuse_cut_off() -> bool:
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    return before


def _as_before(before: bool) -> None:
    ImageFile.LOAD_TRUNCATED_IMAGES = before


_strict = WhileAnyThreadIsInside(_refuse_cut_off, _as_before)
