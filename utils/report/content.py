"""The content of a report as data frames, all of them by name.

Every frame is made from an `Analysis`; pages, figures, tables and the terminal only lay them out. `frame_kinds` says
what each holds; `run_frames`, `node_frames`, `model_frames`, `paper_tables`,
`reliability_bins` and `input_notes` make them. Numbers are
fractions. `small` marks fewer than 30 source questions. `origin` tells runs analysed here from published results,
which have no intervals and no item counts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping

import pandas as pd

from ..analysis.analyse import Analysis
from .against import differences, flipped
from .curve_figures import curve_points, curves
from .findings import findings, published_groups
from .frame_kinds import FRAMES as FRAMES  # from here to those who ask for frames
from .frame_kinds import SCOPE as SCOPE
from .input_notes import notes
from .model_frames import dunning_kruger_between, other_results, paired, rank_change, refused_pairs
from .node_frames import degradation_drop, hierarchy, modality
from .paper_tables import dunning_kruger_within, figure_5, table_2, table_3, table_6
from .readers import readers
from .real_images import real_images, real_ranks
from .reliability_bins import reliability
from .run_frames import (
    confidence_accuracy,
    flags,
    headline,
    operating_points,
    risk_coverage,
    severity_curves,
    verdicts,
)
from .typical_drop import typical_drop


def report_frames(analysis: Analysis, *, published: bool = False, old: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """Return every frame of `FRAMES`; one that the input cannot fill is empty but has its columns.

    Args:
        analysis: of `medqdeg.utils.analysis.analyse.analyse`, of `SCOPE` or more.
        published: whether the paper's models stand beside the runs, where the paper states what a frame holds.
        old: names of those runs that are versions from before, against which the others are set.
    """
    with_published: Mapping[str, Callable[..., pd.DataFrame]] = {
        **{"table_6": table_6, "table_2": table_2, "table_3": table_3, "figure_5": figure_5},
        **{"dunning_kruger": dunning_kruger_within, "rank_change": rank_change},
        **{"confidence_accuracy": confidence_accuracy, "findings": findings, "published_groups": published_groups},
    }
    of_runs: Mapping[str, Callable[[Analysis], pd.DataFrame]] = {
        **{"headline": headline, "severity_curves": severity_curves, "modality": modality, "hierarchy": hierarchy},
        **{"degradation_drop": degradation_drop, "reliability": reliability, "risk_coverage": risk_coverage},
        **{"paired": paired, "refused_pairs": refused_pairs, "dunning_kruger_between": dunning_kruger_between},
        **{"other_results": other_results, "verdicts": verdicts, "operating_points": operating_points},
        **{"typical_drop": typical_drop, "curves": curves, "curve_points": curve_points},
        "readers": readers,
        "real_images": real_images,
        "real_ranks": real_ranks,
        "flags": flags,
        "notes": functools.partial(notes, published=published),
        "against": functools.partial(differences, old=old),
        "flipped": functools.partial(flipped, old=old),
    }
    return {
        name: (
            with_published[name](analysis, published=published) if name in with_published else of_runs[name](analysis)
        )
        for name in FRAMES
    }
