"""The table for one column of a paper: a row per run, what it loses and whether its overconfidence grows."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ..dataset.taxonomy import CLEAN
from .latex_tables import escape_latex, text_width
from .units import percent

COMPACT = "compact"
"""Name of the file."""


def compact_latex(frames: Mapping[str, pd.DataFrame]) -> str:
    """Return a LaTeX table for one column of two: accuracy at L0 and at the last level, the agreement gap, the verdict.

    A table environment with a tabular; its first line names the packages that it needs. Texts are escaped.

    Args:
        frames: of `content.report_frames`.
    """
    headline, verdicts = frames["headline"], frames["verdicts"]
    rows = []
    last = max(headline["level"], default=CLEAN)
    for model, own in headline.groupby("model", sort=False):
        at = own.set_index("level")
        cells = [escape_latex(_short(str(model)))]
        for figure in ("accuracy", "agreement_gap"):
            cells += [_number(at, level, figure, signed=figure != "accuracy") for level in (CLEAN, last)]
        found = verdicts[(verdicts["model"] == model) & (verdicts["comparison"] == f"{CLEAN}_to_{last}")]["verdict"]
        cells.append(escape_latex(_VERDICTS.get(found.iloc[0] if len(found) else None, "--")))
        rows.append(" & ".join(cells) + r" \\")
    lines = [
        r"% \usepackage{booktabs,textcomp}; \usepackage[T1]{fontenc}",
        r"\begin{table}[tb]\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        r"\caption{Accuracy and agreement gap (overconfidence), percent, clean and degraded.}\label{tab:compact}",
        r"\begin{tabular}{@{}lrrrrl@{}}",
        r"\toprule",
        r" & \multicolumn{2}{c}{accuracy} & \multicolumn{2}{c}{gap} & grows? \\",
        rf"model & {CLEAN} & {last} & {CLEAN} & {last} & \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


_VERDICTS = {"supported": "yes", "contradicted": "no", "not decided": "open"}
_ROOM = 10.0
"""Em that a name has beside five columns of numbers in 78 mm, the narrowest column of common classes."""


def _short(name: str) -> str:
    """Return a name that fits; a long one loses its middle."""
    kept, short = len(name), name
    while text_width(short) > _ROOM:
        kept -= 1
        short = f"{name[: -(-kept // 2)]}…{name[len(name) - kept // 2 :]}"
    return short


def _number(at: pd.DataFrame, level: str, figure: str, *, signed: bool) -> str:
    if level not in at.index:
        return "--"
    return percent(at.at[level, figure], signed=signed).replace("−", "$-$").replace("–", "--")
