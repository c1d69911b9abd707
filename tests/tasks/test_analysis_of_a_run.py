"""What lmms-eval itself writes of a run can be analysed, and the analysis agrees with lmms-eval's own numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from lmms_eval.loggers import EvaluationTracker

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs

from .test_evaluation import evaluate


@pytest.mark.parametrize("trials", [3])
def test_files_of_lmms_eval(small_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    monkeypatch.setenv("MEDQDEG_DATA", str(small_dataset))
    results, _ = evaluate(["medqdeg"], repeats=trials)
    # As lmms-eval's command line does it.
    tracker = EvaluationTracker(output_path=str(tmp_path))
    tracker.general_config_tracker.log_experiment_args(
        model_source="scripted",
        model_args="pretrained=some/model",
        system_instruction="",
        chat_template="",
        fewshot_as_multiturn=False,
    )
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples, datetime_str="20261122_084024")
    for task in results["configs"]:
        tracker.save_results_samples(task_name=task, samples=samples[task])

    (run,) = (collection := read_runs([tmp_path])).runs
    assert collection.warnings == ()
    assert (run.model, run.levels, len(run.records)) == ("some/model", ("L0", "L1", "L2"), 36)
    assert run.conditions["prompt"].startswith("{{ question }}")
    assert run.conditions["generation_kwargs"]["temperature"] == 1.0
    figures = analyse(collection, replicates=100).tables["figures"]
    for row in figures.itertuples():
        task = results["results"][f"medqdeg_{row.level.lower()}"]
        if row.figure in ("accuracy", "confidence", "calibration_shift", "unread_rate", "missing_rate"):
            summary = task["medqdeg,votes"]
            scores = summary["overall"] if row.axis == "overall" else summary["nodes"][row.axis][row.node]
            assert row.estimate == pytest.approx(scores[row.figure], abs=1e-9)
            if row.axis == "overall":
                assert row.estimate == pytest.approx(task[f"{row.figure},votes"], abs=1e-9)
