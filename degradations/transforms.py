"""Degradations as callables for `torchvision.transforms.v2.Compose` and `datasets.map`.

`Degrade` takes an image and returns one; `DegradeColumn` does so to a column of examples. Neither imports
torch: tensors are recognised where the caller has imported it. Both pickle, and hold no state that a call
changes, so `DataLoader` workers need no `worker_init_fn` and get what the main process would get.

Every call derives its seed from (`seed`, key, `epoch`). The key is the image's own content unless one is
given, so an image is degraded the same way wherever it stands in a data set, in any worker, batch or order,
with no index to pass. Two equal images get equal draws; give an index as the key where they must differ.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from . import degrade_with_record, get
from .arguments import check_stop
from .seeding import check_seed, generator
from .severity import load_severities
from .vocabulary import check_modality, read_severity


class Degrade:
    """Degrade one image per call.

    Accepts what `degrade` accepts (PIL images, NumPy arrays) and torch tensors (..., C, H, W) or (H, W) with
    C = 1, 3 or 4: uint8, uint16, or floating point in [0, 1]; `tv_tensors.Image` stays one. The type, dtype,
    shape and device come back unchanged; no gradient passes. Leading tensor dimensions are images of their
    own.

    In a `Compose`, further inputs (labels, boxes, masks) pass through as they are. `object_rotation` and
    `object_movement` move what the image shows, so boxes and masks no longer fit it.

    Args:
        name: a degradation, or several of which each image gets one.
        severity: 0, 1, 2 or a number between or beyond them, or several of which each image gets one.
        series: see `degrade`.
        seed: a non-negative integer or a text.
        modality: see `degrade`.
        epoch: another number gives other draws for the same images; 0 by default. See `set_epoch`.
        **settings: passed to `degrade` (`severities`, `reference_size`, `keep_markings`, overrides).

    Raises:
        TypeError: a seed that is neither.
        ValueError: an unknown degradation, severity or modality; here rather than in a worker.

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
        **settings: Any,
    ) -> None:
        self.names = (name,) if isinstance(name, str) else tuple(name)
        levels = (severity,) if isinstance(severity, float | int | str) else tuple(severity)
        self.severities = tuple(_as_number(level, series) for level in levels)
        if not self.names or not self.severities:
            raise ValueError("give at least one degradation and one severity")
        table = load_severities(settings.get("severities"))
        for each in self.names:
            for level in levels:
                check_stop(get(each).name, read_severity(level, series), check_modality(modality), table)
        check_seed(seed)
        self.seed = seed
        self.series = series
        self.modality = check_modality(modality)
        self.epoch = epoch
        self.settings = settings

    def set_epoch(self, epoch: int) -> None:
        """Draw anew for another pass over the data, as `DistributedSampler.set_epoch` does.

        Call it before the `DataLoader` is iterated. Workers kept alive by `persistent_workers=True` hold the
        copy that they started with and do not hear of it: leave that off.
        """
        self.epoch = epoch

    def __call__(self, image: Any, *others: Any) -> Any:
        """Return the degraded image, or with further inputs a tuple that begins with it.

        Raises:
            TypeError: not an image, or a tensor of a dtype that holds none.
            ValueError: a shape or value range that `degrade` refuses.
        """
        degraded = self.apply(image)
        return (degraded, *others) if others else degraded

    def apply(self, image: Any, key: int | str | None = None) -> Any:
        """Return the degraded image; `key` (an index, an item's id) stands for its content in the seed."""
        return self.apply_with_record(image, key)[0]

    def apply_with_record(self, image: Any, key: int | str | None = None) -> tuple[Any, Any]:
        """Return the degraded image and the record that makes it again from the same image.

        For a tensor with leading dimensions, the records are nested lists of the same leading shape.
        """
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(image, torch.Tensor):
            return self._apply_to_tensor(image, key, torch)
        seed = f"{self.seed}:{_content(image) if key is None else key}"
        if self.epoch:
            seed = f"{seed}:epoch {self.epoch}"
        choice = generator(seed, "transforms", "choice")
        name = self.names[int(choice.integers(len(self.names)))]
        severity = self.severities[int(choice.integers(len(self.severities)))]
        return degrade_with_record(
            image, name, severity, seed=seed, series=self.series, modality=self.modality, **self.settings
        )

    def _apply_to_tensor(self, tensor: Any, key: int | str | None, torch: Any) -> tuple[Any, Any]:
        if tensor.ndim > 3:
            keys = [None if key is None else f"{key}.{index}" for index in range(len(tensor))]
            pairs = [self._apply_to_tensor(each, own, torch) for each, own in zip(tensor, keys, strict=True)]
            if not pairs:
                return tensor, []
            return _like(torch.stack([image for image, _ in pairs]), tensor), [record for _, record in pairs]
        if tensor.ndim < 2 or (tensor.ndim == 3 and tensor.shape[0] not in (1, 3, 4)):
            raise ValueError(f"a tensor of shape {tuple(tensor.shape)} is no image: give (C, H, W) with C = 1, 3 or 4")
        narrow = tensor.dtype in (torch.float16, torch.bfloat16)
        plain = tensor.detach().cpu().float() if narrow else tensor.detach().cpu()
        pixels = plain.numpy()
        degraded, record = self.apply_with_record(pixels.transpose(1, 2, 0) if tensor.ndim == 3 else pixels, key)
        if tensor.ndim == 3:
            degraded = degraded.transpose(2, 0, 1)
        # A copy: severity 0 may give back the input's own memory.
        result = torch.from_numpy(np.array(degraded, order="C")).to(dtype=tensor.dtype, device=tensor.device)
        return _like(result, tensor), record

    def __repr__(self) -> str:
        name = self.names[0] if len(self.names) == 1 else self.names
        severity = self.severities[0] if len(self.severities) == 1 else self.severities
        return f"{type(self).__name__}({name!r}, {severity!r}, seed={self.seed!r})"


class DegradeColumn(Degrade):
    """Degrade the images in a column, for `Dataset.map`, `IterableDataset.map` and samples as dictionaries.

    Works with `batched=True` and without, and on columns that hold a list of images an item. With
    `with_indices=True`, an item's index is its key in the seed; without, its content is. Missing images
    (None) stay missing. The arguments' hash is stable, so `datasets` finds its cached result again.

    Args:
        name, severity, seed, series, modality, epoch, settings: as for `Degrade`.
        column: which column holds the images.
        record_column: if given, a column of this name gets the record of each image as JSON (a list of
            records for a list of images).
    """

    def __init__(
        self,
        name: str | Sequence[str],
        severity: float | str | Sequence[float | str],
        *,
        seed: int | str,
        series: bool = False,
        column: str = "image",
        record_column: str | None = None,
        modality: str | None = None,
        epoch: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(name, severity, seed=seed, series=series, modality=modality, epoch=epoch, **settings)
        self.column = column
        self.record_column = record_column

    def __call__(self, examples: Any, indices: int | Sequence[int] | None = None) -> dict[str, Any]:
        """Return the example, or batch of examples, with the column degraded.

        Raises:
            TypeError: not a mapping, or the column holds something else than images.
            KeyError: the mapping has no such column.
        """
        if not isinstance(examples, Mapping):
            raise TypeError(f"{type(self).__name__} takes examples with named columns; for an image use Degrade")
        if self.column not in examples:
            raise KeyError(f"no column {self.column!r}; there are {', '.join(map(repr, examples))}")
        value = examples[self.column]
        if indices is not None and not isinstance(indices, int):
            pairs = [self._apply_to_cell(cell, index) for cell, index in zip(value, indices, strict=True)]
            images, records = [image for image, _ in pairs], [record for _, record in pairs]
        else:
            images, records = self._apply_to_cell(value, indices)
        changed = {**examples, self.column: images}
        if self.record_column is not None:
            changed[self.record_column] = _as_json(records)
        return changed

    def _apply_to_cell(self, cell: Any, key: int | str | None) -> tuple[Any, Any]:
        """Degrade one image, or each of a list of them."""
        if cell is None:
            return None, None
        if isinstance(cell, list | tuple):
            keys = [None if key is None else f"{key}.{place}" for place in range(len(cell))]
            pairs = [self._apply_to_cell(each, own) for each, own in zip(cell, keys, strict=True)]
            return [image for image, _ in pairs], [record for _, record in pairs]
        if isinstance(cell, Mapping):
            raise TypeError(
                f"column {self.column!r} holds undecoded images; cast it to datasets.Image(decode=True) first"
            )
        return self.apply_with_record(cell, key)


def _as_number(severity: float | str, series: bool) -> float | str:
    """A level as 0, 1 or 2, and a severity of a series as its label, which says that it is one."""
    found = read_severity(severity, series)
    return (
        found.label
        if found.series and found.value in (1, 2)
        else int(found.value)
        if found.value in (0, 1, 2)
        else found.value
    )


def _content(image: Any) -> str:
    """Hash what an image shows: its kind, shape and values, in little-endian order."""
    kind = image.mode if isinstance(image, Image.Image) else ""
    pixels = np.asarray(image)
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    header = f"{kind} {pixels.dtype.str} {pixels.shape}\n".encode()
    return hashlib.sha256(header + pixels.tobytes()).hexdigest()[:32]


def _like(tensor: Any, original: Any) -> Any:
    """Make it a `tv_tensors.Image` again where the original was one."""
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    if tv_tensors is not None and isinstance(original, tv_tensors.TVTensor):
        return tv_tensors.wrap(tensor, like=original)
    return tensor


def _as_json(records: Any) -> Any:
    if isinstance(records, list):
        return [_as_json(each) for each in records]
    return None if records is None else json.dumps(records, sort_keys=True)
