"""Cost of a whole build: seconds, images a second, memory at its peak, for several sizes and numbers of processes.

Clean items are phantoms of the seven modalities at their own size (256 x 256), exported in the layouts of the three
sources, a third each: GMAI-MMBench as a TSV file, OmniMedVQA as a zip file, MedXpertQA as a folder. Drawing them is not
in the times. Each build runs in a fresh process, as `medqdeg build` does it: reading, hashing every image and merging
duplicates, choosing all items with the paper's mix of degradations, the leakage checks (the plan), degrading, gate and
Parquet (the parts), manifest and card (the end). For memory two sums of RssAnon, sampled every 0.1 s, are given: of the
process that plans, and the largest of it and its workers together; what a mapped file takes is the system's to drop.

Sizes are numbers of items of the finished set, as far as the input allows: 4,306 clean items with 10,294 pairs are
24,894 items. Printed as Markdown, with the growth from the smallest to the largest.

    python benchmarks/build.py [--items 1000 24894] [--workers 1 2] [--folder /tmp]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from medqdeg.utils.dataset.composition import PAPER_CLEAN_ITEMS, PAPER_DEGRADED_ITEMS

ALL_IN_ALL = 1 + 2 * PAPER_DEGRADED_ITEMS / PAPER_CLEAN_ITEMS
"""Items of the set for each clean one."""


def export(folder: Path, clean: int) -> tuple[str, ...]:
    """Write phantoms as the three sources publish their items, and return the `--source` texts."""
    from tests.utils.building.layouts import phantom_items, write_gmai, write_medxpertqa, write_omnimedvqa, zipped

    shares = [clean // 3 + (place < clean % 3) for place in range(3)]
    write_gmai(folder / "gmai", phantom_items(shares[0], 1, "GMAI-MMBench"))
    unpacked = write_omnimedvqa(folder / "omnimedvqa", phantom_items(shares[1], 2, "OmniMedVQA"))
    archive = zipped(unpacked, folder / "OmniMedVQA.zip", "OmniMedVQA/")
    shutil.rmtree(unpacked)
    write_medxpertqa(folder / "medxpertqa", phantom_items(shares[2], 3, "MedXpertQA"), layout=2)
    return f"gmai={folder / 'gmai'}", f"omnimedvqa={archive}", f"medxpertqa={folder / 'medxpertqa'}"


def measure(sources: tuple[str, ...], out: Path, workers: int) -> dict[str, Any]:
    """Build in this process and return what it took."""
    import cv2

    from medqdeg.utils.building.plan.front import readers
    from medqdeg.utils.building.plan.planning import BuildRequest
    from medqdeg.utils.building.plan.selection import Mix
    from medqdeg.utils.building.running import build

    if workers == 1:
        cv2.setNumThreads(1)  # as in every worker
    peak = TreePeak()
    marks: dict[str, float] = {}
    begin = time.perf_counter()

    def progress(what: str, done: int, total: int | None) -> None:
        marks.setdefault(what, time.perf_counter())
        if what == "degrading" and done == total:
            marks["degraded"] = time.perf_counter()

    request = BuildRequest(sources, mix=Mix(clean_items=None))
    summary = build(request, out, readers(), workers=workers, progress=progress)
    end = time.perf_counter()
    manifest = json.loads((out / "manifest.json").read_text())
    assert not summary.problems, "the sources are as they should be"
    return {
        "clean": manifest["items"]["L0"],
        "merged": sum(manifest["read"].values()) - sum(manifest["after_merging"].values()),
        "items": summary.items,
        "images": summary.images,
        "plan": marks["degrading"] - begin,
        "parts": marks["degraded"] - marks["degrading"],
        "end": end - marks["degraded"],
        "seconds": end - begin,
        "main": peak.main,
        "tree": peak.tree,
        "bytes": sum(path.stat().st_size for path in (out / "data").rglob("*.parquet")),
    }


class TreePeak:
    """The largest RssAnon of this process, and of it and its children together, in bytes, from now on."""

    def __init__(self) -> None:
        self.main = self.tree = 0
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while True:
            main = anonymous(os.getpid())
            self.main = max(self.main, main)
            self.tree = max(self.tree, main + sum(map(anonymous, children(os.getpid()))))
            time.sleep(0.1)


def children(process: int) -> list[int]:
    """Return the processes below one, all generations."""
    listed: list[int] = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            listed += map(int, thread.read_text().split())
        except OSError:
            continue
    return [each for child in listed for each in (child, *children(child))]


def anonymous(process: int) -> int:
    """Return a process's RssAnon in bytes; 0 where it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return 1024 * next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)


def in_fresh_process(sources: tuple[str, ...], out: Path, workers: int) -> dict[str, Any]:
    """Return what `measure` returns there."""
    command = [sys.executable, __file__, "--measure", str(out), *sources, "--workers", str(workers)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, nargs="+", default=[1_000, 24_894], help="sizes of the set")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a temporary folder by default")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        out, *sources = arguments.measure
        print(json.dumps(measure(tuple(sources), Path(out), *arguments.workers)))
        return
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    found: dict[int, list[dict[str, Any]]] = {workers: [] for workers in arguments.workers}
    print(f"{os.cpu_count()} cores; load average before: {os.getloadavg()[0]:.1f}\n")
    print("| clean | items | images | processes | plan | parts | end | in all | images/s | planner | all | on disk |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        for size in sorted(arguments.items):
            folder = Path(temporary) / str(size)
            sources = export(folder, round(size / ALL_IN_ALL))
            for workers in arguments.workers:
                out = Path(temporary) / f"set-{size}-{workers}"
                took = in_fresh_process(sources, out, workers)
                shutil.rmtree(out)
                found[workers].append(took)
                times = " | ".join(f"{took[step]:.1f} s" for step in ("plan", "parts", "end", "seconds"))
                print(
                    f"| {took['clean']:,} | {took['items']:,} | {took['images']:,} | {workers} | {times} "
                    f"| {took['images'] / took['seconds']:.1f} | {took['main'] / 1e9:.2f} GB "
                    f"| {took['tree'] / 1e9:.2f} GB | {took['bytes'] / 1e9:.2f} GB |",
                    flush=True,
                )
            shutil.rmtree(folder)
    print()
    for workers, rows in found.items():
        if len(rows) > 1:
            ratios = {key: rows[-1][key] / rows[0][key] for key in ("images", "seconds", "main", "tree")}
            print(
                f"{workers} processes, from {rows[0]['images']:,} to {rows[-1]['images']:,} images "
                f"({ratios['images']:.1f} times): time {ratios['seconds']:.1f} times, memory "
                f"{ratios['main']:.2f} times in the process that plans, {ratios['tree']:.2f} times in all."
            )


if __name__ == "__main__":
    main()
