"""The map stage under Ray Data, on a cluster of this machine: the same bytes as with local processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from medqdeg.utils.building.make.on_ray import on_ray
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.running import build

from .phantom_source import front
from .test_running import contents

ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.mark.slow
def test_ray_makes_the_same_bytes(built: Path, tmp_path: Path, request_for_tests: BuildRequest) -> None:
    out = tmp_path / "set"
    try:
        summary = build(request_for_tests, out, front(), workers=2, engine=on_ray, tsv=True)
    finally:
        ray.shutdown()
    assert (summary.made, summary.finished) == (summary.parts, True)
    assert contents(out) == contents(built)
