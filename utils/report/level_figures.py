"""What changes from level to level: curves, dumbbells, confidence against accuracy, calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..dataset.taxonomy import LEVELS
from .figure_parts import (
    ROW,
    Frames,
    dots,
    folded,
    level_axes,
    model_legend,
    percent,
    share_rows,
    small_handle,
    unranked,
)
from .figure_style import (
    ACCURACY_COLOUR,
    CONFIDENCE_COLOUR,
    GUIDE_COLOUR,
    PUBLISHED_COLOUR,
    TEXT_COLOUR,
    label,
    model_styles,
    signed,
)
from .frame_kinds import CORE
from .paper_tables import OURS
from .printed_tables import caption
from .readers import draw_means, names_of_people

_DOTTED = (0, (1, 1.5))
_LEVEL_SIZES = {"L0": 3.0, "L1": 4.5, "L2": 6.5}
_INTERVALS_UP_TO = 3  # models; of more, the intervals hide each other


def severity_curves(frames: Frames) -> Figure | None:
    """Draw accuracy, confidence and shift by level, with the guesser's line."""
    frame = frames["severity_curves"]
    frame = frame[~frame["model"].isin(names_of_people(frames))]  # they have a figure of their own
    if frame.empty:
        return None
    styles = model_styles(frame["model"])
    figure = Figure(figsize=(7.6, 2.9), layout="constrained")
    people: list[Line2D] = []
    for axes, name in zip(figure.subplots(1, 3), CORE, strict=True):
        people = draw_means(axes, frames, name) or people
        for number, (model, style) in enumerate(styles.items()):
            own = frame[(frame["model"] == model) & (frame["figure"] == name)]
            places = own["level"].map(LEVELS.index)
            aside = places + (number - (len(styles) - 1) / 2) * min(0.05, 0.4 / len(styles))
            axes.plot(aside, own["estimate"], color=style.colour, linestyle=style.dashes)
            dots(axes, aside, own["estimate"], own[["low", "high"]], own["small"], style.colour, marker=style.marker)
            axes.plot(places, own["guesser"], color=GUIDE_COLOUR, linestyle=_DOTTED, linewidth=1.0, zorder=1)
        level_axes(axes, name, room=0.35)
    guesser = Line2D([], [], color=GUIDE_COLOUR, linestyle=_DOTTED, label="guesser (same T and K)")
    model_legend(figure, list(styles), [guesser, *people, *([small_handle()] if frame["small"].any() else [])])
    return figure


def dumbbell(frames: Frames) -> Figure | None:
    """Draw accuracy and confidence of every model, joined, one panel per level: the paper's figure 5."""
    frame = frames["figure_5"]
    models = list(frame[["model", "origin"]].drop_duplicates().itertuples(index=False, name=None))
    clean = frame[frame["level"] == frame["level"].iloc[0]].set_index(["model", "origin"])["accuracy"]
    reasons = unranked(frames)
    models.sort(key=lambda key: (key[1] != OURS, key[1] == OURS and key[0] in reasons, -clean.get(key, 0.0)))
    ours = sum(origin == OURS for _, origin in models)
    y = {key: number + (0.8 if number >= ours else 0.0) for number, key in enumerate(models)}
    figure = Figure(figsize=(7.6, 1.1 + ROW * (len(models) + 1)), layout="constrained")
    panels = figure.subplots(1, len(LEVELS), sharey=True, sharex=True)
    for axes, level in zip(panels, LEVELS, strict=True):
        own = frame[frame["level"] == level]
        places = [y[key] for key in zip(own["model"], own["origin"], strict=True)]
        axes.hlines(places, own["accuracy"], own["confidence"], color="#BDBDBD", linewidth=2.4, zorder=1.5)
        for name, colour in (("accuracy", ACCURACY_COLOUR), ("confidence", CONFIDENCE_COLOUR)):
            dots(axes, places, own[name], own[[f"{name}_low", f"{name}_high"]], own["small"], colour, sideways=True)
        for place, row in zip(places, own.itertuples(), strict=True):
            axes.annotate(
                "–" if pd.isna(row.calibration_shift) else signed(row.calibration_shift),
                (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=7, annotation_clip=False,
                fontweight="bold" if row.origin == OURS else "normal",
            )  # fmt: skip
        axes.annotate("shift", (1.02, 1.0), xycoords="axes fraction", va="bottom", fontsize=7, color=GUIDE_COLOUR)
        axes.set_title(level)
        axes.grid(visible=False, axis="y")
        percent(axes, "x")
    marks = [" ‡" if origin == OURS and model in reasons else "" for model, origin in models]
    names = [label(model) + mark for (model, _), mark in zip(models, marks, strict=True)]
    panels[0].set_yticks(list(y.values()), names)
    for tick, (_, origin) in zip(panels[0].get_yticklabels(), models, strict=True):
        tick.set_fontweight("bold" if origin == OURS else "normal")
    panels[0].set_ylim(max(y.values()) + 0.6, -0.6)
    share_rows(panels)
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", label=name)
        for name, colour in (("accuracy", ACCURACY_COLOUR), ("confidence", CONFIDENCE_COLOUR))
    ]
    if frame["small"].any():
        handles.append(small_handle())
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    below = []
    if len(models) > ours:
        below.append(
            "Bold: this report. Others: published, read off figure 5 of arXiv:2603.07769 to about ±0.2 points; "
            "no intervals. A dash: not readable."
        )
        below.append(caption(frames, "figure_5"))
    if reasons:
        below.append(f"‡ not ranked, so last: {'; '.join(f'{label(run)} ({why})' for run, why in reasons.items())}")
    if below:
        figure.supxlabel(folded(below), fontsize=7, color=GUIDE_COLOUR)
    return figure


def confidence_accuracy(frames: Frames) -> Figure | None:
    """Draw confidence against accuracy, each model's levels joined, with calibration's diagonal and the guesser."""
    frame = frames["confidence_accuracy"]
    own, published = frame[frame["origin"] == OURS], frame[frame["origin"] != OURS]
    if own.empty:
        return None
    styles = model_styles(own["model"])
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes = figure.subplots()
    _diagonal(axes)
    axes.annotate(
        "calibrated", (0.16, 0.16), rotation=45, rotation_mode="anchor",
        ha="right", va="bottom", fontsize=7, color=GUIDE_COLOUR,
    )  # fmt: skip
    for _, group in published.groupby("model", sort=False):
        axes.plot(
            group["accuracy"], group["confidence"], ".-", color=PUBLISHED_COLOUR, linewidth=0.8, zorder=1.5,
            markevery=[-1],
        )  # fmt: skip
    for model, style in styles.items():
        group = own[own["model"] == model]
        axes.plot(group["accuracy"], group["confidence"], color=style.colour, linestyle=style.dashes, linewidth=1.0)
        for row in group.itertuples():
            axes.plot(
                row.accuracy, row.confidence, style.marker,
                color=style.colour, markerfacecolor="white" if row.small else style.colour,
                markersize=_LEVEL_SIZES[row.level], zorder=3,
            )  # fmt: skip
        last = group.iloc[-1]
        axes.hlines(last["confidence"], last["accuracy_low"], last["accuracy_high"], color=style.colour, linewidth=0.8)
        axes.vlines(
            last["accuracy"], last["confidence_low"], last["confidence_high"], color=style.colour, linewidth=0.8
        )
    points = own[["guesser_accuracy", "guesser_confidence"]].dropna().round(2).drop_duplicates()
    axes.plot(points["guesser_accuracy"], points["guesser_confidence"], "*", color=TEXT_COLOUR, markersize=8)
    axes.set_xlabel("Accuracy")
    axes.set_ylabel("Confidence")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
    for axis in "xy":
        percent(axes, axis)
    handles = [Line2D([], [], color=TEXT_COLOUR, marker="*", linestyle="", markersize=8, label="guesser")]
    handles += [
        Line2D([], [], color=GUIDE_COLOUR, marker="o", linestyle="", markersize=size, label=level)
        for level, size in _LEVEL_SIZES.items()
        if level in set(own["level"])
    ]
    if len(published):
        handles.append(Line2D([], [], color=PUBLISHED_COLOUR, marker=".", label="published, digitised"))
        if other_items := caption(frames, "confidence_accuracy"):
            figure.supxlabel(folded([other_items], 90), fontsize=7, color=GUIDE_COLOUR)
    model_legend(figure, list(styles), handles, where="outside right upper", columns=1)
    return figure


def reliability(frames: Frames) -> Figure | None:
    """Draw the share right by top share, one panel per level."""
    frame = frames["reliability"]
    if frame.empty:
        return None
    figure, panels = _panels(frame, "Mean top share", "Share right")
    styles = model_styles(frame["model"])
    for level, axes in panels.items():
        _diagonal(axes)
        for model, style in styles.items():
            own = frame[(frame["model"] == model) & (frame["level"] == level)]
            # Between bins of few source questions a line would look like a trend.
            line = own["estimate"].mask(own["small"].astype(bool))
            axes.plot(own["score"], line, color=style.colour, linestyle=style.dashes, linewidth=1.0)
            ends = own[["low", "high"]] * (1.0 if len(styles) <= _INTERVALS_UP_TO else np.nan)
            dots(axes, own["score"], own["estimate"], ends, own["small"], style.colour, marker=style.marker)
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.03)
    model_legend(figure, list(styles), [small_handle()] if frame["small"].any() else [])
    return figure


def risk_coverage(frames: Frames) -> Figure | None:
    """Draw the error rate among the most confident items, one panel per level."""
    frame = frames["risk_coverage"]
    if frame.empty:
        return None
    figure, panels = _panels(frame, "Coverage", "Error rate")
    styles = model_styles(frame["model"])
    for level, axes in panels.items():
        for model, style in styles.items():
            own = frame[(frame["model"] == model) & (frame["level"] == level)]
            axes.plot(own["coverage"], own["estimate"], color=style.colour, linestyle=style.dashes)
            if len(styles) <= _INTERVALS_UP_TO:
                ends = own["low"], own["high"]
                axes.fill_between(own["coverage"], *ends, color=style.colour, alpha=0.12, linewidth=0)
    for axes in panels.values():
        axes.set_xlim(0, 1.03)
        axes.set_ylim(bottom=0)
    model_legend(figure, list(styles))
    return figure


def _panels(frame: pd.DataFrame, x_label: str, y_label: str) -> tuple[Figure, dict[str, Axes]]:
    levels = [level for level in LEVELS if level in set(frame["level"])]
    figure = Figure(figsize=(0.6 + 2.35 * max(len(levels), 2), 3.1), layout="constrained")
    panels = dict(zip(levels, figure.subplots(1, len(levels), sharey=True, squeeze=False)[0], strict=True))
    for level, axes in panels.items():
        axes.set_title(level)
        axes.set_xlabel(x_label)
        for axis in "xy":
            percent(axes, axis)
    panels[levels[0]].set_ylabel(y_label)
    share_rows([*panels.values()])
    return figure, panels


def _diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=GUIDE_COLOUR, linewidth=0.9, linestyle="--", zorder=1)
