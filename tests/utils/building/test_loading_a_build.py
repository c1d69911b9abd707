"""A built set as others read it: `datasets`, the tasks' own loader (Parquet and TSV), lmms-eval."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.writing import read_rows
from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.dataset.loading import load_level, without_decoding
from medqdeg.utils.dataset.location import LocalFolder

LEVELS = taxonomy.LEVELS


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    import datasets

    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder))
    return folder


def manifest(built: Path) -> dict[str, Any]:
    return json.loads((built / "manifest.json").read_text())


@pytest.mark.parametrize("level", LEVELS)
def test_datasets_loads_it_with_its_features(built: Path, level: str) -> None:
    from datasets import Image, List, load_dataset

    from medqdeg.utils.dataset.built import features

    items = load_dataset(str(built), level)
    assert set(items) == {"test", "dev"}
    assert sum(len(split) for split in items.values()) == manifest(built)["items"][level]
    assert items["test"].features == features()
    assert items["test"].features["images"] == List(Image())
    assert items["test"][0]["images"][0].size == (96, 96)
    assert set(items["test"]["level"]) == {level}


@pytest.fixture
def as_tsv(built: Path, tmp_path: Path) -> Path:
    for path in built.glob("*.tsv"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("level", LEVELS)
def test_parquet_and_tsv_load_as_the_same_items(built: Path, as_tsv: Path, level: str) -> None:
    for split in ("test", "dev"):
        ours = without_decoding(load_level(split, level, LocalFolder(built)))
        published = without_decoding(load_level(split, level, LocalFolder(as_tsv)))
        assert ours.column_names == published.column_names
        by_id = {row["item_id"]: row for row in published}
        assert len(by_id) == len(ours) > 0
        for row in ours:
            other = by_id[row["item_id"]]
            assert {key: value for key, value in row.items() if key != "extra"} == {
                key: value for key, value in other.items() if key != "extra"
            }


def test_clean_and_degraded_items_share_their_source_question(built: Path) -> None:
    ids = [set(load_level("test", level, LocalFolder(built))["source_question_id"]) for level in LEVELS]
    assert ids[0] == ids[1] == ids[2]


def test_a_missing_part_is_named(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built / "data", tmp_path / "data")
    sorted((tmp_path / "data/L1").glob("test-*"))[1].unlink()
    with pytest.raises(InputError, match=r"data/L1/ has \d of the \d test parts, part 1 is missing"):
        load_level("test", "L1", LocalFolder(tmp_path))


def test_a_cut_off_part_is_named(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built / "data", tmp_path / "data")
    part = sorted((tmp_path / "data/L1").glob("dev-*"))[0]
    part.write_bytes(part.read_bytes()[:2000])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        load_level("dev", "L1", LocalFolder(tmp_path))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("answer", "E", "the answer 'E' is not among the options"),
        ("options", ["one"], "1 option, not at least 2"),
        ("question", "", "no question"),
        ("images", [{"bytes": b"\x89PNG", "path": None}], "not a PNG"),
        ("degradation", None, "names no degradation"),
        ("modality", "Smell", "unknown modality"),
    ],
)
def test_a_wrong_row_is_named(built: Path, tmp_path: Path, column: str, value: Any, message: str) -> None:
    import pyarrow
    import pyarrow.parquet

    from medqdeg.utils.dataset.built import features, part_name

    row = next(row for row in read_rows(sorted((built / "data/L1").glob("test-*"))) if len(row["options"]) < 5)
    path = tmp_path / part_name("L1", "test", 0, 1)
    path.parent.mkdir(parents=True)
    table = pyarrow.Table.from_pylist([{**row, column: value}], schema=features().arrow_schema)
    pyarrow.parquet.write_table(table, path)
    with pytest.raises(InputError, match=message) as caught:
        load_level("test", "L1", LocalFolder(tmp_path))
    assert row["item_id"] in str(caught.value)


@pytest.fixture
def results(built: Path, own_cache: Path, tmp_path: Path) -> Path:
    """What lmms-eval's command line writes for a model that answers anything."""
    pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")
    command = [sys.executable, "-m", "lmms_eval", "--model", "dummy", "--tasks", "medqdeg", "--repeats", "2"]
    done = subprocess.run(
        [*command, "--log_samples", "--output_path", str(tmp_path)],
        env={
            **os.environ,
            **{"MEDQDEG_DATA": str(built), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            "MEDQDEG_ONLY_OWN_TASKS": "1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=560,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return tmp_path


def test_the_tasks_and_the_analysis_run_on_it(built: Path, results: Path) -> None:
    counts = {level: len(load_level("test", level, LocalFolder(built))) for level in LEVELS}
    rows = {level: {row["item_id"]: row for row in part_rows(built, level)} for level in LEVELS}
    for level in LEVELS:
        (file,) = results.rglob(f"*_samples_medqdeg_{level.lower()}.jsonl")
        records = [json.loads(line)["medqdeg"] for line in file.read_text().splitlines()]
        assert len(records) == counts[level]
        for record in records:
            row = rows[level][record["item_id"]]
            for key in ("answer", "modality", "skill", "degradation", "source"):
                assert record[key] == row[key], key

    from medqdeg.utils.command_line import app

    out = results / "analysis"
    done = CliRunner().invoke(app, ["analyze", str(results), "--out", str(out), "--replicates", "200"])
    assert done.exit_code == 0, done.output
    items = pd.read_parquet(out / "items.parquet")
    assert items["level"].value_counts().to_dict() == counts
    # The model's letter is the same everywhere: its accuracy is the share of that letter among the right ones.
    letters = {letter for file in results.rglob("*_samples_*.jsonl") for letter in letters_in(file)}
    (letter,) = letters
    figures = pd.read_parquet(out / "figures.parquet")
    for level in LEVELS:
        share = sum(row["answer"] == letter for key, row in rows[level].items()) / len(rows[level])
        found = figures.query("level == @level and figure == 'accuracy' and axis == 'overall'")
        assert found["estimate"].tolist() == pytest.approx([share], abs=1e-6)


def part_rows(built: Path, level: str) -> list[dict[str, Any]]:
    return list(read_rows(sorted((built / "data" / level).glob("test-*"))))


def letters_in(file: Path) -> set[str]:
    records = [json.loads(line)["medqdeg"] for line in file.read_text().splitlines()]
    return {letter for record in records for letter in record["letters"]}
