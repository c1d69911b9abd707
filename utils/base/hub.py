"""Dataset repositories of the Hugging Face Hub: how they are named, and what to say when one cannot be had."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import InputError

_ID = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?", re.ASCII)


class HubName(NamedTuple):
    """A repository ("owner/name") and its revision (branch, tag or commit), None for the newest."""

    repository: str
    revision: str | None


def hub_name(text: str) -> HubName | None:
    """Return what `owner/name` or `owner/name@revision` names, None where the text has another form."""
    match = _ID.fullmatch(text)
    return HubName(match["repository"], match["revision"]) if match else None


def cannot_be_had(error: Exception, repository: str, instead: str) -> InputError:
    """Return the error to raise where the Hub client failed.

    Args:
        error: of `huggingface_hub`.
        repository: "owner/name" of a dataset.
        instead: what to do with a copy in the folder DIR, such as "give DIR instead".
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    cause = " ".join(str(error).split()).partition(". ")[0][:160] or type(error).__name__
    if isinstance(error, (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError)):
        return InputError(
            f"the Hub does not give out the dataset {repository} ({cause}): check the name and the revision, sign the "
            "form on its page if it has one, and run `hf auth login`"
        )
    return InputError(
        f"the dataset {repository} is not in the local cache, and the Hub cannot be reached ({cause}). Either connect "
        f"and run again, or copy it here (`hf download {repository} --repo-type dataset --local-dir DIR` on a "
        f"connected machine) and {instead}"
    )
