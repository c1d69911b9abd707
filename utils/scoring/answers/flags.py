r"""Read whether a reply says that the image does not allow an answer, beside a letter or instead of one.

*Beside* (`read_answer_and_flag`): the prompt asks for a line "Image: sufficient" or "Image: insufficient". What counts:

1. The word after a label that names the image: "Image: insufficient", "Image quality: not sufficient",
   `{"image": "insufficient"}`, or a yes or no after a label that is the word: "Sufficient: no".
2. The word as a line of its own, or in brackets behind the letter: "B (insufficient)".
3. A sentence that says it of the image: "The image is not sufficient to answer."

"Not insufficient" is sufficient. Nothing is said by a sentence that is conditional or hedged ("if the image is
insufficient", "may be insufficient"), by both words at once ("sufficient|insufficient", the template read back), or by
"insufficient evidence of a fracture", which is about the patient. Where one statement contradicts another, the reply
says neither. Refusals in other words or languages are no flag: they are unread, as they are where letters are read.

*Instead* (`read_answer_or_flag`): the letter N is one more option, and read by the rules of letters.

Every pattern's repeats are bounded, so that the time is linear in the length of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .reading import Reading, read_reply
from .reply_text import fold, without_markup, without_thinking
from .turns import own_turn

FLAG_LETTER = "N"
"""What a reply gives in place of an option's letter where the image does not allow an answer."""

_TEXT_OF_FLAG = "The image does not allow an answer"


@dataclass(frozen=True)
class AnswerWithFlag:
    """One reply.

    Attributes:
        letter: the option letter, or None: unread, or N in place of one.
        not_diagnostic: True where the reply says that the image does not allow an answer, False where it says that it
            does (by its words, or by a letter where N was on offer), None where it says neither.
        read_as: how the letter was read (`reading.TIERS`); None where there is none.
        instead: whether the flag stands in place of a letter.
    """

    letter: str | None
    not_diagnostic: bool | None
    read_as: str | None = None
    instead: bool = False


def read_answer_and_flag(reply: str, options: Mapping[str, str]) -> AnswerWithFlag:
    """Return the letter and the flag beside it.

    Args:
        reply: the model's reply as generated.
        options: the option texts by their letter, a single capital "A" to "Z".

    Returns:
        The letter as `read_reply` reads it, where need be from the reply without the words about the image. Never
        raises on any text.
    """
    plain = without_markup(own_turn(without_thinking(fold(reply)))).strip()
    low = plain.lower()
    found = list(_statements(low))
    letter, read_as = read_reply(reply, options)
    if letter is None and found:
        letter, read_as = read_reply(_without(plain, [place for place, _ in found]), options)
    said = {flag for _, flag in found}
    return AnswerWithFlag(letter, said.pop() if len(said) == 1 else None, read_as)


def read_answer_or_flag(reply: str, options: Mapping[str, str]) -> AnswerWithFlag:
    """Return the letter, or the flag in place of one.

    Args:
        reply: the model's reply as generated.
        options: as for `read_answer_and_flag`. Where N is an option itself, a reply cannot flag.

    Returns:
        N is the flag, another letter says that the image allows an answer, and what cannot be read says neither.
    """
    if FLAG_LETTER in options:
        letter, read_as = read_reply(reply, options)
        return AnswerWithFlag(letter, None, read_as)
    offered = {**options, FLAG_LETTER: _TEXT_OF_FLAG}
    letter, read_as = Reading(None, None) if _IS_NO_FLAG.fullmatch(reply.strip()) else read_reply(reply, offered)
    if letter == FLAG_LETTER:
        return AnswerWithFlag(None, True, instead=True)
    return AnswerWithFlag(letter, None if letter is None else False, read_as)


_IS_NO_FLAG = re.compile(r"(?:answer\W{0,3})?n\W{0,2}a\W?", re.IGNORECASE)  # "N/A": none applies, or no answer given

# --- Statements ---------------------------------------------------------------------------------------------

_Place = tuple[int, int]

_IMAGE = (
    r"(?:(?:medical |clinical |given |provided |presented |shown |x-?ray |ct |mri |ultrasound |endoscop\w{1,4} |"
    r"histolog\w{1,6} |dermoscop\w{1,4} )?"
    r"(?:images?|pictures?|scans?|photographs?|radiographs?|x-?rays?|slices?|views?)"
    r"(?:'s)?(?: quality| resolution)?|quality of (?:the|this) image|image data)"
)
_DENIAL = r"(?:not(?: (?:at all|quite|really|entirely|fully))?|never|n't|no longer|anything but|far from|hardly)"
_WORD = rf"(?P<denied>(?:{_DENIAL} )?)(?:diagnostically )?(?P<word>(?:in|un)?sufficient)\b"
_CLOSING = r"[\"')\]}>.,;:! ]{0,6}"

# "Image: insufficient", "image_quality = 'not sufficient'"
_LABELLED = re.compile(
    r"(?<![\w-])image(?:[ _](?:quality|status|sufficiency|assessment|evaluation|adequacy|rating))?"
    r"[\"' ]{0,3}(?:[:=]|->|–|—|-(?= ))[ \n\"'(\[{<]{0,4}(?:(?:is|was|the image is|quality is) )?" + _WORD
)
# "Sufficient: no", {"image_sufficient": false}
_YES_OR_NO = re.compile(
    r"(?<![\w-])(?:(?:is )?(?:the )?image[ _](?:is[ _])?)?(?P<word>(?:in|un)?sufficient)[\"' ]{0,3}[:=?]"
    r"[ \"'(\[]{0,4}(?P<value>yes|no|true|false)\b"
)
# a line of its own; "B (insufficient)", "B, insufficient."
_ALONE = re.compile(rf"(?:^|\n)[\W\d_]{{0,8}}{_WORD}{_CLOSING}(?=\n|$)")
_BEHIND_LETTER = re.compile(
    rf"(?:^|\n|answer(?: is)?[: ]{{1,3}}|\boption )[\"'(\[]{{0,2}}[a-z][\"')\].]{{0,2}} ?[,;:(\[/|–—-] ?"
    rf"{_WORD}{_CLOSING}(?=\n|$)"
)
_ADVERBS = r"(?:(?:also|clearly|simply|just|therefore|thus|definitely|certainly|unfortunately|very|far too|too) ){0,2}"
_ABOUT_IMAGE = re.compile(
    rf"\b{_IMAGE} (?:(?:itself|provided|given|shown|presented|here|alone) ){{0,2}}"
    rf"(?:is|was|are|were|remains?|isn't|wasn't|aren't) {_ADVERBS}{_WORD}"
    r"(?! (?:evidence|findings?|signs?)\b)"
)
_HAS = re.compile(
    rf"\b{_IMAGE} (?:has|have|is of|are of|shows|offers|provides|contains) (?P<denied>)(?P<word>(?:in|un)?sufficient) "
    r"(?:diagnostic )?(?:quality|resolution|detail|details|information|contrast and resolution|clarity|sharpness)\b"
)

_OTHER_WORD = re.compile(
    r"[\"')\]}> ]{0,3}(?:\||/|,? ?\bor\b|\bvs\.?|\boder\b|\bou\b)[\"'(\[{< ]{0,3}(?:not )?(?:in|un)?sufficient\b"
)
_HEDGE_BEFORE = re.compile(
    r"(?:\b(?:if|whether|unless|when|should|suppose|assuming|in case|would|had|were|may|might|could|possibly|perhaps|"
    r"maybe|wonder|say|reply|write|answer with|state|either)\b[^.;!?\n]{0,60})$"
)
_QUESTION_AFTER = re.compile(r"[^.!\n]{0,60}\?")


def _statements(low: str) -> Iterator[tuple[_Place, bool]]:
    """Yield where a reply, in lower case, speaks about the image, and whether it says that it does not suffice."""
    if "sufficient" not in low:
        return
    for found in _YES_OR_NO.finditer(low):
        positive = (found["word"] == "sufficient") == (found["value"] in ("yes", "true"))
        yield found.span(), not positive
    for pattern, may_be_hedged in (
        (_LABELLED, False),
        (_ALONE, False),
        (_BEHIND_LETTER, False),
        (_ABOUT_IMAGE, True),
        (_HAS, True),
    ):
        for found in pattern.finditer(low):
            end = found.end()
            if _OTHER_WORD.match(low, found.end("word")) or _offered_second(low, found.start("word")):
                continue
            if may_be_hedged and (
                _HEDGE_BEFORE.search(low, max(0, found.start() - 80), found.start("word"))
                or _QUESTION_AFTER.match(low, end)
            ):
                continue
            denied = bool(found["denied"]) or "n't " in found[0]
            yield (found.start() + (found[0][:1] == "\n"), end), (found["word"] == "sufficient") == denied


def _offered_second(low: str, start: int) -> bool:
    """Whether the word at a place is the second of two that are offered."""
    return bool(
        re.search(
            r"sufficient[\"')\]}> ]{0,3}(?:\||/|,? ?\bor)[\"'(\[{< ]{0,3}(?:not )?$", low[max(0, start - 40) : start]
        )
    )


def _without(plain: str, places: list[_Place]) -> str:
    """Return the text without some places; the letter before a bracket or a comma stays."""
    kept = list(plain)
    for start, end in places:
        behind = _LETTER_FIRST.match(plain[start:end])
        kept[start + (behind.end() if behind else 0) : end] = [" "] * (end - start - (behind.end() if behind else 0))
    return "".join(kept).rstrip(" ,;:(-–—/|[\n")


_LETTER_FIRST = re.compile(
    r"(?:\n|answer(?: is)?[: ]{1,3}|option )?[\"'(\[]{0,2}[A-Za-z](?![A-Za-z])[\"')\].]{0,2}", re.IGNORECASE
)
