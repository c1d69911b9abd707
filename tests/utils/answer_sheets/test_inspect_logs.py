"""Logs of Inspect AI, made here by Inspect with its own mock model, come in as the harness's replies do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from medqdeg.tasks import hooks
from medqdeg.utils.analysis.runs.reading import read_runs
from medqdeg.utils.answer_sheets.inspect_logs import is_log, read_header, read_logs
from medqdeg.utils.base.errors import InputError
from medqdeg.utils.scoring.records import score_item

from ...command_line.calling import exit_status
from ...small_dataset import png, write_dataset

EPOCHS = 3

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")]  # Inspect's own


@pytest.fixture
def inspect_ai(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = pytest.importorskip("inspect_ai", reason="inspect_ai is not installed (the extra inspect)")
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    return module


def replies_of(text: str, count: int) -> list[str]:
    """What the mock says to a question, one reply after the other."""
    letters = re.findall(r"^([A-E])[.)]", text, re.MULTILINE)
    said = [*(f"ANSWER: {letter}" for letter in letters), "I cannot tell."]
    digests = (hashlib.sha256(f"{text} {number}".encode()).digest() for number in range(count))
    return [said[digest[0] % len(said)] for digest in digests]


def mock_model(fails_on: str = "no question") -> Any:
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    asked: Counter[str] = Counter()

    def output(messages: list[Any], *_: Any) -> ModelOutput:
        text = "\n".join(part.text for part in messages[-1].content if hasattr(part, "text"))
        if fails_on in text:
            raise RuntimeError("the connection broke")
        asked[text] += 1
        made = ModelOutput.from_content("mockllm/model", replies_of(text, asked[text])[-1])
        made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # it counts by a download otherwise
        return made

    return get_model("mockllm/model", custom_outputs=output)


def run(module: Any, task: Any, folder: Path, **options: Any) -> Path:
    (log,) = module.eval(task, log_dir=str(folder), display="none", log_level="error", **options)
    assert log.status == "success", log.error
    return Path(log.location)


def test_the_page_s_task_comes_in_as_the_harness_scores_it(
    inspect_ai: Any, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("MEDQDEG_DATA", str(write_dataset(tmp_path / "data")))
    assert exit_status(monkeypatch, "export", "--trials", EPOCHS, "--out", "sheets") == 0
    page = (repository / "docs" / "inspect.md").read_text(encoding="utf-8")
    made: dict[str, Any] = {}
    exec(re.findall(r"```python\n(import json.*?)```", page, re.DOTALL)[0], made)
    log = run(inspect_ai, made["medqdeg"](), tmp_path / "logs", model=mock_model(), epochs=EPOCHS)
    given = ("--items", "sheets.key.json", "--model", "Mock", "--out", "results")
    assert exit_status(monkeypatch, "import", log, *given) == 0
    records = {
        (record["level"], record["item_id"]): record
        for path in (tmp_path / "results").rglob("*_samples_*.jsonl")
        for record in (json.loads(line)["medqdeg"] for line in path.read_text().splitlines())
    }
    docs = {(level, doc["item_id"]): doc for level in ("L0", "L1", "L2") for doc in hooks.load_items("test", level)}
    assert records.keys() == docs.keys()
    for place, record in records.items():
        assert len(record["letters"]) == EPOCHS
        own = score_item(docs[place], [letter.replace("unread", "?") for letter in record["letters"]])
        same = ("letters", "accuracy", "confidence", "source_question_id", "cluster_id")
        assert [record[name] for name in same] == [own[name] for name in same]  # type: ignore[literal-required]
    # All levels of an item ask the same text: what was said to it, in whichever order, is what came in.
    doc_of = {hooks.doc_to_text(doc): doc for doc in docs.values()}
    asked = Counter(hooks.doc_to_text(doc) for doc in docs.values())
    said: Counter[tuple[str, str]] = Counter()
    for text, count in asked.items():
        said.update((text, letter) for letter in score_item(doc_of[text], replies_of(text, EPOCHS * count))["letters"])
    read = Counter(
        (hooks.doc_to_text(docs[place]), letter) for place, record in records.items() for letter in record["letters"]
    )
    assert read == said


def own_task() -> Any:
    """Six clean questions and their L1, for Inspect's own solver and scorer."""
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, GenerateConfig
    from inspect_ai.scorer import choice
    from inspect_ai.solver import multiple_choice

    image = "data:image/png;base64," + base64.b64encode(png(1)).decode()
    samples = []
    for number in range(6):
        for level in ("L0", "L1"):
            told = {"degradation_severity": level, "source_question_id": f"q{number}", "modality": "CT"}
            told |= {"degradation_type": "gaussian_noise"} if level == "L1" else {}
            text = f"Question {number} at {level}: " + "what does the image show? " * 30
            message = ChatMessageUser(content=[ContentImage(image=image), ContentText(text=text)])
            sample = Sample(
                id=f"{number}-{level}",
                input=[message],
                choices=["a cyst", "a polyp", "nothing"],
                target="ABC"[number % 3],
                metadata=told,
            )
            samples.append(sample)
    settings = GenerateConfig(temperature=0.7, max_tokens=64)
    return Task(dataset=MemoryDataset(samples), solver=multiple_choice(), scorer=choice(), name="own", config=settings)


def test_logs_of_one_s_own_task_are_analysed(inspect_ai: Any, tmp_path: Path) -> None:
    for form in ("eval", "json"):
        broken = {"fail_on_error": False} if form == "json" else {}
        model = mock_model(fails_on="Question 5 at L1" if broken else "no question")
        path = run(inspect_ai, own_task(), tmp_path, model=model, epochs=2, log_format=form, **broken)
        assert is_log(path)
        assert read_header(path).generation == {"temperature": 0.7, "max_new_tokens": 64}
    (found,) = read_runs([tmp_path]).runs
    assert (found.name, found.model, found.family) == ("model", "mockllm/model", "own")
    assert found.integration == "Inspect AI"
    assert found.conditions["generation_kwargs"] == {"temperature": 0.7, "max_new_tokens": 64}
    assert [(record["level"], record["item_id"]) for record in found.records] == [
        (level, f"{number}-{level}") for level in ("L0", "L1") for number in range(6)
    ]
    for record in found.records:
        number = int(record["item_id"][0])
        assert record["answer"] == "ABC"[number % 3]
        assert record["source_question_id"] == f"index:q{number}"
        assert record["degradation"] == (None if record["level"] == "L0" else "gaussian_noise")
        failed = 2 if record["item_id"] == "5-L1" else 0
        assert (len(record["letters"]), record["letters"].count("missing")) == (4, failed)
        assert record["accuracy"] == record["letters"].count(record["answer"]) / (4 - failed)
    assert len({tuple(record["letters"]) for record in found.records}) > 2


def test_what_is_no_log_and_what_reads_logs_not_being_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.eval").write_bytes(b"no archive")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "inspect_ai", None)
        with pytest.raises(InputError, match=r"\[inspect\]"):
            read_logs([tmp_path / "a.eval"])
        with pytest.raises(InputError, match=r"no MedQ-Deg run found.*inspect_ai"):
            read_runs([tmp_path])
    pytest.importorskip("inspect_ai", reason="inspect_ai is not installed (the extra inspect)")
    with pytest.raises(InputError, match="cannot be read as a log of Inspect AI"):
        read_logs([tmp_path / "a.eval"])


def test_logs_are_known_by_their_names() -> None:
    assert is_log(Path("2026-11-28T22-40-59-00-00_t_jxbTWzhDZyEP4qFKdTF8wp.json"))
    assert is_log(Path("any.eval"))
    for other in ("20261128_201500_results.json", "results_2026-11-28T22-40-59.123.json", "key.json"):
        assert not is_log(Path(other))
