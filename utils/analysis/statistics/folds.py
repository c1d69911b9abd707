"""Folds of source questions that depend on the question's id alone: the same on every machine and in every subset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


def hashed(text: str, salt: str = "") -> int:
    """Return a number in [0, 2^64) from a text (the first eight bytes of its SHA-256)."""
    return int.from_bytes(hashlib.sha256(f"{salt}{text}".encode()).digest()[:8], "big")


def question_folds(question_ids: Sequence[str], folds: int = FOLDS) -> NDArray[np.int64]:
    """Return the fold 0..folds-1 of each source question."""
    return np.array([hashed(question) % folds for question in question_ids], dtype=np.int64)
