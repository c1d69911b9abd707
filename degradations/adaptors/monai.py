"""Degradations as a MONAI dictionary transform: the extra `monai`."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform, Randomizable
from monai.utils import convert_to_dst_type, convert_to_numpy, ensure_tuple

from ..choosing import ImageDegrader, content
from .channels import degrade_channels, move_channels


class Degraded(Randomizable, MapTransform):  # type: ignore[misc]  # no annotations there
    """Degrade some items of a dictionary, and move its masks with them.

    Items are channel-first: (C, H, W), or volumes (C, H, W, D) with the slices along the last axis, as arrays, tensors
    or `MetaTensor`, and come back as such; what a channel is says `channels`. All of one sample share one draw.

    Args:
        keys: the images.
        name, severity, settings: as for `ImageDegrader`; `p=` and `value_range=` among them.
        seed: a number or text: the draw follows from it and the first image's content. None: drawn from the transform's
            own random state (`Compose(...).set_random_state`, `set_determinism`).
        mask_keys: items that move with the images, to the nearest pixel.
        mask_fill: what comes into masks where a rotated image turns black.
        allow_missing_keys: do without keys that a sample lacks.

    Raises:
        TypeError, ValueError: as `ImageDegrader`, when it is made.
    """

    def __init__(
        self,
        keys: KeysCollection,
        name: str | Sequence[str],
        severity: float | str | Sequence[float | str],
        *,
        seed: int | str | None = None,
        mask_keys: KeysCollection = (),
        mask_fill: float = 0,
        allow_missing_keys: bool = False,
        **settings: Any,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.mask_keys: tuple[Hashable, ...] = ensure_tuple(mask_keys)
        self.mask_fill = mask_fill
        self.seed = seed
        self.degrader = ImageDegrader(name, severity, seed="" if seed is None else seed, **settings)
        self._drawn = 0

    def set_epoch(self, epoch: int) -> None:
        """See `ImageDegrader.set_epoch`."""
        self.degrader.set_epoch(epoch)

    def randomize(self, data: Any = None) -> None:
        """Draw from the random state, where no seed is given."""
        self._drawn = int(self.R.randint(2**31))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the sample with its images degraded.

        Raises:
            KeyError: a key is missing.
            ValueError: a shape or value range that `degrade` refuses; a mask of another size than the first image.
        """
        out = dict(data)
        choice, shape = None, None
        for key in self.key_iterator(data):
            values = convert_to_numpy(data[key])
            if choice is None:
                self.randomize() if self.seed is None else None
                choice, shape = (
                    self.degrader.choose(self._drawn if self.seed is None else content(values)),
                    values.shape,
                )
            out[key] = convert_to_dst_type(degrade_channels(self.degrader, values, choice), dst=data[key])[0]
        movement = None if choice is None or shape is None else self.degrader.movement(choice, shape)
        for key in self.mask_keys:
            if key not in data:
                if self.allow_missing_keys:
                    continue
                raise KeyError(f"no mask {key!r} in the sample; there are {', '.join(map(repr, data))}")
            if movement is not None:
                moved = move_channels(movement, convert_to_numpy(data[key]), self.mask_fill)
                out[key] = convert_to_dst_type(moved, dst=data[key])[0]
        return out
