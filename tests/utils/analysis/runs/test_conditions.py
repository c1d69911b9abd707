"""Two runs under other conditions are refused as a pair, or compared with a note: one test per condition."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.conditions import CONDITIONS, differences
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import SCOPE, report_frames

from ...run_files import scored_levels, write_run

BASE: dict[str, Any] = {
    "prompt": "{{ question }}",
    "system_prompt": "",
    "num_fewshot": 0,
    "generation_kwargs": {"do_sample": True, "temperature": 1.0, "top_p": 1.0, "max_new_tokens": 1024, "until": []},
    "harness": "lmms-eval",
    "versions": {"medqdeg": "0.1.0", "torch": "2.14.1"},
    "through_wrapper": True,
    "message_form": "chat",
    "images_differ": [],
    "image_arguments": "",
}
REFUSED = [
    ({"prompt": "{{ question }} Think."}, "different prompts"),
    ({"system_prompt": "You are a radiologist."}, "different system prompts"),
    ({"num_fewshot": 2}, "different numbers of examples: 0 against 2"),
    ({"generation_kwargs": {"temperature": 0.7}}, "temperature 1.0 against 0.7"),
    ({"generation_kwargs": {"temperature": 0}}, "temperature 1.0 against 0"),
    ({"generation_kwargs": {"do_sample": False}}, "temperature 1.0 against 0"),
    ({"generation_kwargs": {"top_p": 0.9}}, "top_p 1.0 against 0.9"),
    ({"generation_kwargs": {"top_k": 50}}, "top_k unset against 50"),
    ({"generation_kwargs": {"repetition_penalty": 1.1}}, "repetition_penalty unset against 1.1"),
]
NOTED = [
    ({"generation_kwargs": {"max_new_tokens": 16}}, "max_new_tokens 1024 against 16"),
    ({"generation_kwargs": {"until": ["\n\n"]}}, "replies bounded differently: until"),
    ({"harness": "lm-eval"}, "different harnesses: lmms-eval against lm-eval"),
    ({"versions": {"medqdeg": "0.2.0"}}, "answers read by different versions of medqdeg: 0.1.0 against 0.2.0"),
    ({"through_wrapper": False, "message_form": None, "images_differ": None}, "only one ran through --model medqdeg"),
    ({"message_form": "simple"}, "messages in different forms: chat against simple"),
    ({"images_differ": ["images are resized"]}, "images of one of the two do not arrive as they are"),
    ({"image_arguments": "max_pixels=50176"}, "images handled differently: defaults against max_pixels=50176"),
    ({"prompt": None, "generation_kwargs": None}, "unknown of one of the two: prompt, generation_kwargs"),
]


def _changed(changes: dict[str, Any]) -> dict[str, Any]:
    conditions = copy.deepcopy(BASE)
    for name, value in changes.items():
        if name == "generation_kwargs" and value is not None:
            conditions[name] |= value
        else:
            conditions[name] = value
    return conditions


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_refused(changes: dict[str, Any], reason: str) -> None:
    found = differences(BASE, _changed(changes), "votes")
    assert len(found.refusals) == 1
    assert reason in found.refusals[0]
    assert differences(_changed(changes), BASE, "votes").refusals
    assert not differences(_changed(changes), _changed(changes), "votes").refusals


@pytest.mark.parametrize(("changes", "note"), NOTED)
def test_noted(changes: dict[str, Any], note: str) -> None:
    found = differences(BASE, _changed(changes), "votes")
    assert found.refusals == ()
    assert len(found.notes) == 1
    assert note in found.notes[0]
    assert differences(_changed(changes), BASE, "votes").notes


def test_every_condition_is_compared() -> None:
    assert set(CONDITIONS) - set(BASE) == {
        "gen_kwargs",
        "limit",
    }  # within generation_kwargs; of items, which are compared
    assert {name for changes, _ in (*REFUSED, *NOTED) for name in changes} == set(BASE)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"do_sample": False, "temperature": 0.0}, {"do_sample": True, "temperature": 0}),
        ({"max_gen_toks": 1024, "temperature": 1.0}, {"max_new_tokens": 1024, "do_sample": True}),
        ({"temperature": 1}, {"temperature": 1.0, "top_p": 1.0, "num_beams": 1}),
    ],
)
def test_the_same_in_other_words_is_the_same(first: dict[str, Any], second: dict[str, Any]) -> None:
    found = differences({**BASE, "generation_kwargs": first}, {**BASE, "generation_kwargs": second}, "votes")
    assert found.refusals == found.notes == ()


def test_probabilities_read_off_the_model_have_no_temperature() -> None:
    assert not differences(BASE, _changed({"generation_kwargs": {"temperature": 0.2}}), "exact").refusals


def _change(folder: Path, change: Any) -> None:
    (path,) = folder.glob("*_results.json")
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _temperature(content: dict[str, Any]) -> None:
    for config in content["configs"].values():
        config["generation_kwargs"]["temperature"] = 0.2


def _system(content: dict[str, Any]) -> None:
    content["system_instruction"] = "You are a radiologist."


def _system_argument(content: dict[str, Any]) -> None:
    content["config"]["model_args"] += ",system_prompt=You are a radiologist."


def _prompt(content: dict[str, Any]) -> None:
    for scores in content["results"].values():
        scores["medqdeg,votes"]["prompt"] += " Think."


def _pixels(content: dict[str, Any]) -> None:
    content["config"]["model_args"] += ",max_pixels=50176"


def _reader(content: dict[str, Any]) -> None:
    for scores in content["results"].values():
        scores["medqdeg,votes"]["versions"] = {"medqdeg": "9.0"}


def _findings(content: dict[str, Any]) -> None:
    for scores in content["results"].values():
        scores["medqdeg,votes"]["sampling"] = {"form": "chat", "images": {"findings": ["images are resized"]}}


def _wrapped(content: dict[str, Any]) -> None:
    for scores in content["results"].values():
        scores["medqdeg,votes"]["sampling"] = {"form": "chat", "images": {"findings": []}}


@pytest.mark.parametrize(
    ("both", "change", "refused", "noted"),
    [
        (None, None, None, None),
        (None, _temperature, "sampled differently: temperature 1.0 against 0.2", None),
        (None, _system, "different system prompts", None),
        (None, _system_argument, "different system prompts", None),
        (None, _prompt, "different prompts", None),
        (None, _pixels, None, "images handled differently"),
        (_wrapped, _findings, None, "do not arrive as they are"),
        (None, _reader, None, None),
    ],
)
def test_conditions_come_from_the_files(
    both: Any, change: Any, refused: str | None, noted: str | None, tmp_path: Path
) -> None:
    for number, model in enumerate(("a/first", "b/second")):
        folder = write_run(tmp_path / model[0], scored_levels(8, seed=number), model=model)
        if both:
            _change(folder, both)
        if number and change:
            _change(folder, change)
    analysis = analyse(read_runs([tmp_path]), 100, scope=SCOPE)
    (pair,) = analysis.pairs
    assert (pair.refused is None) == (refused is None)
    assert refused is None or refused in pair.refused
    assert bool(pair.notes) == bool(noted)
    assert noted is None or noted in pair.notes[0]
    lines = list(report_frames(analysis)["notes"]["note"])
    assert noted is None or any(line.startswith("first and second: ") and noted in line for line in lines)
