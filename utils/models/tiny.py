"""Tiny vision-language checkpoints that stock lmms-eval integrations load on a CPU: an untrained guesser.

For end-to-end tests and for a demonstration without a network. A checkpoint has the files of a real one
(configuration, tokenizer, chat template, processor, weights) in an architecture that transformers and
lmms-eval know, and takes less than 2 MB. **It has no skill**: the weights are random numbers from the seed
and have seen no image and no text. What it answers says nothing about any degradation, and no figure of it
should be reported as a model's.

Plain random weights print noise that no parser reads, so a few weights are set by hand (`_make_guesser`):
sampled at temperature 1, the model answers with one capital letter from A to E, whatever the options, and
stops. Which letter is likely depends on the image and on the prompt, in a way that the seed fixes and that
means nothing.

With lmms-eval 0.7.3, where DIR is what `build_tiny_checkpoint` returned::

    --model qwen2_5_vl --model_args pretrained=DIR,device=cpu,device_map=cpu,min_pixels=784,max_pixels=50176
    --model llava_hf --model_args pretrained=DIR,device=cpu,device_map=cpu

`min_pixels` and `max_pixels` are for speed: by default `qwen2_5_vl` brings every image to at least 256 visual
tokens, with these it is at most 64. So is `OMP_NUM_THREADS=1`: matrices this small gain nothing from threads.
`attn_implementation` needs no value: on a CPU transformers takes `sdpa`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.built_folders import build_folder
from ..base.errors import InputError
from .architectures import ARCHITECTURES, tiny_config, tiny_processor, tiny_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

__all__ = ["ARCHITECTURES", "BUILDER_VERSION", "LETTERS", "build_tiny_checkpoint"]

BUILDER_VERSION = 1
"""Raise it with any change to the files that a build writes; builds of another version are then replaced."""

MARKER = "medqdeg_tiny_checkpoint.json"

LETTERS = "ABCDE"
# The two residual dimensions that `_make_guesser` sets by hand.
_CONSTANT, _ANSWERED = 0, 1
_MARK = 8.0
"""Value of both where they are set; the random dimensions start at a standard deviation of 1."""
_GAP = 25.0
"""Score by which letters lead all other tokens, per unit of the normalised constant dimension."""
_LETTER_SPREAD = 1.7
"""Standard deviation of the letters' scores: at 0 all are equally likely, at 5 one takes nearly all."""
_LAYER_GAIN = 6.0
"""What attention and MLP add to the residual stream, against plain fan-in scaling."""
_QUERY_GAIN = 20.0
"""Sharpens attention to single tokens: which ones differs between images, where an average barely does."""


def build_tiny_checkpoint(directory: str | Path, architecture: str = "qwen2_5_vl", *, seed: int = 0) -> Path:
    """Write a tiny untrained checkpoint, or reuse the one that is there.

    The same architecture, seed and transformers version give the same bytes of weights in any process, and no
    global random state is left changed. The folder appears in one step, finished, and several processes may
    ask for the same one at the same time. A build of another seed, architecture, builder or transformers
    version, or with a file missing or altered, is replaced. A lock file, `.NAME.lock`, stays beside it.

    Args:
        directory: Folder to write; made with its parents.
        architecture: "qwen2_5_vl" (stored and run in bfloat16, as lmms-eval loads it) or "llava" (float32).
        seed: Non-negative. Fixes all weights, and so which letter goes with which image.

    Returns:
        The folder's absolute path, for `--model_args pretrained=`.

    Raises:
        InputError: Unknown architecture, negative seed, or a `directory` that is a file or holds anything
            that no build has written.
    """
    if architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InputError(f"tiny checkpoint: unknown architecture {architecture!r}; use one of {known}")
    if seed < 0:
        raise InputError(f"tiny checkpoint: seed {seed} is negative; use 0 or more")
    return build_folder(
        directory,
        _identity(architecture, seed),
        lambda folder: _write_checkpoint(folder, architecture, seed),
        marker=MARKER,
        what="tiny checkpoint",
    )


def _identity(architecture: str, seed: int) -> dict[str, Any]:
    """What a build is made of: two builds with the same identity are interchangeable."""
    from importlib.metadata import version

    # transformers is part of it because a file written by one major version need not load in another.
    return {
        "builder": BUILDER_VERSION,
        "architecture": architecture,
        "seed": seed,
        "transformers": version("transformers"),
    }


def _write_checkpoint(directory: Path, architecture: str, seed: int) -> None:
    import torch
    import transformers

    tokenizer = tiny_tokenizer(architecture)
    config = tiny_config(architecture, tokenizer)
    model_class = getattr(transformers, config.architectures[0])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        # The class draws its own start weights from torch's global generator; all are overwritten.
        model = model_class(config)
        _fill_at_random(model, seed)
        _make_guesser(model, tokenizer)
    # The model's own distribution and nothing else: what a checkpoint's generation_config says survives in
    # the integrations, and where it says nothing transformers samples with top_k 50.
    model.generation_config = transformers.GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        repetition_penalty=1.0,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with _no_progress_bar():
        model.to(config.dtype).save_pretrained(directory)
    # safetensors writes for the owner alone; others may read the folder's other files, so this one too.
    shutil.copymode(directory / "config.json", directory / "model.safetensors")
    tiny_processor(architecture, tokenizer).save_pretrained(directory)
    (directory / "README.md").write_text(
        f"An untrained guesser with random weights ({architecture}, seed {seed}), made by medqdeg to test\n"
        "and to show its pipeline. It has no skill: nothing that it answers says anything about an image.\n",
        encoding="utf-8",
    )


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """transformers draws a bar for a single half-megabyte file; leave its setting as it was."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _fill_at_random(model: PreTrainedModel, seed: int) -> None:
    """Normal weights scaled by fan-in, norms at one, biases at zero.

    Drawn by NumPy in order of the parameters' names: torch's normal numbers may depend on the processor.
    """
    import torch

    generator = np.random.default_rng(seed)
    for name, parameter in sorted(model.named_parameters()):
        if name.endswith("bias"):
            parameter.zero_()
        elif parameter.ndim == 1 and "norm" in name:
            parameter.fill_(1.0)
        else:
            fan_in = 1 if "embed_tokens" in name or parameter.ndim == 1 else parameter[0].numel()
            values = generator.standard_normal(tuple(parameter.shape), dtype=np.float32)
            parameter.copy_(torch.from_numpy(values / np.float32(np.sqrt(fan_in))))


def _make_guesser(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> None:
    """Turn random weights into a model that answers with one letter and stops.

    Two residual dimensions are kept out of every layer's reach, so that the output layer can rely on them.
    One has the same value at every position and holds down all tokens but the letters. The other is set by a
    letter's embedding alone, so that right after a letter the end-of-sequence token is certain. Among the
    letters the scores are random projections of what the layers made of image and prompt. The gains drive
    the states of similar inputs apart, without which every image would get nearly the same letter.
    """
    language_model = model.model.language_model
    letters = [tokenizer.convert_tokens_to_ids(letter) for letter in LETTERS]
    reserved = [_CONSTANT, _ANSWERED]

    embedding = language_model.embed_tokens.weight
    embedding[:, _CONSTANT] = _MARK
    embedding[:, _ANSWERED] = 0.0
    embedding[letters, _ANSWERED] = _MARK

    if hasattr(model.model, "visual"):
        projector = model.model.visual.merger.mlp[-1]
    else:
        projector = model.model.multi_modal_projector.linear_2
    projector.weight.mul_(2.0)  # undoes what GELU takes from the variance, roughly
    projector.weight[reserved] = 0.0
    projector.bias[_CONSTANT] = _MARK

    for layer in language_model.layers:
        layer.self_attn.q_proj.weight.mul_(_QUERY_GAIN)
        for into_residual in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
            into_residual.mul_(_LAYER_GAIN)
            into_residual[reserved] = 0.0

    head = model.get_output_embeddings().weight
    spread = head[letters] * _LETTER_SPREAD
    head.zero_()
    head[:, _CONSTANT] = -_GAP
    head[letters] = spread
    head[letters, _CONSTANT] = 0.0
    head[letters, _ANSWERED] = -_GAP
    head[tokenizer.eos_token_id, _ANSWERED] = 2 * _GAP
