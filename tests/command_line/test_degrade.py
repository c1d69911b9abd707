"""`medqdeg degrade`: what is written where, that no kill or worker count changes a byte, and bad input."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from medqdeg.degradations import degrade, get, list_degradations, reproduce
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.command_line import app
from medqdeg.utils.degrade_files import requests
from medqdeg.utils.degrade_files import runs as engine
from medqdeg.utils.images import read_image
from medqdeg.utils.images.folders import find_sources

COMMAND = [sys.executable, "-c", "from medqdeg.utils.command_line import main; main()"]


def picture(index: int = 0, side: int = 48) -> Image.Image:
    y, x = np.mgrid[:side, :side]
    grey = 128 + 60 * np.sin(x / 5 + index) + 50 * np.cos(y / 7 - index)
    return Image.fromarray(np.repeat(grey[..., None], 3, axis=2).astype(np.uint8))


def folder_of_images(folder: Path, count: int = 3, side: int = 48) -> Path:
    for index in range(count):
        path = folder / ("deep/er" if index % 2 else ".") / f"image{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(index, side).save(path)
    return folder


def opened(path: Path) -> Image.Image:
    """An image as Pillow reads it, with the file closed again."""
    with Image.open(path) as image:
        image.load()
        return image


def medqdeg(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False)


def run(*arguments: object) -> str:
    """Run the command in this process; return its standard output."""
    result = CliRunner().invoke(app, ["degrade", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def hashes(folder: Path) -> dict[str, str]:
    """Every file's hash by its path, but for the lock."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".manifest.lock"
    }


def manifest(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_outputs_keep_the_folders_structure_and_are_what_the_library_makes(tmp_path):
    source = folder_of_images(tmp_path / "in")
    run(source, "--type", "gaussian_noise,bubble", "--seed", 7, "--out", tmp_path / "out")
    lines = manifest(tmp_path / "out")
    assert [line["output"] for line in lines] == [
        f"{name}/L{level}/{item}.png"
        for name in ("bubble", "gaussian_noise")
        for level in (1, 2)
        for item in ("deep/er/image1", "image0", "image2")
    ]
    for line in lines:
        given = Path(line["input"])
        output = tmp_path / "out" / line["output"]
        assert line["input_sha256"] == hashlib.sha256(given.read_bytes()).hexdigest()
        assert line["output_sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
        clean, made = read_image(given).image, opened(output)
        seed = f"7:{line['input_sha256']}"
        expected = degrade(clean, line["record"]["name"], line["record"]["severity"], seed=seed)
        assert np.array_equal(np.asarray(made), np.asarray(expected))
        assert np.array_equal(np.asarray(made), np.asarray(reproduce(clean, line["record"])))
        shown = b"RGB 48 48\n" + np.asarray(made).tobytes()
        assert line["output_pixels_sha256"] == hashlib.sha256(shown).hexdigest()


def test_workers_and_the_place_of_a_file_change_no_byte(tmp_path):
    source = folder_of_images(tmp_path / "in", 5)
    options = ("-t", "gaussian_noise", "-t", "blood_cell", "-s", "2", "--seed", "x")
    run(source, *options, "-o", tmp_path / "one", "--workers", 1)
    run(source, *options, "-o", tmp_path / "two", "--workers", 2)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    run(source / "deep" / "er" / "image1.png", *options, "-o", tmp_path / "alone")
    alone = (tmp_path / "alone/gaussian_noise/L2/image1.png").read_bytes()
    assert alone == (tmp_path / "one/gaussian_noise/L2/deep/er/image1.png").read_bytes()


def test_a_second_run_keeps_everything_and_another_setting_makes_it_again(tmp_path):
    source, out = folder_of_images(tmp_path / "in"), tmp_path / "out"
    options = ("-t", "gaussian_noise", "-s", "1", "-o", out)
    assert "wrote 3 from 3 files" in run(source, *options)
    before = hashes(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert "wrote 0, kept 3" in run(source, *options)
    assert hashes(out) == before
    assert times == {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert "wrote 3 from" in run(source, *options, "--seed", 1)
    assert hashes(out) != before
    assert "wrote 3 from" in run(source, *options)
    assert hashes(out) == before
    # A changed input, a damaged and a lost output are each made again; the rest is kept.
    picture(99).save(source / "image0.png")
    (out / "gaussian_noise/L1/image2.png").write_bytes(b"damaged")
    assert "wrote 2, kept 1" in run(source, *options)
    (out / "gaussian_noise/L1/image2.png").unlink()
    assert "wrote 1, kept 2" in run(source, *options)
    changed = hashes(out)
    assert changed.pop("gaussian_noise/L1/image0.png") != before["gaussian_noise/L1/image0.png"]
    assert all(changed[name] == before[name] for name in changed if name.endswith(".png"))


def test_the_compression_of_png_changes_files_and_no_pixel(tmp_path):
    scans = folder_of_images(tmp_path / "scans", 1)
    for level in (2, 0, 9):
        run(scans, "--type", "gaussian_blur", "--severity", 1, "--out", tmp_path / str(level), "--png-level", level)
    lines = [manifest(tmp_path / str(level))[0] for level in (2, 0, 9)]
    assert len({line["output_sha256"] for line in lines}) == 3
    assert len({line["output_pixels_sha256"] for line in lines}) == 1
    # As in earlier versions where it is the usual one, so that their manifests still hold.
    assert ["png_level" in line["request"] for line in lines] == [False, True, True]


def test_runs_into_one_folder_add_up_in_its_manifest(tmp_path):
    source, out = folder_of_images(tmp_path / "in", 1), tmp_path / "out"
    run(source, "-t", "gaussian_noise", "-o", out)
    run(source, "-t", "gaussian_blur", "-o", out)
    assert [line["output"] for line in manifest(out)] == [
        f"{name}/L{level}/image0.png" for name in ("gaussian_blur", "gaussian_noise") for level in (1, 2)
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle_and_run_again_gives_the_same_bytes(tmp_path, workers):
    source = folder_of_images(tmp_path / "in", 8, side=400)
    options = [str(source), "-t", "gaussian_noise,dark_spots,bubble", "--workers", str(workers)]
    run(*options, "-o", tmp_path / "whole")
    out = tmp_path / "killed"
    process = subprocess.Popen(
        [*COMMAND, "degrade", *options, "-o", str(out)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(list(out.rglob("*.png"))) < 14 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    made = len(list(out.rglob("[!.]*.png")))
    assert 14 <= made < 48
    # What a kill during a write leaves: half a line, and half a file beside its place.
    with (out / "manifest.jsonl").open("a") as file:
        file.write('{"item": "image7", "output": "bubble/L2/im')
    (out / "bubble/L2").mkdir(parents=True, exist_ok=True)
    (out / "bubble/L2/.image6.png.part").write_bytes(b"half")
    text = run(*options, "-o", out)
    assert "kept" in text
    kept = int(text.split("kept ")[1].split()[0])
    assert 0 < kept <= made
    assert hashes(out) == hashes(tmp_path / "whole")


def test_interrupted_by_the_keyboard_it_says_how_to_go_on(tmp_path):
    source = folder_of_images(tmp_path / "in", 16, side=400)  # many, or it may end before the interrupt arrives
    arguments = [
        "degrade",
        str(source),
        "-t",
        "gaussian_noise,bubble",
        "-o",
        str(tmp_path / "out"),
        "--workers",
        "2",
    ]
    process = subprocess.Popen([*COMMAND, *arguments], start_new_session=True, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/**/*.png")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "interrupted; the same command continues\n"
    result = medqdeg(*arguments)
    assert result.returncode == 0
    assert len(manifest(tmp_path / "out")) == 64


def test_a_worker_that_dies_ends_the_run_with_one_line_and_keeps_what_is_done(tmp_path):
    source, out = folder_of_images(tmp_path / "in", 12, side=300), tmp_path / "out"
    sources = find_sources([source]).sources
    request = requests.DegradeRequest(names=("gaussian_noise",))

    def kill_a_worker(_: engine.Outcome) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(InputError, match=r"a worker died .* run again with fewer --workers"):
        engine.degrade_files(sources, request, out, workers=2, on_progress=kill_a_worker)
    summary = engine.degrade_files(sources, request, out, workers=1)
    assert summary.kept >= 2
    assert summary.made + summary.kept == 24


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux file systems hold names that are no UTF-8")
def test_odd_file_names_are_read_and_recorded(tmp_path):
    names = [
        "a\nb.png",
        "d\u00e9j\u00e0 vu.png",
        os.fsdecode(b"latin\xe9.png"),
        "\x1b[31mred.png",
        "empty\x1b[0m.png",
    ]
    (tmp_path / "in").mkdir()
    for index, name in enumerate(names):
        picture(index).save(tmp_path / "in" / name)
    (tmp_path / "in" / names[-1]).write_bytes(b"")
    result = medqdeg("degrade", tmp_path / "in", "-t", "bubble", "-s", "1", "-o", tmp_path / "out")
    assert result.returncode == 1
    assert "\x1b" not in result.stderr
    assert {line["item"] + ".png" for line in manifest(tmp_path / "out")} == set(names[:-1])
    again = medqdeg("degrade", tmp_path / "in", "-t", "bubble", "-s", "1", "-o", tmp_path / "out")
    assert "kept 4" in again.stdout


def test_files_that_fail_are_named_and_counted_and_the_rest_goes_on(tmp_path):
    source = folder_of_images(tmp_path / "in", 2)
    whole = (source / "image0.png").read_bytes()
    (source / "cut.png").write_bytes(whole[: len(whole) // 2])
    (source / "empty.jpg").touch()
    (source / "letter.tif").write_text("Dear colleague,")
    Image.new("L", (8, 8), 9).save(source / "constant.png")
    (source / "notes.txt").write_text("not an image, and not tried")
    result = medqdeg("degrade", source, "-t", "gaussian_blur", "-o", tmp_path / "out")
    assert result.returncode == 1
    for name, why in (
        ("cut.png", "damaged or cut short"),
        ("empty.jpg", "empty"),
        ("letter.tif", "not a PNG"),
        ("constant.png: constant or too small", "(gaussian_blur L1, gaussian_blur L2)"),
    ):
        assert any(name in line and why in line for line in result.stderr.splitlines()), result.stderr
    assert "passed over 1 file" in result.stderr
    assert "Traceback" not in result.stderr
    assert "wrote 4 from 6 files" in result.stdout
    assert "4 files failed" in result.stdout
    assert len(manifest(tmp_path / "out")) == 4
    again = medqdeg("degrade", source, "-t", "gaussian_blur", "-o", tmp_path / "out")
    assert again.returncode == 1
    assert "wrote 0, kept 4" in again.stdout


def test_an_error_in_one_degradation_does_not_stop_the_others(tmp_path, monkeypatch):
    real = requests.degrade_with_record

    def flawed(image, name, *arguments, **options):
        if name == "gaussian_blur":
            raise RuntimeError("a bug")
        return real(image, name, *arguments, **options)

    monkeypatch.setattr(requests, "degrade_with_record", flawed)
    source = folder_of_images(tmp_path / "in", 1)
    arguments = [
        "degrade",
        str(source),
        "-t",
        "gaussian_blur,bubble",
        "-o",
        str(tmp_path / "out"),
        "--workers",
        "1",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "image0.png: gaussian_blur L1: RuntimeError: a bug" in result.stderr
    assert len(manifest(tmp_path / "out")) == 2


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    source = folder_of_images(tmp_path / "in", 2)
    real = os.scandir

    def scandir(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root, who runs the tests in a container, may read everything
    arguments = ["degrade", str(source), "-t", "bubble", "-o", str(tmp_path / "out"), "--workers", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "deep: cannot be read (Permission denied)" in result.stderr
    assert len(manifest(tmp_path / "out")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{in}", "-o", "{out}"], "no degradation: give --type"),
        (["{in}", "-t", "gausian_noise", "-o", "{out}"], "unknown degradation 'gausian_noise'"),
        (["{in}", "-t", "bubble", "-s", "5", "-o", "{out}"], "--severity 5.00: bubble goes up to 4"),
        (["{in}", "-t", "bubble", "-s", "mild", "-o", "{out}"], "--severity mild: unknown severity 'mild'"),
        (["{in}", "-t", "bubble"], "nothing to write"),
        (["-t", "bubble", "-o", "{out}"], "no input"),
        (["{in}/none", "-t", "bubble", "-o", "{out}"], "no such file or folder"),
        (["{empty}", "-t", "bubble", "-o", "{out}"], "no image found in"),
        (["{in}", "-t", "bubble", "-o", "{out}", "--modality", "tarot"], "unknown modality 'tarot'"),
        (
            ["{in}", "-t", "bubble", "-o", "{out}", "--severities", "{in}/none.yaml"],
            "none.yaml: cannot be read",
        ),
        (["{in}", "-t", "bubble", "-o", "{out}", "--severities", "{table}"], "expected exactly L1 and L2"),
        (["{in}", "-t", "bubble", "-o", "{out}", "--reference-size", "-5"], "positive number of pixels"),
        (["{in}", "-t", "bubble", "-o", "{out}", "--window", "40"], "give CENTRE,WIDTH"),
        (["{in}", "-t", "bubble", "-o", "{out}", "--frames", "last"], "--frames last"),
        (["{in}", "-t", "bubble", "-o", "{out}", "--format", "gif"], "--format gif"),
        (["{in}", "-t", "bubble", "-o", "{in}"], "lies in the input folder"),
        (["{in}", "-t", "bubble", "-o", "{in}/degraded"], "lies in the input folder"),
        (["{in}", "-t", "bubble", "-o", "{in}/image0.png"], "lies in the input folder"),
        (["{in}/image0.png", "-t", "bubble", "-o", "{in}/image0.png"], "cannot be written"),
        (["{in}", "-t", "bubble", "--grid", "{out}/sheet.pdf"], "must end in"),
        (["{in}/image0.png", "-t", "bubble", "--grid", "{in}/image0.png"], "would overwrite an input"),
        (["{in}", "-t", "xray_motion_blur", "-o", "{out}"], "--type motion_blur --modality X-ray"),
    ],
)
def test_bad_arguments_are_one_line_and_write_nothing(tmp_path, capsys, monkeypatch, arguments, message):
    from medqdeg.utils.command_line import main

    source = folder_of_images(tmp_path / "in", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.yaml").write_text("bubble: {default: {L1: {radius: 3 px}}}")
    before = hashes(tmp_path)
    places = {
        "in": source,
        "out": tmp_path / "out",
        "empty": tmp_path / "empty",
        "table": tmp_path / "table.yaml",
    }
    monkeypatch.setattr(sys, "argv", ["medqdeg", "degrade", *(text.format(**places) for text in arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert errors[0].startswith("medqdeg: ")
    assert message in errors[0]
    assert hashes(tmp_path) == before


def test_an_input_among_the_outputs_is_not_overwritten(tmp_path):
    out = tmp_path / "out"
    source = out / "bubble" / "L1" / "a.png"
    source.parent.mkdir(parents=True)
    picture().save(source)
    before = source.read_bytes()
    result = medqdeg("degrade", source, "-t", "bubble", "-s", "1", "-o", out)
    assert result.returncode == 1
    assert "could overwrite this input" in result.stderr
    assert source.read_bytes() == before


def test_files_of_the_same_name_get_names_of_their_own_whatever_the_order(tmp_path):
    for folder, index in (("a", 0), ("b", 1), ("c", 1)):
        (tmp_path / folder).mkdir()
        picture(index).save(tmp_path / folder / "x.png")
    picture(2).save(tmp_path / "a" / "X.tif")
    picture(3).save(tmp_path / "a" / "alone.png")
    folders = [tmp_path / name for name in "abc"]
    run(*folders, "-t", "gaussian_noise", "-s", "1", "-o", tmp_path / "out")
    run(*folders[::-1], "-t", "gaussian_noise", "-s", "1", "-o", tmp_path / "reversed")
    assert hashes(tmp_path / "out") == hashes(tmp_path / "reversed")
    digest = {path: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in tmp_path.glob("?/*")}
    expected = {
        f"x~{digest[tmp_path / 'a/x.png']}.png",
        f"x~{digest[tmp_path / 'b/x.png']}.png",  # and c/x.png, a copy of it
        f"X~{digest[tmp_path / 'a/X.tif']}.png",
        "alone.png",
    }
    assert {path.name for path in (tmp_path / "out/gaussian_noise/L1").iterdir()} == expected


def test_two_processes_cannot_write_to_one_folder(tmp_path):
    from filelock import FileLock

    source, out = folder_of_images(tmp_path / "in", 1), tmp_path / "out"
    out.mkdir()
    with FileLock(out / ".manifest.lock"):
        result = medqdeg("degrade", source, "-t", "bubble", "-o", out)
    assert result.returncode == 1
    assert "another process is writing to it" in result.stderr


def test_a_table_of_ones_own_and_a_reference_size(tmp_path):
    source = folder_of_images(tmp_path / "in", 1)
    table = tmp_path / "mine.yaml"
    table.write_text("gaussian_blur: {default: {L1: {sigma: 1 px}, L2: {sigma: 2 px}}}")
    run(source, "-t", "gaussian_blur", "-o", tmp_path / "out", "--severities", table, "--reference-size", 96)
    lines = manifest(tmp_path / "out")
    # 48 px images, so half of what the table says.
    assert [line["record"]["parameters"]["sigma"] for line in lines] == pytest.approx([0.5, 1.0])
    assert [line["request"]["strength"] for line in lines] == [{"sigma": "1 px"}, {"sigma": "2 px"}]
    # Only the rows that changed are made again.
    table.write_text("gaussian_blur: {default: {L1: {sigma: 1 px}, L2: {sigma: 3 px}}}")
    options = ("-t", "gaussian_blur", "-o", tmp_path / "out", "--severities", table, "--reference-size", 96)
    assert "wrote 1, kept 1" in run(source, *options)


def test_severity_0_is_the_clean_image(tmp_path):
    source = folder_of_images(tmp_path / "in", 1)
    run(source, "-t", "gaussian_noise", "-s", "0", "-o", tmp_path / "out")
    made = opened(tmp_path / "out/gaussian_noise/L0/image0.png")
    assert np.array_equal(np.asarray(made), np.asarray(picture(0)))


@pytest.mark.parametrize(("format", "suffix"), [("tiff", "tif"), ("webp", "webp")])
def test_other_lossless_formats_hold_the_same_pixels(tmp_path, format, suffix):
    source = folder_of_images(tmp_path / "in", 1)
    run(source, "-t", "bubble", "-s", "1", "-o", tmp_path / "png")
    run(source, "-t", "bubble", "-s", "1", "-o", tmp_path / format, "--format", format)
    other = opened(tmp_path / format / f"bubble/L1/image0.{suffix}")
    assert np.array_equal(np.asarray(other), np.asarray(opened(tmp_path / "png/bubble/L1/image0.png")))
    first, second = (manifest(tmp_path / kind)[0]["output_pixels_sha256"] for kind in ("png", format))
    assert first == second


def test_sixteen_bit_grey_stays_sixteen_bit(tmp_path):
    values = (np.add.outer(np.arange(64), np.arange(64)) * 500).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    run(tmp_path / "deep.png", "-t", "gaussian_blur", "-s", "2", "-o", tmp_path / "out")
    made = opened(tmp_path / "out/gaussian_blur/L2/deep.png")
    assert made.mode == "I;16"
    assert np.unique(np.asarray(made) % 256).size > 100


def test_dicom_files_bring_their_modality_and_leave_their_header(tmp_path):
    testing = pytest.importorskip("pydicom.data")
    for name in ("CT_small.dcm", "MR_small.dcm", "test-SR.dcm"):
        shutil.copy(testing.get_testdata_file(name), tmp_path / name)
    # Archives name files by number, without a suffix.
    (tmp_path / "CT_small.dcm").rename(tmp_path / "1.2.840.113")
    result = medqdeg("degrade", tmp_path, "-t", "low_resolution", "-s", "1", "-o", f"{tmp_path}_out")
    assert result.returncode == 1
    assert "test-SR.dcm: this DICOM file holds no image" in result.stderr
    lines = {line["item"]: line for line in manifest(Path(f"{tmp_path}_out"))}
    assert lines["1.2.840.113"]["record"]["modality"] == "CT"
    assert lines["MR_small"]["record"]["modality"] == "MRI"
    assert lines["MR_small"]["rendering"]["voi"]["center"] == 600
    assert lines["MR_small"]["output"] == "low_resolution/L1/MR_small.png"
    assert lines["1.2.840.113"]["output"] == "low_resolution/L1/1.2.840.113.png"
    assert "CompressedSamples" not in (Path(f"{tmp_path}_out") / "manifest.jsonl").read_text()  # the patient's name


def test_a_given_window_is_applied_and_recorded(tmp_path):
    testing = pytest.importorskip("pydicom.data")
    source = testing.get_testdata_file("MR_small.dcm")
    run(source, "-t", "bubble", "-s", "1", "-o", tmp_path, "--window", "500,700")
    line = manifest(tmp_path)[0]
    assert line["rendering"]["voi"] == {
        "source": "given",
        "function": "LINEAR",
        "center": 500.0,
        "width": 700.0,
    }
    clean = read_image(source, window=(500.0, 700.0)).image
    made = opened(tmp_path / line["output"])
    assert np.array_equal(np.asarray(made), np.asarray(reproduce(clean, line["record"])))


def test_frames_are_refused_or_each_becomes_an_output_with_a_draw_of_its_own(tmp_path):
    frames = [picture(0), picture(0), picture(1)]
    frames[0].save(tmp_path / "loop.tif", save_all=True, append_images=frames[1:])
    refused = medqdeg("degrade", tmp_path / "loop.tif", "-t", "gaussian_noise", "-o", tmp_path / "out")
    assert refused.returncode == 1
    assert "holds 3 frames" in refused.stderr
    options = ("-t", "gaussian_noise", "-s", "1", "-o", tmp_path / "out", "--frames", "all")
    run(tmp_path / "loop.tif", *options)
    assert "wrote 0, kept 3" in run(tmp_path / "loop.tif", *options)
    made = [np.asarray(opened(tmp_path / f"out/gaussian_noise/L1/loop_frame{index:04d}.png")) for index in range(3)]
    assert not np.array_equal(made[0], made[1])
    run(tmp_path / "loop.tif", "-t", "gaussian_noise", "-s", "1", "-o", tmp_path / "m", "--frames", "middle")
    assert np.array_equal(np.asarray(opened(tmp_path / "m/gaussian_noise/L1/loop.png")), made[1])


def test_the_contact_sheet_shows_each_image_at_its_place(tmp_path):
    source = folder_of_images(tmp_path / "in", 1, side=160)
    sheet = tmp_path / "sheet.png"
    run(source, "-t", "adjust_brightness,gaussian_noise", "--grid", sheet)
    page = np.asarray(opened(sheet))
    clean = picture(0, 160)
    sha256 = hashlib.sha256((source / "image0.png").read_bytes()).hexdigest()
    expected = [
        degrade(clean, name, severity, seed=f"0:{sha256}")
        for name in ("adjust_brightness", "gaussian_noise")
        for severity in (0, 1, 2)
    ]
    places = []
    for image in expected:
        big = np.asarray(image.resize((320, 320), Image.Resampling.NEAREST))
        corners = np.argwhere((page[:-319, :-319] == big[0, 0]).all(axis=-1))
        tops = [
            (int(top), int(left))
            for top, left in corners
            if np.array_equal(page[top, left : left + 320], big[0])
            and np.array_equal(page[top : top + 320, left : left + 320], big)
        ]
        assert tops
        places.append(tops)
    # Left to right within a row; the second row below the first. The clean image is in both rows.
    (clean_1, mild_1, severe_1), (clean_2, mild_2, severe_2) = places[:3], places[3:]
    assert clean_1 == clean_2
    assert len(clean_1) == 2
    assert clean_1[0][1] < mild_1[0][1] < severe_1[0][1]
    assert clean_1[0][0] == mild_1[0][0] == severe_1[0][0] < mild_2[0][0] == severe_2[0][0] == clean_1[1][0]
    assert mild_1[0][1] == mild_2[0][1]


def test_the_sheet_leaves_a_gap_where_a_degradation_refuses(tmp_path):
    Image.new("L", (64, 64), 9).save(tmp_path / "constant.png")
    sheet = tmp_path / "sheet.png"
    result = medqdeg("degrade", tmp_path / "constant.png", "-t", "gaussian_blur", "--grid", sheet)
    assert result.returncode == 1
    assert "constant or too small, so that 2 degradations leave it as it is" in result.stderr
    assert read_image(sheet).image.width > 1000


def test_list_shows_every_degradation_and_those_of_a_modality():
    everything = run("--list")
    assert all(name in everything for name in list_degradations())
    ct = run("--list", "--modality", "CT", "--markdown")
    names = [line.split("`")[1] for line in ct.splitlines() if "`" in line]
    assert names == list_degradations("CT")
    assert "blood_cell" not in names
    row = next(line for line in ct.splitlines() if "`low_resolution`" in line)
    assert str(get("low_resolution").parameters["CT"]["L2"]["keep"]) in row


def test_help_is_quick_to_import():
    """No array or image library is imported before a command needs it."""
    code = (
        "import sys, medqdeg.utils.command_line;"
        "print([m for m in ('numpy', 'scipy', 'cv2', 'PIL', 'pydicom', 'torch', 'yaml') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_neutral_names_leave_no_name_in_outputs_manifest_or_sheet(tmp_path):
    folder_of_images(tmp_path / "Doe_Jane", 2)
    out = tmp_path / "out"
    run(tmp_path / "Doe_Jane", "-t", "gaussian_blur", "-o", out, "--neutral-names")
    assert len(list(out.rglob("*.png"))) == 4
    written = "".join(str(path.relative_to(out)) for path in out.rglob("*")) + (out / "manifest.jsonl").read_text()
    for name in ("Doe", "image0", "image1", "deep", str(tmp_path)):
        assert name not in written
    assert "kept 4" in run(tmp_path / "Doe_Jane", "-t", "gaussian_blur", "-o", out, "--neutral-names")
    run(tmp_path / "Doe_Jane", "-t", "gaussian_blur", "-o", tmp_path / "named")
    result = medqdeg("degrade", tmp_path / "Doe_Jane", "-t", "bubble", "-o", tmp_path / "named", "--neutral-names")
    assert result.returncode == 1
    assert "choose another folder for neutral names" in result.stderr


def test_deep_greys_are_not_degraded_to_black(tmp_path):
    deep = (np.arange(64 * 64).reshape(64, 64) % 980).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    run(tmp_path / "deep.png", "-t", "adjust_brightness,exposure", "-o", tmp_path / "out")
    for path in (tmp_path / "out").rglob("*.png"):
        assert np.ptp(np.asarray(opened(path))) > 20000
    lines = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()]
    assert all(line["rendering"]["grey_range"] == {"source": "used", "low": 0, "high": 979} for line in lines)


def test_a_constant_picture_is_one_line(tmp_path):
    Image.new("L", (32, 32), 9).save(tmp_path / "constant.png")
    result = medqdeg("degrade", tmp_path / "constant.png", "-t", "all", "--modality", "CT", "-o", tmp_path / "out")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr


def test_severities_of_a_series(tmp_path):
    source = folder_of_images(tmp_path / "in", count=1)
    (given,) = source.rglob("*.png")
    out = tmp_path / "out"
    arguments = ("-t", "gaussian_blur,dark_spots", "--seed", "3", "--out", out)
    run(source, *arguments, "-s", "0.5,1,S2")
    lines = {line["output"]: line for line in manifest(out)}
    assert set(lines) == {
        f"{name}/{level}/{given.name}" for name in ("gaussian_blur", "dark_spots") for level in ("S0.50", "L1", "S2.00")
    }
    clean = opened(given)
    for line in lines.values():
        again = reproduce(clean, line["record"])
        assert np.array_equal(np.asarray(again), np.asarray(opened(out / line["output"])))
    centres = {line["record"]["parameters"].get("centre", [0])[0] for line in lines.values()}
    assert len(centres) == 2  # none, and the one of all severities
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    run(source, *arguments, "-s", "0.5,1,2", "--series")
    added = set(out.rglob("*.png")) - set(before)
    assert {path.relative_to(out).parts[1] for path in added} == {"S1.00"}
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    sheet = tmp_path / "strip.png"
    run(source, "-t", "dark_spots", "-s", "0.5,1,2,3", "--series", "--grid", sheet)
    narrow = tmp_path / "levels.png"
    run(source, "-t", "dark_spots", "--grid", narrow)
    assert opened(sheet).width > opened(narrow).width
