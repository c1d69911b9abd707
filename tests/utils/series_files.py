"""Runs over a series of severities, for tests of what reads them: known falls, in three elicitations."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from medqdeg.utils.scoring.answers import LetterProbabilities, write_probabilities
from medqdeg.utils.scoring.records import score_item

from .record_examples import LETTERS, document
from .run_files import write_run, write_samples

SEVERITIES = ("S0.50", "S1.00", "S1.50", "S2.00")
CELLS = (("gaussian_blur", "CT"), ("gaussian_blur", "MRI"), ("low_dose", "CT"))
QUESTIONS = 60


def replies(kind: str, right: str, letters: list[str], knows: bool, rng: random.Random) -> list[str]:
    if kind == "exact":
        weights = {letter: 8.0 if letter == right and knows else 1.0 for letter in letters}
        total = sum(weights.values())
        return [write_probabilities(LetterProbabilities({key: 0.99 * v / total for key, v in weights.items()}, 0.5))]
    votes = [right if knows and rng.random() < 0.9 else rng.choice(letters) for _ in range(10)]
    return [f"Answer: {vote}\nConfidence: {90 if knows else 30}%" for vote in votes] if kind == "verbalized" else votes


def records(kind: str = "votes", questions: int = QUESTIONS) -> list[dict[str, Any]]:
    """Blur: each question falls at a severity of its own; low dose: all at once between 1 and 1.5."""
    rng = random.Random(5)
    made = []
    for number in range(questions):
        letters = list(LETTERS[: rng.randint(2, 4)])
        modality = ("CT", "MRI")[number % 2]
        clean = document(
            item_id=f"{number:03d}", letters=letters, options=[f"option {x}" for x in letters], modality=modality,
            answer=rng.choice(letters), level="L0", degradation=None, source_question_id=f"index:{number:03d}",
        )  # fmt: skip
        made.append((clean, True))
        limit = rng.uniform(0, 2.5)
        for name, of in CELLS:
            for level in SEVERITIES if of == modality else ():
                knows = float(level[1:]) < (limit if name == "gaussian_blur" else 1.2)
                made.append(
                    ({**clean, "item_id": f"{number:03d}-{name}-{level}", "degradation": name, "level": level}, knows)
                )
    asked = "verbalized" if kind == "verbalized" else "votes"
    return [
        dict(score_item(doc, replies(kind, doc["answer"], doc["letters"], knows, rng), asked)) for doc, knows in made
    ]


def series_run(folder: Path, found: list[dict[str, Any]]) -> Path:
    own = write_run(folder, {"L0": found}, task="x")
    (own / "20261122_084024_samples_x_l0.jsonl").unlink()
    write_samples(own / "20261122_084024_samples_medqdeg_curve.jsonl", found)
    return own
