"""Blood cells: where they are, how much they cover, what colour they leave."""

from __future__ import annotations

import numpy as np
import pytest

from medqdeg.degradations import get
from medqdeg.degradations.operators.blood_cell import apply, draw

TISSUE = np.full((256, 256, 3), (150, 110, 170), np.float32)


def _covered(level: str) -> list[float]:
    row = {"L1": (9, 0.175), "L2": (20, 0.21)}[level]
    shares = []
    for seed in range(20):
        drawn = draw(np.random.default_rng(seed), (256, 256), count=row[0], diameter=row[1] * 256)
        out = apply(TISSUE, **drawn, opacity=0.325)
        shares.append((np.abs(out - TISSUE).max(axis=2) > 2).mean())
    return shares


@pytest.mark.parametrize(("level", "authors"), [("L1", 0.207), ("L2", 0.489)])
def test_cover_is_the_authors(level, authors):
    assert get("blood_cell").parameters["default"][level]["opacity"] == "0.325"
    assert np.mean(_covered(level)) == pytest.approx(authors, abs=0.06)


def test_one_cell():
    out = apply(TISSUE, cells=[[100, 120, 50, 0.9, 30, 1.0]], opacity=0.325)
    row, column = np.mgrid[0:256, 0:256]
    distance = np.hypot(row - 100, column - 120)
    np.testing.assert_array_equal(out[distance > 28], TISSUE[distance > 28])
    cell = (out - 0.675 * TISSUE)[distance < 21] / 0.325
    assert cell.mean(axis=0) == pytest.approx([172, 54, 83], abs=25)
    middle, ring = out[distance < 4].mean(), out[(distance > 17) & (distance < 20)].mean()
    assert middle > ring + 5  # pale in the middle
    long = distance[(np.abs(out - TISSUE).max(axis=2) > 10)].max()
    assert long == pytest.approx(25 / 0.9**0.5, abs=1.5)


def test_grey_image_and_cells_over_the_edge():
    grey = np.full((64, 64), 140, np.float32)
    cells = [[0, 0, 30, 1, 0, 1], [70, 30, 20, 0.9, 10, 1], [200, 200, 20, 1, 0, 1]]
    out = apply(grey, cells=cells, opacity=0.5)
    assert out.shape == grey.shape
    assert out[0, 5] < 140
    assert (out[20:50] == 140).all()
    with pytest.raises(ValueError, match="opacity"):
        apply(grey, cells=cells, opacity=0)
