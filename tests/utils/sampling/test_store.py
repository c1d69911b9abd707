"""Responses on disk: nothing lost, nothing torn, from several threads and processes."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from medqdeg.utils.errors import InputError
from medqdeg.utils.sampling.keys import RequestKey, image_digest, request_key
from medqdeg.utils.sampling.store import FILE_NAME, Response, ResponseStore


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
    log = tmp_path / "torn" / f"{FILE_NAME}-wal"
    log.write_bytes(log.read_bytes()[:-lost])
    (tmp_path / "torn" / f"{FILE_NAME}-shm").unlink(missing_ok=True)
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
    path = tmp_path / FILE_NAME
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
        '{"arguments": {"temperature": 1.0}, "item": "1", "mode": "votes", "model": "m", "prompt": ["What?"], '
        '"task": "t", "version": 1}'
    )
    assert key().content == text
    assert key().digest == "977b36de528a3d98508c8c5855b27354a27a39a6fa02e7b1932ab15daccb8393"
