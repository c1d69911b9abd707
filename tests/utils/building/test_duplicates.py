"""Merging: against all pairs compared one by one, in any order, with every merge reported."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medqdeg.utils.building.item import SourceItem
from medqdeg.utils.building.plan.described_images import ImageFacts, describe
from medqdeg.utils.building.plan.duplicates import (
    NEAR,
    Merge,
    canonical_order,
    merge_duplicates,
    normalised,
)
from medqdeg.utils.building.sources import open_source

from .layouts import phantom_items, write_gmai, write_medxpertqa, write_omnimedvqa
from .samples import hash_distance, picture, plain, source_item, split


def facts(bits: bytes, side: int = 100, file: str = "") -> tuple[ImageFacts, ...]:
    return (ImageFacts(file or bits.hex(), bits, side, side, "L", 50.0),)


def with_flips(bits: bytes, *places: int) -> bytes:
    flipped = np.unpackbits(np.frombuffer(bits, np.uint8))
    flipped[list(places)] ^= 1
    return np.packbits(flipped).tobytes()


BASE = np.random.default_rng(0).bytes(32)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is  seen in this image?", "what is seen in this image"),
        ("What is shown — exactly?", "What is shown exactly"),
        ("ﬁbrosis", "Fibrosis."),
        ("T2-weighted", "T2 weighted"),
        ("Größe", "GRÖSSE"),
        ("−5 °C", "-5 °C"),
        ("COVID-19", "Covid 19"),
    ],
)
def test_questions_that_read_the_same(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5 cm", "15 cm"),
        ("1.5 cm", "1 5 cm"),
        (".5 cm", "5 cm"),
        ("-5", "5"),
        ("> 5 cm", "< 5 cm"),
        ("left kidney", "right kidney"),
        ("HER2+", "HER2"),
        ("?", "!"),
    ],
)
def test_questions_that_do_not(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_the_threshold_is_a_count_of_bits() -> None:
    items = [source_item(0, b"x"), source_item(1, b"x")]
    for flips, merged in ((0, 1), (NEAR, 1), (NEAR + 1, 0), (60, 0)):
        other = with_flips(BASE, *range(3, 3 + flips))
        found = merge_duplicates(items, [facts(BASE), facts(other)])
        assert len(found.merges) == merged
        assert hash_distance(BASE, other) == flips
        if merged:
            assert found.merges == (Merge(("own", "0"), ("own", "1"), flips, flips == 0, True),)
            assert found.kept == (0,)


def test_question_answer_and_number_of_images_must_agree() -> None:
    base = source_item(0, b"x")
    others = [
        replace(base, source_id="1", question="What else is seen?"),
        replace(base, source_id="2", answer=1),
        replace(base, source_id="3", images=base.images * 2),
    ]
    known = [facts(BASE)] * 3 + [facts(BASE) * 2]
    found = merge_duplicates([base, *others], known)
    assert found.kept == (0, 1, 2, 3)
    assert found.merges == ()
    assert [(each.first, each.second, each.answers) for each in found.conflicts] == [
        (("own", "0"), ("own", "2"), ("a cyst", "a polyp"))
    ]


def test_other_options_but_the_same_answer() -> None:
    base = source_item(0, b"x")
    others = [
        replace(base, source_id="1", options=("a polyp", "A Cyst.", "a fracture"), answer=1),
        replace(base, source_id="2", options=("a cyst", "an ulcer")),
    ]
    found = merge_duplicates([base, *others], [facts(BASE)] * 3)
    assert [(each.dropped[1], each.same_options) for each in found.merges] == [("1", True), ("2", False)]


def test_all_images_of_an_item_count() -> None:
    items = [source_item(number, (b"x", b"y")) for number in range(3)]
    far = with_flips(BASE, *range(50))
    known = [facts(BASE) + facts(BASE), facts(BASE) + facts(with_flips(BASE, 1, 2)), facts(BASE) + facts(far)]
    found = merge_duplicates(items, known)
    assert [(each.dropped[1], each.distance) for each in found.merges] == [("1", 2)]
    assert found.kept == (0, 2)


def test_which_one_is_kept() -> None:
    items = [
        source_item(0, b"x", source="MedXpertQA"),
        source_item(1, b"x", source="GMAI-MMBench", skill="unlabelled"),
        source_item(2, b"x", source="zoo"),
        source_item(3, b"x", source="OmniMedVQA"),
    ]
    known = [facts(BASE, 100), facts(BASE, 900), facts(BASE, 200), facts(BASE, 200)]
    assert merge_duplicates(items, known).kept == (3,)
    assert merge_duplicates(items[:3], known[:3]).kept == (2,)
    assert merge_duplicates(items[:2], known[:2]).kept == (0,)


def test_nearness_is_not_passed_on_along_a_chain() -> None:
    chain = [with_flips(BASE, *range(8 * step)) for step in range(4)]
    items = [source_item(number, b"x") for number in range(4)]
    found = merge_duplicates(items, [facts(bits) for bits in chain])
    assert found.kept == (0, 2)
    assert [(each.kept[1], each.dropped[1], each.distance) for each in found.merges] == [("0", "1", 8), ("2", "3", 8)]


def test_the_order_of_ids_is_peoples() -> None:
    names = ["item 10", "item 9", "item 1", "a", "item 09"]
    items = sorted((source_item(0, b"", source_id=name) for name in names), key=canonical_order)
    assert [item.source_id for item in items] == ["a", "item 1", "item 09", "item 9", "item 10"]


def by_all_pairs(items: list[SourceItem], known: list[tuple[ImageFacts, ...]], near: int) -> set[str]:
    """The kept ids, by the rule as it is written, every pair compared."""

    def rank(place: int) -> tuple[object, ...]:
        pixels = sum(each.width * each.height for each in known[place])
        return items[place].skill == "unlabelled", -pixels, canonical_order(items[place])

    kept: list[int] = []
    for place in sorted(range(len(items)), key=rank):
        same = (
            other
            for other in kept
            if items[other].question == items[place].question
            and items[other].options[items[other].answer] == items[place].options[items[place].answer]
            and hash_distance(known[other][0].perceptual, known[place][0].perceptual) <= near
        )
        if next(same, None) is None:
            kept.append(place)
    return {items[place].source_id for place in kept}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 16), st.integers(2, 60))
def test_no_near_pair_is_missed_in_any_order(seed: int, near: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    centres = [rng.bytes(32) for _ in range(4)]
    known, items = [], []
    for number in range(count):
        flips = rng.choice(256, rng.integers(0, near + 3), replace=False)
        bits = with_flips(centres[rng.integers(4)], *flips)
        known.append(facts(bits, int(rng.integers(1, 4)), file=str(number)))
        skill = ("Counting", "unlabelled")[rng.integers(2)]
        question = ("What is it?", "Where is it?")[rng.integers(2)]
        items.append(source_item(number, b"", question=question, answer=int(rng.integers(2)), skill=skill))
    found = merge_duplicates(items, known, near)
    assert {items[place].source_id for place in found.kept} == by_all_pairs(items, known, near)
    assert len(found.kept) + len(found.merges) == count
    bits_of = {item.source_id: each[0].perceptual for item, each in zip(items, known, strict=True)}
    kept = {("own", items[place].source_id) for place in found.kept}
    for merge in found.merges:
        assert merge.kept in kept
        assert merge.dropped not in kept
        assert merge.distance == hash_distance(bits_of[merge.kept[1]], bits_of[merge.dropped[1]]) <= near
    order = rng.permutation(count)
    again = merge_duplicates([items[place] for place in order], [known[place] for place in order], near)
    assert (again.merges, again.conflicts) == (found.merges, found.conflicts)
    assert [int(order[place]) for place in again.kept] == list(found.kept)


def test_thousands_of_copies_of_one_image() -> None:
    count = 5000
    items = [source_item(number, b"") for number in range(count)]
    found = merge_duplicates(items, [facts(BASE, file=str(number)) for number in range(count)])
    assert found.kept == (0,)
    assert len(found.merges) == count - 1


def test_across_sources_in_any_order(tmp_path) -> None:
    """The same three items, as a PNG, as a JPEG and at half the size, in three sources."""

    def jpeg(data: bytes, side: int | None = None) -> bytes:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        buffer = io.BytesIO()
        (image if side is None else image.resize((side, side))).save(buffer, "JPEG", quality=80)
        return buffer.getvalue()

    made = [plain(number, images=(picture(number, 128),)) for number in range(3)]
    other = [replace(item, images=(jpeg(item.images[0]),), question=item.question.upper()) for item in made]
    third = [
        replace(item, images=(jpeg(item.images[0], 64),), label="Diagnosis / Reasoning", question=item.question)
        for item in made
    ]
    sources = [
        f"gmai={write_gmai(tmp_path / 'g', made)}",
        f"omnimedvqa={write_omnimedvqa(tmp_path / 'o', other)}",
        f"medxpertqa={write_medxpertqa(tmp_path / 'm', third)}",
    ]
    reports = []
    for order in (sources, sources[::-1]):
        items = [item for source in order for item in split(open_source(source))[0]]
        assert len(items) == 9
        # MedXpertQA's exporter puts a sentence before the question, so that it names its modality.
        items = [replace(item, question=item.question.split(" shown. ")[-1]) for item in items]
        found = merge_duplicates(items, [describe(item) for item in items])
        assert {items[place].source for place in found.kept} == {"GMAI-MMBench"}
        reports.append((found.merges, found.conflicts, [items[place].source_id for place in found.kept]))
    assert reports[0] == reports[1]
    assert len(reports[0][0]) == 6


def test_phantoms_with_the_same_answer_stay_apart() -> None:
    items = []
    for item in phantom_items(70, 3, "own"):
        items.append(source_item(0, item.images, source_id=item.item_id, question=item.question, options=item.options))
        items[-1] = replace(items[-1], answer=item.answer)
    assert merge_duplicates(items, [describe(item) for item in items]).merges == ()


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="1 items and 0 entries"):
        merge_duplicates([source_item(0, b"")], [])
    with pytest.raises(ValueError, match="near must be"):
        merge_duplicates([], [], near=64)
    assert merge_duplicates([], []).kept == ()
