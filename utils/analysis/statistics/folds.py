"""Folds of source questions that depend on the question's id alone: the same on every machine and in every subset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...dataset.subset_plan import hashed

FOLDS = 5


def question_folds(question_ids: Sequence[str], folds: int = FOLDS) -> NDArray[np.int64]:
    """Return the fold 0..folds-1 of each source question."""
    return np.array([hashed(question) % folds for question in question_ids], dtype=np.int64)
