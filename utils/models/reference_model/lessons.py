"""The training data of the reference model: clean phantoms, and questions about them as token sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...base.worker_processes import in_order
from ...phantoms import GENERATORS
from .architecture import OPTION_MARKS, VISUAL_TOKENS, Prompt

if TYPE_CHECKING:
    from transformers import LlavaProcessor

LETTERS = "ABCDE"
_STREAM = 0x7EAC
"""Keeps the training phantoms apart from those of every suite, whatever the seeds: see `phantoms.suite`."""


@dataclass(frozen=True)
class Lesson:
    """One clean phantom.

    Attributes:
        image: uint8, (128, 128) or (128, 128, 3), as the processor resizes it.
        modality: a key of `GENERATORS`.
        answers: one entry per question of the modality: its answer, or None where it cannot be asked.
    """

    image: np.ndarray
    modality: str
    answers: tuple[str | None, ...]


def draw_lessons(count: int, seed: int, processor: LlavaProcessor, workers: int = 2, first: int = 0) -> list[Lesson]:
    """Draw clean phantoms, modalities in turn, so that every answer of every question is shown about equally often.

    Args:
        count: how many.
        seed: with a lesson's number it fixes what is drawn.
        processor: resizes the images.
        workers: processes.
        first: number of the first lesson.
    """
    draw = partial(_draw, seed=seed, processor=processor)
    return list(in_order(draw, range(first, first + count), workers, chunk=64))


def _draw(number: int, seed: int, processor: LlavaProcessor) -> Lesson:
    rng = np.random.default_rng([_STREAM, seed, number])
    generator = list(GENERATORS.values())[number % len(GENERATORS)]
    question = generator.questions[rng.integers(len(generator.questions))]
    scene = generator.scene_with(question, question.answers[rng.integers(len(question.answers))], rng)
    drawn = generator.draw(scene, rng)
    colour = drawn if drawn.ndim == 3 else np.repeat(drawn[..., None], 3, axis=2)
    resized = processor.image_processor(colour, do_rescale=False, do_normalize=False, return_tensors="np")
    image = np.moveaxis(np.asarray(resized["pixel_values"][0]).astype(np.uint8), 0, -1)
    answers = tuple(each.answer(scene) for each in generator.questions)
    return Lesson(image if drawn.ndim == 3 else image[..., 0].copy(), generator.modality, answers)


@dataclass(frozen=True)
class Batch:
    """Several questions about each of B images, in one sequence per image.

    Every question sees the image and itself, at the positions that it would have alone: as if it stood alone.

    Attributes:
        pixels: float32, (B, 3, 128, 128), in [-1, 1].
        tokens: int64, (B, N), padded on the right.
        positions: int64, (B, N).
        mask: bool, (B, 1, N, N), True where the second axis may look at the third.
        letters: int64, (B, N): the right letter's token where a reply begins, else -100.
        ends: int64, (B, N): the end of the reply where its letter stands, else -100.
        matches: int64, (B, N): at an option's text, 1 if it is the right answer and 0 if not, else -100.
        questions: B tuples: which of the modality's questions are asked, in the order of the sequence.
    """

    pixels: np.ndarray
    tokens: np.ndarray
    positions: np.ndarray
    mask: np.ndarray
    letters: np.ndarray
    ends: np.ndarray
    matches: np.ndarray
    questions: tuple[tuple[int, ...], ...]


class Teacher:
    """Puts lessons into words and batches."""

    def __init__(self, processor: LlavaProcessor, prompt: Prompt) -> None:
        tokenizer = processor.tokenizer
        self._processor, self._tokenizer, self._prompt = processor, tokenizer, prompt
        token = tokenizer.convert_tokens_to_ids
        self._image = token("<image>")
        self._marks = {token(mark) for mark in OPTION_MARKS}
        self.letters = [token(letter) for letter in LETTERS]
        self._token = token

    def batch(self, lessons: Sequence[Lesson], questions: int, rng: np.random.Generator) -> Batch:
        """Return a batch with up to `questions` of the questions that can be asked about each image."""
        rows = [self._row(lesson, questions, rng) for lesson in lessons]
        length = max(len(row["tokens"]) for row in rows)

        def padded(name: str, value: int) -> np.ndarray:
            return np.array([row[name] + [value] * (length - len(row[name])) for row in rows])

        part = padded("parts", -1)
        mask = (part[:, :, None] == part[:, None, :]) | (part[:, None, :] == 0)
        return Batch(
            pixels=pixels(lessons),
            tokens=padded("tokens", self._tokenizer.pad_token_id),
            positions=padded("positions", 0),
            mask=(mask & np.tri(length, dtype=bool))[:, None],
            letters=padded("letters", -100),
            ends=padded("ends", -100),
            matches=padded("matches", -100),
            questions=tuple(tuple(row["questions"]) for row in rows),
        )

    def answers(self, lessons: Sequence[Lesson]) -> np.ndarray:
        """Return int64, (B, visual tokens): the token of the answer to the modality's question of that number.

        It is -100 where there is no such question, or where it cannot be asked of the image.
        """
        rows = np.full((len(lessons), VISUAL_TOKENS), -100)
        for row, lesson in zip(rows, lessons, strict=True):
            for place, answer in enumerate(lesson.answers):
                if answer is not None:
                    row[place] = self._token(answer)
        return rows

    def _row(self, lesson: Lesson, questions: int, rng: np.random.Generator) -> dict[str, list[int]]:
        asked = GENERATORS[lesson.modality].questions
        possible = [place for place, answer in enumerate(lesson.answers) if answer is not None]
        row: dict[str, list[int]] = {
            "tokens": [],
            "parts": [],
            "positions": [],
            "letters": [],
            "ends": [],
            "matches": [],
        }
        row["questions"] = [int(place) for place in rng.permutation(possible)[:questions]]
        for part, place in enumerate(row["questions"], start=1):
            question, answer = asked[place], lesson.answers[place]
            others = rng.permutation([each for each in question.answers if each != answer])[: question.k - 1]
            options = [str(each) for each in rng.permutation([answer, *others])]
            tokens = self._tokens(question.stem, options)
            start = tokens.index(self._image)
            if part == 1:
                self._extend(row, tokens[:start] + [self._image] * VISUAL_TOKENS, 0, 0)
                beginning = len(row["tokens"])
            letter = self.letters[options.index(str(answer))]
            tokens = [*tokens[start + 1 :], letter]
            self._extend(row, tokens, part, beginning)
            marks = [at for at, token in enumerate(tokens) if token in self._marks]
            offset = len(row["tokens"]) - len(tokens)
            for mark, option in zip(marks, options, strict=True):
                row["matches"][offset + mark + 1] = int(option == answer)
            row["letters"][-2], row["ends"][-1] = letter, self._tokenizer.eos_token_id
        return row

    def _tokens(self, stem: str, options: Sequence[str]) -> list[int]:
        text = self._prompt({"question": stem, "letters": list(LETTERS[: len(options)]), "options": list(options)})
        content = [{"type": "image"}, {"type": "text", "text": text}]
        chat = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        return self._tokenizer(chat)["input_ids"]

    @staticmethod
    def _extend(row: dict[str, list[int]], tokens: list[int], part: int, first: int) -> None:
        row["tokens"] += tokens
        row["parts"] += [part] * len(tokens)
        row["positions"] += range(first, first + len(tokens))
        row["letters"] += [-100] * len(tokens)
        row["ends"] += [-100] * len(tokens)
        row["matches"] += [-100] * len(tokens)


def pixels(lessons: Sequence[Lesson]) -> np.ndarray:
    """Return the images as the processor hands them over: float32, (B, 3, 128, 128), in [-1, 1]."""
    return np.stack([_normalised(lesson.image) for lesson in lessons])


def _normalised(image: np.ndarray) -> np.ndarray:
    """As the processor does it: channels first, from [0, 255] to [-1, 1]."""
    colour = np.moveaxis(image, -1, 0) if image.ndim == 3 else np.broadcast_to(image, (3, *image.shape))
    return colour.astype(np.float32) / np.float32(127.5) - np.float32(1)
