"""Wrapped tasks inside lmms-eval: at level 0 with one greedy trial they score what the unwrapped task scores.

The tasks are lmms-eval's own, of different shape; only their data is replaced, by small local files.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import lmms_eval.tasks
import numpy as np
import PIL.Image
import pytest
import yaml
from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from medqdeg.degradations import degrade
from medqdeg.utils.analysis.runs.wrapped import read_wrapped
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.wrapping.generate import WrapOptions, write_wrapped_task
from medqdeg.utils.wrapping.hooks import RECORD
from medqdeg.utils.wrapping.original import TaskEntry

BUILTIN = Path(lmms_eval.tasks.__file__).parent
ITEMS = 8


def picture(seed: int) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8))


CHOICES = [["a cyst", "a polyp", "a stone"], ["red", "blue"], ["one", "two", "three", "four"]]


def _letters(row: int) -> list[str]:
    return CHOICES[row % 3]


ROWS: dict[str, tuple[str, str, Any]] = {
    # name: (lmms-eval's file, split, row number -> row)
    "choices": (
        "scienceqa/scienceqa_img.yaml",
        "test",
        lambda row: {
            "image": picture(row),
            "hint": "Look closely." if row % 2 else "",
            "question": f"What is in picture {row}?",
            "choices": _letters(row),
            "answer": row % 2,
        },
    ),
    "short": (
        "chartqa/chartqa.yaml",
        "test",
        lambda row: {
            "image": picture(row),
            "question": f"How many bars are in picture {row}?",
            "answer": ("3", "the left lung", "12.5%")[row % 3],
            "type": ("human_test", "augmented_test")[row % 2],
        },
    ),
    "yes_no": (
        "pope/pope.yaml",
        "test",
        lambda row: {
            "question_id": str(100 + row),
            "image": picture(row),
            "question": f"Is there a cyst in picture {row}?",
            "answer": ("yes", "no")[row % 2],
        },
    ),
    "metric_by_item": (  # half of the items have one metric, half the other; an id names two items
        "mme/mme.yaml",
        "test",
        lambda row: {
            "question_id": f"{row // 2}.jpg",
            "image": picture(row // 2),
            "question": f"Is there a cyst in picture {row}? Please answer yes or no.",
            "answer": ("Yes", "No")[row % 2],
            "category": ("existence", "code_reasoning")[row // 4],
        },
    ),
    "several_images": (
        "muirbench/muirbench.yaml",
        "test",
        lambda row: {
            "idx": f"item-{row}",
            "task": ("Counting", "Ordering")[row % 2],
            "image_relation": "Temporal",
            "image_type": "Medical",
            "image_list": [picture(10 * row + place) for place in range(1 + row % 3)],
            "question": f"Which of these is number {row}?",
            "options": _letters(row),
            "answer": "AB"[row % 2],
        },
    ),
    "built_in_metric": (  # no process_results of its own
        "ai2d/ai2d.yaml",
        "test",
        lambda row: {
            "image": picture(row),
            "question": f"What is in picture {row}?",
            "options": [*_letters(row), "none", "all"][:4],
            "answer": str(row % 2),
        },
    ),
    "free_text": (  # answers in words, scored by a normalisation of its own
        "slake/slake_en.yaml",
        "test",
        lambda row: {
            "qid": 300 + row,
            "image": picture(row),
            "question": f"What is in picture {row}?",
            "answer": ("The left lung", "X-Ray", "3")[row % 3],
            "q_lang": "en",
            "answer_type": "OPEN",
            "modality": "CT",
            "content_type": "Organ",
        },
    ),
    "own_messages": (  # brings its own chat messages, images inside the text
        "mmmu/mmmu_val.yaml",
        "validation",
        lambda row: {
            "id": f"validation_Clinical_Medicine_{row}",
            "question": f"What does <image 1> show, number {row}?",
            "options": str(_letters(row)),
            "question_type": "multiple-choice",
            "answer": "AB"[row % 2],
            "subfield": "Clinical Radiology",
            **{f"image_{place}": picture(row) if place == 1 else None for place in range(1, 8)},
        },
    ),
}


@pytest.fixture(scope="session")
def local_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that include lmms-eval's own and change nothing but where the data lies."""
    folder = tmp_path_factory.mktemp("local_tasks")
    for name, (file, split, row) in ROWS.items():
        rows = [row(number) for number in range(ITEMS)]
        columns = {key: [one[key] for one in rows] for key in rows[0]}
        features = {
            key: datasets.Image()
            if (key.startswith("image_") and key[6:].isdigit()) or key == "image"
            else datasets.List(datasets.Image())
            if key == "image_list"
            else None
            for key in columns
        }
        table = datasets.Dataset.from_dict(columns)
        for key, feature in features.items():
            if feature is not None:
                encoded = [_encoded(value) for value in columns[key]]
                table = table.remove_columns(key) if key in table.column_names else table
                part = datasets.Dataset.from_dict({key: encoded}, features=datasets.Features({key: feature}))
                table = datasets.concatenate_datasets([table, part], axis=1)
        table.to_parquet(folder / f"{name}.parquet")
        content = {
            "include": str(BUILTIN / file),
            "task": f"local_{name}",
            "tag": [],
            "dataset_path": "parquet",
            "dataset_name": None,
            "dataset_kwargs": {"data_files": {split: str(folder / f"{name}.parquet")}},
        }
        (folder / f"local_{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


def _encoded(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_encoded(one) for one in value]
    buffer = io.BytesIO()
    value.save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": None}


class Pupil(lmms):
    """Answers by a digest of the prompt and the pixels: sometimes right, in several manners, the same each time."""

    def __init__(self, *, chat: bool, sampling: bool = False) -> None:
        super().__init__()
        self.is_simple = not chat
        self.sampling = sampling
        self.seen: dict[tuple[str, int], list[bytes]] = {}
        self.texts: dict[tuple[str, int], str] = {}
        self.kwargs: list[dict[str, Any]] = []

    def generate_until(self, requests: list[Any]) -> list[str]:
        replies = []
        for number, request in enumerate(requests):
            if self.is_simple:
                text, options, doc_to_visual, doc_id, task, split = request.args
                images = doc_to_visual(self.task_dict[task][split][doc_id])
            else:
                _, doc_to_messages, options, doc_id, task, split = request.args
                messages = doc_to_messages(self.task_dict[task][split][doc_id])
                parts = [part for message in messages for part in message["content"]]
                images = [part["url"] for part in parts if part["type"] == "image"]
                text = "".join(part["text"] for part in parts if part["type"] == "text")
            pixels = [image.tobytes() for image in images]
            self.seen[task, doc_id], self.texts[task, doc_id] = pixels, text
            self.kwargs.append(options)
            extra = str(number).encode() if self.sampling else b""
            digest = hashlib.sha256(b"".join([text.encode(), *pixels, extra])).digest()
            replies.append(self.reply(text, digest))
        return replies

    @staticmethod
    def reply(text: str, digest: bytes) -> str:
        letters = re.findall(r"^\(?([A-Z])[).]", text, re.MULTILINE)
        answers = letters or (["Yes", "no"] if "Is there" in text else ["3", "The left lung", "12.5%"])
        answer = answers[digest[0] % len(answers)]
        return (answer, f" {answer}\n", f"{answer}. as one can see" if letters else answer)[digest[1] % 3]

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError


def evaluate(tasks: list[str], folders: list[Path], model: Pupil) -> dict[str, Any]:
    return simple_evaluate(
        model=model,
        tasks=tasks,
        task_manager=TaskManager(include_path=[str(folder) for folder in folders], include_defaults=False),
        bootstrap_iters=0,
        log_samples=True,
    )


def wrap(name: str, local_tasks: Path, out: Path, **wish: Any) -> list[str]:
    task = f"local_{name}"
    return write_wrapped_task(TaskEntry(task, "task", local_tasks / f"{task}.yaml"), WrapOptions(**wish), out)


@pytest.mark.parametrize("chat", [True, False], ids=["chat", "simple"])
@pytest.mark.parametrize("name", ROWS)
def test_level_0_greedy_scores_what_the_task_scores(name: str, chat: bool, local_tasks: Path, tmp_path: Path) -> None:
    (wrapped,) = wrap(name, local_tasks, tmp_path, levels=("L0",), trials=1)
    model = Pupil(chat=chat)
    results = evaluate([f"local_{name}", wrapped], [local_tasks, tmp_path], model)
    plain, ours = results["results"][f"local_{name}"], results["results"][wrapped]
    scores = {key: value for key, value in plain.items() if "," in key}
    assert scores
    assert {key: ours[key] for key in scores} == scores
    before, after = results["samples"][f"local_{name}"], results["samples"][wrapped]
    assert len(before) == len(after) == ITEMS
    metrics = {key.split(",")[0] for key in scores if "stderr" not in key}
    for one, other in zip(before, after, strict=True):
        assert one["doc_id"] == other["doc_id"]
        assert one["target"] == other["target"]
        assert [one["filtered_resps"]] in ([other["filtered_resps"][0]], [other["filtered_resps"]])
        assert {key: one[key] for key in metrics & one.keys()} == {key: other[key] for key in metrics & one.keys()}
        assert other[RECORD]["error"] is None
    for doc_id in range(ITEMS):
        assert model.seen[f"local_{name}", doc_id] == model.seen[wrapped, doc_id] != []
        assert model.texts[f"local_{name}", doc_id] == model.texts[wrapped, doc_id]
    half = len(model.kwargs) // 2
    assert model.kwargs[:half] == model.kwargs[half:]


def test_task_files_written_before_0_2_score_the_same(local_tasks: Path, tmp_path: Path) -> None:
    """They name the aggregations in `medqdeg.tasks` and the settings by another name; newer ones name neither."""
    folders = [tmp_path / "new", tmp_path / "old"]
    for folder in folders:
        group = wrap("yes_no", local_tasks, folder, trials=2)[0]
    for path in sorted(folders[1].iterdir()):
        new = path.read_text(encoding="utf-8")
        assert "medqdeg.tasks" not in new
        old = new.replace("WrapSettings", "Settings")
        for module, name in (
            *(("hooks", name) for name in ("mean_score", "across_levels")),
            *(("wrapped_hooks", name) for name in ("summarise_level", "compare_levels")),
        ):
            old = re.sub(rf"!function '?\S+\.{name}'?", f"!function medqdeg.tasks.{module}.{name}", old)
        assert old != new
        path.write_text(old, encoding="utf-8")
    new, old = (
        evaluate([group], [local_tasks, folder], Pupil(chat=True, sampling=True))["results"] for folder in folders
    )
    assert old == new
    assert "L0_to_L2" in next(value for key, value in new[group].items() if key.startswith(RECORD))["overall"]


@pytest.mark.parametrize("name", ["choices", "short", "yes_no", "metric_by_item", "several_images"])
def test_votes_and_levels(name: str, local_tasks: Path, tmp_path: Path) -> None:
    names = wrap(name, local_tasks, tmp_path, trials=4)
    model = Pupil(chat=True, sampling=True)
    results = evaluate([names[0]], [local_tasks, tmp_path], model)
    assert all(kwargs["do_sample"] and kwargs["temperature"] == 1.0 for kwargs in model.kwargs)
    first = f"local_{name}_medqdeg_l0"
    for wrapped in names[1:]:
        records = [sample[RECORD] for sample in results["samples"][wrapped]]
        assert all(record["error"] is None and len(record["votes"]) == 4 for record in records)
        found = {key.split(",")[0]: value for key, value in results["results"][wrapped].items() if "," in key}
        scores = ("accuracy", "confidence", "calibration_shift")
        for score in scores:
            mean = sum(record[score] for record in records) / ITEMS
            assert found[f"votes_{score}"] == pytest.approx(mean, abs=1e-12)
            assert found[RECORD]["overall"][score] == pytest.approx(mean, abs=1e-12)
        for record in records:
            as_read = read_wrapped(record)
            assert not isinstance(as_read, str)
            assert as_read[1] == []
            assert [as_read[0][name] for name in scores] == pytest.approx([record[name] for name in scores], abs=1e-12)
            assert record["accuracy"] == pytest.approx(sum(record["correct"]) / 4)
            assert record["images"] == (1 + int(record["item_id"][-1]) % 3 if name == "several_images" else 1)
        changed = [model.seen[wrapped, doc_id] != model.seen[first, doc_id] for doc_id in range(ITEMS)]
        assert not any(changed) if wrapped == first else all(changed)
    rules = {
        **dict.fromkeys(("choices", "several_images"), "letters in the prompt"),
        **dict.fromkeys(("yes_no", "metric_by_item"), "yes or no"),
    }
    summary = results["results"][first][next(k for k in results["results"][first] if k.startswith(f"{RECORD},"))]
    assert summary["conditions"]["k_rule"] == {rules.get(name, "open"): ITEMS}
    assert summary["conditions"]["confidence_scale"] == {"log T" if name == "short" else "log K": ITEMS}
    assert sum(summary["conditions"]["score_metric"].values()) == ITEMS
    assert len(summary["conditions"]["score_metric"]) == (2 if name == "metric_by_item" else 1)
    assert json.loads(json.dumps(summary))["level"] == "L0"


def test_images_are_the_library_s_for_the_item(local_tasks: Path, tmp_path: Path) -> None:
    wrap("several_images", local_tasks, tmp_path, levels=("L2",), trials=1, degradations=("gaussian_noise",))
    model = Pupil(chat=False)
    evaluate(["local_several_images_medqdeg_l2"], [tmp_path], model)
    for row in range(ITEMS):
        expected = [
            degrade(picture(10 * row + place), "gaussian_noise", 2, seed=f"local_several_images:item-{row}:{place}")
            for place in range(1 + row % 3)
        ]
        assert model.seen["local_several_images_medqdeg_l2", row] == [image.tobytes() for image in expected]


def test_correctness_is_the_task_s_own(local_tasks: Path, tmp_path: Path) -> None:
    """chartqa takes 12.6% for 12.5%: so must we, and the two are one answer."""
    wrap("short", local_tasks, tmp_path, levels=("L0",), trials=2)

    class Near(Pupil):
        turn: Iterator[str] = iter(["12.5%", "12.6%"] * ITEMS)

        def reply(self, text: str, digest: bytes) -> str:  # type: ignore[override]
            return next(self.turn)

    results = evaluate(["local_short_medqdeg_l0"], [tmp_path], Near(chat=True))
    records = [sample[RECORD] for sample in results["samples"]["local_short_medqdeg_l0"]]
    assert [record["correct"] for record in records if record["item_id"] in "258"] == [[1.0, 1.0]] * 2
    assert [record["confidence"] for record in records if record["item_id"] in "258"] == [1.0, 1.0]
    assert all(record["k"] == 2 and record["confidence_scale"] == "log T" for record in records)
    assert {record["item_id"]: record["right_vote"] for record in records}["2"] == "12.5"


def test_items_without_images_are_said(tmp_path: Path) -> None:
    """Half of ScienceQA's have none: nothing of theirs is degraded."""
    rows = [{**ROWS["choices"][2](row), "image": _encoded(picture(row)) if row % 2 else None} for row in range(ITEMS)]
    features = datasets.Dataset.from_list([{**row, "image": None} for row in rows]).features
    table = datasets.Dataset.from_list(rows, features=datasets.Features({**features, "image": datasets.Image()}))
    table.to_parquet(tmp_path / "rows.parquet")
    content = {
        "include": str(BUILTIN / "scienceqa/scienceqa.yaml"),
        **{"task": "local_mixed", "tag": [], "dataset_path": "parquet", "dataset_name": None},
        "dataset_kwargs": {"data_files": {"test": str(tmp_path / "rows.parquet")}},
    }
    (tmp_path / "local_mixed.yaml").write_text(yaml.safe_dump(content))
    wrap("mixed", tmp_path, tmp_path / "out", levels=("L2",), trials=1)
    results = evaluate(["local_mixed_medqdeg_l2"], [tmp_path / "out"], Pupil(chat=True))
    records = [sample[RECORD] for sample in results["samples"]["local_mixed_medqdeg_l2"]]
    assert [record["images"] for record in records] == [0, 1] * (ITEMS // 2)
    found = results["results"]["local_mixed_medqdeg_l2"]
    (summary,) = (value for key, value in found.items() if key.startswith(f"{RECORD},"))
    assert summary["conditions"]["items_without_images"] == ITEMS // 2
    assert any("have no image" in warning for warning in summary["conditions"]["warnings"])


def test_a_task_without_modalities_cannot_choose_by_them(local_tasks: Path, tmp_path: Path) -> None:
    wrap("yes_no", local_tasks, tmp_path, levels=("L1",), by_item=True)
    with pytest.raises(SystemExit, match="has no column that names the modality"):
        evaluate(["local_yes_no_medqdeg_l1"], [tmp_path], Pupil(chat=True))


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"score": "bleu"}, "has no such metric"),
        ({"degradations": ("fog",)}, "fog"),
        ({"modality": "PET"}, "unknown modality"),
    ],
)
def test_a_wish_that_cannot_be_met_writes_nothing(
    wish: dict[str, Any], message: str, local_tasks: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        wrap("yes_no", local_tasks, tmp_path / "out", **wish)
    assert not (tmp_path / "out").exists()
