"""Plans and suites: balance, the paper's mix, the same bytes, answers that follow from scenes."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medqdeg.degradations import MODALITIES, list_degradations, reproduce
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset import composition, taxonomy
from medqdeg.utils.dataset.loading import load_level
from medqdeg.utils.dataset.location import LocalFolder
from medqdeg.utils.models.reference_model import lessons
from medqdeg.utils.phantoms import GENERATORS
from medqdeg.utils.phantoms.cache import make_suite
from medqdeg.utils.phantoms.planning import PlannedItem, plan_suite
from medqdeg.utils.phantoms.suite import draw_phantom

ITEMS = 21


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_suite(tmp_path_factory.mktemp("suite") / "phantoms", items=ITEMS, seed=3)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_skill_has_a_question_and_every_modality_a_generator() -> None:
    assert list(GENERATORS) == list(MODALITIES)
    questions = [question for generator in GENERATORS.values() for question in generator.questions]
    assert {question.skill for question in questions} == set(taxonomy.SKILLS)
    assert len({question.name for question in questions}) == len(questions)
    assert {question.k for question in questions} == {2, 3, 4, 5}
    for question in questions:
        assert len(set(question.answers)) == len(question.answers)
        assert set(question.spared) <= set(taxonomy.DEGRADATIONS)


def test_the_balanced_plan_is_balanced_and_so_is_its_beginning() -> None:
    plan = plan_suite(700, 0)
    assert Counter(item.modality for item in plan) == dict.fromkeys(MODALITIES, 100)
    first = plan[:84]
    assert Counter(item.modality for item in first) == dict.fromkeys(MODALITIES, 12)
    assert {item.question.name for item in first} == {
        question.name for generator in GENERATORS.values() for question in generator.questions
    }
    for k in (2, 3, 4, 5):
        letters = Counter(item.answer for item in plan if item.question.k == k)
        assert max(letters.values()) - min(letters.values()) <= 1
        assert sorted(letters) == list("ABCDE"[:k])
    check_degradations(plan)
    assert sum(len(item.degradations) for item in plan) == 1400


def check_degradations(plan: list[PlannedItem]) -> None:
    for item in plan:
        assert 1 <= len(item.degradations) <= 3
        assert len(set(item.degradations)) == len(item.degradations)
        assert set(item.degradations) <= set(list_degradations(item.modality)) - set(item.question.spared)


def test_the_papers_mix_is_table_4_and_table_5(paper: Path) -> None:
    with (paper / "table4_capabilities.csv").open(encoding="utf-8") as file:
        skills = {row["fine_grained_skill"]: int(row["count_l1_plus_l2"]) for row in csv.DictReader(file)}
    with (paper / "table5_degradations.csv").open(encoding="utf-8") as file:
        degradations = {row["degradation"]: int(row["count_l1_plus_l2"]) for row in csv.DictReader(file)}
    assert skills == composition.PAPER_SKILLS
    assert degradations == composition.PAPER_DEGRADATIONS


def test_the_full_plan_has_the_papers_counts() -> None:
    plan = plan_suite(composition.PAPER_CLEAN_ITEMS, 0, "paper")
    check_degradations(plan)
    counts = Counter(name for item in plan for name in item.degradations)
    assert {name: 2 * count for name, count in counts.items()} == composition.PAPER_DEGRADATIONS
    assert len(plan) + 2 * sum(counts.values()) == 24_894
    whole = sum(composition.PAPER_SKILLS.values())
    skills = Counter(item.question.skill for item in plan)
    for skill, count in composition.PAPER_SKILLS.items():
        assert abs(skills[skill] - count * len(plan) / whole) < 1


@pytest.mark.parametrize(("weights", "total"), [({"a": 1, "b": 1, "c": 1}, 10), ({"a": 5, "b": 0, "c": 2.5}, 7)])
def test_quotas_are_within_one_of_the_exact_shares(weights: dict[str, float], total: int) -> None:
    shares = composition.quotas(weights, total)
    assert sum(shares.values()) == total
    for key, weight in weights.items():
        assert abs(shares[key] - total * weight / sum(weights.values())) < 1


def test_degradations_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(0)
    for pairs in (1, 5):
        with pytest.raises(ValueError, match="do not fit"):
            composition.spread_degradations([["a", "b"], ["a"]], pairs, {"a": 1, "b": 1}, rng)


def test_a_model_that_does_not_see_cannot_beat_chance() -> None:
    """Guess, from a large plan of another seed, what was right most often for the same question and options."""
    seen: dict[tuple[str, frozenset[str]], Counter[str]] = defaultdict(Counter)
    letters: dict[str, Counter[str]] = defaultdict(Counter)
    for item in plan_suite(20_000, 1):
        seen[item.question.name, frozenset(item.options)][item.answer_text] += 1
        letters[item.question.name][item.answer] += 1
    plan = plan_suite(20_000, 2)
    for strategy in ("text", "letter"):
        hits, expected, variance = 0, 0.0, 0.0
        for item in plan:
            if strategy == "text":
                counts = seen[item.question.name, frozenset(item.options)]
                guess = max(item.options, key=lambda option, counts=counts: counts[option])
                hits += guess == item.answer_text
            else:
                hits += letters[item.question.name].most_common(1)[0][0] == item.answer
            chance = 1 / len(item.options)
            expected, variance = expected + chance, variance + chance * (1 - chance)
        assert abs(hits - expected) < 3.5 * math.sqrt(variance), strategy


def test_the_answer_follows_from_the_scene_in_the_file(suite: Path) -> None:
    questions = {question.name: question for generator in GENERATORS.values() for question in generator.questions}
    found = rows(suite / "MedQ-Robust-good-test.tsv") + rows(suite / "MedQ-Robust-simulate-test.tsv")
    assert len(found) == ITEMS + 2 * 2 * ITEMS
    for row in found:
        question = questions[row["template"]]
        options = [row[letter] for letter in "ABCDE" if row.get(letter)]
        assert len(options) == question.k
        assert question.answer(json.loads(row["scene"])) == row[row["answer"]]
        assert question.skill == row["skill"]
        assert question.stem == row["question"]


def test_degraded_images_are_those_of_the_library(suite: Path) -> None:
    for row in rows(suite / "MedQ-Robust-simulate-test.tsv")[::9]:
        (path,) = suite.rglob(f"{row['source_index']}.png")
        clean = np.asarray(Image.open(path))
        again = reproduce(clean, json.loads(row["parameters"]))
        assert np.array_equal(again, np.asarray(Image.open(suite / row["image_path"])))


def test_the_loader_takes_it_as_it_is(suite: Path) -> None:
    clean = load_level("test", "L0", LocalFolder(suite))
    degraded = load_level("test", "L2", LocalFolder(suite))
    assert set(degraded["source_question_id"]) == set(clean["source_question_id"])
    assert set(degraded["source_question_rule"]) == {"column"}
    assert taxonomy.UNLABELLED not in clean["skill"]
    small = load_level("dev", "L1", LocalFolder(suite))
    assert len(small) == 2 * ITEMS


def test_the_number_of_processes_changes_no_byte(suite: Path, tmp_path: Path) -> None:
    other = make_suite(tmp_path / "again", items=ITEMS, seed=3, workers=2)
    names = sorted(path.relative_to(suite) for path in suite.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    for name in names:
        assert (suite / name).read_bytes() == (other / name).read_bytes(), name


def test_a_finished_suite_is_reused_and_an_altered_one_made_anew(tmp_path: Path) -> None:
    started: list[int] = []
    folder = tmp_path / "phantoms"
    for _ in range(2):
        make_suite(folder, items=2, on_start=started.append)
    assert started == [2]
    image = next(folder.rglob("*.png"))
    image.write_bytes(b"")
    make_suite(folder, items=2, on_start=started.append)
    assert started == [2, 2]
    assert image.stat().st_size > 0
    make_suite(folder, items=3, on_start=started.append)
    assert started == [2, 2, 3]


def test_foreign_files_are_never_deleted(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds files that no build wrote \(mine.txt"):
        make_suite(tmp_path, items=1)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_grey_suites_differ_in_the_images_alone(suite: Path, tmp_path: Path) -> None:
    grey = make_suite(tmp_path / "grey", items=ITEMS, seed=3, grey=True)
    for name in ("MedQ-Robust-good-test.tsv", "MedQ-Robust-simulate-test.tsv"):
        assert (grey / name).read_bytes() == (suite / name).read_bytes()
    for path in grey.rglob("*.png"):
        assert set(np.unique(np.asarray(Image.open(path)))) == {128}


def test_training_phantoms_are_other_phantoms() -> None:
    """The same numbers everywhere, and yet another image: the streams are apart."""
    item = plan_suite(1, 0)[0]
    generator = GENERATORS[item.modality]
    suite_image = draw_phantom(item, 0).image
    rng = np.random.default_rng([lessons._STREAM, 0, item.number])
    scene = generator.scene_with(item.question, item.answer_text, rng)
    assert not np.array_equal(generator.draw(scene, rng), suite_image)
