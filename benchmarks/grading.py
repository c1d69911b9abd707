"""How well is a known severity found again? On phantoms, against other phantoms of the modality as references.

python benchmarks/grading.py [--references 12] [--images 10]
"""

from __future__ import annotations

import argparse

import numpy as np

from medqdeg.degradations import degrade
from medqdeg.utils.grading.traits import TRAITS
from medqdeg.utils.grading.yardstick import Yardstick
from medqdeg.utils.phantoms import GENERATORS

SEVERITIES = (0.3, 0.6, 0.9, 1.3, 1.8, 2.3)
NEAR = 0.25
_FIRST_OTHER = 100


def picture(modality: str, number: int) -> np.ndarray:
    """A clean phantom."""
    rng = np.random.default_rng([9, number])
    return GENERATORS[modality].draw(GENERATORS[modality].sample_scene(rng), rng)


def main() -> None:
    """Print a row per modality and degradation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", type=int, default=12)
    parser.add_argument("--images", type=int, default=10)
    wanted = parser.parse_args()
    print(f"| modality | degradation | within {NEAR} | in the bracket | references are placed within |")
    print("|---|---|---|---|---|")
    for modality in GENERATORS:
        references = [picture(modality, number) for number in range(wanted.references)]
        others = [picture(modality, _FIRST_OTHER + number) for number in range(wanted.images)]
        for name in TRAITS:
            yardstick = Yardstick(name, references, modality)
            near, held = [], []
            for number, image in enumerate(others):
                for severity in SEVERITIES:
                    worse = degrade(image, name, severity, seed=f"t{number}", series=True, modality=modality)
                    grade = yardstick.place(worse)
                    near.append(abs(grade.severity - severity) <= NEAR)
                    held.append(grade.low - 0.01 <= severity <= grade.high + 0.01)
            error = yardstick.typical_error
            print(f"| {modality} | {name} | {np.mean(near):.0%} | {np.mean(held):.0%} | {error:.2f} |", flush=True)


if __name__ == "__main__":
    main()
