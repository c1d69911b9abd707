"""What a run shows, in sentences: the words at the head of the page and of the terminal's output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.changes import MATCHED, matched_against
from ..analysis.operating import RunOperatingPoint
from ..analysis.panels import panels_of
from ..analysis.runs.run import Run
from ..analysis.tables import overall
from ..base.errors import one_line
from ..dataset.taxonomy import CLEAN
from .units import interval, percent, probability

FALLS = ("falls", "rises")
GROWS = ("grows", "shrinks")


@dataclass(frozen=True)
class RunStory:
    """One run in words, without markup.

    Attributes:
        model: the run's name.
        finding: how accuracy and overconfidence change from the clean to the last level.
        verdict: "supported", "contradicted", "not decided", or "" where there is none.
        verdict_words: the verdict as a sentence, with its reason.
        operating: what the threshold that keeps the error low on clean images lets through, or that there is none.
        small_print: what explains the figures of `finding`, for those who read them closely.
    """

    model: str
    finding: str
    verdict: str
    verdict_words: str
    operating: str
    small_print: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the sentences that there are, without the small print."""
        return [text for text in (self.finding, self.verdict_words, self.operating) if text]


def run_stories(analysis: Analysis) -> list[RunStory]:
    """Return the story of every run of a model, in the analysis's order; readers are told of by their panels.

    Args:
        analysis: of `frame_kinds.SCOPE` or more.
    """
    tables = {name: overall(analysis.tables[name]) for name in ("figures", "changes", "dunning_kruger")}
    readers = {run.name for runs in panels_of(analysis.collection.runs).values() for run in runs}
    return [_story(analysis, tables, run) for run in analysis.collection.runs if run.name not in readers]


def _story(analysis: Analysis, tables: dict[str, pd.DataFrame], run: Run) -> RunStory:
    figures = tables["figures"]
    of = figures[figures["run"] == run.name].set_index(["level", "figure"])
    levels = list(dict.fromkeys(of.index.get_level_values("level")))
    without_gap = analysis.item_tables[run.name].without_gap
    last = levels[-1]
    degraded = last != CLEAN
    comparison = f"{CLEAN}_to_{last}"
    changes = tables["changes"]
    own = changes[
        (changes["run"] == run.name) & (changes["comparison"] == comparison) & (changes["pairing"] == MATCHED)
    ]
    change = own.set_index("figure")
    small_print: tuple[str, ...] = ()
    if CLEAN in levels and degraded and "accuracy" in change.index:
        finding = f"From {CLEAN} to {last} {_moved(of, change, last, matched_against(run.records))}"
        finding += _gap(of, change, last, without_gap)
        small_print = tuple(_small_print(of, change, last, matched_against(run.records)))
    else:
        finding = _one_level(of, last, without_gap)
    effects = tables["dunning_kruger"]
    effect = effects[(effects["run"] == run.name) & (effects["comparison"] == comparison)]
    word, words = _verdict(effect.iloc[0] if len(effect) else None)
    operating = _operating(analysis.clinical[run.name].operating_point, last)
    return RunStory(run.name, one_line(finding), word, one_line(words), one_line(operating), small_print)


def _moved(of: pd.DataFrame, change: pd.DataFrame, last: str, against: str) -> str:
    before, after = (of.at[(level, "accuracy"), "estimate"] for level in (CLEAN, last))
    row = change.loc["accuracy"]
    verb = _verb(row, FALLS[::-1])
    if verb is None:
        return f"accuracy goes from {percent(before)}% to {percent(after)}%, {_undecided(row, against)}"
    return f"accuracy {verb} from {percent(before)}% to {percent(after)}% ({_points(row, against)})"


def _gap(of: pd.DataFrame, change: pd.DataFrame, last: str, without_gap: Any) -> str:
    reasons = [f"{level}: {without_gap[level]}" for level in (CLEAN, last) if level in without_gap]
    if reasons or "agreement_gap" not in change.index or math.isnan(change.at["agreement_gap", "estimate"]):
        return f"; overconfidence has no agreement gap here ({'; '.join(reasons) or 'too few votes'})."
    row = change.loc["agreement_gap"]
    before, after = (of.at[(level, "agreement_gap"), "estimate"] for level in (CLEAN, last))
    verb = _verb(row, GROWS)
    ends = interval(row["low"], row["high"], signed=True) or "too few questions differ for an interval"
    moved = f"from {percent(before)} to {percent(after)} points ({percent(row['estimate'], signed=True)} {ends})"
    if verb is None:
        return f"; overconfidence, as the agreement gap, goes {moved}{', within noise' if row['low'] <= 0 else ''}."
    return f"; overconfidence, as the agreement gap, {verb} {moved}."


def _small_print(of: pd.DataFrame, change: pd.DataFrame, last: str, against: str) -> Iterator[str]:
    """Yield the gap's intervals, and why the changes are not the differences of the levels' figures."""
    gaps = [of.loc[(level, "agreement_gap")] for level in (CLEAN, last) if (level, "agreement_gap") in of.index]
    gaps = [gap for gap in gaps if not math.isnan(gap["estimate"])]
    if len(gaps) == 2:
        before, after = (f"{percent(gap['estimate'], signed=True)} {_ends(gap)}".rstrip() for gap in gaps)
        yield f"Agreement gap: from {before} to {after} points."
    apart = []
    for name, word in (("accuracy", "accuracy"), ("agreement_gap", "the gap")):
        if name not in change.index or math.isnan(change.at[name, "estimate"]):
            continue
        plain = of.at[(last, name), "estimate"] - of.at[(CLEAN, name), "estimate"]
        shown, matched = (percent(value, signed=True) for value in (plain, change.at[name, "estimate"]))
        if shown != matched:
            apart.append(f"{matched} and not {shown} for {word}")
    if apart:
        yield (
            f"Why {', '.join(apart)}: each degraded item is set against {against}, which counts once for every such "
            "item; the plain difference is between levels that differ in their mix of items."
        )


def _ends(row: pd.Series) -> str:
    return interval(row["low"], row["high"], signed=True)


def _one_level(of: pd.DataFrame, level: str, without_gap: Any) -> str:
    row = of.loc[(level, "accuracy")]
    if math.isnan(row["estimate"]):
        return f"Nothing was answered at {level}."
    text = f"At {level} accuracy is {percent(row['estimate'])}% {interval(row['low'], row['high'])}".rstrip()
    if level in without_gap:
        return f"{text}; there is no agreement gap ({without_gap[level]})."
    gap = of.loc[(level, "agreement_gap")]
    ends = interval(gap["low"], gap["high"], signed=True)
    text += f"; overconfidence, as the agreement gap, is {percent(gap['estimate'], signed=True)} points {ends}".rstrip()
    return f"{text}. What needs {CLEAN} and a degraded level is not there."


def _undecided(row: pd.Series, against: str) -> str:
    if math.isnan(row["low"]):
        return f"a change that too few questions decide ({_points(row, against)})"
    return f"a change within noise ({_points(row, against)})"


def _verb(row: pd.Series, words: tuple[str, str]) -> str | None:
    """Return the first word where the interval lies above 0, the second where it lies below, else None."""
    if row["low"] > 0:
        return words[0]
    return words[1] if row["high"] < 0 else None


def _points(row: pd.Series, against: str) -> str:
    ends = interval(row["low"], row["high"], signed=True) or "without an interval"
    return f"{percent(row['estimate'], signed=True)} points {ends}, each degraded item against {against}"


def _verdict(effect: pd.Series | None) -> tuple[str, str]:
    if effect is None or not isinstance(effect["verdict"], str):
        reason = effect["verdict_reason"] if effect is not None else None
        because = f": {reason}" if isinstance(reason, str) else ""
        return "", f"Does overconfidence hold or grow as accuracy falls? No verdict{because}."
    reason = f" ({effect['verdict_reason']})" if isinstance(effect["verdict_reason"], str) else ""
    reason = reason.replace("(refuted: ", "(does not hold: ")  # else read as "it is refuted since it is overconfident"
    p = effect["p"]
    certain = f", p {'' if p < 0.0005 else '= '}{probability(p)}" if not math.isnan(p) else ""
    word = effect["verdict"]
    return word, f"Does overconfidence hold or grow as accuracy falls? {word.capitalize()}{reason}{certain}."


def _operating(found: RunOperatingPoint, last: str) -> str:
    if found.threshold is None or last not in found.levels:
        return found.text if found.text.endswith(".") else f"{found.text}."
    level = found.levels[last]
    shares = zip(level.values, level.low, level.high, strict=True)
    answered, wrong, silent = (f"{percent(value)}% {interval(low, high)}".rstrip() for value, low, high in shares)
    return (
        f"At the threshold that gives at most {found.risk:.0%} errors on clean images (top share {found.text}), "
        f"{wrong} of the answers at {last} are wrong; the model answers {answered} of the items, and {silent} of all "
        "items are answered and wrong."
    )
