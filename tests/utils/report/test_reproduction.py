"""Synthetic runs whose answers are drawn to match the paper give the paper's tables back.

Answers match to half a trial, so that a run of any size tells whether a table is computed as the paper's. The default
takes an eighth of the paper's 24,894 items; `slow` takes all.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.published.results import PublishedModel, published_models
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.dataset.composition import PAPER_CLEAN_ITEMS, PAPER_DEGRADED_ITEMS, PAPER_SKILLS
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.paper_tables import AVERAGE, OURS
from medqdeg.utils.scoring.records import score_item

from ..record_examples import LETTERS, document
from ..run_files import write_run

TRIALS = 3
MODELS = {model.name: model for model in published_models()}
SIZES = [8, pytest.param(1, marks=pytest.mark.slow)]
"""The paper's size divided by this."""


def _documents(seed: int, divisor: int) -> list[dict[str, Any]]:
    """Two or three degradations of each clean item, at both levels, as many as the paper has or a part of them."""
    rng = np.random.default_rng(seed)
    items = PAPER_CLEAN_ITEMS // divisor
    skills = rng.choice(list(PAPER_SKILLS), items, p=np.array([*PAPER_SKILLS.values()]) / 21_587)
    with_three = PAPER_DEGRADED_ITEMS // divisor - 2 * items
    docs = []
    for number, skill in enumerate(skills):
        modality = str(rng.choice(taxonomy.MODALITIES))
        own = {
            "modality": modality,
            "skill": str(skill),
            "source_question_id": f"q{number}",
            "answer": LETTERS[number % 4],
        }
        docs.append(document(item_id=f"{number}", level="L0", degradation=None, **own))
        for name in rng.permutation(taxonomy.degradations_for(modality))[: 2 + (number < with_three)]:
            for level in ("L1", "L2"):
                docs.append(document(item_id=f"{number}-{name}", level=level, degradation=str(name), **own))
    return docs


def _right_trials(strata: list[str], accuracy: dict[str, float], rng: np.random.Generator) -> list[int]:
    """Draw how many trials of each item are right, so that each stratum has its accuracy to within half a trial."""
    right = np.zeros(len(strata) * TRIALS, dtype=int)
    places = np.repeat(np.array(strata), TRIALS)
    for name, wanted in accuracy.items():
        own = np.flatnonzero(places == name)
        right[rng.choice(own, round(wanted * len(own)), replace=False)] = 1
    return right.reshape(-1, TRIALS).sum(axis=1).tolist()


def _records(docs: list[dict[str, Any]], right: list[int]) -> dict[str, list[dict[str, Any]]]:
    levels: dict[str, list[dict[str, Any]]] = {level: [] for level in taxonomy.LEVELS}
    for doc, count in zip(docs, right, strict=True):
        wrong = LETTERS[(LETTERS.index(doc["answer"]) + 1) % 4]
        replies = [doc["answer"]] * count + [wrong] * (TRIALS - count)
        levels[doc["level"]].append(dict(score_item(doc, replies)))
    return levels


def _frames(folder: Path, records: dict[str, list[dict[str, Any]]], model: str) -> dict[str, pd.DataFrame]:
    write_run(folder, records, model=model)
    return report_frames(analyse(read_runs([folder]), 100), published=True)


def _ours(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["origin"] == OURS].set_index("column")


@pytest.mark.parametrize("divisor", SIZES)
@pytest.mark.parametrize("name", ["GPT-5", "Hulu-Med(14B)"])
def test_table_6_comes_back_and_the_averages_follow_their_definitions(name: str, divisor: int, tmp_path: Path) -> None:
    model: PublishedModel = MODELS[name]
    docs = _documents(1, divisor)
    right = _right_trials([doc["level"] for doc in docs], dict(model.accuracy), np.random.default_rng(2))
    frames = _frames(tmp_path, _records(docs, right), "synthetic")
    ours = _ours(frames["table_6"])
    sizes = {"L0": 4306 // divisor, "L1": 10294 // divisor, "L2": 10294 // divisor}
    assert ours["n"].to_dict() == sizes
    half_a_trial = {level: 0.5 / (TRIALS * n) + 1e-9 for level, n in sizes.items()}
    for level, stated in model.accuracy.items():
        assert ours.at[level, "accuracy"] == pytest.approx(stated, abs=half_a_trial[level])
    for level in ("L1", "L2"):
        change = model.accuracy[level] - model.accuracy["L0"]
        assert ours.at[level, "change"] == pytest.approx(change, abs=half_a_trial["L0"] + half_a_trial[level])
    tasks, categories = _ours(frames["table_2"])["accuracy"], _ours(frames["table_3"])["accuracy"]
    assert tasks[AVERAGE] == pytest.approx(tasks.drop(AVERAGE).mean(), abs=1e-12)
    assert len(tasks) == 7
    assert categories[AVERAGE] == pytest.approx(ours.loc[["L1", "L2"], "accuracy"].mean(), abs=1e-9)
    # The paper prints thousandths.
    assert categories[AVERAGE] == pytest.approx(model.category_average.accuracy, abs=0.00105 + half_a_trial["L1"])
    # The matched change weighs each clean item by its degraded versions: the same sums, made here.
    frame = pd.DataFrame(docs).assign(accuracy=np.array(right) / TRIALS)
    clean = frame[frame["level"] == "L0"].set_index("source_question_id")["accuracy"]
    degraded = frame[frame["level"] != "L0"]
    own = degraded["accuracy"] - degraded["source_question_id"].map(clean)
    found = _ours(frames["table_3"])["change"]
    assert found[AVERAGE] == pytest.approx(own.mean(), abs=1e-9)
    by = own.groupby(degraded["degradation"].map(taxonomy.degradation_category)).mean()
    assert {node: found[node] for node in by.index} == pytest.approx(by.to_dict(), abs=1e-9)


@pytest.mark.parametrize("divisor", SIZES)
@pytest.mark.parametrize(
    ("table", "key"), [("table_2", lambda doc: taxonomy.task_of(doc["skill"])),
                       ("table_3", lambda doc: taxonomy.degradation_category(doc["degradation"] or "exposure"))]
)  # fmt: skip
def test_columns_of_tables_2_and_3_come_back(table: str, key: Any, divisor: int, tmp_path: Path) -> None:
    model = MODELS["Gemini-2.5-Pro"]
    stated = model.tasks if table == "table_2" else model.categories
    docs = _documents(3, divisor)
    strata = [f"{'clean ' if doc['level'] == 'L0' else ''}{key(doc)}" for doc in docs]
    wanted = {node: value.accuracy for node, value in stated.items()}
    wanted |= {f"clean {node}": value.accuracy - value.change for node, value in stated.items()}
    right = _right_trials(strata, wanted, np.random.default_rng(4))
    ours = _ours(_frames(tmp_path, _records(docs, right), "synthetic")[table])
    half_a_trial = {name: 0.5 / (TRIALS * n) + 1e-9 for name, n in Counter(strata).items()}
    for node, value in stated.items():
        assert ours.at[node, "accuracy"] == pytest.approx(value.accuracy, abs=half_a_trial[node])
        if table == "table_2":
            both = half_a_trial[node] + half_a_trial[f"clean {node}"]
            assert ours.at[node, "change"] == pytest.approx(value.change, abs=both)
    if table == "table_2":
        # The paper prints thousandths.
        mean = 0.001 + np.mean([half_a_trial[node] for node in stated])
        assert ours.at[AVERAGE, "accuracy"] == pytest.approx(model.task_average.accuracy, abs=mean)
