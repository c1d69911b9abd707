"""The operating point: what a run answers by itself at each level, what of it is wrong, and what goes to a person."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..dataset.taxonomy import LEVELS
from .figure_parts import ROW, Frames, percent, share_rows
from .figure_style import ACCURACY_COLOUR, CONFIDENCE_COLOUR, GRID_COLOUR, TEXT_COLOUR, label


def operating_points(frames: Frames) -> Figure | None:
    """Draw one row per run and one panel per level: answered and right, answered and wrong, left to a person.

    Bars at the end of the wrong part are its 95% interval; runs without a threshold are left out.
    """
    frame = frames["operating_points"]
    frame = frame[frame["threshold"].notna()]
    if frame.empty:
        return None
    models = list(dict.fromkeys(frame["model"]))
    levels = [level for level in LEVELS if level in set(frame["level"])]
    figure = Figure(figsize=(7.6, 1.5 + 2.4 * ROW * len(models)), layout="constrained")
    panels = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    for axes, level in zip(panels, levels, strict=True):
        axes.set_title(level)
        for place, model in enumerate(models):
            own = frame[(frame["model"] == model) & (frame["level"] == level)].set_index("figure")
            if own.empty:
                continue
            answered, failed = own.loc["answered"], own.loc["silent_failures"]
            right = answered["estimate"] - failed["estimate"]
            axes.barh(place, failed["estimate"], color=CONFIDENCE_COLOUR, height=0.6)
            axes.barh(place, right, left=failed["estimate"], color=ACCURACY_COLOUR, height=0.6)
            axes.barh(place, 1 - answered["estimate"], left=answered["estimate"], color=GRID_COLOUR, height=0.6)
            axes.hlines(place, failed["low"], failed["high"], color=TEXT_COLOUR, linewidth=1.2)
            wrong = own.loc["error_among_answered"]["estimate"]
            axes.annotate(f"{100 * wrong:.1f}% of the answered wrong", (0.02, place - 0.42), fontsize=6.5)
        axes.set_xlim(0, 1)
        axes.set_ylim(len(models) - 0.5, -0.8)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("Share of the items")
        percent(axes, "x")
    panels[0].set_yticks(range(len(models)), [label(model) for model in models])
    share_rows(list(panels))
    kinds = {
        "answered, wrong (silent failure)": CONFIDENCE_COLOUR,
        "answered, right": ACCURACY_COLOUR,
        "left to a person": GRID_COLOUR,
    }
    handles = [Patch(color=colour, label=name) for name, colour in kinds.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure
