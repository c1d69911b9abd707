"""Cells of CSV files are data to a spreadsheet, and numbers are numbers."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from medqdeg.utils.base.csv_cells import cell_as_given, safe_cell, safe_csv
from medqdeg.utils.base.markdown_text import as_markdown_text

FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "+1-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "-5"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_and_comes_back(text: str) -> None:
    line_feeds = text.replace("\r", "\n")
    assert safe_cell(text) == f"'{line_feeds}"
    assert cell_as_given(safe_cell(text)) == line_feeds


def test_a_carriage_return_begins_no_row() -> None:
    rows = list(csv.reader(io.StringIO(safe_csv(pd.DataFrame({"a": ["x\r=1+1", "y\r\nz"]})), newline="")))
    assert rows == [["a"], ["x\n=1+1"], ["y\nz"]]


@pytest.mark.parametrize("value", ["a=b", "", "GPT-5", "'quoted'", "−0.5", -0.5, 3, None, True])
def test_everything_else_stays(value: object) -> None:
    assert safe_cell(value) is value or safe_cell(value) == value
    if isinstance(value, str):
        assert cell_as_given(value) == value


def test_a_table_keeps_its_numbers_to_the_letter() -> None:
    texts = [text for text in FORMULAS if "\r" not in text]  # which pandas leaves without quotation marks
    frame = pd.DataFrame(
        {
            "=name": [*texts, None],
            "value": [-0.123456789, float("nan"), *range(len(texts) - 1)],
            "n": pd.array([-1, None, *range(len(texts) - 1)], dtype="Int64"),
            "mixed": [-1.5, "x", *[None] * (len(texts) - 1)],
            "yes": [True] * (len(texts) + 1),
        }
    )
    plain, safe = (
        list(csv.reader(io.StringIO(text, newline=""))) for text in (frame.to_csv(index=False), safe_csv(frame))
    )
    assert [row[1:] for row in plain[1:]] == [row[1:] for row in safe[1:]]
    assert [row[0] for row in safe] == ["'=name", *(f"'{text}" for text in texts), ""]


def test_a_table_without_formulas_has_the_bytes_of_pandas() -> None:
    frame = pd.DataFrame({"run": ["a", "b-c"], "low": [-1.0, 2.5], "small": [True, False], "rule": [None, True]})
    assert safe_csv(frame) == frame.to_csv(index=False)


def test_text_in_markdown_is_no_markup() -> None:
    assert as_markdown_text("a|b\n<img src=x> [c](d) `e` *f* _g_") == (
        r"a\|b &lt;img src=x&gt; \[c\](d) \`e\` \*f\* \_g\_"
    )
    assert as_markdown_text("gaussian_blur of GMAI-MMBench") == "gaussian_blur of GMAI-MMBench"
