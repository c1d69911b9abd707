"""Cut-off images are refused, whatever Pillow's process-wide switch says.

lmms-eval sets `PIL.ImageFile.LOAD_TRUNCATED_IMAGES` when it is imported; half an image would then pass for a whole one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ImageFile

_lock = threading.Lock()
_users = 0
_before = False


@contextmanager
def strict_decoding() -> Iterator[None]:
    """Make PIL refuse cut-off images while any thread is inside; lmms-eval switches that check off for the process."""
    global _users, _before
    with _lock:
        if _users == 0:
            _before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                ImageFile.LOAD_TRUNCATED_IMAGES = _before
