"""The wrapper around `transformers serve` with the reference model: a server that is not ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from medqdeg.utils.models.reference_model import CHECKPOINT

from .conftest import Run, records, sampling

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    for module in ("openai", "fastapi", "uvicorn"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    code = "from transformers.cli.transformers import main; main()"
    command = [sys.executable, "-c", code, "serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(240):
                assert server.poll() is None, "transformers serve ended by itself"
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def test_a_server_that_ignores_choices_is_asked_one_by_one(url: str, evaluate: Run, tmp_path: Path) -> None:
    own = f"model_version={Path(CHECKPOINT)},base_url={url},api_key=none,num_concurrent=1,timeout=60"
    arguments = f"inner=openai,{own},store={tmp_path}"
    results = evaluate(arguments, repeats=4, limit=3)
    assert sampling(results)["trials"] == {"requested": 12, "asked": 12, "reused": 0, "failed": 0}
    assert "answers n=4 with 1 choices" in sampling(results)["sharing"]["why_not"]
    assert sampling(results)["images"]["findings"] == []
    assert all(record["missing_rate"] == 0 for record in records(results))
    again = evaluate(arguments, repeats=5, limit=3)
    assert sampling(again)["trials"] == {"requested": 15, "asked": 3, "reused": 12, "failed": 0}
