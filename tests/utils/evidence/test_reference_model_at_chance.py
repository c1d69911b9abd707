"""Where the observer finds nothing, the reference model must not either: the observer's falsification.

The figures of docs/evidence.md (evidence.md) come from the same items.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def benchmark(repository: Path) -> ModuleType:
    path = repository / "benchmarks" / "evidence.py"
    if not path.is_file():
        pytest.skip(f"{path} is not here: benchmarks are run from a clone")
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("evidence_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_reference_model_is_at_chance_where_evidence_is_gone(benchmark: ModuleType) -> None:
    rows = benchmark.run(items=63, seed=1, degradations=6, slow=False, stop=31)
    rows += benchmark.run(items=28, seed=2, degradations=6, slow=False, stop=24)
    gone = benchmark.at_chance([row for row in rows if row["level"] == "gone" and row["verdict"] == "gone"])
    assert gone["items"] >= 100
    assert gone["questions"] >= 30
    low, high = gone["interval"]
    assert low <= 0 <= high
    assert (high - low) / 2 <= 0.12
    clean = benchmark.at_chance([row for row in rows if row["level"] == "L0" and row["verdict"] != "void"])
    assert clean["interval"][0] > 0.5  # the same model, read in the same way, sees what there is to see


def test_the_corrected_accuracy_is_that_of_plain_loops(benchmark: ModuleType) -> None:
    rows = [
        {"item": item, "right": right, "k": k, "confidence": 0.5}
        for item, right, k in (("a", 0.5, 2), ("a", 1.0, 2), ("b", 0.2, 5), ("c", 0.0, 4))
    ]
    found = benchmark.at_chance(rows)
    corrected = [0.0, 1.0, 0.0, -1 / 3]
    assert found["corrected"] == pytest.approx(sum(corrected) / 4)
    assert (found["items"], found["questions"]) == (4, 3)
    assert found["interval"][0] < found["corrected"] < found["interval"][1]
