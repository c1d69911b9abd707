"""An analysis as one JSON document; `docs/analysis.md` documents every key."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pandas as pd

from ..base.versions import versions
from .analyse import Analysis
from .clinical_rows import operating_rows
from .metrics import FIGURES
from .named_tier import named_tier
from .operating import RunOperatingPoint
from .real_degradations import REAL_TABLES
from .recalibrated import RunRecalibration
from .runs.run import Run
from .series_rows import series_json
from .statistics.bootstrap import SMALL
from .tables import SHRUNKEN

SCHEMA_VERSION = 2
"""2 added verdicts, operating points, recalibration, plans, q-values and reasons; `verdict_matched` and
`verdict_plain` became `verdict_paper_shift` and `verdict_paper_shift_plain`."""

CONFIDENCE_LEVEL = 0.95

_TESTED = ("p", "q", "reason", "n", "clusters", "small")
_CONTRAST = ("estimate", "low", "high", "p", "q", "first", "second", "n_first", "n_second", "clusters", "small")
_EFFECT = (
    *("verdict", "verdict_form", "verdict_reason", "p", "q"),
    *("paper_rule", "rule_matched", "verdict_paper_shift", "verdict_paper_shift_plain"),
)


def document(analysis: Analysis) -> dict[str, Any]:
    """Return the document: JSON types only, None where a number does not exist."""
    collection = analysis.collection
    return {
        "schema_version": SCHEMA_VERSION,
        "settings": {
            "replicates": analysis.replicates,
            "seed": analysis.seed,
            "confidence_level": CONFIDENCE_LEVEL,
            "small_below": SMALL,
        },
        "versions": versions(),
        "figures": {name: figure.meaning for name, figure in FIGURES.items()},
        "warnings": list(collection.warnings),
        "runs": [_run(analysis, run) for run in collection.runs],
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "refused": pair.refused,
                "notes": list(pair.notes),
                "levels": {} if pair.refused else _pair(analysis, pair.first, pair.second),
            }
            for pair in analysis.pairs
        ],
        **({"panels": _rows(panels)} if len(panels := analysis.tables["panels"]) else {}),
        **{name: _rows(analysis.tables[name]) for name in REAL_TABLES if name in analysis.tables},
        "other_results": [
            {
                "model": other.model,
                "task": other.task,
                "metric": other.metric,
                "value": plain(other.value),
                "stderr": plain(other.stderr),
                "path": str(other.path),
            }
            for other in collection.other_results
        ],
    }


def _run(analysis: Analysis, run: Run) -> dict[str, Any]:
    tables = {name: frame[frame["run"] == run.name] for name, frame in analysis.tables.items() if "run" in frame}
    named = {
        found.level: {
            "trials": found.trials,
            "accuracy": {"with": found.accuracy[0], "without": found.accuracy[1]},
            "calibration_shift": {"with": found.shift[0], "without": found.shift[1]},
        }
        for found in named_tier(run)
    }
    return {
        "name": run.name,
        "model": run.model,
        "integration": run.integration,
        "model_args": run.model_args,
        "family": run.family,
        "date": run.date,
        "elicitation": run.conditions["elicitation"],
        "conditions": {key: value for key, value in run.conditions.items() if key != "elicitation"},
        "warnings": list(run.warnings),
        "paths": [str(path) for path in run.paths],
        "levels": _levels(tables["nodes"], tables["figures"]),
        "changes": _changes(tables["changes"]),
        "dunning_kruger": _nested(
            tables["dunning_kruger"],
            ("comparison", "axis", "node"),
            _EFFECT,
        ),
        "contrasts": _nested(tables["contrasts"], ("axis", "contrast", "figure"), _CONTRAST),
        "operating_point": _operating_point(analysis.clinical[run.name].operating_point),
        "recalibration": _recalibration(tables["recalibration"], analysis.clinical[run.name].recalibration),
        "planning": None if (pilot := analysis.clinical[run.name].pilot) is None else pilot.as_json(),
        "cliffs": _nested(tables["cliffs"], ("axis", "node", "pairing"), ("verdict",), single=True),
        **({"flags": flags} if (flags := _flags(tables["flags"])) else {}),
        **({"option_named": named} if named else {}),
        **({"series": series_json(analysis.series[run.name])} if run.name in analysis.series else {}),
    }


def _levels(nodes: pd.DataFrame, figures: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in _dicts(nodes):
        place = found.setdefault(row["level"], {}).setdefault(row["axis"], {})
        place[row["node"]] = {
            **{key: plain(row[key]) for key in ("n", "n_scored", "clusters", "effective", "small")},
            "trials": json.loads(row["trials"]),
            "options": json.loads(row["options"]),
            "guesser": {
                key.removeprefix("guesser_"): plain(value) for key, value in row.items() if key.startswith("guesser_")
            },
            "figures": {},
        }
    for row in _dicts(figures):
        node = found[row["level"]][row["axis"]][row["node"]]
        more = [name for name in ("bound", "reason", *SHRUNKEN) if plain(row[name])]
        node["figures"][row["figure"]] = _interval(row, (*more, *(("n",) if row["n"] != node["n"] else ())))
    return found


def _changes(changes: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: defaultdict(dict))))
    for row in _dicts(changes):
        place = found[row["comparison"]][row["axis"]][row["node"]][row["pairing"]]
        place[row["figure"]] = _interval(row, _TESTED)
    return found


def _pair(analysis: Analysis, first: str, second: str) -> dict[str, Any]:
    def own(name: str) -> pd.DataFrame:
        frame = analysis.tables[name]
        rows: pd.DataFrame = frame[(frame["first"] == first) & (frame["second"] == second)]
        return rows

    rules = ("paper_rule", "less_accurate_more_confident")
    found = _nested(own("models_dunning_kruger"), ("level", "axis", "node"), rules)
    for row in _dicts(own("models")):
        axes = found.setdefault(row["level"], {}).setdefault(row["axis"], {})
        node = axes.setdefault(row["node"], dict.fromkeys(rules))
        node.setdefault("figures", {})[row["figure"]] = _interval(row, _TESTED)
    return found


def _rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table: of `panels` too many keys, and most of them empty, for a nest of dictionaries."""
    return [{name: plain(value) for name, value in row.items()} for row in _dicts(rows)]


def _operating_point(found: RunOperatingPoint) -> dict[str, Any]:
    return {
        "statement": found.text,
        **{"risk": found.risk, "confidence": 1 - found.alpha, "threshold": found.threshold},
        **{"error_bound": plain(found.bound), "fold_thresholds": list(found.fold_thresholds)},
        "levels": {
            row_level: {row["figure"]: _interval(row, ("bound", "n", "clusters", "small")) for row in rows}
            for row_level, rows in _by_level(operating_rows("", found)).items()
        },
    }


def _by_level(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["level"] is not None:
            found.setdefault(row["level"], []).append(row)
    return found


def _recalibration(rows: pd.DataFrame, found: RunRecalibration) -> dict[str, Any]:
    kept = [name for name in rows.columns if name not in ("run", "level", "method", "parameters", "reason")]
    return {
        **{"method": found.method, "reason": found.reason},
        "parameters": {name: plain(float(value)) for name, value in found.parameters.items()},
        "levels": {
            row["level"]: {name: plain(row[name]) for name in kept} for row in _dicts(rows) if plain(row["level"])
        },
    }


def _interval(row: Mapping[str, Any], more: Sequence[str]) -> dict[str, Any]:
    return {key: plain(row[key]) for key in ("estimate", "low", "high", *more)}


def _flags(frame: pd.DataFrame) -> dict[str, Any]:
    values = ("estimate", "low", "high", "bound", "reason", "always_flag", "never_flag", "n", "clusters", "small")
    return _nested(frame, ("set", "figure"), values)


def _nested(frame: pd.DataFrame, keys: Sequence[str], values: Sequence[str], *, single: bool = False) -> dict[str, Any]:
    """Return nested dictionaries by the values of `keys`; at the bottom the values, or the only one."""
    found: dict[str, Any] = {}
    for row in _dicts(frame):
        place = found
        for key in keys[:-1]:
            place = place.setdefault(row[key], {})
        bottom = {name: plain(row[name]) for name in values}
        place[row[keys[-1]]] = bottom[values[0]] if single else bottom
    return found


def _dicts(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def plain(value: Any) -> Any:
    """Return a value as JSON has it: NaN and missing values become None, numpy's numbers Python's."""
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value.item() if hasattr(value, "item") else value
