"""`medqdeg grade`: a table of images on the axes, from files; refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import degrade
from medqdeg.utils.phantoms import GENERATORS

from .calling import exit_status


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    (folder / "clean").mkdir()
    (folder / "mine").mkdir()
    for number in range(9):
        rng = np.random.default_rng([23, number])
        generator = GENERATORS["CT"]
        image = Image.fromarray(generator.draw(generator.sample_scene(rng), rng))
        if number < 7:
            image.save(folder / "clean" / f"{number}.png")
        else:
            degrade(image, "gaussian_noise", 1.5, seed=number).save(folder / "mine" / f"{number}.png")
    return folder


def test_it_prints_and_writes_where_the_images_lie(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    options = ("--like", folder / "clean", "--type", "gaussian_noise", "--modality", "CT")
    assert exit_status(monkeypatch, "grade", folder / "mine", *options, "--out", tmp_path / "grades.csv") == 0
    printed = capsys.readouterr().out
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["image"]).name for row in rows] == ["7.png", "8.png"]
    for row in rows:
        assert float(row["severity"]) == pytest.approx(1.5, abs=0.25)
        assert f"{float(row['severity']):.2f} [{float(row['low']):.2f}, {float(row['high']):.2f}]" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--type", "bubble"), "cannot be told from an image"),
        (("--type", "sharpen"), "unknown degradation"),
        (("--type", "gaussian_blur", "--modality", "PET"), "unknown modality"),
    ],
)
def test_what_it_cannot_do_is_one_line(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    assert exit_status(monkeypatch, "grade", folder / "mine", "--like", folder / "clean", *arguments) == 1
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_too_few_references_and_a_file_that_is_no_image(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        exit_status(monkeypatch, "grade", folder / "mine", "--like", folder / "mine", "--type", "gaussian_noise") == 1
    )
    assert "too few" in capsys.readouterr().err
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "broken.png").write_bytes(b"no image")
    given = (folder / "mine/7.png", tmp_path / "broken.png", "--like", folder / "clean", "--type", "gaussian_noise")
    assert exit_status(monkeypatch, "grade", *given) == 1
    captured = capsys.readouterr()
    assert "broken.png" in captured.err
    assert "7.png" in captured.out
