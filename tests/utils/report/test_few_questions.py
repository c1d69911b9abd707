"""Figures of nodes that few source questions stand behind: order, open marks, reasons, values beyond the axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.degradation_figure import degradation_drop, order_of
from medqdeg.utils.report.example import Example
from medqdeg.utils.report.level_figures import reliability
from medqdeg.utils.report.page import write_page
from medqdeg.utils.report.page_example import page_example
from medqdeg.utils.scoring.records import score_item

from ..record_examples import document
from ..run_files import write_run
from .browser import chromium, open_page

NARROW = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}


def _levels() -> dict[str, list[dict[str, Any]]]:
    """32 questions of which a third turn wrong with noise, seven that a blur leaves alone, one of +100, one of -100."""
    kinds = [("gaussian_noise", "B", "B" if number % 3 else "A") for number in range(32)]
    kinds += [("motion_blur", "B", "B")] * 7 + [("exposure", "A", "B"), ("reduce_contrast", "B", "A")]
    levels: dict[str, list[dict[str, Any]]] = {"L0": [], "L1": [], "L2": []}
    for number, (name, clean, worse) in enumerate(kinds):
        for level, own in levels.items():
            degradation = None if level == "L0" else name
            doc = document(
                item_id=f"{number}-{level}", level=level, degradation=degradation,
                source_question_id=f"index:{number}", skill="Disease Diagnosis" if number else "Counting",
            )  # fmt: skip
            own.append(dict(score_item(doc, [clean if level == "L0" else worse] * 9 + ["C"])))
    return levels


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyse(read_runs([write_run(tmp_path_factory.mktemp("few"), _levels())]), 100)


@pytest.fixture(scope="module")
def frames(analysis: Analysis) -> dict[str, pd.DataFrame]:
    return report_frames(analysis)


@pytest.fixture(scope="module")
def page(
    analysis: Analysis, frames: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    path = write_page(analysis, frames, tmp_path_factory.mktemp("page"))
    with chromium(path.parent) as browser:
        open_page(browser, path)
        yield browser


def _texts(browser: Any, plot: str) -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' svg text')].map(t => t.textContent)", f"{plot}-plot"
    )


def test_degradations_without_an_interval_come_last_and_by_size() -> None:
    columns = ["degradation", "estimate", "low", "n"]
    rows = [("a", -0.2, -0.3, 40), ("b", -0.5, -0.6, 30), ("c", -1.0, None, 1), ("d", 0.0, None, 9)]
    assert order_of(pd.DataFrame(rows, columns=columns)) == (["b", "a", "d", "c"], 2)


def test_the_printed_figure_draws_no_bar_without_an_interval(frames: dict[str, pd.DataFrame]) -> None:
    figure = degradation_drop(frames)
    assert figure is not None
    axes = figure.axes[1]
    assert next(tick.get_text() for tick in figure.axes[0].get_yticklabels()) == "gaussian noise"
    assert len(axes.patches) == 1
    figure.draw_without_rendering()
    low, zero, high = (axes.transData.transform((x, 0))[0] for x in (axes.get_xlim()[0], 0, axes.get_xlim()[1]))
    ends = {text.get_text().strip(): text.get_window_extent() for text in axes.texts}
    assert zero < ends["+90.0 ▸"].x0 < ends["+90.0 ▸"].x1 < high + 1
    assert low - 1 < ends["◂ −90.0"].x0 < ends["◂ −90.0"].x1 < zero
    assert sum(text.get_text().endswith("°") for text in axes.texts) == 3


def test_the_page_says_why_there_is_no_interval(page: Any) -> None:
    texts = _texts(page, "#degradation")
    names = [text for text in texts if text in ("gaussian noise", "motion blur", "exposure", "reduce contrast")]
    assert names[:2] == ["gaussian noise", "motion blur"]
    assert any("n 7*  no interval: too few source questions differ" in text for text in texts)
    assert sum("n 1*  no interval: one source question" in text for text in texts) == 2
    bars = page.execute_script("return document.querySelectorAll('#degradation g[aria-label=bar] rect').length")
    dots = "return document.querySelectorAll('#degradation g.without-interval circle').length"
    assert (bars, page.execute_script(dots)) == (1, 1)  # the other two lie beyond the axis
    assert "Neighbours whose intervals overlap are not told apart" in page.find_element("css selector", "body").text
    options = page.execute_script("return [...document.querySelector('#degradation-figure').options].map(o => o.value)")
    assert "agreement_gap" in options


@pytest.mark.parametrize("width", [None, 390])
def test_a_value_beyond_the_axis_is_marked_beside_the_line_at_0(page: Any, width: int | None) -> None:
    if width:
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", NARROW)
    try:
        page.execute_script("dispatchEvent(new Event('resize'))")
        zero, boxes = page.execute_script(
            """const svg = document.querySelector('#degradation-plot svg');
            const box = (e) => { const r = e.getBoundingClientRect(); return [r.left, r.right]; };
            const line = [...svg.querySelectorAll('g[aria-label=rule] line')].find(e => e.x1.baseVal.value === e.x2.baseVal.value);
            const cut = [...svg.querySelectorAll('text')].filter(t => /[◂▸] ?[+−]|[0-9] ▸/.test(t.textContent));
            return [box(line), cut.map(t => [t.textContent, ...box(t)])];"""  # noqa: E501
        )
        found = {text: (left, right) for text, left, right in boxes}
        assert set(found) == {"+90.0 ▸", "◂ −90.0"}
        assert found["+90.0 ▸"][0] > zero[1]
        assert found["◂ −90.0"][1] < zero[0]
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_script("dispatchEvent(new Event('resize'))")


def test_names_are_broken_and_not_cut(page: Any) -> None:
    lines = "return report.lines(arguments[0], 18).split('\\n')"
    for name in ("General Diagnosis Reasoning", "General Science Reasoning", "Laboratory/Imaging Interpretation"):
        found = page.execute_script(lines, name)
        assert len(found) > 1
        assert "…" not in "".join(found)
        assert " ".join(found).replace("/ ", "/") == name


def test_a_skill_of_one_question_is_grey_and_after_its_neighbours(page: Any) -> None:
    page.execute_script("document.querySelector('#hierarchy-all').click()")
    texts = _texts(page, "#hierarchy")
    assert any("no interval: one source question" in text for text in texts)
    grey = page.execute_script(
        "return [...document.querySelectorAll('#hierarchy-plot g[aria-label*=axis][fill=\"var(--soft)\"] text')]"
        ".map(t => t.textContent)"
    )
    assert any("Counting" in text for text in grey)
    assert not any("Disease Diagnosis" in text for text in grey)


def test_a_single_run_is_named_once_and_stays_in_the_download(page: Any) -> None:
    own = "#headline .table"
    assert "All rows: model: model-7B" in page.find_element("css selector", f"{own} .footnote").text
    heads = page.execute_script(
        f"return [...document.querySelectorAll('{own} th')].map(h => [h.dataset.name, h.hidden])"
    )
    assert heads[:2] == [["model", True], ["level", False]]
    script = """const done = arguments[0]; const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => { blob.text().then(done); URL.createObjectURL = make; return make(blob); };
    document.querySelector('#headline .tools button').click();"""
    assert page.execute_async_script(script).lstrip("\ufeff").splitlines()[1].startswith("model-7B,L0,")


def test_wide_tables_use_the_window_and_narrow_ones_say_that_they_scroll(page: Any) -> None:
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**NARROW, "width": 1440, "mobile": False})
    scrolling = """return [...document.querySelectorAll('main .scroll')].filter(s => s.scrollWidth > s.clientWidth + 1)
        .map(s => [s.closest('section').id, s.closest('.table').querySelector('.more').hidden])"""
    try:
        assert page.execute_script(scrolling) == []
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", NARROW)
        found = page.execute_async_script(
            f"const done = arguments[0]; setTimeout(() => done((() => {{ {scrolling} }})()), 200)"
        )
        assert found
        assert not any(hidden for _, hidden in found)
        edge = """const heads = [...document.querySelectorAll('#findings th')];
            return heads.find(h => h.dataset.name === arguments[0]).getBoundingClientRect().right"""
        assert page.execute_script(edge, "finding") < page.execute_script(edge, "reading") <= 390
        nav = page.execute_script("const n = document.querySelector('nav'); return [n.scrollWidth, n.clientWidth]")
        assert nav[0] <= nav[1]
        assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_asterisks_have_a_key_below_their_table(page: Any) -> None:
    script = """return [...document.querySelectorAll('main .table')].map(t =>
        [t.querySelectorAll('td abbr').length > 0, t.querySelectorAll('.few').length])"""
    found = page.execute_script(script)
    assert {keys for marked, keys in found if marked} == {1}
    assert {keys for marked, keys in found if not marked} == {0}


def test_the_navigation_leads_to_headed_sections(page: Any) -> None:
    script = """return [...document.querySelectorAll('nav a[href^="#"]')].map(a => {
        const section = document.getElementById(a.hash.slice(1));
        return [a.textContent, section.querySelector('h2').getBoundingClientRect().width > 2]; })"""
    links = page.execute_script(script)
    assert [name for name, _ in links][:3] == ["In short", "Severity", "Where from"]
    assert all(seen for _, seen in links)


def test_lines_of_reliability_join_only_bins_of_enough_questions(frames: dict[str, pd.DataFrame]) -> None:
    figure = reliability(frames)
    assert figure is not None
    rows = frames["reliability"]
    for axes, level in zip(figure.axes, ("L0", "L1", "L2"), strict=True):
        own = rows[rows["level"] == level]
        (line,) = (line for line in axes.lines if line.get_linewidth() == 1.0 and len(line.get_xdata()) == len(own))
        joined = ~np.isnan(np.asarray(line.get_ydata(), dtype=float))
        assert list(joined) == list(~own["small"].astype(bool))


def test_the_example_marks_what_was_chosen_and_says_votes_and_confidence(tmp_path: Path) -> None:
    replies = {"L0": ["B"] * 10, "L1": ["B"] * 8 + ["A", "hm"], "L2": ["A"] * 9 + ["B"]}
    records = []
    for level, own in replies.items():
        doc = document(level=level, degradation=None if level == "L0" else "low_dose")
        records.append(dict(score_item(doc, own)))
        Image.new("RGB", (4, 4)).save(tmp_path / f"{level}.webp")
    pictures = [tmp_path / f"{level}.webp" for level in replies]
    shown = page_example(Example(records, pictures, "What is shown?", ["a cyst", "a polyp", "a rib", "a clip"], 1, 1))
    assert shown is not None
    assert [option[2:] for option in shown.options] == [(False, "L2"), (True, "L0, L1"), (False, ""), (False, "")]
    confidence = 1 + (0.9 * math.log(0.9) + 0.1 * math.log(0.1)) / math.log(4)
    assert shown.levels[0].says == "10 of 10 votes for B, confidence 100%"
    assert shown.levels[1].says.startswith("8 of 10 votes for B, confidence ")
    assert shown.levels[2].says == f"9 of 10 votes for A, confidence {100 * confidence:.0f}%"
    assert [(vote.letter, vote.meaning) for vote in shown.key] == [
        ("B", "right (line below)"), ("A", "wrong (boxed)"), ("?", "unread"),
    ]  # fmt: skip
