"""Cost of a whole build: seconds, images a second, memory at its peak, for several sizes, as a Markdown table.

Clean items are phantoms of the seven modalities at their own size (256 x 256), drawn once and kept as PNG files in a
folder; the build reads them from there, so drawing is not in the times. Each size is built in a fresh process. Printed
are the plan (reading, choosing, setting aside), the parts (degrading, gate, Parquet) and the end (manifest, card), and
for memory the largest sum over the process and its workers of RssAnon, sampled every 0.1 s: what a mapped file takes is
the system's to drop.

The clean sizes are numbers of items of the finished set, as far as the gate lets them in: 4,306 clean items with 10,294
pairs are 24,894 items.

    python benchmarks/build.py [--items 1000 24894] [--workers 2] [--folder /tmp]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from medqdeg.utils.mix import PAPER_CLEAN_ITEMS, PAPER_DEGRADED_ITEMS

ALL_IN_ALL = 1 + 2 * PAPER_DEGRADED_ITEMS / PAPER_CLEAN_ITEMS
"""Items of the set for each clean one, before the gate."""


def draw(folder: Path, numbers: range) -> None:
    """Draw phantoms as PNG files, and a table of what is asked about them; files that are there stay."""
    from medqdeg.utils.phantoms import GENERATORS

    generators = list(GENERATORS.values())
    rows = []
    for number in numbers:
        rng = np.random.default_rng([0xB11D, number])
        generator = generators[number % len(generators)]
        question = generator.questions[rng.integers(len(generator.questions))]
        answer = question.answers[rng.integers(len(question.answers))]
        others = [text for text in question.answers if text != answer]
        options = [answer, *rng.permutation(others)[: question.k - 1].tolist()]
        options = [options[place] for place in rng.permutation(len(options))]
        path = folder / f"{number:06d}.png"
        if not path.exists():
            scene = generator.scene_with(question, answer, rng)
            Image.fromarray(generator.draw(scene, rng)).save(path)
        rows.append([path.name, generator.modality, question.skill, question.stem, answer, *options])
    with (folder / f"items-{numbers.start}.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def open_source(text: str) -> Iterator[object]:
    """Read what `draw` wrote: "phantoms=FOLDER:COUNT"."""
    from medqdeg.utils.build.item import ImageSource, SourceItem

    folder, _, count = text.partition("=")[2].rpartition(":")
    rows: list[list[str]] = []
    for path in sorted(Path(folder).glob("items-*.csv"), key=lambda path: int(path.stem.partition("-")[2])):
        with path.open(newline="") as file:
            rows += csv.reader(file)
    for name, modality, skill, stem, answer, *options in rows[: int(count)]:
        image = ImageSource(name, partial(Path(folder, name).read_bytes))
        yield SourceItem("phantoms", name, stem, tuple(options), options.index(answer), modality, skill, (image,))


def measure(folder: Path, clean: int, out: Path, workers: int, duplicates: bool) -> None:
    """Build in this process and print what it took as a line of JSON."""
    from medqdeg.utils.build.planning import Front, Request
    from medqdeg.utils.build.running import build
    from medqdeg.utils.build.selection import Mix

    merge = lambda items: (list(items), [], None)  # noqa: E731
    if duplicates:
        from medqdeg.utils.build.front import merge
    peak = TreePeak()
    marks = {"begin": time.perf_counter()}

    def progress(what: str, done: int, total: int | None) -> None:
        if what == "degrading" and done == 0:
            marks["planned"] = time.perf_counter()
        elif what == "degrading" and done == total:
            marks["degraded"] = time.perf_counter()

    front = Front(open_source, merge, lambda items: None)  # type: ignore[arg-type]
    request = Request((f"phantoms={folder}:{clean}",), mix=Mix(clean_items=None))
    summary = build(request, out, front, workers=workers, progress=progress)
    end = time.perf_counter()
    print(
        json.dumps(
            {
                "clean": clean,
                "images": summary.images,
                "excluded": summary.excluded,
                "pairs": summary.pairs,
                "plan": marks["planned"] - marks["begin"],
                "parts": marks["degraded"] - marks["planned"],
                "end": end - marks["degraded"],
                "memory": peak.largest,
                "bytes": sum(path.stat().st_size for path in (out / "data").rglob("*.parquet")),
            }
        )
    )


class TreePeak:
    """The largest sum of RssAnon over this process and its children, in bytes."""

    def __init__(self) -> None:
        self.largest = 0
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while True:
            self.largest = max(self.largest, sum(map(anonymous, [os.getpid(), *children(os.getpid())])))
            time.sleep(0.1)


def children(process: int) -> list[int]:
    """Return the processes below one, all generations."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [each for child in map(int, listed) for each in (child, *children(child))]


def anonymous(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--items", type=int, nargs="+", default=[1_000, 24_894], help="sizes of the set, before the gate"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a temporary folder by default")
    parser.add_argument("--duplicates", action="store_true", help="hash every image and look for duplicates, too")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        folder, clean, out = arguments.measure
        measure(Path(folder), int(clean), Path(out), arguments.workers, arguments.duplicates)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary) / "phantoms"
        folder.mkdir()
        sizes = sorted(round(items / ALL_IN_ALL) for items in arguments.items)
        draw(folder, range(sizes[-1]))
        print(f"{arguments.workers} processes; load average before: {os.getloadavg()[0]:.1f}\n")
        print("| clean | items in the set | pairs left out | plan | parts | end | items/s | memory | on disk |")
        print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
        for clean in sizes:
            out = Path(temporary) / f"set-{clean}"
            command = [sys.executable, __file__, "--measure", str(folder), str(clean), str(out)]
            command += ["--workers", str(arguments.workers), *(["--duplicates"] if arguments.duplicates else [])]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"| {found['clean']:,} | {found['images']:,} | {found['excluded']:,} of {found['pairs']:,} "
                f"| {found['plan']:.1f} s | {found['parts']:.1f} s | {found['end']:.1f} s "
                f"| {found['images'] / (found['plan'] + found['parts'] + found['end']):.1f} "
                f"| {found['memory'] / 1e9:.2f} GB | {found['bytes'] / 1e9:.2f} GB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
