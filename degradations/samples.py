"""Which parts of a sample are images, and which are masks, boxes and points that must move with them.

A sample is any nest of tuples, lists and dictionaries. What the parts are is known from their types: a PIL image is an
image, and `tv_tensors` say what they are. Of plain arrays and tensors, one alone is the image; where several could be,
the caller names them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from .movement import Movement, movement_of

KINDS = ("image", "mask", "boxes", "boxes_xywh", "keypoints")
"""What `keys` may call a part. `boxes` are rows of (x_min, y_min, x_max, y_max), `boxes_xywh` of (x_min, y_min, width,
height), with edges between the pixels; `keypoints` rows of (x, y), whole numbers at pixel centres."""

Path = tuple[Any, ...]
Keys = Mapping[Any, str]


@dataclass(frozen=True)
class Part:
    """One part of a sample: where it is, what it is (of KINDS), and the part."""

    path: Path
    kind: str
    value: Any


def check_keys(keys: Keys | None) -> None:
    """Raise a ValueError for a kind that does not exist, or where none is an image."""
    for key, kind in (keys or {}).items():
        if kind not in KINDS:
            raise ValueError(f"keys[{key!r}]: {kind!r} is none of {', '.join(KINDS)}")
    if keys is not None and "image" not in keys.values():
        raise ValueError("keys must say which part is the image")


def find_parts(sample: Any, keys: Keys | None, *, moves: bool, any_number: bool = False) -> list[Part]:
    """The images of a sample, and what belongs to them.

    Args:
        sample: a tuple, list or mapping.
        keys: from a place (a position or a key, at any depth) to what lies there; None: by type alone.
        moves: whether masks, boxes and points matter.
        any_number: whether arrays of any number dtype can be images.

    Raises:
        ValueError: it cannot be told which part is the image, or what else must move with it.
        TypeError: no part is an image.
    """
    parts: list[Part] = []
    pictures: list[Part] = []
    plain: list[tuple[Path, Any]] = []
    for path, value, named in _leaves(sample, keys or {}):
        kind = named or _typed(value)
        if kind == "picture":
            pictures.append(Part(path, "image", value))
        elif kind:
            parts.append(Part(path, kind, value))
        elif _is_array(value) and value.ndim >= 2:
            plain.append((path, value))
    if keys is None:
        parts += _by_elimination(parts, pictures, plain, moves, any_number)
    if not any(part.kind == "image" for part in parts):
        where = f" under {', '.join(repr(key) for key in keys)}" if keys else ""
        raise TypeError(f"the sample holds no image{where}: it must be a PIL image or a NumPy array, or a tensor")
    return parts


def _by_elimination(
    parts: list[Part], pictures: list[Part], plain: list[tuple[Path, Any]], moves: bool, any_number: bool
) -> list[Part]:
    """The image where no `tv_tensors` names it."""
    if any(part.kind == "image" for part in parts):
        if pictures:
            raise ValueError(_unclear([part.path for part in pictures], "whether these are images or masks"))
        return []  # whoever types a sample means the plain parts to be left alone
    if len(pictures) > 1:
        raise ValueError(_unclear([part.path for part in pictures], "which of these is the image"))
    if not pictures:
        images = [(path, value) for path, value in plain if _could_be_image(value, any_number)]
        if len(images) > 1:
            raise ValueError(_unclear([path for path, _ in images], "which of these is the image"))
        pictures = [Part(path, "image", value) for path, value in images]
        plain = [(path, value) for path, value in plain if not images or path != images[0][0]]
    if pictures and moves and plain:
        raise ValueError(_unclear([path for path, _ in plain], "whether these must move with the image"))
    return pictures


def _unclear(paths: list[Path], what: str) -> str:
    places = ", ".join("".join(f"[{step!r}]" for step in path) for path in paths)
    return (
        f"cannot tell {what}: sample{places.replace(', ', ', sample')}; say what they are by their place, as in "
        'keys={"scan": "image", "organ": "mask"} or keys={0: "image", 1: "boxes"}, or give tv_tensors'
    )


def _leaves(sample: Any, keys: Keys, path: Path = ()) -> Iterator[tuple[Path, Any, str]]:
    """Every part that holds no other, its place, and what the caller calls it."""
    named = next((keys[step] for step in path if step in keys), "")
    nested = isinstance(sample, tuple | list | Mapping)
    if not nested or (named in ("boxes", "boxes_xywh", "keypoints")):
        yield path, sample, named
        return
    for step, value in sample.items() if isinstance(sample, Mapping) else enumerate(sample):
        yield from _leaves(value, keys, (*path, step))


def _typed(value: Any) -> str:
    if isinstance(value, Image.Image):
        return "picture"
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    if tv_tensors is None or not isinstance(value, tv_tensors.TVTensor):
        return ""
    for kind, names in {
        "image": ("Image", "Video"), "mask": ("Mask",), "boxes": ("BoundingBoxes",), "keypoints": ("KeyPoints",)
    }.items():  # fmt: skip
        if isinstance(value, tuple(getattr(tv_tensors, name) for name in names if hasattr(tv_tensors, name))):
            return kind
    return ""


def is_companion(value: Any) -> bool:
    """Whether its type says that it belongs to an image and is none."""
    return _typed(value) in ("mask", "boxes", "keypoints")


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or _is_tensor(value)


def _could_be_image(value: Any, any_number: bool) -> bool:
    channels = value.shape[-3] if _is_tensor(value) and value.ndim > 2 else value.shape[-1]
    if value.ndim > 2 and (channels not in (1, 3, 4) or (value.ndim > 3 and not _is_tensor(value))):
        return False
    dtype = str(value.dtype).removeprefix("torch.")
    return (any_number and dtype != "bool") or "float" in dtype or dtype in ("uint8", "uint16", ">u2", "<u2")


def replaced(sample: Any, changes: Mapping[Path, Any], path: Path = ()) -> Any:
    """A sample of the same build with other parts at some places; everything else is the same object."""
    if path in changes:
        return changes[path]
    if isinstance(sample, Mapping):
        new = {key: replaced(value, changes, (*path, key)) for key, value in sample.items()}
        return new if type(sample) is dict or not callable(getattr(sample, "copy", None)) else _updated(sample, new)
    if isinstance(sample, tuple | list):
        values = [replaced(value, changes, (*path, index)) for index, value in enumerate(sample)]
        if hasattr(sample, "_fields"):  # a named tuple
            return type(sample)(*values)
        return type(sample)(values)
    return sample


def _updated(sample: Any, new: dict[Any, Any]) -> Any:
    copy = sample.copy()
    copy.update(new)
    return copy


def follow(part: Part, image: Any, record: Any, fill: Any) -> Any:
    """A mask, boxes or points after their image.

    Args:
        part: what has to follow.
        image: the part's image; of a batch, whose `record` is a list, the part has the same leading dimension.
        fill: what comes into masks from outside.

    Raises:
        ValueError: sizes that do not fit.
    """
    if isinstance(record, list):
        if part.kind == "mask" and _is_tensor(part.value) and len(part.value) == len(record):
            torch = sys.modules["torch"]
            pairs = zip(part.value, image, record, strict=True)
            moved = [follow(Part(part.path, part.kind, each), one, own, fill) for each, one, own in pairs]
            return _wrapped(torch.stack(moved), part.value)
        if all(movement_of(each) is None for each in record):
            return part.value
        if len({str(each["parameters"]) for each in record}) > 1:
            raise ValueError(f"{part.kind} of a batch whose images move apart: degrade before batching")
        record = record[0]
    movement = movement_of(record)
    if movement is None:
        return part.value
    return _FOLLOW[part.kind](part.value, movement, fill)


def _follow_mask(mask: Any, movement: Movement, fill: Any) -> Any:
    if isinstance(mask, Image.Image):
        moved = Image.fromarray(movement.of_mask(np.asarray(mask), fill))
        if mask.mode == "P":
            moved = Image.frombytes("P", moved.size, moved.tobytes())
            moved.putpalette(mask.getpalette() or [])
        moved.info = dict(mask.info)
        return moved
    if _is_tensor(mask):
        torch = sys.modules["torch"]
        array = np.moveaxis(mask.detach().cpu().numpy(), (-2, -1), (0, 1))
        back = np.moveaxis(movement.of_mask(array, fill), (0, 1), (-2, -1))
        return _wrapped(torch.from_numpy(np.ascontiguousarray(back)).to(mask.device), mask)
    array = np.asarray(mask)
    if array.shape[:2] != movement.shape and array.shape[-2:] == movement.shape:  # one mask per class
        front = movement.of_mask(np.moveaxis(array, (-2, -1), (0, 1)), fill)
        return np.ascontiguousarray(np.moveaxis(front, (0, 1), (-2, -1)))
    return movement.of_mask(array, fill)


def _follow_boxes(boxes: Any, movement: Movement, _: Any) -> Any:
    form = getattr(boxes, "format", None)
    if form is None:
        return _same_type(boxes, movement.of_boxes, 4)
    _check_canvas(boxes, movement)
    convert = sys.modules["torchvision.transforms.v2"].functional.convert_bounding_box_format
    tv_tensors = sys.modules["torchvision.tv_tensors"]
    if form.value not in ("XYXY", "XYWH", "CXCYWH"):
        raise ValueError(f"boxes of format {form.value} cannot be moved: convert them to XYXY, XYWH or CXCYWH")
    corners = convert(boxes, new_format=tv_tensors.BoundingBoxFormat.XYXY)
    moved = tv_tensors.wrap(_same_type(corners, movement.of_boxes, 4), like=corners)
    return convert(moved, new_format=form)


def _follow_boxes_xywh(boxes: Any, movement: Movement, _: Any) -> Any:
    def moved(rows: np.ndarray) -> np.ndarray:
        found = movement.of_boxes(np.concatenate([rows[..., :2], rows[..., :2] + rows[..., 2:]], axis=-1))
        return np.concatenate([found[..., :2], found[..., 2:] - found[..., :2]], axis=-1)

    return _same_type(boxes, moved, 4)


def _follow_points(points: Any, movement: Movement, _: Any) -> Any:
    if not hasattr(points, "canvas_size"):
        return _same_type(points, movement.of_points, 2)
    _check_canvas(points, movement)
    # As torchvision counts them, the middle of the first pixel is (0.5, 0.5).
    moved = _same_type(points, lambda places: movement.of_points(places - 0.5) + 0.5, 2)
    return _wrapped(moved, points)


_FOLLOW: dict[str, Callable[[Any, Movement, Any], Any]] = {
    "mask": _follow_mask,
    "boxes": _follow_boxes,
    "boxes_xywh": _follow_boxes_xywh,
    "keypoints": _follow_points,
}


def _check_canvas(value: Any, movement: Movement) -> None:
    if tuple(value.canvas_size) != movement.shape:
        raise ValueError(f"canvas_size {tuple(value.canvas_size)} is not the image's {movement.shape}")


def _same_type(value: Any, function: Callable[[np.ndarray], np.ndarray], columns: int) -> Any:
    """A function of float64 on the first columns of an array, a tensor or lists; whole numbers are rounded."""
    rows = value.detach().cpu().numpy() if _is_tensor(value) else np.asarray(value)
    moved = rows.astype(np.float64)
    if rows.size:
        moved[..., :columns] = function(moved[..., :columns])
    if rows.dtype.kind in "iu":
        moved = np.rint(moved)
    moved = moved.astype(rows.dtype)
    if _is_tensor(value):
        return sys.modules["torch"].from_numpy(np.ascontiguousarray(moved)).to(value.device)
    return moved if isinstance(value, np.ndarray) else type(value)(moved.tolist())


def _wrapped(tensor: Any, original: Any) -> Any:
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    if tv_tensors is not None and isinstance(original, tv_tensors.TVTensor):
        return tv_tensors.wrap(tensor, like=original)
    return tensor
