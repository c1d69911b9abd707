"""How the reference model learns to read the phantoms, on two processor cores.

Three losses on the same clean images. The first aligns image and text: visual token number i is to look like the
word that answers question number i of the modality, so that the language model reads answers where other models read
patches. The second asks at every option's text whether it is the right answer, the third for the right letter after
the prompt. Only the third is what the model is used for; without the other two a model this small stays at chance for
longer than anyone would wait.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..phantoms import GENERATORS
from .architecture import Prompt, reference_config, reference_processor, reference_tokenizer, vocabulary
from .lessons import Batch, Lesson, Teacher, draw_lessons

if TYPE_CHECKING:
    import torch
    from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

_BATCH = 32
_QUESTIONS = 4
_RATE = 2e-3
_WARM_UP = 150
_SHARPNESS = 4.0
_HELD_OUT = 1_000_003
"""Seed of the lessons that only measure."""


def train(
    directory: Path,
    prompt: Prompt,
    *,
    images: int = 21_000,
    steps: int = 3_500,
    seed: int = 0,
    threads: int = 2,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train from random weights and write the checkpoint.

    Args:
        directory: folder of the checkpoint; replaced when training has finished.
        prompt: the tasks' own prompt.
        images: different clean phantoms to learn from.
        steps: optimiser steps, of 32 images each.
        seed: fixes phantoms, start weights and order.
        threads: processor cores.
        say: told about the progress.

    Returns:
        What is written to `training.json`: settings, time, accuracy on clean phantoms that were not learnt from.
    """
    import torch

    torch.set_num_threads(threads)
    started = time.monotonic()
    tokenizer = reference_tokenizer(vocabulary(prompt))
    processor = reference_processor(tokenizer)
    teacher = Teacher(processor, prompt)
    lessons = draw_lessons(images, seed, processor, threads)
    unseen = draw_lessons(140 * len(GENERATORS), _HELD_OUT, processor, threads)
    say(f"{len(lessons) + len(unseen)} phantoms drawn in {time.monotonic() - started:.0f} s")
    model = _new_model(tokenizer, seed)
    judge = _new_judge(model.config.text_config.hidden_size, seed)
    optimiser = torch.optim.AdamW(
        [*model.parameters(), *judge.parameters()], lr=_RATE, weight_decay=0.02, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    )
    rng = np.random.default_rng([seed, 1])
    order = _endless(len(lessons), rng)
    recent: dict[str, list[float]] = defaultdict(list)
    model.train()
    for step in range(1, steps + 1):
        batch = teacher.batch([lessons[next(order)] for _ in range(_BATCH)], _QUESTIONS, rng)
        with torch.autocast("cpu", torch.bfloat16):  # half the time on processors that know the format
            losses, hits = _losses(model, judge, batch)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        for name, value in hits.items():
            recent[name].append(value)
        if step % 50 == 0:
            rates = ", ".join(f"{name} {np.mean(values[-50:]):.3f}" for name, values in recent.items())
            say(f"step {step} of {steps}, {time.monotonic() - started:.0f} s, right so far: {rates}")
    report = {
        "images": images,
        "steps": steps,
        "images_a_step": _BATCH,
        "seed": seed,
        "threads": threads,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "clean_accuracy": accuracy(model, teacher, unseen),
        "seconds": round(time.monotonic() - started),
    }
    write_checkpoint(directory, model, processor, report)
    return report


def accuracy(model: LlavaForConditionalGeneration, teacher: Teacher, lessons: list[Lesson]) -> dict[str, Any]:
    """Return the share of right letters, taking the likeliest: overall, by modality and by question."""
    import torch

    model.eval()
    rng = np.random.default_rng(2)
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for lesson in lessons:
        batch = teacher.batch([lesson], len(lesson.answers), rng)
        replies = np.flatnonzero(batch.letters[0] >= 0)
        with torch.inference_mode():
            letters = model.lm_head(_states(model, batch)[0][0, replies])[:, teacher.letters].argmax(-1)
        for place, letter, reply in zip(batch.questions[0], letters.tolist(), replies, strict=True):
            name = GENERATORS[lesson.modality].questions[place].name
            hits[lesson.modality, name].append(teacher.letters[letter] == batch.letters[0, reply])
    modalities = {
        modality: [hit for (of, _), each in hits.items() if of == modality for hit in each] for modality, _ in hits
    }
    return {
        "n": sum(map(len, hits.values())),
        "overall": float(np.mean([hit for each in hits.values() for hit in each])),
        "modality": {modality: float(np.mean(each)) for modality, each in modalities.items()},
        "question": {name: float(np.mean(each)) for (_, name), each in hits.items()},
    }


def write_checkpoint(
    directory: Path, model: LlavaForConditionalGeneration, processor: LlavaProcessor, report: dict[str, Any]
) -> None:
    """Write a checkpoint that `from_pretrained` and lmms-eval's `llava_hf` load; weights as 16-bit floats.

    Half the size of 32 bits; the configuration asks for float32, so that they are widened when loaded.
    """
    import torch
    import transformers

    model.generation_config = transformers.GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        eos_token_id=processor.tokenizer.eos_token_id,
        pad_token_id=processor.tokenizer.pad_token_id,
    )
    directory.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16).save_pretrained(directory)
    model.to(torch.float32)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    for part in (config, config["text_config"], config["vision_config"]):
        part["dtype"] = "float32"
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    shutil.copymode(directory / "config.json", directory / "model.safetensors")
    processor.save_pretrained(directory)
    (directory / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _new_model(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlavaForConditionalGeneration:
    import torch
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.LlavaForConditionalGeneration(reference_config(tokenizer))


def _new_judge(width: int, seed: int) -> torch.nn.Linear:
    """A head for "this option is right", thrown away after training."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Linear(width, 2)


def _states(model: LlavaForConditionalGeneration, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the language model's last states (B, N, width) and the visual tokens that it was given."""
    import torch

    vision = model.model.vision_tower(torch.from_numpy(batch.pixels), output_hidden_states=True)
    visual = model.model.multi_modal_projector(vision.hidden_states[-1])
    tokens = torch.from_numpy(batch.tokens)
    embedded = model.get_input_embeddings()(tokens)
    places = (tokens == model.config.image_token_index)[..., None].expand_as(embedded)
    states = model.model.language_model(
        inputs_embeds=embedded.masked_scatter(places, visual.to(embedded.dtype)),
        attention_mask=torch.from_numpy(batch.mask),
        position_ids=torch.from_numpy(batch.positions),
        use_cache=False,
    ).last_hidden_state
    return states, visual


def _losses(
    model: LlavaForConditionalGeneration, judge: torch.nn.Linear, batch: Batch
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Return the three losses, and the share of right choices of each."""
    import torch

    states, visual = _states(model, batch)
    letters, matches, answers = (torch.from_numpy(each) for each in (batch.letters, batch.matches, batch.answers))
    seen = answers >= 0
    scores = {
        "answer": (_SHARPNESS * visual[seen] @ model.get_input_embeddings().weight.T, answers[seen]),
        "option": (judge(states[matches >= 0]), matches[matches >= 0]),
        "letter": (model.lm_head(states[letters >= 0]), letters[letters >= 0]),
    }
    entropy = torch.nn.functional.cross_entropy
    losses = {name: entropy(given.float(), wanted) for name, (given, wanted) in scores.items()}
    hits = {name: float((given.argmax(-1) == wanted).float().mean()) for name, (given, wanted) in scores.items()}
    return losses, hits


def _endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count).tolist()
