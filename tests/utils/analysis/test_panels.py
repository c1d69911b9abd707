"""Panels of simulated readers beside simulated models, from files to tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.json_document import document
from medqdeg.utils.analysis.panels import PANELS
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.terminal import print_headline

from ..run_files import paired_documents, scored, write_run
from ..simulated_readers import reader_records

QUESTIONS = 60
ACCURACY = {"L0": 0.9, "L1": 0.8, "L2": 0.6}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Three simulated readers and a model that votes ten times."""
    return _analysed(tmp_path_factory.mktemp("study"), readers=3)


def _analysed(folder: Path, readers: int, **more: Any) -> Analysis:
    docs = paired_documents(QUESTIONS, seed=0)
    write_run(folder, {level: scored(docs[level], 7) for level in docs}, model="some/model-7B")
    for number in range(1, readers + 1):
        skill = {level: share + 0.03 * (number - 2) for level, share in ACCURACY.items()}
        write_run(folder, reader_records(docs, f"R{number}", skill, number, **more), model=f"reader R{number}")
    return analyse(read_runs([folder]), replicates=100)


def _row(table: pd.DataFrame, reader: str | None, against: str | None, level: str, change: str | None = None) -> Any:
    def same(column: str, value: str | None) -> pd.Series:
        return table[column].isna() if value is None else table[column] == value

    chosen = table[
        same("reader", reader)
        & same("against", against)
        & (table["level"] == level)
        & same("comparison", change)
        & (table["figure"] == "accuracy")
    ]
    (row,) = chosen.itertuples()
    return row


def test_the_mean_is_that_of_the_readers(analysis: Analysis) -> None:
    table = analysis.tables["panels"]
    assert tuple(table.columns) == PANELS
    figures = analysis.tables["figures"]
    for level in ACCURACY:
        mean = _row(table, None, None, level)
        each = [_row(table, f"reader R{number}", None, level) for number in (1, 2, 3)]
        assert mean.estimate == pytest.approx(np.mean([row.estimate for row in each]))
        assert (mean.method, mean.readers) == ("OR-Hillis", 3)
        assert mean.low < mean.estimate < mean.high
        for row in each:
            own = figures[
                (figures["run"] == row.reader)
                & (figures["level"] == level)
                & (figures["axis"] == "overall")
                & (figures["figure"] == "accuracy")
            ].iloc[0]
            assert (row.estimate, row.low, row.high) == pytest.approx((own["estimate"], own["low"], own["high"]))


def test_against_a_model_it_is_the_difference_on_the_same_items(analysis: Analysis) -> None:
    table = analysis.tables["panels"]
    model = next(run for run in analysis.collection.runs if run.name == "model-7B")
    reader = next(run for run in analysis.collection.runs if run.name == "reader R1")
    for level in ACCURACY:
        theirs = {
            record["item_id"]: record["accuracy"]
            for record in model.records
            if record["level"] == level and record["accuracy"] is not None
        }
        apart = [
            record["accuracy"] - theirs[record["item_id"]]
            for record in reader.records
            if record["level"] == level and record["item_id"] in theirs
        ]
        assert _row(table, "reader R1", "model-7B", level).estimate == pytest.approx(np.mean(apart))


def test_changes_are_differences_of_levels(analysis: Analysis) -> None:
    table = analysis.tables["panels"]
    for against in (None, "model-7B"):
        change = _row(table, None, against, "L2", "L0_to_L2").estimate
        levels = [_row(table, None, against, level).estimate for level in ("L0", "L2")]
        assert change == pytest.approx(levels[1] - levels[0])


def test_votes_compare_by_accuracy_alone(analysis: Analysis) -> None:
    table = analysis.tables["panels"]
    assert set(table[table["against"].notna()]["figure"]) == {"accuracy"}
    pairs = {(pair.first, pair.second): pair for pair in analysis.pairs}
    assert len(pairs) == 3, "each reader with the model, and no two readers"
    for pair in pairs.values():
        assert pair.refused is None
        assert pair.notes[0].startswith("accuracy alone compares, confidence does not: different elicitations")
    assert set(analysis.tables["models"]["figure"]) == {"accuracy"}
    assert analysis.tables["models_dunning_kruger"].empty


def test_a_model_that_states_its_confidence_compares_by_confidence_too(tmp_path: Path) -> None:
    docs = paired_documents(30, seed=0)
    stating = {
        level: [{k: v for k, v in record.items() if k not in ("respondent", "reader")} for record in own]
        for level, own in reader_records(docs, "", ACCURACY, 9, "sure").items()
    }
    write_run(tmp_path, stating, model="states")
    write_run(tmp_path, reader_records(docs, "R1", ACCURACY, 1), model="reader R1")
    table = analyse(read_runs([tmp_path]), replicates=100).tables["panels"]
    against = table[table["against"] == "states"]
    assert set(against["figure"]) == {"accuracy", "confidence", "calibration_shift"}
    assert set(against["method"]) == {"these readers only"}
    clean = against[(against["figure"] == "confidence") & (against["level"] == "L0") & against["comparison"].isna()]
    assert clean["estimate"].to_list() == pytest.approx([0.9 - 1.0] * 2)


def test_a_counterbalanced_reader_is_compared_on_the_items_seen(tmp_path: Path) -> None:
    docs = paired_documents(QUESTIONS, seed=0)
    model = {level: scored(docs[level], 7) for level in docs}
    write_run(tmp_path, model, model="some/model-7B")
    for number in (0, 1, 2):
        seen = {
            level: [
                doc
                for doc in docs[level]
                if (int(doc["source_question_id"].split(":")[1]) + number) % 3 == int(level[1])
            ]
            for level in docs
        }
        write_run(tmp_path, reader_records(seen, f"R{number}", ACCURACY, number), model=f"reader R{number}")
    found = analyse(read_runs([tmp_path]), replicates=100)
    row = _row(found.tables["panels"], "reader R0", "model-7B", "L1")
    mine = next(run for run in found.collection.runs if run.name == "reader R0")
    assert row.n == sum(record["level"] == "L1" for record in mine.records)
    mean = _row(found.tables["panels"], None, "model-7B", "L1")
    assert mean.method == "OR-Hillis"
    assert not np.isnan(mean.low)


def test_who_guesses_and_says_so_has_no_shift(tmp_path: Path) -> None:
    docs = paired_documents(800, seed=3)
    for number in (1, 2, 3):
        own = {"L0": docs["L0"]}
        write_run(tmp_path, reader_records(own, f"R{number}", ACCURACY, number, "guesses"), model=f"reader R{number}")
    table = analyse(read_runs([tmp_path]), replicates=100).tables["panels"]
    mean = table[table["reader"].isna() & (table["figure"] == "calibration_shift")].iloc[0]
    assert mean["estimate"] == pytest.approx(0, abs=0.02)
    assert mean["low"] < 0 < mean["high"]


def test_people_are_not_ranked(analysis: Analysis) -> None:
    for name, standing in analysis.standing.items():
        expected = "people, not a model" if name.startswith("reader") else None
        assert standing.not_ranked == expected


def test_the_document_holds_the_panel(analysis: Analysis) -> None:
    found = json.loads(json.dumps(document(analysis), allow_nan=False))["panels"]
    assert len(found) == len(analysis.tables["panels"])
    assert {row["reader"] for row in found} == {None, "reader R1", "reader R2", "reader R3"}


def test_without_people_there_is_none(tmp_path: Path) -> None:
    docs = paired_documents(12, seed=0)
    write_run(tmp_path, {"L0": scored(docs["L0"], 7)})
    found = analyse(read_runs([tmp_path]), replicates=100)
    assert found.tables["panels"].empty
    assert "panels" not in document(found)


def test_prints_the_panel_and_what_compares(analysis: Analysis, capsys: pytest.CaptureFixture[str]) -> None:
    print_headline(analysis)
    text = " ".join(capsys.readouterr().out.split())
    assert "medqdeg: 3 readers (OR-Hillis: readers and questions vary)" in text
    assert "readers minus model-7B, L2: accuracy" in text
    assert "confidence only with models that state theirs" in text
    assert "are not compared" not in text


def test_the_interval_is_no_narrower_than_that_of_independent_readers(analysis: Analysis) -> None:
    """Without shared questions the interval would be Student's of the readers' figures; with them it is wider."""
    table = analysis.tables["panels"]
    each = [_row(table, f"reader R{number}", None, "L2").estimate for number in (1, 2, 3)]
    mean = _row(table, None, None, "L2")
    assert mean.freedom >= 2
    naive = stats.sem(each)
    assert mean.high - mean.estimate >= stats.t.ppf(0.975, mean.freedom) * naive * (1 - 1e-9)
