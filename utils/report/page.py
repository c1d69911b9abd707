"""The report as one HTML file that needs nothing else, and beside it the item browser.

All data is in the files themselves: JSON that a script reads as text and puts into the page as text. Model names,
questions, options and replies are untrusted; Jinja escapes them, scripts never make markup of them, and a
Content-Security-Policy lets only the page's own scripts run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.metrics import FIGURES
from ..analysis.published.results import GROUPS
from ..analysis.standing import ranked_with
from ..analysis.statistics.bootstrap import SMALL
from ..analysis.tables import overall
from ..base.atomic_files import write_atomically
from ..dataset.taxonomy import CAPABILITY_TREE, LEVELS
from .content import CORE, FRAMES, NODE_FIGURES
from .paper_tables import OURS, paper_layout
from .printed_tables import REASONS, caption

PAGE = "report.html"
ITEMS_PAGE = "items.html"

_DECIMALS = 4
_TABLES = (
    *("headline", "table_6", "table_2", "table_3", "figure_5", "verdicts", "operating_points"),
    *("dunning_kruger", "paired", "refused_pairs"),
    *("dunning_kruger_between", "other_results"),
)


@dataclass(frozen=True)
class PageTable:
    """A table of the page.

    Attributes:
        name: of its CSV file, without the ending.
        title: shown above it.
        note: what the reader must know to read it.
        frame: cells; columns X_low and X_high are shown within X, as an interval.
    """

    name: str
    title: str
    note: str
    frame: pd.DataFrame


def write_page(
    analysis: Analysis, frames: Mapping[str, pd.DataFrame], folder: Path, *, item_browser: bool = False
) -> Path:
    """Write the report's page.

    Args:
        analysis: of one or several runs.
        frames: of `medqdeg.utils.report.content.report_frames`; those missing or empty are left out.
        folder: that exists.
        item_browser: link to `items.html` in the same folder.

    Returns:
        The path of the page. The same analysis gives the same bytes.

    Raises:
        OSError: the folder does not exist or may not be written.
    """
    collection = analysis.collection
    data = {
        "levels": LEVELS,
        "figures": {name: FIGURES[name].meaning for name in NODE_FIGURES},
        "tree": CAPABILITY_TREE,
        "small_below": SMALL,
        "runs": [run.name for run in collection.runs],
        "nodes": _nodes(analysis),
        "changes": _changes(analysis),
        **{name: _curve(analysis.tables[name]) for name in ("reliability", "risk_coverage")},
        **_ranking(analysis, frames),
        "published": _published(frames.get("table_6"), frames.get("figure_5")),
        "items_page": ITEMS_PAGE if item_browser else None,
    }
    notes = frames["notes"].itertuples()
    warnings = [f"{row.model}: {row.note}" if row.model else row.note for row in notes]
    html = render(
        "report.html.jinja",
        scripts=("vendor/d3.min.js", "vendor/plot.min.js", "templates/tables.js", "templates/report.js"),
        data=data,
        runs=collection.runs,
        tables=page_tables(frames),
        warnings=warnings,
        replicates=analysis.replicates,
        seed=analysis.seed,
        small=SMALL,
        items_page=ITEMS_PAGE if item_browser else None,
        has_published=bool(data["published"]),
        other_items=caption(frames, "figure_5"),
    )
    path = folder / PAGE
    write_atomically(path, html.encode())
    return path


def _ranking(analysis: Analysis, frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return `not_ranked` (run -> why it has no rank) and `same_items` (whether the published models are ranked)."""
    frame = frames.get("figure_5")
    published = frame is not None and bool((frame["origin"] != OURS).any())
    not_ranked, same_items = ranked_with(analysis.standing, published=published)
    return {"not_ranked": not_ranked, "same_items": same_items}


def page_tables(frames: Mapping[str, pd.DataFrame]) -> list[PageTable]:
    """Return the frames that the page shows as tables, the headline first."""
    found = []
    for name in _TABLES:
        frame = frames.get(name)
        if frame is None or frame.empty:
            continue
        if name in ("table_2", "table_3", "table_6"):
            frame = paper_layout(frame)
            frame = frame.drop(columns=[column for column in frame.columns if column.endswith("_n")])
            groups = frame["group"].map(GROUPS)
            origin = frame["origin"].where(groups.isna(), frame["origin"] + ": " + groups)
            frame = frame.assign(origin=origin).drop(columns=["group"]).dropna(axis="columns", how="all")
        if name == "headline":
            frame = frame.drop(columns=["guesser_confidence"]).rename(columns={"trials": "T", "options": "K"})
            hidden = [name for name in REASONS if name == REASONS[1] or frame[name].isna().all()]
            frame = frame.drop(columns=hidden)
            last = ["n", "clusters", "small", "T", "K", "elicitation"]
            frame = frame[[*frame.columns.difference(last, sort=False), *last]]
        if name == "paired":
            frame = frame[["statement", *frame.columns.drop("statement")]]
        if "figure" in frame and "estimate" in frame:
            frame = frame.rename(columns={"estimate": "difference", "low": "difference_low", "high": "difference_high"})
        kind = FRAMES[name]
        found.append(PageTable(name, kind.title, f"{kind.meaning} {caption(frames, name)}".strip(), frame))
    return found


def render(template: str, *, scripts: Sequence[str], data: Any, **values: Any) -> str:
    """Return a page with its style, its scripts, and `data` as JSON in the element `data`.

    The policy allows the scripts by their hashes, so that nothing else runs even if some text became markup.
    """
    sources = [_read(name) for name in scripts]
    hashes = [_hash(source) for source in sources]
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: _read(f"templates/{name}")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(table_rows=_table_rows, table_columns=_table_columns)
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes)}; "
        "style-src 'unsafe-inline'; img-src data: file: 'self'; base-uri 'none'; form-action 'none'"
    )
    return environment.get_template(template).render(
        policy=policy,
        style=_read("templates/style.css"),
        scripts=sources,
        data=as_json(data),
        **values,
    )


def as_json(data: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def number(value: Any, decimals: int = _DECIMALS) -> float | None:
    """Return a number that JSON has: rounded, None where there is none."""
    return None if value is None or pd.isna(value) or math.isinf(value) else round(float(value), decimals)


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _nodes(analysis: Analysis) -> list[list[Any]]:
    """Return run, level, axis, node, n, clusters, small, guesser's accuracy, confidence and shift, then the figures."""
    figures = analysis.tables["figures"]
    chosen = figures[figures["figure"].isin(NODE_FIGURES)]
    values = {
        (row.run, row.level, row.axis, row.node, row.figure): [number(row.estimate), number(row.low), number(row.high)]
        for row in chosen.itertuples()
    }
    place = {run.name: index for index, run in enumerate(analysis.collection.runs)}
    rows = []
    for row in analysis.tables["nodes"].itertuples():
        key = (row.run, row.level, row.axis, row.node)
        guesser = [number(value) for value in (row.guesser_accuracy, row.guesser_confidence, row.guesser_shift)]
        found = [values.get((*key, name)) for name in NODE_FIGURES]
        size = [int(row.n), int(row.clusters), int(row.small)]
        rows.append([place[row.run], row.level, row.axis, row.node, *size, *guesser, *found])
    return rows


def _changes(analysis: Analysis) -> list[list[Any]]:
    changes = analysis.tables["changes"]
    chosen = changes[changes["figure"].isin(CORE) & changes["comparison"].isin(["L0_to_L1", "L0_to_L2"])]
    place = {run.name: index for index, run in enumerate(analysis.collection.runs)}
    return [
        [
            *(place[row.run], row.comparison, row.pairing, row.axis, row.node, row.figure),
            *(number(row.estimate), number(row.low), number(row.high), int(row.n), int(row.clusters), int(row.small)),
        ]
        for row in chosen.itertuples()
        if row.axis in ("overall", "degradation", "degradation_category", "modality")
    ]


def _curve(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = overall(table).drop(columns=["axis", "node"]).to_dict("records")
    return [
        {name: number(value) if isinstance(value, float) else _plain(value) for name, value in row.items()}
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _published(accuracy: pd.DataFrame | None, calibration: pd.DataFrame | None) -> list[dict[str, Any]]:
    models: dict[str, dict[str, Any]] = {}
    if accuracy is not None:
        for row in accuracy[accuracy["origin"] == "published"].itertuples():
            own = models.setdefault(row.model, {"model": row.model, "accuracy": {}, "calibration": {}})
            own["accuracy"][row.column] = number(row.accuracy)
    if calibration is not None:
        for row in calibration[calibration["origin"].str.startswith("published")].itertuples():
            own = models.setdefault(row.model, {"model": row.model, "accuracy": {}, "calibration": {}})
            own["calibration"][row.level] = [
                number(row.accuracy),
                number(row.confidence),
                number(row.calibration_shift),
            ]
    return list(models.values())


def _table_columns(frame: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Return `name`, and whether numbers stand on the right: not where intervals follow them, which differ in width."""
    return [
        {"name": name, "on_the_right": f"{name}_low" not in frame and any(_is_number(value) for value in frame[name])}
        for name in _shown(frame)
    ]


def _shown(frame: pd.DataFrame) -> list[str]:
    names = set(frame.columns)
    within = {f"{name}{end}" for name in names for end in ("_low", "_high", "_small")} & names
    if "n" in names:
        within.add("small")  # an asterisk at n
    return [name for name in frame.columns if name not in within]


def _table_rows(frame: pd.DataFrame) -> list[list[Mapping[str, Any]]]:
    """Return the cells: `text`, the number or text to sort by, and the interval's ends."""
    shown = _shown(frame)
    rows = []
    for row in frame.to_dict("records"):
        cells = []
        for name in shown:
            value = _plain(row[name])
            if isinstance(value, bool):
                value = "yes" if value else "no"
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            text = "–" if missing else _as_text(value, name)
            ends = [number(row.get(f"{name}_{end}"), 9) for end in ("low", "high")]
            interval = "" if None in ends else "[" + ", ".join(_as_text(end, name) for end in ends) + "]"
            cells.append(
                {
                    **{"text": text, "value": "" if missing else value},
                    **{"interval": interval, "low": ends[0], "high": ends[1]},
                    "small": bool(row.get(f"{name}_small") or (name == "n" and row.get("small") is True)),
                }
            )
        rows.append(cells)
    return rows


def _is_number(value: Any) -> bool:
    value = _plain(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _as_text(value: Any, name: str) -> str:
    if isinstance(value, float):
        signed = any(part in name for part in ("shift", "change", "difference"))
        return f"{value:{'+' if signed else ''}.3f}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else str(value)
