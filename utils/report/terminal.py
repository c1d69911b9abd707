"""The headline of an analysis in a terminal: one printer for `analyze`, `demo` and `report --terminal`.

The sentences are those of the page (`run_story`); shares are in per cent. Whatever comes from files
(names of models, reasons) is printed as text on one line, so that no escape sequence and no markup in it reaches the
terminal.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..analysis.analyse import Analysis
from ..analysis.changes import MATCHED, PLAIN, matched_against
from ..analysis.operating import RunOperatingPoint
from ..analysis.panels import panels_of
from ..analysis.standing import Standing
from ..analysis.statistics.bootstrap import SMALL
from ..analysis.tables import overall
from ..base.console import output_console
from ..base.errors import one_line
from ..dataset.taxonomy import CLEAN
from ..scoring.level_summary import UNREAD_LIMIT
from .category_lines import print_categories
from .panel_lines import print_panels
from .paper_tables import OURS
from .run_story import run_stories
from .units import interval, percent

_HEADLINE = {
    "accuracy": "accuracy %",
    "agreement_gap": "agreement gap (readable)",
    "confidence": "confidence %",
    "calibration_shift": "shift",
}
_POINTS = ("confidence",)  # without its interval, for want of room
_CHANGING = {
    "accuracy": "accuracy",
    "agreement_gap": "gap",
    "confidence": "confidence",
    "calibration_shift": "shift",
}
_TABLES = ("nodes", "figures", "changes", "dunning_kruger", "models")
_VERDICT_STYLE = {"supported": "bold red", "contradicted": "green"}
_SIGNED = ("agreement_gap", "calibration_shift")
_WIDEST = 14  # of their intervals


def print_headline(analysis: Analysis, console: Console | None = None) -> None:
    """Print what each run shows in sentences, then its levels, changes and operating point, then pairs and refusals.

    Args:
        analysis: with the figures of `report.content.SCOPE` or more.
        console: where to print; standard output if None.
    """
    console = console or output_console()
    tables = {name: overall(analysis.tables[name]) for name in _TABLES}
    readers = {run.name for runs in panels_of(analysis.collection.runs).values() for run in runs}
    stories = {story.model: story for story in run_stories(analysis)}
    for run in analysis.collection.runs:
        if run.name in readers:
            continue  # in the table of their panel
        own = tables["nodes"][tables["nodes"]["run"] == run.name]
        mixes = "; ".join(f"{name} = {_mix(own[column])}" for name, column in (("T", "trials"), ("K", "options")))
        known = own.dropna(subset=["guesser_shift"]).itertuples()
        guesser = [f"{row.level} {percent(row.guesser_shift, signed=True)}" for row in known]
        shifts = f"; a guesser's shift: {', '.join(guesser)}" if guesser else ""
        _say(console, run.name, "bold")
        story = stories[run.name]
        for line in story.lines():
            _say(console, line, _VERDICT_STYLE.get(story.verdict, "") if line == story.verdict_words else "")
        _say(console, f"{run.conditions['elicitation']}, {mixes}{shifts}")
        console.print(_levels(own, tables["figures"]))
        for level, reason in analysis.item_tables[run.name].without_gap.items():
            _say(console, f"no agreement gap at {level}: {reason}")
        if own["small"].any():
            _say(console, f"* fewer than {SMALL} source questions: do not rely on the intervals")
        if reason := _not_ranked(analysis.standing[run.name], len(analysis.standing)):
            _say(console, f"not ranked: {reason}", "yellow")
        against = matched_against(run.records)
        _print_changes(console, tables, run.name, against, f"{CLEAN}_to_{run.levels[-1]}")
        _print_operating_point(console, analysis.clinical[run.name].operating_point)
        print_categories(console, analysis.tables["changes"], run.name)
    print_panels(console, analysis.tables["panels"], analysis.collection.runs)
    for pair in analysis.pairs:
        if readers & {pair.first, pair.second}:
            continue
        if pair.refused:
            _say(console, f"{pair.first} and {pair.second} are not compared: {pair.refused}", "yellow")
        else:
            _print_pair(console, tables["models"], pair.first, pair.second)
            for note in pair.notes:
                _say(console, f"{pair.first} and {pair.second}: {note}", "yellow")


def print_published(frames: Mapping[str, pd.DataFrame], console: Console | None = None) -> None:
    """Print how many of the published models show the Dunning-Kruger effect, if the frames hold them.

    Args:
        frames: of `medqdeg.utils.report.content.report_frames`.
        console: where to print; standard output if None.
    """
    console = console or output_console()
    frame = frames["dunning_kruger"]
    for comparison, group in frame[frame["origin"] != OURS].groupby("comparison", sort=False):
        known = group[group["paper_rule"].notna()]
        falls = known.loc[known["shift_change"] < 0, "model"]
        line = (
            f"published, {comparison.replace('_', ' ')}: Dunning-Kruger effect by the rule in "
            f"{int(known['paper_rule'].sum())} of {len(known)} models (digitised from figure 5"
        )
        if len(group) > len(known):
            line += f"; {', '.join(group.loc[group['paper_rule'].isna(), 'model'])} cannot be read"
        line += ")"
        if len(falls):
            line += f"; the shift falls in {', '.join(falls)}"
        _say(console, line)


def _say(console: Console, line: str, style: str = "") -> None:
    console.print(Text(one_line(line), style), highlight=False)


def _levels(nodes: pd.DataFrame, figures: pd.DataFrame) -> Table:
    of = figures.set_index(["run", "level", "figure"])
    table = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), show_edge=False)  # fits 80 columns
    for name in ("level", "n", *_HEADLINE.values(), "unread %"):
        # On a narrow terminal heads wrap between words, not within.
        longest_word = max(max(map(len, name.split())), _WIDEST if name in map(_HEADLINE.get, _SIGNED) else 0)
        table.add_column(name, justify="left" if name == "level" else "right", min_width=longest_word)
    for node in nodes.itertuples():
        rows = {name: of.loc[node.run, node.level, name] for name in (*_HEADLINE, "readable_share")}
        cells = [
            _with_interval(rows[name], signed=name in _SIGNED, between="\n", ends=name not in _POINTS)
            for name in _HEADLINE
        ]
        if not math.isnan(rows["agreement_gap"].estimate):
            value, _, ends = cells[1].partition("\n")
            cells[1] = f"{value} ({percent(rows['readable_share'].estimate)}%)\n{ends}".rstrip()
        unread = of.loc[node.run, node.level, "unread_rate"].estimate
        much = "bold red" if unread >= UNREAD_LIMIT else ""
        unread_cell = Text(percent(unread), much)
        table.add_row(node.level, f"{node.n}{'*' if node.small else ''}", *cells, unread_cell)
    return table


def _not_ranked(standing: Standing, runs: int) -> str | None:
    return standing.not_ranked if runs > 1 else standing.unread


def _print_changes(console: Console, tables: Mapping[str, pd.DataFrame], run: str, against: str, told: str) -> None:
    """Print the changes from L0; the verdict on the comparison `told` stands above already."""
    changes, effects = tables["changes"], tables["dunning_kruger"]
    own = changes[changes["run"] == run].set_index(["comparison", "pairing", "figure"]).sort_index()
    pairings = {PLAIN: "plain (level against level)", MATCHED: f"matched (each degraded item against {against})"}
    for effect in effects[effects["run"] == run].itertuples():
        for pairing, spoken in pairings.items():
            keys = {name: (effect.comparison, pairing, name) for name in _CHANGING}
            if not all(key in own.index for key in keys.values()):
                continue
            parts = [f"{_CHANGING[name]} {_with_interval(own.loc[key], signed=True)}" for name, key in keys.items()]
            rule = effect.paper_rule if pairing == PLAIN else effect.rule_matched
            found = effect.verdict_paper_shift_plain if pairing == PLAIN else effect.verdict_paper_shift
            shift = found if isinstance(found, str) else "unknown"
            _say(
                console,
                f"{effect.comparison.replace('_', ' ')}, {spoken}: {', '.join(parts)}; the paper's rule: "
                f"{_YES_NO.get(rule, 'unknown')}, by the shift's intervals {shift}",
            )
        if effect.comparison == told:
            continue
        verdict = effect.verdict if isinstance(effect.verdict, str) else "none"
        line = Text(one_line(f"{effect.comparison.replace('_', ' ')}, does overconfidence hold or grow?"))
        line.append(" ").append(verdict, _VERDICT_STYLE.get(verdict, ""))
        because = f" ({one_line(effect.verdict_reason)})" if isinstance(effect.verdict_reason, str) else ""
        console.print(line.append(because), highlight=False)


def _print_operating_point(console: Console, found: RunOperatingPoint) -> None:
    """Print the clinical headline: what a threshold that keeps the risk on clean images answers, and what slips
    through."""
    if found.threshold is None:
        return  # told above
    keeps = f"at most {found.risk:.0%} wrong on clean images with {1 - found.alpha:.0%} confidence"
    _say(console, f"Answer alone where the top share is {found.text} ({keeps}):")
    for level, own in found.levels.items():
        parts = [
            f"{spoken} {percent(own.values[place])}% {interval(own.low[place], own.high[place])}".rstrip()
            for place, spoken in enumerate(("answered", "wrong among them", "answered and wrong of all"))
        ]
        _say(console, f"{level}: {', '.join(parts)}")


_YES_NO: Mapping[Any, str] = {True: "yes", False: "no"}


def _print_pair(console: Console, models: pd.DataFrame, first: str, second: str) -> None:
    chosen = models[(models["first"] == first) & (models["second"] == second)].set_index(["level", "figure"])
    for level in chosen.index.get_level_values("level").unique():
        names = {"accuracy": "accuracy", "agreement_gap": "gap", "calibration_shift": "shift"}
        parts = [
            f"{spoken} {_with_interval(chosen.loc[level, name], signed=True)}"
            for name, spoken in names.items()
            if (level, name) in chosen.index
        ]
        _say(console, f"{first} minus {second}, {level}: {', '.join(parts)}")


def _mix(column: Iterable[str]) -> str:
    return ", ".join(sorted({key for text in column for key in json.loads(text)}, key=int))


def _with_interval(row: Any, *, signed: bool, between: str = " ", ends: bool = True) -> str:
    if math.isnan(row.estimate):
        return "-"
    value = percent(row.estimate, signed=signed)
    if math.isnan(row.low) and ends and between == " " and isinstance(row.reason, str):
        return f"{value} ({row.reason})"
    found = interval(row.low, row.high, signed=signed) if ends else ""
    return f"{value}{between}{found}" if found else value
