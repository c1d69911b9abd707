"""The page in Chromium, by keys only: the pixels that it shows, where it sends anything, and that nothing is lost."""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="the extra people is not installed")
pytest.importorskip("uvicorn", reason="the extra people is not installed")

from medqdeg.utils.people.desks import RATINGS
from medqdeg.utils.people.items import ItemSet
from medqdeg.utils.people.opening import DeskRequest, open_sitting
from medqdeg.utils.people.server import Screens, Server
from medqdeg.utils.people.sitting import Sitting
from medqdeg.utils.people.verifying import verify

from ..report.browser import chromium, complaints
from .made_set import item_set

CSS = "css selector"


@pytest.fixture(scope="module")
def items() -> ItemSet:
    return item_set(24, side=96)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("downloads"), width=1440, height=900) as driver:
        yield driver


class Reader:
    """A simulated reader at the keyboard of a desk."""

    def __init__(self, browser: Any, items: ItemSet, path: Path, request: DeskRequest) -> None:
        self.browser = browser
        self.sitting: Sitting
        self.sitting, book = open_sitting(request, items, path, clock=lambda: datetime(2026, 5, 4))
        self.screens = Screens(self.sitting, book)
        self.server = Server(self.screens, book)
        self.thread = self.server.start()
        browser.get(self.server.guard.address)
        self.wait(lambda: self.ready() >= 1)

    def ready(self) -> int:
        return int(self.browser.execute_script("return document.documentElement.dataset.ready ?? 0"))

    def wait(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.text()
            time.sleep(0.02)

    def text(self) -> str:
        return str(self.browser.execute_script("return document.body.innerText"))

    def press(self, *keys: str, new_screen: bool = False) -> None:
        """Press keys one after another; with `new_screen` wait until the page has painted what the last one brings."""
        from selenium.webdriver.common.action_chains import ActionChains

        before = self.ready()
        for key in keys:
            ActionChains(self.browser, duration=0).send_keys(key).perform()
        if new_screen:
            self.wait(lambda: self.ready() > before)

    def begin(self) -> None:
        self.press(ENTER, new_screen=True)
        self.press(*"".join(self.screens._digits()))
        self.press(ENTER, new_screen=True)

    def end(self) -> None:
        self.server.stop()
        self.thread.join(10)
        self.sitting.store.close()


ENTER = "\ue007"


@contextmanager
def at_desk(browser: Any, items: ItemSet, path: Path, request: DeskRequest) -> Iterator[Reader]:
    reader = Reader(browser, items, path, request)
    try:
        yield reader
    finally:
        reader.end()


def test_a_review_by_keys_only(browser: Any, items: ItemSet, tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with at_desk(browser, items, path, DeskRequest("review", "R1", limit=4)) as reader:
        reader.begin()
        assert "noise" not in reader.text()
        reader.press("n", new_screen=True)
        assert "L0" in browser.find_element(CSS, "#labels").get_attribute("textContent")
        reader.press(" ", " ", "s", "l", "n")
        reader.press(*"2 y")  # typed into the note, no verdict
        reader.press(ENTER, "k")
        reader.wait(lambda: "right answer: " in reader.text())
        reader.press("3", new_screen=True)
        reader.press("u", new_screen=True)
        assert browser.find_element(CSS, "[aria-pressed=true]").text.endswith("too strong")
        reader.press("2", new_screen=True)
        reader.press("p", new_screen=True)
        assert "Paused" in reader.text()
        reader.press("p", new_screen=True)
        while reader.sitting.step is not None:
            reader.press("y" if reader.sitting.step[1] == "blind" else "1", new_screen=True)
        assert "All answered" in reader.text()
        reader.press(ENTER, new_screen=True)
        head = browser.find_element(CSS, "#head").text
        assert complaints(browser) == []
        given = [event.content() for event in reader.sitting.store.events() if event.kind == "answer"]
        assert given[1]["view"]["flickered"] is True
    body = reader.sitting.answers[0, "verdict"].body
    assert (body["verdict"], body["affected"], body["note"]) == ("too weak", "L1", "2 y")
    assert reader.sitting.answers[0, "blind"].body["answerable"] == "no"
    assert reader.sitting.answers[1, "verdict"].body["seconds"] > 0
    found = verify(path, head)
    assert (found.faults, found.head) == ((), head)


def test_a_study_by_keys_only(browser: Any, items: ItemSet, tmp_path: Path) -> None:
    with at_desk(browser, items, tmp_path / "a.sqlite", DeskRequest("study", "R1", limit=6)) as reader:
        reader.begin()
        reader.press(ENTER)  # nothing is chosen: nothing happens
        assert "Choose the best letter" in reader.text()
        reader.press("b", ENTER)
        assert "Type 0 to 100" in reader.text()
        reader.press("1", "0", "7", "\ue003", "5", "x")  # 107 is none: 10, backspace, 5
        reader.press(ENTER, new_screen=True)
        while reader.sitting.step is not None:
            reader.press("a", "5", "0")
            reader.press(ENTER, new_screen=True)
        assert complaints(browser) == []
    body = reader.sitting.answers[0, "answer"].body
    assert (body["letter"], body["confidence"], body["not_diagnostic"]) == ("B", 15, True)
    assert len(reader.sitting.answers) == len(reader.sitting.trials)


def test_a_calibration_by_keys_only(browser: Any, items: ItemSet, tmp_path: Path) -> None:
    request = DeskRequest("calibrate", "R1", cells=("gaussian_noise:CT",), images=1, step=1.0)
    with at_desk(browser, items, tmp_path / "a.sqlite", request) as reader:
        reader.begin()
        reader.press("c")
        reader.wait(lambda: "clean" in browser.find_element(CSS, "#labels").get_attribute("textContent"))
        reader.press("c")
        for number in range(len(reader.sitting.trials)):
            reader.press(str(number % len(RATINGS)), new_screen=True)
        assert complaints(browser) == []
    assert [one.body["rating"] for one in reader.sitting.answers.values()] == [0, 1, 2, 3, 0]


def test_nothing_is_asked_of_any_other_machine(browser: Any, items: ItemSet, tmp_path: Path) -> None:
    browser.execute_cdp_cmd("Network.enable", {})
    with at_desk(browser, items, tmp_path / "a.sqlite", DeskRequest("review", "R1", limit=3)) as reader:
        reader.begin()
        reader.press("y", new_screen=True)
        reader.press("1", new_screen=True)
        names = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        own = f"http://127.0.0.1:{reader.server.guard.port}/"
        assert len(names) > 8
        assert [name for name in names if not name.startswith(own)] == []
        assert browser.current_url == own  # no token in the address
        refused = browser.execute_async_script(
            "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('sent'), () => done('refused'))"
        )
        assert refused == "refused"
        assert any("Content Security Policy" in line for line in complaints(browser))


def test_back_reload_and_a_second_window(browser: Any, items: ItemSet, tmp_path: Path) -> None:
    with at_desk(browser, items, tmp_path / "a.sqlite", DeskRequest("study", "R1", limit=6)) as reader:
        reader.begin()
        reader.press("a", "3", "0")
        reader.press(ENTER, new_screen=True)
        browser.back()
        browser.forward()
        reader.wait(lambda: reader.ready() >= 1 and "1 of" in reader.text())
        browser.refresh()
        reader.wait(lambda: reader.ready() >= 1 and "1 of" in reader.text())
        first = browser.current_window_handle
        browser.switch_to.new_window("tab")
        browser.get(f"http://127.0.0.1:{reader.server.guard.port}/")
        reader.wait(lambda: reader.ready() >= 1)
        reader.press("a", "4", "0")
        reader.press(ENTER, new_screen=True)
        browser.close()
        browser.switch_to.window(first)
        reader.press("b", "9", "9")
        reader.press(ENTER, new_screen=True)
        assert "another window" in reader.text()
        assert "2 of" in reader.text()
    given = [(one.body["letter"], one.body["confidence"]) for one in reader.sitting.answers.values()]
    assert given == [("A", 30), ("A", 40)]


def shown(browser: Any) -> tuple[np.ndarray, dict[str, int]]:
    """A screenshot in pixels of the device, and where the page says that it drew its first picture."""
    with Image.open(io.BytesIO(browser.get_screenshot_as_png())) as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels, browser.execute_script("return window.medqdegPlaced()")


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1, 1.5, 2])
def test_a_pixel_of_the_file_is_a_square_of_the_device(items: ItemSet, tmp_path: Path, ratio: float) -> None:
    with (
        chromium(tmp_path, width=1280, height=800, ratio=ratio) as browser,
        at_desk(browser, items, tmp_path / "a.sqlite", DeskRequest("study", "R1", limit=6)) as reader,
    ):
        reader.begin()
        trial = reader.sitting.trials[0]
        wanted = np.asarray(items.pictures(trial.level, trial.item_id)[0])
        for zoom in (1, 2, 3):
            while browser.execute_script("return window.medqdegPlaced().scale") > zoom:
                reader.press("-")
            time.sleep(0.1)
            while browser.execute_script("return window.medqdegPlaced().scale") < zoom:
                reader.press("+")
            time.sleep(0.2)
            screen, place = shown(browser)
            assert place["scale"] == zoom
            x, y = place["x"], place["y"]
            drawn = screen[y : y + zoom * wanted.shape[0], x : x + zoom * wanted.shape[1]]
            assert np.array_equal(drawn, np.kron(wanted, np.ones((zoom, zoom, 1), dtype=np.uint8)))


@pytest.mark.slow
def test_the_next_picture_is_there_within_150_ms(browser: Any, tmp_path: Path) -> None:
    """From the key to the answer on the disk to the next picture painted; 512 x 512 pixels of noise."""
    large = item_set(40, degradations=1, side=510)
    with at_desk(
        browser, large, tmp_path / "a.sqlite", DeskRequest("calibrate", "R1", cells=("gaussian_blur:CT",))
    ) as r:
        r.begin()
        for _ in range(60):
            time.sleep(0.4)  # a reader looks before deciding; meanwhile the page fetches what comes
            r.press("1", new_screen=True)
        times = browser.execute_script(
            "return performance.getEntriesByName('answered to painted').map((entry) => entry.duration)"
        )
    ordered = sorted(times)
    print(f"median {statistics.median(ordered):.0f} ms, p95 {ordered[int(0.95 * len(ordered))]:.0f} ms")
    assert len(ordered) == 60
    assert ordered[int(0.95 * len(ordered))] <= 150


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing(browser: Any, items: ItemSet, tmp_path: Path, scheme: str) -> None:
    """axe-core is not part of this repository: `npm install axe-core`, and its axe.min.js in MEDQDEG_AXE."""
    axe = os.environ.get("MEDQDEG_AXE", "")
    if not Path(axe).is_file():
        pytest.skip("MEDQDEG_AXE names no axe.min.js")
    source = Path(axe).read_text(encoding="utf-8")
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    found: list[str] = []

    def look(where: str) -> None:
        browser.execute_script(source)
        result = browser.execute_async_script("const done = arguments[0]; axe.run().then(done)")
        found.extend(f"{where}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in result["violations"])

    requests = {
        "review": DeskRequest("review", "R1", limit=3),
        "study": DeskRequest("study", "R1", limit=6),
        "calibrate": DeskRequest("calibrate", "R1", cells=("gaussian_blur:CT",), images=1),
    }
    answers = {"review": ["y"], "study": ["a", "5", "0", ENTER], "calibrate": ["1"]}
    for desk, request in requests.items():
        with at_desk(browser, items, tmp_path / f"{desk}.sqlite", request) as reader:
            look(f"{desk} begin")
            reader.press(ENTER, new_screen=True)
            look(f"{desk} check")
            reader.press(*"".join(reader.screens._digits()))
            reader.press(ENTER, new_screen=True)
            look(f"{desk} first")
            reader.press(*answers[desk], new_screen=True)
            look(f"{desk} second")
            reader.press("p", new_screen=True)
            look(f"{desk} pause")
            reader.press("e", new_screen=True)
            look(f"{desk} end")
    assert found == []
