"""A subset asked for by the environment: the same questions at every level, one degradation each, with weights."""

from __future__ import annotations

import datasets
import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.dataset.subset import VARIABLE, chosen_questions, questions_of, requested_share, take_subset

SKILLS = ("Counting", "Disease Diagnosis", "Clinical Correlation")
NAMES = ("gaussian_noise", "motion_blur", "exposure")


def _level(level: str, questions: int = 120) -> datasets.Dataset:
    rows = []
    for place in range(questions):
        names = (None,) if level == "L0" else NAMES[: 1 + place % 3]
        rows += [
            {
                "item_id": f"{level}-{place}-{name}",
                "source_question_id": f"index:{place}",
                "degradation": name,
                "skill": SKILLS[place % len(SKILLS)],
            }
            for name in names
        ]
    return datasets.Dataset.from_list(rows)


@pytest.mark.parametrize(("text", "share"), [("0.167", 0.167), ("5%", 0.05), ("", None), ("1", None), (" 50% ", 0.5)])
def test_share(text: str, share: float | None) -> None:
    assert requested_share(text) == (pytest.approx(share) if share else None)


@pytest.mark.parametrize("text", ["0", "-0.1", "1.5", "200%", "half", "nan"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=VARIABLE):
        requested_share(text)


def test_share_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert requested_share() is None
    monkeypatch.setenv(VARIABLE, "0.25")
    assert requested_share() == 0.25


def test_levels_hold_the_same_questions_in_one_degradation_each() -> None:
    found = {level: take_subset(_level(level), level, 0.2, _level) for level in ("L0", "L1", "L2")}
    questions = [set(items["source_question_id"][:]) for items in found.values()]
    assert questions[0] == questions[1] == questions[2]
    assert len(found["L1"]) == len(found["L0"]) == len(questions[0])
    assert found["L1"]["degradation"][:] == found["L2"]["degradation"][:]
    whole = {question.question_id: len(question.degradations) for question in questions_of(_level("L2"))}
    for level, items in found.items():
        for question, weight in zip(items["source_question_id"][:], items["weight"][:], strict=True):
            assert weight == (1 if level == "L0" else whole[question])


def test_a_share_beyond_one_degradation_per_question_is_refused() -> None:
    with pytest.raises(InputError, match="share between 0 and"):
        chosen_questions(_level("L2"), 0.99)
