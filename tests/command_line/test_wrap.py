"""`medqdeg wrap` and `medqdeg lm-eval-path`: what they refuse and what they print; runs are in tests/tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..lmms_eval_fixtures import index_once  # noqa: F401 - a fixture
from .calling import exit_status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pope"], "give --out DIR"),
        (["--votes", "3"], "no task"),
        (["pope", "--out", "x", "--levels", "l3"], "--levels l3: must be l0, l1 or l2"),
        (["pope", "--out", "x", "--levels", ","], "name at least one"),
        (["pope", "--out", "x", "--auto", "magic"], "the one choice is `modality`"),
        (["pope", "--out", "x", "--auto", "modality", "--types", "motion_blur"], "exclude each other"),
        (["pope", "--out", "x", "--reference-size", "0"], "must be a positive number"),
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
    assert exit_status(monkeypatch, "wrap", *arguments) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def lmms_eval() -> None:
    pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")


@pytest.mark.usefixtures("lmms_eval")
def test_a_built_in_task_is_wrapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["wrap", "pope", "--levels", "l0,l2", "--votes", "4", "--out", str(tmp_path)]
    assert exit_status(monkeypatch, *arguments) == 0
    assert "pope_medqdeg, pope_medqdeg_l0, pope_medqdeg_l2" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "pope_medqdeg.yaml",
        *(f"pope_medqdeg_{level}.{suffix}" for level in ("l0", "l2") for suffix in ("py", "yaml")),
    }


@pytest.mark.usefixtures("lmms_eval")
@pytest.mark.parametrize(
    ("task", "message"),
    [("popo", "did you mean"), ("mmmu", "is a group of tasks"), ("videomme", "cannot be wrapped: its items are video")],
)
def test_what_cannot_be_wrapped_is_refused_with_the_reason(
    task: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_status(monkeypatch, "wrap", task, "--out", tmp_path / "out") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_lm_eval_folder_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(monkeypatch, "lm-eval-path") == 0
    folder = Path(capsys.readouterr().out.strip())
    assert (folder / "medqdeg_l2.yaml").is_file()
