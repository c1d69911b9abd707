"""Results folders as data frames: what `medqdeg.load` and `medqdeg.analyze` return in Python and in a notebook."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from .analyse import Analysis

PathLike = str | os.PathLike[str]

_HEADS = ("accuracy", "agreement gap", "readable", "confidence", "shift")
_HEADLINE = ("accuracy", "agreement_gap", "readable_share", "confidence", "calibration_shift")


class Results:
    """The runs of one or several results folders, analysed.

    Attributes:
        runs: names of the runs, by which the frames' column `run` tells them apart.
        warnings: one line each, about files and runs.
        tables: every table that `medqdeg analyze` writes, by name; see docs/analysis.md.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        collection = analysis.collection
        self.runs: tuple[str, ...] = tuple(run.name for run in collection.runs)
        self.warnings: tuple[str, ...] = (
            *collection.warnings,
            *(f"{run.name}: {line}" for run in collection.runs for line in run.warnings),
        )
        self.tables: dict[str, pd.DataFrame] = dict(analysis.tables)

    @property
    def items(self) -> pd.DataFrame:
        """One row per run and item: its place, K, trials and scores."""
        return self.tables["items"]

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per run, level, node and metric: estimate, 95% interval or why there is none, items, clusters."""
        return self.tables["figures"]

    @property
    def changes(self) -> pd.DataFrame:
        """One row per run, pair of levels, pairing, node and metric: the change, its 95% interval, p and q."""
        return self.tables["changes"]

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row per run, step from L0 and node: does overconfidence hold or grow while accuracy falls?"""
        return self.tables["dunning_kruger"]

    @property
    def operating_points(self) -> pd.DataFrame:
        """One row per run and level: answered, error among the answered, silent failures at the chosen threshold."""
        return self.tables["operating_points"]

    @property
    def curves(self) -> pd.DataFrame:
        """One row per run, degradation and modality of a series; empty without one (docs/curves.md)."""
        import pandas as pd

        from .series_rows import SERIES_TABLES

        found = self.tables.get("curves")
        return pd.DataFrame(columns=list(SERIES_TABLES["curves"])) if found is None else found

    @cached_property
    def conditions(self) -> pd.DataFrame:
        """One row per run: model, arguments, elicitation and everything else that its figures depend on."""
        import pandas as pd

        rows = [
            {
                **{"run": run.name, "model": run.model, "integration": run.integration, "model_args": run.model_args},
                **{"family": run.family, "date": run.date, "levels": ", ".join(run.levels), "items": len(run.records)},
                **run.conditions,
            }
            for run in self._analysis.collection.runs
        ]
        found: pd.DataFrame = pd.DataFrame(rows)
        return found

    @cached_property
    def headline(self) -> pd.DataFrame:
        """One row per run and level: n, accuracy, agreement gap and readable share, confidence, Calibration Shift."""
        from .tables import overall

        chosen = overall(self.metrics)
        chosen = chosen[chosen["figure"].isin(_HEADLINE)]
        wide = chosen.pivot(index=["run", "level"], columns="figure", values=["estimate", "low", "high"])
        wide.columns = [figure if part == "estimate" else f"{figure}_{part}" for part, figure in wide.columns]
        n = chosen.drop_duplicates(["run", "level"]).set_index(["run", "level"])["n"]
        columns = [f"{figure}{suffix}" for figure in _HEADLINE for suffix in ("", "_low", "_high")]
        found: pd.DataFrame = wide[columns].join(n).reset_index()[["run", "level", "n", *columns]]
        return found

    def __repr__(self) -> str:
        lines = [f"Results of {len(self.runs)} run{'' if len(self.runs) == 1 else 's'}"]
        for row in self.headline.itertuples():
            lines.append(
                f"  {row.run} {row.level}: n = {row.n}, accuracy {row.accuracy:.3f}, gap {row.agreement_gap:+.3f}, "
                f"confidence {row.confidence:.3f}, shift {row.calibration_shift:+.3f}"
            )
        lines.append("  .items, .metrics, .changes, .conditions and .tables are data frames")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = []
        for row in self.headline.itertuples():
            cells = [html.escape(str(row.run)), str(row.level), str(row.n)]
            cells += [_with_interval(row, name) for name in _HEADLINE]
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        head = "".join(f"<th>{name}</th>" for name in ("run", "level", "n", *_HEADS))
        notes = "".join(f"<li>{html.escape(line)}</li>" for line in self.warnings)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        return table + (f"<ul>{notes}</ul>" if notes else "")


def load(
    results: PathLike | Sequence[PathLike],
    *,
    replicates: int = 1000,
    seed: int = 0,
    risk: float = 0.05,
    least_accuracy: float | None = None,
) -> Results:
    """Read results folders of lmms-eval or lm-eval and analyse them.

    Args:
        results: one path or several: folders, results files or samples files, also gzipped. Runs need the harness's
            `--log_samples`.
        replicates: of the cluster bootstrap, at least 100.
        seed: of the bootstrap; the same call gives the same numbers.
        risk: error among the answered that an operating point is to keep on clean images, in (0, 1).
        least_accuracy: what "trusted up to" asks for, of a series of severities, in (0, 1]; None for the accuracy on
            clean images minus 0.05.

    Returns:
        The runs as data frames.

    Raises:
        InputError: a path does not exist or holds no run; one line that says what to do.
    """
    from .analyse import analyse
    from .runs.reading import read_runs

    paths = [results] if isinstance(results, str | os.PathLike) else results
    return Results(
        analyse(read_runs([Path(path) for path in paths]), replicates, seed, risk=risk, least_accuracy=least_accuracy)
    )


def analyze(
    results: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    replicates: int = 1000,
    seed: int = 0,
    risk: float = 0.05,
    least_accuracy: float | None = None,
) -> Results:
    """Do what `medqdeg analyze` does: load results and write every table and `analysis.json` into a folder.

    Args:
        results: as for `load`.
        out: the folder, which is made if absent.
        replicates: as for `load`.
        seed: as for `load`.
        risk: as for `load`.
        least_accuracy: as for `load`.

    Raises:
        InputError: as for `load`, or the folder cannot be written.
    """
    from .writing import write_analysis

    loaded = load(results, replicates=replicates, seed=seed, risk=risk, least_accuracy=least_accuracy)
    write_analysis(loaded._analysis, Path(out))
    return loaded


def _with_interval(row: Any, name: str) -> str:
    value, low, high = getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
    return f"{value:.3f}" if low != low else f"{value:.3f} [{low:.3f}, {high:.3f}]"
