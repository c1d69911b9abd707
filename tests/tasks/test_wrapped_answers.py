"""The same answer, as lmms-eval's own tasks of different kinds see it: only the items are ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lmms_eval.tasks
import pytest

from medqdeg.utils.wrapping.hooks import ITEM_ID, RECORD, WrappedTask, WrapSettings
from medqdeg.utils.wrapping.original import load_config, score_metrics

BUILTIN = Path(lmms_eval.tasks.__file__).parent

TEN = [{"answer": "two", "answer_confidence": "yes", "answer_id": number} for number in range(10)]

# file, item, groups of replies; a group is one answer to the task, the first the right one (empty: none is right)
FAMILIES: dict[str, tuple[str, dict[str, Any], list[list[str]]]] = {
    "slake": (
        "slake/slake_en.yaml",
        {"qid": 1, "question": "What modality?", "answer": "X-Ray", "q_lang": "en", "modality": "X-Ray"},
        [["X-Ray", "x ray", "X-Ray."], ["MRI", "mri", "M.R.I (brain)"][:2], ["CT"]],
    ),
    "slake, all wrong": (
        "slake/slake_en.yaml",
        {"qid": 1, "question": "What organ?", "answer": "Liver", "q_lang": "en", "modality": "CT"},
        [[], ["X-Ray", "x ray", "X-Ray."], ["CT"]],
    ),
    "vqav2": (
        "vqav2/vqav2_val.yaml",
        {"question_id": 1, "question": "How many?", "answers": TEN, "multiple_choice_answer": "two"},
        [["2", "two", "Two"], ["three", "3"], ["a lot", "lot"]],
    ),
    "textvqa": (
        "textvqa/textvqa_val.yaml",
        {"question_id": 1, "question": "How many?", "answers": ["two"] * 10, "ocr_tokens": []},
        [["2", "Two"], ["three", "3"], ["dog", "a dog"]],
    ),
    "ok_vqa": (
        "ok_vqa/ok_vqa_val2014.yaml",
        {"question_id": 1, "question": "What?", "answers": ["two"] * 10},
        [["2", "two"], ["three", "3"], ["dog", "the dog"]],
    ),
    "vizwiz": (
        "vizwiz_vqa/vizwiz_vqa_val.yaml",
        {"question_id": "1", "question": "How many?", "answers": ["two"] * 10, "category": "other"},
        [["2", "two"], ["three", "3"]],
    ),
    "gqa": (
        "gqa/gqa.yaml",
        {"question": "What?", "answer": "red", "imageId": "1"},
        [["Red", "red."], ["blue", "Blue"], ["the blue"]],
    ),
    "chartqa": (
        "chartqa/chartqa.yaml",
        {"question": "How much?", "answer": "12.5", "type": "human_test"},
        [["12.5", "12.6"], ["20", "20.1"], ["30"], ["a lung", "A lung"][:1]],
    ),
    "docvqa": (
        "docvqa/docvqa_val.yaml",
        {"questionId": 1, "question": "Who?", "answers": ["Dr. Low"], "question_types": []},
        [["Dr. Low", "dr. low"], ["Dr. High", "dr. high"], ["nobody"]],
    ),
    "infovqa": (
        "infovqa/infovqa_val.yaml",
        {"questionId": 1, "question": "Who?", "answers": ["Dr. Low", "Low"]},
        [["Dr. Low", "low"], ["Dr. High", "dr. high"]],
    ),
    "countbench": (
        "countbench/countbench.yaml",
        {"question": "How many?", "number": 4},
        [["4", "four"], ["5", "five"], ["many"]],
    ),
    "pixmo_count": (
        "pixmo_count/pixmo_count.yaml",
        {"question": "How many?", "answer": "4"},
        [["4", "There are 4"], ["5", "5 cells"], ["6"]],
    ),
    "mtvqa": (
        "mtvqa/mtvqa.yaml",
        {"question": "What?", "answer": "Leber", "category": "DE"},
        [["Leber", "die Leber"], ["Milz", "milz."], ["die Milz und das Herz"]],
    ),
    "simplevqa": (
        "simplevqa/simplevqa.yaml",
        {"question": "How many?", "answer": "two", "data_id": 1},
        [["2", "Two"], ["3", "three"]],
    ),
    "fsc147": (
        "fsc147/fsc147.yaml",
        {"question": "How many?", "count": 4, "answer": 4},
        [["4", "4 "], ["5", "5.0"][:1], ["6"]],
    ),
}


def _record(file: str, item: dict[str, Any], replies: list[str]) -> dict[str, Any]:
    path = BUILTIN / file
    settings = WrapSettings("task", str(path), "L0", (), None, tuple(score_metrics(load_config(path))))
    task = WrappedTask(settings)
    task.original.task.features = list(item)
    record = task.process_results({**item, ITEM_ID: "1"}, replies)[RECORD]
    assert record["error"] is None
    return record


@pytest.mark.parametrize("name", FAMILIES)
def test_replies_are_one_vote_where_the_task_takes_them_for_one(name: str) -> None:
    file, item, groups = FAMILIES[name]
    replies = [reply for group in groups for reply in group]
    record = _record(file, item, replies)
    votes = dict(zip(replies, record["votes"], strict=True))
    found = [{votes[reply] for reply in group} for group in groups if group]
    assert all(len(labels) == 1 for labels in found), votes
    assert len(set.union(*found)) == len(found), votes
    correct = dict(zip(replies, record["correct"], strict=True))
    assert [correct[reply] for reply in groups[0]] == [1.0] * len(groups[0])
    assert max(correct[reply] for group in groups[1:] for reply in group) < 1.0


def test_a_reply_that_reads_right_and_scores_0_is_told() -> None:
    item = {"question": "Is it red?", "answer": "yes", "imageId": "1"}
    record = _record("gqa/gqa.yaml", item, ["Yes", "Yes, it is", "no"])
    assert record["votes"] == ["yes", "yes", "no"]
    assert record["correct"] == [1.0, 0.0, 0.0]
    assert (record["right_vote"], record["right_votes_scored_0"]) == ("yes", 1)


def test_realworldqa_reads_an_option_otherwise_than_we_do() -> None:
    prompt = "What is it?\nA. a car\nB. a cyst\nC. a sign\nPlease answer directly with only the letter."
    record = _record("realworldqa/realworldqa.yaml", {"question": prompt, "answer": "B"}, ["B", "a cyst", "C"])
    assert record["votes"] == ["B", "B", "C"]
    assert record["right_votes_scored_0"] == record["correct"][:2].count(0.0)
