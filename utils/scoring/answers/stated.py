"""Read how sure a model says that it is: a stated probability, beside the letter of the same reply.

What counts, in this order; the first that finds something decides. What nothing finds is missing (`None`), never
guessed.

1. The last number tied to a word of confidence: "Confidence: 85%", "I am 90% sure", "probability 0.85",
   `{"confidence": 85}`, "9/10 confidence", and the same words in other languages. "I am not 100% sure" states
   nothing. Where every option gets a number ("Confidence: A 10%, B 90%"), the one of the answered letter.
2. A number that is nothing but the answer's companion: "B (85%)", "B, 85%" at the end, or alone on its line.

A percentage elsewhere in prose ("40% of the lung is affected") is no confidence. Words without a number ("very
confident") are missing. The prompt asks for a percentage from 0 to 100, and a bare number is read as that: "85" is
0.85, "8" is 0.08. A bare number with a decimal point that is at most 1 is a share ("0.85"); a bare "1" could be either
and is missing. "85/100", "9/10" and "8 on a scale from 1 to 10" are shares of what they name. A range is its middle
("80-90%" is 0.85), a bound its number (">90%" is 0.9). What comes out below 0 or above 1 is out of range, not missing.

Every pattern's repeats are bounded, so that the time is linear in the length of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .reading import read_reply
from .reply_text import fold, without_markup, without_thinking
from .turns import own_turn


@dataclass(frozen=True)
class AnswerWithConfidence:
    """One verbalized reply.

    Attributes:
        letter: the option letter, or None (unread).
        confidence: what the model says, in [0, 1], or None: missing or out of range.
        out_of_range: whether a number is stated that is no probability.
        read_as: how the letter was read (`reading.TIERS`), or None: unread.
    """

    letter: str | None
    confidence: float | None
    out_of_range: bool = False
    read_as: str | None = None


def read_answer_and_confidence(reply: str, options: Mapping[str, str]) -> AnswerWithConfidence:
    """Return the letter and the stated confidence of one reply.

    Args:
        reply: the model's reply as generated.
        options: the option texts by their letter, a single capital "A" to "Z".

    Returns:
        The letter as `read_reply` reads it, where need be from the reply without the words that state the confidence
        ("B (85%)"). Never raises on any text.
    """
    shown = _COPIED_PLACEHOLDER.sub(r"\1", own_turn(without_thinking(fold(reply))).replace("\\%", "%"))
    plain = without_markup(shown).strip()
    letter, read_as = read_reply(reply, options)
    if letter is None and plain:
        letter, read_as = read_reply(_without_statement(plain), options)
    value = _stated(plain.lower(), letter)
    if value is None:
        return AnswerWithConfidence(letter, None, read_as=read_as)
    value = round(value, 9)  # 85.5% is 0.855, not 0.8550000000000001
    if not 0.0 <= value <= 1.0:
        return AnswerWithConfidence(letter, None, out_of_range=True, read_as=read_as)
    return AnswerWithConfidence(letter, value, read_as=read_as)


_COPIED_PLACEHOLDER = re.compile(r"<([A-Z])>")  # "<B>" would pass for bold type

# --- Quantities -------------------------------------------------------------------------------------------

_UNIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TEN_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_UNITS = {word: number for number, word in enumerate(_UNIT_WORDS)}
_TENS = {word: 10 * tens for tens, word in enumerate(_TEN_WORDS, start=2)}
_WORD = rf"(?:(?:one |a )?hundred|(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNIT_WORDS[1:10])}))?|{'|'.join(_UNITS)})"
_DIGITS = r"[-−+]?(?:\d{1,6}(?:[.,]\d{1,6})?|\.\d{1,6})"
_PERCENT = (
    r"(?: ?[%٪]| ?-?(?:percent|per cent|pct|percentage points?|prozent|por ciento|por cento|pour ?cent|процентов)\b)"
)
_OUT_OF = r"(?: ?/ ?| out of | of | von | sur | de )(?P<{0}>100|10|5|1)(?![\d.,/]*\d)"
_ONE = rf"(?:(?<![\w.,/])(?:{_DIGITS}))"
# The spelled-out number needs its unit: "one" alone is no confidence.
_QUANTITY = (
    rf"(?:(?P<low>{_ONE}){_PERCENT}? ?(?:-|–|—|~|to|bis|à|a|and|至|到) ?(?P<high>{_DIGITS})"
    rf"(?P<range_unit>{_PERCENT})?(?!\d)"
    rf"|(?P<even>(?<!\d)50 ?/ ?50(?!\d)|\bfifty[ -]fifty\b)"
    rf"|(?P<number>{_ONE})(?:{_OUT_OF.format('top')}|(?P<unit>{_PERCENT}))?\+?(?![\d/]|[.,]\d|\w)"
    rf"|\b(?P<word>{_WORD}){_PERCENT})"
)
_PERCENTAGE = re.compile(_QUANTITY)

# "on a scale from 0 to 100", "(0-100%)": names the scale, states nothing.
_SCALE = re.compile(
    r"[(\[]? ?(?:(?:on|using) )?(?:a |the )?(?:scale )?(?:of |from |between )?\b[01]%? ?(?:-|–|to|and) ?"
    r"(?P<top>100|10|5|1)\b ?%?(?: scale)? ?[)\]]?"
)
_NAMES_SCALE = re.compile(r"scale|[(\[]")


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "."))


def _bare(text: str, top: float | None) -> float | None:
    """The share that a number without a unit means; None where it may be two things."""
    value = _number(text)
    if top is not None:
        return value / top
    if abs(value) <= 1 and ("." in text or "," in text):
        return value
    return None if value == 1 else value / 100


def _value(found: re.Match[str], scale: float | None) -> float | None:
    if found["even"]:
        return 0.5
    if found["word"]:
        tens, _, unit = found["word"].replace("-", " ").partition(" ")
        if found["word"].endswith("hundred"):
            return 1.0
        return (_TENS.get(tens, _UNITS.get(tens, 0)) + _UNITS.get(unit, 0)) / 100
    if found["low"]:
        percent = found["range_unit"] or "%" in found[0]
        ends = [_number(found[end]) / 100 if percent else _bare(found[end], scale) for end in ("low", "high")]
        return None if None in ends else sum(ends) / 2  # type: ignore[arg-type]
    if found["top"]:
        return _number(found["number"]) / float(found["top"])
    if found["unit"]:
        return _number(found["number"]) / 100
    return _bare(found["number"], scale)


# --- Statements -------------------------------------------------------------------------------------------

_NOUN = (
    r"(?:confidence|confident|certainty|certain|sure|probability|likelihood|likely|chances?|conf\b|"
    r"konfidenz|sicherheit|sicher|wahrscheinlichkeit|confiance|certitude|probabilité|sûre?|confianza|seguridad|"
    r"segur[oa]|"
    r"probabilidad|confiança|certeza|probabilidade|fiducia|sicurezza|уверенность|уверен|вероятность|"
    r"置信度|信心|把握|确信度|概率|確信度|信頼度|確率|신뢰도|확신)"
)
_BEFORE = rf"{_NOUN}(?P<gap>[^\d\n.!?;%]{{0,60}}?[:=]?\s{{0,3}}[\"'(\[<~≈>≥≤=]{{0,4}} ?){_QUANTITY}"
_AFTER = rf"{_QUANTITY}[)\]\"']? ?-?(?:of |level of |in |的)?(?:level |degree of |overall |estimated )?{_NOUN}"


def _renamed(pattern: str, prefix: str) -> str:
    return re.sub(r"\(\?P<(\w+)>", rf"(?P<{prefix}\1>", pattern)


_STATEMENT = re.compile(f"(?P<is_after>{_renamed(_AFTER, 'a_')})|(?P<is_before>{_renamed(_BEFORE, 'b_')})")
_NAMES = ("low", "high", "range_unit", "even", "number", "top", "unit", "word")
_DENIED = re.compile(r"(?:\b(?:not|never|hardly|cannot|isn't|nicht|pas|não|не)\b|n't\b|不)[^,;:.\n]{0,20}$")
_DENIED_GAP = re.compile(r"\b(?:not|n't|never|isn't|cannot)\b")
_OF_A_LETTER = re.compile(rf"(?<!\w)[(\[]?(?P<letter>[a-z])[)\]]? ?[:=(–-]? ?{_QUANTITY}")

# "B (85%)", "B, 85%", "(b): 0.85" at the end of a line; or a line of its own.
_COMPANION = re.compile(
    rf"(?:(?:^|[\s(\[*:])[a-z][)\].]?[ ,;:|(\[/–-]{{1,4}}|^[ \t>*-]{{0,4}}){_QUANTITY}[ )\].!*]{{0,4}}$", re.MULTILINE
)


class _Found:
    """A quantity's groups under their plain names, whatever pattern they come from."""

    def __init__(self, found: re.Match[str], prefix: str) -> None:
        self.groups = {name: found[f"{prefix}{name}"] for name in _NAMES}
        self.groups[0] = found[0]  # type: ignore[index]

    def __getitem__(self, name: str | int) -> str | None:
        return self.groups[name]  # type: ignore[index]


def _stated(text: str, letter: str | None) -> float | None:
    scale = None
    for named in _SCALE.finditer(text):
        if _NAMES_SCALE.search(named[0]):
            scale = float(named["top"]) if named["top"] in ("5", "10") else scale
    text = _SCALE.sub(lambda named: " " if _NAMES_SCALE.search(named[0]) else named[0], text)
    value = None
    for found in _STATEMENT.finditer(text):
        prefix = "a_" if found["is_after"] else "b_"
        if _DENIED.search(text[max(0, found.start() - 40) : found.start()]):
            continue
        if prefix == "b_":
            if _DENIED_GAP.search(found["b_gap"]):
                continue
            line = text[found.start() : found.start() + 300].split("\n", 1)[0]
            by_letter = {one["letter"]: one for one in _OF_A_LETTER.finditer(line)}
            if len(by_letter) >= 2:
                own = by_letter.get((letter or "").lower())
                value = _value(own, scale) if own else None
                continue
        value = _value(_Found(found, prefix), scale)  # type: ignore[arg-type]
    if value is not None or _STATEMENT.search(text):
        return value
    companions = list(_COMPANION.finditer(text))
    return _value(companions[-1], scale) if companions else None


def _without_statement(text: str) -> str:
    """The reply without what states the confidence, so that the letter's reader sees "B" in "B (85%)"."""
    low = text.lower()
    cut = [(found.start(), found.end()) for found in _STATEMENT.finditer(low)]
    if not cut and (found := next(iter(reversed(list(_COMPANION.finditer(low)))), None)):
        quantity = _PERCENTAGE.search(low, found.start())
        cut = [quantity.span()] if quantity else []
    for start, end in reversed(cut):
        text = f"{text[:start].rstrip(' ([,;:-–|')}{text[end:].lstrip(' )].%')}"
    return text.strip(" \n,;:()[]|-")
