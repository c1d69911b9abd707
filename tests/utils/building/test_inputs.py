"""A source is known by what is in its files: changes, copies, files that cannot be opened, builds that find nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.item import Skipped, SourceItem
from medqdeg.utils.building.layout import MANIFEST, remove_leftovers, replacing
from medqdeg.utils.building.plan.front import Sources, readers
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.plan.selection import Mix
from medqdeg.utils.building.running import build
from medqdeg.utils.building.sources import source_stamps
from medqdeg.utils.building.sources.source_stamps import FileHashes, contents
from medqdeg.utils.command_line import app

from .layouts import gmai_row, write_gmai, write_omnimedvqa, zipped
from .samples import plain

MIX = Mix(clean_items=None, pairs_per_item=1, degradations={"object_rotation": 1})


def request_of(source: Path, reader: str = "gmai") -> BuildRequest:
    return BuildRequest((f"{reader}={source}",), mix=MIX, dev_share=0)


def rewrite_keeping_size_and_time(path: Path, old: bytes, new: bytes) -> None:
    stat = path.stat()
    content = path.read_bytes()
    assert len(old) == len(new)
    assert old in content
    path.write_bytes(content.replace(old, new))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def test_a_change_with_size_and_time_kept_is_seen_and_named(tmp_path: Path) -> None:
    source = write_gmai(tmp_path / "g", [plain(number) for number in range(4)])
    build(request_of(source), tmp_path / "set", readers())
    table = next(source.glob("*.tsv"))
    rewrite_keeping_size_and_time(table, b"a cyst", b"a mass")
    for _ in range(2):  # the refusal itself must not forget what was there
        with pytest.raises(InputError, match=r"sources that have changed since \(GMAI-MMBench_VAL.tsv has changed\)"):
            build(request_of(source), tmp_path / "set", readers())


def test_a_change_deep_in_a_folder_is_named(tmp_path: Path) -> None:
    source = write_omnimedvqa(tmp_path / "o", [plain(number) for number in range(3)])
    build(request_of(source, "omnimedvqa"), tmp_path / "set", readers())
    (source / "Images" / "Phantoms" / "new.png").write_bytes(b"x")
    with pytest.raises(InputError, match=r"new\.png is new"):
        build(request_of(source, "omnimedvqa"), tmp_path / "set", readers())


def test_a_file_copied_again_continues_and_can_be_reviewed(tmp_path: Path) -> None:
    source = write_gmai(tmp_path / "g", [plain(number) for number in range(4)])
    build(request_of(source), tmp_path / "set", readers())
    table = next(source.glob("*.tsv"))
    shutil.copyfile(table, tmp_path / "copy")
    table.unlink()
    shutil.copyfile(tmp_path / "copy", table)
    os.utime(table, ns=(1, 1))
    summary = build(request_of(source), tmp_path / "set", readers(), review=tmp_path / "set" / "review.csv")
    assert (summary.made, summary.finished) == (0, True)


def test_hashes_are_taken_again_only_of_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, ns=(1, 1))
    monkeypatch.setattr(source_stamps, "_SETTLED_NS", -(10**18))
    hashed = []
    real = source_stamps.file_sha256
    monkeypatch.setattr(source_stamps, "file_sha256", lambda path: hashed.append(path.name) or real(path))
    for expected in (["a", "b"], []):
        hashes = FileHashes(tmp_path / "cache.json")
        contents(tmp_path / "a", hashes)
        contents(tmp_path / "b", hashes)
        hashes.save()
        assert hashed == expected
        hashed.clear()
    (tmp_path / "b").write_text("c")
    os.utime(tmp_path / "b", ns=(1, 1))
    hashes = FileHashes(tmp_path / "cache.json")
    assert contents(tmp_path / "b", hashes)["sha256"] == real(tmp_path / "b")
    assert hashed == ["b"]


def test_a_file_just_written_is_not_trusted_by_its_times(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    hashes = FileHashes(tmp_path / "cache.json")
    hashes.of(tmp_path / "a")
    hashes.save()
    ((_, stamp, sha256),) = json.loads((tmp_path / "cache.json").read_text())
    assert stamp is None
    assert sha256 == hashes.of(tmp_path / "a")


def test_a_file_that_cannot_be_opened_has_no_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("closed", "empty", "open"):
        (tmp_path / name).write_text("" if name == "empty" else name)
    real = source_stamps.file_sha256

    def closed(path: Path) -> str:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(source_stamps, "file_sha256", closed)
    hashes = FileHashes(tmp_path / "absent.json")
    assert contents(tmp_path / "closed", hashes)["sha256"] is None
    assert contents(tmp_path / "empty", hashes)["sha256"] == real(tmp_path / "empty")
    folder = contents(tmp_path, hashes)
    assert folder["unreadable"] == ["closed"]
    assert folder["files"] == 3


def test_a_file_beside_the_table_that_cannot_be_opened_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_gmai(tmp_path / "g", [plain(number) for number in range(3)])
    (source / "closed").write_text("closed")
    real = source_stamps.file_sha256

    def closed(path: Path) -> str:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(source_stamps, "file_sha256", closed)
    build(request_of(source), tmp_path / "set", readers())
    (entry,) = json.loads((tmp_path / "set" / MANIFEST).read_text())["inputs"]
    assert (entry["files"], entry["unreadable"]) == (2, ["closed"])
    assert build(request_of(source), tmp_path / "set", readers()).made == 0


def test_a_source_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    source = write_gmai(tmp_path / "g", [plain(number) for number in range(3)])
    table = next(source.glob("*.tsv"))

    def changing(text: str) -> Iterator[SourceItem | Skipped]:
        yield from readers().open(text)
        table.write_bytes(table.read_bytes() + b"\n")

    with pytest.raises(InputError, match="changed while it was read"):
        build(request_of(source), tmp_path / "set", Sources(changing, readers().paths))
    assert build(request_of(source), tmp_path / "set", readers()).finished


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.write_bytes(path.read_bytes().decode().encode("utf-16")), "UTF-16"),
        (lambda path: path.write_text(path.read_text().replace("\tB\t", "\tA\t", 1)), "two columns are called 'A'"),
        (lambda path: path.write_text(path.read_text().replace("question", "asked", 1)), "no column question"),
    ],
)
def test_no_usable_item_says_why(tmp_path: Path, spoil, why: str) -> None:
    source = write_gmai(tmp_path / "g", [plain(number) for number in range(2)])
    spoil(next(source.glob("*.tsv")))
    done = CliRunner().invoke(app, ["build", "--source", f"gmai={source}", "--out", str(tmp_path / "set")])
    assert done.exit_code != 0
    said = str(done.exception) if isinstance(done.exception, InputError) else done.output
    assert why in said
    assert "\n" not in said.strip()
    with (tmp_path / "set" / "skipped.csv").open(newline="") as file:
        assert any(why in row["detail"] for row in csv.DictReader(file))


def test_a_zip_that_is_none_says_so_and_a_good_one_continues_in_the_same_folder(tmp_path: Path) -> None:
    path = tmp_path / "OmniMedVQA.zip"
    path.write_bytes(b"hello" * 100)
    with pytest.raises(InputError, match=r"OmniMedVQA\.zip") as caught:
        build(request_of(path, "omnimedvqa"), tmp_path / "set", readers())
    assert "zip" in str(caught.value).replace(str(path), "").replace("OmniMedVQA.zip", "")
    path.unlink()
    zipped(write_omnimedvqa(tmp_path / "o", [plain(number) for number in range(3)]), path)
    assert build(request_of(path, "omnimedvqa"), tmp_path / "set", readers()).finished


def test_bad_rows_are_counted_with_an_example(tmp_path: Path) -> None:
    source = write_gmai(tmp_path / "g", [])
    rows = [gmai_row(plain(number)) | {"answer": ""} for number in range(3)]
    from .layouts import GMAI_COLUMNS, write_rows

    write_rows(next(source.glob("*.tsv")), rows, GMAI_COLUMNS)
    with pytest.raises(InputError, match=r"no answer \(3 rows, such as GMAI-MMBench_VAL.tsv, line 2\)"):
        build(request_of(source), tmp_path / "set", readers())


def test_two_writers_of_one_file_disturb_each_other_in_nothing(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    with replacing(target) as one, replacing(target) as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
        remove_leftovers(tmp_path)
        assert one.exists()
        assert other.exists()
    assert target.read_text() in ("one", "other")
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    import subprocess
    import sys

    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with replacing(tmp_path / "x") as mine:
        mine.write_text("x")
        left = mine.with_name(mine.name.replace(f".{os.getpid()}.", f".{process.pid}."))
        left.write_text("left")
        foreign = mine.with_name(f".x.elsewhere.{os.getpid()}.0.part")
        foreign.write_text("of another machine")
        remove_leftovers(tmp_path)
        assert (mine.exists(), left.exists(), foreign.exists()) == (True, False, True)
        os.utime(foreign, (1, 1))
        remove_leftovers(tmp_path)
        assert not foreign.exists()


def test_the_manifest_names_what_was_read(tmp_path: Path) -> None:
    source = write_gmai(tmp_path / "g", [plain(number) for number in range(3)])
    table = next(source.glob("*.tsv"))
    build(request_of(table), tmp_path / "set", readers())
    (entry,) = json.loads((tmp_path / "set" / MANIFEST).read_text())["inputs"]
    assert entry == {
        "source": f"gmai={table.name}",
        "name": table.name,
        "sha256": source_stamps.file_sha256(table),
        "bytes": table.stat().st_size,
    }
