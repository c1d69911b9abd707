"""Sources as the command line names them; archives that are damaged or malicious; the Hub."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.item import Skipped
from medqdeg.utils.building.plan.described_images import describe
from medqdeg.utils.building.sources import checks, open_source, parse_source, places, skills
from medqdeg.utils.building.sources.tables import UNREADABLE_FILE
from medqdeg.utils.dataset import taxonomy

from ..dataset.fake_hub import COMMIT, REPOSITORY, fake_hub
from ..dataset.test_location import on_hub
from .layouts import PlainItem, omnimedvqa_entry, phantom_items, write_gmai, write_medxpertqa, write_omnimedvqa, zipped
from .samples import bytes_of, plain, said, split


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not understood; known are gmai=PATH, omnimedvqa=PATH, medxpertqa=PATH, own=PATH:map.yaml"),
        ("gmai", "is not understood"),
        ("gmai=", "is not understood"),
        ("vqarad=x", "is not understood"),
        ("gmai=/absent/file", "no such file or folder"),
        ("own=/absent/file", "Give a map: own=PATH:map.yaml"),
        ("own=/absent/file:map.yaml", "map.yaml: no such file"),
        ("own=hub", "Give a map"),
    ],
)
def test_what_is_not_understood(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(text)
    assert message in str(caught.value)


def test_what_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tmp_path / "map.yaml"
    chosen.touch()
    assert parse_source(f"GMAI={tmp_path}").path == tmp_path
    spec = parse_source(f"own={tmp_path}:{chosen}")
    assert (spec.reader, spec.path, spec.table) == ("own", tmp_path, chosen)
    odd = tmp_path / "a:b=c"
    odd.mkdir()
    assert parse_source(f"own={odd}:{chosen}").path == odd
    assert parse_source("gmai=hub").repository == "OpenGVLab/GMAI-MMBench"
    spec = parse_source("omnimedvqa=someone/copy@v1")
    assert (spec.path, spec.repository, spec.revision) == (None, "someone/copy", "v1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "someone" / "copy").mkdir(parents=True)
    assert parse_source("gmai=someone/copy").path == Path("someone/copy")


def write(reader: str, folder: Path, items: list[PlainItem]) -> Path:
    return {"gmai": write_gmai, "omnimedvqa": write_omnimedvqa, "medxpertqa": write_medxpertqa}[reader](folder, items)


def items_for(reader: str) -> list[PlainItem]:
    label = "Diagnosis / Reasoning" if reader == "medxpertqa" else "Disease Diagnosis"
    return [plain(number, label=label) for number in range(3)]


READERS = ("gmai", "omnimedvqa", "medxpertqa")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", ["cut short", "empty", "no zip", "list of contents"])
def test_a_damaged_zip_file_is_named(tmp_path: Path, reader: str, damage: str) -> None:
    path = zipped(write(reader, tmp_path / "source", items_for(reader)), tmp_path / "a.zip")
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut short": data[: len(data) * 2 // 3],
            "empty": b"",
            "no zip": b"hello" * 100,
            "list of contents": data[:-200] + b"\0" * 150 + data[-50:],
        }[damage]
    )
    items, skipped = split(open_source(f"{reader}={path}"))
    assert items == []
    assert said(skipped) == [(UNREADABLE_FILE, False)]
    assert path.name in skipped[0].detail
    assert str(tmp_path) not in skipped[0].where + skipped[0].detail


def test_a_damaged_member_is_found_when_it_is_read(tmp_path: Path) -> None:
    made = items_for("omnimedvqa")
    path = zipped(write_omnimedvqa(tmp_path / "source", made), tmp_path / "a.zip")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("Images/Phantoms/item-1.png")
    data = bytearray(path.read_bytes())
    data[info.header_offset + 60 : info.header_offset + 160] = bytes(100)
    path.write_bytes(data)
    items, _ = split(open_source(f"omnimedvqa={path}"))
    found = [describe(item) for item in items]
    assert [isinstance(each, Skipped) for each in found] == [False, True, False]
    assert "item-1.png" in found[1].detail


def test_a_damaged_table_within_a_zip_file(tmp_path: Path) -> None:
    path = zipped(write_gmai(tmp_path / "source", items_for("gmai")), tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    data[100:200] = bytes(100)
    path.write_bytes(data)
    items, skipped = split(open_source(f"gmai={path}"))
    assert items == []
    assert said(skipped) == [(UNREADABLE_FILE, False)]


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header promises more than any memory holds."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (header, data, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png_header(100_000, 100_000), "the limit of 89,478,485"),
        (png_header(2**31 - 1, 2**31 - 1), "the limit of 89,478,485"),
        (plain(0).images[0][:-200], "damaged or cut short"),
        (plain(0).images[0][:100] + bytes(100) + plain(0).images[0][200:], "damaged or cut short"),
        (b"GIF89a" + bytes(100), "not a PNG, JPEG, TIFF, WebP, BMP or DICOM image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n" * 10, "not a PNG"),
        (b"not an image at all, and longer than sixty-four characters, that is sure", "not a PNG"),
    ],
)
def test_an_image_that_cannot_be_used_leaves_the_others(tmp_path: Path, reader: str, data: bytes, message: str) -> None:
    made = items_for(reader)
    made[1] = plain(1, label=made[1].label, images=(data,))
    items, skipped = split(open_source(f"{reader}={write(reader, tmp_path / 'source', made)}"))
    assert skipped == []
    found = [describe(item) for item in items]
    assert [isinstance(each, Skipped) for each in found] == [False, True, False]
    assert (found[1].reason, found[1].harmless, found[1].where) == ("image cannot be read", False, "item-1")
    assert message in found[1].detail


def test_a_member_that_unpacks_to_more_than_any_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MAX_IMAGE_BYTES", 10_000)
    made = [plain(0, images=(bytes(20_000),)), plain(1)]
    path = zipped(write_omnimedvqa(tmp_path / "source", made), tmp_path / "a.zip")
    assert path.stat().st_size < 10_000
    for where in (path, tmp_path / "source"):
        items, skipped = split(open_source(f"omnimedvqa={where}"))
        assert said(skipped) == [(checks.BAD_IMAGE, False)]
        assert "20000 bytes, more than 10000" in skipped[0].detail
        assert len(items) == 1


def test_a_table_that_unpacks_to_far_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_MAX_TABLE_BYTES", 100_000)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a.tsv").write_bytes(b"index\tquestion\n" + b"x" * 1_000_000)
    path = zipped(tmp_path / "source", tmp_path / "a.zip")
    _, skipped = split(open_source(f"gmai={path}"))
    assert "would unpack to 1000015; not unpacked" in skipped[0].detail


def test_members_with_names_that_climb_are_never_followed(tmp_path: Path) -> None:
    entry = omnimedvqa_entry(plain(0)) | {"image_path": "../../../evil.png"}
    path = tmp_path / "deep" / "down" / "a.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("QA_information/Open-access/a.json", json.dumps([entry]))
        archive.writestr("../../../evil.png", plain(0).images[0])
    items, skipped = split(open_source(f"omnimedvqa={path}"))
    assert items == []
    assert said(skipped) == [(checks.OUTSIDE, False)]
    assert not list(tmp_path.rglob("evil.png"))


@pytest.mark.parametrize("reader", READERS)
def test_a_source_on_the_hub(tmp_path: Path, reader: str) -> None:
    made = items_for(reader)
    folder = write(reader, tmp_path / "source", made)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    program = f"""
        import hashlib
        from medqdeg.utils.building.sources import open_source, parse_source
        answer["path"] = str(parse_source("{reader}={REPOSITORY}@v1").local())
        answer["items"] = [
            [item.source_id, *(hashlib.sha256(image.read()).hexdigest() for image in item.images)]
            for item in open_source("{reader}={REPOSITORY}@v1")
        ]
    """
    with fake_hub(files | {"README.md": b"x", "other/big.bin": b"x" * 1000}) as hub:
        found = on_hub(program, hub.endpoint, tmp_path / "home")
        fetched = {path for path, _ in hub.sent}
        assert hub.unknown == []
    assert fetched == set(files)
    assert COMMIT in Path(str(found["path"])).parts
    local, _ = split(open_source(f"{reader}={folder}"))
    import hashlib

    assert found["items"] == [
        [item.source_id, *(hashlib.sha256(data).hexdigest() for data in bytes_of(item))] for item in local
    ]
    # What was fetched is enough without a network.
    assert on_hub(program, "http://127.0.0.1:9", tmp_path / "home", HF_HUB_OFFLINE="1") == found


def test_what_the_hub_does_not_give_out(tmp_path: Path) -> None:
    program = f"""
        from medqdeg.utils.building.sources import open_source
        answer["repository"] = refusal(open_source, "gmai=someone/else")
        answer["files"] = refusal(open_source, "omnimedvqa={REPOSITORY}")
        answer["gated"] = refusal(open_source, "gmai={REPOSITORY}")
    """
    with fake_hub({"README.md": b"x"}) as hub:
        found = on_hub(program, hub.endpoint, tmp_path / "home")
        hub.gated = True
        gated = on_hub(program, hub.endpoint, tmp_path / "home2")
    assert "the Hub does not give out the dataset someone/else" in str(found["repository"])
    assert f"the dataset {REPOSITORY} has no file like *.zip" in str(found["files"])
    assert "sign the form on its page" in str(gated["gated"])
    offline = on_hub(program, "http://127.0.0.1:9", tmp_path / "home3", HF_HUB_OFFLINE="1")
    assert "is not in the local cache, and the Hub cannot be reached" in str(offline["gated"])
    assert "give DIR instead" in str(offline["gated"])


@pytest.mark.parametrize("reader", READERS)
def test_phantoms_pass_through_every_layout(tmp_path: Path, reader: str) -> None:
    source = {"gmai": "GMAI-MMBench", "omnimedvqa": "OmniMedVQA", "medxpertqa": "MedXpertQA"}[reader]
    made = list(phantom_items(7, 5, source))
    items, skipped = split(open_source(f"{reader}={write(reader, tmp_path / 'source', made)}"))
    assert skipped == []
    for item, before in zip(items, made, strict=True):
        assert (item.options, item.answer, item.modality) == (before.options, before.answer, before.modality)
        assert bytes_of(item) == before.images
        assert isinstance(describe(item), tuple)


def test_every_skill_can_be_reached() -> None:
    direct = {mapping.skill for mapping in taxonomy.SKILL_MAPPINGS if mapping.skill}
    organs = {skill for skill, _, _ in skills.ORGANS}
    asked = {finer for rules in skills.ASKED.values() for finer, _ in rules}
    assert direct | organs | asked == set(taxonomy.SKILLS)
    assert set(skills.ASKED) <= direct
