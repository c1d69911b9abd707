"""Which data set a run is about: a name and a revision that another person can ask for."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..base.errors import InputError
from .location import DEFAULT_REPOSITORY, ENVIRONMENT_VARIABLE, HubRepository, locate

MANIFEST = "manifest.json"
"""Of a set that `medqdeg build` made; its hash stands for all files, which it lists with theirs."""


def data_set_identity() -> dict[str, str | None]:
    """Return `name` and `revision` of the data set that `MEDQDEG_DATA` names, else of the published one.

    A repository of the Hub has its id and the commit that lies in the cache; a folder has its own name, without the
    folders above it, and the first 12 digits of its manifest's SHA-256. The revision is None where there is none.
    """
    try:
        place = locate()
    except InputError:
        return {"name": os.environ.get(ENVIRONMENT_VARIABLE), "revision": None}
    if isinstance(place, HubRepository):
        return {"name": place.repository or DEFAULT_REPOSITORY, "revision": _commit(place)}
    folder = getattr(place, "folder", None)
    if not isinstance(folder, Path):
        return {"name": None, "revision": None}
    manifest = folder / MANIFEST
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()[:12] if manifest.is_file() else None
    return {"name": folder.name, "revision": digest and f"manifest {digest}"}


def _commit(place: HubRepository) -> str | None:
    """Return the commit of the cached snapshot that `place` means; its revision as given where none is cached."""
    from huggingface_hub.constants import HF_HUB_CACHE

    repository = Path(HF_HUB_CACHE) / f"datasets--{place.repository.replace('/', '--')}"
    reference = repository / "refs" / (place.revision or "main")
    return reference.read_text().strip() if reference.is_file() else place.revision
