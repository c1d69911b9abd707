"""The paper's claims as numbers: the published ones recomputed from the CSV files, the runs' from a planted loss."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

import medqdeg.utils.analysis.published.results as published_results
from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.findings import AS_CLAIMED, FINDINGS, NOT_DECIDED, REVERSE, findings, published_groups
from medqdeg.utils.report.frame_kinds import SCOPE
from medqdeg.utils.report.run_frames import verdicts

from ..run_files import scored_levels, write_run

PRINTED = Path(published_results.__file__).parent


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """A run whose items with artefacts or motion are mostly lost at L2, and few others."""
    folder = tmp_path_factory.mktemp("run")
    levels = scored_levels(120, seed=7)
    rng = random.Random(0)
    for record in (*levels["L0"], *levels["L2"]):
        spared = record["degradation"] in (None, "adjust_brightness", "exposure", "reduce_contrast")
        letter = (
            record["answer"]
            if spared is (rng.random() < 0.9)
            else next(name for name in "ABCDE" if name != record["answer"])
        )
        record["letters"] = [letter] * len(record["letters"])
    write_run(folder, levels)
    return analyse(read_runs([folder]), 200, 0, SCOPE)


def rows(name: str) -> list[dict[str, str]]:
    with (PRINTED / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def of(frame: pd.DataFrame, claim: str) -> pd.DataFrame:
    chosen = frame[frame["finding"] == claim]
    assert len(chosen)
    return chosen


def test_the_groups_tell_two_stories(analysis: Analysis) -> None:
    """The issue's own numbers: macro 49.2/31.7/35.6, micro 62.6/55.1/60.2 (9 commercial, 21 open, 10 medical)."""
    table = published_groups(analysis, published=True)
    assert table["models"].tolist() == [9, 21, 10]
    assert [round(100 * value, 1) for value in table["macro"]] == [49.2, 31.7, 35.6]
    assert [round(100 * value, 1) for value in table["micro"]] == [62.6, 55.1, 60.2]
    tasks = table.drop(columns=["group", "models", "macro", "micro"])
    assert set(tasks.idxmin(axis=1)) <= {"Treatment Reasoning", "Imaging Perception", "Basic Science Reasoning"}
    assert tasks.mean().idxmin() == "Treatment Reasoning"
    assert published_groups(analysis, published=False).empty


def test_published_numbers_are_those_of_the_printed_tables(analysis: Analysis) -> None:
    frame = findings(analysis, published=True)
    frame = frame[frame["origin"] == "published"]
    loss, reasoning, artefacts = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in rows("table6_accuracy_by_severity"):
        loss[row["group"]].append((float(row["acc_l2"]) - float(row["acc_l0"])) / 100)
    for row in rows("table2_capability_l1l2"):
        own = [float(row[f"{task}_change"]) for task in ("basic_science", "diagnosis", "treatment")]
        other = [
            float(row[f"{task}_change"])
            for task in ("clinical_understanding", "imaging_perception", "anatomical_recognition")
        ]
        reasoning[row["group"]].append((sum(own) / 3 - sum(other) / 3) / 100)
    for row in rows("table3_degradation_l1l2"):
        lost = (float(row["artifacts_change"]) + float(row["motion_change"])) / 2 - float(row["intensity_change"])
        artefacts[row["group"]].append(lost / 100)
    for claim, values in (
        ("accuracy falls as images get worse", loss),
        ("reasoning loses more than perception", reasoning),
        ("artefacts and motion cost more than intensity", artefacts),
    ):
        expected = [sum(group) / len(group) for group in values.values()]
        assert of(frame, claim)["estimate"].tolist() == pytest.approx(expected, abs=1e-6)
    assert (of(frame, "reasoning loses more than perception")["estimate"] > 0).all()  # the reverse of the text
    assert of(frame, "the loss accelerates (a cliff)")["reading"].str.endswith(("9 of 9", "21 of 21", "10 of 10")).all()


def test_a_planted_loss_is_read_as_claimed(analysis: Analysis) -> None:
    frame = findings(analysis, published=False)
    without_items = {"reasoning loses more than perception"}
    assert set(frame["finding"]) == {finding.claim for finding in FINDINGS} - without_items
    assert of(frame, "accuracy falls as images get worse")["reading"].tolist() == [AS_CLAIMED]
    assert of(frame, "artefacts and motion cost more than intensity")["reading"].tolist() == [AS_CLAIMED]
    assert set(frame["reading"]) <= {AS_CLAIMED, REVERSE, NOT_DECIDED}


def test_a_number_says_which_sign_the_claim_gives_it(analysis: Analysis) -> None:
    frame = findings(analysis, published=False)
    (row,) = of(frame, "artefacts and motion cost more than intensity").to_dict("records")
    assert row["estimate"] < 0
    assert row["number"].endswith("; below 0, they cost more")
    assert not any("lost" in number for number in frame["number"])  # a loss is a change below 0


def test_the_verdict_stands_beside_the_changes_that_it_is_about(analysis: Analysis) -> None:
    changes = analysis.tables["changes"]
    matched = changes[(changes["axis"] == "overall") & (changes["pairing"] == "matched")]
    table = verdicts(analysis)
    assert len(table)
    for row in table.to_dict("records"):
        for name, figure in (("accuracy", "accuracy"), ("gap", "agreement_gap")):
            own = matched[(matched["comparison"] == row["comparison"]) & (matched["figure"] == figure)]
            (change,) = own[own["run"] == row["model"]].to_dict("records")
            for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high")):
                assert row[f"{name}_change{end}"] == pytest.approx(change[column], nan_ok=True, abs=0)
