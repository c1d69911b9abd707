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
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..phantoms import GENERATORS
from .architecture import reference_config, reference_processor, reference_tokenizer, vocabulary
from .lessons import Batch, Lesson, Prompt, Teacher, draw_lessons

if TYPE_CHECKING:
    import torch
    from transformers import LlavaForConditionalGeneration

_BATCH = 32
_QUESTIONS = 5
_RATE = 2e-3
_WARM_UP = 150
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
    tokenizer = reference_tokenizer(vocabulary())
    processor = reference_processor(tokenizer)
    teacher = Teacher(processor, prompt)
    lessons = draw_lessons(images, seed, processor, threads)
    unseen = draw_lessons(140 * len(GENERATORS), _HELD_OUT, processor, threads)
    say(f"{len(lessons) + len(unseen)} phantoms drawn in {time.monotonic() - started:.0f} s")
    model = _new_model(tokenizer, seed)
    judge = _Judge(model.config.text_config.hidden_size, seed)
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
        losses, hits = _losses(model, judge, batch)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        for name, value in hits.items():
            recent[name].append(value)
        if step % 100 == 0:
            rates = ", ".join(f"{name} {np.mean(values[-100:]):.3f}" for name, values in recent.items())
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
    """Return the share of right letters (the likeliest one): overall, by modality and by question."""
    import torch

    model.eval()
    rng = np.random.default_rng(2)
    hits: dict[str, list[bool]] = defaultdict(list)
    for lesson in lessons:
        batch = teacher.batch([lesson], 99, rng)
        with torch.inference_mode():
            states, _ = _states(model, batch)
            asked = np.flatnonzero(batch.letters[0] >= 0)
            scores = model.lm_head(states[0, asked])
        possible = [place for place, answer in enumerate(lesson.answers) if answer is not None]
        # The teacher asks in an order of its own, drawn first of all.
        places = np.random.default_rng(2).permutation(possible) if False else None
        del places
        right = (scores.argmax(-1).numpy() == batch.letters[0, asked]).tolist()
        hits[lesson.modality] += right
    overall = [hit for each in hits.values() for hit in each]
    return {"overall": float(np.mean(overall)), "modality": {name: float(np.mean(each)) for name, each in hits.items()}}
