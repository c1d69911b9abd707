"""A built set to the Hugging Face Hub: what is uploaded, and when it is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import InputError, one_line
from ...base.file_hashes import file_sha256
from ..layout import DATA, MANIFEST, PICTURES, WORK, read_json
from .card import licences_of

MAY_BE_REDISTRIBUTED: frozenset[str] = frozenset(
    {
        "apache-2.0",
        "mit",
        "bsd-2-clause",
        "bsd-3-clause",
        "isc",
        "cc0-1.0",
        "pddl-1.0",
        "odc-by-1.0",
        "odc-by",
        "odbl-1.0",
    }
    | {
        f"cc-by{kind}-{number}"
        for kind in ("", "-sa", "-nc", "-nc-sa")
        for number in ("1.0", "2.0", "2.5", "3.0", "4.0")
    }
)
"""SPDX identifiers, in lower case, under which changed copies may be passed on (some for non-commercial use only).

Licences "-ND" are not among them: a degraded image is a changed copy. Whatever is not named here is not assumed to
permit anything.
"""


@dataclass(frozen=True)
class Refusal:
    """A source of the set whose licence does not say that its items may be passed on."""

    source: str
    licence: str
    items: int

    def __str__(self) -> str:
        return f"{self.source}: {self.items:,} clean items, licence {self.licence}"


@dataclass(frozen=True)
class Upload:
    """What a push sends: paths relative to the folder, and how many bytes they are in all."""

    repository: str
    files: tuple[str, ...]
    bytes: int
    private: bool


def refusals(manifest: Mapping[str, Any]) -> list[Refusal]:
    """Return the sources of a set that may not be passed on as far as their licences say."""
    return [
        Refusal(source, licence, number)
        for source, by in licences_of(manifest).items()
        for licence, number in by.items()
        if licence.casefold() not in MAY_BE_REDISTRIBUTED
    ]


def prepare(folder: Path, repository: str, *, private: bool, permitted: Collection[str] = ()) -> Upload:
    """Check a built set and say what would be uploaded.

    Args:
        folder: of a finished build.
        repository: owner/name.
        private: whether to make the repository private.
        permitted: sources of which the user says in so many words that they may be redistributed.

    Raises:
        InputError: the build is not finished, a file is not as the manifest says, or a licence stands against it.
    """
    manifest = read_json(folder / MANIFEST)
    if manifest is None:
        raise InputError(f"{folder} has no {MANIFEST}: is it a finished build of medqdeg build?")
    if against := [each for each in refusals(manifest) if each.source not in permitted]:
        first = against[0].source
        raise InputError(
            f"not pushed, since these licences do not permit redistribution: {'; '.join(map(str, against))}. If you "
            f"have the permission of those who hold the rights, say so: --i-have-permission-to-redistribute {first!r}"
        )
    size = 0
    for name, file in manifest["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != file["bytes"] or file_sha256(path) != file["sha256"]:
            raise InputError(f"{path} is not as {MANIFEST} says; run the build again")
        size += file["bytes"]
    return Upload(repository, (*manifest["files"], MANIFEST), size + (folder / MANIFEST).stat().st_size, private)


def push(folder: Path, upload: Upload) -> str:
    """Upload a prepared set and return its address.

    A repository that is there keeps its visibility: where a private one is wanted and it is public, nothing is sent.

    Raises:
        InputError: the Hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        url = api.create_repo(upload.repository, repo_type="dataset", private=upload.private, exist_ok=True)
        if upload.private and not api.repo_info(upload.repository, repo_type="dataset").private:
            raise InputError(f"{upload.repository} is public: choose another repository, or say --public")
        api.upload_folder(
            repo_id=upload.repository,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(upload.files),
            ignore_patterns=[f"{WORK}/**"],
            # Parts of an earlier build of another size would be read along with these.
            delete_patterns=[f"{DATA}/**", f"{PICTURES}/**", "*.tsv"],
            commit_message="Data set built with medqdeg",
        )
    except InputError:
        raise
    except Exception as error:  # whatever the network or the Hub says
        raise InputError(f"{upload.repository}: not pushed ({one_line(error, 200)})") from None
    return str(url)
