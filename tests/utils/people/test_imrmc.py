"""The export for iMRMC: what its analysis would make of it, computed here from the rows alone."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.people.imrmc import TRUTH, imrmc_csv

from ..record_examples import document
from ..run_files import paired_documents, scored_levels, write_run
from ..simulated_readers import reader_records


def _documents() -> dict[str, list[dict]]:
    """One degradation per source question, as in a reader study."""
    docs = paired_documents(30, seed=0)
    for level in ("L1", "L2"):
        first = {doc["source_question_id"]: doc for doc in reversed(docs[level])}
        docs[level] = list(first.values())
    return docs


def test_area_under_the_curve_is_the_share_right(tmp_path: Path) -> None:
    docs = _documents()
    for number in (1, 2, 3):
        accuracy = {"L0": 0.9, "L1": 0.8, "L2": 0.6}
        write_run(tmp_path, reader_records(docs, f"R{number}", accuracy, number), model=f"reader R{number}")
    runs = read_runs([tmp_path]).runs
    rows = list(csv.DictReader(io.StringIO(imrmc_csv(runs))))
    diseased = {row["caseID"]: row["score"] == "1" for row in rows if row["readerID"] == TRUTH}
    assert sum(diseased.values()) == 30
    assert sum(not ill for ill in diseased.values()) == 5
    for run in runs:
        for level in run.levels:
            own = [row for row in rows if (row["readerID"], row["modalityID"]) == (run.name, level)]
            ill = [float(row["score"]) for row in own if diseased[row["caseID"]]]
            well = [float(row["score"]) for row in own if not diseased[row["caseID"]]]
            area = sum(one > other for one in ill for other in well) / (len(ill) * len(well))
            share = [record["accuracy"] for record in run.records if record["level"] == level]
            assert area == pytest.approx(sum(share) / len(share))


def test_refuses_two_items_in_one_place(tmp_path: Path) -> None:
    twice = [document(item_id=name) for name in ("a", "b")]
    write_run(tmp_path, reader_records({"L1": twice}, "R1", {"L1": 1.0}, 0))
    with pytest.raises(InputError, match="several items of index:3 at L1"):
        imrmc_csv(read_runs([tmp_path]).runs)


def test_refuses_a_model_with_many_trials(tmp_path: Path) -> None:
    write_run(tmp_path, {"L0": scored_levels(3, 0)["L0"]})
    with pytest.raises(InputError, match="10 trials"):
        imrmc_csv(read_runs([tmp_path]).runs)
