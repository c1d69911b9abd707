"""A reply together with the options of its item: the questions that every rule of reading asks of the two."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

from . import phrases
from .reply_text import fold, without_markup

END_PUNCTUATION = " \n.,;:!?"
LABEL_SEPARATOR = re.compile(r"(?:[.):\],=>/|(–—-]|[^\S\n]){1,6}")
_TEXT_END = re.compile(
    r"$|\n|[.!?;:](?!\w)|[\"')\]}<>|_]| ?[(\[]| [–—-] |,? (?:because|since|as|due|given|based|which)\b|です|"
    r"입니다|이다"
    r"| \(?[a-z][.):\]] "
)
_NEXT_LABEL = re.compile(r"[\s.,;:|•-]{0,8}\(?(?P<letter>[a-z])[.):\]]")


class ReplyToItem:
    """One reply beside one item's options. `low` is `text` in lower case, offset by offset."""

    def __init__(self, text: str, options: Mapping[str, str]) -> None:
        self.text = text
        self.low = text.lower()
        self.options = options
        self.texts, self.ends, self.acronyms = _option_texts(tuple(options.items()))

    def option(self, letter: str) -> str | None:
        """The letter in upper case if the item has that option, else None."""
        letter = letter.upper()
        return letter if letter in self.options else None

    def clause_before(self, position: int) -> str:
        """What stands before a position in its clause, at most 80 characters, in lower case."""
        window = self.low[max(0, position - 80) : position]
        start = 0
        for end in phrases.CLAUSE_END.finditer(window):
            start = end.end()
        return window[start:]

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
        """Whether an option's text that stops at `end` is whole there, rather than the start of a longer one."""
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
        separator = LABEL_SEPARATOR.match(self.low, after)
        if not separator:
            return None, False
        if letter:
            own = normal_text(str(self.options[letter]))
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


class _OptionTexts(NamedTuple):
    longest_first: tuple[tuple[str, str], ...]  # letter and normal text of each option that has a text
    own_parts: Mapping[str, str]  # `_own_parts` of them
    acronyms: frozenset[str]  # letters of the options whose text is written in capitals


@functools.lru_cache(maxsize=4096)
def _option_texts(options: tuple[tuple[str, str], ...]) -> _OptionTexts:
    texts = {letter: normal_text(str(option)) for letter, option in options}
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
def normal_text(option: str) -> str:
    """An option's text as it is looked for in a reply: folded, in lower case, without markup and end stops."""
    return " ".join(without_markup(fold(option)).lower().split()).rstrip(END_PUNCTUATION)
