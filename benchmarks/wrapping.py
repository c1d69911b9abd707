"""What degrading on the fly costs a wrapped task.

Three measurements:

1. Milliseconds of processor time a request at 512 x 512, for each degradation (those that a wrapped task uses by
   default first): the first trial of an item, and the further ones, which find the image remembered.
2. Its share of a run with a model: the reference model answers requests with such images in this process.
3. The resident set over 10,000 requests of different items: it must stay flat.

    python benchmarks/wrapping.py [--requests 10000] [--repeats 5] [--model-requests 40]
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import PIL.Image

SIDE = 512


def picture(seed: int) -> PIL.Image.Image:
    """Return a 512 x 512 image with large and small structures."""
    rng = np.random.default_rng(seed)
    coarse = PIL.Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).resize((SIDE, SIDE))
    noise = rng.integers(-20, 21, (SIDE, SIDE, 3))
    return PIL.Image.fromarray(np.clip(np.asarray(coarse, dtype=np.int64) + noise, 0, 255).astype(np.uint8))


def cost(repeats: int) -> float:
    """Print milliseconds a request for each degradation and level; return the default ones' mean first trial."""
    from medqdeg.degradations import MODALITIES, list_degradations
    from medqdeg.utils.wrapping.images import Degrader, general_degradations

    print(f"processor time a request at {SIDE} x {SIDE}, median of {repeats}, in milliseconds")
    print("  degradation            L1 first  L1 again  L2 first  L2 again")
    images = [picture(seed) for seed in range(repeats)]
    default = general_degradations()
    firsts = []
    for name in [*default, *(name for name in list_degradations() if name not in default)]:
        modality = None if name in default else next(one for one in MODALITIES if name in list_degradations(one))
        cells = []
        for level in ("L1", "L2"):
            degrader = Degrader(level)
            degrader.degrade(images[0], name, "warm up", modality)
            first = [_milliseconds(degrader, image, name, str(n), modality) for n, image in enumerate(images)]
            again = [_milliseconds(degrader, image, name, str(n), modality) for n, image in enumerate(images)]
            cells += [statistics.median(first), statistics.median(again)]
            if name in default:
                firsts.append(cells[-2])
        print(f"  {name:21s}" + "".join(f"{cell:10.2f}" for cell in cells) + f"  {modality or 'default'}")
    mean = statistics.mean(firsts)
    print(f"  mean of the default ones' first trials {mean:.2f} ms; an item of T = 10 trials pays it once")
    return mean


def _milliseconds(degrader: object, image: PIL.Image.Image, name: str, seed: str, modality: str | None) -> float:
    start = time.process_time()
    degrader.degrade(image, name, seed, modality)  # type: ignore[attr-defined]
    return 1000 * (time.process_time() - start)


def share(mean: float, requests: int) -> None:
    """Print what a request of the reference model takes in this process, and the share of degrading in a run of it."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from medqdeg.utils.models.reference_model import CHECKPOINT

    torch.set_num_threads(1)
    processor = AutoProcessor.from_pretrained(CHECKPOINT)
    model = AutoModelForImageTextToText.from_pretrained(CHECKPOINT)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it? A or B?"}]}]
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    times = []
    for number in range(requests):
        image = picture(number)
        start = time.process_time()
        inputs = processor(text=[text], images=[image], return_tensors="pt")
        model.generate(**inputs, max_new_tokens=8)
        times.append(1000 * (time.process_time() - start))
    request = statistics.median(times)
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    print(f"a request of the reference model ({millions:.1f} M parameters) takes {request:.1f} ms of one core", end="")
    print(f" (median of {requests})")
    for trials in (1, 10):
        part = mean / trials
        print(f"  T = {trials}: degrading is {100 * part / (part + request):.1f} % of a run")
    print("  (of a run of a model with billions of parameters it is far less)")


def memory(requests: int) -> None:
    """Print the resident set while so many requests of different items are degraded."""
    from medqdeg.utils.wrapping.images import Degrader, general_degradations, pick

    names = general_degradations()
    degrader = Degrader("L2")
    images = [picture(seed) for seed in range(4)]
    print(f"resident set over {requests} requests of different items, MiB")
    for number in range(requests):
        key = str(number)
        degrader.degrade(images[number % 4], pick(names, key), key)
        if (number + 1) % max(1, requests // 10) == 0:
            gc.collect()
            print(f"  after {number + 1:6d}: {_resident():.0f}")
    print(f"  peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model-requests", type=int, default=40)
    arguments = parser.parse_args()
    mean_cost = cost(arguments.repeats)
    memory(arguments.requests)
    if arguments.model_requests:
        share(mean_cost, arguments.model_requests)
