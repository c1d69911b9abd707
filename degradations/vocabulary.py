"""The names of levels and modalities."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import overload

LEVELS: tuple[str, ...] = ("L0", "L1", "L2")
"""Severities: L0 is the clean image, L1 mild and L2 severe degradation."""

MODALITIES: tuple[str, ...] = ("CT", "MRI", "X-ray", "Ultrasound", "Histopathology", "Dermoscopy", "Endoscopy")

MODALITY_ALIASES: Mapping[str, str] = {
    "ct": "CT",
    "computed tomography": "CT",
    "mri": "MRI",
    "mr": "MRI",
    "magnetic resonance imaging": "MRI",
    "x-ray": "X-ray",
    "xray": "X-ray",
    "x ray": "X-ray",
    "radiography": "X-ray",
    "ultrasound": "Ultrasound",
    "us": "Ultrasound",
    "histopathology": "Histopathology",
    "histology": "Histopathology",
    "pathology": "Histopathology",
    "dermoscopy": "Dermoscopy",
    "dermatoscopy": "Dermoscopy",
    "endoscopy": "Endoscopy",
}


@overload
def check_modality(modality: str) -> str: ...
@overload
def check_modality(modality: str | None) -> str | None: ...
def check_modality(modality: str | None) -> str | None:
    """Return the modality's canonical name (one of `MODALITIES`); None stays None.

    Raises:
        ValueError: unknown modality.
    """
    if modality is None:
        return None
    known = MODALITY_ALIASES.get(str(modality).strip().lower().replace("_", " "))
    if known is None:
        raise ValueError(unknown("modality", modality, MODALITIES, MODALITY_ALIASES))
    return known


def unknown(what: str, name: object, names: Iterable[str], meaning: Mapping[str, str]) -> str:
    """Return the message for a name that nobody knows, with the one that is near, if any.

    Args:
        what: that the name should be.
        name: as given.
        names: those to choose from.
        meaning: every name or alias, in lower case, and the name that it stands for.
    """
    near = get_close_matches(str(name).strip().lower().replace(" ", "_"), meaning, n=1)
    hint = f"did you mean {meaning[near[0]]!r}? " if near else ""
    return f"unknown {what} {name!r}: {hint}expected one of {', '.join(names)}"


def check_severity(severity: float | str) -> str:
    """Return "L0", "L1" or "L2" for 0, 1, 2, 1.0 and "1.0" (a column with gaps), "1", "l1", "L1".

    Raises:
        ValueError: anything else.
    """
    text = "".join(str(severity).split()).upper().removeprefix("L")
    level = f"L{re.sub(r'[.]0+$', '', text)}"
    if level not in LEVELS or isinstance(severity, bool):
        raise ValueError(f"unknown severity {severity!r}: expected 0, 1 or 2 (or L0, L1, L2)")
    return level


@dataclass(frozen=True)
class Severity:
    """How severe, and of which draw.

    Attributes:
        value: 0 is clean, 1 as severe as L1, 2 as L2; any number from 0 on.
        series: whether it belongs to the series of one draw; False: one of the published levels.
    """

    value: float
    series: bool

    @property
    def label(self) -> str:
        """`"L0"`, `"L1"`, `"L2"`, or `"S1.50"` in a series; a clean image is `"L0"` in both."""
        if not self.series or self.value == 0:
            return f"L{self.value:.0f}"
        short = f"{self.value:.2f}"
        return "S" + (short if float(short) == self.value else repr(self.value))


def read_severity(severity: float | str, series: bool = False) -> Severity:
    """Read a severity from what a caller writes.

    Args:
        severity: a number or its text, with or without an L (`2`, `"L2"`: a published level; 1.5: of the series),
            or `"S1.50"`, which is always of the series.
        series: take 1 and 2 for severities of the series as well.

    Raises:
        ValueError: no finite number from 0 on.
    """
    text = "".join(str(severity).split()).upper()
    try:
        value = float(re.sub(r"^[LS]", "", text))
    except ValueError:
        value = math.nan
    published = value in (0, 1, 2)
    if isinstance(severity, bool) or not 0 <= value < math.inf or (text.startswith("L") and not published):
        raise ValueError(
            f"unknown severity {severity!r}: expected 0, 1 or 2 (or L0, L1, L2), or a number from 0 on, such as 1.5"
        )
    return Severity(value, series or text.startswith("S") or not published)
