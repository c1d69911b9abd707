"""Degradations as a TorchIO transform: the extra `torchio`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torchio

from ..choosing import ImageDegrader, content
from .channels import degrade_channels, move_channels


class Degrade(torchio.Transform):  # type: ignore[misc]  # no annotations there
    """Degrade the intensity images of a subject, and move its label maps with them.

    TorchIO's images are (C, W, H, D), D = 1 for a picture; slices are planes of constant D, with their rows along H.
    All images of a subject share one draw. The transform is kept in the subject's history, and gives the same result
    when it is applied again to the same image.

    Args:
        name, severity, seed, series, modality, epoch, weights, unchanged, value_range: as for `ImageDegrader`.
            TorchIO's images have no known range: give `value_range`, or rescale to [0, 1] before.
        p: share of the subjects that are degraded, drawn by the seed, not by torch.
        settings: passed to `degrade` (`severities`, `reference_size`, overrides).
        mask_fill: what comes into label maps where a rotated image turns black.
        **kwargs: `include`, `exclude`, `keep`, `copy`, `label_keys`: as for all TorchIO transforms.

    Raises:
        TypeError, ValueError: as `ImageDegrader`, when it is made.
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
        unchanged: Any = "raise",
        value_range: tuple[float, float] | None = None,
        settings: Mapping[str, Any] | None = None,
        mask_fill: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        choosing: dict[str, Any] = {
            "severity": severity, "seed": seed, "series": series, "modality": modality, "epoch": epoch, "p": p,
            "weights": weights, "unchanged": unchanged, "value_range": value_range,
        }  # fmt: skip
        self.degrader = ImageDegrader(name, **choosing, **(settings or {}))
        self._arguments = {"name": name, **choosing, "settings": settings, "mask_fill": mask_fill}
        self.args_names = list(self._arguments)
        self.mask_fill = mask_fill

    def _get_named_arguments(self) -> dict[str, object]:
        """What the history writes down; `name` is a property of every TorchIO transform."""
        return dict(self._arguments)

    def set_epoch(self, epoch: int) -> None:
        """See `ImageDegrader.set_epoch`."""
        self.degrader.set_epoch(epoch)
        self._arguments["epoch"] = epoch

    def apply_transform(self, subject: torchio.Subject) -> torchio.Subject:
        """Degrade a subject, in place."""
        images = subject.get_images(intensity_only=True, include=self.include, exclude=self.exclude)
        if not images:
            return subject
        # (C, W, H, D) to (C, H, W, D)
        planes = [np.ascontiguousarray(image.data.numpy().swapaxes(1, 2)) for image in images]
        choice = self.degrader.choose(content(planes[0]))
        for image, values in zip(images, planes, strict=True):
            _set(image, degrade_channels(self.degrader, values, choice))
        movement = self.degrader.movement(choice, planes[0].shape[1:3])
        if movement is not None:
            for image in subject.get_images(intensity_only=False, include=self.include, exclude=self.exclude):
                if isinstance(image, torchio.LabelMap):
                    values = image.data.numpy().swapaxes(1, 2)
                    _set(image, move_channels(movement, values, self.mask_fill))
        return subject


def _set(image: torchio.Image, values: np.ndarray) -> None:
    image.set_data(torch.from_numpy(np.ascontiguousarray(values.swapaxes(1, 2))))
