"""Random numbers that depend on nothing but the call's arguments.

Every call gets a generator of its own, seeded by (seed, degradation, severity). No global state is read or
written, so the order of calls, the process and the number of threads do not matter. Python's `hash` is
salted for each process and is not used.
"""

from __future__ import annotations

import hashlib
import operator

import numpy as np


def generator(seed: int | str, name: str, stream: str) -> np.random.Generator:
    """Return the generator of one call.

    Args:
        seed: a non-negative integer, or a text such as an item's id.
        name: the degradation's canonical name.
        stream: which of the seed's streams: `"L1"` and `"L2"` are independent draws; a degradation that
            shares its draw between the severities uses the same stream for both.

    Raises:
        TypeError: the seed is neither an integer nor a text.
        ValueError: the seed is negative.
    """
    key = hashlib.sha256(f"medqdeg:{name}:{stream}".encode()).digest()
    words = np.frombuffer(key, dtype="<u4")
    entropy = [check_seed(seed), *(int(word) for word in words[:4])]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def check_seed(seed: int | str) -> int:
    """Return the seed as a non-negative integer; a text becomes 128 bits of its SHA-256."""
    if isinstance(seed, str):
        return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "little")
    if isinstance(seed, bool):
        raise TypeError("seed must be a non-negative integer or a text, not bool")
    try:
        value = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed must be a non-negative integer or a text, not {type(seed).__name__}") from None
    if value < 0:
        raise ValueError(f"seed must be a non-negative integer or a text, not {value}")
    return value
