"""Reading whether the image suffices: cases decided by hand, properties that hold for any text, and linear time."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.scoring.answers import read_answer, read_answer_and_flag, read_answer_or_flag

from .reading_time import seconds_to_read

DATA = yaml.safe_load(Path(__file__).with_name("flag_cases.yaml").read_text(encoding="utf-8"))
OPTIONS = {"A": "Pneumonia", "B": "Pleural effusion", "C": "Pneumothorax", "D": "No abnormality"}
READERS = {"beside": read_answer_and_flag, "instead": read_answer_or_flag}


def _cases():
    for way, kinds in DATA.items():
        for kind, cases in kinds.items():
            for number, case in enumerate(cases, start=1):
                yield pytest.param(way, case["reply"], case["letter"], case["flag"], id=f"{way}: {kind} {number}")


@pytest.mark.parametrize(("way", "reply", "letter", "flag"), list(_cases()))
def test_reads_as_a_careful_person(way, reply, letter, flag):
    found = READERS[way](reply, OPTIONS)
    assert (found.letter, found.not_diagnostic) == (letter, flag)
    assert found.instead is (way == "instead" and flag is True)


def test_cases_are_well_formed_and_distinct():
    cases = [(way, case) for way, kinds in DATA.items() for cases in kinds.values() for case in cases]
    assert len({(way, case["reply"]) for way, case in cases}) == len(cases) >= 110
    assert all(set(case) <= {"reply", "letter", "flag", "why"} for _, case in cases)


def test_where_n_is_an_option_it_flags_nothing():
    options = {letter: f"structure {letter}" for letter in "ABCDEFGHIJKLMN"}
    for reply in ("N", "Answer: N"):
        found = read_answer_or_flag(reply, options)
        assert (found.letter, found.not_diagnostic, found.instead) == ("N", None, False)


FRAGMENTS = (
    *(
        "Answer: B",
        "B",
        "N",
        "Image: ",
        "image",
        "the image is ",
        "sufficient",
        "insufficient",
        "not ",
        "n't ",
        "no longer ",
    ),
    *(
        "|",
        "/",
        " or ",
        "(",
        ")",
        "[",
        "]",
        "\n",
        ".",
        ",",
        ":",
        "?",
        " ",
        "yes",
        "false",
        '"',
        "if ",
        "may be ",
        "</think>",
    ),
)
replies = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))


@given(replies)
def test_never_raises_and_a_letter_that_the_plain_reader_finds_stays(reply):
    found = read_answer_and_flag(reply, OPTIONS)
    assert found.letter is None or found.letter in OPTIONS
    letter = read_answer(reply, OPTIONS)
    assert letter is None or found.letter == letter


@given(replies)
def test_in_place_of_a_letter_there_is_none(reply):
    found = read_answer_or_flag(reply, OPTIONS)
    assert found.letter is None or (found.letter in OPTIONS and found.not_diagnostic is False)
    assert found.instead is (found.not_diagnostic is True)


@given(st.sampled_from("ABCD"), st.booleans(), st.booleans(), st.sampled_from(["\n", "\n\n", ". ", "; ", ", "]))
def test_every_reply_in_the_form_that_is_asked_for(letter, flag, flag_first, between):
    parts = [f"Answer: {letter}", f"Image: {'insufficient' if flag else 'sufficient'}"]
    found = read_answer_and_flag(between.join(reversed(parts) if flag_first else parts), OPTIONS)
    assert (found.letter, found.not_diagnostic) == (letter, flag)


ADVERSARIAL = {
    "blanks": " ",
    "words": "sufficient ",
    "other words": "insufficient|",
    "labels": "image: ",
    "labels and words": "image: sufficient ",
    "images": "the image is ",
    "images and hedges": "if the image is sufficient, ",
    "denials": "not not sufficient ",
    "lines": "B\ninsufficient\n",
    "openings": "image: ((((<<<<",
    "questions": "sufficient? ",
}


@pytest.mark.parametrize("unit", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_time_is_linear_on_adversarial_text(unit):
    """Four times the text takes about four times as long; quadratic growth would take sixteen times."""

    def seconds(size: int) -> float:
        return seconds_to_read(lambda text: read_answer_and_flag(text, OPTIONS), unit * (size // len(unit)))

    before = max(seconds(1 << 13), 2e-3)
    assert seconds(1 << 15) / before < 10
