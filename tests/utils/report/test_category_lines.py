"""The categories under the headline: each item against its own clean version, and what each costs of the whole."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.dataset.taxonomy import degradation_category
from medqdeg.utils.report.category_lines import category_losses, print_categories
from medqdeg.utils.scoring.records import score_item

from ..run_files import paired_documents, scored_levels, write_run


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    folder: Path = tmp_path_factory.mktemp("results")
    docs = paired_documents(40, seed=0)
    clean = [dict(score_item(doc, [doc["answer"]] * 10)) for doc in docs["L0"]]
    write_run(folder, {**scored_levels(40, seed=1), "L0": clean}, model="a/first")
    return analyse(read_runs([folder]), 100, 0)


def test_they_are_the_items_own_changes(analysis: Analysis) -> None:
    run = analysis.collection.runs[0].name
    comparison, found = category_losses(analysis.tables["changes"], run)
    items = analysis.tables["items"]
    clean = items[items["level"] == "L0"].groupby("source_question_id")["accuracy"].mean()
    worse = items[items["level"] == "L2"].copy()
    worse["lost"] = worse["accuracy"] - worse["source_question_id"].map(clean)
    worse["category"] = worse["degradation"].map(degradation_category)
    expected = worse.groupby("category")["lost"].agg(["mean", "sum", "size"])
    assert comparison == "L0_to_L2"
    assert set(found["node"]) == set(expected.index)
    expected = expected.loc[found["node"]]
    assert found["accuracy"].to_numpy() == pytest.approx(expected["mean"].to_numpy(), abs=1e-8)
    assert list(found["n"]) == list(expected["size"])
    assert expected["sum"].sum() < 0
    assert found["share"].to_numpy() == pytest.approx((expected["sum"] / expected["sum"].sum()).to_numpy(), abs=1e-6)
    assert (np.diff(found["accuracy"]) >= 0).all()


def test_they_are_printed_with_their_share(analysis: Analysis) -> None:
    run = analysis.collection.runs[0].name
    out = StringIO()
    print_categories(Console(file=out, width=120), analysis.tables["changes"], run)
    _, found = category_losses(analysis.tables["changes"], run)
    lines = {line.strip().split("  ")[0]: line for line in out.getvalue().splitlines()}
    for row in found.itertuples():
        line = lines[row.node.replace("_", " ")]
        if np.isnan(row.low):  # too few questions for an interval
            assert f"{100 * row.accuracy:+.1f}  ".replace("-", "−") in line
            assert "[" not in line
        else:
            shown = f"{100 * row.accuracy:+.1f} [{100 * row.low:+.1f}, {100 * row.high:+.1f}]"
            assert shown.replace("-", "−") in line
        assert f"{100 * row.share:.1f}%" in line


def test_a_run_without_clean_items_prints_none(analysis: Analysis) -> None:
    changes = analysis.tables["changes"]
    out = StringIO()
    print_categories(Console(file=out), changes[changes["comparison"] == "L1_to_L2"], analysis.collection.runs[0].name)
    assert out.getvalue() == ""
