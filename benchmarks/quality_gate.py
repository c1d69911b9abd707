"""What the quality gate measures on images that should pass: the published ones, and phantoms of every modality.

Prints, as Markdown, the range of each measure by degradation and level, and how many pairs the limits leave out; then
the same of the published clean images degraded by this package, and how many pairs are caught that failed by
construction.

    python benchmarks/quality_gate.py [--phantoms 20] [--published FOLDER] [--draws 3]

FOLDER holds the authors' images as `<degradation>_L0.png`, `_L1.png`, `_L2.png`, and `examples.json`, a list of objects
with `degradation_type` and `modality`.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from medqdeg.degradations import get, list_degradations, load_severities
from medqdeg.utils.building.make.degrading import DegradedPair, MadeImage, degrade_item
from medqdeg.utils.building.make.gate import TOO_STRONG, TOO_WEAK, Limits, Verdict, judge
from medqdeg.utils.images import read_image
from medqdeg.utils.phantoms import GENERATORS

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
MEASURES = ("ssim", "visible", "entropy_kept", "contrast_kept", "clipped", "region_contrast_kept")


def published(folder: Path) -> Iterator[tuple[str, Verdict]]:
    for path in sorted(folder.glob("*_L0.png")):
        stem = path.name.removesuffix("_L0.png")
        clean, *degraded = (read_image(folder / f"{stem}_{level}.png").image for level in ("L0", "L1", "L2"))
        if any(image.mode != clean.mode for image in degraded):
            clean, *degraded = (image.convert("L") for image in (clean, *degraded))
        name = "motion_blur" if stem.startswith("xray") else get(stem).name
        levels = dict(zip(("L1", "L2"), ((MadeImage(image, b"", {}, ""),) for image in degraded), strict=True))
        yield name, judge([MadeImage(clean, b"", {}, "")], DegradedPair(name, levels), Limits())


def real(folder: Path, draws: int) -> Iterator[tuple[str, Verdict]]:
    """Degrade each published clean image in every way that its modality allows, once for each of some seeds."""
    table = load_severities()
    modalities = {
        each["degradation_type"]: each["modality"] for each in json.loads((folder / "examples.json").read_text())
    }
    done: set[bytes] = set()
    for path in sorted(folder.glob("*_L0.png")):
        data, modality = path.read_bytes(), modalities[path.name.removesuffix("_L0.png")]
        if data in done:
            continue
        done.add(data)
        for seed in range(draws):
            made = degrade_item([data], list_degradations(modality), seed=seed, modality=modality, table=table)
            for pair in made.pairs:
                yield pair.name, judge(made.clean, pair, Limits())


def phantoms(count: int) -> Iterator[tuple[str, Verdict]]:
    table = load_severities()
    for modality, generator in GENERATORS.items():
        for number in range(count):
            rng = np.random.default_rng([7, number])
            question = generator.questions[number % len(generator.questions)]
            answer = question.answers[number % len(question.answers)]
            buffer = io.BytesIO()
            Image.fromarray(generator.draw(generator.scene_with(question, answer, rng), rng)).save(buffer, "PNG")
            names = list_degradations(modality)
            made = degrade_item([buffer.getvalue()], names, seed=0, modality=modality, table=table)
            for pair in made.pairs:
                yield pair.name, judge(made.clean, pair, Limits())


def failed(count: int) -> Iterator[tuple[str, Counter[str | None]]]:
    """Yield what was done to phantoms of all modalities, and the verdicts; none should pass."""

    def jpeg(pixels: np.ndarray, _: np.random.Generator) -> np.ndarray:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=98, subsampling=0)
        return np.asarray(Image.open(buffer))

    def scaled(factor: float, offset: float) -> Change:
        return lambda pixels, _: np.clip(pixels * np.float32(factor) + offset, 0, 255).round().astype(np.uint8)

    def noise(sigma: float) -> Change:
        return lambda pixels, rng: np.clip(pixels + rng.normal(0, sigma, pixels.shape), 0, 255).round().astype(np.uint8)

    def blurred(sigma: float) -> Change:
        return lambda pixels, _: cv2.GaussianBlur(pixels, (0, 0), sigma)

    changes: dict[str, Change] = {
        "weak: JPEG, quality 98": jpeg,
        "weak: 2 grey levels brighter": scaled(1, 2),
        "weak: Gaussian noise of 0.5": noise(0.5),
        "weak: Gaussian blur of 0.2 pixels": blurred(0.2),
        "strong: all black": scaled(0, 0),
        "strong: 200 grey levels darker": scaled(1, -200),
        "strong: 200 grey levels brighter": scaled(1, 200),
        "strong: a tenth of the contrast": scaled(0.1, 115),
        "strong: a blur of 64 pixels": blurred(64),
        "strong: noise of 1,000": noise(1000),
    }
    for name, change in changes.items():
        kinds: Counter[str | None] = Counter()
        for generator in GENERATORS.values():
            for number in range(count):
                rng = np.random.default_rng([7, number])
                question = generator.questions[number % len(generator.questions)]
                answer = question.answers[number % len(question.answers)]
                pixels = generator.draw(generator.scene_with(question, answer, rng), rng)
                clean, changed = (
                    (MadeImage(Image.fromarray(each), b"", {}, ""),) for each in (pixels, change(pixels, rng))
                )
                # As any degradation whose similarity is asked of.
                kinds[judge(clean, DegradedPair("gaussian_noise", {"L1": changed, "L2": changed}), Limits()).kind] += 1
        yield name, kinds


def print_table(title: str, verdicts: Iterator[tuple[str, Verdict]]) -> None:
    values: Mapping[tuple[str, str], list[tuple[float | None, ...]]] = defaultdict(list)
    kinds: Mapping[str, Counter[str | None]] = defaultdict(Counter)
    for name, verdict in verdicts:
        kinds[name][verdict.kind] += 1
        for level, (found, *_) in verdict.measures.items():
            values[name, level].append(tuple(getattr(found, measure) for measure in MEASURES))
    print(f"### {title}\n\n| degradation | level | images | " + " | ".join(MEASURES) + " | left out |")
    print("|---|---|---:|" + "---|" * len(MEASURES) + "---|")
    for name in list_degradations():
        for level in ("L1", "L2"):
            if rows := values.get((name, level)):
                cells = []
                for column in zip(*rows, strict=True):
                    numbers = [value for value in column if value is not None]
                    cells.append(f"{min(numbers):.3g} to {max(numbers):.3g}" if numbers else "")
                out = ", ".join(f"{number} {kind}" for kind, number in kinds[name].items() if kind)
                print(f"| {name} | {level} | {len(rows)} | {' | '.join(cells)} | {out if level == 'L1' else ''} |")
    total = sum(sum(counter.values()) for counter in kinds.values())
    left_out = total - sum(counter[None] for counter in kinds.values())
    print(f"\n{left_out} of {total} pairs are left out.\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--phantoms", type=int, default=20, help="of each modality")
    parser.add_argument("--published", type=Path)
    parser.add_argument("--draws", type=int, default=3, help="Of each published clean image.")
    arguments = parser.parse_args()
    if arguments.published:
        print_table("Published images", published(arguments.published))
        print_table("Published clean images, degraded here", real(arguments.published, arguments.draws))
    print_table("Phantoms", phantoms(arguments.phantoms))
    print(
        "### Failed by construction\n\n| phantoms | pairs | too weak | too strong | missed |\n|---|---:|---:|---:|---:|"
    )
    for name, kinds in failed(arguments.phantoms):
        print(f"| {name} | {sum(kinds.values())} | {kinds[TOO_WEAK]} | {kinds[TOO_STRONG]} | {kinds[None]} |")


if __name__ == "__main__":
    main()
