"""Pictures for the page: PNG files of pixels and nothing else, under names that say nothing."""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
import threading
from collections import OrderedDict
from dataclasses import astuple, dataclass

import numpy as np
from PIL import Image

from ..base.errors import InputError
from ..images.encoding import encode_image
from .items import ItemSet
from .sentinels import spoilt

_REMEMBERED = 32
_FAST = 1
"""PNG level: the picture goes no further than this machine."""


@dataclass(frozen=True)
class Shown:
    """Which picture: an image of an item of the set, as it is or made for the occasion.

    Attributes:
        level: of the item.
        item_id: of the item.
        number: of the image, from 0.
        degradation: to be applied, with `s`; None leaves the image as it is.
        s: severity of the series, from 0.
        spoilt: kind of sentinel that is made of the image (`sentinels`); "" leaves it as it is.
    """

    level: str
    item_id: str
    number: int = 0
    degradation: str | None = None
    s: float = 0.0
    spoilt: str = ""


class PictureBook:
    """The pictures that may be asked for, by keyed hash. What was not handed out is not there.

    Args:
        items: the set.
    """

    def __init__(self, items: ItemSet) -> None:
        self._items = items
        self._secret = secrets.token_bytes(32)
        self._known: dict[str, Shown] = {}
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._making = threading.Lock()

    def name(self, shown: Shown) -> str:
        """Return the name under which the page may ask for a picture from now on: 32 hexadecimal digits."""
        text = repr(astuple(shown)).encode()
        name = hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]
        self._known[name] = shown
        return name

    def put(self, data: bytes) -> str:
        """Return the name of a picture that was made elsewhere."""
        name = hmac.new(self._secret, data, hashlib.sha256).hexdigest()[:32]
        self._known[name] = Shown("", "")
        self._made[name] = data
        return name

    def png(self, name: str) -> bytes | None:
        """Return a picture, None where nothing of that name was handed out. Threads may ask at the same time."""
        if name not in self._known:
            return None
        with self._making:
            if name not in self._made:
                self._made[name] = png(self.pixels(self._known[name]))
                while len(self._made) > _REMEMBERED:
                    self._made.popitem(last=False)
            self._made.move_to_end(name)
            return self._made[name]

    def pixels(self, shown: Shown) -> np.ndarray:
        """Return a picture as uint8 of shape (H, W, 3).

        Raises:
            InputError: the set has it not, or it cannot be degraded.
        """
        image = self._items.pictures(shown.level, shown.item_id)[shown.number]
        if shown.degradation is not None and shown.s > 0:
            image = degraded(image, shown, self._items.doc(shown.level, shown.item_id)["modality"])
        pixels = np.asarray(image.convert("RGB"))
        return spoilt(pixels, shown.spoilt) if shown.spoilt else pixels


def degraded(image: Image.Image, shown: Shown, modality: str) -> Image.Image:
    """Return an image degraded at a severity of the series; the seed is the item's id."""
    from ...degradations import MODALITIES, degrade

    try:
        return degrade(
            image,
            str(shown.degradation),
            shown.s,
            seed=f"{shown.item_id}/{shown.number}" if shown.number else shown.item_id,
            series=True,
            modality=modality if modality in MODALITIES else None,
            allow_unchanged=True,
        )
    except ValueError as error:
        raise InputError(f"item {shown.item_id}: {error}") from None


def png(pixels: np.ndarray) -> bytes:
    """Return pixels as a PNG file; one channel where all three are equal."""
    grey = pixels.ndim == 3 and bool((pixels == pixels[..., :1]).all())
    return encode_image(Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels)), png_level=_FAST)


def decoded(data: bytes) -> np.ndarray:
    """Return the pixels of a PNG file, uint8 of shape (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
