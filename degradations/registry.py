"""The 18 degradations: name, category, modalities, and how results are rounded and stored.

The 19th: write `operators/<name>.py` (its docstring is the physics), add an entry here and rows to
`severities.yaml`, and test it in `tests/degradations`.
"""

# ruff: noqa: E501  (one line per degradation)

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, Literal

from .pixels import Rounding
from .severity import load_severities
from .torch_operators import MODULES
from .vocabulary import MODALITIES, check_modality, unknown

_ALL = MODALITIES
_CT, _MRI, _HISTOPATHOLOGY = ("CT",), ("MRI",), ("Histopathology",)


@dataclass(frozen=True)
class Degradation:
    """One degradation. The operator's module is imported when it is first needed.

    Attributes:
        name: the paper's name.
        category: the paper's category (Table 5).
        modalities: where the paper applies it.
        reference: where the physics, or the operator, is described.
        aliases: other names, the authors' file names among them.
        rounding: how an 8-bit result is made of real values: `floor` (the authors' `astype(uint8)`) or
            `nearest`.
        keep_markings: whether coloured markings on a grey image are pasted back by default, as the authors
            do.
        colour: what happens to RGB. `channels`: each channel on its own, or all by the same map. `luma`:
            the scanner measures one quantity, so the image is reduced to its luma and stays grey.
        uint8: the operator takes and returns uint8 as well, with the rounding above built in, and is exact on
            it.
        shared_draw: L1 and L2 of one seed share their random draw; otherwise they are independent, as the
            authors' are.
    """

    name: str
    category: str
    modalities: tuple[str, ...]
    reference: str
    aliases: tuple[str, ...] = ()
    rounding: Rounding = "floor"
    keep_markings: bool = False
    colour: Literal["channels", "luma"] = "channels"
    uint8: bool = False
    shared_draw: bool = False

    @cached_property
    def _module(self) -> ModuleType:
        return importlib.import_module(f".operators.{self.name}", __package__)

    @property
    def apply(self) -> Callable[..., Any]:
        """The pure function `apply(image, *, ...)` on a 0..255 array."""
        function: Callable[..., Any] = self._module.apply
        return function

    @property
    def draw(self) -> Callable[..., dict[str, Any]] | None:
        """`draw(rng, shape, *, ...)`, which makes the random parameters, or None where nothing is
        random."""
        return getattr(self._module, "draw", None)

    @property
    def source_matrix(self) -> Callable[..., Any] | None:
        """``source_matrix(shape, *, ...)`` of an operator that moves what the image shows: (2, 3), from a row and
        column of the output to those of the input. None: everything stays in place."""
        return getattr(self._module, "source_matrix", None)

    @property
    def moves(self) -> bool:
        """Whether masks, boxes and points must move with the image, see `movement`."""
        return self.source_matrix is not None

    @property
    def batched(self) -> bool:
        """Whether it has an operator for batches of tensors, see `batches`."""
        return self.name in MODULES

    @property
    def mirrors_border(self) -> bool:
        """Whether a moved image is continued by its mirror image, rather than by black."""
        return bool(getattr(self._module, "MIRRORED", False))

    @property
    def physics(self) -> str:
        """What happens in the scanner, on the slide or in the file: the operator's documentation."""
        return inspect.cleandoc(self._module.__doc__ or "")

    @property
    def parameters(self) -> dict[str, dict[str, dict[str, str]]]:
        """The paper's severities, with units: `parameters["default"]["L1"]["sigma"] == "3 px"`."""
        return {
            modality: {level: {key: str(value) for key, value in row.items()} for level, row in levels.items()}
            for modality, levels in load_severities().rows[self.name].items()
        }

    @cached_property
    def apply_parameters(self) -> dict[str, bool]:
        """The names that `apply` takes, and whether they must be given."""
        return _keywords(self.apply)

    @cached_property
    def draw_parameters(self) -> dict[str, bool]:
        """The names that `draw` takes, and whether they must be given."""
        return _keywords(self.draw) if self.draw else {}

    @cached_property
    def range_parameters(self) -> frozenset[str]:
        """The names of those parameters of `draw` that are ranges themselves."""
        parameters = inspect.signature(self.draw).parameters.values() if self.draw else ()
        return frozenset(p.name for p in parameters if p.kind is p.KEYWORD_ONLY and "tuple" in str(p.annotation))


def _keywords(function: Callable[..., Any]) -> dict[str, bool]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default is p.empty for p in parameters if p.kind is p.KEYWORD_ONLY}


# fmt: off
_ENTRIES = (
    Degradation("limited_angle", "artifacts", _CT, "Kak and Slaney 1988, ch. 3", colour="luma", keep_markings=True),
    Degradation("sparse_view", "artifacts", _CT, "Kak and Slaney 1988, ch. 3 and 5", colour="luma", keep_markings=True),
    Degradation("bias_field", "artifacts", _MRI, "Sled and Pike 1998; Van Leemput et al. 1999, polynomial model", ("bias_field_artifact",)),
    Degradation("undersampling", "artifacts", _MRI, "Lustig et al. 2007", ("undersampling_artifact",)),
    Degradation("ghosting", "artifacts", _MRI, "Wood and Henkelman 1985", ("ghosting_artifact",)),
    Degradation("blood_cell", "artifacts", _HISTOPATHOLOGY, "FrOoDo (MECLab, TU Darmstadt), in kind", ("blood_cell_artifact",), rounding="nearest"),
    Degradation("dark_spots", "artifacts", _HISTOPATHOLOGY, "Schoemig-Markiefka et al. 2021", ("dark_spots_artifact",)),
    Degradation("object_rotation", "motion_interference", _ALL, "rigid rotation, bilinear", ("rotation_artifact", "rotation"), rounding="nearest", uint8=True),
    Degradation("object_movement", "motion_interference", _ALL, "Shaw et al. 2019, k-space composite", ("random_motion_artifact", "random_motion")),
    Degradation("adjust_brightness", "intensity_jitter", _ALL, "additive offset", ("brightness",), uint8=True),
    Degradation("exposure", "intensity_jitter", _ALL, "power law (gamma)", ("exposure_artifact",), uint8=True, shared_draw=True),
    Degradation("reduce_contrast", "intensity_jitter", _ALL, "linear contrast about the mean", ("contrast",), uint8=True),
    Degradation("gaussian_noise", "noise", _ALL, "additive white Gaussian noise", uint8=True),
    Degradation("low_dose", "noise", _CT, "Zeng et al. 2015, Poisson counts", ("low_dose_artifact",), colour="luma", keep_markings=True),
    Degradation("low_resolution", "resolution_blur", _ALL, "sampling on a coarser grid", ("downsample_artifact", "downsample"), keep_markings=True, uint8=True),
    Degradation("motion_blur", "resolution_blur", _ALL, "uniform linear motion", ("motion_blur_artifact",), uint8=True),
    Degradation("gaussian_blur", "resolution_blur", _ALL, "Gaussian point spread function", ("gaussian_blur_artifact",), uint8=True),
    Degradation("bubble", "resolution_blur", _HISTOPATHOLOGY, "Schoemig-Markiefka et al. 2021, air bubble out of focus", ("bubble_artifact",), uint8=True),
)
# fmt: on

_BY_NAME = {entry.name: entry for entry in _ENTRIES}
_BY_ALIAS = {alias: entry for entry in _ENTRIES for alias in (entry.name, *entry.aliases)}
_ALIAS_WITH_MODALITY = {
    "xray_motion_blur_artifact": ("motion_blur", "X-ray"),
    "xray_motion_blur": ("motion_blur", "X-ray"),
}


def list_degradations(modality: str | None = None) -> list[str]:
    """Return the degradations' names in the paper's order; with `modality`, those that the paper applies to it.

    Raises:
        ValueError: unknown modality.
    """
    wanted = check_modality(modality)
    return [entry.name for entry in _ENTRIES if wanted is None or wanted in entry.modalities]


def known_names() -> dict[str, str]:
    """Return every name that `get` takes, aliases included -> the name that it stands for."""
    with_modality = {alias: name for alias, (name, _) in _ALIAS_WITH_MODALITY.items()}
    return {alias: entry.name for alias, entry in _BY_ALIAS.items()} | with_modality


def get(name: str) -> Degradation:
    """Return the degradation of that name or alias.

    Raises:
        ValueError: there is none; the message lists the names.
    """
    return resolve(name)[0]


def resolve(name: str) -> tuple[Degradation, str | None]:
    """Return the degradation behind a name or alias, and the modality that the alias implies (or None).

    Raises:
        ValueError: there is none; the message lists the names.
    """
    key = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    target, modality = _ALIAS_WITH_MODALITY.get(key, (key, None))
    entry = _BY_ALIAS.get(target)
    if entry is None:
        raise ValueError(unknown("degradation", name, _BY_NAME, known_names()))
    return entry, modality
