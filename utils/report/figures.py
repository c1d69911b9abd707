"""The report's figures for papers: drawn from the frames of `content`, written as PDF, SVG and PNG.

Hollow markers, and asterisks in the heat map, mark fewer than 30 source questions. Bars are 95% intervals.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from ..atomic_files import write_atomically
from ..taxonomy import LEVELS, UNLABELLED
from .content import CORE
from .figure_style import (
    ACCURACY_COLOUR,
    CONFIDENCE_COLOUR,
    GUIDE_COLOUR,
    LEVEL_COLOURS,
    PUBLISHED_COLOUR,
    RC,
    TEXT_COLOUR,
    label,
    model_styles,
    spoken,
)
from .paper_tables import OURS

FORMATS = ("pdf", "svg", "png")

Frames = Mapping[str, pd.DataFrame]

_METADATA: Mapping[str, dict[str, Any]] = {  # without dates: the same input gives the same bytes
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
_ROW = 0.22  # inches a row of text takes


def draw_figures(frames: Frames) -> dict[str, Figure]:
    """Return file name (without its suffix) -> figure, for every figure that the frames can fill."""
    drawn: dict[str, Figure] = {}
    with mpl.rc_context(RC):
        for name, draw in _FIGURES.items():
            if (figure := draw(frames)) is not None:
                drawn[name] = figure
        names = _slugs(frames["headline"]["model"].unique())
        for model, slug in names.items():
            for kind, draw in (("modality", modality), ("hierarchy", hierarchy)):
                if (figure := draw(frames, model)) is not None:
                    drawn[f"{kind}_{slug}"] = figure
    return drawn


def write_figures(frames: Frames, folder: Path) -> list[Path]:
    """Draw every figure into a folder that exists, each as PDF, SVG and PNG (200 dots per inch).

    Returns:
        The files written.

    Raises:
        OSError: the folder cannot be written.
    """
    written = []
    for name, figure in draw_figures(frames).items():
        with mpl.rc_context(RC):
            FigureCanvasAgg(figure)
            for suffix in FORMATS:
                buffer = io.BytesIO()
                figure.savefig(buffer, format=suffix, dpi=200, metadata=_METADATA[suffix])
                written.append(folder / f"{name}.{suffix}")
                write_atomically(written[-1], buffer.getvalue())
    return written


def severity_curves(frames: Frames) -> Figure | None:
    """Draw accuracy, confidence and shift by level, with the guesser's line."""
    frame = frames["severity_curves"]
    models = list(frame["model"].unique())
    styles = model_styles(models)
    figure = Figure(figsize=(7.6, 2.9), layout="constrained")
    places = {level: number for number, level in enumerate(LEVELS)}
    for axes, name in zip(figure.subplots(1, 3), CORE, strict=True):
        for number, model in enumerate(models):
            own = frame[(frame["model"] == model) & (frame["figure"] == name)]
            style = styles[model]
            shift = (number - (len(models) - 1) / 2) * min(0.05, 0.4 / len(models))
            x = np.array([places[level] for level in own["level"]]) + shift
            axes.plot(x, own["estimate"], color=style.colour, linestyle=style.dashes)
            for place, row in zip(x, own.itertuples(), strict=True):
                _point(axes, place, row, style.colour, style.marker, vertical=True)
            axes.plot(x - shift, own["guesser"], color=GUIDE_COLOUR, linestyle=(0, (1, 1.5)), linewidth=1.0, zorder=1)
        axes.set_xticks(range(len(LEVELS)), LEVELS)
        axes.set_xlim(-0.35, len(LEVELS) - 0.65)
        axes.set_title(spoken(name).capitalize() if name != "calibration_shift" else spoken(name))
        axes.grid(visible=False, axis="x")
        _percent(axes, "y", signed=name == "calibration_shift")
        if name == "calibration_shift":
            axes.axhline(0, color=GUIDE_COLOUR, linewidth=0.8)
    guesser = Line2D([], [], color=GUIDE_COLOUR, linestyle=(0, (1, 1.5)), label="guesser (same T and K)")
    _legend(figure, models, [guesser])
    return figure


def dumbbell(frames: Frames) -> Figure | None:
    """Draw accuracy and confidence of every model, joined, a panel a level: the paper's figure 5."""
    frame = frames["figure_5"]
    models = list(frame[["model", "origin"]].drop_duplicates().itertuples(index=False, name=None))
    clean = frame[frame["level"] == frame["level"].iloc[0]].set_index(["model", "origin"])["accuracy"]
    models.sort(key=lambda key: (key[1] != OURS, -clean.get(key, 0.0)))
    ours = sum(origin == OURS for _, origin in models)
    y = {key: number + (0.8 if number >= ours else 0.0) for number, key in enumerate(models)}
    figure = Figure(figsize=(7.6, 1.1 + _ROW * (len(models) + 1)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True, sharex=True)
    for axes, level in zip(panels, LEVELS, strict=True):
        for row in frame[frame["level"] == level].itertuples():
            place, own = y[row.model, row.origin], row.origin == OURS
            axes.plot([row.accuracy, row.confidence], [place, place], color="#BDBDBD", linewidth=2.4, zorder=1.5)
            for name, colour in (("accuracy", ACCURACY_COLOUR), ("confidence", CONFIDENCE_COLOUR)):
                low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
                axes.plot([low, high], [place, place], color=colour, linewidth=1.0, zorder=2)
                face = "white" if row.small else colour
                axes.plot(getattr(row, name), place, "o", color=colour, markerfacecolor=face, zorder=3)
            text = "–" if np.isnan(row.calibration_shift) else f"{100 * row.calibration_shift:+.1f}"
            at = 1.02, place
            axes.annotate(
                text, at, xycoords=("axes fraction", "data"), va="center", fontsize=7, annotation_clip=False,
                fontweight="bold" if own else "normal",
            )  # fmt: skip
        axes.annotate("shift", (1.02, 1.0), xycoords="axes fraction", va="bottom", fontsize=7, color=GUIDE_COLOUR)
        axes.set_title(level)
        axes.grid(visible=False, axis="y")
        _percent(axes, "x")
    panels[0].set_yticks(list(y.values()), [label(model) for model, _ in models])
    for tick, (_, origin) in zip(panels[0].get_yticklabels(), models, strict=True):
        tick.set_fontweight("bold" if origin == OURS else "normal")
    panels[0].set_ylim(max(y.values()) + 0.6, -0.6)
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", label=name)
        for name, colour in (("accuracy", ACCURACY_COLOUR), ("confidence", CONFIDENCE_COLOUR))
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    if len(models) > ours:
        figure.supxlabel(
            "Bold: this report. Others: published, read off figure 5 of arXiv:2603.07769 to about ±0.2 points; "
            "no intervals. A dash: not readable.",
            fontsize=7,
            color=GUIDE_COLOUR,
        )
    return figure


def confidence_accuracy(frames: Frames) -> Figure | None:
    """Draw confidence against accuracy, each model's levels joined, with calibration's diagonal and the guesser."""
    frame = frames["confidence_accuracy"]
    own = frame[frame["origin"] == OURS]
    if own.empty:
        return None
    models = list(own["model"].unique())
    styles = model_styles(models)
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GUIDE_COLOUR, linewidth=0.9, linestyle="--", zorder=1)
    axes.annotate(
        "calibrated", (0.93, 0.93), rotation=45, rotation_mode="anchor",
        ha="right", va="bottom", fontsize=7, color=GUIDE_COLOUR,
    )  # fmt: skip
    published = frame[frame["origin"] != OURS]
    for _, group in published.groupby("model", sort=False):
        axes.plot(group["accuracy"], group["confidence"], color=PUBLISHED_COLOUR, linewidth=0.8, zorder=1.5)
        axes.plot(group["accuracy"].iloc[-1:], group["confidence"].iloc[-1:], ".", color=PUBLISHED_COLOUR, zorder=1.5)
    for model in models:
        group, style = own[own["model"] == model], styles[model]
        axes.plot(group["accuracy"], group["confidence"], color=style.colour, linestyle=style.dashes, linewidth=1.0)
        for row in group.itertuples():
            axes.plot(
                row.accuracy, row.confidence, style.marker, color=style.colour, zorder=3,
                alpha=1.0, markersize={"L0": 3.0, "L1": 4.5, "L2": 6.5}[row.level],
            )  # fmt: skip
        last = group.iloc[-1]
        for ends in (("accuracy_low", "accuracy_high"), ("confidence_low", "confidence_high")):
            x = last[list(ends)] if ends[0].startswith("acc") else [last["accuracy"]] * 2
            y = last[list(ends)] if ends[0].startswith("con") else [last["confidence"]] * 2
            axes.plot(x, y, color=style.colour, linewidth=0.8)
    points = own[["guesser_accuracy", "guesser_confidence"]].dropna().round(2).drop_duplicates()
    axes.plot(points["guesser_accuracy"], points["guesser_confidence"], "*", color=TEXT_COLOUR, markersize=8)
    axes.set_xlabel("Accuracy")
    axes.set_ylabel("Confidence")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
    for axis in "xy":
        _percent(axes, axis)
    handles = [Line2D([], [], color=TEXT_COLOUR, marker="*", linestyle="", markersize=8, label="guesser")]
    sizes = (("L0", 3.0), ("L1", 4.5), ("L2", 6.5))
    handles += [
        Line2D([], [], color=GUIDE_COLOUR, marker="o", linestyle="", markersize=size, label=level)
        for level, size in sizes
        if level in set(own["level"])
    ]
    if len(published):
        handles.append(Line2D([], [], color=PUBLISHED_COLOUR, marker=".", label="published, digitised"))
    _legend(figure, models, handles, where="outside right upper", columns=1)
    return figure


def reliability(frames: Frames) -> Figure | None:
    """Draw the share right by top share, a panel a level."""
    figure = _by_level(frames["reliability"], "score", "Mean top share", "Share right")
    if figure is not None:
        for axes in figure.axes:
            axes.plot([0, 1], [0, 1], color=GUIDE_COLOUR, linewidth=0.9, linestyle="--", zorder=1)
            axes.set_xlim(0, 1.03)
            axes.set_ylim(0, 1.03)
    return figure


def risk_coverage(frames: Frames) -> Figure | None:
    """Draw the error rate among the most confident items, a panel a level."""
    figure = _by_level(frames["risk_coverage"], "coverage", "Coverage", "Error rate", band=True)
    if figure is not None:
        for axes in figure.axes:
            axes.set_xlim(0, 1.03)
            axes.set_ylim(bottom=0)
    return figure


def degradation_drop(frames: Frames) -> Figure | None:
    """Draw the matched change of accuracy as a heat map of degradations and models, a panel a level."""
    frame = frames["degradation_drop"]
    frame = frame[frame["figure"] == "accuracy"]
    if frame.empty:
        return None
    models, comparisons = list(frame["model"].unique()), list(frame["comparison"].unique())
    nodes = frame.drop_duplicates("degradation").sort_values("category", kind="stable")
    rows = list(nodes["degradation"])
    solid = frame.loc[~frame["small"], "estimate"].abs()
    reach = max(0.1, float(solid.max() if len(solid) else frame["estimate"].abs().max()))
    width = 2.3 + len(comparisons) * (0.5 * len(models) + 0.35)
    figure = Figure(figsize=(max(width, 4.2), 1.7 + _ROW * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(comparisons), sharey=True, squeeze=False)[0]
    for axes, comparison in zip(panels, comparisons, strict=True):
        own = frame[frame["comparison"] == comparison]
        values = own.pivot(index="degradation", columns="model", values="estimate").reindex(rows)[models]
        small = own.pivot(index="degradation", columns="model", values="small").reindex(rows)[models]
        faint = np.where(small.fillna(True).astype(bool), 0.45, 1.0)  # what is mostly noise recedes
        image = axes.imshow(values, cmap="PuOr", vmin=-reach, vmax=reach, aspect="auto", alpha=faint)
        for (row, column), value in np.ndenumerate(values.to_numpy(dtype=float)):
            if not np.isnan(value):
                text = f"{100 * value:+.1f}{'*' if small.iloc[row, column] else ''}"
                dark = abs(value) > 0.65 * reach and faint[row, column] == 1.0
                axes.text(column, row, text, ha="center", va="center", fontsize=6, color="white" if dark else "black")
        axes.set_xticks(range(len(models)), [label(model, 24) for model in models], rotation=40, ha="right")
        axes.set_title(comparison.replace("_to_", " to "))
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        breaks = np.flatnonzero(nodes["category"].to_numpy()[1:] != nodes["category"].to_numpy()[:-1])
        for place in breaks:
            axes.axhline(place + 0.5, color="white", linewidth=2.5)
    panels[0].set_yticks(range(len(rows)), [spoken(row) for row in rows])
    bar = figure.colorbar(
        image, ax=panels, shrink=0.7, pad=0.02, format=lambda value, _: f"{100 * value:+g}" if value else "0"
    )
    bar.set_label("change of accuracy, points", fontsize=7)
    bar.outline.set_visible(False)
    if frame["small"].any():
        figure.supxlabel("* fewer than 30 source questions", fontsize=7, color=GUIDE_COLOUR)
    return figure


def rank_change(frames: Frames) -> Figure | None:
    """Draw each model's rank at L0 and at L2, joined."""
    frame = frames["rank_change"]
    if len(frame) < 2:
        return None
    styles = model_styles(frames["headline"]["model"])
    figure = Figure(figsize=(5.2, 0.9 + 0.17 * max(len(frame), 4)), layout="constrained")
    axes = figure.subplots()
    places = {}
    for level in ("l0", "l2"):
        order = frame.sort_values([f"rank_{level}", "model"]).index
        places[level] = pd.Series(range(1, len(frame) + 1), index=order)
    for number, row in frame.iterrows():
        own = row["origin"] == OURS
        colour = styles[row["model"]].colour if own else PUBLISHED_COLOUR
        ends = [places[level][number] for level in ("l0", "l2")]
        axes.plot([0, 1], ends, color=colour, marker="o", markersize=3, linewidth=1.6 if own else 0.9, zorder=2 + own)
        for x, side, place, level in ((-0.03, "right", ends[0], "l0"), (1.03, "left", ends[1], "l2")):
            accuracy, rank = f"{100 * row[f'accuracy_{level}']:.1f}", row[f"rank_{level}"]
            name = label(row["model"], 30)
            text = f"{name}  {accuracy}  {rank}" if side == "right" else f"{rank}  {accuracy}  {name}"
            axes.text(
                x, place, text, ha=side, va="center", fontsize=6.5,
                color=TEXT_COLOUR if own or colour != PUBLISHED_COLOUR else GUIDE_COLOUR,
                fontweight="bold" if own else "normal",
            )  # fmt: skip
    axes.set_xlim(-1.3, 2.3)
    axes.set_ylim(len(frame) + 0.7, 0.2)
    axes.set_xticks([0, 1], ["L0", "L2"])
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return figure


def paired(frames: Frames) -> Figure | None:
    """Draw the paired differences at the severest level compared; hollow where within noise."""
    frame = frames["paired"]
    if frame.empty:
        return None
    level = max(frame["level"])
    frame = frame[frame["level"] == level]
    pairs = list(dict.fromkeys(zip(frame["first"], frame["second"], strict=True)))
    figure = Figure(figsize=(7.6, 1.2 + _ROW * len(pairs)), layout="constrained")
    panels = figure.subplots(1, len(CORE), sharey=True)
    for axes, name in zip(panels, CORE, strict=True):
        own = frame[frame["figure"] == name]
        for row in own.itertuples():
            place = pairs.index((row.first, row.second))
            colour = GUIDE_COLOUR if row.within_noise else ACCURACY_COLOUR
            axes.plot([row.low, row.high], [place, place], color=colour)
            axes.plot(row.estimate, place, "o", color=colour, markerfacecolor="white" if row.within_noise else colour)
        axes.axvline(0, color=GUIDE_COLOUR, linewidth=0.8)
        axes.set_title(spoken(name).capitalize() if name != "calibration_shift" else spoken(name))
        axes.grid(visible=False, axis="y")
        _percent(axes, "x", signed=True)
    names = [f"{label(first, 24)} − {label(second, 24)}" for first, second in pairs]
    panels[0].set_yticks(range(len(pairs)), names)
    panels[0].set_ylim(len(pairs) - 0.4, -0.6)
    figure.supxlabel(f"Difference at {level}, points. Hollow: within noise.", fontsize=7.5)
    return figure


def modality(frames: Frames, model: str) -> Figure | None:
    """Draw one model's accuracy, confidence and shift by modality, the levels beside each other."""
    frame = frames["modality"]
    frame = frame[frame["model"] == model]
    nodes = list(frame["modality"].unique())
    return _forest(frame, "modality", nodes, [label(node) for node in nodes], model)


def hierarchy(frames: Frames, model: str) -> Figure | None:
    """Draw one model's accuracy, confidence and shift on every capability, task and skill that it has items of."""
    frame = frames["hierarchy"]
    frame = frame[(frame["model"] == model) & (frame["capability"] != UNLABELLED)]
    if frame.empty:
        return None
    frame = frame.assign(path=list(zip(*(frame[tier].fillna("") for tier in _TIERS), strict=True)))
    known = dict.fromkeys(frame["path"])
    ordered: list[tuple[str, ...]] = []
    for path in known:  # each node before those below it
        if path[1:] == ("", ""):
            ordered.append(path)
            for task in known:
                if task[0] == path[0] and task[1] and not task[2]:
                    ordered.append(task)
                    ordered += [skill for skill in known if skill[:2] == task[:2] and skill[2]]
    counts = frame[frame["figure"] == "accuracy"].groupby("path")["n"].max()
    names = []
    for path in ordered:
        depth = sum(map(bool, path)) - 1
        names.append(f"{path[depth]} ({counts[path]})")
    figure = _forest(frame, "path", ordered, names, model)
    if figure is not None:
        for tick, path in zip(figure.axes[0].get_yticklabels(), ordered, strict=True):
            tick.set_fontweight("bold" if not path[2] else "normal")
            tick.set_color(GUIDE_COLOUR if path[2] else TEXT_COLOUR)
            tick.set_fontsize(8.5 if not path[1] else 7.5)
    return figure


_TIERS = ("capability", "task", "skill")

_FIGURES: Mapping[str, Callable[[Frames], Figure | None]] = {
    "severity_curves": severity_curves,
    "dumbbell": dumbbell,
    "confidence_accuracy": confidence_accuracy,
    "degradation_drop": degradation_drop,
    "reliability": reliability,
    "risk_coverage": risk_coverage,
    "rank_change": rank_change,
    "paired": paired,
}


def _forest(frame: pd.DataFrame, column: str, nodes: list[Any], names: list[str], model: str) -> Figure | None:
    if not nodes:
        return None
    figure = Figure(figsize=(7.6, 1.1 + 0.26 * len(nodes)), layout="constrained")
    place = {node: number for number, node in enumerate(nodes)}
    offsets = {level: (number - 1) * 0.24 for number, level in enumerate(LEVELS)}
    panels = figure.subplots(1, len(CORE), sharey=True)
    for axes, name in zip(panels, CORE, strict=True):
        for row in frame[frame["figure"] == name].to_dict("records"):
            y = place[row[column]] + offsets[row["level"]]
            colour = LEVEL_COLOURS[row["level"]]
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.0)
            face = "white" if row["small"] else colour
            axes.plot(row["estimate"], y, "o", color=colour, markerfacecolor=face, markersize=3.6)
        axes.set_title(spoken(name).capitalize() if name != "calibration_shift" else spoken(name))
        axes.grid(visible=False, axis="y")
        if name == "calibration_shift":
            axes.axvline(0, color=GUIDE_COLOUR, linewidth=0.8)
        else:
            axes.set_xlim(-0.02, 1.02)
        for number in range(0, len(nodes), 2):
            axes.axhspan(number - 0.5, number + 0.5, color="#F6F6F6", zorder=0, linewidth=0)
        _percent(axes, "x", signed=name == "calibration_shift")
    panels[0].set_yticks(range(len(nodes)), names)
    panels[0].set_ylim(len(nodes) - 0.5, -0.5)
    panels[0].tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], color=LEVEL_COLOURS[level], marker="o", label=level)
        for level in LEVELS
        if level in set(frame["level"])
    ]
    if frame["small"].any():
        handles.append(_small_handle())
    figure.suptitle(label(model, 60), x=0.01, ha="left", fontsize=9.5, fontweight="bold")
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _by_level(frame: pd.DataFrame, x: str, x_label: str, y_label: str, *, band: bool = False) -> Figure | None:
    levels = [level for level in LEVELS if level in set(frame["level"])]
    if not levels:
        return None
    models = list(frame["model"].unique())
    styles = model_styles(models)
    figure = Figure(figsize=(0.6 + 2.35 * max(len(levels), 2), 3.1), layout="constrained")
    panels = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    for axes, level in zip(panels, levels, strict=True):
        for model in models:
            own, style = frame[(frame["model"] == model) & (frame["level"] == level)], styles[model]
            if band:
                axes.plot(own[x], own["estimate"], color=style.colour, linestyle=style.dashes)
                if len(models) <= 3:
                    axes.fill_between(own[x], own["low"], own["high"], color=style.colour, alpha=0.12, linewidth=0)
            else:
                axes.plot(own[x], own["estimate"], color=style.colour, linestyle=style.dashes, linewidth=1.0)
                for row in own.itertuples():
                    bare = row._replace(low=np.nan, high=np.nan) if len(models) > 3 else row
                    _point(axes, getattr(row, x), bare, style.colour, style.marker, vertical=True)
        axes.set_title(level)
        for axis in "xy":
            _percent(axes, axis)
        axes.set_xlabel(x_label)
    panels[0].set_ylabel(y_label)
    _legend(figure, models, [_small_handle()] if not band and frame["small"].any() else [])
    return figure


def _point(axes: Axes, place: float, row: Any, colour: str, marker: str, *, vertical: bool) -> None:
    ends, middle = [row.low, row.high], row.estimate
    face = "white" if row.small else colour
    x, y = ([place, place], ends) if vertical else (ends, [place, place])
    axes.plot(x, y, color=colour, linewidth=0.9)
    at = (place, middle) if vertical else (middle, place)
    axes.plot(*at, marker, color=colour, markerfacecolor=face, zorder=3)


def _percent(axes: Axes, axis: str, *, signed: bool = False) -> None:
    chosen = axes.xaxis if axis == "x" else axes.yaxis
    if signed:
        chosen.set_major_formatter(lambda value, _: f"{100 * value:+.0f}" if abs(value) > 1e-9 else "0")
    else:
        chosen.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _legend(
    figure: Figure, models: list[str], extra: list[Line2D], where: str = "outside lower center", columns: int = 0
) -> None:
    handles = [
        Line2D([], [], color=style.colour, marker=style.marker, linestyle=style.dashes, label=label(model))
        for model, style in model_styles(models).items()
    ]
    longest = max(len(handle.get_label()) for handle in [*handles, *extra])
    fits = max(1, min(4, int(140 / (longest + 8))))
    figure.legend(handles=[*handles, *extra], loc=where, ncols=columns or min(fits, len(handles) + len(extra)))


def _small_handle() -> Line2D:
    style = {"color": GUIDE_COLOUR, "marker": "o", "markerfacecolor": "white", "linestyle": ""}
    return Line2D([], [], label="fewer than 30 source questions", **style)


def _slugs(models: Any) -> dict[str, str]:
    """Return model -> a file name of its own."""
    slugs: dict[str, str] = {}
    for model in models:
        slug = re.sub(r"[^A-Za-z0-9.-]+", "_", model).strip("._-")[:60] or "model"
        number = 2
        base = slug
        while slug.lower() in {other.lower() for other in slugs.values()}:
            slug, number = f"{base}_{number}", number + 1
        slugs[model] = slug
    return slugs
