"""Figures of nodes that few source questions stand behind: order, open marks, reasons, values beyond the axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from medqdeg.utils.analysis.analyse import Analysis, analyse
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.report.content import report_frames
from medqdeg.utils.report.degradation_figure import degradation_drop, order_of
from medqdeg.utils.report.page import write_page
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
