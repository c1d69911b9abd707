"""Curves of a series of severities: small multiples, one figure per model and degradation, one panel per modality."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..analysis.analyse import Analysis
from ..analysis.series_curves import POOLED
from .curve_lines import place_text, ratio_text
from .figure_parts import Frames, percent
from .figure_style import ACCURACY_COLOUR, CONFIDENCE_COLOUR, GUIDE_COLOUR, TEXT_COLOUR, label, spoken
from .frame_kinds import framed
from .page_data import number

CURVES, POINTS = "curves", "curve_points"
"""Frames."""

_PANELS_IN_A_ROW = 4
_DRAWN = {"accuracy": ACCURACY_COLOUR, "confidence": CONFIDENCE_COLOUR}
_LEVELS = {1.0: "L1", 2.0: "L2"}
_HALF = {"color": TEXT_COLOUR, "linewidth": 0.9, "linestyle": (0, (4, 2))}


def curves(analysis: Analysis) -> pd.DataFrame:
    """Return the rows of the table `curves`; none without a series."""
    rows = analysis.tables.get(CURVES)
    return framed(CURVES, [] if rows is None else rows.rename(columns={"run": "model"}))


def curve_points(analysis: Analysis) -> pd.DataFrame:
    """Return the rows of the table `curve_points`; none without a series."""
    rows = analysis.tables.get(POINTS)
    return framed(POINTS, [] if rows is None else rows.rename(columns={"run": "model"}))


def planned_curves(
    frames: Frames, models: Mapping[str, str]
) -> Iterator[tuple[str, Callable[[Frames], Figure | None]]]:
    """Yield file name and drawing of each figure.

    Args:
        frames: of `content.report_frames`.
        models: model -> its part of a file name.
    """
    pairs = frames[CURVES][["model", "degradation"]].drop_duplicates()
    for model, degradation in pairs.itertuples(index=False, name=None):
        draw = functools.partial(curve_figure, model=model, degradation=degradation)
        yield f"curves_{models[model]}_{degradation}", draw


def curve_figure(frames: Frames, model: str, degradation: str) -> Figure | None:
    """Draw accuracy and confidence of a model against the severity of a degradation, one panel per modality.

    Bands are 95% intervals. L1 and L2 are marked; the dashed line is s50, grey its interval; above stands the physical
    parameter. Hollow markers: fewer than 30 source questions.
    """
    summary = frames[CURVES]
    summary = summary[(summary["model"] == model) & (summary["degradation"] == degradation)]
    points = frames[POINTS]
    points = points[(points["model"] == model) & (points["degradation"] == degradation)]
    if summary.empty:
        return None
    columns = min(len(summary), _PANELS_IN_A_ROW)
    rows = math.ceil(len(summary) / columns)
    figure = Figure(figsize=(max(0.6 + 1.85 * columns, 4.2), 0.9 + 2.25 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in panels.flat[len(summary) :]:
        axes.set_visible(False)
    for axes, row in zip(panels.flat, summary.to_dict("records"), strict=False):
        curve_panel(axes, row, points[points["modality"] == row["modality"]])
    for axes in panels[:, 0]:
        percent(axes, "y")
    figure.suptitle(f"{label(spoken(degradation))}: {label(model)}", fontsize=9, fontweight="bold", x=0.01, ha="left")
    handles: list[Any] = [Line2D([], [], color=colour, marker="o", label=name) for name, colour in _DRAWN.items()]
    handles += [Line2D([], [], label="s50", **_HALF), Patch(color=GUIDE_COLOUR, alpha=0.18, label="its 95% interval")]
    title = "against the severity s (1: as severe as L1, 2: as L2)"
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), title=title, title_fontsize=7.5)
    return figure


def curve_panel(axes: Axes, row: Mapping[str, Any], points: pd.DataFrame, title: str | None = None) -> None:
    """Draw one curve.

    Args:
        axes: to draw on.
        row: of the frame `curves`.
        points: of the frame `curve_points`, of the same curve.
        title: of the panel; the modality if None.
    """
    stop = row["stop"]
    for name, colour in _DRAWN.items():
        own = points[points["figure"] == name]
        axes.fill_between(own["severity"], own["low"], own["high"], color=colour, alpha=0.15, linewidth=0)
        face = "white" if row["small"] else colour
        axes.plot(own["severity"], own["estimate"], "o-", color=colour, markerfacecolor=face, markersize=3)
    for severity in (1.0, 2.0):
        if severity <= stop:
            axes.axvline(severity, color=GUIDE_COLOUR, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0.5)
    if not math.isnan(row["s50"]):
        axes.axvline(row["s50"], zorder=0.8, **_HALF)
    if not math.isnan(row["s50_low"]):
        high = stop if math.isnan(row["s50_high"]) else row["s50_high"]
        axes.axvspan(row["s50_low"], high, color=GUIDE_COLOUR, alpha=0.18, linewidth=0, zorder=0.4)
    whole = [0, *range(1, math.floor(stop) + 1)]
    axes.set_xticks(whole, [_LEVELS.get(float(tick), f"{tick}") for tick in whole])
    axes.set_xlim(-0.08, stop + 0.08)
    axes.set_ylim(0, 1.02)
    axes.grid(visible=False, axis="x")
    _physical_axis(axes, points, whole[1:])
    axes.set_title(row["modality"] if title is None else title, fontsize=8, pad=12)
    text = f"s50 {place_text(row, 's50')}\nR {ratio_text(row)}\ncliff: {row['cliff']}"
    box = {"facecolor": "white", "alpha": 0.6, "edgecolor": "none", "pad": 1}
    axes.annotate(text, (0.03, 0.03), xycoords="axes fraction", fontsize=5.5, color=TEXT_COLOUR, va="bottom", bbox=box)


def _physical_axis(axes: Axes, points: pd.DataFrame, severities: list[int]) -> None:
    """Write the physical parameter at whole severities above the panel."""
    doses = points[points["figure"] == "accuracy"].dropna(subset=["value"]).set_index("severity")
    shown = [tick for tick in severities if tick in doses.index]
    if not shown:
        return
    top = axes.secondary_xaxis("top")
    values = [doses.loc[tick, "value"] for tick in shown]
    top.set_xticks(shown, [f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}" for value in values])
    top.tick_params(labelsize=5.5, length=2, pad=1)
    first = doses.iloc[0]
    unit = f" ({first['unit']})" if first["unit"] and first["unit"] != first["parameter"] else ""
    axes.annotate(
        f"{spoken(first['parameter'])}{unit}", (0.0, 1.0), xycoords="axes fraction", xytext=(0, 3),
        textcoords="offset points", fontsize=5.5, color=GUIDE_COLOUR, va="bottom",
    )  # fmt: skip


def curve_data(frames: Frames) -> dict[str, Any]:
    """Return what the page's script draws curves from; nothing where there is no series."""
    if CURVES not in frames or frames[CURVES].empty:
        return {}
    places = ("s50", "s50_low", "s50_high", "ratio", "ratio_low", "ratio_high", "trusted_up_to", "stop")
    summary = [
        {
            **{name: row[name] for name in ("model", "degradation", "modality", "cliff", "cliff_reason", "parameter")},
            **{name: number(row[name]) for name in places},
            "small": bool(row["small"]),
            "n": int(row["n"]),
        }
        for row in frames[CURVES].astype(object).where(frames[CURVES].notna(), None).to_dict("records")
    ]
    drawn = frames[POINTS][frames[POINTS]["figure"].isin(_DRAWN) & (frames[POINTS]["degradation"] != POOLED)]
    drawn = drawn[drawn["modality"] != POOLED]
    points = [
        [
            *(row.model, row.degradation, row.modality, row.figure, number(row.severity)),
            *(number(value) for value in (row.estimate, row.low, row.high, row.value)),
            row.unit if isinstance(row.unit, str) else None,
        ]
        for row in drawn.itertuples()
    ]
    return {"curves": {"summary": summary, "points": points}}
