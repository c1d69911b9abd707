"""The gap of records against that of whole tables, and its worked examples."""

from __future__ import annotations

from typing import Any

import pytest

from medqdeg.utils.analysis.item_answers import item_answers
from medqdeg.utils.scoring.agreement import agreement_gap, item_gap

from ..run_files import scored_levels


def _record(letters: list[str], **fields: Any) -> dict[str, Any]:
    return {"accuracy": 0.5, "options": list("ABCD"), "k": 4, "answer": "A", "letters": letters, **fields}


def test_worked_example() -> None:
    records = [_record(list("AAAB")), _record([*"ABB", "unread"]), _record([*"BBB", "unread"])]
    gaps = [(item_gap(record), 1.0) for record in records]
    assert [gap.difference for gap, _ in gaps] == [-1 / 4, 0, 1 / 2]
    assert agreement_gap(gaps) == 1 / 8
    exact = _record([], elicitation="exact", probabilities=[0.7, 0.2, 0.1, 0.0], letter_mass=1.0)
    assert item_gap(exact).difference == pytest.approx(-0.16)
    stated = _record(["A", "B", "unread", "A"], elicitation="verbalized", stated=[0.9, 0.6, None, None])
    assert agreement_gap([(item_gap(stated), 1.0)]) == pytest.approx(1 / 4)


def test_records_and_tables_agree() -> None:
    records = [record for level in scored_levels(40, seed=3).values() for record in level]
    terms = item_answers(records, "votes", 10).gap
    for place, record in enumerate(records):
        gap = item_gap(record)
        if gap is None:
            assert not terms.weight[place] >= 0
            continue
        assert gap.difference == pytest.approx(terms.difference[place])
        assert gap.weight == pytest.approx(terms.weight[place])


def test_votes_that_do_not_vary_have_no_gap() -> None:
    same = [(item_gap(_record(list("AAA"))), 1.0), (item_gap(_record(list("BBB"))), 1.0)]
    assert agreement_gap(same) is None
    assert agreement_gap([*same, (item_gap(_record(list("ABA"))), 1.0)]) is not None
    assert item_gap(_record(["A"])) is None
    assert item_gap(_record(["A", "missing"])) is None
    assert agreement_gap([]) is None
    assert agreement_gap([(item_gap(_record(["unread", "A"])), 1.0)]) is None


def test_weights_repeat_items() -> None:
    first, second = item_gap(_record(list("AAB"))), item_gap(_record(list("BBA")))
    assert agreement_gap([(first, 3.0), (second, 1.0)]) == pytest.approx(
        agreement_gap([(first, 1.0)] * 3 + [(second, 1.0)])
    )
