"""The degradations as a table for people: in a terminal, or as Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...degradations import MODALITIES, Quantity, SeverityTable, get, list_degradations, load_severities

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class CatalogueEntry:
    """One degradation at one row of the severity table. `row` is a modality, or empty for the default row."""

    name: str
    category: str
    modalities: str
    row: str
    mild: str
    severe: str


def entries(modality: str | None = None, table: SeverityTable | None = None) -> list[CatalogueEntry]:
    """List the catalogue: for a modality the one row that serves it, else every row of every degradation.

    Raises:
        ValueError: unknown modality.
    """
    table = table or load_severities()
    listed = []
    for name in list_degradations(modality):
        entry = get(name)
        where = "all" if set(entry.modalities) == set(MODALITIES) else ", ".join(entry.modalities)
        if modality is not None:
            rows = {"": {level: table.lookup(name, level, modality) for level in ("L1", "L2")}}
        else:
            rows = {("" if row == "default" else row): levels for row, levels in table.rows[name].items()}
        for row, levels in rows.items():
            mild, severe = (_strength(levels[level]) for level in ("L1", "L2"))
            listed.append(CatalogueEntry(name, entry.category.replace("_", " "), where, row, mild, severe))
    return listed


def _strength(parameters: Mapping[str, Quantity]) -> str:
    """Write one cell, such as `radius 0.2 of side, sigma 1.6 px`."""
    parts = []
    for key, quantity in parameters.items():
        label = key.replace("_", " ")
        text = _amount(quantity)
        # "144 views" rather than "views 144 views"
        parts.append(text if label == quantity.unit else f"{label} {text}")
    return ", ".join(parts)


def _amount(quantity: Quantity) -> str:
    value = quantity.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        text = " to ".join(f"{each:,.6g}" for each in value)
    else:
        text = f"{value:,.6g}" if isinstance(value, int | float) else str(value)
    return f"{text} {quantity.unit}".rstrip()


def as_rich_table(listed: list[CatalogueEntry]) -> Table:
    """Lay the catalogue out for a terminal."""
    from rich.table import Table

    table = Table(row_styles=["", "dim"], pad_edge=False)
    for heading in ("degradation", "category", "for", "L1", "L2"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "degradation")
    for entry in listed:
        label = f"  {entry.row}" if entry.row else entry.name
        first = not entry.row
        table.add_row(
            label,
            entry.category if first else "",
            entry.modalities if first else "",
            entry.mild,
            entry.severe,
        )
    return table


def as_markdown(listed: list[CatalogueEntry]) -> str:
    """Write the catalogue as a Markdown table, ending in a line break."""
    lines = ["| degradation | category | for | L1 | L2 |", "|---|---|---|---|---|"]
    for entry in listed:
        label = f"`{entry.name}`, {entry.row}" if entry.row else f"`{entry.name}`"
        cells = (label, entry.category, entry.modalities, entry.mild, entry.severe)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
