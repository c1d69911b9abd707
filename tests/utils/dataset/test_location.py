"""Where the files are found, and what is said where they are not; the Hub against a fake one on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset.built import part_name
from medqdeg.utils.dataset.location import (
    DEFAULT_REPOSITORY,
    HubRepository,
    LocalFolder,
    file_name,
    locate,
)

from .fake_hub import COMMIT, REPOSITORY, fake_hub
from .files import CLEAN_FILE, DEGRADED_FILE, encoded, item, pixels, refusal, write, write_clean, write_degraded


def test_one_file_for_the_clean_level_and_one_for_the_others() -> None:
    assert file_name("test", "L0") == CLEAN_FILE
    assert file_name("test", "L1") == file_name("test", "L2") == DEGRADED_FILE
    assert file_name("dev", "L0") == "MedQ-Robust-good-dev.tsv"
    with pytest.raises(InputError, match="unknown split 'Test': known are test, dev"):
        file_name("Test", "L0")


def test_a_folder_or_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate(tmp_path) == LocalFolder(tmp_path.resolve())
    assert locate("owner/name") == HubRepository("owner/name")
    assert locate("owner/name@v1.0") == HubRepository("owner/name", "v1.0")
    monkeypatch.delenv("MEDQDEG_DATA", raising=False)
    assert locate() == HubRepository(DEFAULT_REPOSITORY)
    monkeypatch.setenv("MEDQDEG_DATA", " ")
    assert locate() == HubRepository(DEFAULT_REPOSITORY)
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    assert locate() == LocalFolder(tmp_path.resolve())
    (tmp_path / "own" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert locate("own/er") == LocalFolder(tmp_path.resolve() / "own" / "er")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate("~/own") == LocalFolder(tmp_path.resolve() / "own")


@pytest.mark.parametrize(
    "where",
    [
        "/no/such/folder",
        "./absent",
        "../absent",
        "~nobody-of-this-name/x",
        "a/b/c",
        "plain",
        "x" * 5000,
        "a b/c",
        "a\0b/c",
    ],
)
def test_neither_a_folder_nor_a_hub_id(where: str) -> None:
    assert "is neither a folder nor a Hub id" in str(refusal(locate, where))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = write_degraded(tmp_path)
    assert "is neither a folder nor a Hub id" in str(refusal(locate, path))


def test_a_local_folder(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    assert f"has no file {CLEAN_FILE}; found no TSV file. Set MEDQDEG_DATA" in str(refusal(folder.fetch, CLEAN_FILE))
    assert folder.first_line(DEGRADED_FILE) is None
    path = write_degraded(tmp_path)
    assert folder.fetch(DEGRADED_FILE) == path
    assert folder.first_line(DEGRADED_FILE) == path.read_bytes().splitlines(keepends=True)[0]
    (tmp_path / "other.tsv").touch()
    assert f"found {DEGRADED_FILE}, other.tsv. Set" in str(refusal(folder.fetch, CLEAN_FILE))
    (tmp_path / CLEAN_FILE).mkdir()
    assert f"has no file {CLEAN_FILE}" in str(refusal(folder.fetch, CLEAN_FILE))


def test_a_built_set_without_items_in_the_split(tmp_path: Path) -> None:
    part = tmp_path / part_name("L0", "test", 0, 1)
    part.parent.mkdir(parents=True)
    part.touch()
    folder = LocalFolder(tmp_path)
    assert folder.parts("test", "L0") == [part]
    said = str(refusal(folder.parts, "dev", "L0"))
    assert said.startswith("data/L0/ holds test items and none of the split dev")
    assert "TSV" not in said


# The Hub. huggingface_hub reads its endpoint and its mode when it is imported, so each case has its own process.


def on_hub(program: str, endpoint: str, home: Path, **environment: str) -> dict[str, object]:
    """Run a program that fills `answer`, with the package and a caught `refusal` at hand; return `answer`."""
    prologue = """
        import json, sys
        from medqdeg.utils.dataset.location import HubRepository, locate
        from medqdeg.utils.base.errors import InputError
        def refusal(function, *arguments):
            try:
                function(*arguments)
            except InputError as error:
                return str(error)
        answer = {}
    """
    text = textwrap.dedent(prologue) + textwrap.dedent(program) + "\nprint(json.dumps(answer))"
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "MEDQDEG_"))}
    own = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "NO_PROXY": "*", "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**clean, **own, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_files_with_images_inside(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write_clean(source, *(item(n, degradation_severity=0, question="The same") for n in range(3)))
    write_degraded(source, *(item(10 + n, source_index=n) for n in range(3)))
    files = {path.name: path.read_bytes() for path in sorted(source.iterdir())}
    program = f"""
        from medqdeg.utils.dataset.loading import load_level
        place = locate({REPOSITORY!r})
        for level in ("L0", "L1"):
            items = load_level("test", level, place)
            answer[level] = dict(zip(items["item_id"], items["source_question_id"]))
        answer["path"] = str(place.fetch({CLEAN_FILE!r}))
        answer["missing"] = refusal(place.fetch, "MedQ-Robust-good-dev.tsv")
    """
    with fake_hub(files) as hub:
        found = on_hub(program, hub.endpoint, tmp_path / "home")
        assert found["L0"] == {str(n): f"index:{n}" for n in range(3)}
        assert found["L1"] == {str(10 + n): f"index:{n}" for n in range(3)}
        assert COMMIT in Path(str(found["path"])).parts
        assert f"has no file MedQ-Robust-good-dev.tsv; found {CLEAN_FILE}, {DEGRADED_FILE}" in str(found["missing"])
        assert hub.unknown == []
    # What was fetched is enough without a network.
    offline = on_hub(
        program.replace('answer["missing"]', "#"), "http://127.0.0.1:9", tmp_path / "home", HF_HUB_OFFLINE="1"
    )
    assert offline["L0"] == found["L0"]
    assert offline["L1"] == found["L1"]


def test_files_with_images_beside_them_deeper_in_the_repository(tmp_path: Path) -> None:
    rows = [item(n, image=None, image_path=f"pic[s]/{n}.png") for n in range(3)]
    rows.append(item(3, image=None, image_path="top.png"))
    table = write(tmp_path / "table.tsv", rows).read_bytes()
    files = {f"data/{DEGRADED_FILE}": table, "data/top.png": encoded(pixels(3))}
    files |= {f"data/pic[s]/{n}.png": encoded(pixels(n)) for n in range(3)}
    files |= {"other/0.png": b"x", "pics/0.png": b"x", "0.png": b"x", "data/notes.txt": b"x"}
    program = f"""
        import numpy
        from medqdeg.utils.dataset.loading import load_level
        items = load_level("test", "L1", locate("{REPOSITORY}@v1"))
        for entry in items:
            answer[entry["item_id"]] = numpy.asarray(entry["images"][0]).tolist()
    """
    with fake_hub(files) as hub:
        found = on_hub(program, hub.endpoint, tmp_path / "home")
        assert found == {str(n): pixels(n).tolist() for n in range(4)}
        fetched = {path for path, _ in hub.sent}
        assert fetched == {path for path in files if path.startswith("data/") and not path.endswith(".txt")}
        hub.sent.clear()
        assert on_hub(program, hub.endpoint, tmp_path / "home") == found
        assert hub.sent == []
        assert hub.unknown == []


def test_what_the_hub_does_not_give_out(tmp_path: Path) -> None:
    program = f"""
        answer["repository"] = refusal(HubRepository("someone/else").fetch, {CLEAN_FILE!r})
        answer["revision"] = refusal(HubRepository({REPOSITORY!r}, "v9").fetch, {CLEAN_FILE!r})
        answer["file"] = refusal(HubRepository({REPOSITORY!r}).fetch, {CLEAN_FILE!r})
        answer["name"] = refusal(HubRepository("bad--name/x..y").fetch, {CLEAN_FILE!r})
        answer["line"] = HubRepository({REPOSITORY!r}).first_line({CLEAN_FILE!r})
    """
    with fake_hub({"README.md": b"x"}) as hub:
        found = on_hub(program, hub.endpoint, tmp_path / "home", MEDQDEG_DATA="someone/else")
        hub.gated = True
        gated = on_hub(program, hub.endpoint, tmp_path / "home")
    for said in (found["repository"], found["revision"], gated["file"]):
        assert "the Hub does not give out the dataset someone/" in str(said)
        assert (
            "check the name and the revision, sign the form on its page if it has one, and run `hf auth login`"
            in str(said)
        )
    assert "if a folder was meant, 'someone/else' does not exist" in str(found["repository"])
    assert f"the dataset {REPOSITORY} has no file {CLEAN_FILE}; found no TSV file" in str(found["file"])
    assert found["line"] is None
    for said in (*found.values(), *gated.values()):
        assert len(str(said).splitlines()) == 1


@pytest.mark.parametrize(
    "offline",
    # Without the offline mode huggingface_hub tries six times, in 23 seconds, before it gives up.
    [pytest.param("0", marks=pytest.mark.slow, id="no connection"), pytest.param("1", id="offline mode")],
)
def test_no_network_and_nothing_cached(tmp_path: Path, offline: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"  # bound, not listening: connections are refused
        program = f'answer["said"] = refusal(HubRepository("owner/name").fetch, {CLEAN_FILE!r})'
        said = str(on_hub(program, endpoint, tmp_path, HF_HUB_OFFLINE=offline)["said"])
    assert len(said.splitlines()) == 1
    assert "is not in the local cache, and the Hub cannot be reached" in said
    assert "Either connect and run again, or copy it here" in said
    assert "set MEDQDEG_DATA=DIR" in said
