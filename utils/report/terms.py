"""The words that a reader of the page meets first, in a line each, and what stands behind the levels."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..scoring.elicitation import VOTES

_LEVELS = {"L0": "clean images", "L1": "mildly degraded", "L2": "severely degraded"}


def items_sentence(headline: pd.DataFrame) -> str:
    """Return what the levels are and, where it is the same for all runs, how many items and source questions each has.

    Args:
        headline: rows of `level`, `n` and `clusters`.
    """
    told, questions = [], set()
    for level, word in _LEVELS.items():
        rows = headline[headline["level"] == level]
        if not len(rows):
            continue
        sizes = set(zip(rows["n"], rows["clusters"], strict=True))
        questions |= {clusters for _, clusters in sizes}
        told.append((f"{level}: {word}", sizes.pop() if len(sizes) == 1 else None))
    if not told:
        return ""
    if len(questions) == 1 and len(told) > 1:
        each = [f"{word} ({size[0]:,} items)" if size else word for word, size in told]
        return f"{', '.join(each)}, each on {questions.pop():,} source questions."
    each = [f"{word} ({size[0]:,} items on {size[1]:,} source questions)" if size else word for word, size in told]
    return f"{', '.join(each)}."


def terms(headline: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield (word, what it means) for the words of the page's first sentences and figures.

    Args:
        headline: rows of `elicitation`, `trials` and `options` ("2, 3, 4").
    """
    votes = set(headline["elicitation"]) == {VOTES}
    if votes:
        yield "Accuracy", "share of all votes that are right; unread ones count as wrong."
        yield "Confidence", "one minus the normalised entropy of an item’s votes; 1 when all agree; not a probability."
    else:
        yield "Accuracy", "share of the answers that are right; unread ones count as wrong."
        yield "Confidence", "as each run’s elicitation gives it (see “Where this is from”)."
    yield (
        "Agreement gap",
        "how often two readable votes on an item agree, minus how often one is right; above 0 where the model is "
        "overconfident, at any number of votes. The paper’s shift, confidence minus accuracy, is in the tables.",
    )
    trials, options = (_numbers(headline[name]) for name in ("trials", "options"))
    yield "T, K", f"votes on each item (here {trials}), and options of an item (here {options})."
    yield "Brackets", "95% intervals, by source question: items on one question are not independent."


def _numbers(column: pd.Series) -> str:
    found = {number.strip() for text in column for number in str(text).split(",")}
    return ", ".join(sorted(found, key=lambda number: (len(number), number)))
