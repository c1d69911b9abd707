"""lmms-eval's `vllm` integration around a stand-in for the engine that records what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from .conftest import Run, records, sampling

ENGINES: list[Engine] = []


class Parameters:
    """vLLM's `SamplingParams`, as far as it is asked."""

    def __init__(self, **given: Any) -> None:
        self.given = given
        self.seed = given.get("seed")


class Engine:
    """vLLM's `LLM`: answers with a letter that the seed alone decides.

    Attributes:
        calls: the sampling parameters of each conversation, call by call.
    """

    def __init__(self, **arguments: Any) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        ENGINES.append(self)

    def chat(self, messages: list[Any], sampling_params: Any, chat_template: Any = None) -> list[Any]:
        every = sampling_params if isinstance(sampling_params, list) else [sampling_params] * len(messages)
        self.calls.append([parameters.given for parameters in every])
        letters = ["AB"[(parameters.seed or 0) % 2] for parameters in every]
        return [SimpleNamespace(outputs=[SimpleNamespace(text=letter)]) for letter in letters]

    def get_metrics(self) -> list[Any]:
        return []


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import lmms_eval.models.chat.vllm
    import lmms_eval.models.simple.vllm

    for module in (lmms_eval.models.chat.vllm, lmms_eval.models.simple.vllm):
        monkeypatch.setattr(module, "LLM", Engine)
        monkeypatch.setattr(module, "SamplingParams", Parameters)
    ENGINES.clear()
    yield
    ENGINES.clear()


def asked() -> list[dict[str, Any]]:
    (engine,) = ENGINES
    return [parameters for call in engine.calls for parameters in call]


@pytest.mark.parametrize("force_simple", [False, True])
def test_every_trial_s_seed_reaches_the_engine(force_simple: bool, evaluate: Run) -> None:
    results = evaluate("inner=vllm,model=org/tiny", repeats=5, force_simple=force_simple)
    seeds = [parameters["seed"] for parameters in asked()]
    assert len(seeds) == len(set(seeds)) == 60
    assert sampling(results)["seeded"] is True
    assert any(record["distinct_replies"] == 2 for record in records(results))


def test_what_the_engine_is_not_given_is_not_claimed(evaluate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should an integration stop to pass the seed on, as lmms-eval's `async_openai` does."""
    monkeypatch.setattr(
        "lmms_eval.models.simple.vllm.VLLM._build_sampling_params_dict",
        lambda self, arguments: {"max_tokens": 1, "temperature": arguments["temperature"], "top_p": 1.0},
    )
    results = evaluate("inner=vllm,model=org/tiny", repeats=2)
    assert sampling(results)["seeded"] is False
    assert "not seeded" in str(sampling(results)["warnings"])


def test_a_chunk_keeps_its_seeds_in_the_chat_form(evaluate: Run) -> None:
    results = evaluate("inner=vllm,model=org/tiny,batch_size=4,chunk=4", repeats=4)
    assert [len(call) for call in ENGINES[0].calls] == [4] * 12
    assert len({parameters["seed"] for parameters in asked()}) == 48
    assert sampling(results)["seeded"] is True


def test_the_trials_of_an_item_reach_the_engine_together(evaluate: Run) -> None:
    """Its prefix cache then reads the image and the prompt once; the integration's batches are of one by default."""
    results = evaluate("inner=vllm,model=org/tiny")
    assert [len(call) for call in ENGINES[0].calls] == [10] * 12
    assert len({parameters["seed"] for parameters in asked()}) == 120
    apart = evaluate("inner=vllm,model=org/tiny,share=false")
    assert [len(call) for call in ENGINES[1].calls] == [1] * 120
    assert records(apart) == records(results), "a trial's seed does not depend on its companions"


def test_a_chunk_of_the_simple_form_shares_its_arguments_and_so_gets_no_seed(evaluate: Run) -> None:
    """One seed for all of a chunk would make its trials equal."""
    results = evaluate("inner=vllm,model=org/tiny,batch_size=4,chunk=4", repeats=4, force_simple=True)
    assert all("seed" not in parameters for parameters in asked())
    assert sampling(results)["seeded"] is False
