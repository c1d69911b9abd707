"""Pushing a set to a Hub on this machine: private by default, refused by licence, the set and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.finish.card import card
from medqdeg.utils.building.finish.publishing import MAY_BE_REDISTRIBUTED, prepare, push, refusals
from medqdeg.utils.building.layout import WORK

from .fake_upload_hub import UploadHub, upload_hub

REPOSITORY = "someone/my-set"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[UploadHub]:
    from huggingface_hub import constants, hf_api

    with upload_hub() as started:
        monkeypatch.setattr(constants, "ENDPOINT", started.endpoint)
        monkeypatch.setattr(hf_api, "is_xet_available", lambda: False)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield started


def test_the_whole_set_goes_to_a_private_repository(built: Path, hub: UploadHub) -> None:
    upload = prepare(built, REPOSITORY, private=True, permitted=["ward"])
    assert push(built, upload).endswith(f"/datasets/{REPOSITORY}")
    assert hub.repositories == {REPOSITORY: True}
    assert hub.unknown == []
    there = {
        path.relative_to(built).as_posix(): path.read_bytes()
        for path in built.rglob("*")
        if path.is_file() and WORK not in path.relative_to(built).parts
    }
    assert hub.files == there
    assert not any(name.startswith(".") for name in hub.files)


def test_parts_of_an_earlier_push_are_taken_away(built: Path, hub: UploadHub) -> None:
    hub.files = {"data/L1/test-00000-of-00001.parquet": b"old", "NOTES.md": b"theirs"}
    push(built, prepare(built, REPOSITORY, private=True, permitted=["ward"]))
    assert "data/L1/test-00000-of-00001.parquet" not in hub.files
    assert hub.files["NOTES.md"] == b"theirs"


def test_a_public_repository_takes_no_private_set(built: Path, hub: UploadHub) -> None:
    hub.repositories[REPOSITORY] = False
    with pytest.raises(InputError, match=f"{REPOSITORY} is public"):
        push(built, prepare(built, REPOSITORY, private=True, permitted=["ward"]))
    assert hub.files == {}


def test_a_source_without_a_licence_is_refused_until_permitted(built: Path) -> None:
    with pytest.raises(InputError, match=r"ward: \d+ clean items, licence not stated") as caught:
        prepare(built, REPOSITORY, private=True)
    assert "--i-have-permission-to-redistribute 'ward'" in str(caught.value)
    assert "GMAI" not in str(caught.value)
    with pytest.raises(InputError):
        prepare(built, REPOSITORY, private=True, permitted=["GMAI-MMBench"])
    assert prepare(built, REPOSITORY, private=True, permitted=["ward"]).private


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("Apache-2.0", False),
        ("CC-BY-NC-SA-4.0", False),
        ("CC-BY-NC-ND-4.0", True),  # a degraded image is a changed copy
        ("research use only", True),
        ("not stated", True),
    ],
)
def test_licences(licence: str, refused: bool) -> None:
    manifest = {"counts": {"L0": {"source": {"a: b": 3, "a": 1}, "licence": {f"a: b: {licence}": 3, "a: MIT": 1}}}}
    found = refusals(manifest)
    assert [(each.source, each.licence, each.items) for each in found] == ([("a: b", licence, 3)] if refused else [])
    assert not any("-nd" in name for name in MAY_BE_REDISTRIBUTED)


def test_a_changed_file_is_not_pushed(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(built, folder)
    (folder / "review.csv").write_text("item_id,degradation,decision\n")
    with pytest.raises(InputError, match=r"review\.csv is not as manifest\.json says"):
        prepare(folder, REPOSITORY, private=True, permitted=["ward"])
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match="finished build"):
        prepare(folder, REPOSITORY, private=True, permitted=["ward"])


def test_card_shows_a_source_s_name_as_text(built: Path) -> None:
    name = "<img src=x onerror=y>| [ward](z)\n# Heading"
    text = (built / "manifest.json").read_text().replace('"ward', json.dumps(name)[:-1])
    made = card(json.loads(text), [], ["test"])
    body = made.partition("\n---\n")[2]
    assert "<img" not in body
    assert "\n# Heading" not in body
    assert r"| &lt;img src=x onerror=y&gt;\| \[ward\](z) \# Heading |" in body
    assert body.count("\n# ") == 1


def test_card_opens_with_a_header_the_hub_reads(built: Path) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(built / "README.md")
    assert card.data.license == "other"
    assert [config["config_name"] for config in card.data.to_dict()["configs"]] == ["L0", "L1", "L2"]
    manifest = json.loads((built / "manifest.json").read_text())
    assert f"| ward | not stated | {manifest['counts']['L0']['licence']['ward: not stated']} |" in card.text
    for name, number in manifest["counts"]["L2"]["degradation"].items():
        assert f"| {name} | 0 | {number} | {number} |" in card.text
    for line in card.text.splitlines():
        if line.startswith("!["):
            assert (built / line.partition("](")[2].rstrip(")")).is_file()
