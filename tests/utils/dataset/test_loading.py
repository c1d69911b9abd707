"""From the files to a data set: lazily decoded, cached under what decides its content, refused in one line."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import datasets
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset import loading
from medqdeg.utils.dataset.image_cells import decode_cell
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder, locate
from medqdeg.utils.images import decode_image, encode_image

from ...small_dataset import write_dataset
from .files import (
    CLEAN_FILE,
    DEGRADED_FILE,
    as_base64,
    encoded,
    item,
    pixels,
    refusal,
    write_clean,
    write_degraded,
)
from .test_image_cells import png_that_declares


def load(folder: Path, level: str = "L1", split: str = "test") -> datasets.Dataset:
    return load_level(split, level, LocalFolder(folder))


def decoded(dataset: datasets.Dataset) -> dict[str, list[np.ndarray]]:
    return {entry["item_id"]: [np.asarray(image) for image in entry["images"]] for entry in dataset}


def write_images(folder: Path, *seeds: int, suffix: str = ".png") -> None:
    (folder / "images").mkdir(exist_ok=True)
    for seed in seeds:
        (folder / "images" / f"{seed}{suffix}").write_bytes(encoded(pixels(seed)))


def by_path(number: int, cell: str | None = None) -> dict[str, object]:
    return item(number, image=None, image_path=f"images/{number}.png" if cell is None else cell)


# What is loaded


def test_levels_are_taken_apart(tmp_path: Path) -> None:
    write_degraded(tmp_path)
    write_clean(tmp_path)
    assert load(tmp_path, "L1")["item_id"][:] == ["0", "2"]
    assert load(tmp_path, "L2")["item_id"][:] == ["1", "3"]
    clean = load(tmp_path, "L0")
    assert clean["item_id"][:] == ["0", "1", "2", "3"]
    assert set(clean["degradation"]) == {None}


def test_an_item_as_the_tasks_get_it(tmp_path: Path) -> None:
    write_degraded(tmp_path, item(4, hospital="A", category="Disease Diagnosis", answer="b", D=float("nan")))
    (entry,) = load(tmp_path)
    (image,) = entry.pop("images")
    assert np.array_equal(np.asarray(image), pixels(4))
    assert entry["source_question_id"].startswith("text:")
    assert entry.pop("cluster_id") == entry.pop("source_question_id")
    assert json.loads(entry.pop("extra")) == {"hospital": "A"}
    assert entry == {
        "item_id": "4",
        "question": "Question 4: what is seen?",
        "letters": ["A", "B", "C"],
        "options": ["a cyst", "a polyp", "a fracture"],
        "answer": "B",
        "level": "L1",
        "severity": 1.0,
        "modality": "CT",
        "degradation": "gaussian_noise",
        "degradation_origin": None,
        "skill": "Disease Diagnosis",
        "source": "OmniMedVQA",
        "source_question_rule": "text",
    }


def test_images_inside_and_beside_the_file_are_the_same(tmp_path: Path) -> None:
    inside, beside = tmp_path / "inside", tmp_path / "beside"
    for folder in (inside, beside):
        folder.mkdir()
    write_images(beside, *range(5))
    bases = [as_base64(encoded(pixels(number))) for number in range(5)]
    paths = [f"images/{number}.png" for number in range(5)]
    make = (lambda entries: entries[0], lambda entries: json.dumps(entries[1:3]), lambda entries: str(entries[2:]))
    write_degraded(inside, *(item(number, image=cell(bases)) for number, cell in enumerate(make)))
    write_degraded(beside, *(by_path(number, cell(paths)) for number, cell in enumerate(make)))
    expected = {"0": [pixels(0)], "1": [pixels(1), pixels(2)], "2": [pixels(2), pixels(3), pixels(4)]}
    for folder in (inside, beside):
        found = decoded(load(folder))
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[key], expected[key]) for key in expected)


def test_paths_are_relative_to_the_file_and_may_have_backslashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path, 1, 2)
    write_degraded(tmp_path, by_path(1, "images\\1.png"), by_path(2, "./images/../images/2.png"))
    monkeypatch.chdir("/")
    found = decoded(load(tmp_path))
    assert np.array_equal(found["1"][0], pixels(1))
    assert np.array_equal(found["2"][0], pixels(2))


def test_a_short_cell_names_another_row_s_image(tmp_path: Path) -> None:
    write_degraded(tmp_path, item(1, image="3"), item(2, image="1"), item(3))
    found = decoded(load(tmp_path))
    assert all(np.array_equal(found[key][0], pixels(3)) for key in "123")


def test_a_folder_of_links_like_the_hub_s_cache(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    (snapshot / "images").mkdir(parents=True)
    blobs.mkdir()
    for number in (1, 2):
        (blobs / f"b{number}").write_bytes(encoded(pixels(number)))
        (snapshot / "images" / f"{number}.png").symlink_to(f"../../../blobs/b{number}")
    write_degraded(blobs, by_path(1), by_path(2)).rename(blobs / "t")
    (snapshot / DEGRADED_FILE).symlink_to("../../blobs/t")
    found = decoded(load(snapshot))
    assert all(np.array_equal(found[str(number)][0], pixels(number)) for number in (1, 2))


def test_images_are_decoded_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_degraded(tmp_path)
    dataset = load(tmp_path)
    assert dataset.features["images"] == datasets.List(datasets.Image())
    opened = []
    original = Image.open
    monkeypatch.setattr(Image, "open", lambda *args, **kwargs: opened.append(1) or original(*args, **kwargs))
    assert load(tmp_path)["answer"][:] == dataset["answer"][:]
    assert dataset.remove_columns("images")[0]["item_id"] == "0"
    assert [entry["question"] for entry in dataset.select_columns(["question"])] == dataset["question"][:]
    assert opened == []
    assert dataset[0]["images"][0].size == (12, 12)
    assert opened


def test_items_of_another_level_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_degraded(tmp_path, item(1), item(2, degradation_severity="", degradation_type=""))
    with caplog.at_level(logging.WARNING, "medqdeg"):
        assert len(load(tmp_path)) == 1
    assert "{'L0': 1}" in caplog.text


# Which clean item stands behind a degraded one


def ids(folder: Path) -> dict[str, dict[str, str]]:
    return {
        level: dict(zip(dataset["item_id"], dataset["source_question_id"], strict=True))
        for level in ("L0", "L1", "L2")
        for dataset in [load(folder, level)]
    }


def _versions(number: int, **more: object) -> list[dict[str, object]]:
    common = {"question": f"Question {number}", "answer": "A"}
    return [item(10 * number + place, degradation_severity=f"L{place}", **common, **more) for place in (1, 2)]


@pytest.mark.parametrize("column", ["source_index", "source_question_id", "Clean Index"])
def test_by_a_column_where_there_is_one(tmp_path: Path, column: str) -> None:
    write_clean(tmp_path, *(item(n, degradation_severity=0, question="The same") for n in range(3)))
    write_degraded(tmp_path, *(row for n in range(3) for row in _versions(n, **{column: f"{n}.0"})))
    found = ids(tmp_path)
    assert found["L0"] == {str(n): f"index:{n}" for n in range(3)}
    for place in (1, 2):
        assert found[f"L{place}"] == {str(10 * n + place): f"index:{n}" for n in range(3)}
    assert set(load(tmp_path, "L0")["source_question_rule"]) == {"column"}


def test_by_a_column_that_both_files_have(tmp_path: Path) -> None:
    write_clean(tmp_path, *(item(n, degradation_severity=0, original_index=f"src{n}") for n in range(3)))
    write_degraded(tmp_path, *(row for n in range(3) for row in _versions(n, original_index=f"src{n}")))
    found = ids(tmp_path)
    assert list(found["L0"].values()) == list(found["L1"].values()) == [f"index:src{n}" for n in range(3)]


def test_by_the_text_otherwise_and_never_by_position(tmp_path: Path) -> None:
    clean = [item(n, degradation_severity=0, question=f"Question {n}", answer="A") for n in range(3)]
    degraded = [row for n in range(3) for row in _versions(n)]
    write_clean(tmp_path, *clean)
    write_degraded(tmp_path, *degraded)
    before = ids(tmp_path)
    assert len(set(before["L0"].values())) == 3
    for n in range(3):
        assert before["L0"][str(n)] == before["L1"][str(10 * n + 1)] == before["L2"][str(10 * n + 2)]
    write_clean(tmp_path, *clean[::-1])
    write_degraded(tmp_path, *degraded[3:], *degraded[:3])
    assert ids(tmp_path) == before


def test_a_degraded_item_that_names_no_clean_one_is_refused(tmp_path: Path) -> None:
    write_degraded(tmp_path, item(1, source_index="7"), item(2, source_index=""))
    with pytest.raises(InputError, match=r"line 3 \(index '2'\): the degraded item does not name"):
        load(tmp_path)


# The cache


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read anew, in order."""
    names: list[str] = []
    original = loading._checked_rows

    def noted(path: Path, rule: str):  # type: ignore[no-untyped-def]
        names.append(path.name)
        return original(path, rule)

    monkeypatch.setattr(loading, "_checked_rows", noted)
    return names


def test_the_second_load_reads_the_cache(tmp_path: Path, built: list[str]) -> None:
    write_degraded(tmp_path)
    first = decoded(load(tmp_path, "L1"))
    second = decoded(load(tmp_path, "L1"))
    load(tmp_path, "L2")
    assert built == [DEGRADED_FILE]
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_another_process_reads_the_cache(tmp_path: Path, own_cache: Path) -> None:
    write_degraded(tmp_path)
    load(tmp_path)
    program = f"""
        from pathlib import Path
        from medqdeg.utils.dataset import loading, location
        def never(path, rule):
            raise AssertionError("built again")
            yield
        loading._checked_rows = never
        print(len(loading.load_level("test", "L1", location.LocalFolder(Path({str(tmp_path)!r})))))
    """
    environment = {**os.environ, "HF_DATASETS_CACHE": str(own_cache)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_a_changed_file_is_read_again(tmp_path: Path, built: list[str]) -> None:
    write_degraded(tmp_path, item(1))
    load(tmp_path)
    write_degraded(tmp_path, item(1, answer="C"))
    assert load(tmp_path)["answer"][:] == ["C"]
    assert len(built) == 2


def test_a_changed_image_beside_the_file_is_read_again(tmp_path: Path, built: list[str]) -> None:
    write_images(tmp_path, 1, 2)
    write_degraded(tmp_path, by_path(1), by_path(2))
    load(tmp_path)
    load(tmp_path)
    assert len(built) == 1
    (tmp_path / "images" / "2.png").write_bytes(encoded(pixels(2))[:-60])
    with pytest.raises(InputError, match=r"line 3 \(index '2'\): the image: damaged or cut short"):
        load(tmp_path)
    (tmp_path / "images" / "2.png").unlink()
    with pytest.raises(InputError, match=r"line 3 \(index '2'\): the image file 'images/2.png' does not exist"):
        load(tmp_path)
    write_images(tmp_path, 2)
    assert len(load(tmp_path)) == 2


def test_a_moved_folder_is_read_again(tmp_path: Path) -> None:
    """The cache keeps the paths of images beside the file."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    write_images(old, 1)
    write_degraded(old, by_path(1))
    load(old)
    shutil.copytree(old, new, copy_function=shutil.copy2)
    shutil.rmtree(old)
    assert np.array_equal(decoded(load(new))["1"][0], pixels(1))


def test_other_rules_read_again(tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_degraded(tmp_path)
    load(tmp_path)
    monkeypatch.setattr(loading, "_rules", lambda: "a later version of the package")
    load(tmp_path)
    assert len(built) == 2


def test_another_rule_for_the_source_question_reads_again(tmp_path: Path) -> None:
    write_clean(tmp_path, item(1, degradation_severity=0))
    write_degraded(tmp_path, item(11))
    assert load(tmp_path, "L0")["source_question_id"][0].startswith("text:")
    write_degraded(tmp_path, item(11, source_index=1))
    assert load(tmp_path, "L0")["source_question_id"][0] == "index:1"


def test_what_is_refused_leaves_nothing_behind(tmp_path: Path, own_cache: Path) -> None:
    write_degraded(tmp_path, *(item(number) for number in range(5)), item(9, image="nonsense"))
    for _ in range(2):
        with pytest.raises(InputError, match="line 7"):
            load(tmp_path)
    assert not list(own_cache.rglob("*.arrow"))
    write_degraded(tmp_path)
    assert len(load(tmp_path)) == 2


def test_an_error_from_outside_does_not_lock_the_next_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, say: the error, and with it the half-used generator, may live as long as its traceback."""
    write_degraded(tmp_path)
    lenient = ImageFile.LOAD_TRUNCATED_IMAGES
    with monkeypatch.context() as patch:

        def full(self, *args, **kwargs):  # type: ignore[no-untyped-def]
            raise OSError(28, "No space left on device")

        patch.setattr(datasets.arrow_writer.ArrowWriter, "write", full)
        with pytest.raises(Exception, match="error occurred while generating") as kept:
            load(tmp_path)
    assert len(load(tmp_path)) == 2
    assert ImageFile.LOAD_TRUNCATED_IMAGES is lenient
    assert kept is not None


def test_killed_in_the_middle_of_building(tmp_path: Path, own_cache: Path) -> None:
    write_degraded(tmp_path, *(item(number) for number in range(6)))
    program = f"""
        import time
        from pathlib import Path
        import datasets
        from medqdeg.utils.dataset import loading, location
        original = loading._checked_rows
        def slow(path, rule):
            for number, row in enumerate(original(path, rule)):
                if number == 4:
                    print("in the middle", flush=True)
                    time.sleep(60)
                yield row
        loading._checked_rows = slow
        datasets.config.ARROW_RECORD_BATCH_SIZE_FOR_IMAGE_DATASETS = 1
        loading.load_level("test", "L1", location.LocalFolder(Path({str(tmp_path)!r})))
    """
    environment = {**os.environ, "HF_DATASETS_CACHE": str(own_cache)}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.send_signal(signal.SIGKILL)
    left = [path.name for path in own_cache.rglob("*") if path.is_file()]
    assert any(name.endswith(".arrow") for name in left), left
    found = decoded(load(tmp_path))
    assert found.keys() == set("012345")
    assert all(np.array_equal(found[key][0], pixels(int(key))) for key in found)


# Bad input: one clear line with file, line and item


def message(folder: Path, level: str = "L1") -> str:
    said = refusal(load, folder, level)
    assert said is not None
    assert len(said.splitlines()) == 1
    assert len(said) < 1200
    return said


@pytest.mark.parametrize("lenient", [False, True], ids=["PIL as it is", "PIL as lmms-eval sets it"])
@pytest.mark.parametrize("beside", [False, True], ids=["inside", "beside"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (encoded(pixels(1, 40))[:-900], "damaged or cut short"),
        (encoded(pixels(1, 40), "JPEG")[:-300], "damaged or cut short"),
        (b"not an image", "the image: not a PNG"),
        (png_that_declares(100_000, 100_000), "the limit of 89,478,485"),
        (png_that_declares(10_001, 10_000), "the limit of 89,478,485"),
        (b"empty", "not a PNG"),
    ],
    ids=["PNG cut off", "JPEG cut off", "text", "bomb", "large", "short text"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str, beside: bool, lenient: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    if beside:
        write_images(tmp_path, 0, 2)
        (tmp_path / "images" / "1.png").write_bytes(data)
        write_degraded(tmp_path, *map(by_path, range(3)))
    else:
        write_degraded(tmp_path, item(0), item(1, image=as_base64(data)), item(2))
    found = message(tmp_path)
    assert found.startswith(f"{DEGRADED_FILE}, line 3 (index '1'): ")
    assert said in found


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", "the image cell is empty"),
        ("[]", "the image cell is empty"),
        ("['abc'", "is not a list"),
        ("99", "'99' is not valid base64"),
        ("1", "leads back to it"),
        ("images/1.png", "not valid base64"),
        ("x" * 3_000_001, "not valid base64"),
    ],
)
def test_a_cell_that_cannot_be_used(tmp_path: Path, cell: str, said: str) -> None:
    write_degraded(tmp_path, item(0), item(1, image=cell))
    found = message(tmp_path)
    assert found.startswith(f"{DEGRADED_FILE}, line 3 (index '1'): ")
    assert said in found


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", "the image cell is empty"),
        ("['images/0.png'", "is not a list"),
        ("images/absent.png", "the image file 'images/absent.png' does not exist"),
        ("images", "the image file 'images' does not exist"),
        ("../outside.png", "leaves the folder"),
        ("['images/0.png', '../outside.png']", "leaves the folder"),
        ("images/../../outside.png", "leaves the folder"),
        ("..\\outside.png", "leaves the folder"),
        ("OUTSIDE", "leaves the folder"),
        ("C:\\outside.png", "leaves the folder"),
        ("C:/outside.png", "leaves the folder"),
        (as_base64(encoded(pixels(0, 40))), "does not exist"),
    ],
)
def test_a_path_that_cannot_be_used(tmp_path: Path, cell: str, said: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "outside.png").write_bytes(encoded(pixels(0)))
    write_images(folder, 0)
    cell = str(tmp_path / "outside.png") if cell == "OUTSIDE" else cell
    write_degraded(folder, by_path(0), by_path(1, cell))
    found = message(folder)
    assert found.startswith(f"{DEGRADED_FILE}, line 3 (index '1'): ")
    assert said in found


def test_texts_are_checked_before_the_first_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "check_image", lambda image: pytest.fail("an image was decoded"))
    write_degraded(tmp_path, *(item(number) for number in range(4)), item(9, answer="E"))
    assert "line 6 (index '9'): the answer 'E' is not among the options" in message(tmp_path)


@pytest.mark.parametrize("index", [1, "1.0", " 1"])
def test_an_index_that_occurs_twice(tmp_path: Path, index: object) -> None:
    write_degraded(tmp_path, item(0), item(1), item(2), item(3, index=index))
    assert message(tmp_path) == f"{DEGRADED_FILE}, line 5 (index '1'): line 3 has this index already"


def test_a_missing_file_and_those_found(tmp_path: Path) -> None:
    write_clean(tmp_path)
    found = message(tmp_path)
    assert f"has no file {DEGRADED_FILE}; found {CLEAN_FILE}" in found


def test_files_without_items(tmp_path: Path) -> None:
    path = write_degraded(tmp_path, item(0))
    assert "has no items of level L2; found {'L1': 1}" in message(tmp_path, "L2")
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert "a header and no rows" in message(tmp_path)
    path.write_text("")
    assert "lacks the column" in message(tmp_path)


def test_an_unknown_split_or_level(tmp_path: Path) -> None:
    write_degraded(tmp_path)
    assert "unknown split 'train'" in str(refusal(load_level, "train", "L1", LocalFolder(tmp_path)))
    assert "no items of level L3" in message(tmp_path, "L3")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300), st.integers(0, 4000), st.integers(0, 200))
def test_a_damaged_file_loads_or_is_refused(tmp_path: Path, junk: bytes, start: int, gap: int) -> None:
    """Anything but InputError, or a hang, fails the test."""
    good = write_degraded(tmp_path).read_bytes()
    start = min(start, len(good))
    (tmp_path / DEGRADED_FILE).write_bytes(good[:start] + junk + good[start + gap :])
    said = refusal(load, tmp_path)
    assert said is None or len(said.splitlines()) == 1


# The authors' images


@pytest.mark.parametrize("level", ["L0", "L1", "L2"])
def test_the_reference_images_in_both_layouts(reference: Path, level: str) -> None:
    """Inside the `test` files the images are at most 448 pixels wide and high; the smaller ones are as beside `dev`."""
    inside, beside = (load(reference, level, split) for split in ("test", "dev"))
    assert len(inside) == len(beside) == 19
    names = [path.name for path in reference.glob(f"*_{level}.png")]
    on_disk = {np.asarray(Image.open(reference / name).convert("RGB")).tobytes() for name in names}
    equal = 0
    for one, other in zip(inside, beside, strict=True):
        (small,), (large,) = one.pop("images"), other.pop("images")
        assert np.asarray(large.convert("RGB")).tobytes() in on_disk
        if max(large.size) <= 448:
            equal += 1
            assert np.array_equal(*(np.asarray(image.convert("RGB")) for image in (small, large)))
        else:
            assert max(small.size) == 448
        assert one.pop("item_id") != other.pop("item_id")
        assert one == other
        assert one["level"] == level
    assert equal == 8


def test_the_reference_items_descend_from_clean_ones(reference: Path) -> None:
    levels = [load(reference, level) for level in ("L0", "L1", "L2")]
    clean, mild, severe = (sorted(level["source_question_id"]) for level in levels)
    assert clean == mild == severe


def test_locate_takes_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_degraded(tmp_path)
    monkeypatch.setenv("MEDQDEG_DATA", str(tmp_path))
    assert len(load_level("test", "L1")) == 2
    assert locate() == LocalFolder(tmp_path)


def test_without_decoding_copies_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(tmp_path, 6)
    items = loading.load_level("test", "L2", LocalFolder(tmp_path))
    before = set(Path(datasets.config.HF_DATASETS_CACHE).rglob("*"))
    view = loading.without_decoding(items)
    assert set(Path(datasets.config.HF_DATASETS_CACHE).rglob("*")) == before
    assert view.cache_files == items.cache_files
    for seen, decoded in zip(view, items, strict=True):
        assert [set(cell) for cell in seen["images"]] == [{"bytes", "path"}] * len(decoded["images"])
        for cell, image in zip(seen["images"], decoded["images"], strict=True):
            assert np.array_equal(np.asarray(decode_cell(cell)), np.asarray(image.convert("RGB")))
    assert all(isinstance(image, Image.Image) for image in items[0]["images"]), "the original still decodes"


def test_degraded_greys_of_unstated_range_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    deep = Image.fromarray((np.arange(144).reshape(12, 12) * 7).astype(np.uint16))
    write_degraded(
        tmp_path,
        item(0),
        item(1, image=as_base64(encoded(deep))),
        item(2, image=as_base64(encode_image(decode_image(encoded(deep), name="x").image))),
    )
    with caplog.at_level(logging.WARNING, "medqdeg"):
        items = load_level("test", "L1", LocalFolder(tmp_path))
    assert "1 degraded items have 16-bit grey images that do not state their range" in caplog.text
    first, second = (np.asarray(decode_cell(cells[0])) for cells in list(loading.without_decoding(items)["images"])[1:])
    assert np.ptp(first) == 255
    np.testing.assert_array_equal(first, second)
