"""Coefficients against other people's programs and published examples.

The numbers called oracle are of irrCAC 0.4.4 (AC1, AC2, Fleiss' kappa) and krippendorff 0.8.1 (alpha), which are not
installed with the project: one pins an old SciPy, the other is under the GPL.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medqdeg.utils.people.agreement import Agreement, agreement, linear_weights, pairwise_kappa
from medqdeg.utils.people.review_agreement import review_agreement

WORKED = np.repeat([[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]], [176, 18, 1, 5], axis=0)
"""200 pairs of 100 items, three simulated readers: "out" votes 0, 1, 2, 3."""

# Krippendorff's example with missing ratings, as in Gwet's handbook: 12 units, 4 observers, 5 categories.
UNITS = ("11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", ".3..")

# 60 rows of 4 simulated readers with a fifth of the ratings missing.
SIMULATED = """
2222 0.1. 2222 .0.2 1112 2222 2202 2020 .0.0 0010 1.20 2.11 2.22 .0.2 1111 2122 0200 2201 0010 1011 .121 0100 1.12 0010
2222 2000 1.22 1.01 1012 1110 11.1 22.1 1110 2202 2120 2.12 2..1 2122 0101 222. 11.. .00. ..0. 1.00 .002 1.11 2.21 0110
.1.1 0210 0010 11.1 2022 1... 2112 2222 .22. 1111 111. 2.1.
"""


def _table(rows: tuple[str, ...] | list[str], first: int = 0) -> np.ndarray:
    return np.array([[-1 if letter == "." else int(letter) - first for letter in row] for row in rows])


def _of(codes: np.ndarray, q: int, weights: np.ndarray | None = None, seed: int = 0) -> Agreement:
    names = [f"category {place}" for place in range(q)]
    return agreement(codes, names, rng=np.random.default_rng(seed), weights=weights, replicates=400)


def test_the_worked_example() -> None:
    rng = np.random.default_rng(0)
    found = agreement(WORKED, ("keep", "out"), rng=rng, replicates=20_000)
    assert found.observed.estimate == pytest.approx(0.9367, abs=5e-5)
    assert str(found.ac1).startswith("0.929")
    assert str(found.kappa).startswith("0.424")
    assert str(found.alpha).startswith("0.424")
    assert found.specific[1].estimate == pytest.approx(32 / 70)
    assert found.said[1] == pytest.approx(0.0583, abs=5e-5)
    # The plain percentile interval of AC1 is [.894, .959], the analytic one of kappa [.184, .663] (irrCAC).
    assert (found.ac1.low, found.ac1.high) == pytest.approx((0.894, 0.959), abs=0.005)
    assert (found.kappa.low, found.kappa.high) == pytest.approx((0.184, 0.663), abs=0.01)


def test_the_interval_is_that_of_scipy() -> None:
    codes = _table(SIMULATED.split())
    rng = np.random.default_rng(0)
    own = agreement(codes, ("0", "1", "2"), rng=rng, replicates=20_000).alpha

    def alpha(rows: np.ndarray) -> float:
        return agreement(codes[rows], ("0", "1", "2"), rng=rng, replicates=1).alpha.estimate

    rows = (np.arange(len(codes)),)
    found = stats.bootstrap(rows, alpha, n_resamples=2000, method="BCa", vectorized=False, rng=rng)
    theirs = found.confidence_interval
    assert (own.low, own.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


@pytest.mark.parametrize(
    ("codes", "q", "oracle"),
    [
        (WORKED, 2, (0.9366666667, 0.9288500546, 0.4235145386, 0.4244753477, 0.9288500546)),
        (_table(UNITS, 1), 5, (0.8181818182, 0.7754440681, 0.7611692754, 0.7434210526, 0.8587391364)),
        (_table(SIMULATED.split()), 3, (0.5402298851, 0.3139023708, 0.3031179021, 0.3108485671, 0.3489566917)),
    ],
    ids=["worked", "published", "simulated"],
)
def test_equals_the_oracles(codes: np.ndarray, q: int, oracle: tuple[float, ...]) -> None:
    found = _of(codes, q, linear_weights(q))
    assert found.ac2 is not None
    own = (found.observed, found.ac1, found.kappa, found.alpha, found.ac2)
    assert [one.estimate for one in own] == pytest.approx(oracle, abs=1e-9)


def test_quadratic_weights_equal_the_oracle() -> None:
    place = np.arange(3)
    found = _of(_table(SIMULATED.split()), 3, 1 - (place[:, None] - place) ** 2 / 4)
    assert found.ac2 is not None
    assert found.ac2.estimate == pytest.approx(0.383476803, abs=1e-9)


def test_ac1_depends_on_the_categories_offered() -> None:
    assert _of(WORKED, 3).ac1.estimate > _of(WORKED, 2).ac1.estimate
    assert _of(WORKED, 3).kappa.estimate == pytest.approx(_of(WORKED, 2).kappa.estimate)


def test_readers_who_always_say_the_same_leave_kappa_undefined() -> None:
    found = _of(np.zeros((40, 3), dtype=int), 2)
    assert found.ac1.estimate == 1
    assert found.ac1.low < 1, "forty rows do not prove perfect agreement"
    assert np.isnan(found.kappa.estimate)
    assert np.isnan(found.alpha.estimate)
    assert "undefined" in found.lines()[1]


def test_rows_with_one_rating_say_nothing_of_agreement() -> None:
    single = np.full((10, 4), -1)
    single[:, 0] = 2
    both = np.vstack([_table(SIMULATED.split()), single])
    assert _of(both, 3).rows == _of(_table(SIMULATED.split()), 3).rows == 58
    assert _of(both, 3).alpha.estimate == _of(_table(SIMULATED.split()), 3).alpha.estimate


def test_no_ratings_at_all() -> None:
    found = _of(np.full((3, 2), -1), 2)
    assert found.rows == found.readers == 0
    assert np.isnan(found.ac1.estimate)


def test_the_same_generator_gives_the_same_interval() -> None:
    assert _of(WORKED, 2, seed=3) == _of(WORKED, 2, seed=3)
    assert _of(WORKED, 2, seed=3) != _of(WORKED, 2, seed=4)


def test_pairs_of_one_item_are_drawn_together() -> None:
    alone = agreement(WORKED, ("keep", "out"), rng=np.random.default_rng(0), replicates=2000)
    # Neighbouring rows are alike, so that an item of ten pairs says little more than one.
    items = np.arange(200) // 10
    together = agreement(WORKED, ("keep", "out"), rng=np.random.default_rng(0), clusters=items, replicates=2000)
    assert together.clusters == 20
    assert together.ac1.estimate == pytest.approx(alone.ac1.estimate)
    assert together.ac1.high - together.ac1.low > 1.5 * (alone.ac1.high - alone.ac1.low)


def test_a_copying_reader_has_the_kappa_of_what_is_copied() -> None:
    rng = np.random.default_rng(11)
    rho = 0.6
    codes = rng.integers(0, 4, (4000, 3))
    codes[:, 1] = np.where(rng.random(4000) < rho, codes[:, 0], codes[:, 1])
    found = pairwise_kappa(codes, 4)
    assert found[0, 1] == pytest.approx(rho, abs=0.03)
    assert np.abs(found[[0, 1], [2, 2]]).max() < 0.03


@pytest.mark.parametrize(
    "codes", [np.array([[0, 2]]), np.array([[0.5, 0.0]]), np.array([0, 1])], ids=["range", "type", "shape"]
)
def test_refuses_what_is_no_table_of_codes(codes: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"codes must be|want a table"):
        _of(codes, 2)


def test_verdicts_of_a_review() -> None:
    verdicts = np.array([[1, 1, 2], [2, 2, 3], [4, 4, 4], [1, 1, -1], [6, 1, 1]] * 8)
    found = review_agreement(verdicts, rng=np.random.default_rng(0), replicates=200)
    assert [one.rows for one in (found.out, found.verdicts, found.strength)] == [40, 40, 32]
    # Out votes of a block of five rows: 1 of 3, 3 of 3, 3 of 3, 0 of 2, 1 of 3.
    assert found.out.specific[1].estimate == pytest.approx(12 / 16)
    assert found.strength.ac2 is not None
    text = "\n".join(found.lines())
    for name in ("AC1", "Fleiss kappa", "Krippendorff alpha", "AC2", 'specific agreement on "out"'):
        assert name in text
