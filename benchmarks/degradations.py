"""The 18 degradations side by side with the libraries that a user would take instead.

    python benchmarks/degradations.py [--sizes 256 512 1024] [--markdown docs/degradations_speed.md]

Each row is one operator at L2 on an RGB uint8 image, uint8 in, uint8 out, on one thread: median processor
time of interleaved repetitions, so that other work on the machine hardly counts. "ours" is the whole call
``degrade(...)``: unpacking, table look-up, draw, operator, rounding, the check that something changed; the
authors' libraries are compared with that. The other routes are bare function calls, so the fastest of them is
compared with our operator alone (parameters at hand). Ratios above 1: ours is faster. Routes marked "=" give
the same values up to one level (checked where deterministic); the others do the same kind of thing on another
grid, rounding or model. A route whose package is not installed, or fails to import or to run, is left out and named.

Peak memory is what NumPy's and OpenCV's arrays take beyond the input at their highest (``tracemalloc``).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import warnings
from pathlib import Path

# Before NumPy is imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NO_ALBUMENTATIONS_UPDATE"):
    os.environ[_variable] = "1"
warnings.simplefilter("ignore")

from degradation_parts.measuring import run_sizes  # noqa: E402
from degradation_parts.papers_mix import papers_mix  # noqa: E402
from degradation_parts.speed_table import summarise, versions  # noqa: E402

SECONDS = 0.5  # for each route and size, unless --seconds says otherwise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor time for each route and size")
    parser.add_argument("--markdown", type=Path, help="write the tables here")
    parser.add_argument("--share", type=float, default=0.03, help="share of the paper's 20,588 images to run; 0: none")
    arguments = parser.parse_args()
    mix = papers_mix(arguments.share) if arguments.share else None
    rows = run_sizes(arguments.sizes, arguments.seconds)
    report = summarise(rows, mix)
    print(report)
    if arguments.markdown:
        notes = __doc__.split("\n\n", 2)[2]
        arguments.markdown.write_text(
            "# How fast the degradations are\n\n"
            "Made by `python benchmarks/degradations.py --markdown docs/degradations_speed.md`;"
            f" {platform.machine()}, {os.cpu_count()} cores, on which other work ran at the same time (load"
            f" {os.getloadavg()[2]:.1f}), {versions()}.\n\n{notes}\n{report}"
        )


if __name__ == "__main__":
    sys.exit(main())
