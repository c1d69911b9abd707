"""Training of the reference model on two processor cores.

First it learns to look: visual token number i is to resemble the word that answers question number i of the modality,
so that the language model will meet answers where other models meet patches. Then it learns to reply: at every option's
text, whether that is the right answer, and after the prompt, the right letter. Only the letter is what the model is
used for; without the other two a model this small stays at chance for longer than anyone would wait. For its replies
it learns from phantoms that it did not learn to look at, so that it finds out how far to trust its eyes. Then it
learns to stop after its letter. At last it sees a part of the phantoms again as other devices would expose them
(`exposures`), or a grey level would be a sign to it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...phantoms import GENERATORS
from .architecture import Prompt, reference_config, reference_processor, reference_tokenizer, vocabulary
from .exposures import exposed
from .learning import (
    LOOK_BATCH,
    QUESTIONS,
    REPLY_BATCH,
    Losses,
    endless,
    learn,
    look_losses,
    new_judge,
    reply_losses,
    states,
)
from .lessons import Lesson, Teacher, draw_lessons, pixels

if TYPE_CHECKING:
    import torch
    from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

_RATE, _STOP_RATE = 1.5e-3, 1e-3
_EXPOSED_LOOK_RATE, _EXPOSED_REPLY_RATE = 8e-4, 5e-4
_HELD_OUT = 1_000_003
"""Seed of the lessons that only measure."""


@dataclass(frozen=True)
class Course:
    """How much is learnt.

    Attributes:
        images: different clean phantoms, four fifths of them to look and one fifth to reply.
        look_steps: optimiser steps of 64 images each.
        reply_steps: optimiser steps of 32 images with up to four questions each.
        stop_steps: as many more, in which the end of the reply counts too.
        exposed_images: as many of the images are shown again at varied exposures, in the same shares.
        exposed_look_steps: optimiser steps with these.
        exposed_reply_steps: likewise.
    """

    images: int = 30_000
    look_steps: int = 3_600
    reply_steps: int = 900
    stop_steps: int = 500
    exposed_images: int = 5_000
    exposed_look_steps: int = 450
    exposed_reply_steps: int = 120


COURSE = Course()
"""What the shipped weights have learnt."""


def train(
    directory: Path,
    prompt: Prompt,
    *,
    course: Course = COURSE,
    start: Path | None = None,
    unseen_images: int = 980,
    seed: int = 0,
    threads: int = 2,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Train and write the checkpoint.

    Args:
        directory: folder of the checkpoint; files of the same names are replaced when training has finished.
        prompt: the tasks' own prompt.
        course: how much is learnt.
        start: a checkpoint that has learnt all but the exposures; None: begin with random weights.
        unseen_images: clean phantoms of another seed, which only measure.
        seed: fixes phantoms, start weights and order.
        threads: processor cores.
        say: told about the progress.

    Returns:
        What is written to `training.json`: settings, time, accuracy on clean phantoms that were not learnt from.
    """
    import torch

    torch.set_num_threads(threads)
    began = time.monotonic()
    tokenizer = reference_tokenizer(vocabulary(prompt))
    processor = reference_processor(tokenizer)
    teacher = Teacher(processor, prompt)
    of_all, of_exposed = course.images * 4 // 5, course.exposed_images * 4 // 5
    if start is None:
        lessons = draw_lessons(course.images, seed, processor, threads)
        to_look, to_reply = lessons[:of_all], lessons[of_all:]
    else:
        to_look = draw_lessons(of_exposed, seed, processor, threads)
        to_reply = draw_lessons(course.exposed_images - of_exposed, seed, processor, threads, first=of_all)
    unseen = draw_lessons(unseen_images, _HELD_OUT, processor, threads)
    drawing = time.monotonic() - began
    say(f"{len(to_look) + len(to_reply) + len(unseen)} phantoms drawn in {drawing:.0f} s")
    if start is None:
        model = _new_model(tokenizer, seed)
        _learn_to_look_and_reply(model, teacher, to_look, to_reply, course, seed, say)
        # As a checkpoint holds them, so that the rest can be learnt from one.
        model.to(torch.float16).to(torch.float32)
    else:
        model = _load(start)
    exposed_to_reply = to_reply[: course.exposed_images - of_exposed]
    _learn_exposures(model, teacher, to_look[:of_exposed], exposed_to_reply, course, seed, say)
    rng = np.random.default_rng([_HELD_OUT, 2])
    report = {
        **asdict(course),
        "seed": seed,
        "threads": threads,
        "continued": start is not None,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seconds_drawing": round(drawing),
        "seconds_learning": round(time.monotonic() - began - drawing),
        "unseen_clean_phantoms": accuracy(model, teacher, unseen),
        "unseen_clean_phantoms_at_other_exposures": accuracy(model, teacher, [exposed(each, rng) for each in unseen]),
    }
    write_checkpoint(directory, model, processor, report)
    return report


def _learn_to_look_and_reply(
    model: LlavaForConditionalGeneration,
    teacher: Teacher,
    to_look: list[Lesson],
    to_reply: list[Lesson],
    course: Course,
    seed: int,
    say: Callable[[str], None],
) -> None:
    rng = np.random.default_rng([seed, 1])
    order = endless(len(to_look), rng)

    def look() -> Losses:
        shown = [to_look[next(order)] for _ in range(LOOK_BATCH)]
        return look_losses(model, pixels(shown), teacher.answers(shown))

    model.train()
    learn("look", [*_eyes(model), model.get_input_embeddings().weight], look, course.look_steps, say, _RATE)

    for parameter in _eyes(model):
        parameter.requires_grad_(False)
    model.eval()  # nothing in the language model depends on it, and the vision tower's statistics stay
    judge = new_judge(model.config.text_config.hidden_size, seed)
    reply_order = endless(len(to_reply), rng)

    def reply(stopping: bool) -> Losses:
        shown = [to_reply[next(reply_order)] for _ in range(REPLY_BATCH)]
        return reply_losses(model, judge, teacher.batch(shown, QUESTIONS, rng), stopping)

    words = [*model.model.language_model.parameters(), *judge.parameters()]
    learn("reply", words, lambda: reply(False), course.reply_steps, say, _RATE)
    learn("stop", words, lambda: reply(True), course.stop_steps, say, _STOP_RATE)


def _learn_exposures(
    model: LlavaForConditionalGeneration,
    teacher: Teacher,
    to_look: list[Lesson],
    to_reply: list[Lesson],
    course: Course,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """First the eyes alone, which are to find the words that the language model knows; then the replies."""
    rng = np.random.default_rng([seed, 2])
    order, reply_order = endless(len(to_look), rng), endless(len(to_reply), rng)

    def look() -> Losses:
        shown = [exposed(to_look[next(order)], rng) for _ in range(LOOK_BATCH)]
        return look_losses(model, pixels(shown), teacher.answers(shown))

    def reply() -> Losses:
        shown = [exposed(to_reply[next(reply_order)], rng) for _ in range(REPLY_BATCH)]
        return reply_losses(model, None, teacher.batch(shown, QUESTIONS, rng), stopping=True)

    eyes = _eyes(model)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in eyes:
        parameter.requires_grad_(True)
    model.train()
    learn("look at other exposures", eyes, look, course.exposed_look_steps, say, _EXPOSED_LOOK_RATE)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    for parameter in eyes:
        parameter.requires_grad_(False)
    model.eval()
    words = [*model.model.language_model.parameters()]
    learn("reply at other exposures", words, reply, course.exposed_reply_steps, say, _EXPOSED_REPLY_RATE)


def _eyes(model: LlavaForConditionalGeneration) -> list[torch.nn.Parameter]:
    return [*model.model.vision_tower.parameters(), *model.model.multi_modal_projector.parameters()]


def _load(checkpoint: Path) -> LlavaForConditionalGeneration:
    import torch
    import transformers

    return transformers.LlavaForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)


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
            letters = model.lm_head(states(model, batch)[0, replies])[:, teacher.letters].argmax(-1)
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
