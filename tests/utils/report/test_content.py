"""The frames: their columns, what they say of the published models, and against sums made here."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.metrics import WHOLE
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import FRAMES, SCOPE, report_frames
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.paper_tables import OURS

from ..run_files import scored_levels, write_run


def test_frames_have_the_documented_columns(
    frames: dict[str, pd.DataFrame], clean_only: dict[str, pd.DataFrame]
) -> None:
    for found in (frames, clean_only):
        assert list(found) == list(FRAMES)
        assert {name: tuple(frame.columns) for name, frame in found.items()} == {
            name: kind.columns for name, kind in FRAMES.items()
        }
    # Of these runs none is of a wrapped task, of people or of an older version, could flag, or has a series.
    absent = {
        "readers",
        "typical_drop",
        "curves",
        "curve_points",
        "against",
        "flipped",
        "flags",
        "real_images",
        "real_ranks",
    }
    assert {name for name, frame in frames.items() if frame.empty} == absent


def test_published_rows_have_no_intervals(frames: dict[str, pd.DataFrame]) -> None:
    for name in ("table_6", "table_2", "table_3", "figure_5", "confidence_accuracy"):
        published = frames[name][frames[name]["origin"] != OURS]
        assert len(published) > 0
        invented = [column for column in published if column.endswith(("low", "high")) or column in ("n", "clusters")]
        assert published[invented].isna().all(axis=None), name
    assert set(frames["figure_5"]["origin"]) == {OURS, "published, digitised"}


def test_published_effect_within_models(frames: dict[str, pd.DataFrame]) -> None:
    effects = frames["dunning_kruger"]
    assert set(effects.loc[effects["origin"] == OURS, "pairing"]) == {"plain", "matched"}
    effects = effects[effects["origin"] != OURS]
    assert set(effects["pairing"]) == {"plain"}
    last = effects[effects["comparison"] == "L0_to_L2"]
    # 19 models, all whose points could be read off show it; InternVL2.5-MPO(38B) has no confidence at L0.
    assert len(last) == 19
    assert last.loc[last["paper_rule"].isna(), "model"].tolist() == ["InternVL2.5-MPO(38B)"]
    assert last["paper_rule"].dropna().tolist() == [True] * 18
    first = effects[effects["comparison"] == "L0_to_L1"]
    assert set(first.loc[first["shift_change"] < 0, "model"]) == {"InternVL2.5(26B)", "Claude-Sonnet-4.5"}


def test_without_published_only_runs(clean_only: dict[str, pd.DataFrame]) -> None:
    assert set(clean_only["table_6"]["origin"]) == {OURS}
    for name in ("dunning_kruger", "rank_change", "paired", "table_2", "table_3"):
        assert clean_only[name].empty, name


def test_paired_statements_agree_with_the_intervals(frames: dict[str, pd.DataFrame]) -> None:
    paired = frames["paired"]
    # One pair with three figures, two of another T with their accuracy, at three levels each.
    assert len(paired) == 9 + 6
    for row in paired.itertuples():
        assert row.within_noise == (row.low <= 0 <= row.high) == ("within noise" in row.statement)
    refused = frames["refused_pairs"]
    assert len(refused) == 2
    assert refused["reason"].str.contains("accuracy alone compares.*different numbers of trials T").all()


def test_a_report_needs_no_more_than_its_scope(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_run(tmp_path, scored_levels(20, seed=seed), model=f"m/{seed}")
    collection = read_runs([tmp_path])
    part, whole = (report_frames(analyse(collection, 100, scope=scope)) for scope in (SCOPE, WHOLE))
    for name, frame in part.items():
        pd.testing.assert_frame_equal(frame, whole[name])
    pages = [write_page(analyse(collection, 100, scope=scope), part, tmp_path).read_bytes() for scope in (SCOPE, WHOLE)]
    assert pages[0] == pages[1]


def test_ranks(frames: dict[str, pd.DataFrame]) -> None:
    ranks = frames["rank_change"]
    for level in ("l0", "l2"):
        accuracy = ranks[f"accuracy_{level}"]
        assert ranks[f"rank_{level}"].tolist() == [1 + int((accuracy > own).sum()) for own in accuracy]
    top = ranks[ranks["rank_l0"] == 1].iloc[0]
    assert (top["model"], top["rank_l2"]) == ("InternVL3-Instruct(78B)", 1)


def test_hierarchy_holds_each_item_once_a_tier(frames: dict[str, pd.DataFrame]) -> None:
    hierarchy, headline = frames["hierarchy"], frames["headline"]
    chosen = hierarchy[hierarchy["figure"] == "accuracy"]
    sizes = chosen.groupby(["model", "level", "tier"])["n"].sum()
    for row in headline.itertuples():
        assert sizes[row.model, row.level].tolist() == [row.n] * 3
    skills = chosen[(chosen["tier"] == "skill") & (chosen["skill"] != "unlabelled")]
    assert set(skills["task"]) <= set(chosen.loc[chosen["tier"] == "task", "task"])
    assert (hierarchy["small"] == (hierarchy["clusters"] < 30)).all()


def test_shift_is_confidence_minus_accuracy(frames: dict[str, pd.DataFrame]) -> None:
    headline = frames["headline"]
    difference = headline["confidence"] - headline["accuracy"]
    assert difference.to_numpy() == pytest.approx(headline["calibration_shift"].to_numpy(), abs=1e-8)
