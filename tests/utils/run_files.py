"""Files as lmms-eval 0.7.3 writes them, with records that the project's own scoring made, for tests of what reads them.

`tests/tasks/test_analysis_of_a_run.py` reads what lmms-eval itself wrote.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medqdeg.utils.dataset import taxonomy
from medqdeg.utils.scoring.records import score_item

from .record_examples import LETTERS, document, random_replies

DATE = "20261122_084024"


def paired_documents(questions: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Clean items, and for each one to three degradations at L1 and at L2."""
    rng = random.Random(seed)
    docs: dict[str, list[dict[str, Any]]] = {level: [] for level in taxonomy.LEVELS}
    for number in range(questions):
        k = rng.randint(2, 5)
        modality = rng.choice(taxonomy.MODALITIES[:3])
        clean = document(
            item_id=f"{number:04d}",
            letters=list(LETTERS[:k]),
            options=[f"option {letter}" for letter in LETTERS[:k]],
            answer=rng.choice(LETTERS[:k]),
            level="L0",
            modality=modality,
            degradation=None,
            skill=rng.choice([*taxonomy.SKILLS[:6], taxonomy.UNLABELLED]),
            source=rng.choice(list(taxonomy.SOURCES)),
            source_question_id=f"index:{number:04d}",
        )
        docs["L0"].append(clean)
        for name in rng.sample(taxonomy.degradations_for(modality), rng.randint(1, 3)):
            for level in ("L1", "L2"):
                item_id = f"{number:04d}-{name}-{level}"
                docs[level].append({**clean, "item_id": item_id, "degradation": name, "level": level})
    return docs


def scored(docs: Sequence[dict[str, Any]], seed: int, trials: int = 10) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [dict(score_item(doc, random_replies(doc, trials, rng))) for doc in docs]


def scored_levels(questions: int, seed: int, trials: int = 10) -> dict[str, list[dict[str, Any]]]:
    docs = paired_documents(questions, seed=0)
    return {level: scored(docs[level], seed + int(level[1]), trials) for level in docs}


def write_samples(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"doc_id": number, "medqdeg": record}) for number, record in enumerate(records)]
    path.write_text("".join(line + "\n" for line in lines))
    return path


def write_run(
    folder: Path,
    levels: Mapping[str, Sequence[Mapping[str, Any]]],
    model: str = "some/model-7B",
    date: str = DATE,
    task: str = "medqdeg",
    limit: int | None = None,
    original: int | None = None,
    others: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write the results file and a samples file per level; return the folder that holds them."""
    own = folder / model.replace("/", "__")
    own.mkdir(parents=True, exist_ok=True)
    tasks = {level: f"{task}_{level.lower()}" for level in levels}
    for level, records in levels.items():
        write_samples(own / f"{date}_samples_{tasks[level]}.jsonl", records)
    results = {
        "results": {
            **{
                name: {"alias": name, "medqdeg,votes": {"level": level, "prompt": "{{ question }}", "versions": {}}}
                for level, name in tasks.items()
            },
            **(others or {}),
        },
        "configs": {name: {"generation_kwargs": {"temperature": 1.0}} for name in tasks.values()},
        "n-samples": {
            tasks[level]: {"original": original or len(records), "effective": len(records)}
            for level, records in levels.items()
        },
        "config": {"model": "qwen2_5_vl", "model_args": f"pretrained={model}", "limit": limit, "gen_kwargs": ""},
        "model_name": model,
        "date": date,
    }
    (own / f"{date}_results.json").write_text(json.dumps(results))
    return own
