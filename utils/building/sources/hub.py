"""A source from the Hugging Face Hub: downloaded once into the usual cache, then read as a local folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...base.errors import InputError


def download(repository: str, revision: str | None, patterns: Sequence[str]) -> Path:
    """Return the folder of a dataset repository's files that match the patterns.

    Raises:
        InputError: not given out (no such repository or revision, a form to be signed first), not reachable and not
            in the cache, or no file matches.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        folder = Path(
            snapshot_download(repository, repo_type="dataset", revision=revision, allow_patterns=list(patterns))
        )
    except (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise InputError(
            f"the Hub does not give out the dataset {repository} ({_cause(error)}): check the name and the revision, "
            "sign the form on its page if it has one, and run `hf auth login`"
        ) from None
    except Exception as error:
        raise InputError(
            f"the dataset {repository} is not in the local cache, and the Hub cannot be reached ({_cause(error)}). "
            f"Copy it here (`hf download {repository} --repo-type dataset --local-dir DIR` on a connected machine) "
            "and give DIR instead"
        ) from None
    if not any(path.is_file() for path in folder.rglob("*")):
        raise InputError(f"the dataset {repository} has no file like {', '.join(patterns)}")
    return folder


def _cause(error: Exception) -> str:
    return " ".join(str(error).split()).partition(". ")[0][:160] or type(error).__name__
