"""`medqdeg demo`: what it refuses, and what it prints of a results file; the run itself is in tests/tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils import nodes
from medqdeg.utils.command_line import main
from medqdeg.utils.command_line.demo import print_levels

from ..utils.record_examples import document


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give the folder with the data set's TSV files"),
        (["absent"], "absent is not a folder"),
        ([".", "--model", "gpt"], "unknown model 'gpt': known are qwen2_5_vl, llava_hf"),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MEDQDEG_DATA", raising=False)
    monkeypatch.setattr("sys.argv", ["medqdeg", "demo", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_levels_and_their_change_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    from medqdeg.utils.records import score_item

    replies = {"L0": ["B"] * 4, "L1": ["B", "B", "A", "I cannot tell"], "L2": ["A"] * 4}
    results: dict[str, Any] = {}
    summaries = []
    for level, texts in replies.items():
        summaries.append(nodes.level_summary([score_item(document(level=level), texts)]))
        results[f"medqdeg_{level.lower()}"] = {"medqdeg,votes": summaries[-1]}
    results["medqdeg"] = {"medqdeg,votes": nodes.compare_levels(summaries)}
    print_levels(results)
    printed = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines() if line.startswith("│")]
    assert rows[0] == ["L0", "1", "1.000", "1.000", "0.000", "0.000"]
    assert rows[1][0:3] == ["L1", "1", "0.500"]
    assert rows[2] == ["L2", "1", "0.000", "1.000", "1.000", "0.000"]
    assert "L0 to L2: accuracy drop 1.000, shift change +1.000, Dunning-Kruger effect: yes" in printed
