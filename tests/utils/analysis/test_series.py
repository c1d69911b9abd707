"""Runs over a series of severities: read, analysed as curves, written; runs without one stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import medqdeg
from medqdeg.degradations import physical_dose
from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.json_document import document
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.analysis.series_rows import SERIES_TABLES
from medqdeg.utils.analysis.writing import write_analysis
from medqdeg.utils.base.errors import InputError

from ..run_files import scored_levels, write_run
from ..series_files import CELLS, QUESTIONS, SEVERITIES, records, series_run


@pytest.fixture(scope="module", params=["votes", "exact", "verbalized"])
def analysis(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder = series_run(tmp_path_factory.mktemp(request.param), records(request.param))
    return analyse(read_runs([folder]), replicates=200)


def test_clean_items_and_series_are_told_apart_without_complaint(tmp_path: Path) -> None:
    (run,) = read_runs([series_run(tmp_path, records())]).runs
    assert {record["level"] for record in run.records} == {"L0"}
    assert {record["level"] for record in run.series} == set(SEVERITIES)
    assert not [line for line in run.warnings if "level" in line or "no items of" in line]


def test_points_are_the_means_of_their_items(analysis: Analysis) -> None:
    (run,) = analysis.collection.runs
    frame = pd.DataFrame([*run.records, *run.series])
    modality_of = dict(zip(frame["source_question_id"], frame["modality"], strict=True))
    points = analysis.tables["curve_points"]
    for name, modality in CELLS:
        for level in ("L0", *SEVERITIES):
            clean = level == "L0"
            own = frame[(frame["level"] == level) & (frame["source_question_id"].map(modality_of) == modality)]
            own = own if clean else own[own["degradation"] == name]
            here = points[(points["degradation"] == name) & (points["modality"] == modality)]
            here = here[here["severity"] == (0.0 if clean else float(level[1:]))].set_index("figure")
            for figure in ("accuracy", "confidence", "calibration_shift"):
                assert here.loc[figure, "estimate"] == pytest.approx(own[figure].mean(), abs=1e-8)
            assert here.loc["accuracy", "low"] <= own["accuracy"].mean() <= here.loc["accuracy", "high"]
            assert here.loc["accuracy", "n"] == QUESTIONS / 2
            assert np.isfinite(here.loc["agreement_gap", "estimate"])


def test_curves_have_shape_dose_and_trust(analysis: Analysis) -> None:
    curves = analysis.tables["curves"].set_index(["degradation", "modality"])
    assert list(curves.index) == sorted(CELLS)
    sudden, slow = curves.loc[("low_dose", "CT")], curves.loc[("gaussian_blur", "MRI")]
    assert (sudden["s50_low"], sudden["s50_high"]) == (1.0, 1.5)
    assert sudden["cliff"] == "yes"
    assert sudden["ratio"] > slow["ratio"]
    assert sudden["parameter"] == "photons"
    assert (curves["trusted_up_to"].dropna() <= 1).all()
    point = analysis.tables["curve_points"].query("degradation == 'low_dose' and severity == 1.5").iloc[0]
    dose = physical_dose("low_dose", 1.5, "CT")
    assert (point["value"], point["strength"]) == (pytest.approx(dose.value), pytest.approx(dose.strength))


def test_pooled_curves_weigh_each_curve_the_same(analysis: Analysis) -> None:
    points = analysis.tables["curve_points"]
    points = points[points["figure"] == "accuracy"]
    pooled = points[(points["degradation"] == "all") & (points["modality"] == "all")].set_index("severity")
    own = points[(points["degradation"] != "all") & (points["modality"] != "all")]
    expected = own.groupby("severity")["estimate"].mean()
    assert pooled["rank"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    np.testing.assert_allclose(pooled["estimate"], expected.loc[pooled.index], atol=1e-8)
    assert (pooled["low"] <= pooled["estimate"]).all()
    groups = set(zip(points["degradation"], points["modality"], strict=True)) - set(CELLS)
    assert groups == {("gaussian_blur", "all"), ("all", "CT"), ("all", "all")}


def test_the_table_for_psignifit_counts_right_majorities(analysis: Analysis) -> None:
    table = analysis.tables["psignifit"]
    assert list(table.columns[-3:]) == ["level", "n_correct", "n_total"]
    assert (table["n_total"] == QUESTIONS / 2).all()
    records_of = {(r["degradation"], r["level"]): [] for r in analysis.collection.runs[0].series}
    for record in analysis.collection.runs[0].series:
        if record["modality"] == "CT":
            records_of[record["degradation"], record["level"]].append(record["majority_vote"])
    for row in table[(table["modality"] == "CT") & (table["level"] > 0)].itertuples():
        assert row.n_correct == round(sum(records_of[row.degradation, f"S{row.level:.2f}"]))


def test_the_document_has_the_curves_and_only_numbers_that_exist(analysis: Analysis) -> None:
    (run,) = document(analysis)["runs"]
    json.dumps(run, allow_nan=False)
    curve = next(one for one in run["series"]["curves"] if one["degradation"] == "low_dose")
    assert curve["cliff"] == "yes"
    assert curve["points"][0]["dose"] is None
    assert [point["severity"] for point in curve["points"]] == [0, 0.5, 1, 1.5, 2]
    assert {pooled["curves"] for pooled in run["series"]["pooled"]} == {2, 3}


def test_questions_that_lack_a_severity_are_left_out_and_counted(tmp_path: Path) -> None:
    found = [record for record in records() if record["item_id"] != "000-low_dose-S1.00"]
    curves = analyse(read_runs([series_run(tmp_path, found)]), replicates=100).tables["curves"]
    assert curves.set_index("degradation").loc["low_dose", ["n", "left_out"]].tolist() == [QUESTIONS / 2 - 1, 1]


def test_a_least_accuracy_of_ones_own(tmp_path: Path) -> None:
    collection = read_runs([series_run(tmp_path, records())])
    low, high = (analyse(collection, 100, least_accuracy=x).tables["curves"] for x in (0.3, 0.999))
    assert (low["trusted_up_to"] >= 1).any()
    assert high["trusted_up_to"].isna().all()
    assert (high["accuracy_asked"] == 0.999).all()


def test_python_gives_the_same_curves(tmp_path: Path) -> None:
    folder = series_run(tmp_path, records())
    found = medqdeg.load(folder, replicates=100, least_accuracy=0.3)
    pd.testing.assert_frame_equal(found.curves, analyse(read_runs([folder]), 100, least_accuracy=0.3).tables["curves"])
    levels = medqdeg.load(write_run(tmp_path / "levels", scored_levels(6, seed=1)), replicates=100)
    assert levels.curves.empty


def test_a_series_without_clean_items_is_no_run(tmp_path: Path) -> None:
    found = [record for record in records(questions=4) if record["level"] != "L0"]
    with pytest.raises(InputError, match="a series without its clean items"):
        read_runs([series_run(tmp_path, found)])


def test_runs_of_levels_get_no_table_and_no_key(tmp_path: Path) -> None:
    analysis = analyse(read_runs([write_run(tmp_path, scored_levels(12, seed=1))]), replicates=100)
    assert not set(SERIES_TABLES) & set(analysis.tables)
    assert "series" not in document(analysis)["runs"][0]
    assert not [path for path in write_analysis(analysis, tmp_path / "out") if path.stem in SERIES_TABLES]
