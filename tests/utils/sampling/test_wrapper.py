"""The wrapper around scripted models: what is asked, reused, missing, and told."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import torch

from medqdeg.utils.sampling.report import current_report

from . import scripted
from .conftest import Run, records, sampling

CHAT, SIMPLE = "inner=medqdeg_ScriptedChat", "inner=medqdeg_ScriptedSimple"


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    scripted.ASKED.clear()
    scripted.FAIL.clear()


@pytest.mark.parametrize("inner", [CHAT, SIMPLE])
def test_more_repeats_reuse_the_fewer(inner: str, evaluate: Run, tmp_path: Path) -> None:
    arguments = f"{inner},store={tmp_path}"
    three = evaluate(arguments, repeats=3)
    assert sampling(three)["trials"] == {"requested": 36, "asked": 36, "reused": 0, "failed": 0}
    assert set(Counter(scripted.ASKED).values()) == {3}
    scripted.ASKED.clear()
    ten = evaluate(arguments)
    assert sampling(ten)["trials"] == {"requested": 120, "asked": 84, "reused": 36, "failed": 0}
    assert set(Counter(scripted.ASKED).values()) == {7}
    assert [record["letters"] for record in records(three)] == [record["letters"][:3] for record in records(ten)]
    scripted.ASKED.clear()
    again = evaluate(arguments)
    assert not scripted.ASKED
    assert again["samples"] == ten["samples"]


def test_the_trials_differ_and_are_the_same_without_a_store(evaluate: Run, tmp_path: Path) -> None:
    kept, unkept = evaluate(f"{CHAT},store={tmp_path}"), evaluate(CHAT)
    assert records(kept) == records(unkept)
    assert all(record["distinct_replies"] > 1 for record in records(kept))
    other = evaluate(f"{CHAT},sampling_seed=1")
    assert [record["letters"] for record in records(other)] != [record["letters"] for record in records(kept)]


def test_no_global_random_state_changes(evaluate: Run) -> None:
    from lmms_eval.api.instance import Instance

    from medqdeg.utils.sampling.wrapper import ChatWrapper

    lm = ChatWrapper.create_from_arg_string(CHAT)
    doc = {"letters": ["A", "B"], "item_id": "1"}
    lm.task_dict = {"t": {"s": [doc]}}
    parts = ("", lambda doc: [{"role": "user", "content": []}], {"temperature": 1.0}, 0, "t", "s")
    request = Instance("generate_until", parts, 0, metadata={"task": "t", "doc_id": 0, "repeats": 5, "split": "s"})
    torch.manual_seed(5)
    before, python = torch.get_rng_state(), random.getstate()
    lm.generate_until([request] * 5)
    assert torch.equal(before, torch.get_rng_state())
    assert python == random.getstate()
    assert parts[2] == {"temperature": 1.0}, "an integration changed the task's own arguments"


@pytest.mark.parametrize("change", ["flavour=other", "identity=other", "max_new_tokens=5"])
def test_another_model_shares_no_answers(change: str, evaluate: Run, tmp_path: Path) -> None:
    evaluate(f"{CHAT},store={tmp_path}", repeats=2)
    other = evaluate(f"{CHAT},store={tmp_path},{change}", repeats=2)
    assert sampling(other)["trials"]["reused"] == 0


@pytest.mark.parametrize("same", ["batch_size=4", "device=cpu", "timeout=60", "api_key=other"])
def test_what_decides_no_answer_is_no_identity(same: str, evaluate: Run, tmp_path: Path) -> None:
    evaluate(f"{CHAT},store={tmp_path}", repeats=2)
    assert sampling(evaluate(f"{CHAT},store={tmp_path},{same}", repeats=2))["trials"]["asked"] == 0


def test_other_arguments_and_other_tasks_share_no_answers(evaluate: Run, tmp_path: Path) -> None:
    evaluate(f"{CHAT},store={tmp_path}", repeats=2)
    colder = evaluate(f"{CHAT},store={tmp_path}", repeats=2, gen_kwargs="temperature=0.5")
    assert sampling(colder)["trials"]["reused"] == 0
    stated = evaluate(f"{CHAT},store={tmp_path}", repeats=2, tasks=("medqdeg_l0_verbalized",))
    assert sampling(stated, "medqdeg_l0_verbalized")["trials"]["reused"] == 0


def test_temperature_0_is_told(evaluate: Run) -> None:
    results = evaluate(CHAT, repeats=2, gen_kwargs="temperature=0")
    assert "temperature 0" in sampling(results)["warnings"][0]


@pytest.mark.parametrize("raising", [False, True])
def test_a_failed_request_is_asked_again(raising: bool, evaluate: Run) -> None:
    scripted.FAIL.add(("medqdeg_l0", 3))
    results = evaluate(f"{CHAT},raising={raising}", repeats=3)
    assert sampling(results)["trials"] == {"requested": 36, "asked": 36, "reused": 0, "failed": 0}
    assert Counter(scripted.ASKED)["medqdeg_l0", 3] == 4
    assert records(results) == records(evaluate(f"{CHAT},raising={raising}", repeats=3)), (
        "asking later changed the answer"
    )


@pytest.mark.parametrize("raising", [False, True])
def test_what_fails_for_good_is_missing_and_asked_by_the_next_run(raising: bool, evaluate: Run, tmp_path: Path) -> None:
    scripted.FAIL.add(("medqdeg_l0", 3))
    arguments = f"{CHAT},store={tmp_path}"
    results = evaluate(f"{arguments},fail_always=True,raising={raising},identity=one", repeats=3)
    assert sampling(results)["trials"] == {"requested": 36, "asked": 33, "reused": 0, "failed": 3}
    record = records(results)[3]
    assert record["letters"] == ["missing"] * 3
    assert record["accuracy"] is None
    assert record["missing_rate"] == 1.0
    scripted.FAIL.clear()
    complete = evaluate(f"{arguments},fail_always=True,raising={raising},identity=one", repeats=3)
    assert sampling(complete)["trials"] == {"requested": 36, "asked": 3, "reused": 33, "failed": 0}
    assert records(complete)[3]["missing_rate"] == 0


def test_a_model_that_only_raises_ends_the_run_in_one_line(evaluate: Run) -> None:
    scripted.FAIL.update(("medqdeg_l0", place) for place in range(12))
    with pytest.raises(SystemExit, match=r"the first 10 requests all raised an error, .* out of memory"):
        evaluate(f"{CHAT},fail_always=True,raising=True")


def test_chunks_are_handed_over_together(evaluate: Run, tmp_path: Path) -> None:
    results = evaluate(f"{CHAT},store={tmp_path},chunk=7", repeats=3)
    assert sampling(results)["trials"]["asked"] == 36
    assert sampling(results)["seeded"] is False
    assert sampling(evaluate(f"{CHAT},store={tmp_path}", repeats=3))["trials"]["reused"] == 36


def test_a_stock_model_leaves_no_report(evaluate: Run) -> None:
    assert sampling(evaluate(CHAT, repeats=2))["inner"] == "medqdeg_ScriptedChat"
    assert sampling(evaluate("", model="medqdeg_ScriptedChat", repeats=2)) is None
    assert current_report() is None


def test_secrets_reach_neither_report_nor_store(evaluate: Run, tmp_path: Path) -> None:
    results = evaluate(f"{CHAT},store={tmp_path},api_key=sk-hush-hush,hf_token=tok-hush-hush", repeats=2)
    assert "hush" not in str(sampling(results))
    assert b"hush" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("store=x", "name the integration"),
        ("inner=medqdeg", "wrap the wrapper"),
        ("inner=nobody_knows", "no model that this lmms-eval knows"),
        (f"{CHAT},mode=guess", "mode=guess is unknown"),
        (f"{CHAT},mode=exact", "neither a transformers model nor"),
        (f"{CHAT},strict=maybe", "neither true nor false"),
        (f"{CHAT},strict=true", "cannot be seen"),
        (f"{CHAT},chunk=0", "at least 1"),
        (f"{CHAT},chunk=2,mode=exact", "one item at a time"),
        (f"{CHAT},min_letter_mass=2", "not in 0 to 1"),
        (f"{CHAT},store=/dev/null/x", "cannot be used"),
        ("inner=llava_hf,pretrained=/no/such/checkpoint", "could not be made"),
    ],
)
def test_what_cannot_work_ends_in_one_line(arguments: str, message: str, evaluate: Run) -> None:
    with pytest.raises(SystemExit) as stop:
        evaluate(arguments)
    assert message in str(stop.value)
    assert str(stop.value).startswith("medqdeg: ")
    assert "\n" not in str(stop.value)


def test_an_unexpected_error_of_ours_ends_in_one_line_and_not_in_status_0(
    evaluate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, trials: int) -> None:
        raise AttributeError("'tqdm' object has\nno attribute")

    monkeypatch.setattr("medqdeg.utils.sampling.progress.Progress.answer", broken)
    with pytest.raises(SystemExit, match="medqdeg: the run failed with an error that it does not expect") as stop:
        evaluate(CHAT, repeats=2)
    assert "\n" not in str(stop.value)


# --- What is seeded is seen ------------------------------------------------------------------------------


def test_draws_from_elsewhere_are_called_unseeded(evaluate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `async_openai`, `gemini` and others: nothing of this process decides."""
    assert sampling(evaluate(CHAT, repeats=2))["seeded"] is True
    elsewhere = random.Random(3)
    monkeypatch.setattr(scripted.torch, "randint", lambda high, size: elsewhere.randrange(high))
    found = sampling(evaluate(CHAT, repeats=2))
    assert found["seeded"] is False
    assert "not seeded" in str(found["warnings"])


def test_with_everything_reused_nothing_is_claimed(evaluate: Run, tmp_path: Path) -> None:
    evaluate(f"{CHAT},store={tmp_path}", repeats=2)
    assert sampling(evaluate(f"{CHAT},store={tmp_path}", repeats=2))["seeded"] is None
