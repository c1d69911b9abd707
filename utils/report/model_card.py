"""One model's results as a model card in Markdown: what Hugging Face's cards and regulators' drafts ask for.

The headings follow the Hugging Face model card and the model card in the appendix of the FDA's draft guidance on
AI-enabled device software functions (January 2025): what was evaluated, performance with intervals, subgroups, limits,
monitoring, versions. A card states measurements. It makes no claim that a law or a standard is met.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.runs.run import Run
from ..base.atomic_files import write_atomically
from ..base.file_hashes import file_sha256
from ..dataset.taxonomy import CLEAN, LEVELS
from .figures import slugs
from .printed_tables import escape_markdown
from .provenance import Provenance, data_name, provenances
from .run_story import RunStory, run_stories
from .units import interval, percent

_WORST = LEVELS[-1]
_HEADLINE = ("accuracy", "confidence", "agreement_gap", "calibration_shift", "unread_rate")
_SIGNED = ("agreement_gap", "calibration_shift")
_LOSSES = 5
_ASTERISK = "\\*"
_SMALL_COUNT = re.compile(r"[\d,]+\\\*")

SUBGROUPS = (
    "Subgroups of patients (age, sex, origin, site, device) were not measured: the items do not name them. Modalities "
    "and degradations, above, are subgroups of images."
)
MONITORING = (
    "Run the same items again after every change of the model, its prompt or its serving, and set the new run against "
    "this one: `medqdeg report NEW --against OLD --out report`. Keep the results files: every figure here follows from "
    "them. Watch the share of answers that go to a person at the operating point; a change of it without one of the "
    "model is a change of the images."
)


def write_cards(analysis: Analysis, frames: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write `card_MODEL.md` of every run of a model into a folder that exists.

    Args:
        analysis: of one or several runs.
        frames: of `content.report_frames`.
        folder: that exists.

    Raises:
        OSError: the folder may not be written.
    """
    stories = {story.model: story for story in run_stories(analysis)}
    origins = {origin.model: origin for origin in provenances(analysis)}
    names = slugs(run.name for run in analysis.collection.runs)
    written = []
    for run in analysis.collection.runs:
        if run.name in stories:
            path = folder / f"card_{names[run.name]}.md"
            card = model_card(run, stories[run.name], origins[run.name], frames)
            write_atomically(path, card.encode())
            written.append(path)
    return written


def model_card(run: Run, story: RunStory, origin: Provenance, frames: Mapping[str, pd.DataFrame]) -> str:
    """Return one run's card as Markdown, with metadata as Hugging Face reads it (`model-index`) at its head.

    Args:
        run: a run of a model.
        story: of the same run.
        origin: of the same run.
        frames: of `content.report_frames`.
    """
    own = {name: frame[frame["model"] == run.name] for name, frame in frames.items() if "model" in frame}
    parts = [
        f"---\n{_metadata(run, own['headline'])}\n---",
        f"# {escape_markdown(run.name)}: reading of degraded medical images",
        *(escape_markdown(line) for line in story.lines()),
        "## What was evaluated",
        _table(("", ""), _rows(origin)),
        "## Performance",
        "95% intervals in brackets, in per cent, by source question. L0 is clean, L1 mild, L2 severe.",
        _table(("level", "items", *(name.replace("_", " ") for name in _HEADLINE)), _levels(own["headline"])),
        "### By modality",
        _table(("modality", "level", "items", "accuracy", "confidence"), _modalities(own["modality"])),
        "## Operating points",
        *_operating(own["operating_points"]),
        "## Limits",
        "### Where it fails",
        "The largest losses of accuracy from L0 to L2, each degraded item against its own clean version:",
        _table(("degradation", "items", "change of accuracy"), _losses(own["degradation_drop"])),
        "### What does not follow",
        "\n".join(f"- {escape_markdown(line)}" for line in origin.limits),
        "### Subgroups",
        SUBGROUPS,
        "## Monitoring",
        MONITORING,
        "## Versions and hashes",
        _table(("file", "SHA-256"), _hashes(run)),
        "Made by `medqdeg report --card`. A research measurement; no claim that a law or a standard is met.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(origin: Provenance) -> Iterable[list[str]]:
    for what, value in origin.rows:
        note = f" ({origin.notes[what]})" if what in origin.notes else ""
        yield [what, escape_markdown(f"{value}{note}")]


def _metadata(run: Run, headline: pd.DataFrame) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="visual-question-answering",
            dataset_type="medqdeg",
            dataset_name=data_name(run) or "MedQ-Deg",
            dataset_config=str(row["level"]),
            metric_type=name,
            metric_value=round(float(row[name]), 6),
        )
        for row in headline.to_dict("records")
        for name in ("accuracy", "confidence", "agreement_gap", "calibration_shift")
        if pd.notna(row[name])
    ]
    text: str = ModelCardData(model_name=run.name, eval_results=results).to_yaml()
    return text.strip()


def _levels(headline: pd.DataFrame) -> Iterator[list[str]]:
    for row in headline.to_dict("records"):
        figures = [
            _figure(row[name], row[f"{name}_low"], row[f"{name}_high"], signed=name in _SIGNED) for name in _HEADLINE
        ]
        yield [str(row["level"]), _count(row), *figures]


def _modalities(frame: pd.DataFrame) -> Iterator[list[str]]:
    of = frame.set_index(["modality", "level", "figure"])
    for modality, level in frame[["modality", "level"]].drop_duplicates().itertuples(index=False):
        rows = [of.loc[(modality, level, name)] for name in ("accuracy", "confidence")]
        figures = [_figure(row["estimate"], row["low"], row["high"]) for row in rows]
        yield [escape_markdown(str(modality)), str(level), _count(rows[0]), *figures]


def _losses(frame: pd.DataFrame) -> Iterator[list[str]]:
    chosen = frame[(frame["figure"] == "accuracy") & (frame["comparison"] == f"{CLEAN}_to_{_WORST}")]
    for row in chosen.sort_values(["estimate", "degradation"]).head(_LOSSES).to_dict("records"):
        loss = _figure(row["estimate"], row["low"], row["high"], signed=True)
        yield [escape_markdown(str(row["degradation"])), _count(row), loss]


def _operating(frame: pd.DataFrame) -> list[str]:
    if frame.empty:
        return ["Not measured."]
    statement = escape_markdown(str(frame["statement"].iloc[0]))
    levels = frame.dropna(subset=["level"])
    if levels.empty:
        return [statement]
    names = ("answered", "error_among_answered", "silent_failures")
    of = levels.set_index(["level", "figure"])
    rows = [
        [str(level), *(_figure(*of.loc[(level, name), ["estimate", "low", "high"]]) for name in names)]
        for level in dict.fromkeys(levels["level"])
    ]
    return [statement, _table(("level", "answered", "wrong among the answered", "answered and wrong, of all"), rows)]


def _hashes(run: Run) -> Iterator[list[str]]:
    for path in run.paths:
        yield [escape_markdown(path.name), file_sha256(path)]


def _count(row: Mapping[str, object] | pd.Series) -> str:
    return f"{row['n']:,}{_ASTERISK if row['small'] else ''}"


def _figure(value: float, low: float, high: float, *, signed: bool = False) -> str:
    return f"{percent(value, signed=signed)} {interval(low, high, signed=signed)}".rstrip()


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    cells = [list(heads), *rows]
    if len(cells) == 1:
        return ""
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    lines.insert(1, "|" + "---|" * len(cells[0]))
    small = any(_SMALL_COUNT.fullmatch(cell) for row in cells for cell in row)
    note = "\n\n\\* fewer than 30 source questions: do not rely on the interval." if small else ""
    return "\n".join(lines) + note
