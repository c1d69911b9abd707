"""`medqdeg store`: merged without loss, described, and faults found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.sampling.keys import RequestKey, request_key
from medqdeg.utils.sampling.store import Response, ResponseStore
from medqdeg.utils.sampling.store_files import OLD_FILE_NAME, store_files
from medqdeg.utils.sampling.store_upkeep import MERGED_FILE_NAME, describe, faults, files_of, merge


def key(item: str) -> RequestKey:
    return request_key(task=f"t{item}", item=item, prompt=["ü"], arguments={}, model="m", mode="votes")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three machines; a and b answered one trial in common, a first; c answered nothing."""
    stores = {}
    for node in "abc":
        monkeypatch.setenv("MEDQDEG_NODE", node)
        stores[node] = ResponseStore(tmp_path / "shared", {"node": node})
    for trial in range(30):
        stores["a"].add(key("1"), trial, Response(f"a{trial}", trial))
    stores["b"].add_all(key("1"), {29: Response("b29"), 30: Response("b30")})
    stores["b"].add(key("2"), 0, Response("B"))
    for store in stores.values():
        store.close()
    monkeypatch.setenv("MEDQDEG_NODE", "reader")
    return tmp_path / "shared"


def test_nothing_is_lost_and_the_earlier_reply_stays(folder: Path, tmp_path: Path) -> None:
    sources = {path: path.read_bytes() for path in store_files(folder)}
    done = merge([folder], tmp_path / "merged")
    assert (done.responses, done.added, done.conflicts) == (32, 32, 1)
    assert {path: path.read_bytes() for path in store_files(folder)} == sources
    store = ResponseStore(tmp_path / "merged", {})
    expected = {trial: Response(f"a{trial}", trial) for trial in range(30)}
    assert store.responses(key("1")) == {**expected, 30: Response("b30")}
    assert store.responses(key("2")) == {0: Response("B")}
    assert faults(done.path) == []
    assert describe(done.path).sessions == 3


def test_a_merge_can_be_repeated_and_added_to(folder: Path, tmp_path: Path) -> None:
    a, b, c = store_files(folder)
    assert merge([b, c], tmp_path / "merged").added == 3
    assert merge([a], tmp_path / "merged").responses == 32
    again = merge([folder], tmp_path / "merged")
    assert (again.responses, again.added) == (32, 0)
    assert ResponseStore(tmp_path / "merged", {}).responses(key("1"))[29] == Response("a29", 29)


def test_a_folder_can_be_merged_into_itself(folder: Path) -> None:
    assert merge([folder], folder).responses == 32
    assert len(ResponseStore(folder, {}).responses(key("1"))) == 31


def test_what_is_there_is_described(folder: Path) -> None:
    a, b, c = (describe(path) for path in store_files(folder))
    assert (a.responses, a.requests, a.tasks) == (30, 1, {"t1": 30})
    assert (b.responses, b.requests, b.tasks) == (3, 2, {"t1": 2, "t2": 1})
    assert (c.responses, c.first) == (0, None)
    assert a.first is not None
    assert a.last is not None
    assert a.first <= a.last


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("UPDATE requests SET content = content || ' '", "does not match its content"),
        ("DELETE FROM requests", "30 responses stand without their request"),
    ],
)
def test_faults_are_found_and_not_merged(damage: str, fault: str, folder: Path, tmp_path: Path) -> None:
    a, *_ = store_files(folder)
    assert faults(a) == []
    with sqlite3.connect(a) as connection:
        connection.execute(damage)
    connection.close()
    assert fault in faults(a)[0]
    with pytest.raises(InputError, match="is not merged"):
        merge([folder], tmp_path / "merged")
    assert not list(tmp_path.glob("merged/*")), "half a merge was left"


def test_a_torn_file_is_a_fault_and_no_traceback(folder: Path) -> None:
    a, *_ = store_files(folder)
    content = bytearray(a.read_bytes())
    content[4096:8192] = b"\x5a" * 4096
    a.write_bytes(content)
    assert faults(a)
    a.write_bytes(b"no database at all" * 100)
    assert "cannot be read" in faults(a)[0]


def test_places_without_a_store_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no store"):
        files_of([tmp_path])
    (tmp_path / OLD_FILE_NAME).touch()
    with pytest.raises(InputError, match="store of version 1"):
        files_of([tmp_path])
    with pytest.raises(InputError, match="neither a folder nor a file"):
        files_of([tmp_path / "nowhere"])


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from typer.testing import CliRunner

    from medqdeg.utils.command_line import app

    def called(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["store", *arguments])
        return result.exit_code, " ".join(result.output.split())

    status, said = called("merge", str(folder), "--into", str(tmp_path / "merged"))
    assert status == 0
    assert "32 responses, 32 of them new 1 trials had different replies" in said
    status, said = called("info", str(tmp_path / "merged"))
    assert f"{MERGED_FILE_NAME}: 32 responses to 2 requests in 3 sessions" in said
    assert "t1: 31" in said
    assert called("verify", str(folder), str(tmp_path / "merged"))[0] == 0
    with sqlite3.connect(store_files(folder)[0]) as connection:
        connection.execute("DELETE FROM requests")
    connection.close()
    status, said = called("verify", str(folder))
    assert status == 1
    assert "1 faults" in said
