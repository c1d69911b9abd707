"""Rule 3 of `reading`: the last explicit declaration of an answer."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import phrases
from .reply import ReplyToItem

_SENTENCE_END = re.compile(
    rf"{phrases.CLOSERS}(?:$|\n|[.!?;](?!\w)|,? (?:because|since|as|given|due)\b|, (?:but|although|though|however)\b)"
    r"|\n"
)
_FULL_STOP = re.compile(r"\.")
_NEW_SENTENCE = re.compile(r"[.\n/|]")
_LETTER_IN_BRACKETS = re.compile(r" ?[(\[](?P<letter>[a-z])[)\]]")
_JUDGED_BEFORE = re.compile(
    r"(?:^|[\n.;:!?,]|\b(?:option|choice|answer|opción|opcion|opção|alternativa|letra|opzione|réponse|antwort|"
    r"letter|so|therefore|thus|hence|that|think|believe|say|but|and|conclude))"
    r"[\s\"'(\[_-]{0,4}$"
)
_ONE_OF_TWO = re.compile(r"\b[a-z][)\]]?,? (?:and|or|nor) (?:option )?[(\[]?$")  # "A and B is …"
_CONDITIONAL_SENTENCE = re.compile(r"\b(?:if|whether|unless)\b[^.!?\n]{0,80}$")
# A declaration that is one only of what might be: after a letter that opened the reply it is an aside.
_ASIDE = re.compile(
    r"\b(?:if|when|where|unless|would|could|might|may|were|had|some|many|others?|students?|trainees?|often|commonly|"
    r"also|only|distract\w*|trap|tempt\w*|although|though|while|mistak\w*|confus\w*)\b"
)
_SOMEONE_ELSE = re.compile(
    r"\b(?:students?|people|trainees?|residents?|readers?|some|many|others|colleagues?|novices?|beginners?)\b"
    r"[^.!?\n]{0,40}\b(?:think|thought|say|says|said|argue|believe|choose|pick|answer|claim|guess|conclude|assume)\b"
)
_TURKISH_IS = re.compile(r"'[dt][iıuü]r\b")


class _Claim(NamedTuple):
    letter: str | None  # None: several letters at once, a contradiction, or no option of the item
    denied: bool = False


class Declarations(ReplyToItem):
    """What a reply declares."""

    def last_declaration(self, first: str | None) -> _Claim | None:
        """The last claim that stands; a denial of the letter claimed before takes it back.

        Args:
            first: the letter that opens the reply, against which asides do not count.
        """
        last = None
        cues = list(phrases.CUE.finditer(self.low))
        if not self.low.isascii():
            cues = sorted([*cues, *phrases.CUE_OF_SCRIPT.finditer(self.low)], key=re.Match.start)
        for cue in cues:
            claim = self.claim_at(cue)
            if claim is None or (first and claim.letter != first and self.is_aside(cue)):
                continue
            if not claim.denied:
                last = claim
            elif last and claim.letter and claim.letter == last.letter:
                last = _Claim(None)
        return last

    def claim_at(self, cue: re.Match[str]) -> _Claim | None:
        """What a cue claims: "the answer is B", "B is wrong", "I take that back".

        Args:
            cue: a match of `phrases.CUE` or `phrases.CUE_OF_SCRIPT`.

        Returns:
            The claim; None where the cue claims nothing, as in a condition or in somebody else's words.
        """
        kind = cue.lastgroup
        if kind == "withdrawal":
            return _Claim(None)
        if kind == "tag":
            return self.slot(cue.end(), strict=False) or self.withdrawn(cue.end())
        before = self.clause_before(cue.start())
        if kind == "verdict":
            return self.judged(cue, before)
        if phrases.CONDITION_BEFORE.search(before) or _SOMEONE_ELSE.search(before):
            return None
        if kind == "word" and phrases.CLAUSE_END.match(cue[0]):  # "but", "so": a new clause starts here
            before = ""
        claim = self.slot(cue.end(), strict=kind != "open", same_sentence=kind == "word")
        if claim is None and kind == "strict" and cue[0].endswith(":"):  # "Diagnosis: pleural effusion"
            claim = self.text_slot(cue.end())
        if claim and phrases.NEGATION.search(before + cue[0]):
            return claim._replace(denied=True)
        return claim or (self.withdrawn(cue.end()) if kind == "open" else None)

    def is_aside(self, cue: re.Match[str]) -> bool:
        """Whether a cue stands in a sentence that speaks of something beside the answer."""
        start = max(0, cue.start() - 150)
        before = re.split(r"[.!?\n]", self.low[start : cue.start()])[-1]
        after = re.split(r"[.!?\n]", self.low[cue.start() : cue.end() + 80], maxsplit=1)[0]
        return bool(_ASIDE.search(before + after))

    def withdrawn(self, position: int) -> _Claim | None:
        """The claim of no letter where what follows a position takes back what was claimed; else None."""
        start = phrases.OPENING.match(self.low, position).end()  # type: ignore[union-attr]  # it matches the empty string
        return _Claim(None) if phrases.WITHDRAWN.match(self.low, start) else None

    def judged(self, cue: re.Match[str], before: str) -> _Claim | None:
        """ "B is correct", "B is wrong"."""
        window = self.low[max(0, cue.start() - 80) : cue.start()]
        if cue.re is phrases.CUE and (
            not _JUDGED_BEFORE.search(window) or _CONDITIONAL_SENTENCE.search(window) or _ONE_OF_TWO.search(window)
        ):
            return None
        return _Claim(self.option(cue["judged"]), bool(phrases.NEGATION.search(before + cue["verdict"])))

    def slot(self, position: int, *, strict: bool, same_sentence: bool = False) -> _Claim | None:
        """What is claimed right after a cue: an option's text or its letter."""
        low = self.low
        if not strict and (claim := self.text_slot(position)):
            return claim
        found_letter = phrases.SLOT.match(low, position)
        if not found_letter:
            return None
        at, after = found_letter.span("letter")
        if strict and (_NEW_SENTENCE if same_sentence else _FULL_STOP).search(low[position:at]):
            return None
        letter = self.option(low[at])
        denied = bool(phrases.NEGATION.search(found_letter["fillers"]) or phrases.DENIAL_AFTER.match(low, after))
        own_end, contradicts = self.label_text(letter, after)
        if own_end is None and not contradicts:
            second = phrases.SECOND_LETTER.match(low, after)
            if second and self.option(second["letter"]) not in (None, letter):
                return _Claim(None, denied)
            row = phrases.CAPITALS_IN_A_ROW.match(self.text, after)
            if row and self.text[at].isupper() and self.option(row[0][1]) not in (None, letter):
                return _Claim(None, denied)
            if not self.is_label(at, strict=strict):
                return None
        if contradicts or (own_end is not None and self.list_continues(letter, own_end)):
            return _Claim(None, denied)
        if phrases.CONDITION_AFTER.match(low, after):
            return None
        return _Claim(letter, denied)

    def text_slot(self, position: int) -> _Claim | None:
        """What is claimed right after a cue by an option's text."""
        low = self.low
        starts = (phrases.OPENING.match(low, position).end(), phrases.FILLING.match(low, position).end())  # type: ignore[union-attr]
        for start in dict.fromkeys(starts):
            if found := self.text_at(start):
                letter, end = found
                beside = _LETTER_IN_BRACKETS.match(low, end)
                if beside and self.option(beside["letter"]) not in (None, letter):
                    return _Claim(None)
                return _Claim(letter, bool(phrases.NEGATION.search(low[position:start])))
        for letter, part in self.ends.items():
            end = starts[0] + len(part)
            if low.startswith(part, starts[0]) and re.match(r"[.!]?\s*(?:\n|\Z)", low[end : end + 8]):
                return _Claim(letter)
        return None

    def is_label(self, at: int, *, strict: bool) -> bool:
        """Whether the letter at `at`, where an answer is expected, is one: no article, no part of a term."""
        char, rest = self.text[at], self.low[at + 1 : at + 60]
        if phrases.SPECIES.match(rest) or (re.match(r"['/+&=%°-]\w", rest) and not _TURKISH_IS.match(rest)):
            return False
        if re.match(r"\.\w", rest):  # "B.Pleural" but not "e.g." nor "I.V."
            return self.text[at + 2].isupper() and rest[2:3] != "."
        if at and self.low[at - 1] in "([{<\"'" and rest[:1] in tuple(")]}>\"'"):
            return True
        if strict:
            return bool(_SENTENCE_END.match(rest)) and char not in "ai"
        if re.match(r" [0-9a-z\u00aa-\u024f]", rest):
            if char in "AI" or char.islower():
                return bool(phrases.LABEL_CONTINUES.match(rest, 1))
            return not phrases.TERM_CONTINUES.match(rest, 1)
        return True
