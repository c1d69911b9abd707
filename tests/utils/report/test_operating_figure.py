"""The figure of the operating points: parts that add up to all items, and nothing for runs without a threshold."""

from __future__ import annotations

import pandas as pd
import pytest

from medqdeg.utils.report.operating_figure import operating_points


def _frame(threshold: float) -> pd.DataFrame:
    values = {"answered": 0.6, "error_among_answered": 0.1, "silent_failures": 0.06}
    return pd.DataFrame(
        [
            {"model": "a", "level": level, "figure": figure, "estimate": value, "low": value / 2, "high": value * 1.2}
            | {"threshold": threshold}
            for level in ("L0", "L2")
            for figure, value in values.items()
        ]
    )


def test_parts_add_up() -> None:
    figure = operating_points({"operating_points": _frame(0.8)})
    assert figure is not None
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == ["L0", "L2"]
    for axes in figure.axes:
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == pytest.approx([0.06, 0.54, 0.4])
        assert "10.0% of the answered wrong" in {text.get_text() for text in axes.texts}


def test_no_threshold_no_figure() -> None:
    assert operating_points({"operating_points": _frame(float("nan"))}) is None
