"""The key of an export: which item stands behind which neutral code. It stays at home."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..base.atomic_files import write_atomically
from ..base.errors import InputError, one_line
from ..dataset import taxonomy
from ..dataset.loading import source_question_id
from ..dataset.tsv import Row
from ..scoring.elicitation import VERBALIZED, VOTES

SCHEMA_VERSION = 1

TEXTS = (
    *("item_id", "question", "answer", "level", "modality", "skill", "source"),
    *("source_question_id", "source_question_rule", "cluster_id"),
)
FIELDS = (*TEXTS, "letters", "options", "degradation")
"""What a key holds of each item beside its code: the columns of the data set that scoring and analysis need."""


@dataclass(frozen=True)
class Key:
    """Everything that is needed to score the answers, without the data set.

    Attributes:
        family: name of the tasks whose items these are, such as "medqdeg" or "medqdeg_phantom_small".
        elicitation: "votes" or "verbalized".
        trials: T, how often each item was asked for.
        seed: of the shuffling.
        prompt: the template of what was asked, "" where it is not known.
        items: code -> the item's `FIELDS`, in the order of the codes.
    """

    family: str
    elicitation: str
    trials: int
    seed: int
    prompt: str
    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def shuffled(docs: Sequence[Mapping[str, Any]], seed: int, salt: str = "") -> list[Mapping[str, Any]]:
    """Return items in an order that tells nothing; the same on every machine and with every version of NumPy."""
    return sorted(docs, key=lambda doc: _digest(seed, salt, doc["level"], doc["item_id"]))


def first_questions(questions: Iterable[str], limit: int, seed: int) -> set[str]:
    """Return so many source questions, drawn by the seed."""
    return set(sorted(set(questions), key=lambda question: _digest(seed, "limit", question))[:limit])


def codes(docs: Sequence[Mapping[str, Any]], seed: int) -> list[str]:
    """Return a neutral code for each item, in the order given.

    They begin with a mark of the export, so that the answers to another one are not taken for answers to this one.
    """
    mark = _digest(seed, *(f"{doc['level']}/{doc['item_id']}" for doc in docs))[:4]
    width = max(4, len(str(len(docs))))
    return [f"{mark}-{number:0{width}d}" for number in range(1, len(docs) + 1)]


def _digest(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()


def described(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a key holds of an item."""
    item = {name: doc[name] for name in FIELDS if name != "cluster_id"}
    item["cluster_id"] = doc.get("cluster_id") or doc["source_question_id"]
    if doc.get("degradation_origin"):
        item["degradation_origin"] = doc["degradation_origin"]
    return {name: list(value) if isinstance(value, (list, tuple)) else value for name, value in item.items()}


def item_of_row(row: Row, rule: str) -> dict[str, Any]:
    """Return what a key holds of an item that a row of a table describes.

    Args:
        row: as `medqdeg.utils.dataset.tsv` reads it.
        rule: how the source question is known, `BY_COLUMN` or `BY_TEXT` of `medqdeg.utils.dataset.loading`.
    """
    question = source_question_id(row, rule)
    return {
        "item_id": row.item_id,
        "question": row.question,
        "letters": list(row.options),
        "options": list(row.options.values()),
        "answer": row.answer,
        "level": row.level,
        "modality": row.modality,
        "degradation": row.degradation,
        "skill": row.skill,
        "source": row.source,
        "source_question_id": question,
        "source_question_rule": rule,
        "cluster_id": f"index:{row.cluster}" if row.cluster else question,
        **({"degradation_origin": row.origin} if row.origin else {}),
    }


def write_key(path: Path, key: Key) -> None:
    """Write a key; the same key again is no mistake.

    Raises:
        InputError: there is another file, or it cannot be written.
    """
    content = {"schema": SCHEMA_VERSION, **asdict(key)}
    data = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    try:
        if path.exists() and path.read_bytes() != data:
            raise InputError(f"{path} is there already and is another key; name a new file with --key")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


def read_key(path: Path) -> Key:
    """Read and check a key.

    Raises:
        InputError: it cannot be read, is no key, or an item in it cannot be scored.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no key of `medqdeg export` ({one_line(error, 120)})") from None
    if not isinstance(content, dict) or not isinstance(content.get("items"), dict) or not content["items"]:
        raise InputError(f"{path}: no key of `medqdeg export`: it has no items")
    if content.get("schema") != SCHEMA_VERSION:
        raise InputError(f"{path}: a key of schema {content.get('schema')!r}; this medqdeg reads {SCHEMA_VERSION}")
    trials, seed = content.get("trials"), content.get("seed")
    if content.get("elicitation") not in (VOTES, VERBALIZED) or not isinstance(trials, int) or trials < 1:
        raise InputError(f"{path}: damaged: elicitation {content.get('elicitation')!r}, trials {trials!r}")
    for code, item in content["items"].items():
        if fault := _fault(item):
            raise InputError(one_line(f"{path}: item {code}: {fault}"))
    return Key(
        family=str(content.get("family") or "medqdeg"),
        elicitation=content["elicitation"],
        trials=trials,
        seed=seed if isinstance(seed, int) else 0,
        prompt=str(content.get("prompt") or ""),
        items=content["items"],
    )


def _fault(item: Any) -> str | None:
    if not isinstance(item, dict):
        return "is no JSON object"
    for name in TEXTS:
        if not isinstance(item.get(name), str):
            return f"{name} is no text"
    letters, options = item.get("letters"), item.get("options")
    if not isinstance(letters, list) or not isinstance(options, list) or len(letters) != len(options):
        return "letters and options do not agree"
    if len(letters) < 2 or len(set(map(str, letters))) != len(letters) or item["answer"] not in letters:
        return "the answer is not among the letters"
    try:
        if taxonomy.severity_label(item["level"]) != item["level"]:
            return f"unknown level {item['level']!r}"
        taxonomy.capability_of(item["skill"])
        if item.get("degradation") is not None:
            taxonomy.degradation_category(item["degradation"])
    except (InputError, TypeError, AttributeError) as error:
        return str(error)
    return None
