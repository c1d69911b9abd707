"""The report's pages in Chromium: what a reader does, and what an attacker would like to do."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from medqdeg.utils.analysis.analyse import analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.items import write_items
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.pictures import Key, Shown

from ..run_files import scored_levels, write_run
from .browser import chromium, complaints, open_page

CSS = "css selector"
PLANTED = [
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    "<svg onload=window.hacked=1>",
    "{{ 7*7 }}<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
]


def _evil(number: int, what: str) -> str:
    return f"{what} {PLANTED[number % len(PLANTED)]}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two models, one item's pictures, and everything that is text planted with scripts."""
    folder = tmp_path_factory.mktemp("report")
    for number, model in enumerate(["plain/first-7B", "x/" + PLANTED[1].replace("/", "")]):
        levels = scored_levels(45, seed=10 * number)
        for records in levels.values():
            for place, record in enumerate(records):
                if number:
                    record["source"] = _evil(place, "source")
                    record["item_id"] = record["item_id"] if place > 5 else _evil(place, record["item_id"])
                    record["letters"] = [_evil(place, "B"), *record["letters"][1:]] if place < 5 else record["letters"]
        own = write_run(folder / f"in{number}", levels, model=model.replace("/", "_") if number else model)
        path = next(own.glob("*_results.json"))
        content = json.loads(path.read_text())
        content["model_name"] = model
        content["results"][_evil(2, "task")] = {_evil(3, "metric") + ",none": 0.25, "alias": _evil(0, "alias")}
        path.write_text(json.dumps(content))
        for samples in own.glob("*.jsonl"):
            rows = [json.loads(line) for line in samples.read_text().splitlines()]
            for row in rows:
                row["filtered_resps"] = [
                    _evil(trial, f"I say {letter}") for trial, letter in enumerate(row["medqdeg"]["letters"])
                ]
            samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    collection = read_runs([folder / "in0", folder / "in1"])
    analysis = analyse(collection, replicates=100)
    write_page(analysis, report_frames(analysis, published=True), folder, item_browser=True)
    (folder / "images").mkdir()
    Image.new("RGB", (40, 30), (200, 30, 30)).save(folder / "images" / "abc123.webp")
    shown: dict[Key, Shown] = {}
    for run in collection.runs:
        for place, record in enumerate(run.records):
            options = tuple(_evil(place, f"option {letter}") for letter in record["options"])
            image = "images/abc123.webp" if place % 2 else "javascript:hacked=1"
            shown[run.family, record["level"], record["item_id"]] = Shown(_evil(place, "question"), options, (image,))
    write_items(collection.runs, folder, shown)
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("downloads")) as driver:
        driver.downloads = tmp_path_factory.getbasetemp()
        yield driver


@pytest.fixture
def report(browser: Any, made: Path) -> Any:
    open_page(browser, made / "report.html")
    return browser


@pytest.fixture
def items(browser: Any, made: Path) -> Any:
    open_page(browser, made / "items.html")
    return browser


def _column(browser: Any, table: str, place: int) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0]+' tbody tr')].filter(r=>!r.hidden)"
    return browser.execute_script(f"{script}.map(r=>r.cells[arguments[1]].dataset.value)", table, place)


def test_the_page_loads_nothing_and_complains_of_nothing(report: Any) -> None:
    assert report.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert complaints(report) == []
    assert len(report.find_elements(CSS, "figure svg[aria-label]")) >= 11


def test_a_table_sorts_as_numbers_and_filters(report: Any) -> None:
    head = report.find_elements(CSS, "#headline th")[2]
    head.find_element(CSS, "button").click()
    values = [float(value) for value in _column(report, "#headline", 2)]
    assert values == sorted(values)
    assert head.get_attribute("aria-sort") == "ascending"
    head.find_element(CSS, "button").click()
    assert [float(value) for value in _column(report, "#headline", 2)] == sorted(values, reverse=True)
    report.find_element(CSS, "#headline input[type=search]").send_keys("other items")
    assert len(set(_column(report, "#headline", 0)) - {"first-7B"}) == 1
    assert report.find_element(CSS, "#headline output").text == "3 of 6 rows"


def test_a_table_downloads_as_csv_with_its_intervals(report: Any, made: Path) -> None:
    script = """const done = arguments[0]; const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => { blob.text().then(done); URL.createObjectURL = make; return make(blob); };
    document.querySelector('#headline .tools button').click();"""
    text = report.execute_async_script(script)
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 6
    first = next(row for row in rows if row["model"] == "first-7B" and row["level"] == "L0")
    assert float(first["accuracy low"]) < float(first["accuracy"]) < float(first["accuracy high"])
    analysis = analyse(read_runs([made / "in0"]), replicates=100).tables["figures"]
    found = analysis.query("level == 'L0' and axis == 'overall' and figure == 'accuracy'")["estimate"].iloc[0]
    assert float(first["accuracy"]) == pytest.approx(found, abs=1e-9)


def test_a_download_holds_no_formula(report: Any) -> None:
    texts = ["=1+1", "-2+3+cmd|' /C calc'!A0", "+1-1", "@SUM(1)", "\t=1", "-0.25", "1e-5", "plain", "a-b"]
    script = """const [texts, done] = arguments; const holder = document.createElement('div');
    holder.innerHTML = '<table><thead><tr><th>text</th></tr></thead><tbody></tbody></table>';
    for (const text of texts) {
      const cell = holder.querySelector('tbody').insertRow().insertCell();
      cell.dataset.value = text;
    }
    medq.enhance(holder);
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => { blob.text().then(done); URL.createObjectURL = make; return make(blob); };
    holder.querySelector('.tools button').click();"""
    text = report.execute_async_script(script, texts)
    rows = [row[0] for row in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))]
    assert rows == ["text", *(f"'{text}" for text in texts[:5]), *texts[5:]]


def test_what_is_not_ranked_is_named_and_last(report: Any) -> None:
    assert "is not ranked: other items than first-7B" in report.find_element(CSS, "#dumbbell").text
    assert not report.find_elements(CSS, "#ranks")  # one run alone has no rank
    labels = "return [...document.querySelectorAll('#dumbbell-plot svg')][0].textContent"
    text = report.execute_script(labels)
    assert text.index("first-7B") < text.index("‡")
    assert "unread rate, %" in report.find_element(CSS, "#headline thead").text


def test_hover_shows_the_exact_figure(report: Any) -> None:
    from selenium.webdriver import ActionChains

    dot = report.find_element(CSS, "#severity-plot svg g[aria-label=dot] circle")
    report.execute_script("arguments[0].scrollIntoView({block: 'center'})", dot)
    ActionChains(report).move_to_element(dot).pause(0.3).perform()
    tips = [tip.text for tip in report.find_elements(CSS, "#severity-plot g[aria-label=tip]")]
    shown = report.execute_script(
        "return [...document.querySelectorAll('#severity-plot g[aria-label=tip]')].map(t=>t.textContent)"
    )
    assert any("L0" in text and "accuracy" in text and "% [" in text for text in [*tips, *shown])


def test_drill_down_opens_with_the_keyboard_and_keeps_the_focus(report: Any) -> None:
    first = report.find_element(CSS, "#hierarchy .tree button")
    before = len(report.find_elements(CSS, "#hierarchy .tree li"))
    report.execute_script("arguments[0].focus()", first)
    first.send_keys("\ue007")
    assert len(report.find_elements(CSS, "#hierarchy .tree li")) > before
    focused = report.switch_to.active_element
    assert focused.get_attribute("aria-expanded") == "true"
    assert "n = " in report.find_element(CSS, "#hierarchy .tree").text


def test_the_numbers_of_a_figure_open_sort_and_hold_its_intervals(report: Any) -> None:
    report.execute_script("document.querySelector('#severity details').open = true")
    time.sleep(0.2)
    assert len(_column(report, "#severity-numbers", 0)) == 6
    report.find_elements(CSS, "#severity-numbers th button")[2].click()
    values = [float(value) for value in _column(report, "#severity-numbers", 2)]
    assert values == sorted(values)
    assert "[" in report.find_element(CSS, "#severity-numbers").text


def test_dark_light_and_print(report: Any, made: Path) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    button = report.find_element(CSS, "#theme")
    report.execute_script("scrollTo(0, 0)")
    button.click()
    assert report.execute_script(colour) == "rgb(255, 255, 255)"
    button.click()
    dark = report.execute_script(colour)
    assert sum(map(int, dark[4:-1].split(","))) < 150
    pdf = base64.b64decode(report.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    report.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert report.execute_script(colour) == "rgb(255, 255, 255)"
        assert not report.find_element(CSS, "nav").is_displayed()
        # Chromium repeats the head of a table on every page only if nothing in it is a box of its own.
        head = "return getComputedStyle(document.querySelector('th button')).display"
        assert report.execute_script(head) == "contents"
    finally:
        report.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_narrow_screen_does_not_scroll_sideways(report: Any) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    report.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        time.sleep(0.5)
        assert report.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        report.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_control_and_table_has_a_name(report: Any) -> None:
    script = """const named = e => e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.alt;
    const all = document.querySelectorAll('button, select, input, [role=region], svg[aria-label], img');
    return [...all].filter(e => !named(e)).map(e => e.outerHTML.slice(0, 80))"""
    assert report.execute_script(script) == []


def _choose(browser: Any, box: str, text: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element(CSS, f"#{box}")).select_by_visible_text(text)


def test_item_browser_filters_and_shows_the_pictures(items: Any, made: Path) -> None:
    run = next(run for run in read_runs([made / "in0"]).runs if run.name == "first-7B")
    clean = {r["source_question_id"]: r for r in run.records if r["level"] == "L0"}
    flipped = [
        r
        for r in run.records
        if r["level"] == "L2" and r["majority_vote"] == 0 and clean[r["source_question_id"]]["majority_vote"] == 1
    ]
    assert flipped
    _choose(items, "filter-run", "first-7B")
    _choose(items, "filter-level", "L2")
    _choose(items, "filter-kind", "flipped from right to wrong")
    assert items.find_element(CSS, "#count").text.startswith(f"{len(flipped)} of ")
    sure = [r for r in run.records if r["majority_vote"] == 0 and (r["confidence"] or 0) >= 0.8]
    _choose(items, "filter-level", "all")
    _choose(items, "filter-kind", "confident (80% or more) and wrong")
    assert items.find_element(CSS, "#count").text.startswith(f"{len(sure)} of ")
    _choose(items, "filter-kind", "all")
    _choose(items, "filter-level", "L1")
    items.find_element(CSS, "#list").send_keys("\ue015\ue015")
    assert items.find_element(CSS, ".row[aria-selected=true]").get_attribute("aria-posinset") == "3"
    pictures = items.find_elements(CSS, "#detail .pictures figure")
    assert len(pictures) == 3  # clean, L1, L2
    widths = items.execute_script(
        "return Promise.all([...document.querySelectorAll('#detail img')].map(i=>i.decode().then(()=>i.naturalWidth)))"
    )
    assert set(widths) <= {40}
    assert "option " in items.find_element(CSS, "#detail .options").text


def test_right_wrong_and_tied_are_all_items(items: Any, made: Path) -> None:
    run = next(run for run in read_runs([made / "in0"]).runs if run.name == "first-7B")
    _choose(items, "filter-run", "first-7B")
    _choose(items, "filter-level", "L2")
    counted = {}
    for kind in ("right", "wrong", "tied"):
        _choose(items, "filter-kind", kind)
        counted[kind] = int(items.find_element(CSS, "#count").text.split()[0])
    credit = [record["majority_vote"] for record in run.records if record["level"] == "L2"]
    assert counted == {
        **{"right": credit.count(1.0), "wrong": credit.count(0.0)},
        "tied": sum(0 < value < 1 for value in credit),
    }
    assert sum(counted.values()) == len(credit)
    assert counted["tied"]
    assert {mark.text.split()[0] for mark in items.find_elements(CSS, ".row .mark")} == {"="}
    chosen = [choice.text for choice in items.find_elements(CSS, "#detail .choice")]
    assert len(chosen) > 1
    assert sorted({text.rpartition(", ")[2] for text in chosen}) == ["right", "wrong"]
    assert all("tied for most chosen" in text for text in chosen)


def test_flips_are_sought_where_they_happen(items: Any) -> None:
    _choose(items, "filter-kind", "flipped from right to wrong")
    _choose(items, "filter-level", "L0")
    assert "choose another level than L0" in items.find_element(CSS, "#detail").text
    assert items.find_element(CSS, "#filter-words").accessible_name == "Search"


@pytest.mark.parametrize(("width", "height"), [(1440, 1000), (1280, 800)])
def test_what_steers_a_picture_is_in_view(items: Any, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    items.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        while len(items.find_elements(CSS, "#detail .frame img")) < 2:
            _press(items, "j")
        for key, place in (("s", "slider"), ("b", "blink")):
            _press(items, key)
            time.sleep(0.3)
            ends = items.execute_script(f"return document.getElementById('{place}').getBoundingClientRect().bottom")
            assert ends <= height
    finally:
        _press(items, "d")
        items.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_narrow_list_shows_whole_rows(items: Any) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    items.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        time.sleep(0.3)
        within = items.execute_script("return document.querySelector('#list').clientHeight")
        row = items.execute_script("return document.querySelector('.row').offsetHeight")
        assert within % row == 0
        assert within >= 3 * row
        assert items.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        items.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_command_is_copied_without_the_prose_beside_it(browser: Any, made: Path, tmp_path: Path) -> None:
    analysis = analyse(read_runs([made / "in0"]), replicates=100)
    line = "medqdeg report 'my results' --out report"
    open_page(browser, write_page(analysis, report_frames(analysis), tmp_path, command=line))
    code = browser.find_elements(CSS, "code.command")[-1]
    assert code.get_attribute("textContent") == line
    script = """const done = arguments[0];
    navigator.clipboard.writeText = (text) => { done(text); return Promise.resolve(); };
    [...document.querySelectorAll('button.copy')].at(-1).click();"""
    assert browser.execute_async_script(script) == line


def _press(browser: Any, keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(keys).perform()


def _address(browser: Any) -> str:
    return browser.execute_script("return decodeURIComponent(location.hash)")


def _selected(browser: Any) -> str:
    return browser.find_element(CSS, ".row[aria-selected=true]").get_attribute("aria-posinset")


def test_item_browser_by_keys(items: Any) -> None:
    items.find_element(CSS, "#list").click()
    _press(items, "jjk")
    place = int(_selected(items))
    _press(items, "\ue015\ue015\ue013")  # down, down, up
    assert int(_selected(items)) == place + 1
    _choose(items, "filter-level", "L2")
    items.execute_script("document.activeElement.blur()")
    assert _address(items).startswith("#L2/")
    _press(items, "1")
    assert _address(items).startswith("#L0/")
    _press(items, "2")
    assert _address(items).startswith("#L1/")
    _press(items, "\ue014")  # right
    assert _address(items).startswith("#L2/")
    assert items.find_element(CSS, "figure.current figcaption b").text == "L2"
    _press(items, "/")
    assert items.switch_to.active_element.get_attribute("id") == "filter-words"
    before = _address(items)
    _press(items, "0003")
    time.sleep(0.4)
    assert "0003" in _address(items) != before
    _press(items, "\ue00c")  # escape
    assert items.switch_to.active_element.get_attribute("id") == "list"


def test_item_browser_has_an_address_per_item(items: Any, made: Path) -> None:
    address = items.find_elements(CSS, ".row")[3]
    address.click()
    link = items.find_element(CSS, "#link").get_attribute("href")
    question = items.find_element(CSS, "#detail .question").text
    shown = _address(items)
    items.get("about:blank")
    open_page(items, made / "items.html")
    items.get(link)
    time.sleep(0.2)
    assert _address(items) == shown
    assert items.find_element(CSS, "#detail .question").text == question


def test_item_browser_lays_levels_over_each_other(items: Any) -> None:
    _choose(items, "filter-level", "L2")
    items.execute_script("document.activeElement.blur()")
    # the planted items have a picture at every second place only
    while len(items.find_elements(CSS, "#detail .frame img")) < 2:
        _press(items, "j")
    _press(items, "s")
    slider = items.find_element(CSS, "#slider")
    items.execute_script("arguments[0].value = 20; arguments[0].dispatchEvent(new Event('input'))", slider)
    stack = items.find_elements(CSS, ".stack .above")
    if stack:
        assert "80%" in stack[0].get_attribute("style")
    assert "left of the line" in items.find_element(CSS, ".overlaid figcaption").text
    _press(items, "b")
    caption = items.find_element(CSS, ".overlaid figcaption")
    said = {caption.text for _ in range(14) if time.sleep(0.12) is None}
    assert len(said) == 2
    _press(items, "d")
    assert len(items.find_elements(CSS, "#detail .pictures figure")) == 3
    _press(items, "z")
    assert items.find_element(CSS, "#zoom").text == "zoom 2×"
    scales = "return [...document.querySelectorAll('#detail .frame img')].map((i) => i.style.transform)"
    assert set(items.execute_script(scales)) == {"scale(2)"}


def test_item_browser_marks_votes_and_opens_raw_replies(items: Any) -> None:
    _choose(items, "filter-kind", "wrong")
    votes = items.find_elements(CSS, "figure.current .vote")
    kinds = {vote.get_attribute("class").split()[-1] for vote in votes}
    assert "wrong" in kinds
    shapes = {
        kind: items.execute_script(
            "const s = getComputedStyle(document.querySelector(arguments[0])); "
            "return [s.boxShadow, s.borderBottomStyle]",
            f"#detail .footnote .vote.{kind}",
        )
        for kind in ("right", "wrong", "unread")
    }
    assert len({tuple(shape) for shape in shapes.values()}) == 3  # told apart without colour
    replies = items.find_element(CSS, ".replies")
    items.execute_script("arguments[0].open = true", replies)
    assert "I say " in replies.text
    assert "<script>" in replies.text
    assert "read as" in replies.text


def test_item_browser_shows_two_models_beside_each_other(items: Any) -> None:
    _choose(items, "filter-run", "first-7B")
    second = items.execute_script("return document.querySelector('#filter-beside').options[2].text")
    _choose(items, "filter-beside", second)
    names = [name.text for name in items.find_elements(CSS, "figure.current .who")]
    assert names == ["first-7B", second]
    _choose(items, "filter-kind", "right, the one beside wrong")
    marks = items.execute_script(
        "return [...document.querySelectorAll('.row b')]"
        ".map(r => [...r.querySelectorAll('.mark')].map(m => m.className))"
    )
    assert marks
    assert {tuple(pair) for pair in marks} == {("mark good", "mark bad")}


def test_axe_finds_no_violation(browser: Any, made: Path) -> None:
    path = os.environ.get("AXE_CORE")
    if not path:
        pytest.skip("AXE_CORE does not name axe.min.js of axe-core")
    for page in ("report.html", "items.html"):
        open_page(browser, made / page)
        browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        browser.execute_script(Path(path).read_text())
        found = browser.execute_async_script(
            "axe.run(document, { resultTypes: ['violations'] })"
            ".then((r) => arguments[0](r.violations.map((v) => v.id)))"
        )
        assert found == [], page


def test_nothing_that_is_planted_runs(browser: Any, made: Path) -> None:
    browser.get_log("browser")
    for page in ("report.html", "items.html"):
        open_page(browser, made / page)
        script = """for (const box of document.querySelectorAll('select')) for (const option of box.options) {
            box.value = option.value; box.dispatchEvent(new Event('change')); }
        document.querySelectorAll('details').forEach(d => { d.open = true; });
        for (const box of document.querySelectorAll('select')) {
            box.selectedIndex = 0; box.dispatchEvent(new Event('change')); }"""
        browser.execute_script(script)
        if page == "items.html":
            for _ in range(12):
                browser.find_element(CSS, "#list").send_keys("\ue015")
            for image in browser.find_elements(CSS, "img"):
                assert image.get_attribute("src").endswith("/images/abc123.webp")
            assert "<script>" in browser.find_element(CSS, "#list").text
        else:
            assert "onerror" in browser.find_element(CSS, "#headline").text
            assert PLANTED[2] in browser.find_element(CSS, "#tables").text
        time.sleep(0.3)
        assert browser.execute_script("return window.hacked") is None
        own = "return document.querySelectorAll('iframe, [onerror], [onload], script:not([type])').length"
        scripts = (made / page).read_text().split("style-src")[0].count("sha256-")  # those that the policy lets run
        assert browser.execute_script(own) == scripts > 1
        # The policy holds on its own: a script that did get into the page is refused.
        inject = (
            "const s = document.createElement('script'); s.textContent = 'window.hacked = 2'; document.body.append(s)"
        )
        browser.execute_script(inject)
        assert browser.execute_script("return window.hacked") is None
        assert any("Content Security Policy" in line for line in complaints(browser))
