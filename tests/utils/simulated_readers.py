"""Simulated readers, for tests only: no person gave any of these answers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from medqdeg.utils.scoring.records import PERSON, score_item


def reader_records(
    docs: Mapping[str, Sequence[dict[str, Any]]],
    code: str,
    accuracy: Mapping[str, float],
    seed: int,
    stated: str = "knows",
) -> dict[str, list[dict[str, Any]]]:
    """Level -> records of one simulated reader.

    Args:
        docs: level -> items.
        code: of the reader.
        accuracy: level -> expected share right, at least 1/K.
        seed: of the reader's answers.
        stated: "knows" states the accuracy of the level, "guesses" 1/K, "sure" 100%.
    """
    rng = random.Random(seed)
    found: dict[str, list[dict[str, Any]]] = {}
    for level, items in docs.items():
        found[level] = []
        for doc in items:
            wrong = [letter for letter in doc["letters"] if letter != doc["answer"]]
            letter = doc["answer"] if rng.random() < accuracy[level] else rng.choice(wrong)
            if stated == "guesses":
                letter = rng.choice(doc["letters"])
            confidence = {"knows": accuracy[level], "guesses": 1 / len(doc["letters"]), "sure": 1.0}[stated]
            record = dict(score_item(doc, [f"Answer: {letter}\nConfidence: {100 * confidence:.2f}%"], "verbalized"))
            record |= {"respondent": PERSON, "reader": [code], "session": [1], "seconds": [9.0]}
            found[level].append(record)
    return found
