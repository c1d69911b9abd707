"""How near is near: false merges of different phantoms, misses of copies, at every threshold; and the time at scale.

Phantoms of one modality are near-identical scenes with different content, so pairs of them are the hard case for a
perceptual hash. Copies are what data sets make of each other's images: JPEG, resized, both. Each is given for the hash
that the build uses (256 bits), for ImageHash's `phash` of the same size, and for its default of 64 bits.

    python benchmarks/duplicates.py [--items 2100] [--seed 0] [--scale 130000]
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from medqdeg.utils.building.item import ImageSource, SourceItem
from medqdeg.utils.building.plan.described_images import ImageFacts, perceptual_hash
from medqdeg.utils.building.plan.duplicates import NEAR, merge_duplicates
from tests.utils.building.layouts import phantom_items

SHOWN_AT = (0, 4, 8, 10, 12, 16, 20, 24, 32)
Hash = Callable[[Image.Image], np.ndarray]


def ours(image: Image.Image) -> np.ndarray:
    return np.unpackbits(np.frombuffer(perceptual_hash(image), np.uint8))


def imagehash_of(side: int) -> Hash | None:
    try:
        import imagehash
    except ImportError:
        return None
    return lambda image: imagehash.phash(image, hash_size=side).hash.ravel().astype(np.uint8)


def copies(image: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """Yield what other data sets would have made of an image."""

    def jpeg(picture: Image.Image, quality: int) -> Image.Image:
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    def sized(factor: float, how: Image.Resampling) -> Image.Image:
        return image.resize((round(image.width * factor), round(image.height * factor)), how)

    for quality in (95, 75, 50, 30):
        yield f"JPEG {quality}", jpeg(image, quality)
    yield "half, bicubic", sized(0.5, Image.Resampling.BICUBIC)
    yield "half, then JPEG 75", jpeg(sized(0.5, Image.Resampling.BOX), 75)
    yield "to 224, Lanczos", sized(0.875, Image.Resampling.LANCZOS)
    yield "to 224, then JPEG 50", jpeg(sized(0.875, Image.Resampling.BILINEAR), 50)
    yield "to 336, nearest", sized(1.3125, Image.Resampling.NEAREST)
    yield "double, bilinear", sized(2, Image.Resampling.BILINEAR)


def pair_distances(hashes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the distances of all pairs within each group."""
    found = [np.zeros(0, int)]
    for group in np.unique(groups):
        bits = hashes[groups == group].astype(np.float32)
        same = bits @ bits.T + (1 - bits) @ (1 - bits).T
        found.append((hashes.shape[1] - same[np.triu_indices(len(bits), 1)]).round().astype(int))
    return np.concatenate(found)


def line(name: str, distances: np.ndarray, near: bool) -> None:
    """Print the share of distances that count as the same (`near`) or do not, at each threshold."""
    shares = [(distances <= at).mean() if near else (distances > at).mean() for at in SHOWN_AT]
    print(f"  {name:42} " + " ".join(f"{share:8.3%}" for share in shares) + f"   {distances.min()}..{distances.max()}")


def measure(items: int, seed: int) -> None:
    plain = list(phantom_items(items, seed, "own"))
    pictures = [Image.open(io.BytesIO(each.images[0])) for each in plain]
    for picture in pictures:
        picture.load()  # decoding is no part of a hash's time
    modality = np.unique([each.modality for each in plain], return_inverse=True)[1]
    key = np.unique([f"{each.question}|{each.options[each.answer]}" for each in plain], return_inverse=True)[1]
    sample = range(0, items, 5)
    tried = [(place, name, copy) for place in sample for name, copy in copies(pictures[place])]
    candidates = {
        "ours, 256 bits": ours,
        "ImageHash, 256 bits": imagehash_of(16),
        "ImageHash, 64 bits": imagehash_of(8),
    }
    print(f"{items} phantoms; copies of {len(sample)} of them. Columns: threshold in bits; then least .. most bits")
    for title, function in candidates.items():
        if function is None:
            print(f"{title}: not installed")
            continue
        start = time.perf_counter()
        hashes = np.array([function(picture) for picture in pictures])
        each = (time.perf_counter() - start) / items
        print(
            f"{title}: {each * 1e3:.2f} ms an image of 256 x 256\n  {'':42} " + " ".join(f"{at:8}" for at in SHOWN_AT)
        )
        line("false: same modality, any question", pair_distances(hashes, modality), near=True)
        line("false: same question and answer", pair_distances(hashes, key), near=True)
        by_kind: dict[str, list[int]] = {}
        for place, name, copy in tried:
            by_kind.setdefault(name, []).append(int((function(copy) != hashes[place]).sum()))
        for name, distances in by_kind.items():
            line(f"missed: {name}", np.array(distances), near=False)
        line("missed: all copies", np.concatenate([*map(np.array, by_kind.values())]), near=False)


def scale(count: int, seed: int) -> None:
    """Time the merging alone: 100 questions, one item in ten a copy with up to `NEAR` bits changed."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (count, 256), dtype=np.uint8)
    # The low frequencies of medical images are much alike: a third of the bits is the question's own.
    question = rng.integers(100, size=count)
    bits[:, :86] = rng.integers(0, 2, (100, 86), dtype=np.uint8)[question]
    copied = rng.random(count) < 0.1
    copied[0] = False
    for place in np.flatnonzero(copied):
        original = int(rng.integers(place))
        bits[place], question[place] = bits[original], question[original]
        bits[place, rng.choice(256, rng.integers(NEAR + 1), replace=False)] ^= 1
    packed = np.packbits(bits, axis=1)
    image = ImageSource("none", bytes)
    items = [
        SourceItem("own", str(place), f"Question {question[place]}?", ("a", "b"), 0, "CT", "Counting", (image,))
        for place in range(count)
    ]
    facts = [(ImageFacts(str(place), row.tobytes(), 256, 256, "L", 50.0),) for place, row in enumerate(packed)]
    start = time.perf_counter()
    merged = merge_duplicates(items, facts)
    seconds = time.perf_counter() - start
    print(f"{count} items, {copied.sum()} copies: {len(merged.merges)} merged in {seconds:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=int, default=130_000)
    given = parser.parse_args()
    measure(given.items, given.seed)
    for count in (given.scale // 100, given.scale // 10, given.scale):
        scale(count, given.seed)


if __name__ == "__main__":
    main()
