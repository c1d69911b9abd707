"""Which tasks are refused, and why; built-in ones are loaded without data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")

import lmms_eval.tasks

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.wrapping.original import Original, TaskEntry, load_config, score_metrics
from medqdeg.utils.wrapping.wrappable import refusal, refusal_of_config

BUILTIN = Path(lmms_eval.tasks.__file__).parent


def builtin(relative: str) -> TaskEntry:
    return TaskEntry(Path(relative).stem, "task", BUILTIN / relative)


@pytest.mark.parametrize(
    "file",
    [
        *("pope/pope.yaml", "scienceqa/scienceqa_img.yaml", "chartqa/chartqa.yaml", "muirbench/muirbench.yaml"),
        *("ai2d/ai2d.yaml", "mmmu/mmmu_val.yaml", "gqa/gqa.yaml"),
    ],
)
def test_built_in_tasks_that_can_be_wrapped(file: str) -> None:
    assert refusal(builtin(file)) is None


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("nocaps/nocaps_val.yaml", "free text"),
        ("refcoco/refcoco_bbox_val.yaml", "free text|boxes"),
        ("vqav2/vqav2_test.yaml", "handed in"),
        ("mmvet/mmvet.yaml", "judged"),
        ("gsm8k/gsm8k.yaml", "no images"),
        ("llava-in-the-wild/llava-in-the-wild.yaml", "judged"),
        ("vibe_eval/vibe_eval.yaml", "judged"),
        ("coco_cap_chair/coco_cap_chair.yaml", "free text"),
        ("screenspot_v2/screenspot_v2.yaml", "boxes or points"),
        ("where2place/where2place.yaml", "boxes or points"),
    ],
)
def test_built_in_tasks_that_cannot(file: str, reason: str) -> None:
    assert re.search(reason, str(refusal(builtin(file))))


def see(doc: dict[str, Any]) -> list[Any]:
    return [doc["image"]]


def see_nothing(doc: dict[str, Any]) -> list[Any]:
    return []


def see_video(doc: dict[str, Any]) -> list[Any]:
    return [doc["video_path"] + ".mp4"]


def hear(doc: dict[str, Any]) -> list[Any]:
    return [doc["audio"]]


def ask_gpt(question: str) -> str:
    return question


def judged(doc: dict[str, Any], results: list[str]) -> dict[str, float]:
    return {"acc": float(ask_gpt(results[0]) == "yes")}


def hand_in(results: list[Any], args: Any) -> None: ...


def config(**changes: Any) -> dict[str, Any]:
    return {
        "doc_to_visual": see,
        "doc_to_text": "question",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output_type": "generate_until_multi_round"}, "several rounds"),
        ({"output_type": "multiple_choice"}, "likelihoods"),
        ({"repeats": 64}, "several times itself"),
        ({"dataset_kwargs": {"video": True}}, "videos"),
        ({"doc_to_visual": see_video}, "videos"),
        ({"doc_to_visual": hear}, "sounds"),
        ({"doc_to_visual": see_nothing}, "no images"),
        ({"doc_to_visual": None}, "no images"),
        ({"process_results": judged}, "judged by another model or service (ask_gpt)"),
        ({"metric_list": [{"metric": "CIDEr", "aggregation": "mean"}]}, "free text"),
        ({"metric_list": [{"metric": "x_IoU", "aggregation": "mean"}]}, "boxes"),
        ({"metric_list": [{"metric": "submission", "aggregation": hand_in}]}, "handed in"),
        ({"class": object}, "Python class"),
    ],
)
def test_refusals(changes: dict[str, Any], reason: str) -> None:
    assert refusal_of_config(config(), Path(__file__)) is None
    assert reason in str(refusal_of_config(config(**changes), Path(__file__)))


def test_a_file_that_does_not_load_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("task: broken\nprocess_results: !function nowhere.at_all\n")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_config(tmp_path / "broken.yaml")
    reason = refusal(TaskEntry("broken", "task", tmp_path / "broken.yaml"))
    assert reason == "it needs a Python package that is not installed (nowhere)"
    (tmp_path / "broken.yaml").write_text("task: broken\nprocess_results: !function json.at_all\n")
    assert str(refusal(TaskEntry("broken", "task", tmp_path / "broken.yaml"))).startswith("its file cannot be loaded (")


def test_groups_and_classes_are_refused() -> None:
    assert "group" in str(refusal(TaskEntry("mmmu", "group", None)))
    assert "Python class" in str(refusal(TaskEntry("x", "python_task", Path("x.yaml"))))


def test_scores_are_the_metrics_that_say_what_is_right() -> None:
    metrics = [
        {"metric": "submission", "aggregation": hand_in},
        {"metric": "wrongness", "aggregation": "mean", "higher_is_better": False},
        {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
    ]
    assert score_metrics(config(metric_list=metrics)) == ["acc"]


@pytest.mark.parametrize(
    ("value", "score"), [(1.0, 1.0), (True, 1.0), ({"score": 0.25, "other": 3}, 0.25), ({"right": 1}, 0.5)]
)
def test_correctness_of_one_reply(value: Any, score: float) -> None:
    original = object.__new__(Original)

    class Task:
        def aggregation(self) -> dict[str, Any]:
            return {"acc": lambda values: 50.0 * len(values)}

    original.task = Task()
    assert original.correctness({"acc": value}, "acc") == score


def test_a_score_out_of_range_says_what_to_do() -> None:
    original = object.__new__(Original)
    with pytest.raises(ValueError, match="choose another metric with --score"):
        original.correctness({"total": 170.0}, "total")
