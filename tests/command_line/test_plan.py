"""`medqdeg plan` from assumptions and from a pilot, and `medqdeg subset`, as a person calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.statistics.planning import Unit
from medqdeg.utils.analysis.statistics.vote_noise import VoteNoise
from medqdeg.utils.command_line.plan import best_trials

from ..utils.run_files import scored_levels, write_run
from .calling import exit_status


def test_plan_from_assumptions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    call = ("plan", "--accuracy", "0.7", "0.6", "--questions", "300", "--effect", "0.001", "--price", "1", "10")
    assert exit_status(monkeypatch, *call) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Change found in 80% of studies of 300 source questions" in printed
    # 300 questions, 1 + 2 x 2.39 items, three trials; 1,500 prompt and 20 reply tokens each.
    assert re.search(r" 5,(19|20)\d 7\.9 8\.8\d ", printed)
    assert "not detectable with this benchmark" in printed
    assert "T = 3 shows the smallest change of the gap for its cost (each trial is a request)" in printed


def test_what_a_model_cannot_be_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(monkeypatch, "plan", "--accuracy", "0.9", "0.8", "--gap", "0.5", "0.1") == 1
    assert capsys.readouterr().err == (
        "medqdeg: no model has accuracy 0.9 with an agreement gap of 0.5; change --accuracy or --gap\n"
    )


def test_plan_from_a_pilot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "in", scored_levels(40, seed=1))
    out = tmp_path / "out"
    assert exit_status(monkeypatch, "analyze", tmp_path / "in", "--out", out, "--replicates", "100") == 0
    capsys.readouterr()
    assert exit_status(monkeypatch, "plan", "--pilot", out, "--questions", "600") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "source questions, L0 to L2, T = 10." in printed
    assert "Change found in 80% of studies of 600 source questions" in printed
    planning = json.loads((out / "analysis.json").read_text())["runs"][0]["planning"]
    measured = 2.8016 * planning["measured"]["accuracy"] / 600**0.5
    assert f"10 {measured:.4f}" in printed
    assert exit_status(monkeypatch, "plan", "--pilot", out, "--run", "nobody") == 1
    assert "has no run 'nobody'" in capsys.readouterr().err
    assert exit_status(monkeypatch, "plan", "--pilot", tmp_path / "absent") == 1
    assert "is no analysis.json with a plan in it" in capsys.readouterr().err


SHARED = {"block": 10, "why_not": None, "rows_at_once": 10, "asked_one_by_one": {}}
CHOICES = {"items_in_one_request": 12, "why_not": None}
ONE_PREFILL = "one prefill serves all trials, as in the pilot"
REQUESTS = "each trial is a request, as in the pilot"
NOT_SAID = "each trial is a request (assumed: the pilot's results do not say"


@pytest.mark.parametrize(
    ("sampling", "told"),
    [
        ({"sharing": SHARED}, ONE_PREFILL),
        ({"sharing": CHOICES}, ONE_PREFILL),
        ({"sharing": {**SHARED, "asked_one_by_one": {"num_beams=2": 6}}, "trials": {"asked": 36}}, ONE_PREFILL),
        ({"sharing": {**SHARED, "asked_one_by_one": {"num_beams=2": 30}}, "trials": {"asked": 36}}, REQUESTS),
        ({"sharing": {**SHARED, "why_not": "share=false"}}, REQUESTS),
        ({"sharing": {**CHOICES, "items_in_one_request": 0}}, REQUESTS),
        ({}, REQUESTS),
        ({"sharing": "unreadable"}, NOT_SAID),
        (None, NOT_SAID),
    ],
)
def test_what_a_trial_costs_is_taken_from_the_pilot(
    sampling: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder = write_run(tmp_path / "in", scored_levels(40, seed=1))
    results = next(folder.glob("*_results.json"))
    content = json.loads(results.read_text())
    for scores in content["results"].values():
        if sampling is None:
            del scores["medqdeg,votes"]
        elif sampling:
            scores["medqdeg,votes"]["sampling"] = {"inner": "llava_hf", **sampling}
    results.write_text(json.dumps(content))
    out = tmp_path / "out"
    assert exit_status(monkeypatch, "analyze", tmp_path / "in", "--out", out, "--replicates", "100") == 0
    capsys.readouterr()
    assert exit_status(monkeypatch, "plan", "--pilot", out) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"Cost: {told}" in printed
    assert f"for its cost ({told.partition(',')[0].partition(' (')[0]})" in printed
    assert exit_status(monkeypatch, "plan", "--pilot", out, "--cost", "requests") == 0
    printed = capsys.readouterr().out
    assert "Cost:" not in printed
    assert "(each trial is a request)" in printed


def test_what_a_trial_costs_is_assumed_without_a_pilot(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(monkeypatch, "plan") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Cost: each trial is a request (assumed; --cost prefills+tokens where one prefill serves all" in printed


def test_few_trials_where_each_is_a_request_and_many_where_one_prefill_serves_all() -> None:
    unit = Unit({"gap": 0.08}, VoteNoise(accuracy=0.2, cubes=0.05, squares=0.15, mixed=0.1), 2.4)
    assert best_trials(unit, "requests", 1500, 20) in (2, 3)
    assert best_trials(unit, "prefills+tokens", 1500, 20) == 10


@pytest.mark.parametrize("share", ["16.7%", "0.167"])
def test_subset_of_the_small_phantoms(
    share: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "subset.json"
    assert exit_status(monkeypatch, "subset", share, "--split", "phantom_small", "--out", out) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "of 84 source questions, each in one degradation" in printed
    assert "95% of the errors of accuracy lie within L0 " in printed
    assert f"MEDQDEG_SUBSET={share} python -m lmms_eval" in printed
    items = json.loads(out.read_text())["items"]
    assert len({item["source_question_id"] for item in items}) == len(items)
    assert all(1 <= item["weight"] <= 3 for item in items)
    assert exit_status(monkeypatch, "subset", "100%", "--split", "phantom_small") == 1
    assert "a subset is less than all items" in capsys.readouterr().err
