"""Votes of any task: where K comes from, and confidence against the plainest sum."""

from __future__ import annotations

import math

import pytest

from medqdeg.utils.wrapping.votes import BY_LETTER, GIVEN, SEEN, YES_NO, count_votes, normalise, options_in_prompt

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


@pytest.mark.parametrize(("k", "rule", "masses"), [(None, SEEN, [3, 1]), (4, GIVEN, [3, 1, 0, 0]), (2, GIVEN, [3, 1])])
def test_short_answers(k: int | None, rule: str, masses: list[float]) -> None:
    votes = count_votes(["the heart", "Heart.", "HEART", "a lung"], "What organ?", "heart", k)
    assert votes.votes == ("heart", "heart", "heart", "lung")
    assert (votes.k, votes.k_rule) == (len(masses), rule)
    assert votes.confidence() == pytest.approx(entropy_confidence(masses))


def test_more_answers_than_given_count_as_seen() -> None:
    votes = count_votes(["one", "two", "three"], "How many?", "3", 2)
    assert (votes.k, votes.k_rule) == (3, SEEN)
    assert votes.confidence() == pytest.approx(0.0)


def test_extremes() -> None:
    assert count_votes(["x", "X", "x."], "?", "x").confidence() == 1.0
    assert count_votes(["", "..."], "?", "x").confidence() == 0.0
    assert count_votes([FAILED], "?", "x").confidence() is None
    assert count_votes([FAILED], "Q\nA. x\nB. y", "A").confidence() is None
