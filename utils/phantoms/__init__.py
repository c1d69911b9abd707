"""Phantoms: images of seven modalities whose truth is known by construction, and questions about them."""

from __future__ import annotations

from collections.abc import Mapping

from .generators import ct, dermoscopy, endoscopy, histopathology, mri, ultrasound, xray
from .question import Generator, Question, Scene

__all__ = ["GENERATORS", "Generator", "Question", "Scene"]

_MODULES = (ct, mri, xray, ultrasound, histopathology, dermoscopy, endoscopy)

GENERATORS: Mapping[str, Generator] = {module.GENERATOR.modality: module.GENERATOR for module in _MODULES}
"""Modality -> its generator, in the benchmark's order."""
