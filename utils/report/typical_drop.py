"""Is MedQ-Deg's drop typical? The same model's change from clean images on MedQ-Deg and on wrapped tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis.analyse import Analysis
from ..analysis.runs.model_names import spoken_name
from ..analysis.runs.run import Run
from ..analysis.tables import overall
from ..dataset.taxonomy import LEVELS
from .figure_parts import ROW, Frames, dots, headed, percent, share_rows, small_handle
from .figure_style import GUIDE_COLOUR, LEVEL_COLOURS, PUBLISHED_COLOUR, label
from .frame_kinds import CORE, framed

OWN = "MedQ-Deg"
FRAME = "typical_drop"
_WRAPPED = "_medqdeg"
_GUIDE: Mapping[str, Any] = {"color": PUBLISHED_COLOUR, "linewidth": 0.8, "linestyle": (0, (3, 2))}
_STEPS: Mapping[str, str] = {f"{LEVELS[0]}_to_{level}": level for level in LEVELS[1:]}


def typical_drop(analysis: Analysis) -> pd.DataFrame:
    """Return the matched changes from L0 of each model that ran MedQ-Deg and at least one wrapped task."""
    by_model: dict[str, list[Run]] = defaultdict(list)
    for run in analysis.collection.runs:
        by_model[spoken_name(run.model)].append(run)
    chosen = {
        run.name: (model, benchmark(run))
        for model, runs in by_model.items()
        if {_is_wrapped(run) for run in runs} == {True, False}
        for run in sorted(runs, key=lambda run: (_is_wrapped(run), run.family, run.name))
    }
    changes = overall(analysis.tables["changes"])
    rows = changes[
        changes["run"].isin(chosen)
        & (changes["pairing"] == "matched")
        & changes["figure"].isin(CORE)
        & changes["comparison"].isin(_STEPS)
    ]
    rows = rows.assign(
        model=[chosen[run][0] for run in rows["run"]],
        benchmark=[chosen[run][1] for run in rows["run"]],
        place=[list(chosen).index(run) for run in rows["run"]],
    )
    return framed(FRAME, rows.sort_values("place", kind="stable"))


def _is_wrapped(run: Run) -> bool:
    return any(record.get("confidence_scale") is not None for record in run.records[:1])


def benchmark(run: Run) -> str:
    """Return what a run's items are called in the table: MedQ-Deg, with its variant, or the wrapped task."""
    if _is_wrapped(run):
        return run.family.removesuffix(_WRAPPED)
    variant = run.family.removeprefix("medqdeg").strip("_").replace("_", " ")
    return f"{OWN} ({variant})" if variant else OWN


def typical_rows(frames: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the frame as the page's script reads it: fractions to four decimals."""
    frame = frames.get(FRAME)
    if frame is None:
        return []
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [
        {name: round(value, 4) if isinstance(value, float) else _plain(value) for name, value in row.items()}
        for row in rows
    ]


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def typical_drop_figure(frames: Frames) -> Figure | None:
    """Draw one row per model and benchmark and one panel per figure: the change from L0, MedQ-Deg's as a grey line."""
    frame = frames[FRAME]
    if frame.empty:
        return None
    rows = list(dict.fromkeys(zip(frame["model"], frame["benchmark"], strict=True)))
    several = len({model for model, _ in rows}) > 1
    figure = Figure(figsize=(7.6, 1.3 + 1.3 * ROW * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(CORE), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, CORE, strict=True):
        axes.axvline(0, color=GUIDE_COLOUR, linewidth=0.8)
        for number, (step, level) in enumerate(_STEPS.items()):
            own = frame[(frame["figure"] == name) & (frame["comparison"] == step)].dropna(subset=["estimate"])
            places = [rows.index(key) for key in zip(own["model"], own["benchmark"], strict=True)]
            aside = [place + (number - 0.5) * 0.24 for place in places]
            colour = LEVEL_COLOURS[level]
            dots(axes, aside, own["estimate"], own[["low", "high"]], own["small"], colour, sideways=True)
            for row in own[own["benchmark"].str.startswith(OWN)].itertuples():
                first = rows.index((row.model, row.benchmark))
                last = max(place for place, (model, _) in enumerate(rows) if model == row.model)
                axes.vlines(row.estimate, first, last + 0.4, zorder=1, **_GUIDE)
        headed(axes, name)
        axes.grid(visible=False, axis="y")
        percent(axes, "x", signed=True)
        axes.set_ylim(len(rows) - 0.5, -0.5)
    names = [f"{label(model, 22)}, {label(what, 22)}" if several else label(what) for model, what in rows]
    panels[0].set_yticks(range(len(rows)), names)
    share_rows(list(panels))
    handles = [
        Line2D([], [], color=LEVEL_COLOURS[level], marker="o", linestyle="", label=f"L0 to {level}")
        for level in _STEPS.values()
    ]
    handles.append(Line2D([], [], label=f"{OWN}'s", **_GUIDE))
    handles += [small_handle()] if frame["small"].any() else []
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    figure.supxlabel("change from clean images, points", fontsize=7.5)
    return figure
