"""Cost of loading a file of the benchmark's size: seconds, and memory at its peak.

Writes a TSV of N items with a 512 x 512 PNG each inside (10,294 as the published files have for one level), loads it in
a fresh process with an empty cache (cold), in another with the cache filled (warm), and goes over all items once,
decoding every image. Images are 64 different pictures: smooth shapes under grey noise, so that PNG has as little to
save as with a scan (about 230 kB). They recur under other bytes: each item's file carries its own text chunk.

Two peaks are printed. `ru_maxrss` counts the pages of mapped files, which the system may drop at any time; the
anonymous part (RssAnon, sampled every 20 ms) is what the process needs.

    python benchmarks/data_loading.py [--items 10294] [--side 512] [--folder /tmp]
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

DISTINCT = 64
HEADER = (
    *("index", "image", "question", "A", "B", "C", "D", "answer", "modality", "degradation_type"),
    *("degradation_severity", "source", "category"),
)


def pictures(side: int, count: int) -> Iterator[bytes]:
    """Yield PNG files: smooth shapes under noise, grey as RGB like most of the benchmark's radiology images."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    for _ in range(count):
        image = np.zeros((side, side))
        for _ in range(6):
            centre_y, centre_x, width, height = rng.uniform(0.2, 0.8, 4)
            image += np.exp(-(((y - centre_y) / width) ** 2 + ((x - centre_x) / height) ** 2) * 8)
        image = 200 * image / image.max() + rng.normal(0, 4, image.shape)
        grey = np.clip(image, 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(buffer, "PNG")
        yield buffer.getvalue()


def with_text_chunk(png: bytes, text: str) -> bytes:
    """Return the same picture in a file of other bytes: with a tEXt chunk put before the last chunk, IEND."""
    data = b"tEXtComment\0" + text.encode()
    return png[:-12] + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data)) + png[-12:]


def write_file(folder: Path, items: int, side: int) -> Path:
    path = folder / "MedQ-Robust-simulate-test.tsv"
    distinct = list(pictures(side, min(DISTINCT, items)))
    with path.open("w") as file:
        file.write("\t".join(HEADER) + "\n")
        for number in range(items):
            image = base64.b64encode(with_text_chunk(distinct[number % len(distinct)], str(number))).decode()
            texts = ("a cyst", "a polyp", "a fracture", "nothing of note", "ABCD"[number % 4], "CT", "low_dose", "L2")
            cells = (str(number), image, f"Question {number}: what does the image show?", *texts, "OmniMedVQA", "")
            file.write("\t".join(cells) + "\n")
    return path


def measure_phases(folder: Path) -> None:
    """Load, then go over all items, in this process; print what each took as a line of JSON."""
    import lmms_eval.api.task  # noqa: F401  # first, so that what imports take is not taken for loading

    from medqdeg.utils.dataset.loading import load_level
    from medqdeg.utils.dataset.location import LocalFolder

    peak = AnonymousPeak()
    found = {"imports": peak.read()}
    begin = time.perf_counter(), time.process_time()
    items = load_level("test", "L2", LocalFolder(folder))
    found["load"] = {**since(*begin), **peak.read()}
    begin = time.perf_counter(), time.process_time()
    pixels = sum(image.size[0] * image.size[1] for item in items for image in item["images"])
    found["iterate"] = {**since(*begin), "megapixels": pixels / 1e6, **peak.read()}
    found["items"] = len(items)
    print(json.dumps(found))


def since(wall: float, processor: float) -> dict[str, float]:
    """Return seconds by the clock, and of processor time, which other work on the machine does not lengthen much."""
    return {"seconds": time.perf_counter() - wall, "processor_seconds": time.process_time() - processor}


class AnonymousPeak:
    """The largest RssAnon seen so far, in bytes; sampled by a thread that ends with the process."""

    def __init__(self) -> None:
        self._largest = 0
        threading.Thread(target=self._sample, daemon=True).start()

    def _sample(self) -> None:
        while True:
            self._largest = max(self._largest, self._now())
            time.sleep(0.02)

    @staticmethod
    def _now() -> int:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))

    def read(self) -> dict[str, float]:
        """Return both peaks in GB (10^9 bytes) and begin the anonymous one anew."""
        largest, self._largest = max(self._largest, self._now()), 0
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"max_rss_gb": kilobytes * 1024 / 1e9, "anonymous_gb": largest / 1e9}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=10_294)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a temporary folder by default")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure_phases(arguments.measure)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        begin = time.perf_counter()
        path = write_file(folder, arguments.items, arguments.side)
        size = path.stat().st_size
        print(f"{arguments.items} items of {arguments.side} x {arguments.side}: {size / 1e9:.2f} GB, ", end="")
        print(f"{size / arguments.items / 1000:.0f} kB an item, written in {time.perf_counter() - begin:.0f} s")
        environment = {**os.environ, "HF_DATASETS_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
        command = [sys.executable, __file__, "--measure", str(folder)]
        for phase in ("cold", "warm"):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stderr)
            found = json.loads(done.stdout.splitlines()[-1])
            print(f"{phase}: {found['items']} items")
            for part in ("imports", "load", "iterate"):
                taken = found[part]
                seconds = (
                    "" if part == "imports" else f"{taken['seconds']:.1f} s ({taken['processor_seconds']:.1f} s CPU)"
                )
                print(
                    f"  {part:8}{seconds:>24}  anonymous peak {taken['anonymous_gb']:.2f} GB  "
                    f"ru_maxrss so far {taken['max_rss_gb']:.2f} GB"
                )
        cache = sum(file.stat().st_size for file in (folder / "cache").rglob("*") if file.is_file())
        print(f"cache on disk: {cache / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
