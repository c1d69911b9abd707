"""The reference model: what ships, that it reads clean phantoms, and that it is taught what it will be asked."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from medqdeg.tasks.hooks import doc_to_text
from medqdeg.utils.models.reference_model import CHECKPOINT
from medqdeg.utils.models.reference_model.learning import states
from medqdeg.utils.models.reference_model.lessons import Teacher, draw_lessons, pixels
from medqdeg.utils.models.reference_model.training import Course, train
from medqdeg.utils.phantoms import GENERATORS
from medqdeg.utils.phantoms.planning import plan_suite
from medqdeg.utils.phantoms.suite import draw_phantom


@pytest.fixture(scope="module")
def loaded():
    model = transformers.LlavaForConditionalGeneration.from_pretrained(CHECKPOINT, dtype="auto").eval()
    return model, transformers.AutoProcessor.from_pretrained(CHECKPOINT)


def inputs(processor, question, image):
    content = [{"type": "image"}, {"type": "text", "text": doc_to_text(question)}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    return processor(images=Image.fromarray(image).convert("RGB"), text=text, return_tensors="pt")


def test_it_is_small_and_samples_from_its_own_distribution(loaded) -> None:
    model, _ = loaded
    assert sum(path.stat().st_size for path in CHECKPOINT.rglob("*")) < 10_000_000
    assert sum(parameter.numel() for parameter in model.parameters()) < 5_000_000
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    config = model.generation_config
    assert (config.do_sample, config.temperature, config.top_k, config.top_p) == (True, 1.0, 0, 1.0)


def test_its_vocabulary_is_that_of_the_questions(loaded) -> None:
    """A stem or an answer that was changed after the training would be read byte by byte."""
    _, processor = loaded
    for generator in GENERATORS.values():
        for question in generator.questions:
            for text in (question.stem, *question.answers):
                assert len(processor.tokenizer(text)["input_ids"]) == 1, text


def test_it_reads_clean_phantoms_of_another_seed(loaded) -> None:
    model, processor = loaded
    hits: dict[str, list[bool]] = defaultdict(list)
    for item in plan_suite(210, seed=20_261_122):
        phantom = draw_phantom(item, seed=20_261_122)
        letters = "ABCDE"[: len(item.options)]
        question = {"question": item.question.stem, "letters": letters, "options": item.options}
        with torch.inference_mode():
            scores = model(**inputs(processor, question, phantom.image)).logits[0, -1]
        best = processor.tokenizer.decode(scores.argmax())
        hits[item.modality].append(best == item.answer)
    assert set(hits) == set(GENERATORS)
    # Chance is 0.3. The bounds leave room for 30 items per modality; training.json has the figures of many more.
    assert np.mean([hit for each in hits.values() for hit in each]) > 0.75
    assert all(np.mean(each) > 0.5 for each in hits.values()), {name: np.mean(each) for name, each in hits.items()}


def test_several_questions_in_one_sequence_are_as_if_each_stood_alone(loaded) -> None:
    """What the model learns from is what `generate` will give it."""
    model, processor = loaded
    teacher = Teacher(processor, doc_to_text)
    lessons = draw_lessons(7, 11, processor, workers=1)
    batch = teacher.batch(lessons, 4, np.random.default_rng(0))
    with torch.inference_mode():
        packed = model.lm_head(states(model, batch))
    compared = 0
    for row, lesson in enumerate(lessons):
        for place in np.flatnonzero(batch.letters[row] >= 0):
            part = [at for at in range(place + 1) if batch.mask[row, 0, place, at]]
            alone = torch.from_numpy(batch.tokens[row][part])[None]
            with torch.inference_mode():
                scores = model(input_ids=alone, pixel_values=torch.from_numpy(pixels([lesson]))).logits[0, -1]
            assert torch.allclose(scores, packed[row, place], atol=1e-4)
            compared += 1
    assert compared > 14


def test_lessons_show_the_processors_pixels_and_the_prompts_tokens(loaded) -> None:
    model, processor = loaded
    teacher = Teacher(processor, doc_to_text)
    (lesson,) = draw_lessons(1, 5, processor, workers=1)
    question = GENERATORS[lesson.modality].questions[0]
    options = list(question.answers[: question.k])
    item = {"question": question.stem, "letters": list("ABCDE"[: question.k]), "options": options}
    rng = np.random.default_rng([0x7EAC, 5, 0])
    drawn_for = GENERATORS[lesson.modality].questions[rng.integers(len(GENERATORS[lesson.modality].questions))]
    answer = drawn_for.answers[rng.integers(len(drawn_for.answers))]
    generator = GENERATORS[lesson.modality]
    image = generator.draw(generator.scene_with(drawn_for, answer, rng), rng)
    found = inputs(processor, item, image)
    assert torch.allclose(found["pixel_values"], torch.from_numpy(pixels([lesson])), atol=1e-5)
    token = model.config.image_token_index
    plain = teacher._tokens(question.stem, options)
    at = plain.index(token)
    expanded = [*plain[:at], *[token] * 16, *plain[at + 1 :]]
    assert found["input_ids"][0].tolist() == expanded


@pytest.mark.slow
def test_training_writes_a_checkpoint_that_loads(tmp_path: Path) -> None:
    said: list[str] = []
    report = train(
        tmp_path / "model",
        doc_to_text,
        course=Course(70, 2, 2, 2, 35, 2, 2),
        unseen_images=14,
        threads=1,
        say=said.append,
    )
    assert json.loads((tmp_path / "model" / "training.json").read_text(encoding="utf-8")) == report
    model = transformers.LlavaForConditionalGeneration.from_pretrained(tmp_path / "model", dtype="auto")
    assert sum(parameter.numel() for parameter in model.parameters()) == report["parameters"]
    assert any("look: step 2 of 2" in line for line in said)
