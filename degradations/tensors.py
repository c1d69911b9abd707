"""Torch tensors as images. Torch is not imported here: whoever holds a tensor has done so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Apply = Callable[[Any, "int | str | None"], tuple[Any, Any]]

_OWN_NOISE = ("gaussian_noise", "low_dose")
"""Degradations of which each frame of a clip, or slice of a volume, has noise of its own."""


def is_clip(tensor: Any) -> bool:
    """Whether it is a `tv_tensors.Video`."""
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    return tv_tensors is not None and isinstance(tensor, tv_tensors.Video)


def image_by_image(apply: Apply, tensor: Any, key: int | str | None) -> tuple[Any, Any]:
    """Apply a function of arrays to a tensor (H, W), (C, H, W) or to each image of (..., C, H, W).

    Returns:
        The tensor, with the dtype, device and `tv_tensors` type of the given one, and the records.

    Raises:
        ValueError: not the shape of an image.
    """
    torch = sys.modules["torch"]
    if tensor.ndim > 3:
        if tensor.device.type != "cpu":  # there and back as one
            found, records = image_by_image(apply, tensor.detach().cpu(), key)
            return like(found.to(tensor.device), tensor), records
        keys = [None if key is None else f"{key}.{index}" for index in range(len(tensor))]
        pairs = [image_by_image(apply, each, own) for each, own in zip(tensor, keys, strict=True)]
        if not pairs:
            return tensor, []
        return like(torch.stack([image for image, _ in pairs]), tensor), [record for _, record in pairs]
    degraded, record = apply(to_array(tensor), key)
    return from_array(degraded, tensor), record


def frame_by_frame(degrader: Any, clip: Any, key: int | str | None) -> tuple[Any, Any]:
    """Degrade a clip (..., T, C, H, W): all its frames share one draw, but for noise, which is each frame's own."""
    torch = sys.modules["torch"]
    if clip.ndim > 4:
        keys = [None if key is None else f"{key}.{index}" for index in range(len(clip))]
        pairs = [frame_by_frame(degrader, each, own) for each, own in zip(clip, keys, strict=True)]
        if not pairs:
            return clip, []
        return like(torch.stack([frames for frames, _ in pairs]), clip), [record for _, record in pairs]
    if not len(clip):
        return clip, []
    plain = clip.as_subclass(torch.Tensor)
    choice = degrader.choose(degrader.key_of(plain) if key is None else key)
    pairs = [
        degrader.run(to_array(frame), choice, **own_noise(choice.name, choice.seed, number))
        for number, frame in enumerate(plain)
    ]
    frames = torch.stack([from_array(degraded, frame) for (degraded, _), frame in zip(pairs, plain, strict=True)])
    return like(frames, clip), [record for _, record in pairs]


def own_noise(name: str, seed: int | str, number: int) -> dict[str, int]:
    """The override that gives a frame or slice noise of its own; the first has that of an image with the same seed."""
    from .registry import get
    from .seeding import generator

    canonical = get(name).name
    if number == 0 or canonical not in _OWN_NOISE:
        return {}
    return {"noise_seed": int(generator(seed, canonical, f"slice {number}").integers(2**53))}


def to_array(tensor: Any, *, batch: bool = False) -> np.ndarray:
    """(H, W) or (..., H, W, C) from a tensor (H, W) or (..., C, H, W); float16 and bfloat16 as float32.

    Raises:
        ValueError: another shape.
    """
    torch = sys.modules["torch"]
    if tensor.ndim < 2 or (tensor.ndim > 3 and not batch) or (tensor.ndim > 2 and tensor.shape[-3] not in (1, 3, 4)):
        raise ValueError(f"a tensor of shape {tuple(tensor.shape)} is no image: give (C, H, W) with C = 1, 3 or 4")
    plain = tensor.detach().cpu()
    pixels = (plain.float() if tensor.dtype in (torch.float16, torch.bfloat16) else plain).numpy()
    return np.moveaxis(pixels, -3, -1) if tensor.ndim > 2 else pixels


def from_array(array: np.ndarray, original: Any) -> Any:
    """The tensor that an array from `to_array` became; a copy, on the original's device."""
    torch = sys.modules["torch"]
    if original.ndim == 3:
        array = array.transpose(2, 0, 1)
    # A copy: severity 0 may give back the input's own memory.
    result = torch.from_numpy(np.array(array, order="C")).to(dtype=original.dtype, device=original.device)
    return like(result, original)


def like(tensor: Any, original: Any) -> Any:
    """Make it a `tv_tensors.Image` again where the original was one."""
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    if tv_tensors is not None and isinstance(original, tv_tensors.TVTensor):
        return tv_tensors.wrap(tensor, like=original)
    return tensor
