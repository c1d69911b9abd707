"""Where the files of the data set lie: a local folder or a repository of the Hugging Face Hub.

Either holds the four TSV files of the published layout, or the Parquet files of `medqdeg build` (see `built`).
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, Protocol

from ..base.errors import InputError
from ..base.hub import cannot_be_had, hub_name
from ..base.wrong_folders import what_it_is
from .built import DATA, parts_among, series_among
from .image_cells import is_file
from .taxonomy import CLEAN
from .tsv import first_line

DEFAULT_REPOSITORY = "jiyaoliufd/MedQ-DEG-Bench"
ENVIRONMENT_VARIABLE = "MEDQDEG_DATA"
SPLITS: tuple[str, ...] = ("test", "dev")


def file_name(split: str, level: str) -> str:
    """Return the file that holds a level of a split: clean items in one file, L1 and L2 together in another."""
    if split not in SPLITS:
        raise InputError(f"unknown split {split!r}: known are {', '.join(SPLITS)}")
    return f"MedQ-Robust-{'good' if level == CLEAN else 'simulate'}-{split}.tsv"


class Location(Protocol):
    """A place that holds the files."""

    def parts(self, split: str, level: str) -> list[Path]:
        """Return the local paths of a built set's Parquet files, downloading them if need be; [] where it is none.

        Raises:
            InputError: some of them are missing.
        """
        ...

    def series(self) -> tuple[str, ...]:
        """Return the labels of the severities that a built set holds beside L0, L1 and L2."""
        ...

    def fetch(self, name: str) -> Path:
        """Return the local path of a file, downloading it if need be. Raises `InputError` if there is none."""
        ...

    def fetch_images(self, tsv: Path, paths: Iterable[str]) -> None:
        """See to it that image files are on disk beside `tsv` where the place has them.

        Args:
            tsv: a path that `fetch` returned.
            paths: plain paths relative to the folder of `tsv` (see `image_cells.relative_path`).
        """
        ...

    def first_line(self, name: str) -> bytes | None:
        """Return the first line of a file without fetching all of it, or None if that cannot be had."""
        ...


@dataclass(frozen=True)
class LocalFolder:
    """A folder with the four TSV files, images inside them or beside them, or with a built set."""

    folder: Path

    def parts(self, split: str, level: str) -> list[Path]:
        """Return the paths of a built set's Parquet files; [] where the folder holds none.

        Raises:
            InputError: some of them are missing.
        """
        names = (path.relative_to(self.folder).as_posix() for path in self.folder.glob(f"{DATA}/{level}/*.parquet"))
        return [self.folder / name for name in parts_among(names, split, level)]

    def series(self) -> tuple[str, ...]:
        """Return the folder's levels beside the published ones; see `Location.series`."""
        return series_among(
            path.relative_to(self.folder).as_posix() for path in self.folder.glob(f"{DATA}/*/*.parquet")
        )

    def fetch(self, name: str) -> Path:
        """Return the path of a file. Raises `InputError`, which names the TSV files that are there, if it is absent."""
        path = self.folder / name
        if path.is_file():
            return path
        found = sorted(entry.name for entry in self.folder.glob("*.tsv"))
        raise InputError(
            f"{self.folder} has no file {name}; found {', '.join(found) if found else 'no TSV file'}. "
            f"Set {ENVIRONMENT_VARIABLE} to the folder that holds it{self._instead(found)}"
        )

    def _instead(self, tables: list[str]) -> str:
        what = None if tables else what_it_is(self.folder)
        return f"; {what}" if what else ""

    def fetch_images(self, tsv: Path, paths: Iterable[str]) -> None:
        """Nothing to do: what is in a local folder is there."""

    def first_line(self, name: str) -> bytes | None:
        """Return the first line of a file, or None if there is no such file."""
        path = self.folder / name
        return first_line(path) if is_file(path) else None


@dataclass(frozen=True)
class HubRepository:
    """A dataset repository of the Hub, downloaded into the usual Hugging Face cache."""

    repository: str
    revision: str | None = None

    def parts(self, split: str, level: str) -> list[Path]:
        """Download a built set's Parquet files of a level and return their paths; [] where the repository holds none.

        Where the TSV file is in the cache already, it is used and the Hub is not asked. Without a network, what an
        earlier run downloaded is taken.

        Raises:
            InputError: some of them are missing.
        """
        from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

        options: dict[str, Any] = {"repo_id": self.repository, "repo_type": "dataset", "revision": self.revision}
        tsv = try_to_load_from_cache(
            self.repository, file_name(split, level), repo_type="dataset", revision=self.revision or "main"
        )
        if isinstance(tsv, str):
            return []
        try:
            names = HfApi().list_repo_files(**options)
            wanted = parts_among(names, split, level)
            folder = Path(snapshot_download(**options, allow_patterns=wanted)) if wanted else None
        except InputError:
            raise
        except Exception:  # no network: what an earlier run fetched, else `fetch` says what is wrong
            try:
                folder = Path(snapshot_download(**options, local_files_only=True))
            except Exception:
                return []
            names = [path.relative_to(folder).as_posix() for path in folder.glob(f"{DATA}/{level}/*.parquet")]
            wanted = parts_among(names, split, level)
        return [] if folder is None else [folder / name for name in wanted]

    def series(self) -> tuple[str, ...]:
        """Return the repository's levels beside the published ones; see `Location.series`."""
        from huggingface_hub import HfApi, snapshot_download

        options: dict[str, Any] = {"repo_id": self.repository, "repo_type": "dataset", "revision": self.revision}
        try:
            return series_among(HfApi().list_repo_files(**options))
        except Exception:  # no network: what an earlier run fetched
            try:
                folder = Path(snapshot_download(**options, local_files_only=True))
            except Exception:
                return ()
            return LocalFolder(folder).series()

    def fetch(self, name: str) -> Path:
        """Download a file, wherever in the repository it lies, and return its path in the cache.

        Raises:
            InputError: there is no such file, or no access to the repository, or no network.
        """
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        options: dict[str, Any] = {"repo_id": self.repository, "repo_type": "dataset", "revision": self.revision}
        try:
            return Path(hf_hub_download(filename=name, **options))
        except LocalEntryNotFoundError as error:
            self._explain(error)
        except EntryNotFoundError:
            try:
                files = HfApi().list_repo_files(**options)
                for candidate in files:
                    if PurePosixPath(candidate).name == name:
                        return Path(hf_hub_download(filename=candidate, **options))
            except Exception as error:
                self._explain(error)
            found = [entry for entry in files if entry.endswith(".tsv")]
            raise InputError(
                f"the dataset {self.repository} has no file {name}; found {', '.join(found) or 'no TSV file'}"
            ) from None
        except Exception as error:
            self._explain(error)

    def fetch_images(self, tsv: Path, paths: Iterable[str]) -> None:
        """Download the image files that are not yet beside `tsv`, of the commit that it is of.

        Args:
            tsv: a path that `fetch` returned.
            paths: plain paths relative to the folder of `tsv`.

        Raises:
            InputError: the Hub cannot be reached or refuses.
        """
        from huggingface_hub import snapshot_download

        missing = [path for path in paths if not is_file(tsv.parent / path)]
        if not missing:
            return
        # .../snapshots/<commit>/<path in the repository>: the images must be of the commit that the file is of.
        snapshot = next(folder for folder in tsv.parents if folder.parent.name == "snapshots")
        folder = glob.escape(tsv.parent.relative_to(snapshot).as_posix() + "/").removeprefix("./")
        # One pattern per folder: one per file would be matched against every file of the repository.
        patterns = {
            f"{folder}{glob.escape(path.partition('/')[0])}/*"
            if "/" in path
            else f"{folder}*{PurePosixPath(path).suffix}"
            for path in missing
        }
        try:
            snapshot_download(
                self.repository, repo_type="dataset", revision=snapshot.name, allow_patterns=sorted(patterns)
            )
        except Exception as error:
            self._explain(error)

    def first_line(self, name: str) -> bytes | None:
        """Return the first line of a file from the cache, else from the Hub; None if that cannot be had."""
        from huggingface_hub import HfFileSystem, try_to_load_from_cache

        cached = try_to_load_from_cache(self.repository, name, repo_type="dataset", revision=self.revision or "main")
        try:
            if isinstance(cached, str):
                return first_line(Path(cached))
            reference = f"datasets/{self.repository}" + (f"@{self.revision}" if self.revision else "")
            with HfFileSystem().open(f"{reference}/{name}", "rb") as remote:
                line: bytes = remote.readline()
                return line
        except Exception:  # whatever the network or the Hub says: the line is a nicety, its absence is handled
            return None

    def _explain(self, error: Exception) -> NoReturn:
        hint = ""
        if os.environ.get(ENVIRONMENT_VARIABLE):
            hint = f"; if a folder was meant, {self.repository!r} does not exist"
        refusal = cannot_be_had(error, self.repository, f"set {ENVIRONMENT_VARIABLE}=DIR")
        raise InputError(f"{refusal}{hint}") from None


def locate(where: str | os.PathLike[str] | None = None) -> Location:
    """Return the place of the data set.

    Args:
        where: a folder, or a Hub id with an optional revision (`owner/name@revision`). None takes the environment
            variable `MEDQDEG_DATA` and, where that is unset or empty, the published data set.

    Raises:
        InputError: if it is neither.
    """
    given = str(where) if where is not None else os.environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if not given:
        return HubRepository(DEFAULT_REPOSITORY)
    try:
        folder = Path(given).expanduser()
        if folder.is_dir():
            return LocalFolder(folder.resolve())
    except (OSError, RuntimeError):  # a name too long for a folder, the home of a user who is not here
        pass
    if name := hub_name(given):
        return HubRepository(*name)
    raise InputError(f"{ENVIRONMENT_VARIABLE}={given} is neither a folder nor a Hub id such as {DEFAULT_REPOSITORY}")
