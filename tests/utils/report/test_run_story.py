"""The words at the head of the page: they agree with the tables, and every direction has its verb."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.phantoms.suite import SOURCE as PHANTOMS
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.note_ranks import ENDANGERS, LIMITS, identical_replies, ranked_notes
from medqdeg.utils.report.page import page_title, write_page
from medqdeg.utils.report.provenance import DRAWINGS, NOT_RECORDED, drawings_note, provenances
from medqdeg.utils.report.run_story import run_stories
from medqdeg.utils.scoring.records import score_item

from ..run_files import paired_documents, scored_levels, write_run


def _overconfident(folder: Path, wrong_at_l2: float, questions: int = 120) -> Analysis:
    """A run that votes with one voice: always right at L0 and L1, and wrong on a share of the questions at L2."""
    levels = {}
    for level, docs in paired_documents(questions, seed=0).items():
        records = []
        for doc in docs:
            number = int(doc["source_question_id"].removeprefix("index:"))
            bad = level == "L2" and number < wrong_at_l2 * questions
            letter = next(each for each in doc["letters"] if (each == doc["answer"]) != bad)
            replies = [letter] * 9 + [doc["answer"] if bad else letter]
            if number % 7 == 0:  # some doubt, or the votes of the run would not vary
                replies[0] = next(each for each in doc["letters"] if each != letter)
            records.append(dict(score_item(doc, replies)))
        levels[level] = records
    return analyse(read_runs([write_run(folder, levels)]), 100)


def test_a_model_that_fails_with_one_voice(tmp_path: Path) -> None:
    (story,) = run_stories(_overconfident(tmp_path, 0.5))
    figures = pd.concat([_overconfident(tmp_path, 0.5).tables["figures"]]).query("axis == 'overall'")
    accuracy = figures[figures["figure"] == "accuracy"].set_index("level")["estimate"]
    assert story.finding.startswith(f"From L0 to L2 accuracy falls from {100 * accuracy['L0']:.1f}%")
    assert f"to {100 * accuracy['L2']:.1f}% (−" in story.finding
    assert "overconfidence, as the agreement gap, grows from" in story.finding
    gap = figures[figures["figure"] == "agreement_gap"].set_index("level")
    low, high = (f"{100 * gap.at['L2', end]:+.1f}" for end in ("low", "high"))
    assert f" to {100 * gap.at['L2', 'estimate']:+.1f} [{low}, {high}] points." in story.small_print[0]
    assert story.small_print[0] not in " ".join(story.lines())
    assert story.verdict == "supported"
    assert "Supported (overconfidence grows)" in story.verdict_words
    assert "% [" in story.operating
    assert "of the answers at L2 are wrong" in story.operating


def test_a_change_that_is_not_the_difference_of_the_levels_says_why(tmp_path: Path) -> None:
    levels = scored_levels(40, seed=1)
    levels["L2"] = levels["L2"][::3]  # other items than at L0: the levels' own figures differ in their mix
    analysis = analyse(read_runs([write_run(tmp_path, levels)]), 100)
    (story,) = run_stories(analysis)
    accuracy = {level: sum(r["accuracy"] for r in rows) / len(rows) for level, rows in levels.items()}
    clean = {r["source_question_id"]: r["accuracy"] for r in levels["L0"]}
    matched = sum(r["accuracy"] - clean[r["source_question_id"]] for r in levels["L2"]) / len(levels["L2"])
    shown = [f"{100 * change:+.1f}".replace("-", "−") for change in (matched, accuracy["L2"] - accuracy["L0"])]
    assert shown[0] != shown[1]
    assert f"Why {shown[0]} and not {shown[1]} for accuracy" in story.small_print[-1]
    assert "its own clean version, which counts once for every such item" in story.small_print[-1]


def test_a_model_that_does_not_change(tmp_path: Path) -> None:
    (story,) = run_stories(_overconfident(tmp_path, 0.0))
    assert "a change that too few questions decide" in story.finding
    assert story.verdict != "supported"


def test_one_level_alone(tmp_path: Path) -> None:
    analysis = analyse(read_runs([write_run(tmp_path, {"L2": scored_levels(40, seed=1)["L2"]})]), 100)
    (story,) = run_stories(analysis)
    assert story.finding.startswith("At L2 accuracy is ")
    assert story.verdict == ""
    assert story.operating == "no items of L0, on which a threshold is chosen."


def test_provenance_says_what_is_recorded_and_what_is_not(tmp_path: Path) -> None:
    own = write_run(tmp_path, scored_levels(20, seed=1))
    path = next(own.glob("*_results.json"))
    content = json.loads(path.read_text())

    def rows() -> dict[str, str]:
        return dict(provenances(analyse(read_runs([tmp_path]), 100))[0].rows)

    before = rows()
    assert before["Command"] == before["Data set"] == NOT_RECORDED
    assert before["Items"].startswith("L0: 20 on 20 source questions; L1: ")
    key = "sk-abcdefgh12345678"
    for scores in content["results"].values():
        data = {"name": "owner/set", "revision": "abc"}
        scores["medqdeg,votes"]["origin"] = {"command": f"lm_eval --model_args api_key={key}", "data": data}
    content["config"]["model_args"] = f"pretrained=x,api_key={key}"
    path.write_text(json.dumps(content))
    after = rows()
    assert after["Data set"] == "owner/set, revision abc"
    assert after["Command"].startswith("lm_eval --model_args api_key=")
    assert "(" not in after["Command"]
    assert key not in str(after)
    assert "temperature 1.0" in after["Sampling"]
    analysis = analyse(read_runs([tmp_path]), 100)
    page = write_page(analysis, report_frames(analysis), tmp_path).read_text()
    assert key not in page
    assert "<title>model-7B on owner/set – MedQ-Deg report</title>" in page


def test_a_command_is_put_together_where_it_was_not_recorded(tmp_path: Path) -> None:
    own = write_run(tmp_path, scored_levels(12, seed=1))
    path = next(own.glob("*_results.json"))
    content = json.loads(path.read_text())
    called = {"model": "qwen", "model_args": "a=b,api_key=topsecret", "tasks": "medqdeg", "log_samples": True}
    content["config"]["resolved_cli_args"] = called
    path.write_text(json.dumps(content))
    (run,) = read_runs([tmp_path]).runs
    assert "topsecret" not in run.origin["command"]
    assert run.origin["command"].startswith("python -m lmms_eval --model qwen --model_args 'a=b,api_key=")
    assert run.origin["command"].endswith("--tasks medqdeg --log_samples")


def test_remarks_stand_beside_their_values(tmp_path: Path) -> None:
    own = write_run(tmp_path, scored_levels(12, seed=1))
    path = next(own.glob("*_results.json"))
    content = json.loads(path.read_text())
    content["config"] |= {"model_args": "inner=llava_hf,store=answers", "model_num_parameters": 7_000_000}
    called = {"model": "medqdeg", "tasks": "medqdeg", "timezone": "Asia/Singapore"}
    content["config"]["resolved_cli_args"] = called
    path.write_text(json.dumps(content))
    analysis = analyse(read_runs([tmp_path]), 100)
    (found,) = provenances(analysis)
    assert "; 7,000,000 parameters" in dict(found.rows)["Model"]
    assert "llava_hf" in found.notes["Model"]
    assert "replayed" in found.notes["Integration and arguments"]
    assert found.notes["Date"] == "when the evaluation began, by the clock of Asia/Singapore"
    assert found.notes["Command"] == "put together from the results file"
    line = "medqdeg report in --out <out>"
    page = write_page(analysis, report_frames(analysis), tmp_path, command=line).read_text()
    assert "<span>--tasks</span> <span>medqdeg</span></code>" in page
    assert "<span>--out</span> <span>&lt;out&gt;</span></code>" in page
    assert DRAWINGS not in page


def test_phantoms_are_said_to_be_drawings_before_any_figure(tmp_path: Path) -> None:
    levels = scored_levels(12, seed=1)
    for records in levels.values():
        for record in records:
            record["source"] = PHANTOMS
    write_run(tmp_path, levels)
    analysis = analyse(read_runs([tmp_path]), 100)
    page = write_page(analysis, report_frames(analysis), tmp_path).read_text()
    assert DRAWINGS in page[: page.index('<section id="severity"')]
    assert drawings_note(analysis.collection.runs) == f"{DRAWINGS}."
    assert drawings_note(()) == ""


def test_the_title_names_the_models() -> None:
    assert page_title(["a"], {"set"}) == "a on set"
    assert page_title(["a", "b", "c", "d", "e"], {"x", "y"}) == "a, b, c and 2 more"
    assert page_title(["a"], {""}) == "a"


def test_notes_are_ranked_by_what_they_endanger(tmp_path: Path) -> None:
    levels = scored_levels(20, seed=1)
    for record in levels["L2"]:
        record["letters"] = ["unread"] * 10
        record["read_as"] = [None] * 10
    for level in ("L0", "L1"):
        for record in levels[level]:
            record["letters"] = [record["letters"][0]] * 10
            record["distinct_replies"] = 1
    write_run(tmp_path, {level: levels[level] for level in ("L0", "L2")}, limit=20)
    analysis = analyse(read_runs([tmp_path]), 100)
    notes = report_frames(analysis)["notes"]
    ranked = ranked_notes(notes)
    ranks = [note.rank for note in ranked]
    assert ranks == sorted(ranks, key=[ENDANGERS, LIMITS, "Good to know"].index)
    texts = {note.text: note.rank for note in ranked}
    assert {rank for text, rank in texts.items() if "that can be read" in text} == {ENDANGERS}
    assert {rank for text, rank in texts.items() if "--limit" in text or "left out" in text} >= {LIMITS}
    assert not any("identical" in text for text in texts)
    assert len(identical_replies(notes)) == sum("identical on" in note for note in notes["note"])


@pytest.mark.parametrize(
    ("value", "shown"), [(0.7964, "79.6"), (-0.0001, "0.0"), (float("nan"), "–"), (-0.012, "−1.2")]
)
def test_per_cent_has_one_decimal_and_no_negative_zero(value: float, shown: str) -> None:
    from medqdeg.utils.report.units import percent

    assert percent(value) == shown
