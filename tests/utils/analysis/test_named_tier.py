"""What a run's scores owe to options named in a sentence, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medqdeg.utils.analysis.named_tier import NamedTier, lines, named_tier
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.scoring.records import score_item

from ...command_line.calling import exit_status
from ..record_examples import document
from ..run_files import write_run

REPLIES = {
    "1": ["B", "B", "The image shows a polyp.", "The image shows a rib."],
    "2": ["B", "B", "B", "B"],
}


def _folder(folder: Path, replies: dict[str, list[str]]) -> Path:
    docs = [document(item_id=item, source_question_id=item, level="L0", degradation=None) for item in replies]
    write_run(folder, {"L0": [dict(score_item(doc, replies[doc["item_id"]])) for doc in docs]}, model="a/model")
    return folder


def test_with_and_without(tmp_path: Path) -> None:
    (run,) = read_runs([_folder(tmp_path, REPLIES)]).runs
    (found,) = named_tier(run)
    # item 1: letters B B B C; without the tier B B unread unread, each spread over the four
    with_tier = 1 - (0.75 * 0.4150374992788438 + 0.25 * 2) / 2
    without = 1 - (0.625 * 0.6780719051126377 + 3 * 0.125 * 3) / 2
    assert found == NamedTier(
        "L0",
        trials=2,
        of=8,
        accuracy=(pytest.approx((0.75 + 1) / 2), pytest.approx((0.5 + 1) / 2)),  # type: ignore[arg-type]
        shift=(  # type: ignore[arg-type]
            pytest.approx((with_tier - 0.75) / 2),
            pytest.approx((without - 0.5) / 2),
        ),
    )
    (line,) = lines(run)
    assert "2 of 8 replies name an option in a sentence; with them read accuracy 0.875" in line
    assert "unread 0.750" in line


def test_nothing_is_said_where_nothing_differs(tmp_path: Path) -> None:
    (run,) = read_runs([_folder(tmp_path, {"1": ["B", "nothing I can tell"]})]).runs
    assert list(lines(run)) == list(named_tier(run)) == []


def test_without_a_usable_statement_there_is_no_shift(tmp_path: Path) -> None:
    doc = document(item_id="1", source_question_id="1", level="L0", degradation=None)
    replies = ["The image shows a polyp. Confidence: 80%"] * 2
    write_run(tmp_path, {"L0": [dict(score_item(doc, replies, "verbalized"))]}, model="a/model")
    (run,) = read_runs([tmp_path]).runs
    (found,) = named_tier(run)
    assert found.trials == 2
    assert found.shift[0] is not None
    assert found.shift[1] is None
    (line,) = lines(run)
    assert line.endswith(", none")


def test_analyze_prints_it_and_writes_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    folder = _folder(tmp_path / "results", REPLIES)
    assert exit_status(monkeypatch, "analyze", folder, "--out", out, "--replicates", "100") == 0
    assert "2 of 8 replies name an option in a sentence" in capsys.readouterr().out
    (run,) = json.loads((out / "analysis.json").read_text())["runs"]
    assert run["option_named"]["L0"]["accuracy"] == {"with": 0.875, "without": 0.75}
    assert run["conditions"]["read_as"] == {"letter": 6, "option_named": 2}
