"""Which degradations take a phantom's evidence away, and is the reference model at chance where it is gone?

    python benchmarks/evidence.py --items 63 --seed 1 --stop 31 --out first.json
    python benchmarks/evidence.py --items 28 --seed 2 --stop 24 --out second.json
    python benchmarks/evidence.py --report first.json second.json

For each item, `--degradations` of its modality's ladders are searched for the level "gone" (`medqdeg.utils.evidence`),
and its planned degradations are judged at L1 and L2. The reference model then reads the clean images and those that are
gone, by the exact probabilities of the letters. Prints the tables of docs/evidence.md; `--out` keeps every item, and
`--report` prints the tables of several runs together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medqdeg.degradations import LEVELS, degrade_with_record, list_degradations
from medqdeg.tasks.prompts import prompt
from medqdeg.utils.analysis.statistics.clustered import clustered_ratio, ratio_interval
from medqdeg.utils.evidence.gone import KEEPS_EVIDENCE, LADDERS, degraded_at, first_gone
from medqdeg.utils.evidence.judging import GONE, LEAST_CLEAN, SURVIVES, VOID, ItemObserver
from medqdeg.utils.phantoms.planning import PlannedItem, plan_suite
from medqdeg.utils.phantoms.suite import draw_phantom

SLOW = ("limited_angle", "low_dose")
"""Degradations of which one severity takes half a minute for an item's drawings."""

Row = dict[str, Any]


def judged(item: PlannedItem, seed: int, degradations: int, slow: bool) -> Iterator[tuple[Row, np.ndarray]]:
    """Yield rows of an item with their images: clean, L1 and L2, and each ladder's first image that is gone."""
    phantom = draw_phantom(item, seed)
    observer = ItemObserver(phantom, seed)
    index = f"phantom_{seed}_{item.number:05d}"
    own = {"item": index, "question": item.template, "modality": item.modality, "k": len(item.options)}
    void = observer.clean < LEAST_CLEAN
    yield {**own, "level": "L0", "verdict": VOID if void else SURVIVES, "keen": observer.clean}, phantom.image
    if void:
        return
    left = [name for name in item.degradations if slow or name not in SLOW]
    for name, level in ((name, level) for name in left for level in LEVELS[1:]):
        image, record = degrade_with_record(phantom.image, name, level, seed=index, modality=item.modality)
        found = observer.judge(record)
        yield {**own, "degradation": name, "level": level, "verdict": found.verdict, "keen": found.keen}, image
    able = [
        name
        for name in list_degradations(item.modality)
        if name in LADDERS and name not in item.question.spared and (slow or name not in SLOW)
    ]
    rng = np.random.default_rng([seed, item.number])
    for name in sorted(rng.permutation(able)[:degradations].tolist()):
        gone = first_gone(observer, name, index)
        severity = LADDERS[name][-1] if gone is None else gone[0]
        image, _ = degraded_at(phantom.image, name, severity, index, item.modality)
        of_gone = {"severity": severity, "verdict": "left" if gone is None else GONE}
        yield (
            {**own, "degradation": name, "level": GONE, **of_gone, "keen": None if gone is None else gone[1].keen},
            image,
        )


class Reader:
    """The reference model, read by the probabilities of the letters."""

    def __init__(self) -> None:
        import torch
        from transformers import AutoProcessor, LlavaForConditionalGeneration

        from medqdeg.utils.models.reference_model import CHECKPOINT

        self._torch = torch
        self._processor = AutoProcessor.from_pretrained(CHECKPOINT)
        self._model = LlavaForConditionalGeneration.from_pretrained(CHECKPOINT).eval()

    def probabilities(self, item: PlannedItem, image: np.ndarray) -> list[float]:
        """Return the K letters' shares of their mass."""
        letters = list("ABCDE"[: len(item.options)])
        asked = prompt({"question": item.question.stem, "letters": letters, "options": item.options})
        content = [{"type": "image"}, {"type": "text", "text": asked}]
        text = self._processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        shown = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
        inputs = self._processor(images=shown, text=text, return_tensors="pt")
        with self._torch.no_grad():
            logits = self._model(**inputs).logits[0, -1]
        tokens = [self._processor.tokenizer.convert_tokens_to_ids(letter) for letter in letters]
        shares: list[float] = self._torch.softmax(logits[tokens].double(), 0).tolist()
        return shares


def at_chance(rows: Sequence[Row]) -> Row:
    """Return what the model gets on some rows: accuracy, chance, and (p - 1/K) / (1 - 1/K) with its interval."""
    questions = sorted({row["item"] for row in rows})
    place = [questions.index(row["item"]) for row in rows]
    corrected = [(row["right"] - 1 / row["k"]) / (1 - 1 / row["k"]) for row in rows]
    sums = np.bincount(place, weights=corrected)[None, :]
    ratio = clustered_ratio(sums, np.bincount(place)[None, :].astype(float))
    low, high = ratio_interval(ratio, (-1.0, 1.0))
    return {
        "items": len(rows),
        "questions": len(questions),
        "accuracy": statistics.fmean(row["right"] for row in rows),
        "chance": statistics.fmean(1 / row["k"] for row in rows),
        "confidence": statistics.fmean(row["confidence"] for row in rows),
        "corrected": float(ratio.estimate[0]),
        "interval": [float(low[0]), float(high[0])],
    }


def run(
    items: int, seed: int, degradations: int, slow: bool, stop: int | None = None, out: Path | None = None
) -> list[Row]:
    """Judge a suite's items up to `stop` and let the reference model read them; `out` has what is done so far."""
    reader, rows = Reader(), []
    for item in plan_suite(items, seed)[:stop]:
        started = time.process_time()
        for row, image in judged(item, seed, degradations, slow):
            shares = reader.probabilities(item, image)
            entropy = -sum(share * np.log(share) for share in shares if share > 0)
            right = shares["ABCDE".index(item.answer)]
            rows.append({**row, "right": right, "confidence": float(1 - entropy / np.log(len(shares)))})
        if out:
            out.write_text(json.dumps({"rows": rows}), encoding="utf-8")
        print(
            f"{item.number + 1}/{items} {item.template}: {time.process_time() - started:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    return rows


def report(rows: Sequence[Row]) -> Row:
    """Print the tables and return the figures."""
    clean = [row for row in rows if row["level"] == "L0"]
    seen = [row for row in clean if row["verdict"] != VOID]
    gone = [row for row in rows if row["level"] == GONE and row["verdict"] == GONE]
    ladders: Mapping[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["level"] == GONE:
            ladders[row["degradation"]].append(row)
    print(
        f"{len(clean)} items, {len(clean) - len(seen)} void: {sorted({r['question'] for r in clean if r not in seen})}"
    )
    for level in LEVELS[1:]:
        counts = Counter(row["verdict"] for row in rows if row["level"] == level)
        print(f"{level}: {dict(counts)}")
    print("\n| degradation | items | gone | severities |\n|---|---|---|---|")
    for name in LADDERS:
        own = ladders.get(name, [])
        at = Counter(f"{row['severity']:g}" for row in own if row["verdict"] == GONE)
        said = ", ".join(f"{severity}: {at[severity]}" for severity in sorted(at, key=float))
        print(f"| {name} | {len(own)} | {sum(at.values())} | {said} |")
    print(f"\nno ladder: {', '.join(KEEPS_EVIDENCE)}")
    print("\n| modality | items | void | searched | gone |\n|---|---|---|---|---|")
    for modality in dict.fromkeys(row["modality"] for row in rows):
        own = [row for row in rows if row["modality"] == modality]
        ends = [row for row in own if row["level"] == GONE]
        void = sum(row["verdict"] == VOID for row in own)
        items = sum(row["level"] == "L0" for row in own)
        print(f"| {modality} | {items} | {void} | {len(ends)} | {sum(row['verdict'] == GONE for row in ends)} |")
    figures = {"clean": at_chance(seen), "gone": at_chance(gone)}
    print("\n| | items | questions | accuracy | chance | corrected | confidence |\n|---|---|---|---|---|---|---|")
    for name, found in figures.items():
        low, high = found["interval"]
        print(
            f"| {name} | {found['items']} | {found['questions']} | {found['accuracy']:.3f} | {found['chance']:.3f} "
            f"| {found['corrected']:+.3f} [{low:.3f}, {high:.3f}] | {found['confidence']:.3f} |"
        )
    return figures


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=63)
    parser.add_argument("--degradations", type=int, default=6, help="ladders searched per item")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop", type=int, help="only the first items of the plan")
    parser.add_argument("--slow", action="store_true", help=f"{', '.join(SLOW)} as well")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--report", type=Path, nargs="+", help="print the tables of what --out kept")
    chosen = parser.parse_args()
    if chosen.report:
        report([row for path in chosen.report for row in json.loads(path.read_text(encoding="utf-8"))["rows"]])
        return
    rows = run(chosen.items, chosen.seed, chosen.degradations, chosen.slow, chosen.stop, chosen.out)
    figures = report(rows)
    if chosen.out:
        chosen.out.write_text(json.dumps({"figures": figures, "rows": rows}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
