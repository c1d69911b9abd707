"""Jobs in several processes: results, order, and an end when nobody waits for them any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from medqdeg.utils.base.worker_processes import as_completed, in_order


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_those_of_the_function(workers: int) -> None:
    assert sorted(as_completed(pow, [(2, exponent) for exponent in range(9)], workers)) == [2**k for k in range(9)]
    assert list(in_order(abs, range(-9, 0), workers, chunk=2)) == [*range(9, 0, -1)]


def test_a_consumer_that_leaves_does_not_wait_for_what_is_running() -> None:
    results = as_completed(time.sleep, [(0,), *[(60,)] * 6], 2)
    next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 5


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is another thing there")
@pytest.mark.parametrize("call", ["as_completed(time.sleep, [(60,)] * 9, 2)", "in_order(time.sleep, [60] * 9, 2)"])
def test_ctrl_c_ends_a_run_within_two_seconds_and_leaves_no_process(tmp_path: Path, call: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
            import time
            from medqdeg.utils.base.worker_processes import as_completed, in_order

            if __name__ == "__main__":
                try:
                    list({call})
                except KeyboardInterrupt:
                    raise SystemExit(130)
        """)
    )
    process = subprocess.Popen([sys.executable, program], stderr=subprocess.PIPE, text=True, start_new_session=True)
    time.sleep(3)  # while the workers start, or after: either must do
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=30)
    assert time.monotonic() - started < 2
    assert process.returncode == 130
    assert "Traceback" not in printed
    assert _is_gone(process.pid)


def _is_gone(group: int) -> bool:
    """Whether no process of the group is left; multiprocessing's own tracker needs a moment after its parent."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
