"""A source from the Hugging Face Hub: downloaded once into the usual cache, then read as a local folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...base.errors import InputError
from ...base.hub import cannot_be_had


def download(repository: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Return the folder of a dataset repository's files that match the patterns.

    Raises:
        InputError: not given out (no such repository or revision, a form to be signed first), not reachable and not
            in the cache, or no file matches.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(repository, repo_type="dataset", revision=revision, allow_patterns=list(patterns))
        )
    except Exception as error:
        raise cannot_be_had(error, repository, "give DIR instead") from None
    if not any(path.is_file() for path in folder.rglob("*")):
        raise InputError(f"the dataset {repository} has no file like {', '.join(patterns)}")
    return folder
