"""What levels and modalities are called."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def check_modality(modality: str | None) -> str | None:
    """The modality's canonical name (one of :data:`MODALITIES`); None stays None.

    Raises:
        ValueError: unknown modality.
    """
    if modality is None:
        return None
    known = MODALITY_ALIASES.get(str(modality).strip().lower().replace("_", " "))
    if known is None:
        raise ValueError(f"unknown modality {modality!r}: expected one of {', '.join(MODALITIES)}")
    return known


def check_severity(severity: float | str) -> str:
    """``"L0"``, ``"L1"`` or ``"L2"`` from 0, 1, 2, 1.0 and ``"1.0"`` (a column with gaps), ``"1"``, ``"l1"``, ``"L1"``.

    Raises:
        ValueError: anything else.
    """
    text = "".join(str(severity).split()).upper().removeprefix("L")
    level = f"L{re.sub(r'[.]0+$', '', text)}"
    if level not in LEVELS or isinstance(severity, bool):
        raise ValueError(f"unknown severity {severity!r}: expected 0, 1 or 2 (or L0, L1, L2)")
    return level
