"""Responses on disk: nothing lost, nothing torn, from several threads and processes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.sampling.keys import IN_BLOCKS, RequestKey, image_digest, request_key
from medqdeg.utils.sampling.store import Response, ResponseStore
from medqdeg.utils.sampling.store_files import OLD_FILE_NAME, own_file, store_files


def key(item: str = "1", **changes: object) -> RequestKey:
    parts = {"prompt": ["What?"], "arguments": {"temperature": 1.0}, "model": "m", "mode": "votes", **changes}
    return request_key(task="t", item=item, **parts)


def test_what_was_added_is_there_after_reopening(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path, {"run": 1})
    replies = {0: Response("B", 1), 1: Response("", None), 2: Response("line\nbreak \x00 ü 😀", 7)}
    for trial, response in replies.items():
        assert store.add(key(), trial, response) == response
    store.close()
    again = ResponseStore(tmp_path, {"run": 2})
    assert again.responses(key()) == replies
    assert again.responses(key("2")) == {}
    assert again.sessions() == [{"run": 1}, {"run": 2}]


def test_the_first_answer_stays(tmp_path: Path) -> None:
    one, two = ResponseStore(tmp_path, {}), ResponseStore(tmp_path, {})
    assert one.add(key(), 0, Response("A")) == Response("A")
    assert two.add(key(), 0, Response("B")) == Response("A")


@pytest.mark.parametrize("lost", [1, 100, 4096, 4097, 5000])
def test_a_torn_last_write_takes_nothing_else_with_it(lost: int, tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "live", {})
    for trial in range(20):
        store.add(key(), trial, Response(f"reply {trial}"))
    # As a kill leaves it: the files while they are open, the log cut in the middle of its last write.
    shutil.copytree(tmp_path / "live", tmp_path / "torn")
    file = own_file(tmp_path / "torn")
    log = file.with_name(f"{file.name}-wal")
    log.write_bytes(log.read_bytes()[:-lost])
    file.with_name(f"{file.name}-shm").unlink(missing_ok=True)
    found = ResponseStore(tmp_path / "torn", {}).responses(key())
    assert found == {trial: Response(f"reply {trial}") for trial in range(len(found))}
    assert 17 <= len(found) < 20


def test_threads(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path, {})
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda trial: store.add(key(str(trial % 7)), trial, Response(str(trial))), range(700)))
    for item in range(7):
        assert store.responses(key(str(item))) == {n: Response(str(n)) for n in range(700) if n % 7 == item}


WRITER = """
import sys
from pathlib import Path
from medqdeg.utils.sampling.keys import request_key
from medqdeg.utils.sampling.store import Response, ResponseStore

folder, rank = Path(sys.argv[1]), int(sys.argv[2])
key = request_key(task="t", item="1", prompt=["What?"], arguments={"temperature": 1.0}, model="m", mode="votes")
store = ResponseStore(folder, {"rank": rank})
for trial in range(rank, 200, 4):
    store.add(key, trial, Response(str(trial)))
"""


def test_processes(tmp_path: Path) -> None:
    # Programs of their own rather than a spawned pool, which would import this module by its name: some
    # packages install a top-level `tests`, which the child may find first.
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(rank)]) for rank in range(4)]
    assert [writer.wait(timeout=300) for writer in writers] == [0] * 4
    assert ResponseStore(tmp_path, {}).responses(key()) == {n: Response(str(n)) for n in range(200)}


def fill(store: ResponseStore) -> None:
    for trial in range(100):
        store.add(key(), trial, Response("x" * 3000))


def test_a_full_disk_is_called_one_and_nothing_stored_is_lost(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path, {})
    store._execute("PRAGMA max_page_count = 20")  # SQLite says of it what it says of a full disk
    with pytest.raises(InputError, match=r"the disk under the store .* is full; make room") as full:
        fill(store)
    assert "rollback" not in str(full.value)
    kept = store.responses(key())
    assert 0 < len(kept) < 100
    assert ResponseStore(tmp_path, {}).responses(key()) == kept
    store._execute("PRAGMA max_page_count = 1000")
    assert store.add(key(), 99, Response("room again")) == Response("room again")


@pytest.mark.parametrize("content", [b"not a database at all, but long enough for a header" * 10, "other", "newer"])
def test_a_file_of_somebody_else_is_refused_and_kept(content: bytes | str, tmp_path: Path) -> None:
    path = own_file(tmp_path)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE mine (x)")
            if content == "newer":
                other.execute("PRAGMA user_version = 99")
        other.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="name another folder"):
        ResponseStore(tmp_path, {})
    assert path.read_bytes() == before


def test_keys_differ_in_everything_that_is_asked() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    black, other = PIL.Image.fromarray(pixels), PIL.Image.fromarray(pixels + np.eye(4, dtype=np.uint8)[..., None])
    keys = [
        key(),
        key("2"),
        key(prompt=["What"]),
        key(prompt=[black]),
        key(prompt=[other]),
        key(prompt=[black, black]),
        key(arguments={"temperature": 0.5}),
        key(model="n"),
        key(mode="exact"),
        key(drawing=IN_BLOCKS),
    ]
    assert len({one.digest for one in keys}) == len(keys)
    assert key(prompt=[black.copy()]) == key(prompt=[black])
    assert image_digest(black) != image_digest(black.convert("L"))


def test_seeds_differ_by_trial_and_do_not_depend_on_the_process() -> None:
    seeds = {key().seed(trial, 0) for trial in range(1000)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert key().seed(0, 0) != key().seed(0, 1)
    assert 0 <= key().seed(0, 0, bits=31) < 2**31
    # The sha256 of the text below, worked out apart; a change of it would ask every stored run anew.
    text = (
        '{"arguments": {"temperature": 1.0}, "drawing": "one by one", "item": "1", "mode": "votes", "model": "m", '
        '"prompt": ["What?"], "task": "t", "version": 2}'
    )
    assert key().content == text
    assert key().digest == "cb169d3d0551c6a9bcb4c07296d0f63b5f8b4e2d39eca7b4b8a1017efc8317b2"


# --- Several machines ------------------------------------------------------------------------------------


def test_every_machine_writes_to_a_file_of_its_own_and_reads_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDQDEG_NODE", "a")
    first = ResponseStore(tmp_path, {})
    first.add(key(), 0, Response("from a"))
    monkeypatch.setenv("MEDQDEG_NODE", "b")
    second = ResponseStore(tmp_path, {})
    assert second.responses(key()) == {0: Response("from a")}, "while a has it open, from its log"
    second.add(key(), 1, Response("from b"))
    before = [path.read_bytes() for path in store_files(tmp_path)]
    monkeypatch.setenv("MEDQDEG_NODE", "c")
    assert ResponseStore(tmp_path, {}).responses(key()) == {0: Response("from a"), 1: Response("from b")}
    assert [path.name for path in store_files(tmp_path)] == [f"responses.{name}.sqlite" for name in "abc"]
    assert [path.read_bytes() for path in store_files(tmp_path)[:2]] == before


@pytest.mark.parametrize("reader", ["a", "b", "c"])
def test_of_two_replies_to_one_trial_every_machine_takes_the_earlier(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = []
    for node in "ab":  # both begin before either has answered
        monkeypatch.setenv("MEDQDEG_NODE", node)
        stores.append(ResponseStore(tmp_path, {}))
    stores[1].add(key(), 0, Response("earlier"))
    stores[0].add(key(), 0, Response("later"))
    monkeypatch.setenv("MEDQDEG_NODE", reader)
    assert ResponseStore(tmp_path, {}).responses(key()) == {0: Response("earlier")}


def test_a_copy_taken_while_others_write_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**os.environ, "MEDQDEG_NODE": "busy"}
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), "0"], env=environment)
    monkeypatch.setenv("MEDQDEG_NODE", "reader")
    seen = [0]
    while writer.poll() is None:
        if store_files(tmp_path):
            found = ResponseStore(tmp_path, {}).responses(key())
            assert found == {trial: Response(str(trial)) for trial in range(0, 4 * len(found), 4)}
            seen.append(len(found))
    assert writer.returncode == 0
    assert seen == sorted(seen), "what was there once stays"
    assert len(ResponseStore(tmp_path, {}).responses(key())) == 50


def test_a_store_of_version_1_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / OLD_FILE_NAME) as old:
        old.execute("CREATE TABLE responses (x)")
        old.execute("PRAGMA user_version = 1")
    old.close()
    before = (tmp_path / OLD_FILE_NAME).read_bytes()
    store = ResponseStore(tmp_path, {})
    assert store.old == tmp_path / OLD_FILE_NAME
    assert store.add(key(), 0, Response("new")) == Response("new")
    assert (tmp_path / OLD_FILE_NAME).read_bytes() == before
