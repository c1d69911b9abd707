"""The store: what is acknowledged is on the disk, and what was written cannot be changed without a trace."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.people.chain import START, canonical, digest
from medqdeg.utils.people.plans import Plan, Trial, trials_sha256
from medqdeg.utils.people.store import Store
from medqdeg.utils.people.verifying import verify

PLAN = Plan("study", 3, "0" * 64, {"limit": 4})
TRIALS = [Trial(place, "main", f"q{place}", "L0", "CT", None) for place in range(4)]


def filled(path: Path, answers: int = 5) -> Path:
    store = Store(path, clock=lambda: datetime(2026, 3, 1, 9, 30))
    store.keep_plan(PLAN)
    store.keep_trials("study", "R1", 1, TRIALS)
    store.append("study", "R1", 1, [("open", {"plan": PLAN.sha256, "trials": trials_sha256(TRIALS)})])
    for place in range(answers):
        store.append("study", "R1", 1, [("answer", {"position": place, "phase": "answer", "letter": "A"})])
    store.close()
    return path


def tampered(path: Path, *statements: str) -> None:
    """Do what somebody would who means to change a store: triggers can be taken away, the chain cannot."""
    with sqlite3.connect(path) as connection:
        saved = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for table in ("plan", "trial", "event"):
            for what in ("UPDATE", "DELETE"):
                connection.execute(f"DROP TRIGGER {table}_{what}")
        for statement in statements:
            connection.execute(statement)
        for (sql,) in saved:
            connection.execute(sql)
    connection.close()


def test_a_store_as_it_was_written(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.sqlite")
    found = verify(path)
    assert (found.events, found.faults) == (6, ())
    assert verify(path, found.head).faults == ()
    assert not (tmp_path / "a.sqlite-wal").exists()  # one file to carry away


def test_the_hash_is_that_of_the_documented_fields(tmp_path: Path) -> None:
    import hashlib
    import json

    path = filled(tmp_path / "a.sqlite", answers=1)
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT seq, at, reader, session, desk, kind, body, prev, hash FROM event ORDER BY seq"
        ).fetchall()
    before = "0" * 64
    for row in rows:
        text = json.dumps([list(row[:8])], ensure_ascii=True, separators=(",", ":"))
        assert row[7] == before
        assert hashlib.sha256(text.encode()).hexdigest() == row[8]
        before = row[8]
    assert rows[0][1] == "2026-03-01"  # a day, no moment


def test_moments_only_where_they_are_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", times=True, clock=lambda: datetime(2026, 3, 1, 9, 30, 5, 250_000))
    (event,) = store.append("study", "R1", 1, [("pause", {"on": True})])
    store.close()
    assert event.at == "2026-03-01T09:30:05.250"


@pytest.mark.parametrize("table", ["event", "trial", "plan"])
def test_nothing_is_changed_or_deleted(tmp_path: Path, table: str) -> None:
    path = filled(tmp_path / "a.sqlite")
    with sqlite3.connect(path) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="nothing is changed"):
            connection.execute(f"UPDATE {table} SET desk = 'review'")
        with pytest.raises(sqlite3.IntegrityError, match="nothing is changed"):
            connection.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("seq", range(1, 7))
@pytest.mark.parametrize("field", ["at", "reader", "session", "desk", "kind", "body", "prev", "hash"])
def test_one_changed_byte_is_named(tmp_path: Path, seq: int, field: str) -> None:
    path = filled(tmp_path / "a.sqlite")
    with sqlite3.connect(path) as connection:
        value = str(connection.execute(f"SELECT {field} FROM event WHERE seq = {seq}").fetchone()[0])
    place = len(value) // 2
    other = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
    tampered(path, f"UPDATE event SET {field} = '{other}' WHERE seq = {seq}")
    faults = verify(path).faults
    assert any(f"event {seq} " in fault for fault in faults), faults


def test_what_was_removed_or_moved_is_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.sqlite")
    head = verify(path).head
    tampered(path, "DELETE FROM event WHERE seq = 3")
    assert "event 3 is missing" in verify(path).faults[0]
    path = filled(tmp_path / "b.sqlite")
    tampered(path, "DELETE FROM event WHERE seq = 6")
    assert verify(path).faults == ()  # a chain that ends earlier is a chain
    assert "cut off" in verify(path, head).faults[0]
    path = filled(tmp_path / "c.sqlite")
    tampered(path, "UPDATE trial SET level = 'L2' WHERE position = 1")
    assert "the trials of R1, session 1" in verify(path).faults[0]
    path = filled(tmp_path / "d.sqlite")
    tampered(path, "UPDATE plan SET seed = 4")
    assert "the plan of the desk study was changed" in verify(path).faults
    path = filled(tmp_path / "e.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER event_UPDATE")
    assert "event_UPDATE" in verify(path).faults[0]


def test_a_rewritten_chain_has_another_head(tmp_path: Path) -> None:
    """Whoever computes all hashes anew has a store in order; the head that the reader noted is not in it."""
    path = filled(tmp_path / "a.sqlite")
    head = verify(path).head
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT seq, at, reader, session, desk, kind, body FROM event ORDER BY seq"
        ).fetchall()
    statements, prev = [], START
    for row in rows:
        body = row[6].replace('"A"', '"B"')
        own = digest([*row[:6], body, prev])
        statements.append(f"UPDATE event SET body = '{body}', prev = '{prev}', hash = '{own}' WHERE seq = {row[0]}")
        prev = own
    tampered(path, *statements)
    assert verify(path).faults == ()
    assert verify(path, head).faults != ()


def test_flipped_bytes_of_the_file_never_pass_for_answers(tmp_path: Path) -> None:
    """A byte of the file itself: named, or the file is refused, or it lies where nothing is kept."""
    path = filled(tmp_path / "a.sqlite")
    whole, rng = path.read_bytes(), random.Random(1)
    with sqlite3.connect(path) as connection:
        before = connection.execute("SELECT * FROM event ORDER BY seq").fetchall()
    other = tmp_path / "b.sqlite"
    for _ in range(150):
        place = rng.randrange(len(whole))
        other.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :])
        try:
            if verify(other).faults:
                continue
        except InputError:
            continue
        connection = sqlite3.connect(other)
        assert connection.execute("SELECT * FROM event ORDER BY seq").fetchall() == before
        connection.close()


_CHILD = """
import sys
from pathlib import Path
from medqdeg.utils.people.store import Store
store = Store(Path(sys.argv[1]))
store.append("study", "R1", 1, [("open", {})])
number = 0
while True:
    store.append("study", "R1", 1, [("answer", {"number": number}), ("shown", {"number": number + 1})])
    print(number, flush=True)
    number += 1
"""


def test_kill_9_loses_no_acknowledged_answer(tmp_path: Path) -> None:
    rng = random.Random(5)
    for trial in range(50):
        path = tmp_path / f"{trial}.sqlite"
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(path)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 25)):
            child.stdout.readline()
        child.kill()
        said = [line for line in child.stdout.read().split() if line]
        child.wait()
        child.stdout.close()
        store = Store(path)  # the dead process holds nothing
        numbers = [event.content()["number"] for event in store.events() if event.kind == "answer"]
        shown = [event.content()["number"] for event in store.events() if event.kind == "shown"]
        store.close()
        assert numbers == list(range(len(numbers)))
        assert shown == [number + 1 for number in numbers]  # an answer and what follows it, or neither
        assert not said or int(said[-1]) < len(numbers)
        assert not any("event" in fault for fault in verify(path).faults if "names" not in fault)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    with pytest.raises(InputError, match="another desk has this store open"):
        Store(tmp_path / "a.sqlite")
    store.close()
    Store(tmp_path / "a.sqlite").close()


def test_another_plan_or_another_file(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.sqlite")
    store = Store(path)
    with pytest.raises(InputError, match=r"another plan of the desk study.*limit 4"):
        store.keep_plan(Plan("study", 3, "0" * 64, {"limit": 5}))
    with pytest.raises(InputError, match="not those of its plan"):
        store.keep_trials("study", "R1", 1, TRIALS[:2])
    store.close()
    (tmp_path / "b.sqlite").write_text("no database at all, but long enough to be looked at\n" * 40)
    for place in ("b.sqlite", "c.sqlite"):
        with pytest.raises(InputError):
            verify(tmp_path / place)
    with pytest.raises(InputError, match="no store"):
        Store(tmp_path / "b.sqlite")
    Store(tmp_path / "d.sqlite").close()


def test_what_json_has_not_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    with pytest.raises(ValueError, match="JSON"):
        store.append("study", "R1", 1, [("answer", {"seconds": 1.0}), ("answer", {"seconds": float("nan")})])
    assert store.events() == []
    store.close()
    assert canonical({"b": 1, "a": "é"}) == '{"a":"\\u00e9","b":1}'
