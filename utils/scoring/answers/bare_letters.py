"""Rules 4 and 5 of `reading`: letters that stand without a word that declares them."""

from __future__ import annotations

import re

from . import phrases
from .reply import LABEL_SEPARATOR, ReplyToItem

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
_TICKED = re.compile(r"^[^\w\n]{0,8}(?P<letter>[a-z])[.):\]][^\n✅✓✔☑❌✗✘]{0,200}(?P<tick>[✅✓✔☑])", re.MULTILINE)
_LINE_LABEL = re.compile(r"\n[^\w\n]{0,6}(?:(?:option|choice) )?(?P<letter>[a-z])[.):\]](?=\s)")
_LONE_LINE = re.compile(r"^[^\w\n]{0,8}(?P<letter>[a-z])(?:[^\w\n+\-−/&=%°^@]|_){0,8}$", re.MULTILINE)
_PARENTHESISED = re.compile(r"\((?P<letter>[a-z])\)")


class BareLetters(ReplyToItem):
    """Where a reply gives a letter without declaring it."""

    def leading_label(self) -> str | None:
        """The letter that opens the reply as a label: "B) Pneumonia"; None where it opens a list of options."""
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
        separator = LABEL_SEPARATOR.match(self.low, after)
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
        """The letter that stands alone in its line, where no other line does and none is labelled with an option."""
        letters = {line["letter"] for line in _LONE_LINE.finditer(self.low)}
        labels = {self.option(label["letter"]) for label in _LINE_LABEL.finditer(self.low)} - {None}
        return self.option(letters.pop()) if len(letters) == 1 and not labels else None

    def parenthesised(self) -> str | None:
        """The one letter in parentheses, neither denied nor doubted; "the artery (A)" is an abbreviation."""
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
        """The one option marked as right: `{"A": false, "B": true}`, "B. Pleural effusion ✅"."""
        true = {found["letter"] for found in _MARKED_TRUE.finditer(self.low) if found["value"] == "true"}
        ticked = true or {found["letter"] for found in _TICKED.finditer(self.low)}
        return self.option(ticked.pop()) if len(ticked) == 1 else None
