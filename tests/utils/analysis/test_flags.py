"""What flags are worth: every figure against plain loops over the trials, and what the extremes must give."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.flags import FLAGS
from medqdeg.utils.analysis.json_document import document as as_json
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE
from medqdeg.utils.scoring.records import score_item

from ..record_examples import LETTERS
from ..run_files import paired_documents, write_run

LEVELS = ("L0", "L1", "L2", "gone")


def run_of(tmp_path: Path, elicitation: str, flag_chance: dict[str, float], seed: int = 1) -> tuple[Any, list[Any]]:
    """A run whose model flags at each level with some chance, and all of its records."""
    rng, docs = random.Random(seed), paired_documents(40, seed=0)
    docs["gone"] = [{**doc, "level": "gone", "item_id": doc["item_id"] + "-gone"} for doc in docs["L2"][:50]]
    levels: dict[str, list[dict[str, Any]]] = {}
    for level, of_level in docs.items():
        levels[level] = []
        for doc in of_level:
            evidence = {"L0": "survives", "gone": "gone"}.get(level) or rng.choice(["survives", "undecided", "gone"])
            doc = {**doc, "extra": json.dumps({"evidence": evidence})}
            own = flag_chance[level] * rng.random() * 2  # items differ
            replies = list(_replies(doc, elicitation, own, rng))
            levels[level].append(dict(score_item(doc, replies, elicitation)))
    write_run(tmp_path, levels, model="m", task=f"medqdeg_{elicitation}")
    (run,) = read_runs([tmp_path]).runs
    return run, [record for records in levels.values() for record in records]


def _replies(doc: dict[str, Any], elicitation: str, chance: float, rng: random.Random) -> Iterator[str]:
    for _ in range(6):
        letter = rng.choice([doc["answer"], *LETTERS[: len(doc["letters"])]])
        flag = rng.random() < chance
        if rng.random() < 0.1:
            yield rng.choice(["who knows", "[LMMS_EVAL_REQUEST_FAILED] x"])
        elif elicitation == "flag":
            yield f"Answer: {letter}\nImage: {'insufficient' if flag else 'sufficient'}"
        else:
            yield "N" if flag else letter


def trials(record: dict[str, Any]) -> list[tuple[str, bool]]:
    pairs = zip(record["letters"], record["not_diagnostic"], strict=True)
    return [(letter, flag is True) for letter, flag in pairs if letter != "missing"]


def chosen(records: list[Any], name: str) -> list[Any]:
    if name.startswith("L"):
        return [record for record in records if record["level"] == name]
    return [record for record in records if record["evidence"] == name and record["level"] != "L0"]


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def by_hand(records: list[Any]) -> dict[str, float]:
    """The figures of a set of items by loops over their trials."""
    shares, coverage, right, reliability, never, never_accuracy = [], [], [], [], [], []
    for record in records:
        own = trials(record)
        if not own:
            continue
        wrong_costs = -1 / (record["k"] - 1)
        worth = {True: 1.0, False: wrong_costs}
        shares.append(mean([float(flag) for _, flag in own]))
        coverage.append(mean([float(not flag) for _, flag in own]))
        right.append(mean([float(letter == record["answer"] and not flag) for letter, flag in own]))
        reliability.append(mean([0.0 if flag else worth[letter == record["answer"]] for letter, flag in own]))
        never.append(mean([0.0 if letter == "abstained" else worth[letter == record["answer"]] for letter, _ in own]))
        guess = 1 / record["k"]
        never_accuracy.append(
            mean([guess if letter == "abstained" else float(letter == record["answer"]) for letter, _ in own])
        )
    return {
        "rate": mean(shares),
        "coverage": mean(coverage),
        "selective_accuracy": math.fsum(right) / math.fsum(coverage),
        "effective_reliability": mean(reliability),
        "never_reliability": mean(never),
        "never_accuracy": mean(never_accuracy),
    }


def table_of(run: Any) -> pd.DataFrame:
    from medqdeg.utils.analysis.runs.run import Collection

    return analyse(Collection((run,)), 100, scope=SCOPE).tables["flags"]


@pytest.mark.parametrize("elicitation", ["flag", "abstain"])
def test_every_figure_is_that_of_plain_loops(elicitation: str, tmp_path: Path) -> None:
    run, records = run_of(tmp_path, elicitation, {"L0": 0.1, "L1": 0.2, "L2": 0.3, "gone": 0.45})
    assert len(run.gone) == 50
    assert all(record["level"] != "gone" for record in run.records)
    table = table_of(run)
    assert tuple(table.columns) == FLAGS
    found = table.set_index(["set", "figure"])
    rates = {"L0": "false_flag_rate", "survives": "false_flag_rate", "gone": "hit_rate"}
    for name in ("L0", "L1", "L2", "survives", "gone"):
        own = by_hand(chosen(records, name))
        for figure, key in (
            (rates.get(name, "flag_rate"), "rate"),
            *((figure, figure) for figure in ("coverage", "selective_accuracy", "effective_reliability")),
        ):
            row = found.loc[name, figure]
            assert row["estimate"] == pytest.approx(own[key], abs=1e-8)
            assert row["low"] <= row["estimate"] <= row["high"]
        assert found.loc[name, "effective_reliability"]["never_flag"] == pytest.approx(
            own["never_reliability"], abs=1e-8
        )
        assert found.loc[name, "selective_accuracy"]["never_flag"] == pytest.approx(own["never_accuracy"], abs=1e-8)
    gone = chosen(records, "gone")
    for other in ("L0", "survives"):
        there = chosen(records, other)
        contrast = found.loc[f"gone_against_{other}"]
        expected = by_hand(gone)["rate"] - by_hand(there)["rate"]
        assert contrast.loc["difference"]["estimate"] == pytest.approx(expected, abs=1e-8)
        both = [record for record in gone + there if trials(record)]
        shares = [round(mean([float(flag) for _, flag in trials(record)]), 9) for record in both]
        truth = [record["evidence"] == "gone" and record["level"] != "L0" for record in both]
        assert contrast.loc["auroc"]["estimate"] == pytest.approx(roc_auc_score(truth, shares), abs=1e-8)
        assert (contrast["low"] < contrast["estimate"]).all()
        assert (contrast["estimate"] < contrast["high"]).all()


@pytest.mark.parametrize(("chance", "name"), [(10.0, "always_flag"), (0.0, "never_flag")])
def test_a_model_that_always_or_never_flags_gets_what_stands_beside(chance: float, name: str, tmp_path: Path) -> None:
    run, _ = run_of(tmp_path, "flag", dict.fromkeys(LEVELS, chance))
    table = table_of(run)
    for row in table.to_dict("records"):
        unread = row["figure"] in ("effective_reliability", "selective_accuracy")  # unread trials never flag
        if chance == 0.0 or not unread:
            tolerance = 0.12 if chance else 1e-8
            assert row["estimate"] == pytest.approx(row[name], abs=tolerance), (row["set"], row["figure"])
    if chance == 0.0:
        assert set(table[table["figure"] == "auroc"]["estimate"]) == {0.5}


def test_guessing_earns_nothing_and_a_flag_saves_a_guess(tmp_path: Path) -> None:
    docs = paired_documents(40, seed=0)["L0"]
    levels = {"L0": [dict(score_item(doc, [f"Answer: {letter}" for letter in doc["letters"]], "flag")) for doc in docs]}
    write_run(tmp_path, levels, model="m", task="medqdeg_flag")
    (run,) = read_runs([tmp_path]).runs
    found = table_of(run).set_index(["set", "figure"])
    assert found.loc["L0", "effective_reliability"]["estimate"] == pytest.approx(0.0, abs=1e-9)


def test_they_are_in_the_document_and_nowhere_where_nobody_could_flag(tmp_path: Path) -> None:
    run_of(tmp_path / "a", "flag", dict.fromkeys(LEVELS, 0.3))
    docs = paired_documents(12, seed=0)
    plain = {
        level: [dict(score_item(doc, [doc["answer"]] * 3)) for doc in of_level] for level, of_level in docs.items()
    }
    write_run(tmp_path / "b", plain, model="n")
    collection = read_runs([tmp_path])
    analysis = analyse(collection, 100, scope=SCOPE)
    runs = {run["name"]: run for run in as_json(analysis)["runs"]}
    assert runs["m"]["flags"]["gone"]["hit_rate"]["n"] > 0
    assert set(runs["m"]["flags"]) == {*LEVELS, "survives", "gone_against_L0", "gone_against_survives"}
    assert "flags" not in runs["n"]
    assert set(analysis.tables["flags"]["run"]) == {"m"}


def test_the_level_gone_alone_is_told_of(tmp_path: Path) -> None:
    _, records = run_of(tmp_path / "whole", "flag", dict.fromkeys(LEVELS, 0.3))
    write_run(tmp_path / "gone", {"gone": [r for r in records if r["level"] == "gone"]}, model="m", task="medqdeg_flag")
    collection = read_runs([tmp_path])
    assert len(collection.runs) == 1
    assert any("only items of the level gone" in line for line in collection.warnings)


def test_the_interval_of_a_rate_is_of_questions_not_of_items(tmp_path: Path) -> None:
    """Every item five times over tells no more than once."""
    run, records = run_of(tmp_path / "once", "flag", dict.fromkeys(LEVELS, 0.3))
    copies = [{**record, "item_id": f"{record['item_id']}-{copy}"} for record in records for copy in range(5)]
    levels = {level: [record for record in copies if record["level"] == level] for level in LEVELS}
    write_run(tmp_path / "often", levels, model="m", task="medqdeg_flag")
    (often,) = read_runs([tmp_path / "often"]).runs
    first, second = (table_of(each)[["estimate", "low", "high"]] for each in (run, often))
    pd.testing.assert_frame_equal(first, second, atol=1e-7)
