"""Degradations as a callable for `torchvision.transforms.v2.Compose`, which moves masks, boxes and points along.

It does not import torch: tensors are recognised where the caller has imported it. Adaptors for other libraries are in
`adaptors`; all of them draw alike (`choosing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .adaptors.datasets import DegradeColumn
from .choosing import Backend, ImageDegrader, Unchanged
from .samples import Keys, Part, Path, check_keys, find_parts, follow, is_companion, replaced

__all__ = ["Degrade", "DegradeColumn"]


class Degrade(ImageDegrader):
    """Degrade the image of a sample, and move its masks, boxes and points with it.

    A sample is one image, several inputs, or any nest of tuples, lists and dictionaries. The image is found by its
    type, wherever it stands: a PIL image, `tv_tensors.Image` or `Video`, or the only array or tensor that can be one.
    Labels and whatever else there is are left alone. What can be an image is said at `ImageDegrader`.

    `object_rotation` and `object_movement` move what the image shows. `tv_tensors.Mask`, `BoundingBoxes` and
    `KeyPoints` move with it: masks to the nearest pixel, boxes to the upright box around the moved one. Plain arrays
    and tensors beside the image, which may be a mask, an image or neither, must be named by `keys`.

    Several images in one sample (`tv_tensors`, or named) share one draw, that of the first one's content.

    Args:
        name, severity, seed, series, modality, epoch, p, weights, unchanged, value_range, backend, settings: as
            for `ImageDegrader`.
        keys: what lies at which position or key, at any depth, such as `{"scan": "image", "organ": "mask"}`: of
            `image`, `mask`, `boxes` (x_min, y_min, x_max, y_max), `boxes_xywh` and `keypoints` (x, y). What is not
            named, and is no `tv_tensor`, is left alone.
        mask_fill: what comes into masks where a rotated image turns black.

    Raises:
        TypeError: a seed that is no number or text.
        ValueError: an unknown degradation, severity, modality or kind in `keys`; here rather than in a worker.

    >>> import numpy as np
    >>> noisy = Degrade("gaussian_noise", 2, seed=0)
    >>> image = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    >>> bool((noisy(image) == noisy(image)).all())
    True
    """

    def __init__(
        self,
        name: str | Sequence[str],
        severity: float | str | Sequence[float | str],
        *,
        seed: int | str,
        series: bool = False,
        modality: str | None = None,
        epoch: int = 0,
        p: float = 1.0,
        weights: Sequence[float] | None = None,
        unchanged: Unchanged = "raise",
        value_range: tuple[float, float] | None = None,
        backend: Backend = "numpy",
        keys: Keys | None = None,
        mask_fill: float = 0,
        **settings: Any,
    ) -> None:
        super().__init__(
            name,
            severity,
            seed=seed,
            series=series,
            modality=modality,
            epoch=epoch,
            p=p,
            weights=weights,
            unchanged=unchanged,
            value_range=value_range,
            backend=backend,
            **settings,
        )
        check_keys(keys)
        self.keys = None if keys is None else dict(keys)
        self.mask_fill = mask_fill

    def __call__(self, *sample: Any) -> Any:
        """Return the sample with its image degraded: one input as it came in, several as a tuple.

        Raises:
            TypeError: no part is an image, or it has a dtype that holds none.
            ValueError: a shape or value range that `degrade` refuses; parts that could be several things.
        """
        whole = sample[0] if len(sample) == 1 else sample
        if isinstance(whole, tuple | list | Mapping):
            return self.apply_to_sample(whole)
        if is_companion(whole):
            raise TypeError(f"a {type(whole).__name__} without its image: give the whole sample in one call")
        return self.apply(whole)

    def apply_to_sample(self, sample: Any, key: int | str | None = None) -> Any:
        """As a call, with a key that stands for the first image's content in the seed."""
        parts = find_parts(sample, self.keys, moves=self.moves, any_number=self.value_range is not None)
        changes: dict[Path, Any] = {}
        seen: list[tuple[Part, Any]] = []
        images = [part for part in parts if part.kind == "image"]
        if key is None and len(images) > 1:
            key = self.key_of(images[0].value)
        for part in images:
            changes[part.path], record = self.apply_with_record(part.value, key)
            seen.append((part, record))
        for part in parts:
            if part.kind != "image":
                image, record = next((pair for pair in seen if _fits(part, pair[1])), seen[0])
                changes[part.path] = follow(part, image.value, record, self.mask_fill)
        return replaced(sample, changes)


def _fits(part: Part, record: Any) -> bool:
    """Whether a mask has the size of the image that a record is of; boxes and points fit by their canvas."""
    while isinstance(record, list):
        if not record:
            return False
        record = record[0]
    size = tuple(record["size"])
    canvas = getattr(part.value, "canvas_size", None)
    if canvas is not None:
        return tuple(canvas) == size
    shape = getattr(part.value, "size" if hasattr(part.value, "getpalette") else "shape", None)
    if part.kind != "mask" or shape is None:
        return True
    if hasattr(part.value, "getpalette"):  # a PIL image's size is (width, height)
        return tuple(shape)[::-1] == size
    return size in (tuple(shape[:2]), tuple(shape[-2:]))
