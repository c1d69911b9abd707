"""What T votes cost: processor time per item at T = 10 (and 100) over T = 1, for four ways of asking.

Random models of 60 to 90 million parameters, made by the script in a minute and thrown away: a Qwen2.5-VL and a LLaVA
with the small tokenizer of the package, images of 448 x 448 pixels, end-of-sequence never drawn, so that every reply
has exactly the tokens asked for. The ways take turns in one process, item by item; the median of the ratios is printed.

plain: lmms-eval's integration by itself. one by one: the wrapper with `share=false`. blocks: the wrapper as it is.
four at once: the wrapper with `batch=4`, four items (or blocks of an item) in one decode. The Qwen integration computes
in bfloat16, the others in float32.

    OMP_NUM_THREADS=1 python benchmarks/sampling_cost.py [--items 4] [--turns 3] [--tokens 8 64] [--reference]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ARCHITECTURES = ("qwen2_5_vl", "llava")
INTEGRATIONS = {"qwen2_5_vl": "qwen2_5_vl", "llava": "llava_hf"}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def write_checkpoint(folder: Path, architecture: str) -> int:
    """Write a random model; return the number of its parameters."""
    import torch
    import transformers

    from medqdeg.utils.models.architectures import tiny_config, tiny_processor, tiny_tokenizer

    tokenizer = tiny_tokenizer(architecture)
    config = tiny_config(architecture, tokenizer)
    text = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 8, "num_attention_heads": 12}
    for name, value in {**text, "num_key_value_heads": 4}.items():
        setattr(config.text_config, name, value)
    config.text_config.head_dim = 64
    vision = {"hidden_size": 384, "intermediate_size": 1024}
    if architecture == "qwen2_5_vl":
        config.text_config.rope_parameters["mrope_section"] = [8, 12, 12]
        config.text_config.layer_types = ["full_attention"] * text["num_hidden_layers"]
        vision |= {"depth": 8, "num_heads": 6, "out_hidden_size": text["hidden_size"], "fullatt_block_indexes": [3, 7]}
    else:
        vision |= {"num_hidden_layers": 8, "num_attention_heads": 6, "image_size": 336}
        config.image_seq_length = (336 // 14) ** 2
    for name, value in vision.items():
        setattr(config.vision_config, name, value)
    config.dtype = "float32"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = getattr(transformers, config.architectures[0])(config).to(torch.float32)
    model.generation_config = transformers.GenerationConfig(
        do_sample=True, top_k=0, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=[tokenizer.eos_token_id],
    )  # fmt: skip
    model.save_pretrained(folder)
    processor = tiny_processor(architecture, tokenizer)
    if architecture == "llava":
        square = {"height": 336, "width": 336}
        processor.image_processor.size = processor.image_processor.crop_size = square
    processor.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def requests(lm: Any, items: int, trials: int, tokens: int) -> list[Any]:
    """T requests per item, as lmms-eval makes them."""
    import PIL.Image
    from lmms_eval.api.instance import Instance

    rng = np.random.default_rng(1)
    images = [PIL.Image.fromarray(rng.integers(0, 256, (448, 448, 3), dtype=np.uint8)) for _ in range(items)]
    lm.task_dict = {"t": {"s": [{"item_id": str(number)} for number in range(items)]}}
    question = "What does the image show? " + "Look closely. " * 8 + "\nA. one\nB. two\nC. three\nD. four"
    made = []
    for number, image in enumerate(images):
        content = [{"type": "image", "url": image}, {"type": "text", "text": question}]
        messages = [{"role": "user", "content": content}]
        arguments = {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": tokens, "until": []}
        parts = ("", lambda doc, messages=messages: messages, arguments, number, "t", "s")
        metadata = {"task": "t", "doc_id": number, "repeats": trials, "split": "s"}
        made += [Instance("generate_until", parts, number, metadata=metadata)] * trials
    return made


def seconds(lm: Any, asked: list[Any], copy_arguments: bool) -> float:
    import copy

    if copy_arguments:  # the plain integrations change what they are given
        asked = [copy.copy(one) for one in asked]
        for one in asked:
            parts = list(one.args)
            parts[2] = dict(parts[2])
            one.arguments = tuple(parts)
    with quiet():
        start = time.process_time()
        lm.generate_until(asked)
        return time.process_time() - start


def compare(integration: str, own: str, options: argparse.Namespace, name: str) -> None:
    """Print the ratios for one checkpoint."""
    from lmms_eval.models import get_model

    ways = {
        "plain": (integration, own),
        "one by one": ("medqdeg", f"inner={integration},share=false,{own}"),
        "blocks": ("medqdeg", f"inner={integration},{own}"),
        "four at once": ("medqdeg", f"inner={integration},batch=4,{own}"),
    }
    if options.ours:
        del ways["one by one"]
    for tokens in options.tokens:
        times: dict[tuple[str, int], list[float]] = {}
        for turn in range(options.turns):
            for way, (model, arguments) in ways.items():
                asked_for = [1] if way != "four at once" else []
                if way != "plain" or not options.ours:
                    asked_for.append(10)
                if way in ("blocks", "four at once") and options.hundred and tokens == 8:
                    asked_for.append(100)
                for trials in asked_for:
                    with quiet():
                        # A new wrapper has an empty store in memory.
                        lm = get_model(model).create_from_arg_string(arguments)
                    asked = requests(lm, options.items, trials, tokens)
                    taken = seconds(lm, asked, way == "plain")
                    if turn or options.turns == 1:  # the first turn warms up
                        times.setdefault((way, trials), []).append(taken / options.items)
        median = {key: statistics.median(values) for key, values in times.items()}
        one = median["plain", 1]
        print(f"{name}, {tokens} new tokens: plain T = 1 takes {1e3 * one:.0f} ms an item")
        for (way, trials), taken in sorted(median.items()):
            print(f"  {way}, T = {trials}: {taken / one:.2f} times that")
        print(json.dumps({f"{way} {trials}": values for (way, trials), values in times.items()}))
        print(f"  peak memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=4)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--tokens", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--architectures", nargs="*", default=ARCHITECTURES)
    parser.add_argument("--hundred", action="store_true", help="T = 100 too, at 8 tokens")
    parser.add_argument("--ours", action="store_true", help="blocks and a plain T = 1 only, which takes a tenth")
    parser.add_argument("--reference", action="store_true", help="the reference model too")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import lmms_eval.models  # noqa: F401  (sets up the log that is silenced here)
    import torch
    from loguru import logger

    logger.remove()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for architecture in options.architectures:
            path = Path(folder) / architecture
            with quiet():
                parameters = write_checkpoint(path, architecture)
            more = ",min_pixels=784,max_pixels=200704" if architecture == "qwen2_5_vl" else ""
            own = f"pretrained={path},device=cpu,device_map=cpu{more}"
            compare(INTEGRATIONS[architecture], own, options, f"{architecture}, {parameters / 1e6:.0f} M parameters")
    if options.reference:
        from medqdeg.utils.models.reference_model import CHECKPOINT

        own = f"pretrained={CHECKPOINT},device=cpu,device_map=cpu"
        compare("llava_hf", own, options, "reference model")
