"""Reading runs: what belongs together, and one clear line for each thing that is amiss."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.runs.files import read_samples
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.runs.validation import record_fault
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.scoring.level_summary import run_conditions

from ...run_files import DATE, scored_levels, write_run, write_samples

Levels = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def levels() -> Levels:
    return scored_levels(12, seed=1)


def test_a_whole_run(levels: Levels, tmp_path: Path) -> None:
    folder = write_run(tmp_path, levels)
    collection = read_runs([tmp_path])
    (run,) = collection.runs
    assert (run.name, run.model, run.family, run.levels) == ("model-7B", "some/model-7B", "medqdeg", ("L0", "L1", "L2"))
    assert (run.integration, run.model_args, run.date) == ("qwen2_5_vl", "pretrained=some/model-7B", DATE)
    everything = [record for records in levels.values() for record in records]
    assert sorted(record["item_id"] for record in run.records) == sorted(record["item_id"] for record in everything)
    assert list(run.records) == sorted(run.records, key=lambda record: (record["level"], record["item_id"]))
    assert run.conditions["trials"] == run_conditions(everything)["trials"]
    assert run.conditions["prompt"] == "{{ question }}"
    assert run.conditions["generation_kwargs"] == {"temperature": 1.0}
    assert len(run.paths) == 4
    assert all(path.parent == folder.resolve() for path in run.paths)
    assert collection.warnings == ()
    expected = ("missing because", "without an answer that can be read")  # of random replies
    assert [line for line in run.warnings if not any(part in line for part in expected)] == []


@pytest.mark.parametrize("kind", ["results", "samples_medqdeg_l1"])
def test_a_file_stands_for_what_lies_beside_it(levels: Levels, tmp_path: Path, kind: str) -> None:
    folder = write_run(tmp_path, levels)
    write_run(tmp_path, levels, date="20270101_000000")
    (path,) = folder.glob(f"{DATE}_{kind}.*")
    (run,) = read_runs([path]).runs
    assert run.model == "some/model-7B"
    assert run.levels == (("L1",) if "samples" in kind else ("L0", "L1", "L2"))


@pytest.mark.parametrize("stem", ["results", "mine"])
def test_files_named_as_lm_eval_names_them(levels: Levels, tmp_path: Path, stem: str) -> None:
    """`tests/tasks/test_lm_eval.py` reads what lm-eval itself wrote; here two runs share a folder."""
    dates = ("2026-11-22T08-40-24.123456", "2026-11-23T00-00-00.000001")
    for date in dates:
        for path in sorted(write_run(tmp_path, levels).glob(f"{DATE}_*")):
            kind, _, task = path.stem.removeprefix(f"{DATE}_").partition("_")
            name = f"{kind}_{task}_{date}.jsonl" if task else f"{stem}_{date}.json"
            path.rename(path.with_name(name))
    collection = read_runs([tmp_path])
    assert [run.date for run in collection.runs] == ["20261122_084024.123456", "20261123_000000.000001"]
    assert all(run.model == "some/model-7B" and len(run.paths) == 4 for run in collection.runs)
    (path,) = tmp_path.rglob(f"{stem}_{dates[1]}.json")
    (run,) = read_runs([path]).runs
    assert (run.date, run.levels) == ("20261123_000000.000001", ("L0", "L1", "L2"))


def test_gzip_and_the_files_of_several_ranks(levels: Levels, tmp_path: Path) -> None:
    (whole,) = read_runs([write_run(tmp_path / "whole", levels)]).runs
    folder = write_run(tmp_path / "parts", levels)
    path = folder / f"{DATE}_samples_medqdeg_l1.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.unlink()
    for rank in range(2):
        name = f"{DATE}_samples_medqdeg_l1_rank{rank}.jsonl.gz"
        (folder / name).write_bytes(gzip.compress(b"".join(lines[rank::2])))
    results = folder / f"{DATE}_results.json"
    results.with_suffix(".json.gz").write_bytes(gzip.compress(results.read_bytes()))
    results.unlink()
    (run,) = read_runs([tmp_path / "parts"]).runs
    assert run.records == whole.records


def test_levels_that_were_run_one_by_one_are_one_run(levels: Levels, tmp_path: Path) -> None:
    for number, level in enumerate(levels):
        write_run(tmp_path, {level: levels[level]}, date=f"2026112{number}_000000")
    (run,) = read_runs([tmp_path]).runs
    assert run.levels == ("L0", "L1", "L2")
    assert any(line.startswith("put together from 3 evaluations") for line in run.warnings)


def test_two_runs_of_one_model_are_told_apart(levels: Levels, tmp_path: Path) -> None:
    write_run(tmp_path, levels)
    write_run(tmp_path, scored_levels(12, seed=2), date="20261201_000000")
    collection = read_runs([tmp_path])
    names = [f"model-7B ({DATE})", "model-7B (20261201_000000)"]
    assert [run.name for run in collection.runs] == names
    assert collection.warnings == (f"2 runs of some/model-7B: {', '.join(names)}",)


def test_runs_of_two_harnesses_are_told_apart_by_them(levels: Levels, tmp_path: Path) -> None:
    for harness, date in (("lmms-eval", DATE), ("lm-eval", "20261201_000000")):
        (path,) = write_run(tmp_path / harness, levels, date=date).glob("*_results.json")
        content = json.loads(path.read_text())
        content |= {"versions": {}, **({"lmms_eval_version": "0.7.3"} if harness == "lmms-eval" else {})}
        path.write_text(json.dumps(content))
    assert [run.name for run in read_runs([tmp_path]).runs] == ["model-7B (lmms-eval)", "model-7B (lm-eval)"]


def test_secrets_of_the_arguments_are_not_read_in(levels: Levels, tmp_path: Path) -> None:
    """Also as lm-eval has them, taken apart, and in what is asked for by --gen_kwargs."""
    (path,) = write_run(tmp_path, levels).glob("*_results.json")
    content = json.loads(path.read_text())
    given = {"apikey": "hush", "base_url": "https://me:hush@host/v1", "headers": {"Authorization": "Bearer hush-hush"}}
    for arguments in (given, ",".join(f"{name}={value}" for name, value in given.items())):
        content["config"] |= {"model_args": arguments, "gen_kwargs": {"extra_headers": {"x": "hush"}}}
        path.write_text(json.dumps(content))
        (run,) = read_runs([tmp_path]).runs
        assert "hush" not in json.dumps([run.model_args, run.conditions])
        assert "apikey=***" in run.model_args


def test_families_of_one_model_are_told_apart(levels: Levels, tmp_path: Path) -> None:
    write_run(tmp_path, levels)
    write_run(tmp_path, levels, task="medqdeg_dev", date="20261201_000000")
    assert [run.name for run in read_runs([tmp_path]).runs] == ["model-7B (medqdeg)", "model-7B (medqdeg_dev)"]


def test_models_whose_names_end_alike_are_told_apart(levels: Levels, tmp_path: Path) -> None:
    for owner in ("one", "two"):
        write_run(tmp_path, levels, model=f"{owner}/model")
    names = [run.name for run in read_runs([tmp_path]).runs]
    assert len(set(names)) == 2


def test_missing_levels_and_a_limit_are_said(levels: Levels, tmp_path: Path) -> None:
    write_run(tmp_path, {"L2": levels["L2"][:5]}, limit=5, original=len(levels["L2"]))
    (run,) = read_runs([tmp_path]).runs
    original = len(levels["L2"])
    limited = f"medqdeg_l2: run with --limit 5: 5 of {original} items, the figures describe those only"
    assert limited in run.warnings
    assert "no items of L0, L1: what needs them is left out" in run.warnings


def test_a_samples_file_that_is_cut_off(levels: Levels, tmp_path: Path) -> None:
    folder = write_run(tmp_path, levels)
    path = folder / f"{DATE}_samples_medqdeg_l2.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    (run,) = read_runs([tmp_path]).runs
    count = len(levels["L2"])
    assert sum(record["level"] == "L2" for record in run.records) == count - 1
    assert any(line.endswith(f"line {count} is cut off and is left out") for line in run.warnings)
    assert any(line.endswith(f"{count - 1} of the run's {count} items are there") for line in run.warnings)


def test_a_gzip_file_that_is_cut_off(levels: Levels, tmp_path: Path) -> None:
    folder = write_run(tmp_path, levels)
    path = folder / f"{DATE}_samples_medqdeg_l2.jsonl"
    data = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_suffix(".jsonl.gz").write_bytes(data[: len(data) * 2 // 3])
    (run,) = read_runs([tmp_path]).runs
    assert any("cut off after" in line for line in run.warnings)
    assert 0 < sum(record["level"] == "L2" for record in run.records) < len(levels["L2"])


def test_a_half_written_results_file(levels: Levels, tmp_path: Path) -> None:
    folder = write_run(tmp_path, levels)
    path = folder / f"{DATE}_results.json"
    path.write_bytes(path.read_bytes()[:100])
    collection = read_runs([tmp_path])
    assert [run.model for run in collection.runs] == ["some__model-7B"]
    assert len(collection.warnings) == 1
    assert "cannot be read as a results file" in collection.warnings[0]
    assert any("no readable results file beside it" in line for line in collection.runs[0].warnings)


def test_a_file_that_mixes_two_runs(levels: Levels, tmp_path: Path) -> None:
    folder = write_run(tmp_path, levels)
    path = folder / f"{DATE}_samples_medqdeg_l0.jsonl"
    # lmms-eval appends to a samples file that is there already.
    write_samples(path, [*levels["L0"], *scored_levels(12, seed=9)["L0"], levels["L0"][0]])
    (run,) = read_runs([tmp_path]).runs
    assert any("items appear again with other votes, so the file mixes two runs" in line for line in run.warnings)
    own = [record for record in run.records if record["level"] == "L0"]
    assert own == sorted(levels["L0"], key=lambda record: record["item_id"])


def test_a_file_that_mixes_levels_or_elicitations(levels: Levels, tmp_path: Path) -> None:
    path = tmp_path / "m" / "2026_samples_medqdeg.jsonl"
    exact = [
        {**record, "elicitation": "exact", "probabilities": [1 / record["k"]] * record["k"], "letter_mass": 1.0}
        for record in levels["L0"]
    ]
    write_samples(path, [*levels["L0"][:3], *levels["L1"][:2], *exact[3:]])
    collection = read_runs([tmp_path])
    assert {run.conditions["elicitation"] for run in collection.runs} == {"votes", "exact"}
    assert [run.name for run in collection.runs] == ["m (exact)", "m (votes)"]
    assert any("mixes elicitations (exact, votes)" in line for run in collection.runs for line in run.warnings)
    assert any("mixes levels {'L0': 3, 'L1': 2}" in line for run in collection.runs for line in run.warnings)


def test_records_that_cannot_be_used_are_counted(levels: Levels, tmp_path: Path) -> None:
    good = levels["L0"]
    bad = [
        {**good[0], "level": "L7"},
        {**good[0], "answer": "Z"},
        {**good[0], "letters": ["Q"]},
        {**good[0], "options": ["A"]},
        {**good[0], "accuracy": "high"},
        {name: value for name, value in good[0].items() if name != "letters"},
        {**good[0], "item_id": None},
        {**good[0], "skill": "Tasting"},
        {**good[0], "degradation": "fog"},
        {**good[0], "probabilities": [1.0]},
    ]
    assert all(record_fault(record) for record in bad)
    assert record_fault(good[0]) is None
    path = write_samples(tmp_path / "2026_samples_medqdeg_l0.jsonl", [*good, *bad])
    with path.open("a") as file:
        file.write('{"no": "record"}\n[1]\n{not json}\n')
    samples = read_samples(path)
    assert samples is not None
    assert not isinstance(samples, str)
    assert len(samples.records) == len(good)
    assert sum("1 of " in line for line in samples.warnings) == len(bad) + 1
    first, last = len(good) + 1, len(good) + len(bad)
    assert any(f"{path}, line {first}: level is 'L7', not of the form" in line for line in samples.warnings)
    assert any(f"line {last}: the probabilities do not agree with k; 1 of " in line for line in samples.warnings)
    assert any("no JSON object" in line for line in samples.warnings)
    assert any("is not JSON" in line for line in samples.warnings)


def test_without_samples_there_is_nothing_to_analyse(levels: Levels, tmp_path: Path) -> None:
    folder = write_run(tmp_path, levels)
    for path in folder.glob("*.jsonl"):
        path.unlink()
    with pytest.raises(InputError, match="no samples file of medqdeg_l0, so nothing to analyse"):
        read_runs([tmp_path])


def test_other_tasks_are_kept_aside(levels: Levels, tmp_path: Path) -> None:
    others = {"mmmu_val": {"alias": "mmmu_val", "mmmu_acc,none": 0.4, "mmmu_acc_stderr,none": 0.01, "x,none": "a"}}
    folder = write_run(tmp_path, levels, others=others)
    (folder / f"{DATE}_samples_mmmu_val.jsonl").write_text(json.dumps({"doc_id": 0}) + "\n")
    collection = read_runs([tmp_path])
    (other,) = collection.other_results
    assert (other.task, other.metric, other.value, other.stderr) == ("mmmu_val", "mmmu_acc,none", 0.4, 0.01)
    assert len(collection.runs) == 1


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_runs([tmp_path / "absent"])
    with pytest.raises(InputError, match="no lmms-eval results"):
        read_runs([tmp_path])
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="neither a results file"):
        read_runs([tmp_path / "notes.txt"])
