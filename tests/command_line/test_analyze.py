"""`medqdeg analyze`: the files against each other, the documentation and the items; what it prints and refuses."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from medqdeg.utils.analysis.metrics import FIGURES
from medqdeg.utils.analysis.tables import TABLES
from medqdeg.utils.dataset.taxonomy import LEVELS
from medqdeg.utils.scoring.records import score_item

from ..utils.run_files import paired_documents, scored, scored_levels, write_run
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
        assert len(table) > 0 or name in ("panels", "flags"), "no people among the runs, and none could flag"
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
        # A studentised interval is not built around its estimate, but leaves it out only rarely.
        assert within.mean() > 0.98
        # Source questions of unequal size count for fewer than there are.
        assert tables[name].loc[tables[name]["clusters"] < 30, "small"].all()
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
        for name in ("verdict", "verdict_reason", "verdict_paper_shift"):
            assert found[name] == (None if pd.isna(getattr(row, name)) else getattr(row, name))
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
    # Another T: the share of right trials has the same expectation, confidence has not.
    assert pairs["first", "third"]["refused"] is None
    assert (
        "accuracy alone compares, confidence does not: different numbers of trials T"
        in pairs["first", "third"]["notes"][0]
    )
    compared = pairs["first", "third"]["levels"]["L1"]["overall"]["all"]
    assert set(compared["figures"]) == {"accuracy"}
    assert compared["paper_rule"] is None
    figures = tables["figures"].set_index(["run", "level", "axis", "node", "figure"])["estimate"]
    for row in tables["models"].itertuples():
        place = (row.level, row.axis, row.node, row.figure)
        difference = figures[(row.first, *place)] - figures[(row.second, *place)]
        assert row.estimate == pytest.approx(difference, abs=1e-8, nan_ok=True)
    # Two models of equal skill on 40 questions: the interval of the paired difference holds 0.
    overall = pairs["first", "second"]["levels"]["L1"]["overall"]["all"]["figures"]["accuracy"]
    assert overall["low"] < 0 < overall["high"]
    assert overall["p"] > 0.05


def test_other_tasks_are_listed(document: dict[str, Any]) -> None:
    (other,) = document["other_results"]
    assert (other["model"], other["task"], other["metric"], other["value"]) == (
        "second",
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
    data = frozenset(
        {*LEVELS, *(str(node) for node in tables["nodes"]["node"]), *tables["contrasts"]["contrast"]} - set(FIGURES)
    )
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
    assert "model-7B\nFrom L0 to L2 accuracy goes from " in captured.out
    assert "votes, T = " in captured.out
    assert "* fewer than 30 source questions" in captured.out
    printed = " ".join(captured.out.split())
    value = r" [+−]?\d+\.\d [\[(].*[\])]"
    change = ", ".join(f"{name}{value}" for name in ("accuracy", "gap", "confidence", "shift"))
    assert re.search(r"L0 to L2, plain \(level against level\): " + change, printed)
    assert re.search(r"L0 to L2, matched \(each degraded item against its own clean version\): " + change, printed)
    assert "Does overconfidence hold or grow as accuracy falls? No verdict: too few source questions." in printed
    assert "No threshold keeps L0 error below 5% with 90% confidence (best upper bound" in printed
    assert f"{2 * len(TABLES) + 1} files in {tmp_path / 'out'}, analysis.json among them" in captured.out


def test_rule_and_figures_of_a_line_are_of_the_same_pairing(
    document: dict[str, Any], tables: dict[str, pd.DataFrame]
) -> None:
    changes = tables["changes"].set_index(["run", "comparison", "axis", "node", "pairing", "figure"])["estimate"]
    told_apart = set()
    for row in tables["dunning_kruger"].itertuples():
        for pairing, rule in (("plain", row.paper_rule), ("matched", row.rule_matched)):
            place = (row.run, row.comparison, row.axis, row.node, pairing)
            accuracy, shift = (changes.get((*place, name)) for name in ("accuracy", "calibration_shift"))
            if accuracy is None or pd.isna(accuracy):
                assert pd.isna(rule)
            elif abs(accuracy) > 1e-8 and abs(shift) > 1e-8:
                assert rule == (accuracy < 0 <= shift)
        told_apart.add((row.paper_rule, row.rule_matched))
    assert {(True, False), (False, True)} & told_apart
    run = document["runs"][0]
    assert run["dunning_kruger"]["L0_to_L2"]["overall"]["all"]["rule_matched"] in (True, False)


def test_a_question_with_several_clean_items_is_not_called_the_item_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = scored_levels(8, seed=4)
    for records in levels.values():
        for record in records:
            record |= {"source_question_id": f"text:{int(record['item_id'][:4]) // 2}", "source_question_rule": "text"}
    write_run(tmp_path / "in", levels)
    _analyze(monkeypatch, tmp_path / "in", "--out", tmp_path / "out", "--replicates", "100")
    printed = capsys.readouterr().out
    assert "matched (each degraded item against the mean of its source question's clean items)" in printed
    assert "own clean version" not in printed


@pytest.mark.usefixtures("as_svg_alone")
@pytest.mark.parametrize("lost", [("L1",), ("L0",), ("L0", "L1", "L2")])
def test_a_level_without_any_answer_is_analysed_like_the_others(
    lost: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = paired_documents(8, seed=0)
    failed = ["[LMMS_EVAL_REQUEST_FAILED] timeout"] * 3
    levels = {
        level: [dict(score_item(doc, failed)) for doc in items] if level in lost else scored(items, seed=1)
        for level, items in docs.items()
    }
    write_run(tmp_path / "in", levels)
    _analyze(monkeypatch, tmp_path / "in", "--out", tmp_path / "out", "--replicates", "100")
    assert exit_status(monkeypatch, "report", tmp_path / "in", "--out", tmp_path / "report", "--replicates", "100") == 0
    captured = capsys.readouterr()
    assert "trials are missing because their requests failed" in captured.err
    assert "nan" not in captured.out
    document = json.loads((tmp_path / "out" / "analysis.json").read_text())
    found = document["runs"][0]["levels"][lost[0]]["overall"]["all"]["figures"]
    assert (found["accuracy"]["estimate"], found["missing_rate"]["estimate"]) == (None, 1.0)


@pytest.mark.usefixtures("as_svg_alone")
def test_hostile_names_reach_neither_spreadsheet_nor_terminal_and_secrets_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("=cmd|' /C calc'!A0", "-2+3+cmd|'x'!A0", "\x1b]0;owned\x07\x1b[31mred\u202e")):
        folder = write_run(tmp_path / "in" / str(number), scored_levels(8, seed=number), model="m")
        path = next(folder.glob("*_results.json"))
        content = json.loads(path.read_text())
        content["model_name"] = name
        content["config"]["model_args"] = "model=m,apikey=hush-hush,base_url=https://me:hush-hush@host/v1"
        path.write_text(json.dumps(content))
    _analyze(monkeypatch, tmp_path / "in", "--out", tmp_path / "out", "--replicates", "100")
    arguments = ("--out", tmp_path / "report", "--replicates", "100", "--terminal", "--compare", "published")
    assert exit_status(monkeypatch, "report", tmp_path / "in", *arguments) == 0
    captured = capsys.readouterr()
    for character in ("\x1b", "\x07", "\u202e", "\r"):
        assert character not in captured.out + captured.err
    assert "[31mred" in captured.out
    tables = [*(tmp_path / "out").glob("*.csv"), *(tmp_path / "report").rglob("*.csv")]
    assert len(tables) > 25
    for path in tables:
        with path.open(newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert not cell.startswith(("=", "@", "+", "\t", "\r")), path.name
                    assert not cell.startswith("-") or float(cell) <= 0, path.name
    for path in tmp_path.rglob("*"):
        if path.is_file() and "in" not in path.relative_to(tmp_path).parts:
            assert b"hush" not in path.read_bytes(), path


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
