"""Training of the reference model on two processor cores.

First it learns to look: visual token number i is to resemble the word that answers question number i of the modality,
so that the language model will meet answers where other models meet patches. Then it learns to reply: at every option's
text, whether that is the right answer, and after the prompt, the right letter. Only the letter is what the model is
used for; without the other two a model this small stays at chance for longer than anyone would wait. For its replies
it learns from phantoms that it did not learn to look at, so that it finds out how far to trust its eyes. At last it
learns to stop after its letter.
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

from ...phantoms import GENERATORS
from .architecture import Prompt, reference_config, reference_processor, reference_tokenizer, vocabulary
from .lessons import Batch, Lesson, Teacher, draw_lessons, pixels

if TYPE_CHECKING:
    import torch
    from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

_LOOK_BATCH, _REPLY_BATCH, _QUESTIONS = 64, 32, 4
_RATE, _LAST_RATE = 1.5e-3, 1e-3
_WARM_UP = 100
_SHARPNESS = 4.0
_HELD_OUT = 1_000_003
"""Seed of the lessons that only measure."""


def train(
    directory: Path,
    prompt: Prompt,
    *,
    images: int = 30_000,
    look_steps: int = 3_600,
    reply_steps: int = 900,
    stop_steps: int = 500,
    unseen_images: int = 980,
    seed: int = 0,
    threads: int = 2,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train from random weights and write the checkpoint.

    Args:
        directory: folder of the checkpoint; files of the same names are replaced when training has finished.
        prompt: the tasks' own prompt.
        images: different clean phantoms to learn from, four fifths of them to look and one fifth to reply.
        look_steps: optimiser steps of 64 images each.
        reply_steps: optimiser steps of 32 images with up to four questions each.
        stop_steps: as many more, in which the end of the reply counts too.
        unseen_images: clean phantoms of another seed, which only measure.
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
    unseen = draw_lessons(unseen_images, _HELD_OUT, processor, threads)
    drawing = time.monotonic() - started
    say(f"{len(lessons) + len(unseen)} phantoms drawn in {drawing:.0f} s")
    model = _new_model(tokenizer, seed)
    rng = np.random.default_rng([seed, 1])
    to_look = lessons[: len(lessons) * 4 // 5]
    order = _endless(len(to_look), rng)

    def look() -> tuple[dict[str, torch.Tensor], dict[str, float]]:
        shown = [to_look[next(order)] for _ in range(_LOOK_BATCH)]
        return _look_losses(model, pixels(shown), teacher.answers(shown))

    eyes = [*model.model.vision_tower.parameters(), *model.model.multi_modal_projector.parameters()]
    model.train()
    _learn("look", [*eyes, model.get_input_embeddings().weight], look, look_steps, say)

    for parameter in eyes:
        parameter.requires_grad_(False)
    model.eval()  # nothing in the language model depends on it, and the vision tower's statistics stay
    judge = _new_judge(model.config.text_config.hidden_size, seed)
    to_reply = lessons[len(to_look) :]
    reply_order = _endless(len(to_reply), rng)

    def reply(stopping: bool) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
        shown = [to_reply[next(reply_order)] for _ in range(_REPLY_BATCH)]
        return _reply_losses(model, judge, teacher.batch(shown, _QUESTIONS, rng), stopping)

    words = [*model.model.language_model.parameters(), *judge.parameters()]
    _learn("reply", words, lambda: reply(False), reply_steps, say)
    _learn("stop", words, lambda: reply(True), stop_steps, say, rate=_LAST_RATE)
    report = {
        "images": images,
        "look_steps": look_steps,
        "reply_steps": reply_steps,
        "stop_steps": stop_steps,
        "seed": seed,
        "threads": threads,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds_drawing": round(drawing),
        "seconds_learning": round(time.monotonic() - started - drawing),
        "unseen_clean_phantoms": accuracy(model, teacher, unseen),
    }
    write_checkpoint(directory, model, processor, report)
    return report


def _learn(
    name: str,
    parameters: list[torch.nn.Parameter],
    losses: Callable[[], tuple[dict[str, torch.Tensor], dict[str, float]]],
    steps: int,
    say: Callable[[str], None],
    rate: float = _RATE,
) -> None:
    """Minimise the sum of the losses: warm-up, then half a cosine down to nothing."""
    import torch

    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    )
    recent: dict[str, list[float]] = defaultdict(list)
    started = time.monotonic()
    for step in range(1, steps + 1):
        with torch.autocast("cpu", torch.bfloat16):  # half the time on processors that know the format
            found, hits = losses()
        optimiser.zero_grad()
        torch.stack(list(found.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        for key, value in hits.items():
            recent[key].append(value)
        if step % 100 == 0 or step == steps:
            rates = ", ".join(f"{key} {np.mean(values[-100:]):.3f}" for key, values in recent.items())
            say(f"{name}: step {step} of {steps}, {time.monotonic() - started:.0f} s, right: {rates}")


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
            letters = model.lm_head(_states(model, batch)[0, replies])[:, teacher.letters].argmax(-1)
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


def _seen(model: LlavaForConditionalGeneration, images: np.ndarray) -> torch.Tensor:
    """Return the visual tokens (B, visual tokens, width) as the language model gets them."""
    import torch

    vision = model.model.vision_tower(torch.from_numpy(images), output_hidden_states=True)
    return model.model.multi_modal_projector(vision.hidden_states[-1])


def _states(model: LlavaForConditionalGeneration, batch: Batch) -> torch.Tensor:
    """Return the language model's last states (B, N, width)."""
    import torch

    tokens = torch.from_numpy(batch.tokens)
    embedded = model.get_input_embeddings()(tokens)
    places = (tokens == model.config.image_token_index)[..., None].expand_as(embedded)
    return model.model.language_model(
        inputs_embeds=embedded.masked_scatter(places, _seen(model, batch.pixels).to(embedded.dtype)),
        attention_mask=torch.from_numpy(batch.mask),
        position_ids=torch.from_numpy(batch.positions),
        use_cache=False,
    ).last_hidden_state


def _look_losses(
    model: LlavaForConditionalGeneration, images: np.ndarray, answers: np.ndarray
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    import torch

    wanted = torch.from_numpy(answers)
    asked = wanted >= 0
    scores = _SHARPNESS * _seen(model, images)[asked] @ model.get_input_embeddings().weight.T
    return _scored({"answer": (scores, wanted[asked])})


def _reply_losses(
    model: LlavaForConditionalGeneration, judge: torch.nn.Linear, batch: Batch, stopping: bool
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    import torch

    states = _states(model, batch)
    letters, ends, matches = (torch.from_numpy(each) for each in (batch.letters, batch.ends, batch.matches))
    scores = {
        "option": (judge(states[matches >= 0]), matches[matches >= 0]),
        "letter": (model.lm_head(states[letters >= 0]), letters[letters >= 0]),
    }
    if stopping:
        scores["end"] = (model.lm_head(states[ends >= 0]), ends[ends >= 0])
    return _scored(scores)


def _scored(
    scores: dict[str, tuple[torch.Tensor, torch.Tensor]],
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Return the cross entropies, and the shares of right choices."""
    import torch

    entropy = torch.nn.functional.cross_entropy
    losses = {name: entropy(given.float(), wanted) for name, (given, wanted) in scores.items()}
    hits = {name: float((given.argmax(-1) == wanted).float().mean()) for name, (given, wanted) in scores.items()}
    return losses, hits


def _endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count).tolist()
