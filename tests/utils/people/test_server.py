"""The server through HTTP: who is let in, what the page is told, and that nothing answered is lost."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra people is not installed")
pytest.importorskip("uvicorn", reason="the extra people is not installed")

from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.opening import DeskRequest, open_sitting
from medqdeg.utils.people.pictures import decoded
from medqdeg.utils.people.plans import SENTINEL
from medqdeg.utils.people.server import Screens, Server
from medqdeg.utils.people.sitting import Sitting
from medqdeg.utils.people.verifying import verify

from .made_set import item_set


@dataclass
class Open:
    """A desk that is open, and its page's way to speak."""

    sitting: Sitting
    screens: Screens
    server: Server
    client: httpx.Client
    thread: threading.Thread

    @property
    def headers(self) -> dict[str, str]:
        return {"Origin": f"http://127.0.0.1:{self.server.guard.port}", "X-Token": self.server.guard.page_token}

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, json=body, headers=self.headers)

    def begin(self) -> dict[str, Any]:
        return self.post("/check", typed="".join(self.screens._digits())).json()

    def end(self) -> None:
        self.client.close()
        self.server.stop()
        self.thread.join(10)
        self.sitting.store.close()


def open_desk(request: DeskRequest, items: ItemSet, path: Path) -> Open:
    sitting, book = open_sitting(request, items, path, clock=lambda: datetime(2026, 5, 4))
    screens = Screens(sitting, book)
    server = Server(screens, book)
    client = httpx.Client(base_url=f"http://127.0.0.1:{server.guard.port}", follow_redirects=True)
    desk = Open(sitting, screens, server, client, server.start())
    assert client.get("/", params={"token": server.guard.token}).status_code == 200
    return desk


@pytest.fixture(scope="module")
def items() -> ItemSet:
    return item_set(12, two_images=True)


@pytest.fixture
def desk(items: ItemSet, tmp_path: Path) -> Iterator[Open]:
    opened = open_desk(DeskRequest("review", "R1"), items, tmp_path / "a.sqlite")
    yield opened
    opened.end()


def test_nobody_without_the_token_and_the_cookie(desk: Open) -> None:
    port = desk.server.guard.port
    stranger = httpx.Client(base_url=f"http://127.0.0.1:{port}")
    routes = ["/", "/state", "/desk.js", "/desk.css", "/picture/" + "0" * 32]
    assert [stranger.get(route).status_code for route in routes] == [403] * 5
    assert stranger.get("/", params={"token": desk.server.guard.token[:-1]}).status_code == 403
    exchanged = stranger.get("/", params={"token": desk.server.guard.token})
    assert (exchanged.status_code, exchanged.headers["location"]) == (303, "/")
    cookie = exchanged.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert desk.server.guard.token not in cookie
    assert stranger.get("/").status_code == 200
    stranger.cookies.set(desk.server.guard.cookie_name, "another")
    assert httpx.get(f"http://127.0.0.1:{port}/state", cookies={desk.server.guard.cookie_name: "x"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "evil.example:{port}", "127.0.0.1.evil:{port}", ""],
)
def test_a_foreign_host_is_refused_whatever_it_knows(desk: Open, host: str) -> None:
    answer = desk.client.get("/state", headers={"Host": host.format(port=desk.server.guard.port)})
    assert answer.status_code == 421


def test_localhost_is_this_machine_too(desk: Open) -> None:
    port = desk.server.guard.port
    assert desk.client.get("/state", headers={"Host": f"localhost:{port}"}).status_code == 200


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": ""}, 403),
        ({"X-Token": ""}, 403),
        ({"X-Token": "x" * 43}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({}, 200),
    ],
)
def test_what_changes_anything_comes_from_the_page(desk: Open, changed: dict[str, str], status: int) -> None:
    headers = {**desk.headers, **{name: value.format(port=desk.server.guard.port) for name, value in changed.items()}}
    before = desk.sitting.store.head()
    answer = desk.client.post("/pause", json={"on": True}, headers=headers)
    assert answer.status_code == status
    assert (desk.sitting.store.head() == before) == (status != 200)


def test_other_methods_paths_and_bodies(desk: Open) -> None:
    assert desk.client.put("/answer", json={}, headers=desk.headers).status_code == 405
    assert desk.client.get("/answer").status_code == 405
    connection = http.client.HTTPConnection("127.0.0.1", desk.server.guard.port)
    cookie = {"Cookie": f"{desk.server.guard.cookie_name}={desk.client.cookies[desk.server.guard.cookie_name]}"}
    for path in ("/..%2f..%2fetc%2fpasswd", "/picture/..%2f..%2fdesk.html", "/picture/../desk.js", "/desk.html", "//"):
        connection.request("GET", path, headers=cookie)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 404, path
    for body in (b"", b"[1]", b"{", b"\xff", b"[" * 5000):
        assert desk.client.post("/answer", content=body, headers=desk.headers).status_code == 400
    assert desk.client.post("/answer", content=b"x" * 20_000, headers=desk.headers).status_code == 413

    def chunks() -> Iterator[bytes]:
        yield b"x" * 20_000

    assert desk.client.post("/answer", content=chunks(), headers=desk.headers).status_code == 413


def test_it_listens_on_this_machine_alone(desk: Open) -> None:
    assert desk.server._socket.getsockname()[0] == "127.0.0.1"
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((own, desk.server.guard.port), timeout=2)


def test_every_answer_says_what_a_browser_may_do(desk: Open) -> None:
    begun = desk.begin()
    for path in ("/", "/state", "/desk.js", f"/picture/{begun['prefetch'][0]}", "/nothing"):
        headers = desk.client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


def test_the_page_is_told_nothing_that_may_not_be_seen(desk: Open) -> None:
    screen = desk.begin()
    for _ in range(12):
        text = json.dumps(screen)
        trial = desk.sitting.trials[screen["position"]]
        assert trial.item_id not in text.replace(screen["question"], "").split('"')
        for word in ("sentinel", "repeat", "item_id", "cluster", "noise_L"):
            assert word not in text
        if screen["phase"] == "blind":
            assert "degradation" not in screen
            assert [pane["label"] for panes in screen["sets"] for pane in panes] == [""] * len(screen["sets"])
            screen = desk.post("/answer", position=screen["position"], phase="blind", answerable="no").json()
        else:
            assert screen["degradation"] == str(trial.degradation).replace("_", " ")
            assert [pane["label"] for pane in screen["sets"][0]] == ["L0", "L1", "L2"]
            screen = desk.post("/answer", position=screen["position"], phase="verdict", verdict="keep").json()
    page = desk.client.get("/").text
    assert desk.server.guard.token not in page
    assert "q1" not in page


def test_pictures_are_the_files_pixels_and_only_those_handed_out(desk: Open, items: ItemSet) -> None:
    screen = desk.begin()
    while screen["phase"] == "blind" or desk.sitting.trials[screen["position"]].role == SENTINEL:
        body = {"answerable": "yes"} if screen["phase"] == "blind" else {"verdict": "too weak"}
        screen = desk.post("/answer", position=screen["position"], phase=screen["phase"], **body).json()
    trial = desk.sitting.trials[screen["position"]]
    pair = next(one for one in items.pairs() if (one.item_id, one.degradation) == (trial.item_id, trial.degradation))
    for number, panes in enumerate(screen["sets"]):
        for pane in panes:
            data = desk.client.get(f"/picture/{pane['image']}").content
            wanted = items.pictures(pane["label"], pair.levels[pane["label"]])[number]
            assert np.array_equal(decoded(data), np.asarray(wanted))
            chunks = {data[at : at + 4] for at in range(len(data)) if data[at : at + 4] in (b"tEXt", b"iTXt", b"iCCP")}
            assert chunks == set()
    other = open_sitting(DeskRequest("review", "R2"), items, desk.sitting.store.path.with_name("b.sqlite"))
    name = other[0].desk.shown(other[0].trials[0], "verdict")[0]
    assert desk.client.get(f"/picture/{name}").status_code == 404  # another desk's name of a picture of the same set
    other[0].store.close()


def test_a_bad_answer_changes_nothing(desk: Open) -> None:
    screen = desk.begin()
    before = desk.sitting.store.head()
    place, phase = screen["position"], screen["phase"]
    for body in (
        {"position": place, "phase": phase, "answerable": "perhaps"},
        {"position": place, "phase": phase},
        {"position": "0", "phase": phase, "answerable": "yes"},
        {"position": True, "phase": phase, "answerable": "yes"},
        {"position": 10_000, "phase": phase, "answerable": "yes"},
        {"answerable": "yes"},
    ):
        assert desk.client.post("/answer", json=body, headers=desk.headers).status_code == 422
    assert desk.sitting.store.head() == before


def test_the_display_check_fails_twice_and_marks_the_session(desk: Open) -> None:
    first = desk.post("/check", typed="000000").json()
    assert (first["screen"], first["tries"]) == ("check", 1)
    picture = decoded(desk.client.get(f"/picture/{first['image']}").content)
    greys = np.unique(picture[100:])
    assert {0, 13, 242, 255} <= set(greys.tolist())  # digits at 5% contrast
    assert len(np.unique(picture[0])) == 18
    second = desk.post("/check", typed="1").json()
    assert second["screen"] == "trial"
    assert "marked" in second["told"]
    (event,) = [event for event in desk.sitting.store.events() if event.kind == "display_check"]
    assert event.content()["passed"] is False


def test_two_windows_cannot_answer_the_same_trial(desk: Open) -> None:
    screen = desk.begin()
    body = {"position": screen["position"], "phase": "blind", "answerable": "yes", "nonce": "a"}
    assert desk.client.post("/answer", json=body, headers=desk.headers).status_code == 200
    again = desk.client.post("/answer", json=body, headers=desk.headers)  # the reply was lost: the same once more
    assert again.status_code == 200
    other = desk.client.post("/answer", json={**body, "answerable": "no", "nonce": "b"}, headers=desk.headers)
    assert other.status_code == 409
    assert "another window" in other.json()["told"]
    assert other.json()["phase"] == "verdict"
    assert sum(event.kind == "answer" for event in desk.sitting.store.events()) == 1


def test_undo_pause_and_time(desk: Open) -> None:
    screen = desk.begin()

    def give(seconds: float | None = 2.5, **body: Any) -> dict[str, Any]:
        answer = desk.post("/answer", position=screen["position"], phase=screen["phase"], seconds=seconds, **body)
        return answer.json()

    screen = give(answerable="yes")
    assert "nothing to undo" in desk.post("/undo").json()["told"]  # a blind answer stands once the pair is named
    place = screen["position"]
    screen = give(verdict="too weak", affected="L1", note="no <b>change</b>")
    screen = desk.post("/undo").json()
    assert (screen["position"], screen["phase"], screen["earlier"]["verdict"]) == (place, "verdict", "too weak")
    screen = give(verdict="keep", seconds=1.0)
    assert "nothing to undo" in desk.post("/undo").json()["told"]  # once
    answer, shown_again = desk.sitting.answers[place, "verdict"].body, desk.sitting.step
    assert (answer["verdict"], answer["seconds"]) == ("keep", None)
    assert shown_again is not None
    assert desk.post("/pause", on=True).json()["screen"] == "paused"
    assert desk.post("/answer", position=screen["position"], phase="blind", answerable="no").status_code == 409
    screen = desk.post("/pause", on=False).json()
    screen = give(answerable="no")
    assert desk.sitting.answers[screen["position"], "blind"].body["seconds"] is None  # the pause fell into it
    screen = give(verdict="keep", seconds=3.25)
    assert desk.sitting.answers[place + 1, "verdict"].body["seconds"] == 3.25
    kinds = [event.kind for event in desk.sitting.store.events()]
    assert kinds.count("correct") == 1
    assert kinds.count("pause") == 2


def test_the_key_is_given_when_it_is_asked_for_and_that_is_kept(desk: Open) -> None:
    screen = desk.begin()
    assert desk.post("/reveal", position=screen["position"], phase="blind").status_code == 409
    screen = desk.post("/answer", position=screen["position"], phase="blind", answerable="yes").json()
    found = desk.post("/reveal", position=screen["position"], phase="verdict").json()
    trial = desk.sitting.trials[screen["position"]]
    assert found == {"key": desk.sitting.desk.items.doc("L0", trial.item_id)["answer"]}
    assert json.loads(desk.sitting.store.events()[-1].body)["key"] is True


def test_a_session_resumes_where_it_was_and_ends_with_its_hash(items: ItemSet, tmp_path: Path) -> None:
    request, path = DeskRequest("review", "R1", fast=True, limit=4), tmp_path / "a.sqlite"
    desk = open_desk(request, items, path)
    screen = desk.begin()
    screen = desk.post("/answer", position=0, phase="verdict", verdict="keep", seconds=4.0).json()
    desk.end()  # no farewell
    desk = open_desk(request, items, path)
    assert desk.client.get("/state").json()["screen"] == "check"  # each sitting
    again = desk.begin()
    assert (again["position"], again["done"]) == (1, 1)
    assert again["sets"] != screen["sets"]  # names are of one start
    while again["screen"] == "trial":
        again = desk.post("/answer", position=again["position"], phase="verdict", verdict="keep", seconds=4.0).json()
    bodies = [desk.sitting.answers[step].body for step in desk.sitting.steps]
    assert [body["seconds"] for body in bodies[:3]] == [4.0, None, 4.0]  # shown before the stop: time not known
    assert again["screen"] == "done"
    ended = desk.post("/close").json()
    desk.thread.join(10)
    assert not desk.thread.is_alive()
    desk.end()
    found = verify(path, ended["head"])
    assert (found.faults, found.head) == ((), ended["head"])
