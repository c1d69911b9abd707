"""Degradations as an `albumentations` transform: the extra `albumentations` (2.0, MIT)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from albumentations.core.transforms_interface import DualTransform
from albumentations.core.type_definitions import Targets

from ..choosing import Choice, ImageDegrader, Unchanged, content
from ..movement import Movement


class Degrade(DualTransform):  # type: ignore[misc]  # no annotations there
    """Degrade `image`, `images`, `volume` and `volumes`; move masks, boxes and key points where the image moves.

    Fits `Compose`, `OneOf` and `ReplayCompose`; a replay carries out the same degradation, severity and draw on any
    image. `images` share one draw; a `volume` is degraded as `degrade_volume` does.

    Args:
        name, severity, series, modality, epoch, weights, unchanged, value_range: as for `ImageDegrader`.
        seed: a number or text: each image's draw follows from it and the image's content, whatever the pipeline did
            before. None: drawn from the pipeline's own generator (`Compose(..., seed=...)`), so that an image gets
            another draw each time.
        settings: passed to `degrade` (`severities`, `reference_size`, overrides).
        mask_fill: what comes into masks where a rotated image turns black.
        p: share of the images that are degraded, drawn by albumentations.

    Raises:
        TypeError, ValueError: as `ImageDegrader`, when it is made.
    """

    _targets = (Targets.IMAGE, Targets.MASK, Targets.BBOXES, Targets.KEYPOINTS, Targets.VOLUME, Targets.MASK3D)

    def __init__(
        self,
        name: str | Sequence[str],
        severity: float | str | Sequence[float | str],
        seed: int | str | None = None,
        series: bool = False,
        modality: str | None = None,
        epoch: int = 0,
        weights: Sequence[float] | None = None,
        unchanged: Unchanged = "raise",
        value_range: tuple[float, float] | None = None,
        settings: Mapping[str, Any] | None = None,
        mask_fill: float = 0,
        p: float = 1.0,
    ) -> None:
        super().__init__(p=p)
        choosing: dict[str, Any] = {
            "series": series, "modality": modality, "epoch": epoch, "weights": weights, "unchanged": unchanged,
            "value_range": value_range,
        }  # fmt: skip
        self.degrader = ImageDegrader(name, severity, seed="" if seed is None else seed, **choosing, **(settings or {}))
        self.draws_by_content = seed is not None  # `self.seed` is the pipeline's
        self.mask_fill = mask_fill
        self._given = {
            "name": name, "severity": severity, "seed": seed, **choosing, "settings": settings, "mask_fill": mask_fill,
        }  # fmt: skip

    def get_transform_init_args(self) -> dict[str, Any]:
        """What `to_dict` writes down beside `p`."""
        return dict(self._given)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """The choice for this sample, as plain values for a replay."""
        if not self.draws_by_content:
            key: int | str = int(self.random_generator.integers(2**63))
        else:
            key = content(next(data[part] for part in ("image", "images", "volume", "volumes") if part in data))
        choice = self.degrader.choose(key)
        return {"degradation": choice.name, "level": choice.severity, "draw": choice.seed}

    def apply(self, img: np.ndarray, degradation: str, level: float | str, draw: str, **params: Any) -> np.ndarray:
        """Degrade one image (H, W) or (H, W, C)."""
        degraded: np.ndarray = self.degrader.run(img, Choice(degradation, level, draw))[0]
        return degraded

    def apply_to_images(self, images: np.ndarray, **params: Any) -> np.ndarray:
        """Degrade each image with the same draw."""
        degraded: np.ndarray = np.stack([self.apply(image, **params) for image in images])
        return degraded

    def apply_to_volume(
        self, volume: np.ndarray, degradation: str, level: float | str, draw: str, **params: Any
    ) -> np.ndarray:
        """Degrade a volume (D, H, W) or (D, H, W, C), each channel on its own."""
        choice = Choice(degradation, level, draw)
        if volume.ndim == 3:
            return self.degrader.run_on_volume(volume, choice)[0]
        channels = [self.degrader.run_on_volume(channel, choice)[0] for channel in np.moveaxis(volume, -1, 0)]
        return np.stack(channels, axis=-1)

    def apply_to_volumes(self, volumes: np.ndarray, **params: Any) -> np.ndarray:
        """Degrade each volume with the same draw."""
        return np.stack([self.apply_to_volume(volume, **params) for volume in volumes])

    def apply_to_mask(self, mask: np.ndarray, **params: Any) -> np.ndarray:
        """Move a mask (H, W) or (H, W, C)."""
        movement = self._movement(params)
        return mask if movement is None else movement.of_mask(mask, self.mask_fill)

    def apply_to_mask3d(self, mask3d: np.ndarray, **params: Any) -> np.ndarray:
        """Move each slice of a mask (D, H, W) or (D, H, W, C)."""
        return np.stack([self.apply_to_mask(plane, **params) for plane in mask3d])

    def apply_to_bboxes(self, bboxes: np.ndarray, **params: Any) -> np.ndarray:
        """Move boxes, whose first four numbers are corners as shares of the image's sides."""
        movement = self._movement(params)
        if movement is None or not len(bboxes):
            return bboxes
        height, width = movement.shape
        sides = np.array([width, height, width, height], np.float64)
        moved = np.array(bboxes, copy=True)
        moved[:, :4] = movement.of_boxes(bboxes[:, :4] * sides) / sides
        return moved

    def apply_to_keypoints(self, keypoints: np.ndarray, **params: Any) -> np.ndarray:
        """Move key points: x, y, z, angle (radians) and whatever follows."""
        movement = self._movement(params)
        if movement is None or not len(keypoints):
            return keypoints
        moved = np.array(keypoints, copy=True)
        moved[:, :2] = movement.of_points(keypoints[:, :2])
        if keypoints.shape[1] > 3:
            moved[:, 3] = (keypoints[:, 3] + _turn(movement)) % (2 * math.pi)
        return moved

    def _movement(self, params: Mapping[str, Any]) -> Movement | None:
        choice = Choice(params["degradation"], params["level"], params["draw"])
        return self.degrader.movement(choice, tuple(params["shape"][:2]))


def _turn(movement: Movement) -> float:
    """By how much the contents turn anticlockwise as seen on a screen, in radians: how albumentations counts."""
    (start_x, start_y), (end_x, end_y) = movement.of_points(np.array([[0.0, 0.0], [1.0, 0.0]]))
    return math.atan2(start_y - end_y, end_x - start_x)
