"""What a reply shows its reader: plain characters, no thinking, no special tokens, no markup."""

from __future__ import annotations

import re
import unicodedata


def _fold_table() -> dict[int, str | None]:
    """Letters and signs that mean an ASCII one. (NFKC of a text is quadratic in a run of combining marks.)"""
    table: dict[int, str | None] = {}
    for first, last in (
        (0xFF01, 0xFF5E),
        (0x2100, 0x214F),
        (0x249C, 0x24E9),
        (0x1D400, 0x1D6A3),
        (0x1F110, 0x1F149),
    ):
        for code in range(first, last + 1):
            plain = unicodedata.normalize("NFKC", chr(code))
            if plain != chr(code) and plain.isascii():
                table[code] = plain
    for first in (0x1F150, 0x1F170):  # white on black, circled and squared: no decomposition in Unicode
        table.update({first + i: chr(ord("A") + i) for i in range(26)})
    table.update(dict.fromkeys(map(ord, "‘’ʼ＇"), "'"))
    table.update(dict.fromkeys(map(ord, "“”"), '"'))
    table.update(dict.fromkeys(map(ord, "‐‑"), "-"))
    table[ord("。")] = ". "
    # Zero-width characters, direction marks, variation selectors.
    table.update(dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]))
    table.update(dict.fromkeys([0xFEFF, *range(0xFE00, 0xFE10)]))
    # The only character whose lower case is longer than itself; without it, offsets in text and
    # text.lower() agree.
    table[ord("İ")] = "ı"
    return table


_FOLD = _fold_table()
_BLANKS = re.compile(r"[^\S\n]{2,}|[^\S\n ]")


def fold(text: str) -> str:
    r"""Return the text with one sign for each kind of letter, quotation mark, dash and blank; line breaks are "\n"."""
    if not text.isascii():
        text = text.translate(_FOLD)
    return _BLANKS.sub(" ", text.replace("\r\n", "\n"))


_THINKING = re.compile(
    r"(?P<open><(?:seed:)?(?:think|thinking|thought|thoughts|reasoning|reason|analysis|reflection|"
    r"scratchpad)>"
    r"|◁think▷|\[think\]|<unused94>|<\|(?:begin_of_thought|start_thinking|think_start)\|>|<\|"
    r"channel>(?:thought|analysis))"
    r"|(?P<close></(?:seed:)?(?:think|thinking|thought|thoughts|reasoning|reason|analysis|reflection|"
    r"scratchpad)>"
    r"|◁/think▷|\[/think\]|<unused95>|<\|(?:end_of_thought|end_thinking|think_end)\|>|<channel\|>)",
    re.IGNORECASE,
)
_FINAL_CHANNEL = re.compile(r"<\|channel\|> ?final ?(?:<\|constrain\|>[^<]{0,20})?<\|message\|>|assistantfinal(?! ?:)")
_OTHER_CHANNEL = re.compile(r"<\|channel\|> ?(?:analysis|commentary)|\Aanalysis(?=[A-Z])")
_BOX = re.compile(r"<\|begin_of_box\|>|<\|begin_of_solution\|>", re.IGNORECASE)


def without_thinking(text: str) -> str:
    """Return what the user is shown; "" if the thinking never ends."""
    if not any(mark in text for mark in ("<", "◁", "[", "analysis")):
        return text
    final = None
    for final in _FINAL_CHANNEL.finditer(text):  # noqa: B007 (the last one)
        pass
    if final:
        text = text[final.end() :]
    elif _OTHER_CHANNEL.search(text):
        return ""
    shown: list[str] = []
    inside, start = False, 0
    for tag in _THINKING.finditer(text):
        if tag["open"]:
            if not inside:
                shown.append(text[start : tag.start()])
            inside = True
        else:
            if not inside:  # the chat template opened the block: all so far was thinking
                shown.clear()
            inside, start = False, tag.end()
    if inside:
        return ""
    shown.append(text[start:])
    return _BOX.sub("<answer>", " ".join(shown)).strip()


_LATEX = re.compile(
    r"\\(?:text(?:bf|it|rm|sf)?|math(?:bf|rm|sf|it|bb|cal)|bf|rm|displaystyle|left|right|quad|large|"
    r"huge)\b ?|\\[,;! ()\[\]]",
    re.IGNORECASE,
)
_LATEX_GROUP = re.compile(r"\\(?:text(?:bf|it|rm|sf)?|math(?:bf|rm|sf|it))\{([^{}]{0,200})\}")
_HTML = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?(?:b|strong|i|em|u|p|br|div|span|code|center|s|pad|bos|start_of_turn)(?: ?/)?>",
    re.IGNORECASE,
)
_EMPHASISED_LETTER = re.compile(r"(?<!\w)(\*{1,2}|`)([A-Za-z])\1(?=\w)")  # "**B**The angle is blunted"
_EMPHASIS_INSIDE = re.compile(r"(?<=\w)(?:\*{1,3}|`{1,3}|\$)(?=\w)")
_EMPHASIS = str.maketrans("", "", "*`$")


def without_markup(text: str) -> str:
    """Return the text without Markdown, LaTeX and HTML; an emphasised letter that runs into a word becomes a label."""
    if "\\" in text:
        text = _LATEX.sub("", _LATEX_GROUP.sub(r"\1", text))
    if "<" in text:
        text = _HTML.sub(" ", text)
    if "*" in text or "`" in text or "$" in text:
        text = _EMPHASISED_LETTER.sub(r"\2. ", text)
        text = _EMPHASIS_INSIDE.sub(" ", text).translate(_EMPHASIS)
    return text.replace("__", "") if "__" in text else text
