"""A printed table in LaTeX, laid out so that no line is wider than the page.

LaTeX breaks no line of a table by itself. So widths are estimated here, heads and texts are broken, and a table whose
numbers still do not fit beside each other is set as several, each with the columns that say what a row is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..base.errors import one_line

if TYPE_CHECKING:
    from .printed_tables import PrintedTable

CHANGE = "change"
"""Head of a column of changes in tables 6, 2 and 3; the column before it says of what."""

_ESCAPES = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
    **{"−": "$-$", "±": r"$\pm$", "–": "--", "†": r"\textdagger{}", "…": r"\ldots{}", "[": "{[}", "]": "{]}"},
}
_NEGATIVE = re.compile(r"(?:(?<=^)|(?<=[\[ ]))-(?=\d)")  # the minus of a number, not the hyphen of a name
_NUMBER = re.compile(r"[-+−]?\d.*|[–<].*|")

_WIDTHS = {  # of a character of Computer Modern in em, the widest of each row
    **dict.fromkeys("il.,:;'![]", 0.28),
    **dict.fromkeys("fjtrsI()- ", 0.40),
    **dict.fromkeys("acegoz0123456789*/?–", 0.50),
    **dict.fromkeys("bdhknpquvxy", 0.56),
    **dict.fromkeys("wJELFPSTZ", 0.73),
    **dict.fromkeys("mMW%", 1.03),
    "…": 1.2,
}
_OTHER_CHARACTER = 0.8
_CHUNK = 16
"""Letters in a row after which a text without blanks may be broken, as long names of files are."""


@dataclass(frozen=True)
class _Setting:
    """How a table stands on a page of LaTeX's article class, whose text is 345 by 550 points; in em of its letters."""

    width: float
    between: float
    """Two columns."""


_UPRIGHT, _SIDEWAYS = _Setting(34, 1.2), _Setting(68.5, 0.5)
_MOST_UPRIGHT = 5  # columns
_WIDE = 9  # columns, beyond which changes make a table of their own


def latex(table: PrintedTable, label: str) -> str:
    """Return a table as a LaTeX fragment, with every text escaped; its first line says what it needs.

    A wide one lies on its side in small print; where it has changes beside its figures, they make a second table.
    """
    table = replace(table, rows=tuple(tuple(_NEGATIVE.sub("−", cell) for cell in row) for row in table.rows))
    tables = {label: table}
    if len(table.columns) > _WIDE and CHANGE in table.columns:
        tables = {label: _without_changes(table), f"{label}_change": _changes_of(table)}
    laid = {name: _laid_out(part, _UPRIGHT) for name, part in tables.items()}
    sideways = any(len(parts) > 1 or len(table.columns) > _MOST_UPRIGHT for parts in laid.values())
    if sideways:
        laid = {name: _laid_out(part, _SIDEWAYS) for name, part in tables.items()}
    body = "\n".join(
        _longtable(part, f"{name}_{number}" if number else name, widths)
        for name, parts in laid.items()
        for number, (part, widths) in enumerate(parts)
    )
    if sideways:
        body = f"\\begin{{landscape}}\\scriptsize\\setlength{{\\tabcolsep}}{{2pt}}\n{body}\n\\end{{landscape}}"
    needs = r"% \usepackage{array,booktabs,longtable,pdflscape,textcomp}; \usepackage[T1]{fontenc}; one column of text"
    return f"{needs}\n{body}\n"


def escape_latex(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    return "".join(_ESCAPES.get(character, character) for character in one_line(text))


def text_width(text: str) -> float:
    """Return about how many em a text takes in Computer Modern, rather too many than too few."""
    return sum(_WIDTHS.get(character, _OTHER_CHARACTER) for character in text)


def _without_changes(table: PrintedTable) -> PrintedTable:
    kept = [place for place, head in enumerate(table.columns) if head != CHANGE]
    return _columns_of(table, kept)


def _changes_of(table: PrintedTable) -> PrintedTable:
    changes = [place for place, head in enumerate(table.columns) if head == CHANGE]
    heads = (*table.columns[:2], *(table.columns[place - 1] for place in changes))
    return replace(_columns_of(table, [0, 1, *changes]), columns=heads, title=f"{table.title}: {CHANGE} from L0")


def _columns_of(table: PrintedTable, places: Sequence[int]) -> PrintedTable:
    rows = tuple(tuple(row[place] for place in places) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in places), rows=rows)


_Widths = list[float | None]
"""Em of each column; None for one that is as wide as its widest cell."""


def _laid_out(table: PrintedTable, setting: _Setting) -> list[tuple[PrintedTable, _Widths]]:
    """Return the tables that a table is set as, each with the widths of its columns."""
    cells = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    texts = [any(not _NUMBER.fullmatch(cell) for cell in column) for column in cells]
    heads = [_longest(_words(head)) for head in table.columns]
    natural = [max(_longest(column), head) for column, head in zip(cells, heads, strict=True)]
    least = [
        max(_longest(chunk for cell in column for chunk in _chunks(cell)), head) if text else whole
        for column, head, text, whole in zip(cells, heads, texts, natural, strict=True)
    ]
    parts = []
    for places in _parts(least, texts, setting):
        room = setting.width - setting.between * len(places)
        given = _shared([natural[place] for place in places], [least[place] for place in places], room)
        widths = [width if width < natural[place] else None for place, width in zip(places, given, strict=True)]
        parts.append((_columns_of(table, places), widths))
    if len(parts) == 1:
        return parts
    titles = [f"{table.title} ({number} of {len(parts)})" for number in range(1, len(parts) + 1)]
    return [
        (replace(part, title=title, note=table.note if number == 0 else ""), widths)
        for number, (title, (part, widths)) in enumerate(zip(titles, parts, strict=True))
    ]


def _parts(least: Sequence[float], texts: Sequence[bool], setting: _Setting) -> list[list[int]]:
    """Return the columns of each table: as many as fit, behind those that say what a row is."""
    taken = [width + setting.between for width in least]
    if sum(taken) <= setting.width:
        return [list(range(len(taken)))]
    keys = list(range(texts.index(False) if False in texts else 1))
    while len(keys) > 1 and sum(taken[place] for place in keys) > setting.width / 2:
        keys.pop()
    parts = [list(keys)]
    for place in range(len(keys), len(taken)):
        if sum(taken[other] for other in [*parts[-1], place]) > setting.width and len(parts[-1]) > len(keys):
            parts.append(list(keys))
        parts[-1].append(place)
    return parts


def _shared(natural: Sequence[float], least: Sequence[float], room: float) -> list[float]:
    """Return widths that fill a room: the widest columns are narrowed, to one width, but none below its least."""
    low, high = 0.0, max(natural)
    for _ in range(40):
        cap = (low + high) / 2
        fits = sum(max(few, min(whole, cap)) for whole, few in zip(natural, least, strict=True)) <= room
        low, high = (cap, high) if fits else (low, cap)
    cap = max(natural) if sum(natural) <= room else low
    return [max(few, min(whole, cap)) for whole, few in zip(natural, least, strict=True)]


def _longest(texts: Iterable[str]) -> float:
    return max(map(text_width, texts), default=0.0)


def _words(head: str) -> list[str]:
    """Return the pieces of a head between which it may be broken: its unit stays with the word before."""
    return re.findall(r"\S+(?: %)?", head)


def _chunks(text: str) -> list[str]:
    """Return the pieces of a text between which a line may end: at blanks, behind - / _, within very long words."""
    pieces = re.findall(r"[^\s/_-]*[/_-]|[^\s/_-]+", text)
    return [piece[start : start + _CHUNK] for piece in pieces for start in range(0, len(piece), _CHUNK)]


def _longtable(table: PrintedTable, label: str, widths: _Widths) -> str:
    kinds = "".join(
        "l" if width is None else rf">{{\raggedright\arraybackslash}}p{{{width:.1f}em}}" for width in widths
    )
    cells = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    heads = " & ".join(
        _head(head, _longest(column) if width is None else width)
        for head, column, width in zip(table.columns, cells, widths, strict=True)
    )
    caption = " ".join(filter(None, (f"{table.title}.", table.note)))
    lines = [
        rf"\begin{{longtable}}{{{kinds}}}",
        rf"\caption{{{escape_latex(caption)}}}\label{{tab:{label}}}\\",
        r"\toprule",
        rf"{heads} \\",
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        rf"{heads} \\",
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *(" & ".join(map(_cell, row, widths)) + r" \\" for row in table.rows),
        r"\end{longtable}",
    ]
    return "\n".join(lines)


def _cell(text: str, width: float | None) -> str:
    if width is None:
        return escape_latex(text)
    return " ".join(r"\allowbreak{}".join(map(escape_latex, _chunks(word))) for word in one_line(text).split())


def _head(head: str, width: float) -> str:
    """Return a head, broken so that its column need not be wider for it."""
    lines = [""]
    for word in _words(head):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    told = r"\\".join(map(escape_latex, lines))
    return told if len(lines) == 1 else rf"\shortstack[l]{{{told}}}"
