"""Whether degradations grow with their severity, and what a sweep costs: similarity to the clean image, one by one.

    python benchmarks/severity_axis.py [--images 20]

Twenty clean phantoms of the modalities that a degradation is for. A type counts as monotone if the structural
similarity never rises by more than 0.01 from one severity to the next, on any image.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from skimage.metrics import structural_similarity

from medqdeg.degradations import degrade, get, list_degradations
from medqdeg.degradations.doses import DOSES
from medqdeg.utils.phantoms import GENERATORS

GRID = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0)
TOLERANCE = 0.01


def pictures(name: str, count: int) -> list[tuple[str, np.ndarray]]:
    """Clean phantoms of the degradation's modalities in turn."""
    modalities = get(name).modalities
    found = []
    for number in range(count):
        modality = modalities[number % len(modalities)]
        rng = np.random.default_rng([17, number])
        scene = GENERATORS[modality].sample_scene(rng)
        found.append((modality, GENERATORS[modality].draw(scene, rng)))
    return found


def main() -> None:
    """Print a row per degradation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    count = parser.parse_args().images
    print("| degradation | mean SSIM at " + ", ".join(f"{s:g}" for s in GRID) + " | largest rise | images/s |")
    print("|---|---|---|---|")
    monotone = 0
    for name in list_degradations():
        severities = [severity for severity in GRID if severity <= DOSES[name].stop]
        curves, seconds = [], 0.0
        for number, (modality, image) in enumerate(pictures(name, count)):
            axis = 2 if image.ndim == 3 else None
            curve = [1.0]
            for severity in severities:
                started = time.perf_counter()
                worse = degrade(image, name, severity, seed=number, series=True, modality=modality)
                seconds += time.perf_counter() - started
                curve.append(structural_similarity(image, worse, channel_axis=axis, data_range=255))
            curves.append(curve)
        rises = np.diff(curves, axis=1).max(axis=1)
        monotone += bool(rises.max() <= TOLERANCE)
        means = " ".join(f"{value:.2f}" for value in np.mean(curves, axis=0)[1:])
        rate = count * len(severities) / seconds
        over = f" ({np.sum(rises > TOLERANCE)} of {count} images)" if rises.max() > TOLERANCE else ""
        print(f"| {name} | {means} | {max(rises.max(), 0):.3f}{over} | {rate:.0f} |", flush=True)
    print(f"{monotone} of {len(list_degradations())} monotone within {TOLERANCE}")


if __name__ == "__main__":
    main()
