"""Phantoms: images of seven modalities whose truth is known by construction, and questions about them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ...degradations import MODALITIES
from .question import Generator, Question, Scene

__all__ = ["GENERATORS", "Generator", "Question", "Scene"]

_MODULES = {"X-ray": "xray"}

GENERATORS: Mapping[str, Generator] = {
    modality: import_module(f".generators.{_MODULES.get(modality, modality.lower())}", __name__).GENERATOR
    for modality in MODALITIES
}
"""Modality -> its generator, in the benchmark's order."""
