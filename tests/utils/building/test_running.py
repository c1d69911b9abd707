"""A build as a whole: the same bytes however it is run, whatever kills it; what is bad is named, the rest is built."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from medqdeg.degradations import reproduce
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.building.layout import MANIFEST, WORK, WorkFolder
from medqdeg.utils.building.make.gate import Limits
from medqdeg.utils.building.plan.front import readers
from medqdeg.utils.building.plan.planning import BuildRequest
from medqdeg.utils.building.plan.selection import Mix
from medqdeg.utils.building.running import build
from medqdeg.utils.building.writing import read_rows
from medqdeg.utils.command_line import app
from medqdeg.utils.dataset import taxonomy

from .conftest import ITEMS
from .layouts import phantom_items, write_gmai, write_medxpertqa, write_omnimedvqa, zipped
from .phantom_source import front, item
from .samples import plain

REPOSITORY = Path(__file__).resolve().parents[3]
COMMAND = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from pathlib import Path\n"
    "from tests.utils.building.phantom_source import front\n"
    "from medqdeg.utils.building.plan.planning import BuildRequest\n"
    "from medqdeg.utils.building.running import build\n"
    "request = BuildRequest((sys.argv[2],), part_items=5, dev_share=0.2)\n"
    "build(request, Path(sys.argv[3]), front(), workers=2, tsv=True)\n"
)


def contents(out: Path) -> dict[str, str]:
    """Every file of a set with its hash, without the work folder."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and WORK not in path.relative_to(out).parts
    }


def rows_of(out: Path, level: str) -> list[dict]:
    return list(read_rows(sorted((out / "data" / level).glob("*.parquet"))))


def test_two_processes_and_another_order_give_the_same_bytes(
    built: Path, tmp_path: Path, request_for_tests: BuildRequest
) -> None:
    build(request_for_tests, tmp_path / "set", front(backwards=True), workers=2, tsv=True)
    assert contents(tmp_path / "set") == contents(built)


def test_order_of_the_sources_does_not_matter(tmp_path: Path) -> None:
    first = BuildRequest(("phantoms=4", "phantoms=4-8"), part_items=5)
    build(first, tmp_path / "a", front())
    build(replace(first, sources=first.sources[::-1]), tmp_path / "b", front())
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_gives_another_set(built: Path, tmp_path: Path, request_for_tests: BuildRequest) -> None:
    build(replace(request_for_tests, seed=1), tmp_path / "set", front())
    assert {row["item_id"] for row in rows_of(tmp_path / "set", "L1")} != {
        row["item_id"] for row in rows_of(built, "L1")
    }


def test_shards_give_the_same_bytes_and_the_last_one_finishes(
    built: Path, tmp_path: Path, request_for_tests: BuildRequest
) -> None:
    out = tmp_path / "set"
    first = build(request_for_tests, out, front(), shard=(2, 2), tsv=True)
    assert not first.finished
    assert first.missing == first.parts - first.made > 0
    assert not (out / MANIFEST).exists()
    assert build(request_for_tests, out, front(), shard=(1, 2), tsv=True).finished
    assert contents(out) == contents(built)


def test_a_finished_build_is_not_made_again(built: Path, request_for_tests: BuildRequest) -> None:
    before = contents(built)
    summary = build(request_for_tests, built, front(lambda _: pytest.fail("the plan is there")), tsv=True)
    assert (summary.made, summary.kept) == (0, summary.parts)
    assert contents(built) == before


def test_a_damaged_part_is_made_again(tmp_path: Path) -> None:
    out, wanted = tmp_path / "set", BuildRequest(("phantoms=8",), part_items=4)
    build(wanted, out, front())
    before = contents(out)
    damaged = next((out / "data/L1").glob("*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (out / "data/L2" / next((out / "data/L2").glob("*.parquet")).name).unlink()
    assert build(wanted, out, front()).made >= 1
    assert contents(out) == before


def killed_builds(command: list[str], out: Path, times: int) -> dict[str, str]:
    """Kill a build at random moments until it was killed so often, let it finish, and return its contents.

    `command` writes to the folder that is named by its last argument.
    """
    rng = random.Random(times)
    started = time.monotonic()
    assert subprocess.run([*command, str(out)], check=False, stdout=subprocess.DEVNULL).returncode == 0
    whole = time.monotonic() - started
    shutil.rmtree(out)
    killed = 0
    for _ in range(4 * times):
        # A group of its own: the kill takes the workers too.
        process = subprocess.Popen([*command, str(out)], start_new_session=True, stdout=subprocess.DEVNULL)
        try:
            process.wait(rng.uniform(0.2, 0.9) * whole)
            shutil.rmtree(out)  # it was faster: begin anew, there is nothing left to disturb
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            if killed == times:
                break
    assert killed == times
    assert subprocess.run([*command, str(out)], check=False, stdout=subprocess.DEVNULL).returncode == 0
    return contents(out)


PHANTOM_BUILD = [sys.executable, "-c", COMMAND, str(REPOSITORY), f"phantoms={ITEMS}"]
can_kill = pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")


@can_kill
def test_killed_once_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    assert killed_builds(PHANTOM_BUILD, tmp_path / "set", 1) == contents(built)


@pytest.mark.slow
@can_kill
def test_killed_ten_times_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    assert killed_builds(PHANTOM_BUILD, tmp_path / "set", 10) == contents(built)


@pytest.mark.slow
@can_kill
def test_the_command_line_killed_ten_times_gives_the_same_bytes(tmp_path: Path) -> None:
    """As a user runs it: from the sources' own layouts, through hashing and merging."""
    unpacked = write_omnimedvqa(tmp_path / "o", phantom_items(14, 2, "OmniMedVQA"))
    sources = (
        f"gmai={write_gmai(tmp_path / 'gmai', phantom_items(14, 1, 'GMAI-MMBench'))}",
        f"omnimedvqa={zipped(unpacked, tmp_path / 'o.zip')}",
        f"medxpertqa={write_medxpertqa(tmp_path / 'm', phantom_items(14, 3, 'MedXpertQA'))}",
    )
    command = [
        sys.executable,
        "-c",
        "from medqdeg.utils.command_line import main; main()",
        "build",
        "--part-items",
        "6",
    ]
    command += ["--tsv", *(word for source in sources for word in ("--source", source))]
    killed = killed_builds([*command, "--workers", "2", "--out"], tmp_path / "killed", 10)
    others = [word for source in reversed(sources) for word in ("--source", source)]
    undisturbed = [*command[:6], *others, "--workers", "1", "--tsv", "--out", str(tmp_path / "whole")]
    assert subprocess.run(undisturbed, check=False, stdout=subprocess.DEVNULL).returncode == 0
    assert killed == contents(tmp_path / "whole")
    assert any(name.endswith(".tsv") for name in killed)


@pytest.mark.parametrize("after", range(3))
def test_a_part_that_dies_half_way_leaves_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """As a kill between any two items of a part, in this process."""
    from medqdeg.utils.building.make import make_parts

    out, wanted = tmp_path / "set", BuildRequest(("phantoms=6",), part_items=3)
    build(wanted, tmp_path / "whole", front())
    calls = 0
    real = make_parts.degrade_item

    def dying(*arguments, **options):
        nonlocal calls
        calls += 1
        if calls > after + 1:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(make_parts, "degrade_item", dying)
        with pytest.raises(KeyboardInterrupt):
            build(wanted, out, front())
    assert not (out / MANIFEST).exists()
    build(wanted, out, front())
    assert contents(out) == contents(tmp_path / "whole")


def test_bad_items_are_named_and_the_rest_is_built(tmp_path: Path) -> None:
    out = tmp_path / "set"
    doubled = BuildRequest(("phantoms=6", "phantoms=3-4", "bad=1", "phantoms=9-9"), part_items=4)
    summary = build(doubled, out, front())
    assert summary.finished
    with (out / "skipped.csv").open(newline="") as file:
        skipped = {(row["where"], row["reason"], row["harmless"]) for row in csv.DictReader(file)}
    assert skipped == {
        ("line 7", "no answer", "no"),
        ("line 8", "modality not of the benchmark", "yes"),
        ("broken", "image cannot be read", "no"),
        ("3", "id occurs twice", "no"),
        ("phantoms=9-9", "a source without a single item", "no"),
    }
    assert summary.problems == 4
    assert {row["source_id"] for row in rows_of(out, "L0")} <= {str(number) for number in range(6)}
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["skipped"]["ward"]["no answer"] == 1


def contradicting(tmp_path: Path) -> BuildRequest:
    """Six items, of which two say otherwise about one image, and one more of each answer that was merged into them."""
    made = [plain(number) for number in range(6)]
    other = replace(made[2], item_id="other", answer=(made[2].answer + 1) % 3)
    gmai = write_gmai(tmp_path / "g", [*made, other])
    copies = [replace(each, item_id=f"copy-{each.item_id}") for each in (made[2], other)]
    omni = write_omnimedvqa(tmp_path / "o", copies)
    mix = Mix(clean_items=None, pairs_per_item=1, degradations={"object_rotation": 1})
    return BuildRequest((f"gmai={gmai}", f"omnimedvqa={omni}"), mix=mix, dev_share=0)


def test_contradictory_keys_are_left_out_and_told(tmp_path: Path) -> None:
    wanted, out = contradicting(tmp_path), tmp_path / "set"
    summary = build(wanted, out, readers())
    assert {row["source_id"] for row in rows_of(out, "L0")} == {f"item-{number}" for number in (0, 1, 3, 4, 5)}
    assert (summary.contradictory, summary.problems) == (2, 0)
    card = (out / "README.md").read_text()
    assert "2 items have the same question as another about the same image, and another answer. They are left" in card
    with (out / "skipped.csv").open(newline="") as file:
        named = {row["where"]: row["detail"] for row in csv.DictReader(file)}
    assert named == {
        "item-2": "GMAI-MMBench: other says otherwise",
        "other": "GMAI-MMBench: item-2 says otherwise",
    }
    command = ["build", *(word for source in wanted.sources for word in ("--source", source))]
    mix = tmp_path / "mix.yaml"
    mix.write_text("clean_items: all\npairs_per_item: 1\ndegradations: [object_rotation]\n")
    command += ["--mix", str(mix), "--workers", "1", "--out"]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "said")])
    assert done.exit_code == 0
    assert "2 items left out whose answers contradict each other" in done.output
    done = CliRunner().invoke(app, [*command, str(tmp_path / "kept"), "--keep-contradictions"])
    assert done.exit_code == 0
    assert len(rows_of(tmp_path / "kept", "L0")) == 7
    assert "They are in the set, as was asked for" in (tmp_path / "kept" / "README.md").read_text()


def test_a_question_about_the_image_itself_stays_in_l0(tmp_path: Path) -> None:
    made = [plain(number, label="Image Quality Grading" if number == 2 else "Counting") for number in range(4)]
    mix = Mix(clean_items=None, pairs_per_item=1, degradations={"object_rotation": 1})
    request = BuildRequest((f"gmai={write_gmai(tmp_path / 'g', made)}",), mix=mix, dev_share=0)
    build(request, tmp_path / "set", readers())
    counts = {level: Counter(row["skill"] for row in rows_of(tmp_path / "set", level)) for level in ("L0", "L1", "L2")}
    assert counts["L0"] == {"Counting": 3, "Image Quality Grading": 1}
    assert counts["L1"] == counts["L2"] == {"Counting": 3}
    assert "skill: Gastrointestinal Tract | " in (tmp_path / "set" / "README.md").read_text()


def test_the_card_lists_every_skill_with_its_quota(built: Path) -> None:
    card = (built / "README.md").read_text()
    section = card[card.index("## Wanted and got") : card.index("## Quality gate")]
    manifest = json.loads((built / MANIFEST).read_text())
    for name in taxonomy.SKILLS:
        numbers = manifest["selection"]["skill"][name]
        assert f"| skill: {name} | {numbers['wanted']} | {numbers['planned']} | {numbers['got']} |" in section
    absent = [name for name in taxonomy.SKILLS if not manifest["selection"]["skill"][name]["got"]]
    assert absent
    assert f"{len(absent)} of the 30 skills have no item: {', '.join(absent)}." in section


def test_no_usable_item_at_all_ends_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no item of the sources can be used"):
        build(BuildRequest(("bad=1",)), tmp_path / "set", front())
    assert not (tmp_path / "set" / "data").exists()


def test_another_build_in_the_folder_is_refused(built: Path, tmp_path: Path, request_for_tests: BuildRequest) -> None:
    with pytest.raises(InputError, match="a build of other seed"):
        build(replace(request_for_tests, seed=9), built, front())
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        build(request_for_tests, tmp_path, front())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_items_are_those_of_the_source_with_their_pairs(built: Path) -> None:
    clean = {row["source_id"]: row for row in rows_of(built, "L0")}
    for number, row in clean.items():
        original = item(int(number))
        assert row["question"] == original.question
        assert tuple(row["options"]) == original.options
        assert row["options"]["ABCDE".index(row["answer"])] == original.options[original.answer]
        assert (row["modality"], row["skill"], row["licence"]) == (
            original.modality,
            original.skill,
            original.licence,
        )
        assert json.loads(row["extra"]) == {"number": number}
        assert len(row["images"]) == len(original.images)
    pairs = [Counter((row["clean_id"], row["degradation"]) for row in rows_of(built, level)) for level in ("L1", "L2")]
    assert pairs[0] == pairs[1]
    assert set(pairs[0].values()) == {1}
    assert {clean_id for clean_id, _ in pairs[0]} == {row["item_id"] for row in clean.values()}


def test_images_are_made_again_from_their_records(built: Path) -> None:
    clean = {row["item_id"]: row for row in rows_of(built, "L0")}
    for row in rows_of(built, "L2")[:8]:
        records = json.loads(row["parameters"])
        for before, after, record in zip(clean[row["clean_id"]]["images"], row["images"], records, strict=True):
            made = reproduce(opened(before["bytes"]), record)
            assert np.array_equal(np.asarray(made), np.asarray(opened(after["bytes"])))


def opened(data: bytes) -> Image.Image:
    import io

    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_manifest_has_the_hash_of_every_file_and_image(built: Path) -> None:
    manifest = json.loads((built / MANIFEST).read_text())
    found = contents(built)
    assert {name: file["sha256"] for name, file in manifest["files"].items()} == {
        name: value for name, value in found.items() if name != MANIFEST
    }
    images = {
        (row["item_id"], place): hashlib.sha256(image["bytes"]).hexdigest()
        for level in ("L0", "L1", "L2")
        for row in rows_of(built, level)
        for place, image in enumerate(row["images"])
    }
    lines = [json.loads(line) for line in (built / "images.jsonl").read_text().splitlines()]
    assert {(line["item_id"], line["image"]): line["output_sha256"] for line in lines} == images
    sources = {hashlib.sha256(image.read()).hexdigest() for n in range(ITEMS) for image in item(n).images}
    assert {line["input_sha256"] for line in lines} <= sources
    assert manifest["items"] == {level: len(rows_of(built, level)) for level in ("L0", "L1", "L2")}
    assert manifest["counts"]["L1"]["degradation"] == Counter(row["degradation"] for row in rows_of(built, "L1"))


def test_review_takes_pairs_out_and_back_in(tmp_path: Path) -> None:
    out, wanted = tmp_path / "set", BuildRequest(("phantoms=12",), part_items=3)
    build(wanted, out, front())
    before = contents(out)
    with (out / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    kept = next(row for row in rows if row["decision"] == "keep")
    review = tmp_path / "mine.csv"
    review.write_text(f"item_id,degradation,decision\n{kept['item_id']},{kept['degradation']},exclude\n")
    summary = build(wanted, out, front(), review=review)
    assert summary.made == 1
    gone = f"{kept['item_id']}:{kept['degradation']}:L1"
    assert gone not in {row["item_id"] for row in rows_of(out, "L1")}
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["gate"]["decided_by_a_person"] == 1
    build(wanted, out, front(), review=out / "review.csv")  # a build's own table, passed back, changes nothing
    assert gone not in {row["item_id"] for row in rows_of(out, "L1")}
    build(wanted, out, front())
    assert contents(out) == before
    review.write_text("item_id,degradation,decision\nward:none,exposure,keep\n")
    with pytest.raises(InputError, match="ward:none with exposure is not a pair of this build"):
        build(wanted, out, front(), review=review)


def strict(**limits: float) -> BuildRequest:
    """A build whose gate rejects a good part of the pairs."""
    return BuildRequest(("phantoms=20",), part_items=7, limits=replace(Limits(), **limits))


def test_a_rejected_pair_is_replaced_by_another_degradation(tmp_path: Path) -> None:
    out, wanted = tmp_path / "set", strict(least_ssim=0.6)
    summary = build(wanted, out, front())
    with (out / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rejected = {(row["item_id"], row["degradation"]) for row in rows if row["gate"] == "exclude"}
    replaced = {(row["item_id"], row["replaces"]) for row in rows if row["replaces"]}
    assert rejected
    assert replaced
    assert replaced <= rejected
    # A rejected pair that nothing replaces belongs to an item of which every degradation was tried.
    tried = Counter(row["item_id"] for row in rows)
    clean = {f"{each.source}:{each.source_id}": each for each in map(item, range(20))}
    for item_id, _ in rejected - replaced:
        assert tried[item_id] == len(taxonomy.degradations_for(clean[item_id].modality))
    assert max(tried.values()) <= max(len(taxonomy.degradations_for(name)) for name in taxonomy.MODALITIES)
    kept = {(row["item_id"], row["degradation"]) for row in rows if row["decision"] == "keep"}
    assert {(row["clean_id"], row["degradation"]) for row in rows_of(out, "L1")} == kept
    manifest = json.loads((out / MANIFEST).read_text())
    sizes = manifest["selection"]["size"]["pairs"]
    assert (sizes["planned"], sizes["got"]) == (len(rows) - len(replaced), len(kept))
    assert (
        manifest["gate"]["replacements"]
        == summary.replacements
        == sum(bool(row["replaces"]) and row["decision"] == "keep" for row in rows)
    )
    assert max(Counter(item_id for item_id, _ in kept).values()) <= 3


def test_replacing_does_not_depend_on_parts_or_processes(tmp_path: Path) -> None:
    wanted = strict(least_ssim=0.6)
    build(wanted, tmp_path / "a", front())
    build(wanted, tmp_path / "b", front(backwards=True), workers=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    build(replace(wanted, part_items=20), tmp_path / "c", front())
    assert (tmp_path / "a/review.csv").read_bytes() == (tmp_path / "c/review.csv").read_bytes()


def test_a_person_may_take_back_what_the_gate_replaced(tmp_path: Path) -> None:
    out, wanted = tmp_path / "set", strict(least_ssim=0.6)
    build(wanted, out, front())
    with (out / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    stand_in = next(row for row in rows if row["replaces"] and row["decision"] == "keep")
    review = tmp_path / "mine.csv"
    review.write_text(
        "item_id,degradation,decision\n"
        f"{stand_in['item_id']},{stand_in['replaces']},keep\n"
        f"{stand_in['item_id']},{stand_in['degradation']},exclude\n"
    )
    build(wanted, out, front(), review=review)
    names = {row["degradation"] for row in rows_of(out, "L2") if row["clean_id"] == stand_in["item_id"]}
    assert stand_in["replaces"] in names
    assert stand_in["degradation"] not in names
    listed = {(row["item_id"], row["degradation"]) for row in rows}
    with (out / "review.csv").open(newline="") as file:
        assert {(row["item_id"], row["degradation"]) for row in csv.DictReader(file)} == listed


def test_a_decision_about_a_pair_that_was_never_made_is_named(tmp_path: Path) -> None:
    out, wanted = tmp_path / "set", BuildRequest(("phantoms=6",), part_items=3)
    build(wanted, out, front())
    with (out / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    item_id = rows[0]["item_id"]
    made = {row["degradation"] for row in rows if row["item_id"] == item_id}
    modality = next(each.modality for each in map(item, range(6)) if f"{each.source}:{each.source_id}" == item_id)
    never = next(name for name in taxonomy.degradations_for(modality) if name not in made)
    review = tmp_path / "mine.csv"
    review.write_text(f"item_id,degradation,decision\n{item_id},{never},keep\n")
    summary = build(wanted, out, front(), review=review)
    assert summary.finished
    assert any(f"{item_id} with {never} was not made" in line for line in summary.failed)


def test_a_set_that_falls_short_says_so_everywhere(tmp_path: Path) -> None:
    out = tmp_path / "set"
    # Two degradations only, and a limit under which nothing is left of some items.
    mix = Mix(clean_items=20, pairs_per_item=2, degradations={"gaussian_blur": 1, "gaussian_noise": 1})
    summary = build(replace(strict(least_ssim=0.6), mix=mix), out, front())
    manifest = json.loads((out / MANIFEST).read_text())
    for name, (wanted, got) in summary.short.items():
        assert (
            manifest["selection"]["size"][name]["wanted"] == wanted > got == manifest["selection"]["size"][name]["got"]
        )
    assert set(summary.short) == {"clean items", "pairs"}
    assert summary.short["clean items"][1] > 0
    assert summary.short["clean items"] == (20, 20 - len(manifest["left_without_pairs"]))
    lacking = " and ".join(f"{wanted - got} {name}" for name, (wanted, got) in summary.short.items())
    assert f"The set falls short of the wanted mix by {lacking}." in (out / "README.md").read_text()


def test_work_folder_holds_no_half_written_file(built: Path) -> None:
    assert not list(built.rglob("*.part"))
    assert WorkFolder(built).plan.is_file()
