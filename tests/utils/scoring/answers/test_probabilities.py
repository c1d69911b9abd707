"""Letters' probabilities on their way through lmms-eval's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.scoring.answers import LetterProbabilities, is_missing_trial, read_probabilities, write_probabilities
from medqdeg.utils.scoring.answers.probabilities import FAILED_MARKER, MARKER, is_failed_probabilities


@given(st.lists(st.floats(0, 0.2), min_size=2, max_size=5), st.floats(0, 1))
def test_the_same_numbers_come_back(masses, least):
    found = LetterProbabilities(dict(zip("ABCDE", masses, strict=False)), least)
    assert read_probabilities(f" {write_probabilities(found)}\n") == found
    assert sum(found.renormalised().values()) == pytest.approx(1.0)


@pytest.mark.parametrize("reply", ["B", "", "The answer is B", "[LMMS_EVAL_REQUEST_FAILED] timeout"])
def test_other_replies_are_none(reply):
    assert read_probabilities(reply) is None


@pytest.mark.parametrize(
    "content",
    ['{"masses": {"A": 1.5, "B": 0}, "least_mass": 0}', '{"masses": {"A": -0.1}, "least_mass": 0}', "{", "{}"],
)
def test_what_is_no_probability_is_refused(content):
    with pytest.raises((ValueError, KeyError)):
        read_probabilities(f"{MARKER} {content}")


def test_invalid_is_below_the_least_mass():
    assert LetterProbabilities({"A": 0.5, "B": 0.3}, 0.9).invalid
    assert not LetterProbabilities({"A": 0.6, "B": 0.35}, 0.9).invalid
    assert LetterProbabilities({"A": 0.0, "B": 0.0}, 0.0).invalid, "nothing on any letter can say nothing"
    assert LetterProbabilities({"A": 0.0, "B": 0.0}, 0.0).renormalised() == {"A": 0.5, "B": 0.5}


def test_a_failed_request_is_a_missing_trial():
    assert is_missing_trial(f"{FAILED_MARKER} timeout")
    assert is_failed_probabilities(f"{FAILED_MARKER} timeout")
    assert not is_failed_probabilities("[LMMS_EVAL_REQUEST_FAILED after 5 retries] timeout")
