"""Reading answer letters: cases decided by hand, properties that must hold for any text, and linear time."""

from __future__ import annotations

import json
import re
import string
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from medqdeg.utils.scoring.answers import TIERS, is_missing_trial, phrases, read_answer, read_reply

from .reading_time import seconds_to_read


def _data(name):
    return yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))


DATA = _data("cases.yaml")
OPTIONS = DATA["options"]
FURTHER = _data("further_cases.yaml")
HELD_OUT = _data("held_out_cases.yaml")


def _cases():
    for style, cases in DATA["cases"].items():
        for number, case in enumerate(cases, start=1):
            # A known limit must fail, else it is none any more and belongs to another style.
            marks = [pytest.mark.xfail(strict=True, reason=case["why"])] if style == "known limits" else []
            options = OPTIONS[case.get("options", "chest")]
            yield pytest.param(case["reply"], options, case["letter"], id=f"{style} {number}", marks=marks)


@pytest.mark.parametrize(("reply", "options", "letter"), list(_cases()))
def test_reads_as_a_careful_grader(reply, options, letter):
    assert read_answer(reply, options) == letter


@pytest.mark.parametrize("case", FURTHER["cases"], ids=lambda case: case["reply"][:30])
def test_reads_other_words_styles_and_languages(case):
    assert read_answer(case["reply"], FURTHER["options"][case["options"]]) == case["letter"]


def test_reads_nine_tenths_of_what_it_was_not_tuned_on_and_invents_nothing():
    read = [(read_answer(case["reply"], HELD_OUT["options"][case["options"]]), case) for case in HELD_OUT["cases"]]
    assert [case["reply"] for letter, case in read if letter and letter != case["letter"]] == []
    assert len(read) >= 150
    assert sum(letter == case["letter"] for letter, case in read) >= 0.9 * len(read)


def test_reads_the_replies_collected_beside_the_repository(repository):
    """180 replies in the styles of today's models, each with its letter written down beforehand."""
    path = repository.parent / "shared" / "replies.jsonl"
    if not path.is_file():
        pytest.skip(f"the collected replies are not at {path}")
    wrong = []
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        options = dict(zip(string.ascii_uppercase, case["options"], strict=False))
        if read_answer(case["reply"], options) != case["expected"]:
            wrong.append(case)
    assert wrong == []


@pytest.mark.parametrize(
    ("reply", "tier"),
    [
        ("B", "letter"),
        ("(b).", "letter"),
        ("B. The angle is blunted.", "letter"),
        ("The angle is blunted. (B)", "letter"),
        ("B<|im_end|>\n<|im_start|>user\nWhich side?", "letter"),
        ("The correct answer is B.", "declared"),
        ("The answer is pleural effusion.", "declared"),
        ("B fits best.", "declared"),
        ("Pleural effusion", "option_text"),
        ("The image shows a pleural effusion.", "option_named"),
        ("It is not pneumonia.", None),
    ],
)
def test_says_how_it_read(reply, tier):
    found = read_reply(reply, OPTIONS["chest"])
    assert found == (None if tier is None else "B", tier)


NEXT_TURNS = (
    "\n### Human: {}",
    "<|im_end|>\n<|im_start|>user\n{}",
    "<|im_start|>user\n{}",
    " [/INST] {}",
    "</s><s>[INST] {}",
    "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{}",
    "<end_of_turn>\n<start_of_turn>user\n{}",
    "\nUSER: {}",
    "\nASSISTANT: {}",
    "\n\nQuestion: {}",
    "\n\nQuestion 2: {}",
    "\nQ: {}",
    "\n用户：{}",
    "\n\n问题：{}",
)


@pytest.mark.parametrize("turn", NEXT_TURNS)
@pytest.mark.parametrize("reply", ["B", "Answer: B", "B. Pleural effusion", "The image shows a pleural effusion."])
@pytest.mark.parametrize("rest", ["Which side?\nAnswer: A", "The answer is C.", "D", "A. Left\nB. Right\n\\boxed{A}"])
def test_the_reply_ends_where_the_next_turn_begins(reply, turn, rest):
    assert read_answer(reply + turn.format(rest), OPTIONS["chest"]) == "B"


@pytest.mark.parametrize("turn", NEXT_TURNS)
def test_a_next_turn_gives_no_letter_to_a_reply_without_one(turn):
    assert read_answer("I cannot tell." + turn.format("Which side?\nAnswer: A"), OPTIONS["chest"]) is None


def test_cases_are_well_formed_and_distinct():
    seen = set()
    for style, cases in DATA["cases"].items():
        for case in cases:
            options = case.get("options", "chest")
            assert set(case) <= {"reply", "options", "letter", "why"}, (style, case)
            assert case["letter"] is None or case["letter"] in OPTIONS[options], (style, case)
            assert (case["reply"], options) not in seen, f"twice: {case}"
            seen.add((case["reply"], options))
    assert len(seen) >= 180


def test_failed_requests_are_missing_trials_and_refusals_are_not():
    assert is_missing_trial("[LMMS_EVAL_REQUEST_FAILED after 3 retries] timeout")
    assert is_missing_trial(" [LMMS_EVAL_BUDGET_EXCEEDED]")
    for reply in ("", "B", "I cannot tell.", "The log says [LMMS_EVAL_REQUEST_FAILED after 3 retries]."):
        assert not is_missing_trial(reply)


# --- Properties -------------------------------------------------------------------------------------------

FRAGMENTS = (
    *"ABCDEJabcdi()[]{}<>.,:;!?*`$_\\/|-+&'\"\n ",
    *(
        "the answer is ",
        "Answer: ",
        "answer",
        "\\boxed{",
        "\\text{",
        "<answer>",
        "</answer>",
        '{"answer": "',
        " or ",
    ),
    *(
        "<think>",
        "</think>",
        "not ",
        "isn't ",
        "Option ",
        "I choose ",
        " because ",
        " is wrong",
        " is correct",
        "if ",
    ),
    *(
        "pneumonia",
        "Pleural effusion",
        "difficile",
        "chest",
        "答案是",
        "选",
        "答えは",
        "正解",
        "الجواب هو ",
        "İ",
        "Ｂ",
    ),
    *(
        "В",
        "Ⓑ",
        "\u0301",
        "😀",
        "\x00",
        "\ud800",
        "None of the above",
        "cannot be determined",
        "therefore, ",
        "so ",
    ),
)
replies = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
option_sets = st.one_of(
    st.sampled_from(list(OPTIONS.values())),
    st.dictionaries(st.sampled_from(string.ascii_uppercase[:10]), st.text(max_size=12), min_size=1),
)
# Text that holds no thinking block, end of turn or marker of a failed request, so that what follows it
# counts.
prose = replies.filter(lambda text: not re.search(r"<|>|◁|\[|assistant|analysis", text))
letters_and_options = option_sets.flatmap(lambda o: st.tuples(st.sampled_from(sorted(o)), st.just(o)))

WRAPPERS = (
    *(
        "{}",
        " {}\n",
        "({})",
        "[{}]",
        "{}.",
        "{})",
        "{}:",
        "**{}**",
        "*{}*",
        "__{}__",
        "`{}`",
        '"{}"',
        "'{}'",
        "“{}”",
    ),
    *(
        "${}$",
        "\\boxed{{{}}}",
        "$\\boxed{{{}}}$",
        "\\text{{{}}}",
        "\\boxed{{\\text{{{}}}}}",
        "\\({}\\)",
        "({}).",
        "<{}>",
    ),
    *(
        "Option {}",
        "option ({})",
        "Answer: {}",
        "The answer is {}.",
        "<answer>{}</answer>",
        '{{"answer": "{}"}}',
    ),
)


@given(replies, option_sets)
def test_never_raises_and_never_gives_a_letter_that_the_item_lacks(reply, options):
    letter = read_answer(reply, options)
    assert letter is None or letter in options


@given(replies, option_sets)
def test_what_is_read_is_read_somehow_and_what_is_not_nohow(reply, options):
    found = read_reply(reply, options)
    assert found.letter == read_answer(reply, options)
    assert found.read_as in TIERS if found.letter else found.read_as is None


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_whole_reply_letter_is_always_itself(wrapper, options):
    for letter in string.ascii_uppercase[:12]:
        expected = letter if letter in options else None
        assert read_answer(wrapper.format(letter), options) == expected
        assert read_answer(wrapper.format(letter.lower()), options) == expected


@given(letters_and_options, st.sampled_from(WRAPPERS[:14]))
def test_a_whole_reply_letter_is_itself_whatever_the_option_texts_say(letter_and_options, wrapper):
    letter, options = letter_and_options
    assert read_answer(wrapper.format(letter), options) == letter


@given(prose, replies, option_sets)
def test_a_thinking_block_before_the_reply_changes_nothing(thought, reply, options):
    assert read_answer(f"<think>{thought}</think>{reply}", options) == read_answer(reply, options)


@given(prose, option_sets)
def test_thinking_that_never_ends_is_unread(thought, options):
    assert read_answer(f"<think>{thought}\nAnswer: {min(options)}", options) is None


@given(prose, st.sampled_from("ABCD"))
def test_a_declaration_at_the_end_counts(text, letter):
    assert read_answer(f"{text}\nAnswer: {letter}", OPTIONS["chest"]) == letter


WORDS = ("lung", "heart", "opacity", "the", "left", "with", "vessels", "X-ray", "CT", "shows", "image", "12")


@given(st.lists(st.sampled_from(WORDS)))
def test_prose_without_letters_is_unread(words):
    assert read_answer(" ".join(words), OPTIONS["chest"]) is None


def test_lower_case_keeps_the_offsets():
    """The rules search the lower-case text and look up the case in the text as written."""
    longer = [c for c in map(chr, range(0x110000)) if len(c.lower()) != 1]
    assert longer == ["İ"]
    assert read_answer("İİİ the answer is B because of the angle", OPTIONS["chest"]) == "B"


def test_threads_agree():
    cases = [p.values for p in _cases()]
    expected = [read_answer(reply, options) for reply, options, _ in cases]
    results = []
    workers = [
        threading.Thread(target=lambda: results.append([read_answer(r, o) for r, o, _ in cases])) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [expected] * 4


# --- Linear time ------------------------------------------------------------------------------------------

ADVERSARIAL = {
    "blanks": " ",
    "stops": "B" + "." * 40,
    "openers": "(" * 20,
    "one word": "answer",
    "cues": "the answer is ",
    "cue and blanks": "answer:" + " " * 60,
    "cue and gap": "answer to the ",
    "adverbs": "the answer is most likely not to be ",
    "letters": "A ",
    "letter lines": "A\n",
    "declarations": "The answer is B or C. ",
    "pronouns": "I would not go to also then ",
    "brackets": "(A)",
    "latex": "\\boxed{\\text{",
    "emphasis": "a*",
    "tags": "<think></think><answer>",
    "open tags": "<",
    "pipes": "<|a",
    "text of an option": "pleural effusion ",
    "verdicts": "B is the most likely correct best ",
    "Chinese": "答案是选",
    "combining marks": "\u0301\u0327",
    "quotes": '"answer',
    "turns": "\nUser: \nAssistant: ",
    "questions": "\nQuestion: what ",
    "askers": "\nUser: what ",
    "instructions": "\nReply with the letter",
    "named": "The image shows pneumonia and ",
    "denied": "no pneumonia ",
    "some options read back": "A. Pneumonia\nB. Pleural effusion\n",
    "all options read back": "A. Pneumonia\nB. Pleural effusion\nC. Pneumothorax\nD. No abnormality\n\n",
    "someone else": "some students think ",
}


def _seconds(unit: str, size: int, tries: int) -> float:
    text = ("" if unit.startswith("A. ") else "x") + unit * (size // len(unit)) + "x"
    return seconds_to_read(lambda reply: read_answer(reply, OPTIONS["chest"]), text, tries)


@pytest.mark.parametrize("unit", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_time_is_linear_on_adversarial_text(unit):
    """Four times the text takes about four times as long; quadratic growth would take sixteen times."""
    before = max(_seconds(unit, 1 << 15, 3), 2e-3)
    now = _seconds(unit, 1 << 17, 3)
    assert now / before < 10, f"{now:.3f} s; a quarter of the text: {before:.4f} s"


@pytest.mark.slow
@pytest.mark.parametrize("unit", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_a_megabyte_of_adversarial_text_is_read(unit):
    assert _seconds(unit, 1 << 20, 1) < 60


def test_every_language_row_is_searched():
    """A row that another swallows would silently do nothing."""
    for language, row in {**phrases.CUES_OF_LANGUAGE, **phrases.CUES_OF_SCRIPT}.items():
        assert any(re.search(row, case["reply"].lower()) for case in DATA["cases"]["other languages"]), language
