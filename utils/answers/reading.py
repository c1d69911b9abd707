"""Read the option letter out of a model's free-text reply to a multiple-choice question.

The rules, in order; the first that applies decides. What no rule reads is *unread* (`None`), never guessed. How a
reply was read (`Reading.read_as`) is one of four tiers, named in brackets.

0. Thinking blocks are removed. A block that never closes means that no answer was given: unread. The reply ends where
   the next turn or the next question begins (`turns`).
1. [letter] The whole reply is one letter, maybe wrapped: ``b``, ``(B)``, ``**B**``, ``$B$``, ``\\text{B}``,
   ``Option B``.
2. [option_text] The whole reply is the text of one option (case, blanks, outer punctuation and markup aside). Where
   the options are yes and no, a reply that begins with one of them: "Yes, there is a mass."
3. [declared] The last explicit declaration: "the answer is B", "Answer: B", ``\\boxed{B}``, ``<answer>B</answer>``,
   ``{"answer": "B"}``, "I choose B", "B is correct", "B fits best", and the same in other languages. It may name the
   option by its text ("Answer: pneumonia"). "The answer is not B" takes B back. Unread are two letters at once, a
   letter and a text that contradict each other ("A: <the text of B>"), a letter that is no option, and "the
   answer is unclear". What others are said to answer, and what a conditional or hedged aside answers after a letter
   that opened the reply ("B. If it were acute, the answer would be A."), is no declaration.
4. [letter] A leading label: ``B: <its own text>``, ``B. The image shows …``, "B because …"; or a letter alone on its
   line.
5. [letter] One unique parenthesised letter; "option B" as the only option mentioned by letter; a letter that is the
   last sentence.
6. What follows the list of options read back, by the rules above and below.
7. [option_named] Exactly one option named in a sentence, neither denied nor hedged (`named`).

A bare letter in prose is never an answer: "A chest X-ray shows …", "hepatitis C", "vitamin D". After "the
answer is", "a chest tube" and "B cell lymphoma" are no letters either, unless they are the text of an option.

Where options are themselves letters (the labels of a figure, as in MedXpertQA), a reply "C" is option C, and
never the option whose text is "C". Full-width, circled and mathematical letters are letters. Cyrillic and Greek
look-alikes are not: В is the third letter of a Russian list and B only in looks, so it stays unread.

The time is linear in the length of the reply. Every function is pure and safe to call from several threads.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from . import phrases
from .named import gives_up, named_option
from .reply_text import fold, without_markup, without_thinking
from .turns import own_turn

LETTER: Final = "letter"
DECLARED: Final = "declared"
OPTION_TEXT: Final = "option_text"
OPTION_NAMED: Final = "option_named"
TIERS = (LETTER, DECLARED, OPTION_TEXT, OPTION_NAMED)
"""How a reply can be read, `Reading.read_as`."""


class Reading(NamedTuple):
    """One reply as read.

    Attributes:
        letter: a letter of the options, or None: unread.
        read_as: one of `TIERS`; None where the letter is.
    """

    letter: str | None
    read_as: str | None


UNREADABLE = Reading(None, None)

MISSING_TRIAL_MARKERS = ("[LMMS_EVAL_REQUEST_FAILED", "[LMMS_EVAL_BUDGET_EXCEEDED")
"""How lmms-eval (0.7) begins the text that it stores in place of a reply that it never got."""


def is_missing_trial(reply: str) -> bool:
    """Whether `reply` is lmms-eval's marker of a failed or unpaid request: not unread, but no trial at all."""
    return reply.lstrip().startswith(MISSING_TRIAL_MARKERS)


def read_answer(reply: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of the option that `reply` gives, or None if the reply cannot be read.

    Args:
        reply: the model's reply as generated, of any length, with or without thinking and special tokens.
        options: the option texts by their letter, a single capital "A" to "Z"; gaps are allowed.

    Returns:
        A key of `options`, or None: unread, or a missing trial (`is_missing_trial` tells the two apart).
        Never raises on any text. The rules are those of the module's docstring.
    """
    return read_reply(reply, options).letter


def read_reply(reply: str, options: Mapping[str, str]) -> Reading:
    """Return the letter as `read_answer` does, and how it was read."""
    reply = reply.strip()
    if reply in options:
        return Reading(reply, LETTER)
    if len(reply) == 1 and reply.isascii() and reply.isalpha():
        return _as_letter(reply, options)
    if reply.startswith(MISSING_TRIAL_MARKERS):
        return UNREADABLE
    shown = own_turn(without_thinking(fold(reply)))
    plain = without_markup(shown).strip()
    # Before the markup is gone, too: <B> is a letter, not a tag.
    if whole := _WHOLE_REPLY.fullmatch(plain) or _WHOLE_REPLY.fullmatch(shown):
        return _as_letter(whole["letter"], options)
    return _Reader(plain, options).read() if plain else UNREADABLE


def _as_letter(letter: str, options: Mapping[str, str]) -> Reading:
    letter = letter.upper()
    return Reading(letter, LETTER) if letter in options else UNREADABLE


# --- The rules --------------------------------------------------------------------------------------------

# No sign after the letter that makes it something else: a grade "B+", a ratio "A/", an accent.
_AFTER_WHOLE = r"(?:[^\w+\-−/&=%°^@\u0300-\u036f]|_)*"
_WHOLE_REPLY = re.compile(
    r"[\W_]{0,20}(?:\d{1,3}[.):] )?"
    r"(?:(?:assistant|the|my|correct|final|best|probably|most likely|likely|maybe|perhaps|could be|might be|"
    r"definitely|choose|select|"
    r"pick|in summary|option|choice|answer|letter|opción|opcion|opção|letra|lettre|lettera|réponse|antwort|"
    r"вариант)[\W_]{1,4}|"
    r"(?:选项|選項|選択肢)[\W_]{0,4}){0,4}"
    rf"(?P<letter>[a-z])(?:选项|選項)?{_AFTER_WHOLE}",
    re.IGNORECASE,
)
_REPEATED_LETTER = re.compile(rf"[\W_]{{0,20}}(?P<letter>[a-z])(?:[\s.,;]+(?P=letter))+{_AFTER_WHOLE}", re.IGNORECASE)
_LABEL_LAST = re.compile(r"(?P<text>.*[^\s:,(–—=-])[\s:,(–—=-]{1,4}(?:option )?(?P<letter>[a-z])[).]{0,2}")
_WRAPPERS = " \n\"'«»“”()[]{}<>_|#>~.,;:!?"
_END_PUNCTUATION = " \n.,;:!?"

_LABEL_SEPARATOR = re.compile(r"(?:[.):\],=>/|(–—-]|[^\S\n]){1,6}")
_TEXT_END = re.compile(
    r"$|\n|[.!?;:](?!\w)|[\"')\]}<>|_]| ?[(\[]| [–—-] |,? (?:because|since|as|due|given|based|which)\b|です|"
    r"입니다|이다"
    r"| \(?[a-z][.):\]] "
)
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
_DOUBTED = re.compile(
    rf"{phrases.NEGATION.pattern}|\b(?:no|would|could|might|may|less|possible|absent|without|if)\b|[-:?]"
)
_UNDECIDED = re.compile(r"\b(?:unable|whether|if)\b")
_LEADING_LETTER = re.compile(
    rf"[\W_]{{0,6}}(?:(?:option|choice|answer|letter|opción|选项)[\W_]{{1,3}})?(?P<letter>[a-z]){phrases.LETTER_END}"
)
_REASON = re.compile(
    r"[)\] ,]{1,3}(?:because|since|as|due to|given|based on)\b|[)\]]?, ?(?:(?:with |my )?confiden|i (?:think|"
    r"believe|guess|suppose|would say)\b)"
)
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
_INITIALS = re.compile(r"\.[a-z]\.")
_GLOSSED = re.compile(r"[)\]]? \([^()\n]{1,200}\)[.!]?\s*(?:\n|\Z)")  # "D (cardiothoracic ratio > 0.5)"
_FIRST_LINE = re.compile(r"[^\w\n]{0,8}(?P<letter>[a-z])[^\w\n+\-−/&=%°^@]{0,8}\n")
_POSSIBLE = re.compile(
    r"[^.!?\n,]{0,30}\b(?:possible|plausible|might|could|may|unlikely|less|wrong|incorrect|(?:can't|"
    r"cannot) be)\b|[^.!\n]{0,60}\?"
)
_OPTION_BY_LETTER = re.compile(rf"\b(?:option|choice) [\"'(\[]?(?P<letter>[a-z]){phrases.LETTER_END}")
_LAST_SENTENCE = re.compile(r"(?<!\b[A-Za-z])(?<!vs)(?<!fig)[.!?)]\s+[\"'(]?(?P<letter>[A-Z])[\"')]?[.!?]?\Z")
_MARKED_TRUE = re.compile(r"[\"'](?P<letter>[a-z])[\"'] ?: ?(?P<value>true|false)\b")
_LABEL_AT_END = re.compile(r"\b(?P<letter>[a-z])[.):\]] ?$")
_TICKED = re.compile(r"^[^\w\n]{0,8}(?P<letter>[a-z])[.):\]][^\n✅✓✔☑❌✗✘]{0,200}(?P<tick>[✅✓✔☑])", re.MULTILINE)
_LINE_LABEL = re.compile(r"\n[^\w\n]{0,6}(?:(?:option|choice) )?(?P<letter>[a-z])[.):\]](?=\s)")
_NEXT_LABEL = re.compile(r"[\s.,;:|•-]{0,8}\(?(?P<letter>[a-z])[.):\]]")
_LONE_LINE = re.compile(r"^[^\w\n]{0,8}(?P<letter>[a-z])(?:[^\w\n+\-−/&=%°^@]|_){0,8}$", re.MULTILINE)
_PARENTHESISED = re.compile(r"\((?P<letter>[a-z])\)")


class _Claim(NamedTuple):
    letter: str | None  # None: several letters at once, a contradiction, or no option of the item
    denied: bool = False


class _Reader:
    """One reply beside one item's options. `low` is `text` in lower case, offset by offset."""

    def __init__(self, text: str, options: Mapping[str, str]) -> None:
        self.text = text
        self.low = text.lower()
        self.options = options
        self.texts, self.ends, self.acronyms = _option_texts(tuple(options.items()))

    def read(self) -> Reading:
        if letter := self.whole_text():
            return Reading(letter, OPTION_TEXT)
        if repeated := _REPEATED_LETTER.fullmatch(self.text):
            return _as_letter(repeated["letter"], self.options)
        leading = self.leading_label()
        if claim := self.last_declaration(leading or self.first_line()):
            return Reading(claim.letter, DECLARED) if claim.letter else UNREADABLE
        if letter := self.yes_or_no():
            return Reading(letter, OPTION_TEXT)
        if letter := leading or self.lone_line() or self.parenthesised() or self.only_one_mentioned():
            return Reading(letter, LETTER)
        if letter := self.marked():
            return Reading(letter, DECLARED)
        if rest := self.after_options_read_back():
            return _Reader(rest, self.options).read()
        letter = named_option(self.text, self.low, self.texts, self.acronyms)
        return Reading(letter, OPTION_NAMED) if letter else UNREADABLE

    def option(self, letter: str) -> str | None:
        letter = letter.upper()
        return letter if letter in self.options else None

    # Rule 2

    def whole_text(self) -> str | None:
        whole = " ".join(self.low.split())
        forms = {whole.rstrip(_END_PUNCTUATION), whole.strip(_WRAPPERS)}
        letters = [letter for letter, text in self.texts if text in forms]
        longest = len(self.texts[0][1]) if self.texts else 0
        if not letters and len(whole) <= longest + 20 and (last := _LABEL_LAST.fullmatch(whole)):  # "Pneumothorax - C"
            letter = self.option(last["letter"])
            return letter if dict(self.texts).get(letter or "") == last["text"] else None
        return letters[0] if len(letters) == 1 else None

    # Rule 3

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
        start = max(0, cue.start() - 150)
        before = re.split(r"[.!?\n]", self.low[start : cue.start()])[-1]
        after = re.split(r"[.!?\n]", self.low[cue.start() : cue.end() + 80], maxsplit=1)[0]
        return bool(_ASIDE.search(before + after))

    def clause_before(self, position: int) -> str:
        window = self.low[max(0, position - 80) : position]
        start = 0
        for end in phrases.CLAUSE_END.finditer(window):
            start = end.end()
        return window[start:]

    def withdrawn(self, position: int) -> _Claim | None:
        start = phrases.OPENING.match(self.low, position).end()  # type: ignore[union-attr]  (matches the empty string)
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

    # The texts of the options

    def text_at(self, position: int) -> tuple[str, int] | None:
        """The option whose whole text, perhaps after an article, stands at `position`, and the text's end."""
        starts = [position]
        if article := phrases.ARTICLE.match(self.low, position):
            starts.append(article.end())
        for start in starts:
            for letter, text in self.texts:
                end = start + len(text)
                if self.low.startswith(text, start) and self.ends_text(end):
                    same = [other for other, t in self.texts if t == text]
                    return (letter, end) if len(same) == 1 else None
        return None

    def ends_text(self, end: int) -> bool:
        if _TEXT_END.match(self.low, end):
            return True
        if not self.low.startswith(", ", end) or any("," in text for _, text in self.texts):
            return False
        # "Yes, there is a fracture", but not "edema, pneumonia"
        after = phrases.FILLING.match(self.low, end + 2).end()  # type: ignore[union-attr]
        return not any(
            self.low.startswith(text, s) for _, text in self.texts for s in (end + 2, after)
        ) and not re.match(r"(?:and|or)\b", self.low[end + 2 : end + 6])

    def label_text(self, letter: str | None, after: int) -> tuple[int | None, bool]:
        """(where the letter's own text ends if that follows it, whether another option's text follows)."""
        separator = _LABEL_SEPARATOR.match(self.low, after)
        if not separator:
            return None, False
        if letter:
            own = _normal_text(str(self.options[letter]))
            for start in (separator.end(), after + len(separator[0].rstrip("-+("))):
                if own and self.low.startswith(own, start) and _TEXT_END.match(self.low, start + len(own)):
                    return start + len(own), False
        found = self.text_at(separator.end())
        if found and found[0] == letter:
            return found[1], False
        return None, bool(found)

    def list_continues(self, letter: str | None, end: int) -> bool:
        """Whether the next thing after an option is the next option: the list read back, not an answer."""
        label = _NEXT_LABEL.match(self.low, end)
        other = self.option(label["letter"]) if label else None
        return bool(label and other and other != letter and self.label_text(other, label.end("letter"))[0])

    # Rules 4 and 5

    def leading_label(self) -> str | None:
        found = _LEADING_LETTER.match(self.low)
        letter = self.option(found["letter"]) if found else None
        if not found or not letter:
            return None
        at, after = found.span("letter")
        if any(self.option(label["letter"]) not in (None, letter) for label in _LINE_LABEL.finditer(self.low)):
            return None  # a list of options
        own_end, contradicts = self.label_text(letter, after)
        if own_end is not None:
            return None if self.list_continues(letter, own_end) else letter
        separator = _LABEL_SEPARATOR.match(self.low, after)
        if contradicts or not separator or phrases.SPECIES.match(self.low, after) or _INITIALS.match(self.low, after):
            return None
        if phrases.SECOND_LETTER.match(self.low, after) or phrases.DENIAL_AFTER.match(self.low, after):
            return None
        for other, text in self.texts:
            if self.low.startswith(text, separator.end()):  # "B. Pleural effusion is seen", "A. Pneumonia is unlikely"
                sentence = re.split(r"[.;!?\n]", self.low[separator.end() + len(text) :][:120], maxsplit=1)[0]
                return letter if other == letter and not _DOUBTED.search(sentence) else None
        if _REASON.match(self.low, after) or _GLOSSED.match(self.low, after):
            return letter if self.text[at].isupper() else None
        sign, following = separator[0].strip()[:1], self.text[separator.end() : separator.end() + 1]
        if sign == ")":
            return letter
        if not self.text[at].isupper() or phrases.TERM_CONTINUES.match(self.low, separator.end()):
            return None
        # "A:" may stand for "Answer:", and "I." for a Roman numeral.
        if (sign == ":" and letter not in "AI") or re.fullmatch(r" [–—-] ", separator[0]):
            return letter
        return letter if sign == "." and letter != "I" and not following.islower() else None

    def first_line(self) -> str | None:
        """The letter that is the whole first line."""
        found = _FIRST_LINE.match(self.low)
        return self.option(found["letter"]) if found else None

    def lone_line(self) -> str | None:
        letters = {line["letter"] for line in _LONE_LINE.finditer(self.low)}
        labels = {self.option(label["letter"]) for label in _LINE_LABEL.finditer(self.low)} - {None}
        return self.option(letters.pop()) if len(letters) == 1 and not labels else None

    def parenthesised(self) -> str | None:
        letters = set()
        for found in _PARENTHESISED.finditer(self.low):
            letter = self.option(found["letter"])
            if not letter or phrases.NOT_AN_ANSWER_BEFORE.search(self.low[max(0, found.start() - 20) : found.start()]):
                continue
            before = self.clause_before(found.start())
            if phrases.NEGATION.search(before) or _UNDECIDED.search(before):
                return None
            if phrases.DENIAL_AFTER.match(self.low, found.end()):
                return None
            word = re.search(r"(\w+) $", self.low[max(0, found.start() - 40) : found.start()])
            own = dict(self.texts).get(letter, "")
            if word and word[1].startswith(found["letter"]) and not own.endswith(word[1]):
                continue  # "the artery (A)": an abbreviation
            letters.add(letter)
        return letters.pop() if len(letters) == 1 else None

    def yes_or_no(self) -> str | None:
        """The option that begins the reply, where the options are yes and no."""
        answers = {text: letter for letter, text in self.texts}
        if set(answers) != {"yes", "no"} or len(self.options) != 2 or gives_up(self.low):
            return None
        if found := re.match(r"\W{0,8}(yes|no)\b(?=[^\w\n]{0,3}(?:[,.;:!\n–—-]|$))", self.low):
            return answers[found[1]]
        found = re.search(
            r"(?:[.!?]|, so|therefore|hence|thus|\bi (?:think|believe))[\s,:]{1,3}(yes|no)[.!]?\Z", self.low
        )
        return answers[found[1]] if found else None

    def only_one_mentioned(self) -> str | None:
        """The one letter mentioned as "option B", or that is the last sentence."""
        mentioned = list(_OPTION_BY_LETTER.finditer(self.low))
        for found in mentioned:
            before = self.clause_before(found.start())
            if phrases.NEGATION.search(before) or _UNDECIDED.search(before) or _DOUBTED.search(before):
                return None
            if phrases.DENIAL_AFTER.match(self.low, found.end()) or phrases.SECOND_LETTER.match(self.low, found.end()):
                return None
            if _POSSIBLE.match(self.low, found.end()):
                return None
        letters = {found["letter"] for found in mentioned}
        if not letters and (last := _LAST_SENTENCE.search(self.text, max(0, len(self.text) - 20))):
            # "Let me see. A" may be cut off before its noun.
            letters = {last["letter"].lower()} if last["letter"] not in "AI" or not self.text[-1].isalpha() else set()
        return self.option(letters.pop()) if len(letters) == 1 else None

    def marked(self) -> str | None:
        """The one option marked as right: ``{"A": false, "B": true}``, "B. Pleural effusion ✅"."""
        true = {found["letter"] for found in _MARKED_TRUE.finditer(self.low) if found["value"] == "true"}
        ticked = true or {found["letter"] for found in _TICKED.finditer(self.low)}
        return self.option(ticked.pop()) if len(ticked) == 1 else None

    def after_options_read_back(self) -> str:
        """What follows the whole list of options, where the reply repeats it."""
        end = 0
        for place, (letter, option) in enumerate(self.options.items()):
            text = _normal_text(str(option))
            start = self.low.find(text, end) if text else -1
            label = _LABEL_AT_END.search(self.low[max(0, start - 6) : max(0, start)])
            if not label or label["letter"] != letter.lower() or (place and start - end > 8):
                return ""
            end = start + len(text)
        rest = re.match(r"[.;]?[ ]?\n+(?P<rest>[^\n].*)", self.text[end:], re.DOTALL)
        return rest["rest"].strip() if rest else ""


class _OptionTexts(NamedTuple):
    longest_first: tuple[tuple[str, str], ...]  # letter and normal text of each option that has a text
    own_parts: Mapping[str, str]  # `_own_parts` of them
    acronyms: frozenset[str]  # letters of the options whose text is written in capitals


@functools.lru_cache(maxsize=4096)
def _option_texts(options: tuple[tuple[str, str], ...]) -> _OptionTexts:
    texts = {letter: _normal_text(str(option)) for letter, option in options}
    # A text that is itself one letter is a label in the figure; a letter in a reply is never read as that.
    texts = {letter: t for letter, t in texts.items() if t and not (len(t) == 1 and t.isalpha() and t.isascii())}
    return _OptionTexts(
        tuple(sorted(texts.items(), key=lambda item: -len(item[1]))),
        _own_parts(texts) if len(texts) == len(options) else {},
        frozenset(letter for letter, option in options if str(option).isupper()),
    )


def _own_parts(texts: Mapping[str, str]) -> dict[str, str]:
    """What tells options apart that begin with the same word: "III" of "Layer III"; {} where that may be a letter."""
    parts = {letter: text.partition(" ") for letter, text in texts.items()}
    own = {letter: rest for letter, (_, _, rest) in parts.items()}
    if len({first for first, _, _ in parts.values()}) > 1 or not all(own.values()) or len(set(own.values())) < len(own):
        return {}
    return {} if any(part.upper() in texts for part in own.values()) else own


@functools.lru_cache(maxsize=4096)
def _normal_text(option: str) -> str:
    return " ".join(without_markup(fold(option)).lower().split()).rstrip(_END_PUNCTUATION)
