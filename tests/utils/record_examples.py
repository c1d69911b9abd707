"""Documents and records for tests, made from a seed; no product code decides what is right here."""

from __future__ import annotations

import random
from typing import Any

from medqdeg.utils.dataset import taxonomy

LETTERS = "ABCDE"


def document(**changes: Any) -> dict[str, Any]:
    """A row as the data set gives it, without images."""
    doc = {
        "item_id": "7",
        "question": "What is shown?",
        "letters": list("ABCD"),
        "options": ["a cyst", "a polyp", "a rib", "a clip"],
        "answer": "B",
        "level": "L1",
        "modality": "CT",
        "degradation": "low_dose",
        "skill": "Disease Diagnosis",
        "source": "GMAI-MMBench",
        "source_question_id": "index:3",
        "source_question_rule": "column",
        "extra": "{}",
    }
    return {**doc, **changes}


def random_documents(count: int, level: str, seed: int) -> list[dict[str, Any]]:
    """Documents that cover skills (also unlabelled), modalities, degradations, sources and K = 2 to 5."""
    rng = random.Random(seed)
    docs = []
    for number in range(count):
        k = rng.randint(2, 5)
        modality = rng.choice(taxonomy.MODALITIES)
        docs.append(
            document(
                item_id=str(number),
                letters=list(LETTERS[:k]),
                options=[f"option {letter}" for letter in LETTERS[:k]],
                answer=rng.choice(LETTERS[:k]),
                level=level,
                modality=modality,
                degradation=None if level == "L0" else rng.choice(taxonomy.degradations_for(modality)),
                skill=rng.choice([*taxonomy.SKILLS, taxonomy.UNLABELLED]),
                source=rng.choice([*taxonomy.SOURCES, "St. Elsewhere"]),
                source_question_id=f"index:{rng.randrange(count // 2 + 1)}",
            )
        )
    return docs


def random_replies(doc: dict[str, Any], trials: int, rng: random.Random) -> list[str]:
    """Replies of a mediocre model: mostly a letter, sometimes prose, sometimes a failed request."""
    weights = [3.0 if letter == doc["answer"] else 1.0 for letter in doc["letters"]]
    replies = rng.choices(doc["letters"], weights, k=trials)
    for place in range(trials):
        dice = rng.random()
        if dice < 0.05:
            replies[place] = "I cannot tell from this image"
        elif dice < 0.08:
            replies[place] = "[LMMS_EVAL_REQUEST_FAILED] timeout"
    return replies
