"""What a run asks for, and what of it decides the bytes of one output."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from PIL import Image

from ...degradations import LEVELS, SeverityTable, degrade_with_record, load_severities
from ..images.encoding import PNG_LEVEL

FRAME_CHOICES = ("single", "first", "middle", "all")


def level_name(severity: int | str) -> str:
    """Return what a severity is called in paths and messages: "L1", or the label of a series."""
    return severity if isinstance(severity, str) else f"L{severity}"


def image_seed(seed: int | str, sha256: str, frame: int | None) -> str:
    """Return one image's seed from the run's; see the module."""
    return f"{seed}:{sha256}" + ("" if frame is None else f":frame {frame}")


@dataclass(frozen=True)
class DegradeRequest:
    """What is asked for every image.

    Attributes:
        names: canonical names of degradations.
        severities: 0, 1, 2, or labels of a series such as "S1.50".
        seed: the run's seed.
        modality: for every image; None takes a DICOM file's own, else none.
        table: the severity table.
        reference_size, keep_markings, allow_unchanged: as for `degrade`.
        window: as for `decode_dicom`.
        frames: of a file with several: `single` refuses it, `first`, `middle`, `all`.
        format: of the outputs; see `encode_image`.
        png_level: how hard PNG outputs are compressed, 0 to 9.
    """

    names: tuple[str, ...]
    severities: tuple[int | str, ...] = (1, 2)
    seed: int | str = 0
    modality: str | None = None
    table: SeverityTable = field(default_factory=load_severities)
    reference_size: float | None = None
    keep_markings: bool | None = None
    allow_unchanged: bool = False
    window: tuple[float, float] | str | None = None
    frames: str = "single"
    format: str = "png"
    png_level: int = PNG_LEVEL
    _strengths: dict[tuple[str, int | str, str | None], dict[str, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def degrade(
        self, image: Image.Image, name: str, severity: int | str, seed: str, modality: str | None
    ) -> tuple[Image.Image, dict[str, Any]]:
        """Degrade one image as the request says; as `degrade_with_record`, whose errors it raises."""
        return degrade_with_record(
            image,
            name,
            severity,
            seed=seed,
            modality=modality,
            severities=self.table,
            reference_size=self.reference_size,
            keep_markings=self.keep_markings,
            allow_unchanged=self.allow_unchanged,
        )

    def settings(self, name: str, severity: int | str, seed: str, modality: str | None) -> dict[str, Any]:
        """Everything but the input that decides one output's bytes, as JSON."""
        settings = {
            "name": name,
            "severity": severity,
            "seed": seed,
            "modality": modality,
            "strength": self._strength(name, severity, modality),
            "reference_size": self.reference_size,
            "keep_markings": self.keep_markings,
            "window": list(self.window) if isinstance(self.window, tuple) else self.window,
            "format": self.format,
            "version": _version(),
        }
        # Only where it is not the usual one, so that the manifests of earlier versions still hold.
        if self.format == "png" and self.png_level != PNG_LEVEL:
            settings["png_level"] = self.png_level
        return settings

    def prepare(self) -> None:
        """Look the strengths up that all files share, so that a folder's workers need not."""
        for name in self.names:
            for severity in self.severities:
                self._strength(name, severity, self.modality)

    def _strength(self, name: str, severity: int | str, modality: str | None) -> dict[str, Any]:
        key = (name, severity, modality)
        if key not in self._strengths:
            self._strengths[key] = self._looked_up(*key)
        return self._strengths[key]

    def _looked_up(self, name: str, severity: int | str, modality: str | None) -> dict[str, Any]:
        def row(level: str) -> dict[str, str]:
            return {key: str(value) for key, value in self.table.lookup(name, level, modality).items()}

        if isinstance(severity, int):
            return row(level_name(severity)) if severity else {}
        # A severity of a series follows from both levels.
        interpolate = self.table.course(name, modality).interpolate
        return {**{level: row(level) for level in LEVELS[1:]}, "interpolate": interpolate}


@functools.cache
def _version() -> str:
    return metadata.version("medqdeg")
