"""Which degradation an image of a training set gets, how severe and with which draw: what all adaptors share.

Every call derives its seed from (`seed`, key, `epoch`). The key is the image's own content unless one is given, so an
image is degraded the same way wherever it stands in a data set, in any worker, batch or order, with no index to pass.
Two equal images get equal draws; give an index as the key where they must differ. Nothing is kept between calls, so
objects pickle and `DataLoader` workers need no `worker_init_fn`.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from . import tensors
from .api import UnchangedImageError, degrade_with_record
from .arguments import check_stop
from .movement import Movement, movement_at
from .registry import get
from .seeding import check_seed, generator
from .severity import load_severities
from .vocabulary import check_modality, read_severity
from .volumes import degrade_volume_with_record, from_unit, to_unit

Unchanged = Literal["raise", "warn"]
Backend = Literal["numpy", "torch"]

_warned: set[str] = set()


@dataclass(frozen=True)
class Choice:
    """What one image gets: `degrade(image, name, severity, seed=seed)`."""

    name: str
    severity: float | str
    seed: str


class ImageDegrader:
    """Degrade images one by one: which way, how much and with which draw follows from each image's seed.

    Takes what `degrade` takes (PIL images, NumPy arrays) and torch tensors (..., C, H, W) or (H, W) with C = 1, 3 or 4:
    uint8, uint16, or floating point in [0, 1]. The type, dtype, shape and device come back unchanged; no gradient
    passes. Leading dimensions of a tensor are images of their own; those of a `tv_tensors.Video` are frames that
    share one draw.

    Args:
        name: a degradation, or several of which each image gets one.
        severity: 0, 1, 2 or a number between or beyond them; a range such as `"0.5 to 2"`, of which each image gets a
            severity drawn evenly (in steps of 0.01, of the series); or several of these.
        seed: a non-negative integer or a text.
        series: see `degrade`.
        modality: see `degrade`.
        epoch: another number gives other draws for the same images. See `set_epoch`.
        p: share of the images that are degraded, in [0, 1]; the others come back as copies.
        weights: one per name, not negative: how often each is drawn. None: equally often.
        unchanged: what to do where a degradation has no effect on an image. `"raise"` the `UnchangedImageError`, or
            `"warn"` once per process and degradation and return the image as it is, so that no epoch stops.
            `allow_unchanged=True` returns it without a word.
        value_range: the least and the greatest value of arrays and tensors, such as (-1000, 1000) for CT in Hounsfield
            units; what lies outside is cut off. Any number dtype is then taken. None: as `degrade`.
        backend: of tensors. `"numpy"` degrades each image on the CPU and gives `degrade`'s bytes. `"torch"` degrades
            the images of a tensor together on its device, within one grey level of these, see `batches`; PIL images
            and arrays are not concerned.
        **settings: passed to `degrade` (`severities`, `reference_size`, `keep_markings`, `allow_unchanged`, overrides).

    Raises:
        TypeError: a seed that is neither.
        ValueError: an unknown degradation, severity or modality, or weights, p, or a range that cannot be; here rather
            than in a worker.
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
        **settings: Any,
    ) -> None:
        self.names = (name,) if isinstance(name, str) else tuple(name)
        levels = (severity,) if isinstance(severity, float | int | str) else tuple(severity)
        self.severities = tuple(_as_severity(level, series) for level in levels)
        if not self.names or not self.severities:
            raise ValueError("give at least one degradation and one severity")
        table = load_severities(settings.get("severities"))
        for each in self.names:
            for level in self.severities:
                for end in level if isinstance(level, tuple) else (level,):
                    found = read_severity(end, series or isinstance(level, tuple))
                    check_stop(get(each).name, found, check_modality(modality), table)
        check_seed(seed)
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a share from 0 to 1, not {p!r}")
        if unchanged not in ("raise", "warn"):
            raise ValueError(f'unchanged must be "raise" or "warn", not {unchanged!r}')
        if backend not in ("numpy", "torch"):
            raise ValueError(f'backend must be "numpy" or "torch", not {backend!r}')
        self.seed = seed
        self.backend = backend
        self.series = series
        self.modality = check_modality(modality)
        self.epoch = epoch
        self.p = p
        self.weights = None if weights is None else _shares(weights, len(self.names))
        self.unchanged = unchanged
        self.value_range = None if value_range is None else _checked_range(value_range)
        self.settings = settings

    @property
    def moves(self) -> bool:
        """Whether an image's contents may move, so that masks, boxes and points must follow."""
        return any(get(name).moves for name in self.names)

    def set_epoch(self, epoch: int) -> None:
        """Draw anew for another pass over the data, as `DistributedSampler.set_epoch` does.

        Call it before the `DataLoader` is iterated. Workers kept alive by `persistent_workers=True` hold the
        copy that they started with and do not hear of it: leave that off.
        """
        self.epoch = epoch

    def choose(self, key: int | str) -> Choice:
        """What the image with this key gets."""
        seed = f"{self.seed}:{key}"
        if self.epoch:
            seed = f"{seed}:epoch {self.epoch}"
        draw = generator(seed, "transforms", "choice")
        if self.weights is None:
            name = self.names[int(draw.integers(len(self.names)))]
        else:
            name = self.names[int(draw.choice(len(self.names), p=self.weights))]
        severity = self.severities[int(draw.integers(len(self.severities)))]
        if isinstance(severity, tuple):
            severity = f"S{draw.uniform(*severity):.2f}"
        if self.p < 1 and generator(seed, "transforms", "p").random() >= self.p:
            severity = 0
        return Choice(name, severity, seed)

    def apply(self, image: Any, key: int | str | None = None) -> Any:
        """Return the degraded image; `key` (an index, an item's id) stands for its content in the seed.

        Raises:
            TypeError: not an image, or a dtype that holds none.
            ValueError: a shape or value range that `degrade` refuses.
            UnchangedImageError: see `unchanged`.
        """
        return self.apply_with_record(image, key)[0]

    def apply_with_record(self, image: Any, key: int | str | None = None) -> tuple[Any, Any]:
        """Return the degraded image and the record that makes it again from the same image.

        For a tensor with leading dimensions, the records are nested lists of the same leading shape; for a
        `tv_tensors.Video`, the frames' own.
        """
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(image, torch.Tensor):
            if self.backend == "torch":
                return self._together(image, key)
            if tensors.is_clip(image):
                return tensors.frame_by_frame(self, image, key)
            return tensors.image_by_image(self.apply_with_record, image, key)
        return self.run(image, self.choose(content(image) if key is None else key))

    def _together(self, tensor: Any, key: int | str | None) -> tuple[Any, Any]:
        """All images of a tensor, as `apply_with_record` returns them; those of one choice at once."""
        from .chosen_batches import degrade_chosen

        return degrade_chosen(self, tensor, key)

    def key_of(self, image: Any) -> str:
        """The key that an image has where none is given."""
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(image, torch.Tensor):
            return content(image)
        return content(tensors.to_array(image, batch=True))

    def run(self, image: Any, choice: Choice, **overrides: Any) -> tuple[Any, dict[str, Any]]:
        """Carry out a choice on a PIL image or an array; the degraded image and its record."""
        if self.value_range is None or isinstance(image, Image.Image):
            return self._degrade(image, choice, overrides)
        degraded, record = self._degrade(to_unit(image, self.value_range), choice, overrides)
        if read_severity(choice.severity).value == 0:
            return image.copy(), record
        return from_unit(degraded, self.value_range, image.dtype), record

    def run_on_volume(self, volume: np.ndarray, choice: Choice) -> tuple[np.ndarray, dict[str, Any]]:
        """Carry out a choice on a volume (D, H, W), see `degrade_volume`."""
        degrade = functools.partial(degrade_volume_with_record, value_range=self.value_range)
        return self._degrade(volume, choice, {}, degrade)

    def movement(self, choice: Choice, shape: tuple[int, int]) -> Movement | None:
        """What a choice moves in an image of a shape (height, width)."""
        unused = ("keep_markings", "allow_unchanged")
        settings = {key: value for key, value in self.settings.items() if key not in unused}
        return movement_at(
            choice.name,
            choice.severity,
            shape,
            seed=choice.seed,
            series=self.series,
            modality=self.modality,
            **settings,
        )

    def _degrade(
        self, image: Any, choice: Choice, overrides: dict[str, Any], degrade: Callable[..., Any] = degrade_with_record
    ) -> tuple[Any, dict[str, Any]]:
        settings = {"series": self.series, "modality": self.modality, **self.settings, **overrides}
        found: tuple[Any, dict[str, Any]]
        try:
            found = degrade(image, choice.name, choice.severity, seed=choice.seed, **settings)
        except UnchangedImageError as error:
            if self.unchanged == "raise":
                raise
            warn_once(choice.name, error)
            settings["allow_unchanged"] = True
            found = degrade(image, choice.name, choice.severity, seed=choice.seed, **settings)
        return found

    def __repr__(self) -> str:
        name = self.names[0] if len(self.names) == 1 else self.names
        severity = self.severities[0] if len(self.severities) == 1 else self.severities
        return f"{type(self).__name__}({name!r}, {severity!r}, seed={self.seed!r})"


def content(image: Any) -> str:
    """Hash what an image shows: its kind, shape and values, in little-endian order."""
    kind = image.mode if isinstance(image, Image.Image) else ""
    pixels = np.asarray(image)
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    header = f"{kind} {pixels.dtype.str} {pixels.shape}\n".encode()
    return hashlib.sha256(header + pixels.tobytes()).hexdigest()[:32]


def _as_severity(severity: float | str, series: bool) -> float | str | tuple[float, float]:
    """A level as 0, 1 or 2, a severity of a series as its label, which says that it is one, a range as its ends."""
    ends = re.fullmatch(r"\s*(\S+)\s+to\s+(\S+)\s*", severity) if isinstance(severity, str) else None
    if ends:
        low, high = (read_severity(end).value for end in ends.groups())
        if not low < high:
            raise ValueError(f"severity {severity!r}: the range must run from a smaller to a larger number")
        return low, high
    found = read_severity(severity, series)
    if found.series and found.value in (1, 2):
        return found.label
    return int(found.value) if found.value in (0, 1, 2) else found.value


def _shares(weights: Sequence[float], count: int) -> tuple[float, ...]:
    values = np.asarray(weights, np.float64)
    if values.shape != (count,) or not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise ValueError(f"weights must be {count} numbers, one per name, not negative and not all 0; not {weights!r}")
    return tuple((values / values.sum()).tolist())


def _checked_range(value_range: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(end) for end in value_range)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"value_range must be the least and the greatest value, not {value_range!r}")
    return low, high


def warn_once(name: str, error: UnchangedImageError) -> None:
    """Warn of an unchanged image, once per process and degradation."""
    if name not in _warned:
        _warned.add(name)
        warnings.warn(f"{error}. Returned as it is; further such images are not mentioned", stacklevel=4)
