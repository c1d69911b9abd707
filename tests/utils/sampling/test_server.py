"""The wrapper around lmms-eval's `openai` integration and a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openai", reason="the openai package is not installed")

from .conftest import Run, records, sampling
from .loopback import Server, serving

# lmms-eval leaves the connections of its clients to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def arguments(server: Server, more: str = "") -> str:
    own = f"model=tiny,base_url={server.url},api_key=none,max_retries=2,retry_backoff_s=0,httpx_trust_env=false"
    return f"inner=openai,{own},num_concurrent=8{more}"


def test_every_trial_is_asked_once_with_a_seed_of_its_own(server: Server, evaluate: Run, tmp_path: Path) -> None:
    results = evaluate(arguments(server, f",store={tmp_path}"), repeats=5)
    assert len(server.requests) == 60
    seeds = {request["seed"] for request in server.requests}
    assert len(seeds) == 60
    assert all((request["temperature"], request["top_p"]) == (1.0, 1.0) for request in server.requests)
    assert sampling(results)["trials"] == {"requested": 60, "asked": 60, "reused": 0, "failed": 0}
    evaluate(arguments(server, f",store={tmp_path}"), repeats=6)
    assert len(server.requests) == 72
    assert len({request["seed"] for request in server.requests}) == 72


def test_requests_are_in_flight_together(server: Server, evaluate: Run) -> None:
    server.pause = 0.05
    evaluate(arguments(server), repeats=3)
    assert 5 <= server.most_at_once <= 8
    server.most_at_once = 0
    evaluate(arguments(server, ",concurrency=3"), repeats=3)
    assert server.most_at_once == 3


@pytest.mark.parametrize("simple", [False, True])
def test_images_arrive_pixel_by_pixel(simple: bool, server: Server, small_dataset: Path, evaluate: Run) -> None:
    from medqdeg.utils.dataset.loading import load_level
    from medqdeg.utils.dataset.location import LocalFolder

    results = evaluate(arguments(server, ",strict=true,concurrency=1"), repeats=2, force_simple=simple)
    assert sampling(results)["images"]["seen"] == "request"
    assert sampling(results)["images"]["findings"] == []
    docs = [doc for doc in load_level("test", "L0", LocalFolder(small_dataset)) for _ in range(2)]
    assert len(server.images) == len(docs), "the preflight asked the server"
    for doc, arrived in zip(docs, server.images, strict=True):
        assert len(arrived) == len(doc["images"])
        for sent, received in zip(doc["images"], arrived, strict=True):
            assert np.array_equal(np.asarray(sent.convert("RGB")), np.asarray(received))


def test_jpeg_is_found(server: Server, evaluate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMMS_IMAGE_ENCODE_FORMAT", "JPEG")
    (finding,) = sampling(evaluate(arguments(server), repeats=2))["images"]["findings"]
    assert "re-encoded with loss" in finding


def test_refused_requests_are_retried_then_missing_then_asked_by_the_next_run(
    server: Server, evaluate: Run, tmp_path: Path
) -> None:
    server.refuses = lambda payload: "Question 4:" in str(payload["messages"])
    results = evaluate(arguments(server, f",store={tmp_path},retries=1"), repeats=3)
    # The integration tries twice in each of the wrapper's two rounds.
    assert len(server.requests) == 33 + 3 * 2 * 2
    assert sampling(results)["trials"] == {"requested": 36, "asked": 33, "reused": 0, "failed": 3}
    assert records(results)[4]["letters"] == ["missing"] * 3
    assert records(results)[4]["accuracy"] is None
    assert sum(record["missing_rate"] for record in records(results)) == 1
    server.refuses = lambda payload: False
    server.requests.clear()
    complete = evaluate(arguments(server, f",store={tmp_path}"), repeats=3)
    assert len(server.requests) == 3
    assert set(records(complete)[4]["letters"]) <= {"A", "B"}
    assert records(complete)[:4] == records(results)[:4]


def test_a_short_outage_leaves_no_trace(server: Server, evaluate: Run) -> None:
    server.refuses = lambda payload: 10 < len(server.requests) <= 25
    results = evaluate(arguments(server), repeats=3)
    assert sampling(results)["trials"] == {"requested": 36, "asked": 36, "reused": 0, "failed": 0}
    assert all(record["missing_rate"] == 0 for record in records(results))


def test_exact_through_top_logprobs(server: Server, evaluate: Run, tmp_path: Path) -> None:
    results = evaluate(arguments(server, f",mode=exact,store={tmp_path}"), repeats=3)
    assert len(server.requests) == 12, "once an item, whatever T"
    request = server.requests[0]
    assert (request["logprobs"], request["top_logprobs"], request["max_tokens"]) == (True, 20, 1)
    assert (request["temperature"], request["top_p"]) == (1.0, 1.0)
    for record in records(results):
        assert record["letter_mass"] == pytest.approx(0.95)
        others = [0.0] * (record["k"] - 2)
        assert record["probabilities"] == pytest.approx([0.35 / 0.95, 0.6 / 0.95, *others])
        assert record["accuracy"] == pytest.approx({"A": 0.35, "B": 0.6}.get(record["answer"], 0.0))
    evaluate(arguments(server, f",mode=exact,store={tmp_path}"))
    assert len(server.requests) == 12


def test_exact_from_a_failing_server_is_missing(server: Server, evaluate: Run) -> None:
    server.refuses = lambda payload: "Question 4:" in str(payload["messages"])
    results = evaluate(arguments(server, ",mode=exact"))
    record = records(results)[4]
    assert (record["elicitation"], record["missing_rate"], record["accuracy"]) == ("exact", 1.0, None)
    assert records(results)[3]["missing_rate"] == 0


def test_exact_from_a_server_without_logprobs_ends_in_one_line(server: Server, evaluate: Run) -> None:
    server.logprobs = None
    with pytest.raises(SystemExit, match="medqdeg: the server answers without top_logprobs"):
        evaluate(arguments(server, ",mode=exact"))


# --- All trials of an item in one request --------------------------------------------------------------------


def test_ten_trials_are_one_request_where_the_server_draws_each(server: Server, evaluate: Run, tmp_path: Path) -> None:
    server.choices = "drawn"
    results = evaluate(arguments(server, f",store={tmp_path}"))
    assert [request["n"] for request in server.requests] == [10] * 12
    assert sampling(results)["trials"] == {"requested": 120, "asked": 120, "reused": 0, "failed": 0}
    assert sampling(results)["sharing"] == {"items_in_one_request": 12, "why_not": None}
    assert [sorted(record["letters"]) for record in records(results)] == [["A"] * 5 + ["B"] * 5] * 12
    counts = [count for sample in results["samples"]["medqdeg_l0"] for count in sample["token_counts"]]
    assert {count["output_tokens"] for count in counts} == {1}, "each choice has its share of the tokens"
    again = evaluate(arguments(server, f",store={tmp_path}"), repeats=14)
    assert [request["n"] for request in server.requests[12:]] == [4] * 12
    assert [record["letters"][:10] for record in records(again)] == [record["letters"] for record in records(results)]


@pytest.mark.parametrize("choices", ["ignored", "refused"])
def test_a_server_without_choices_is_asked_one_by_one(choices: str, server: Server, evaluate: Run) -> None:
    server.choices = choices
    results = evaluate(arguments(server), repeats=5)
    assert sampling(results)["trials"] == {"requested": 60, "asked": 60, "reused": 0, "failed": 0}
    why_not = "answers n=5 with 1 choices" if choices == "ignored" else "refuses n=5"
    assert why_not in sampling(results)["sharing"]["why_not"]
    assert why_not in str(sampling(results)["warnings"])
    assert len([request for request in server.requests if request.get("n", 1) > 1]) == 1, "tried once"
    assert len({request["seed"] for request in server.requests}) == 60
    assert all(record["missing_rate"] == 0 for record in records(results))


def test_a_server_that_sends_copies_is_found_out_and_none_of_them_counts(server: Server, evaluate: Run) -> None:
    server.choices = "copied"
    results = evaluate(arguments(server))
    assert "the server sends copies" in sampling(results)["sharing"]["why_not"]
    assert sampling(results)["trials"] == {"requested": 120, "asked": 120, "reused": 0, "failed": 0}
    seeds = [request["seed"] for request in server.requests]
    assert len(set(seeds)) == 120, "every vote that counts came from a seed of its own"
    assert all(record["distinct_replies"] == 2 for record in records(results))


def test_a_sure_model_is_not_taken_for_copies(server: Server, evaluate: Run) -> None:
    server.choices = "equal"
    results = evaluate(arguments(server))
    assert sampling(results)["sharing"]["why_not"] is None
    # Ten items with single replies beside the choices, then no more of them.
    assert len(server.requests) == 10 * (1 + 9) + 2


def test_share_false_asks_one_by_one(server: Server, evaluate: Run) -> None:
    server.choices = "drawn"
    evaluate(arguments(server, ",share=false"), repeats=5)
    assert len(server.requests) == 60


def test_a_refusal_of_the_whole_item_is_no_refusal_of_choices(server: Server, evaluate: Run) -> None:
    server.choices, server.refuses = "drawn", lambda payload: "Question 0:" in str(payload["messages"])
    results = evaluate(arguments(server, ",retries=0"), repeats=5)
    assert sampling(results)["trials"] == {"requested": 60, "asked": 55, "reused": 0, "failed": 5}
    assert sampling(results)["sharing"]["items_in_one_request"] == 11


def test_tokens_are_split_without_loss() -> None:
    from medqdeg.utils.sampling.choices import split_tokens

    assert split_tokens(10, [1] * 10) == [1] * 10
    assert split_tokens(None, [3, 4]) == [None, None]
    for total, lengths in ((7, [0, 100, 3]), (1000, [5, 4, 3, 2, 1]), (0, [1, 1])):
        parts = split_tokens(total, lengths)
        assert sum(part or 0 for part in parts) == total
        assert all((part or 0) >= 0 for part in parts)
