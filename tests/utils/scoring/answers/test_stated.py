"""Reading stated confidences: cases decided by hand, properties that must hold for any text, and linear time."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.scoring.answers import read_answer, read_answer_and_confidence

from .reading_time import seconds_to_read

DATA = yaml.safe_load(Path(__file__).with_name("stated_cases.yaml").read_text(encoding="utf-8"))
OPTIONS = {"A": "Pneumonia", "B": "Pleural effusion", "C": "Pneumothorax", "D": "No abnormality"}


def _cases():
    for style, cases in DATA["cases"].items():
        for number, case in enumerate(cases, start=1):
            yield pytest.param(case["reply"], case["letter"], case["confidence"], id=f"{style} {number}")


@pytest.mark.parametrize(("reply", "letter", "confidence"), list(_cases()))
def test_reads_as_a_careful_person(reply, letter, confidence):
    found = read_answer_and_confidence(reply, OPTIONS)
    assert found.letter == letter
    assert found.out_of_range is (confidence == "out")
    assert found.confidence == (None if confidence == "out" else pytest.approx(confidence, abs=1e-12))


def test_cases_are_well_formed_and_distinct():
    replies = [case["reply"] for cases in DATA["cases"].values() for case in cases]
    assert len(set(replies)) == len(replies) >= 120
    assert all(
        set(case) <= {"reply", "letter", "confidence", "why"} for cases in DATA["cases"].values() for case in cases
    )


FRAGMENTS = (
    *(
        "Answer: B",
        "B",
        "Confidence: ",
        "confidence",
        "sure",
        "I am ",
        "not ",
        "85",
        "0.9",
        "%",
        " percent",
        "/100",
        "150",
    ),
    *(
        "-",
        "–",
        " to ",
        "out of ",
        "10",
        "(",
        ")",
        "\n",
        ".",
        ",",
        ":",
        " ",
        "<think>",
        "</think>",
        "**",
        "ninety",
        "[x]",
    ),
)
replies = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))


@given(replies)
def test_never_raises_and_never_leaves_the_range(reply):
    found = read_answer_and_confidence(reply, OPTIONS)
    assert found.confidence is None or 0.0 <= found.confidence <= 1.0
    assert not (found.out_of_range and found.confidence is not None)
    assert found.letter is None or found.letter in OPTIONS


@given(replies)
def test_a_letter_that_the_plain_reader_finds_stays(reply):
    letter = read_answer(reply, OPTIONS)
    assert letter is None or read_answer_and_confidence(reply, OPTIONS).letter == letter


@given(st.integers(0, 100), st.sampled_from("ABCD"), st.sampled_from(["{}%", "{}", "{} %", "{} percent", "{}/100"]))
def test_every_percentage_in_the_form_that_is_asked_for(percent, letter, form):
    found = read_answer_and_confidence(f"Answer: {letter}\nConfidence: {form.format(percent)}", OPTIONS)
    assert found.letter == letter
    assert found.confidence == (None if percent == 1 and form == "{}" else percent / 100)


@given(st.integers(101, 999_999), st.sampled_from(["{}%", "-{}%", "{}/100"]))
def test_what_is_no_probability_is_out_of_range(number, form):
    found = read_answer_and_confidence(f"Answer: A\nConfidence: {form.format(number)}", OPTIONS)
    assert found.out_of_range


ADVERSARIAL = {
    "blanks": " ",
    "digits": "1",
    "dots": "1.",
    "slashes": "1/",
    "percents": "1%",
    "confidences": "confidence ",
    "confidence and prose": "confidence that the answer to all of this is what one thinks ",
    "ranges": "1-",
    "letters and numbers": "A 10%, ",
    "lines": "B 85%\n",
    "openings": "confidence: ((((<<<<",
    "words": "ninety-",
    "scales": "0 to 100 ",
    "sure": "90% sure ",
    "denied": "not 90% sure ",
}


@pytest.mark.parametrize("unit", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_time_is_linear_on_adversarial_text(unit):
    """Four times the text takes about four times as long; quadratic growth would take sixteen times."""

    def seconds(size: int) -> float:
        return seconds_to_read(lambda text: read_answer_and_confidence(text, OPTIONS), unit * (size // len(unit)))

    before = max(seconds(1 << 13), 2e-3)
    assert seconds(1 << 15) / before < 10
