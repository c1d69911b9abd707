"""`medqdeg demo`: what it refuses, and the whole of it without a network."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.command_line.demo import _call

from .calling import exit_status

DENIED = """
import socket

def denied(*args, **kwargs):
    raise OSError("no network in this test")

socket.socket.connect = socket.socket.connect_ex = denied
socket.getaddrinfo = socket.create_connection = denied
"""

DEAF = """
import os, signal, sys, time

signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child:
    print(os.getpid(), child, sep="\\n", flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent"], "absent is not a folder"),
        ([".", "--full"], "--full is about the phantoms"),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_status(monkeypatch, "demo", *arguments) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.harness
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
def test_ctrl_c_ends_it_at_once_without_a_traceback(tmp_path: Path) -> None:
    # The harness stands still, in a process and in one that it started, and does not listen.
    (tmp_path / "lmms_eval").mkdir()
    (tmp_path / "lmms_eval" / "__init__.py").touch()
    (tmp_path / "lmms_eval" / "__main__.py").write_text(DEAF, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", "from medqdeg.utils.command_line import main; main()", "demo", "--output", "results"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        assert "-m lmms_eval" in demo.stdout.readline()
        children = [int(demo.stdout.readline()), int(demo.stdout.readline())]
        os.killpg(demo.pid, signal.SIGINT)  # what a terminal sends
        started = time.monotonic()
        _, said = demo.communicate(timeout=30)
        assert time.monotonic() - started < 2
    assert demo.returncode == 130
    assert said == "interrupted; the same command continues\n"
    for child in children:
        assert not _is_running(child)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
def test_ctrl_c_while_the_process_starts_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **options))
        os.kill(os.getpid(), signal.SIGINT)  # the process is there, and the caller does not have it yet
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _call([sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ))
    assert started[0].poll() == -signal.SIGKILL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _is_running(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


@pytest.mark.slow
@pytest.mark.harness
def test_without_a_network_it_runs_all_levels_and_says_where_the_results_are(tmp_path: Path) -> None:
    # Every Python of the run, lmms-eval's and the one that draws the phantoms, reads this at its start.
    (tmp_path / "denied").mkdir()
    (tmp_path / "denied" / "sitecustomize.py").write_text(DENIED, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "denied"),
        "MEDQDEG_CACHE": str(tmp_path / "cache"),
        "HF_HOME": str(tmp_path / "hf"),
        "COLUMNS": "160",
    }
    done = subprocess.run(
        [sys.executable, "-c", "from medqdeg.utils.command_line import main; main()", "demo", "--output", "results"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *_, results_line, page_line = done.stdout.strip().splitlines()
    folder = Path(re.match(r"The results are in (.+), their analysis in (.+)$", results_line)[1])
    page, figures = map(Path, re.match(r"Open (.+); its figure .+ is in (.+)$", page_line).groups())
    assert page.exists()
    assert {path.name for path in figures.iterdir()} == {"headline.pdf", "headline.svg", "headline.png"}
    assert len(list((page.parent / "images").glob("*.webp"))) == 408
    (results,) = folder.glob("*_results.json")
    found = json.loads(results.read_text(encoding="utf-8"))["results"]
    overall = [found[f"medqdeg_phantom_small_l{level}"]["medqdeg,votes"]["overall"] for level in range(3)]
    assert [level["n"] for level in overall] == [84, 162, 162]
    assert all(level["unread_rate"] < 0.01 and level["missing_rate"] == 0 for level in overall)
    assert overall[0]["accuracy"] > overall[2]["accuracy"] > 0.3
    for level, summary in zip(("L0", "L1", "L2"), overall, strict=True):
        (row,) = [line.split() for line in done.stdout.splitlines() if line.split()[:2] == [level, str(summary["n"])]]
        accuracy, confidence, shift = (100 * summary[name] for name in ("accuracy", "confidence", "calibration_shift"))
        gap, readable = (100 * summary[name] for name in ("agreement_gap", "readable_share"))
        printed = [f"{accuracy:.1f}", f"{gap:+.1f}", f"({readable:.1f}%)", f"{confidence:.1f}", f"{shift:+.1f}"]
        assert [cell.replace("−", "-") for cell in row[2:7]] == printed
