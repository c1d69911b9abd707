"""Degrading a task's images when they are asked for: the same item gives the same pixels in any order and process."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import PIL.Image

from ...degradations import UnchangedImageError, degrade, list_degradations
from ...degradations.vocabulary import MODALITIES

_DIRECT_MODES = ("L", "LA", "RGB", "RGBA")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")


def general_degradations() -> list[str]:
    """Return the degradations that the paper applies to every modality: those that make sense for any image."""
    return [name for name in list_degradations() if all(name in list_degradations(where) for where in MODALITIES)]


def pick(names: Sequence[str], key: str) -> str:
    """Return the name that falls to `key`: each equally often, whatever the order of the items."""
    digest = hashlib.sha256(key.encode()).digest()
    return names[int.from_bytes(digest[:8], "little") % len(names)]


class Degrader:
    """Degrades images at one level and remembers the last few, since the trials of an item follow each other.

    Args:
        level: "L0", "L1" or "L2", or the label of a series, such as "S1.50"; at L0 images pass untouched.
        reference_size: as in `medqdeg.degradations.degrade`.
        remembered: how many images are kept. Memory stays below that many images.
    """

    def __init__(self, level: str, reference_size: float | None = None, remembered: int = 16) -> None:
        self.level, self.reference_size, self.remembered = level, reference_size, remembered
        self._last: OrderedDict[tuple[str, str, str | None], PIL.Image.Image] = OrderedDict()
        self._lock = threading.Lock()
        self._unchanged: set[str] = set()

    def degrade(self, image: Any, name: str, seed: str, modality: str | None = None) -> Any:
        """Return a degraded copy.

        Args:
            image: a PIL image, or the path of an image file.
            name: the degradation.
            seed: names the image among all of the task.
            modality: chooses the row of the severity table.

        Raises:
            TypeError: it is no image, as in a task with videos.
        """
        if self.level == "L0":
            return image
        key = (seed, name, modality)
        with self._lock:
            if key in self._last:
                self._last.move_to_end(key)
                return self._last[key].copy()
        degraded = self._degrade(_opened(image), name, seed, modality)
        with self._lock:
            self._last[key] = degraded
            while len(self._last) > self.remembered:
                self._last.popitem(last=False)
        return degraded.copy()

    def left_unchanged(self, seed: str) -> bool:
        """Whether the degradation had no effect on this image, as a blur has none on a constant one."""
        return seed in self._unchanged

    def _degrade(self, image: PIL.Image.Image, name: str, seed: str, modality: str | None) -> PIL.Image.Image:
        options: dict[str, Any] = {"seed": seed, "modality": modality, "reference_size": self.reference_size}
        try:
            return degrade(image, name, self.level, **options)
        except UnchangedImageError:
            self._unchanged.add(seed)
            return degrade(image, name, self.level, allow_unchanged=True, **options)


def _opened(image: Any) -> PIL.Image.Image:
    if isinstance(image, str | Path) and Path(image).suffix.lower() in _SUFFIXES:
        with PIL.Image.open(image) as file:
            image = file.convert("RGB")
    if not isinstance(image, PIL.Image.Image):
        raise TypeError(f"not an image but {type(image).__name__} ({str(image)[:60]})")
    return image if image.mode in _DIRECT_MODES else image.convert("RGB")
