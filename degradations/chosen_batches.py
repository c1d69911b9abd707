"""The images of a tensor, degraded together as an `ImageDegrader` chooses for each."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch

from . import tensors
from .batches import Draw, degrade_together
from .choosing import Choice, ImageDegrader, content, warn_once
from .plans import Record, UnchangedImageError
from .vocabulary import read_severity


def degrade_chosen(degrader: ImageDegrader, tensor: torch.Tensor, key: int | str | None) -> tuple[Any, Any]:
    """Degrade a tensor (H, W), (C, H, W) or (..., C, H, W), or a clip, whose frames share one choice.

    Where no key is given, each image's is its content, for which the tensor is copied to the CPU, once.

    Returns:
        The tensor, of the same shape, dtype, device and `tv_tensors` type, and the records in lists of the leading
        shape, as the NumPy backend returns them.
    """
    plain = tensor.detach().as_subclass(torch.Tensor)
    if plain.ndim < 2 or (plain.ndim > 2 and plain.shape[-3] not in (1, 3, 4)):
        raise ValueError(f"a tensor of shape {tuple(plain.shape)} is no image: give (C, H, W) with C = 1, 3 or 4")
    if 0 in plain.shape[-3:]:
        raise ValueError(f"a tensor of shape {tuple(plain.shape)} holds no pixel")
    images = plain.reshape(-1, *(plain.shape[-3:] if plain.ndim > 2 else (1, *plain.shape)))
    leading = tuple(plain.shape[:-3])
    if tensors.is_clip(tensor):
        choices, draws = _of_clips(degrader, plain, images, leading, key)
    else:
        keys = _nested(leading, key) if key is not None else _contents(plain if plain.ndim == 2 else images)
        choices = [degrader.choose(each) for each in keys]
        draws = [(choice.seed, {}) for choice in choices]
    out, records = _in_groups(degrader, images, choices, draws)
    return tensors.like(out.reshape(plain.shape), tensor), _shaped(records, leading)


def _contents(images: torch.Tensor) -> list[str]:
    host = images.cpu()
    return [content(tensors.to_array(image)) for image in (host[None] if host.ndim == 2 else host)]


def _nested(leading: tuple[int, ...], key: int | str) -> list[int | str]:
    """The keys of images from that of all of them: "key.0.0", "key.0.1" and so on."""
    keys: list[int | str] = [key]
    for size in leading:
        keys = [f"{each}.{index}" for each in keys for index in range(size)]
    return keys


def _of_clips(
    degrader: ImageDegrader,
    plain: torch.Tensor,
    images: torch.Tensor,
    leading: tuple[int, ...],
    key: int | str | None,
) -> tuple[list[Choice], list[Draw]]:
    """One choice for all frames of a clip (T, C, H, W), noise of its own for each."""
    length = leading[-1] if leading else 1
    clips = images.reshape(-1, length, *images.shape[1:]) if length else images[:0]
    keys = _nested(leading[:-1], key) if key is not None else [content(tensors.to_array(c, batch=True)) for c in clips]
    chosen = [degrader.choose(each) for each in keys for _ in range(length)]
    draws: list[Draw] = [
        (choice.seed, tensors.own_noise(choice.name, choice.seed, i % length)) for i, choice in enumerate(chosen)
    ]
    return chosen, draws


def _in_groups(
    degrader: ImageDegrader, images: torch.Tensor, choices: Sequence[Choice], draws: Sequence[Draw]
) -> tuple[torch.Tensor, list[Record]]:
    groups: dict[tuple[str, float | str], list[int]] = {}
    for index, choice in enumerate(choices):
        groups.setdefault((choice.name, choice.severity), []).append(index)
    out: list[torch.Tensor] = [images] * len(images)
    records: list[Record] = [{}] * len(images)
    for (name, severity), members in groups.items():
        all_of_them = len(members) == len(images)
        some = images if all_of_them else images[members]
        done, own = _of_one_kind(degrader, some, name, severity, [draws[index] for index in members])
        if all_of_them:
            return done, own
        for index, image, record in zip(members, done, own, strict=True):
            out[index], records[index] = image, record
    # Stacked, since torch has no assignment to some of a tensor of uint16.
    return (torch.stack(out) if out else images.clone()), records


def _of_one_kind(
    degrader: ImageDegrader, images: torch.Tensor, name: str, severity: float | str, draws: Sequence[Draw]
) -> tuple[torch.Tensor, list[Record]]:
    settings = {"series": degrader.series, "modality": degrader.modality, **degrader.settings}
    unasked = settings.pop("allow_unchanged", False)

    def found(error: UnchangedImageError) -> None:
        if degrader.unchanged == "raise":
            raise error
        warn_once(name, error)

    degrade = functools.partial(
        degrade_together,
        name=name,
        severity=severity,
        draws=draws,
        on_unchanged=None if unasked else found,
        settings=settings,
    )
    if degrader.value_range is None:
        return degrade(images)
    low, high = degrader.value_range
    done, records = degrade(((images.float() - low) / (high - low)).clamp_(0, 1))
    if read_severity(severity).value == 0:
        return images.clone(), records
    back = done * (high - low) + low
    return (back if images.dtype.is_floating_point else back.round_()).to(images.dtype), records


def _shaped(records: list[Record], leading: tuple[int, ...]) -> Any:
    """A flat list as nested lists of a shape; the only record where that is ()."""
    if not leading:
        return records[0]
    step = len(records) // leading[0] if leading[0] else 0
    return [_shaped(records[start * step : (start + 1) * step], leading[1:]) for start in range(leading[0])]
