"""Images of severities between the levels: a weighted sum of the operator's results, and how it is rounded.

All draws of a series come from L1's stream of the seed, so that one image's series is nested (the same spot grows, more
of the same lines are lost) and its severity 1 is L1 byte for byte. The published L2 is drawn independently of L1, so
that severity 2 of a series is another image than L2, as strong.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .registry import Degradation

Parts = Sequence[tuple[float, Mapping[str, Any] | None]]
"""Shares of the result, and the operator's arguments of each; None: the clean image."""

_KEPT = 4
_LARGEST_KEPT = 1 << 24
"""Numbers of an image above which its ideal result is made anew rather than kept."""

_ideals: dict[str, np.ndarray] = {}
_lock = threading.Lock()


def compose(entry: Degradation, operand: np.ndarray, parts: Parts) -> np.ndarray:
    """Add up the parts.

    Args:
        entry: the degradation.
        operand: (H, W) or (H, W, 3), 0..255; uint8 only for a single part of an operator that takes it.
        parts: their shares sum to 1.
    """
    if len(parts) == 1 and parts[0][1] is not None:
        whole: np.ndarray = entry.apply(operand, **parts[0][1])
        return whole
    total = np.zeros(operand.shape, np.float32)
    for share, parameters in parts:
        if parameters is None:
            part = operand
        elif share < 0:
            part = _ideal(entry, operand, parameters)
        else:
            part = entry.apply(operand, **parameters)
        total += np.float32(share) * part
    return total


def lift(severity: float) -> float:
    """Return what to add before truncating to whole levels at a severity of a series: a clean image stays as it is.

    The authors truncate, which alone takes half a level from a hardly degraded image: from 0 to 1 rounding to the
    nearest level turns into theirs.
    """
    return 0.5 * (1 - severity) if severity < 1 else 0.0


def _ideal(entry: Degradation, operand: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
    """The operator's undegraded result, which a series needs at each of its first severities; the latest are kept."""
    of_scan = {key: value for key, value in parameters.items() if key != "noise_seed"}
    arguments = json.dumps([entry.name, operand.shape, sorted(of_scan.items())])
    key = hashlib.sha256(arguments.encode() + np.ascontiguousarray(operand).tobytes()).hexdigest()
    with _lock:
        found = _ideals.get(key)
    if found is None:
        found = entry.apply(operand, **parameters)
        if found.size <= _LARGEST_KEPT:
            with _lock:
                while len(_ideals) >= _KEPT:
                    del _ideals[next(iter(_ideals))]
                _ideals[key] = found
    return found
