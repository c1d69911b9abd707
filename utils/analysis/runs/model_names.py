"""A model's name as people write it, out of what a harness records: a path, a folder of the Hub's cache, a Hub id."""

from __future__ import annotations

import re

_HUB_CACHE = re.compile(r"(?:^|[/\\])models--(?P<name>[^/\\]+)")


def spoken_name(model: str) -> str:
    """Return the last part of a path or of a Hub id, and of the Hub's cache the repository's name."""
    if cached := _HUB_CACHE.search(model):
        return cached["name"].rpartition("--")[2]
    parts = [part for part in re.split(r"[/\\]", model) if part]
    return parts[-1] if parts else model
