"""Frames of whole runs: their levels, verdicts, operating points, and how confidence goes with being right."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from ..analysis.analyse import Analysis
from ..analysis.changes import MATCHED
from ..analysis.tables import overall
from .frame_kinds import CORE, HEADLINE, framed
from .paper_tables import figure_5


def headline(analysis: Analysis) -> pd.DataFrame:
    """Return each run's accuracy, confidence and shift at each level, with the guesser's."""
    figures = overall(analysis.tables["figures"]).set_index(["run", "level", "figure"])
    standing = analysis.standing
    rows = []
    for node in overall(analysis.tables["nodes"]).to_dict("records"):
        row = {**node, "model": node["run"]}
        row |= {name: ", ".join(sorted(json.loads(node[name]), key=int)) for name in ("trials", "options")}
        row |= {"not_ranked": standing[node["run"]].not_ranked, "not_published": standing[node["run"]].not_published}
        for name in HEADLINE:
            found = figures.loc[(node["run"], node["level"], name)]
            row |= {name: found["estimate"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
        rows.append(row)
    return framed("headline", rows)


def verdicts(analysis: Analysis) -> pd.DataFrame:
    """Return the verdict on each run's steps from L0, with the matched changes that it is about."""
    chosen = overall(analysis.tables["dunning_kruger"])
    changes = overall(analysis.tables["changes"])
    matched = changes[changes["pairing"] == MATCHED].set_index(["run", "comparison", "figure"])
    columns = {
        f"{name}_change{end}": [
            matched[column].get((row.run, row.comparison, figure), np.nan) for row in chosen.itertuples()
        ]
        for name, figure in (("accuracy", "accuracy"), ("gap", "agreement_gap"))
        for end, column in (("", "estimate"), ("_low", "low"), ("_high", "high"))
    }
    return framed("verdicts", chosen.assign(model=chosen["run"], **columns))


def operating_points(analysis: Analysis) -> pd.DataFrame:
    """Return each run's operating point by level."""
    chosen = analysis.tables["operating_points"]
    return framed("operating_points", chosen.assign(model=chosen["run"]))


def flags(analysis: Analysis) -> pd.DataFrame:
    """Return what each run's flags are worth, by set of items; empty where no trial could flag."""
    chosen = analysis.tables["flags"]
    return framed("flags", chosen.assign(model=chosen["run"]))


def severity_curves(analysis: Analysis) -> pd.DataFrame:
    """Return accuracy, confidence and shift by level, with the guesser's."""
    chosen = overall(analysis.tables["figures"])
    chosen = chosen[chosen["figure"].isin(CORE)]
    nodes = overall(analysis.tables["nodes"]).set_index(["run", "level"])
    column = {"accuracy": "guesser_accuracy", "confidence": "guesser_confidence", "calibration_shift": "guesser_shift"}
    guesser = [nodes.at[(row.run, row.level), column[row.figure]] for row in chosen.itertuples()]
    return framed("severity_curves", chosen.assign(model=chosen["run"], guesser=guesser))


def confidence_accuracy(analysis: Analysis, *, published: bool) -> pd.DataFrame:
    """Return confidence and accuracy of each model at each level where both are known."""
    frame = figure_5(analysis, published=published).dropna(subset=["accuracy", "confidence"])
    nodes = overall(analysis.tables["nodes"]).assign(model=lambda table: table["run"], origin="this report")
    guesser = nodes[["model", "origin", "level", "guesser_accuracy", "guesser_confidence"]]
    return framed("confidence_accuracy", frame.merge(guesser, on=["model", "origin", "level"], how="left"))


def risk_coverage(analysis: Analysis) -> pd.DataFrame:
    """Return the risk-coverage curve of all items by run and level."""
    table = overall(analysis.tables["risk_coverage"])
    return framed("risk_coverage", table.assign(model=table["run"]))
