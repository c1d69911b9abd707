"""What a data set is called in a result."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from medqdeg.utils.dataset.identity import MANIFEST, data_set_identity


def test_a_built_folder_is_known_by_its_name_and_its_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "our-set"
    folder.mkdir()
    monkeypatch.setenv("MEDQDEG_DATA", str(folder))
    assert data_set_identity() == {"name": "our-set", "revision": None}
    (folder / MANIFEST).write_text("{}")
    digest = hashlib.sha256(b"{}").hexdigest()[:12]
    assert data_set_identity() == {"name": "our-set", "revision": f"manifest {digest}"}


def test_a_repository_is_known_by_the_commit_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("MEDQDEG_DATA", "owner/set")
    assert data_set_identity() == {"name": "owner/set", "revision": None}
    reference = tmp_path / "datasets--owner--set" / "refs" / "main"
    reference.parent.mkdir(parents=True)
    reference.write_text("abc123\n")
    assert data_set_identity() == {"name": "owner/set", "revision": "abc123"}
    monkeypatch.setenv("MEDQDEG_DATA", "owner/set@v2")
    assert data_set_identity() == {"name": "owner/set", "revision": "v2"}
