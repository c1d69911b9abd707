"""The report as one HTML file that needs nothing else, and beside it the item browser.

All data is in the files themselves: JSON that a script reads as text and puts into the page as text. Model names,
questions, options and replies are untrusted; Jinja escapes them, scripts never make markup of them, and a
Content-Security-Policy lets only the page's own scripts run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.statistics.bootstrap import SMALL
from ..base.atomic_files import write_atomically
from .curve_figures import curve_data
from .note_ranks import identical_replies, ranked_notes
from .page_data import page_data
from .page_example import PageExample
from .page_tables import page_table, table_columns, table_rows
from .printed_tables import caption
from .provenance import data_name, drawings_note, provenances
from .run_story import run_stories
from .sections import PageFacts, page_scripts, page_sections
from .terms import items_sentence, terms
from .units import percent

PAGE = "report.html"
ITEMS_PAGE = "items.html"

_NAMED = 3  # models that the heading names


def write_page(
    analysis: Analysis,
    frames: Mapping[str, pd.DataFrame],
    folder: Path,
    *,
    item_browser: bool = False,
    example: PageExample | None = None,
    command: str = "",
) -> Path:
    """Write the report's page.

    Args:
        analysis: of one or several runs.
        frames: of `medqdeg.utils.report.content.report_frames`; those missing or empty are left out.
        folder: that exists.
        item_browser: link to `items.html` in the same folder.
        example: an item to show beside the headline figure.
        command: that makes the report, as it was given; empty where none was.

    Returns:
        The path of the page. The same analysis gives the same bytes.

    Raises:
        OSError: the folder does not exist or may not be written.
    """
    runs = analysis.collection.runs
    data = page_data(analysis, frames)
    facts = PageFacts(frames, len(runs), bool(data["published"]), caption(frames, "figure_5"))
    sections = page_sections(facts)
    items_page = ITEMS_PAGE if item_browser else None
    origins = provenances(analysis)
    html = render(
        "report.html.jinja",
        scripts=page_scripts(sections),
        data={**data, **curve_data(frames), "sections": [section.id for section in sections], "items_page": items_page},
        title=page_title([run.name for run in runs], {data_name(run) for run in runs}),
        stories=run_stories(analysis),
        drawings=drawings_note(runs),
        items=items_sentence(frames["headline"]),
        terms=list(terms(frames["headline"])),
        command=command,
        example=example,
        provenances=origins,
        notes=ranked_notes(frames["notes"]),
        identical=identical_replies(frames["notes"]),
        runs=runs,
        facts=facts,
        sections=sections,
        tables={
            section.id: [table for name in section.tables if (table := page_table(name, frames)) is not None]
            for section in sections
        },
        replicates=analysis.replicates,
        seed=analysis.seed,
        small=SMALL,
        items_page=items_page,
    )
    path = folder / PAGE
    write_atomically(path, html.encode())
    return path


def page_title(models: Sequence[str], data: Collection[str]) -> str:
    """Return the heading of a page: the models, and the data where all were asked about the same."""
    names = ", ".join(models[:_NAMED]) + (f" and {len(models) - _NAMED} more" if len(models) > _NAMED else "")
    return f"{names} on {next(iter(data))}" if len(data) == 1 and all(data) else names


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
    environment.filters["percent"] = percent
    environment.globals.update(table_rows=table_rows, table_columns=table_columns)
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


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
