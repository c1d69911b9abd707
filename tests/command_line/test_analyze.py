"""`medqdeg analyze`: the files against each other, the documentation and the items; what it prints and refuses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from medqdeg.utils.analysis.figures import FIGURES
from medqdeg.utils.analysis.tables import TABLES
from medqdeg.utils.taxonomy import LEVELS

from ..utils.run_files import scored_levels, write_run
from .calling import exit_status


def _analyze(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert exit_status(monkeypatch, "analyze", *arguments) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models: two on the same items, one with another T."""
    folder = tmp_path_factory.mktemp("results")
    write_run(folder, scored_levels(40, seed=1), model="a/first")
    write_run(folder, scored_levels(40, seed=2), model="b/second", others={"mmmu": {"mmmu_acc,none": 0.4}})
    write_run(folder, scored_levels(40, seed=3, trials=3), model="c/third")
    return folder


@pytest.fixture(scope="module")
def out(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "analysis"
    with pytest.MonkeyPatch.context() as patch:
        _analyze(patch, folder, "--out", out, "--replicates", "200")
    return out


@pytest.fixture(scope="module")
def document(out: Path) -> dict[str, Any]:
    return json.loads((out / "analysis.json").read_text(), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


@pytest.fixture(scope="module")
def tables(out: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(out / f"{name}.parquet") for name in TABLES}


def test_every_table_is_there_twice(out: Path, tables: dict[str, pd.DataFrame]) -> None:
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {"analysis.json", *(f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet"))}
    for name, table in tables.items():
        assert list(table.columns) == list(TABLES[name])
        assert len(table) > 0
        from_csv = pd.read_csv(out / f"{name}.csv", low_memory=False)
        assert list(from_csv.columns) == list(TABLES[name])
        assert len(from_csv) == len(table)
        for column in table.select_dtypes("float"):
            assert from_csv[column].to_numpy() == pytest.approx(table[column].to_numpy(), nan_ok=True, abs=1e-12)


def test_figures_are_those_of_the_items(tables: dict[str, pd.DataFrame]) -> None:
    items, figures = tables["items"], tables["figures"]
    for axis in ("modality", "degradation", "task"):
        for name in ("accuracy", "calibration_shift", "shift_james_stein", "agreement", "brier", "top_share"):
            expected = items.groupby(["run", "level", axis])[name].mean().dropna()
            chosen = figures[(figures["axis"] == axis) & (figures["figure"] == name)]
            found = chosen.set_index(["run", "level", "node"])["estimate"].dropna()
            assert set(found.index) == set(expected.index)
            assert found.loc[expected.index].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-8)


def test_intervals_hold_their_estimates_and_small_nodes_are_marked(tables: dict[str, pd.DataFrame]) -> None:
    for name in ("figures", "changes", "models", "risk_coverage"):
        table = tables[name].dropna(subset=["low"])
        assert (table["low"] <= table["high"]).all()
        within = (table["low"] <= table["estimate"] + 1e-9) & (table["estimate"] <= table["high"] + 1e-9)
        # A studentised or bias-aware interval is not built around its estimate, but leaves it out only rarely.
        assert within.mean() > 0.98
        assert (tables[name]["small"] == (tables[name]["clusters"] < 30)).all()
    assert tables["figures"]["small"].any()
    assert not tables["figures"]["small"].all()
    single = tables["figures"][tables["figures"]["clusters"] < 2]
    assert single["low"].isna().all()


def test_every_node_states_its_conditions(tables: dict[str, pd.DataFrame]) -> None:
    nodes = tables["nodes"]
    assert set(nodes["elicitation"]) == {"votes"}
    for row in nodes.itertuples():
        for mix in (row.trials, row.options):
            assert sum(json.loads(mix).values()) == row.n
    items = tables["items"]
    own = items[(items["run"] == "third") & (items["level"] == "L1") & items["confidence"].notna()]
    node = nodes[(nodes["run"] == "third") & (nodes["level"] == "L1") & (nodes["axis"] == "overall")].iloc[0]
    expected = (own["guesser_confidence"] - 1 / own["k"]).mean()
    assert node["guesser_shift"] == pytest.approx(expected, abs=1e-8)


def test_the_document_says_what_the_tables_say(document: dict[str, Any], tables: dict[str, pd.DataFrame]) -> None:
    runs = {run["name"]: run for run in document["runs"]}
    assert set(runs) == {"first", "second", "third"}
    for row in tables["figures"].itertuples():
        found = runs[row.run]["levels"][row.level][row.axis][row.node]["figures"][row.figure]
        assert found["estimate"] == (None if math.isnan(row.estimate) else row.estimate)
        assert found["low"] == (None if math.isnan(row.low) else row.low)
    for row in tables["changes"].itertuples():
        found = runs[row.run]["changes"][row.comparison][row.axis][row.node][row.pairing][row.figure]
        assert found["high"] == (None if math.isnan(row.high) else row.high)
        assert found["small"] is row.small
    for row in tables["dunning_kruger"].itertuples():
        found = runs[row.run]["dunning_kruger"][row.comparison][row.axis][row.node]
        assert found["verdict_matched"] == (None if pd.isna(row.verdict_matched) else row.verdict_matched)
        if row.axis == "overall":
            levels = [
                runs[row.run]["levels"][level]["overall"]["all"]["figures"] for level in ("L0", row.comparison[-2:])
            ]
            clean, degraded = ({name: level[name]["estimate"] for name in FIGURES} for level in levels)
            falls = clean["accuracy"] > degraded["accuracy"]
            assert found["paper_rule"] is (falls and clean["calibration_shift"] <= degraded["calibration_shift"])


def test_pairs_are_compared_or_refused_with_the_reason(
    document: dict[str, Any], tables: dict[str, pd.DataFrame]
) -> None:
    pairs = {(pair["first"], pair["second"]): pair for pair in document["pairs"]}
    assert set(pairs) == {("first", "second"), ("first", "third"), ("second", "third")}
    assert pairs["first", "second"]["refused"] is None
    assert pairs["first", "third"]["refused"].startswith("different numbers of trials T (T -> items): {10: ")
    assert pairs["first", "third"]["levels"] == {}
    figures = tables["figures"].set_index(["run", "level", "axis", "node", "figure"])["estimate"]
    for row in tables["models"].itertuples():
        place = (row.level, row.axis, row.node, row.figure)
        difference = figures[("first", *place)] - figures[("second", *place)]
        assert row.estimate == pytest.approx(difference, abs=1e-8, nan_ok=True)
    # Two models of equal skill on 40 questions: the interval of the paired difference holds 0.
    overall = pairs["first", "second"]["levels"]["L1"]["overall"]["all"]["figures"]["accuracy"]
    assert overall["low"] < 0 < overall["high"]
    assert overall["p"] > 0.05


def test_other_tasks_are_listed(document: dict[str, Any]) -> None:
    (other,) = document["other_results"]
    assert (other["model"], other["task"], other["metric"], other["value"]) == (
        "b/second",
        "mmmu",
        "mmmu_acc,none",
        0.4,
    )


def _keys(value: Any, data: frozenset[str]) -> Iterator[str]:
    """Every key that is a name of ours, not a name from the data (a run's conditions and versions are their own)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in data:
                yield key
            if key not in ("versions", "generation_kwargs", "trials", "options", "source_question_rule"):
                yield from _keys(inner, data)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, data)


def test_everything_that_is_written_is_documented(
    document: dict[str, Any], tables: dict[str, pd.DataFrame], repository: Path
) -> None:
    text = (repository / "docs" / "analysis.md").read_text()
    data = frozenset({*LEVELS, *(str(node) for node in tables["nodes"]["node"])} - set(FIGURES))
    named = set(re.findall(r"`(\w+)`", text))
    assert set(_keys(document, data)) - named == set()
    columns = {column for names in TABLES.values() for column in names}
    assert {*columns, *TABLES} - named - {"run"} == set()
    for name, figure in FIGURES.items():
        assert f"| `{name}` | {figure.meaning} |" in text


def test_headline_and_warnings_are_printed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limited = tmp_path / "limited"
    levels = scored_levels(8, seed=4)
    write_run(limited, {level: levels[level] for level in ("L0", "L2")}, limit=8, original=99)
    _analyze(monkeypatch, limited, "--out", tmp_path / "out", "--replicates", "100")
    captured = capsys.readouterr()
    assert "no items of L1: what needs them is left out" in captured.err
    assert "run with --limit 8" in captured.err
    assert "model-7B: votes, T = " in captured.out
    assert "* fewer than 30 source questions" in captured.out
    assert re.search(r"L0 to L2, each item against its own: accuracy [+-]0\.\d{3} \[", captured.out)
    assert f"21 files in {tmp_path / 'out'}, analysis.json among them" in captured.out


def test_the_same_input_gives_the_same_bytes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        _analyze(monkeypatch, folder / "a__first", "--out", tmp_path / name, "--replicates", "100", "--seed", "5")
    for path in sorted((tmp_path / "one").glob("[!.]*")):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: folder / "absent", "does not exist"),
        (lambda folder: folder, "no lmms-eval results"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    prepare: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_status(monkeypatch, "analyze", prepare(tmp_path), "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
