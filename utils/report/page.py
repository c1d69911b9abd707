"""The report as one HTML file that needs nothing else, and beside it the item browser.

All data is in the files themselves: JSON that a script reads as text and puts into the page as text. Model names,
questions, options and replies are untrusted; Jinja escapes them, scripts never make markup of them, and a
Content-Security-Policy lets only the page's own scripts run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.statistics.bootstrap import SMALL
from ..base.atomic_files import write_atomically
from .page_data import page_data
from .page_tables import page_table, table_columns, table_rows
from .printed_tables import caption
from .sections import PageFacts, page_scripts, page_sections

PAGE = "report.html"
ITEMS_PAGE = "items.html"


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
    runs = analysis.collection.runs
    data = page_data(analysis, frames)
    facts = PageFacts(frames, len(runs), bool(data["published"]), caption(frames, "figure_5"))
    sections = page_sections(facts)
    items_page = ITEMS_PAGE if item_browser else None
    notes = frames["notes"].itertuples()
    html = render(
        "report.html.jinja",
        scripts=page_scripts(sections),
        data={**data, "sections": [section.id for section in sections], "items_page": items_page},
        runs=runs,
        facts=facts,
        sections=sections,
        tables={
            section.id: [table for name in section.tables if (table := page_table(name, frames)) is not None]
            for section in sections
        },
        warnings=[f"{row.model}: {row.note}" if row.model else row.note for row in notes],
        replicates=analysis.replicates,
        seed=analysis.seed,
        small=SMALL,
        items_page=items_page,
    )
    path = folder / PAGE
    write_atomically(path, html.encode())
    return path


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
