"""Read the option letter out of a model's free-text reply to a multiple-choice question.

The rules, in order; the first that applies decides. What no rule reads is *unread* (`None`), never guessed. How a
reply was read (`Reading.read_as`) is one of four tiers, named in brackets.

0. Thinking blocks are removed. A block that never closes means that no answer was given: unread. The reply ends where
   the next turn or the next question begins (`turns`).
1. [letter] The whole reply is one letter, maybe wrapped: `b`, `(B)`, `**B**`, `$B$`, `\\text{B}`,
   `Option B`.
2. [option_text] The whole reply is the text of one option (case, blanks, outer punctuation and markup aside). Where
   the options are yes and no, a reply that begins with one of them: "Yes, there is a mass."
3. [declared] The last explicit declaration: "the answer is B", "Answer: B", `\\boxed{B}`, `<answer>B</answer>`,
   `{"answer": "B"}`, "I choose B", "B is correct", "B fits best", and the same in other languages. It may name the
   option by its text ("Answer: pneumonia"). "The answer is not B" takes B back. Unread are two letters at once, a
   letter and a text that contradict each other ("A: <the text of B>"), a letter that is no option, and "the
   answer is unclear". What others are said to answer, and what a conditional or hedged aside answers after a letter
   that opened the reply ("B. If it were acute, the answer would be A."), is no declaration.
4. [letter] A leading label: `B: <its own text>`, `B. The image shows …`, "B because …"; or a letter alone on its
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

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .bare_letters import BareLetters
from .declarations import Declarations
from .named import gives_up, named_option
from .reply import END_PUNCTUATION, normal_text
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


# --- The rules in order -----------------------------------------------------------------------------------

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
_LABEL_AT_END = re.compile(r"\b(?P<letter>[a-z])[.):\]] ?$")


class _Reader(Declarations, BareLetters):
    """One reply, read by the rules."""

    def read(self, *, may_repeat_options: bool = True) -> Reading:
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
        if may_repeat_options and (rest := self.after_options_read_back()):
            return _Reader(rest, self.options).read(may_repeat_options=False)
        letter = named_option(self.text, self.low, self.texts, self.acronyms)
        return Reading(letter, OPTION_NAMED) if letter else UNREADABLE

    def whole_text(self) -> str | None:
        whole = " ".join(self.low.split())
        forms = {whole.rstrip(END_PUNCTUATION), whole.strip(_WRAPPERS)}
        letters = [letter for letter, text in self.texts if text in forms]
        longest = len(self.texts[0][1]) if self.texts else 0
        if not letters and len(whole) <= longest + 20 and (last := _LABEL_LAST.fullmatch(whole)):  # "Pneumothorax - C"
            letter = self.option(last["letter"])
            return letter if dict(self.texts).get(letter or "") == last["text"] else None
        return letters[0] if len(letters) == 1 else None

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

    def after_options_read_back(self) -> str:
        """What follows the whole list of options, where the reply repeats it."""
        end = 0
        for place, (letter, option) in enumerate(self.options.items()):
            text = normal_text(str(option))
            start = self.low.find(text, end) if text else -1
            label = _LABEL_AT_END.search(self.low[max(0, start - 6) : max(0, start)])
            if not label or label["letter"] != letter.lower() or (place and start - end > 8):
                return ""
            end = start + len(text)
        rest = re.match(r"[.;]?[ ]?\n+(?P<rest>[^\n].*)", self.text[end:], re.DOTALL)
        return rest["rest"].strip() if rest else ""
