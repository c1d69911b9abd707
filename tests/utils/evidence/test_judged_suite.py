"""Suites with the level "gone": files that the tasks load, and what the records say."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from medqdeg.utils.command_line import app
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.evidence.cache import judged_suite
from medqdeg.utils.evidence.suite import with_evidence
from medqdeg.utils.phantoms import cache
from medqdeg.utils.phantoms.planning import plan_suite
from medqdeg.utils.phantoms.suite import write_suite
from medqdeg.utils.scoring.records import score_item


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One MRI item, of brightness and contrast, and a void one."""
    folder = tmp_path_factory.mktemp("judged")
    plan = plan_suite(700, seed=0)
    write_suite(folder, {"dev": [plan[1], plan[10]]}, seed=0, finish=with_evidence)
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in folder.glob("*.tsv"):
        with path.open(encoding="utf-8", newline="") as file:
            found += list(csv.DictReader(file, delimiter="\t", restval=""))
    return [{"degradation_severity": "0", "degradation_type": "", **row} for row in found]


def test_every_image_is_judged_and_those_that_are_gone_are_a_level(judged: Path) -> None:
    found = rows(judged)
    assert {row["evidence"] for row in found if row["degradation_severity"] == "gone"} == {"gone"}
    assert Counter(row["evidence"] for row in found if row["template"] == "us_mass_margin") == {"void": 7}
    mri = [row for row in found if row["template"] == "mri_infarct_territory"]
    assert {row["degradation_type"] for row in mri if row["degradation_severity"] == "gone"} == {
        "adjust_brightness",
        "reduce_contrast",
    }
    for row in mri:
        keen, weak = float(row["evidence_keen"]), row["evidence_weak"]
        if row["evidence"] == "gone":
            assert keen <= 0.25
            assert not weak
        else:
            assert keen > 0.25
        if row["evidence"] == "survives" and row["degradation_type"]:
            assert float(weak) >= 0.75


def test_the_tasks_load_every_level_and_records_know_the_evidence(judged: Path) -> None:
    for level, verdicts in (("L0", {"survives", "void"}), ("L1", {"survives", "void"}), ("gone", {"gone"})):
        items = load_level("dev", level, LocalFolder(judged))
        records = [score_item(doc, ["Answer: A\nImage: insufficient"], "flag") for doc in items]
        assert {record["level"] for record in records} == {level}
        assert {record["evidence"] for record in records} <= verdicts
        assert all(record["not_diagnostic"] == [True] for record in records)
        assert all("severity" not in record for record in records)
    clean = {doc["source_question_id"] for doc in load_level("dev", "L0", LocalFolder(judged))}
    assert {doc["source_question_id"] for doc in load_level("dev", "gone", LocalFolder(judged))} <= clean


@pytest.mark.parametrize("small", [True, False])
def test_the_command_makes_the_suite_that_the_tasks_look_for(
    small: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is looked for in the cache and what `medqdeg phantom --gone` makes there have one identity."""
    made: list[Any] = []
    looked_for: list[Any] = []

    def build(folder: Path, identity: Any, write: Any, **_: Any) -> Path:
        made.append(identity)
        return folder

    def look(name: str, identity: Any, options: list[str]) -> Path:
        looked_for.append(identity)
        done = CliRunner().invoke(app, ["phantom", "--out", str(tmp_path / name), *options])
        assert done.exit_code == 0, done.output
        return tmp_path

    monkeypatch.setattr(cache, "build_folder", build)
    monkeypatch.setattr(cache, "default_folder", look)
    judged_suite(small_only=small)
    assert made == looked_for
    assert made[0] != cache.identity_of(small_only=small)


def test_judging_wants_a_suite_of_the_published_levels() -> None:
    done = CliRunner().invoke(app, ["phantom", "--gone", "--grey", "--out", "x"])
    assert done.exit_code != 0
