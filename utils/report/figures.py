"""The report's figures for papers: drawn from the frames of `content`, written as PDF, SVG and PNG.

Hollow markers, and asterisks in the heat map, mark fewer than 30 source questions. Bars are 95% intervals.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from ..base.atomic_files import write_atomically
from ..base.worker_processes import in_order
from .comparison_figures import paired, rank_change
from .curve_figures import planned_curves
from .degradation_figure import degradation_drop
from .figure_parts import Frames
from .figure_style import RC
from .level_figures import confidence_accuracy, dumbbell, reliability, risk_coverage, severity_curves
from .node_figures import hierarchy, modality
from .operating_figure import operating_points
from .paper_style import DEFAULT_STYLE, PaperStyle
from .readers import readers_figure
from .typical_drop import typical_drop_figure

FORMATS = ("pdf", "svg", "png")

_OF_ALL: Mapping[str, Callable[[Frames], Figure | None]] = {
    **{"severity_curves": severity_curves, "dumbbell": dumbbell, "confidence_accuracy": confidence_accuracy},
    **{"degradation_drop": degradation_drop, "reliability": reliability, "risk_coverage": risk_coverage},
    **{"rank_change": rank_change, "paired": paired, "operating_points": operating_points},
    "typical_drop": typical_drop_figure,
    "readers": readers_figure,
}
_OF_A_MODEL: Mapping[str, Callable[..., Figure | None]] = {"modality": modality, "hierarchy": hierarchy}
_METADATA: Mapping[str, dict[str, Any]] = {  # without dates: the same input gives the same bytes
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}
_MARGIN = 0.06  # inches
_WORTH_A_PROCESS = 10  # figures take as long as a new process takes to start


def draw_figures(frames: Frames) -> dict[str, Figure]:
    """Return file name (without its suffix) -> figure, for every figure that the frames can fill."""
    with mpl.rc_context(RC):
        drawn = {name: draw(frames) for name, draw in _planned(frames).items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def write_figures(frames: Frames, folder: Path, workers: int = 1, style: PaperStyle = DEFAULT_STYLE) -> list[Path]:
    """Draw every figure into a folder that exists, each as PDF, SVG and PNG (200 dots per inch).

    Args:
        frames: of `content.report_frames`.
        folder: that exists.
        workers: processes at most; each has at least ten figures to draw.
        style: width and font.

    Returns:
        The files written.

    Raises:
        OSError: the folder cannot be written.
    """
    planned = _planned(frames)
    write = functools.partial(_write_planned, frames, folder, style)
    workers = min(workers, len(planned) // _WORTH_A_PROCESS)
    written = in_order(write, planned.items(), workers, chunk=-(-len(planned) // max(workers, 1)))
    return [path for paths in written for path in paths]


def write_figure(figure: Figure, folder: Path, name: str, style: PaperStyle = DEFAULT_STYLE) -> list[Path]:
    """Write one figure in every format of `FORMATS`; see `write_figures`."""
    written = []
    with mpl.rc_context({**RC, **style.settings()}):
        FigureCanvasAgg(figure)
        if (engine := figure.get_layout_engine()) is not None:  # laid out and measured once, not for each format
            engine.execute(figure)
            figure.set_layout_engine(None)
        content = figure.get_tightbbox()
        _keep_places(figure)
        box = content.padded(_MARGIN)
        if style.width is not None:  # as wide as was asked for, whatever the content leaves free
            ends = min(0.0, content.x0), max(figure.get_size_inches()[0], content.x1)
            box = Bbox.from_extents(ends[0], box.y0, ends[1], box.y1)
        for suffix in FORMATS:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=suffix, dpi="figure", bbox_inches=box, metadata=_METADATA[suffix])
            written.append(folder / f"{name}.{suffix}")
            write_atomically(written[-1], buffer.getvalue())
    return written


def _keep_places(figure: Figure) -> None:
    """Leave the labels of axes where they were found to stand, or each format would look for their places anew."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            place = axis.label.get_transform().transform(axis.label.get_position())
            axis.set_label_coords(*axes.transAxes.inverted().transform(place))


def _planned(frames: Frames) -> dict[str, Callable[[Frames], Figure | None]]:
    models = slugs(frames["headline"]["model"].unique())
    own = {
        f"{kind}_{slug}": functools.partial(draw, model=model)
        for model, slug in models.items()
        for kind, draw in _OF_A_MODEL.items()
    }
    return {**_OF_ALL, **own, **dict(planned_curves(frames, models))}


def _write_planned(
    frames: Frames, folder: Path, style: PaperStyle, plan: tuple[str, Callable[[Frames], Figure | None]]
) -> list[Path]:
    name, draw = plan
    with mpl.rc_context({**RC, **style.settings()}):
        figure = style.drawn(functools.partial(draw, frames))
    return [] if figure is None else write_figure(figure, folder, name, style)


def slugs(models: Iterable[str]) -> dict[str, str]:
    """Return model -> a file name of its own."""
    found: dict[str, str] = {}
    for model in models:
        slug = re.sub(r"[^A-Za-z0-9.-]+", "_", model).strip("._-")[:60] or "model"
        number = 2
        base = slug
        while slug.lower() in {other.lower() for other in found.values()}:
            slug, number = f"{base}_{number}", number + 1
        found[model] = slug
    return found
