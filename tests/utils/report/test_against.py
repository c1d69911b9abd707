"""Two versions of a model: differences and flips against plain loops; a model card against the frames."""

from __future__ import annotations

import copy
import hashlib
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import medqdeg
from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line import app
from medqdeg.utils.report.against import AGAINST_SCOPE, LOST, WON
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.model_card import write_cards

from ..run_files import scored_levels, write_run

Levels = dict[str, list[dict[str, Any]]]


def votes(record: dict[str, Any], letter: str) -> list[str]:
    """All answered trials for one letter; T stays."""
    return ["missing" if old == "missing" else letter for old in record["letters"]]


@pytest.fixture(scope="module")
def versions() -> tuple[Levels, Levels]:
    """An old run, and a new one that answers every third item of L2 with the right letter, each time."""
    old = scored_levels(60, seed=1)
    new = copy.deepcopy(old)
    for record in new["L2"][::3]:
        record["letters"] = votes(record, record["answer"])
    for record in new["L1"][:5]:
        wrong = next(letter for letter in "ABCDE" if letter != record["answer"])
        record["letters"] = votes(record, wrong)
    return old, new


@pytest.fixture(scope="module")
def folders(versions: tuple[Levels, Levels], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("versions")
    write_run(folder / "old", versions[0], model="a/model-1.0", date="20260101_000000")
    write_run(folder / "new", versions[1], model="a/model-1.1", date="20260201_000000")
    return folder / "old", folder / "new"


@pytest.fixture(scope="module")
def analysis(folders: tuple[Path, Path]) -> Analysis:
    return analyse(read_runs(list(folders)), 100, 0, AGAINST_SCOPE)


@pytest.fixture(scope="module")
def frames(analysis: Analysis) -> dict[str, pd.DataFrame]:
    return report_frames(analysis, old=["model-1.0"])


def right_share(record: dict[str, Any]) -> float:
    letters = [letter for letter in record["letters"] if letter != "missing"]
    return sum(letter == record["answer"] for letter in letters) / len(letters)


def majority_is_right(record: dict[str, Any]) -> bool | None:
    counts = {name: record["letters"].count(name) for name in "ABCDE"}
    top = [name for name, count in counts.items() if count == max(counts.values())]
    return None if len(top) > 1 or not max(counts.values()) else top[0] == record["answer"]


def test_differences_are_new_minus_old(versions: tuple[Levels, Levels], frames: dict[str, pd.DataFrame]) -> None:
    frame = frames["against"]
    assert set(frame["model"]) == {"model-1.1"}
    assert set(frame["before"]) == {"model-1.0"}
    of = frame[(frame["axis"] == "overall") & (frame["figure"] == "accuracy")].set_index("level")["estimate"]
    for level in ("L0", "L1", "L2"):
        shares = [[right_share(record) for record in version[level]] for version in versions]
        assert of[level] == pytest.approx(sum(shares[1]) / len(shares[1]) - sum(shares[0]) / len(shares[0]), abs=1e-9)
    assert of["L2"] > 0 > of["L1"]
    assert {"modality", "degradation"} <= set(frame["axis"])


def test_the_flipped_items_are_found(versions: tuple[Levels, Levels], frames: dict[str, pd.DataFrame]) -> None:
    expected = {}
    for level in ("L0", "L1", "L2"):
        for old, new in zip(*(version[level] for version in versions), strict=True):
            sides = majority_is_right(old), majority_is_right(new)
            if None not in sides and sides[0] != sides[1]:
                expected[level, new["item_id"]] = WON if sides[1] else LOST
    found = {(row.level, row.item_id): row.flip for row in frames["flipped"].itertuples()}
    assert found == expected
    assert {WON, LOST} == set(found.values())


def test_without_an_old_run_there_is_nothing(analysis: Analysis) -> None:
    frames = report_frames(analysis)
    assert frames["against"].empty
    assert frames["flipped"].empty


@pytest.mark.usefixtures("as_svg_alone")
def test_the_command(folders: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = folders
    command = ["report", str(new), "--against", str(old), "--out", str(tmp_path / "r"), "--card", "--replicates", "100"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "What changed since the version before" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "r" / "card_model-1.1.md").exists()
    same = CliRunner().invoke(app, ["report", str(new), "--against", str(new), "--out", str(tmp_path / "s")])
    assert same.exit_code != 0


@pytest.mark.usefixtures("as_svg_alone")
def test_the_same_in_python(folders: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = folders
    written = medqdeg.report(new, tmp_path / "r", against=old, card=True, width="column", replicates=100)
    assert {"report.html", "items.html", "card_model-1.1.md", "against.csv", "flipped.csv"} <= {p.name for p in written}


def test_what_does_not_compare_is_named(
    versions: tuple[Levels, Levels], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    fewer = {level: records[:20] for level, records in versions[0].items()}
    write_run(tmp_path / "other", fewer, model="a/model-0.9")
    with pytest.raises(InputError, match=r"nothing there compares with the new version: .*items"):
        medqdeg.report(folders[1], tmp_path / "r", against=tmp_path / "other", replicates=100)
    assert not (tmp_path / "r").exists()


def test_a_card_states_what_the_frames_hold(
    analysis: Analysis, frames: dict[str, pd.DataFrame], folders: tuple[Path, Path], tmp_path: Path
) -> None:
    card = next(path for path in write_cards(analysis, frames, tmp_path) if "1.1" in path.name).read_text()
    _, metadata, body = card.split("---\n", 2)
    results = yaml.safe_load(metadata)["model-index"][0]["results"]
    headline = frames["headline"].set_index(["model", "level"])
    stated = {(one["dataset"]["config"], m["type"]): m["value"] for one in results for m in one["metrics"]}
    assert stated["L2", "accuracy"] == pytest.approx(headline.at[("model-1.1", "L2"), "accuracy"], abs=1e-6)
    for heading in ("Performance", "Operating points", "Limits", "Monitoring", "Versions and hashes"):
        assert f"\n## {heading}\n" in body
    row = headline.loc[("model-1.1", "L0")]
    assert f"| L0 | {row['n']} | {100 * row['accuracy']:.1f} [" in body
    for path in folders[1].rglob("*.jsonl"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in body
    assert not re.search(r"(?i)complian|approved|cleared", body)


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    write_run(folder, scored_levels(12, seed=2), model="x/a|b<script>alert(1)</script>[l](javascript:x)")
    analysis = analyse(read_runs([folder]), 100, 0, AGAINST_SCOPE)
    (path,) = write_cards(analysis, report_frames(analysis), tmp_path)
    body = path.read_text().split("---\n", 2)[2]
    assert "<script>" not in body
    assert "](javascript" not in body.replace("\\]", "")
