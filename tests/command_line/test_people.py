"""`medqdeg people` as a person runs it: a desk that a signal ends in order, verify, export, and clear refusals."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line import app
from medqdeg.utils.people.opening import DeskRequest, open_sitting
from medqdeg.utils.people.verifying import verify

from ..utils.people.made_set import item_set, read_all

COLUMNS = ("index", "source_index", "image_path", "question", "A", "B", "answer", "modality", "degradation_type")


def tsv_set(folder: Path, items: int = 5) -> Path:
    """A simulated set in the published layout: noise pictures, one degradation."""
    from ..utils.people.made_set import picture, png

    (folder / "images").mkdir(parents=True)
    for kind, levels in (("good", ("L0",)), ("simulate", ("L1", "L2"))):
        with (folder / f"MedQ-Robust-{kind}-test.tsv").open("w", newline="") as file:
            writer = csv.DictWriter(
                file, (*COLUMNS, "degradation_severity", "skill", "source"), delimiter="\t", restval=""
            )
            writer.writeheader()
            for number in range(items):
                for level in levels:
                    name = f"images/{number}_{level}.png"
                    (folder / name).write_bytes(png(picture(number) // (1 + int(level[1]))))
                    writer.writerow(
                        {
                            **{"index": f"{number}{'' if level == 'L0' else level}", "source_index": str(number)},
                            **{"image_path": name, "question": f"What is {number}?", "A": "one", "B": "two"},
                            **{"answer": "AB"[number % 2], "modality": "CT", "degradation_severity": level},
                            **{"degradation_type": "" if level == "L0" else "gaussian_noise"},
                            **{"skill": "", "source": "simulated"},
                        }
                    )
    return folder


def call(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["people", *map(str, arguments)])


@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX sends them")
@pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_desk_opens_serves_and_ends_in_order(ending: str, tmp_path: Path) -> None:
    """By ctrl-C, `kill` and a closed terminal."""
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("uvicorn", reason="the extra people is not installed")
    store = tmp_path / "R1.sqlite"
    command = [sys.executable, "-m", "medqdeg", "people", tsv_set(tmp_path / "set"), "--reader", "R1", "--no-browser"]
    desk = subprocess.Popen(
        [*map(str, command), "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache")},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # ignored where the tests run under nohup
    )
    assert desk.stdout is not None
    first, second = desk.stdout.readline(), desk.stdout.readline()
    assert "review, R1, session 1: 0 of 7 answered" in first
    address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", second)
    assert address is not None, desk.communicate()
    client = httpx.Client(follow_redirects=True)
    assert client.get(address[0]).status_code == 200
    assert client.get(address[0].partition("?")[0] + "state").json()["screen"] == "check"
    client.close()
    desk.send_signal(getattr(signal, ending))
    out, err = desk.communicate(timeout=20)
    assert desk.returncode == 0, err
    assert "Traceback" not in err
    head = re.search(r"head of the chain: ([0-9a-f]{64})", out)
    assert head is not None
    found = verify(store, head[1])
    assert (found.faults, found.head) == ((), head[1])
    assert found.events == 2  # it was opened and closed


def test_verify_and_export(tmp_path: Path) -> None:
    items = item_set(4)
    stores = []
    for reader in ("R1", "R2"):
        path = tmp_path / f"{reader}.sqlite"
        sitting, _ = open_sitting(DeskRequest("review", reader), items, path, clock=lambda: datetime(2026, 1, 2))
        read_all(sitting, lambda _, phase: {"answerable": "yes"} if phase == "blind" else {"verdict": "keep"})
        sitting.close()
        sitting.store.close()
        stores.append(path)
    done = call("verify", *stores)
    assert done.exit_code == 0
    assert done.output.count("as written") == 2
    assert call("verify", stores[0], "--head", "0" * 64).exit_code == 1
    done = call("export", *stores, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "8 pairs, 2 readers (R1, R2): 8 kept" in done.output
    assert (tmp_path / "out" / "review.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "--reader", "R1"), "nowhere: give the folder"),
        (("verify", "nowhere.sqlite"), "there is no such store"),
        (("export", "nowhere.sqlite", "--out", "out"), "there is no such store"),
    ],
)
def test_one_clear_line(arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments)
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)


def test_a_reader_has_a_code_and_no_name(tmp_path: Path) -> None:
    for code in ("Anna Muster", "1", "", "R" * 17, "R1;"):
        with pytest.raises(InputError, match="no name"):
            open_sitting(DeskRequest("review", code), item_set(1), tmp_path / "a.sqlite")
    assert not (tmp_path / "a.sqlite").exists()


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    done = call(tsv_set(tmp_path / "set"), "--reader", "R1", "--no-browser", "--store", tmp_path / "a.sqlite")
    assert isinstance(done.exception, InputError)
    assert "the desks need Starlette and uvicorn: pip install" in str(done.exception)


def test_a_set_comes_first_or_a_command() -> None:
    assert "Open a desk" in call("--help").output
    assert "--desk" in call("open", "--help").output
    assert "--desk" in call("phantom_small", "--help").output
