"""Votes of any task: where K comes from, and confidence against the plainest sum."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.wrapping.same_answer import ByTheTasksScoring, key_columns, merged, own_copy
from medqdeg.utils.wrapping.votes import (
    BY_LETTER,
    GIVEN,
    LOG_K,
    LOG_T,
    OPEN,
    YES_NO,
    Votes,
    count_votes,
    normalise,
    options_in_prompt,
    record_fields,
)

FAILED = "[LMMS_EVAL_REQUEST_FAILED] timeout"


@pytest.mark.parametrize(
    ("prompt", "options"),
    [
        ("What?\nA. a cyst\nB. a polyp\nAnswer with the letter.", {"A": "a cyst", "B": "a polyp"}),
        ("What?\n(A) a cyst\n(B) a polyp\n(C) none", {"A": "a cyst", "B": "a polyp", "C": "none"}),
        ("What?\nA) one\nB) two", {"A": "one", "B": "two"}),
        ("Example:\nA. x\nB. y\n\nNow:\nA. p\nB. q\nC. r", {"A": "p", "B": "q", "C": "r"}),
        ("A. only one", {}),
        ("Is there a cyst?\nAnswer with a single word.", {}),
        ("B. second\nC. third", {}),
        ("Vitamin A. It helps.", {}),
    ],
)
def test_options_are_read_from_the_prompt(prompt: str, options: dict[str, str]) -> None:
    assert options_in_prompt(prompt) == options


@pytest.mark.parametrize(
    ("text", "normal"),
    [(" The  Left Lung. ", "left lung"), ("12", "12"), ("“No”", "“no”"), ("...", ""), ("An apple!", "apple")],
)
def test_normal_form(text: str, normal: str) -> None:
    assert normalise(text) == normal


def entropy_confidence(masses: list[float]) -> float:
    total = sum(masses)
    entropy = sum(mass / total * math.log(total / mass) for mass in masses if mass)
    return 1 - entropy / math.log(len(masses))


def test_letters() -> None:
    votes = count_votes(["A", "(B)", "The answer is B", "who knows", FAILED], "Q\nA. x\nB. y\nC. z", "B")
    assert votes.votes == ("A", "B", "B", "unread", "missing")
    assert (votes.k, votes.k_rule) == (3, BY_LETTER)
    assert votes.confidence() == pytest.approx(entropy_confidence([1 + 1 / 3, 2 + 1 / 3, 1 / 3]))


def test_yes_or_no() -> None:
    votes = count_votes(["Yes", "no.", "Yes, there is no doubt", "perhaps", "YES"], "Is it?", "yes")
    assert votes.votes == ("yes", "no", "yes", "unread", "yes")
    assert (votes.k, votes.k_rule) == (2, YES_NO)
    assert votes.confidence() == pytest.approx(entropy_confidence([3.5, 1.5]))


@pytest.mark.parametrize(
    ("k", "rule", "scale", "masses"),
    [(None, OPEN, LOG_T, [3, 1, 0, 0]), (5, GIVEN, LOG_K, [3, 1, 0, 0, 0]), (2, GIVEN, LOG_K, [3, 1])],
)
def test_short_answers(k: int | None, rule: str, scale: str, masses: list[float]) -> None:
    votes = count_votes(["the heart", "Heart.", "HEART", "a lung"], "What organ?", "heart", k)
    assert votes.votes == ("heart", "heart", "heart", "lung")
    assert (votes.k, votes.k_rule, votes.scale, votes.right) == (len(masses), rule, scale, "heart")
    assert votes.confidence() == pytest.approx(entropy_confidence(masses))


def test_more_answers_than_given_leave_k_as_it_is() -> None:
    votes = count_votes(["one", "two", "three"], "How many?", "3", 2)
    assert (votes.k, votes.k_rule) == (2, GIVEN)
    assert votes.confidence() == 0.0


# --- Confidence and scatter -------------------------------------------------------------------------------


def _of_counts(counts: list[int], k: int | None, unread: int = 0) -> Votes:
    replies = [f"answer {place}" for place, count in enumerate(counts) for _ in range(count)] + [""] * unread
    return count_votes(replies, "What?", "answer 0", k)


def test_the_figures_that_rose_with_scatter_fall_now() -> None:
    found = [_of_counts(counts, None).confidence() for counts in ([8, 2], [8, 1, 1], [5, 5], [5, 3, 1, 1], [1] * 10)]
    expected = [entropy_confidence([*counts, *[0] * (10 - len(counts))]) for counts in ([8, 2], [8, 1, 1], [5, 5])]
    assert found[:3] == pytest.approx(expected)
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(0.0)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
    st.one_of(st.none(), st.integers(2, 12)),
    st.integers(0, 3),
    st.data(),
)
def test_confidence_never_rises_where_answers_scatter_more(
    counts: list[int], k: int | None, unread: int, data: st.DataObject
) -> None:
    """One vote moves from an answer to one that has at least two fewer, or to an answer that nobody gave before."""
    giver = data.draw(st.sampled_from(range(len(counts))))
    takers = [None, *(place for place, count in enumerate(counts) if count <= counts[giver] - 2)]
    taker = data.draw(st.sampled_from(takers))
    if taker is None and counts[giver] == 1:
        return  # the only vote of an answer for another that nobody gave: no more scatter
    scattered = list(counts)
    scattered[giver] -= 1
    if taker is None:
        scattered.append(1)
    else:
        scattered[taker] += 1
    before, after = _of_counts(counts, k, unread).confidence(), _of_counts(scattered, k, unread).confidence()
    assert before is not None
    assert after is not None
    assert after <= before + 1e-12


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 3))
def test_the_open_scale_is_the_same_for_every_item_of_a_run(counts: list[int], missing: int) -> None:
    replies = [f"answer {place}" for place, count in enumerate(counts) for _ in range(count)] + [FAILED] * missing
    assert count_votes(replies, "What?", "answer 0").k == len(replies)


# --- The same answer --------------------------------------------------------------------------------------


def test_all_that_score_fully_right_are_one_answer() -> None:
    replies = ["X-Ray", "x ray", "Xray.", "CT"]
    correct = {"X-Ray": 1.0, "x ray": 1.0, "Xray.": 1.0, "CT": 0.0}
    votes = count_votes(replies, "What modality?", "X-Ray", None, correct)
    assert votes.votes == ("x-ray", "x-ray", "x-ray", "ct")
    assert count_votes(replies, "What modality?", ["x ray", "radiograph"], None, correct).votes[:3] == ("x-ray",) * 3


def test_a_right_reply_that_is_not_read_votes_right() -> None:
    prompt = "Q\nA. a cyst\nB. a polyp"
    correct = {"B": 1.0, "polypous, I daresay": 1.0, "A": 0.0}
    votes = count_votes(list(correct), prompt, "B", None, correct)
    assert votes.votes == ("B", "B", "A")
    assert count_votes(list(correct), prompt, 1, None, correct).right == "B"
    assert count_votes(["A"], prompt, "a polyp", None, {"A": 0.0}).right == "B"


def test_replies_that_vote_right_and_score_0_are_counted() -> None:
    """gqa's scoring takes "yes" and nothing longer."""
    replies = ["yes", "Yes, it is", "no", FAILED]
    correct = {"yes": 1.0, "Yes, it is": 0.0, "no": 0.0}
    fields = record_fields(count_votes(replies, "Is it?", "yes", None, correct), correct, replies)
    assert fields["votes"] == ["yes", "yes", "no", "missing"]
    assert (fields["right_vote"], fields["right_votes_scored_0"]) == ("yes", 1)


def _like_slake(doc: Mapping[str, Any], reply: str) -> float:
    return float(re.sub(r"\W", "", doc["answer"].lower()) == re.sub(r"\W", "", reply.lower()))


def _first_word_of_key(doc: Mapping[str, Any], reply: str) -> float:
    """A lopsided scoring: the key within the reply."""
    return float(doc["answer"].lower() in reply.lower())


def test_wrong_replies_are_told_apart_by_the_tasks_scoring() -> None:
    doc = {"question": "What?", "answer": "CT"}
    replies = ["X-Ray", "x ray", "Xray.", "MRI"]
    labels = merged(replies, normalise, ByTheTasksScoring(doc, "CT", _like_slake))
    assert [labels[reply] for reply in replies] == ["x-ray", "x-ray", "x-ray", "mri"]
    assert [merged(replies, normalise, None)[reply] for reply in replies] == ["x-ray", "x ray", "xray", "mri"]
    assert doc == {"question": "What?", "answer": "CT"}


def test_both_directions_count_where_a_scoring_is_lopsided() -> None:
    scoring = ByTheTasksScoring({"answer": "CT"}, "CT", _first_word_of_key)
    labels = merged(["a lung", "a lung and a rib", "A lung"], normalise, scoring)
    assert labels == {"a lung": "lung", "a lung and a rib": "lung and a rib", "A lung": "lung"}


def test_a_scoring_that_cannot_tell_leaves_it_to_the_text() -> None:
    def broken(doc: Mapping[str, Any], reply: str) -> float:
        raise KeyError("gold")

    for scoring in (
        None,
        ByTheTasksScoring({"x": 1}, "CT", _like_slake),
        ByTheTasksScoring({"answer": ""}, "", broken),
    ):
        assert merged(["MRI", "mri.", "X"], normalise, scoring) == {"MRI": "mri", "mri.": "mri", "X": "x"}


@pytest.mark.parametrize(
    ("doc", "target", "columns"),
    [
        ({"question": "CT?", "answer": "CT", "image": object()}, "CT", ["answer"]),
        ({"label": 3, "question": "3 what?"}, "3", ["label"]),
        ({"answers": ["two", "2"], "id": 7}, ["two", "2"], ["answers"]),
        ({"answers": [{"answer": "two", "answer_id": 1}], "multiple_choice_answer": "two"}, "two", None),
        ({"options": ["a", "b"], "gold": True}, "c", []),
    ],
)
def test_the_columns_that_hold_the_key(doc: dict[str, Any], target: Any, columns: list[str] | None) -> None:
    assert key_columns(doc, target) == (list(doc) if columns is None else columns)


def test_a_copy_is_its_own_but_shares_images() -> None:
    image = object()
    doc = {"answers": [{"answer": "a"}], "images": [image]}
    copied = own_copy(doc)
    copied["answers"][0]["answer"] = "b"
    assert doc["answers"] == [{"answer": "a"}]
    assert copied["images"][0] is image


def test_extremes() -> None:
    assert count_votes(["x", "X", "x."], "?", "x").confidence() == 1.0
    assert count_votes(["", "..."], "?", "x").confidence() == 0.0
    assert count_votes([FAILED], "?", "x").confidence() is None
    assert count_votes([FAILED], "Q\nA. x\nB. y", "A").confidence() is None
