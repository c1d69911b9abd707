"""People beside the models: the curve of a panel of readers, and what separates models from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..analysis.analyse import Analysis
from ..analysis.standing import PEOPLE
from ..dataset.taxonomy import LEVELS
from ..scoring.elicitation import VERBALIZED
from .figure_parts import Frames, level_axes, model_legend
from .figure_style import PUBLISHED_COLOUR, TEXT_COLOUR, model_styles
from .frame_kinds import CORE, framed

FRAME = "readers"
MEAN, READER, MODEL = "mean", "reader", "model"
"""Kinds of points: of a panel's mean, of one reader, of a model."""

_BAND = 0.15


def readers(analysis: Analysis) -> pd.DataFrame:
    """Return each panel's mean, its readers, and their differences to the models."""
    table = analysis.tables["panels"]
    who = [
        f"mean of {row.readers} readers" if pd.isna(row.reader) else row.reader for row in table.itertuples(index=False)
    ]
    return framed(FRAME, table.assign(who=who, kind=np.where(table["reader"].isna(), MEAN, READER)))


def reader_points(frames: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the points of the curves: of panels, readers, and of the models beside them.

    Models have their accuracy, and confidence and shift where they state their confidence as people do.
    """
    frame = frames.get(FRAME)
    if frame is None or frame.empty:
        return []
    own = frame[frame["against"].isna() & frame["comparison"].isna()]
    points = [_point(row.kind, row.who, row) for row in own.itertuples(index=False)]
    headline = frames["headline"]
    stated = set(headline.loc[headline["elicitation"] == VERBALIZED, "model"])
    curves = frames["severity_curves"]
    people = names_of_people(frames)
    for row in curves[~curves["model"].isin(people)].itertuples(index=False):
        if row.figure == "accuracy" or row.model in stated:
            points.append(_point(MODEL, row.model, row))
    return points


def names_of_people(frames: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the runs that people answered: single readers, and panels whose readers are the trials."""
    headline = frames["headline"]
    return set(headline.loc[headline["not_ranked"] == PEOPLE, "model"])


def draw_means(axes: Axes, frames: Mapping[str, pd.DataFrame], name: str) -> list[Line2D]:
    """Draw the mean of each panel with its interval as a band; return what the legend shows of it."""
    handles = []
    points = [one for one in reader_points(frames) if one["kind"] == MEAN and one["figure"] == name]
    for who in dict.fromkeys(one["who"] for one in points):
        own = [one for one in points if one["who"] == who and one["level"] in LEVELS]
        places = [LEVELS.index(one["level"]) for one in own]
        bounded = [(place, one) for place, one in zip(places, own, strict=True) if one["low"] is not None]
        axes.fill_between(
            [place for place, _ in bounded],
            [one["low"] for _, one in bounded],
            [one["high"] for _, one in bounded],
            color=TEXT_COLOUR, alpha=_BAND, linewidth=0, zorder=0.5,
        )  # fmt: skip
        axes.plot(places, [one["estimate"] for one in own], color=TEXT_COLOUR, linewidth=2.0, zorder=2.5)
        handles.append(Line2D([], [], color=TEXT_COLOUR, linewidth=2.0, label=who))
    return handles


def readers_figure(frames: Frames) -> Figure | None:
    """Draw accuracy, confidence and shift by level: the panel's mean, each reader in grey, and the models."""
    points = reader_points(frames)
    if not points:
        return None
    styles = model_styles(one["who"] for one in points if one["kind"] == MODEL)
    figure = Figure(figsize=(7.6, 2.9), layout="constrained")
    handles: list[Line2D] = []
    for axes, name in zip(figure.subplots(1, len(CORE)), CORE, strict=True):
        for kind, who in dict.fromkeys((one["kind"], one["who"]) for one in points if one["kind"] != MEAN):
            own = [
                one
                for one in points
                if (one["kind"], one["who"], one["figure"]) == (kind, who, name) and one["level"] in LEVELS
            ]
            places = [LEVELS.index(one["level"]) for one in own]
            values = [one["estimate"] for one in own]
            if kind == READER:
                axes.plot(places, values, color=PUBLISHED_COLOUR, linewidth=0.9, zorder=1)
            else:
                style = styles[who]
                axes.plot(places, values, color=style.colour, linestyle=style.dashes, marker=style.marker)
        handles = draw_means(axes, frames, name) or handles
        level_axes(axes, name, room=0.2)
    handles.append(Line2D([], [], color=PUBLISHED_COLOUR, linewidth=0.9, label="single readers"))
    model_legend(figure, list(styles), handles)
    return figure


def _point(kind: str, who: str, row: Any) -> dict[str, Any]:
    ends = {name: None if pd.isna(getattr(row, name)) else round(float(getattr(row, name)), 4) for name in _ENDS}
    return {"kind": kind, "who": who, "figure": row.figure, "level": row.level, "n": int(row.n), **ends}


_ENDS = ("estimate", "low", "high")
