"""The tiny checkpoint: its files, and what lmms-eval's own model classes make of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from medqdeg.utils.base.errors import InputError
from medqdeg.utils.models.tiny import ARCHITECTURES, LETTERS, MARKER, build_tiny_checkpoint

pytest.importorskip("torch", reason="torch is not installed: no checkpoint can be built")
pytest.importorskip("transformers", reason="transformers is not installed: no checkpoint can be built")

INTEGRATIONS = {
    # The smallest images that each route allows keep the tests fast.
    "qwen2_5_vl": ("qwen2_5_vl", {"min_pixels": 784, "max_pixels": 50176}),
    "llava": ("llava_hf", {}),
}
SAMPLING = {"temperature": 1.0, "top_p": 1.0, "do_sample": True, "max_new_tokens": 16}
TRIALS = 10


@pytest.fixture(scope="module", params=ARCHITECTURES)
def checkpoint(request, tmp_path_factory) -> tuple[str, Path]:
    directory = tmp_path_factory.mktemp("checkpoints") / request.param
    return request.param, build_tiny_checkpoint(directory, request.param)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def build_elsewhere(folder: Path) -> subprocess.Popen[bytes]:
    """Another process that builds every architecture into a folder of that name, and prints where they are."""
    code = (
        "import sys; from pathlib import Path; "
        "from medqdeg.utils.models.tiny import ARCHITECTURES, build_tiny_checkpoint as build; "
        "print(*(build(Path(sys.argv[1]) / name, name) for name in ARCHITECTURES), sep='\\n')"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)


@pytest.fixture(scope="module")
def built_elsewhere(tmp_path_factory) -> Path:
    """What two processes left that built the same checkpoints at the same time."""
    folder = tmp_path_factory.mktemp("elsewhere")
    builders = [build_elsewhere(folder) for _ in range(2)]
    printed = [process.communicate(timeout=180)[0].decode().splitlines() for process in builders]
    assert [process.returncode for process in builders] == [0, 0]
    assert {Path(line) for lines in printed for line in lines} == {(folder / name).resolve() for name in ARCHITECTURES}
    return folder


# ---- the files


def test_all_files_together_stay_under_two_megabytes(checkpoint):
    _, directory = checkpoint
    assert sum(len(data) for data in contents(directory).values()) < 2_000_000


def test_other_processes_at_the_same_time_write_the_same_bytes(checkpoint, built_elsewhere):
    architecture, directory = checkpoint
    assert contents(built_elsewhere / architecture) == contents(directory)
    assert not list(built_elsewhere.glob(".*.building"))


def test_another_seed_gives_other_weights(checkpoint, tmp_path):
    architecture, directory = checkpoint
    other = build_tiny_checkpoint(tmp_path / "other", architecture, seed=1)
    assert contents(other)["model.safetensors"] != contents(directory)["model.safetensors"]


def test_global_random_state_is_left_alone(tmp_path):
    import torch

    before = torch.get_rng_state().clone(), np.random.get_state()[1].copy()  # noqa: NPY002
    build_tiny_checkpoint(tmp_path / "model", "llava")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002


def test_a_complete_build_is_reused(checkpoint):
    architecture, directory = checkpoint
    before = {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}
    assert build_tiny_checkpoint(directory, architecture) == directory
    assert {path.name: path.stat().st_mtime_ns for path in directory.iterdir()} == before


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_half_built_folder_is_rebuilt(checkpoint, tmp_path, damage):
    architecture, intact = checkpoint
    directory = build_tiny_checkpoint(tmp_path / "model", architecture)
    weights = directory / "model.safetensors"
    if damage == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:1000])
    build_tiny_checkpoint(directory, architecture)
    assert contents(directory) == contents(intact)


def test_what_an_interrupted_build_left_is_cleared_away(tmp_path):
    leftover = tmp_path / ".model.building"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    build_tiny_checkpoint(tmp_path / "model", "llava")
    assert {path.name for path in tmp_path.iterdir()} <= {"model", ".model.lock"}
    assert len(contents(tmp_path / "model")["model.safetensors"]) > 100_000


def test_another_identity_replaces_the_build(tmp_path):
    directory = build_tiny_checkpoint(tmp_path / "model", "llava")
    build_tiny_checkpoint(directory, "qwen2_5_vl", seed=3)
    marker = json.loads((directory / MARKER).read_text(encoding="utf-8"))
    assert (marker["architecture"], marker["seed"]) == ("qwen2_5_vl", 3)
    assert json.loads((directory / "config.json").read_text(encoding="utf-8"))["model_type"] == "qwen2_5_vl"


def test_a_folder_with_other_files_is_refused_and_kept(tmp_path):
    own = tmp_path / "somebodys_model"
    own.mkdir()
    (own / "model.safetensors").write_bytes(b"years of work")
    with pytest.raises(InputError, match=r"model\.safetensors"):
        build_tiny_checkpoint(own)
    assert contents(own) == {"model.safetensors": b"years of work"}
    with pytest.raises(InputError, match="is a file"):
        build_tiny_checkpoint(own / "model.safetensors")


@pytest.mark.parametrize("arguments", [{"architecture": "gpt2"}, {"seed": -1}])
def test_bad_arguments_are_named(tmp_path, arguments):
    with pytest.raises(InputError, match=str(next(iter(arguments.values())))):
        build_tiny_checkpoint(tmp_path / "model", **arguments)
    assert not list(tmp_path.iterdir())


def test_tokenizer_keeps_every_text(checkpoint):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint[1])
    text = "Läsion, 3.5 mm?\n\tA) ja  B) nein — 病変 🙂 \x00"
    tokens = tokenizer.encode(text, add_special_tokens=False)
    assert len(tokens) == len(text.encode())
    assert tokenizer.decode(tokens) == text
    assert [tokenizer.decode(tokenizer.encode(f"x {letter}")[-1]) for letter in LETTERS] == list(LETTERS)


# ---- through lmms-eval's own classes


def drawing(index: int, side: int = 256) -> object:
    """A smooth grey image with blobs of its own: no two indices look alike."""
    from PIL import Image

    rng = np.random.default_rng(index)
    y, x = np.mgrid[0:side, 0:side] / side
    field = np.zeros((side, side))
    for cx, cy, width, height in rng.uniform([0, 0, 0.02, -1], [1, 1, 0.3, 1], (12, 4)):
        field += height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / width**2)
    field = (field - field.min()) / np.ptp(field)
    return Image.fromarray((255 * field).astype(np.uint8)).convert("RGB")


QUESTIONS = (
    "Which organ does the image show?\nA. liver\nB. spleen\nC. kidney\nD. heart",
    "Is there a lesion?\nA. yes\nB. no\nAnswer with the option's letter.",
    "Which modality is this?\nA. CT\nB. MRI\nC. X-ray\nD. ultrasound\nE. dermoscopy",
)


def documents(count: int, images_each: int = 1) -> list[dict]:
    return [
        {
            "images": [drawing(100 * index + k) for k in range(images_each)],
            "question": QUESTIONS[index % len(QUESTIONS)],
        }
        for index in range(count)
    ]


def to_messages(doc: dict) -> list[dict]:
    """Images and text in turn, so that an integration that moves images would be seen."""
    content: list[dict] = []
    for number, image in enumerate(doc["images"], start=1):
        content += [{"type": "text", "text": f"Image {number}: "}, {"type": "image", "url": image}]
    return [{"role": "user", "content": [*content, {"type": "text", "text": doc["question"]}]}]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Matrices this small gain nothing from threads, and on a busy machine they wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def load(checkpoint):
    """Gives the integration's model class on this checkpoint: `load(simple=…)`, each loaded once."""
    pytest.importorskip("lmms_eval", reason="lmms-eval is not installed: its model classes cannot be tried")
    pytest.importorskip("decord", reason="decord is not installed: lmms-eval's classes do not import without it")
    from lmms_eval.models import get_model

    architecture, directory = checkpoint
    name, arguments = INTEGRATIONS[architecture]
    loaded: dict[bool, object] = {}

    def load_once(simple: bool = False):
        if simple not in loaded:
            model_class = get_model(name, force_simple=simple)
            assert model_class.is_simple is simple
            loaded[simple] = model_class(pretrained=str(directory), device="cpu", device_map="cpu", **arguments)
        return loaded[simple]

    return load_once


def answers(model, docs: list[dict], trials: int = TRIALS, gen_kwargs: dict = SAMPLING) -> list[list[str]]:
    """What the evaluator would get: `trials` responses to each document."""
    import torch
    from lmms_eval.api.instance import Instance

    model.task_dict = {"tiny": {"test": docs}}
    media = (lambda doc: doc["images"]) if model.is_simple else to_messages
    requests = []
    for index, doc in enumerate(docs):
        # The order of the fields differs between the two kinds of model.
        middle = (dict(gen_kwargs), media) if model.is_simple else (media, dict(gen_kwargs))
        for trial in range(trials):
            requests.append(
                Instance(
                    request_type="generate_until",
                    arguments=(doc["question"], *middle, index, "tiny", "test"),
                    idx=trial,
                    metadata={"task": "tiny", "doc_id": index, "repeats": trials},
                )
            )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20)
        responses = [getattr(response, "text", response) for response in model.generate_until(requests)]
    return [responses[start : start + trials] for start in range(0, len(responses), trials)]


@pytest.mark.parametrize("simple", [False, True], ids=["chat", "simple"])
def test_sampled_answers_are_single_letters_that_disagree(load, simple):
    votes = answers(load(simple), documents(9))
    read = [response in set(LETTERS) for item in votes for response in item]
    assert np.mean(read) >= 0.95
    # Neither all letters alike (0.38 on average for ten samples of five) nor always one, and no ten copies.
    share = np.mean([Counter(item).most_common(1)[0][1] / TRIALS for item in votes])
    assert 0.4 <= share <= 0.8
    assert np.mean([len(set(item)) > 1 for item in votes]) > 0.5
    assert len(set().union(*votes)) >= 3


def test_greedy_answers_repeat_and_stop_after_one_letter(load):
    greedy = {"temperature": 0, "do_sample": False, "max_new_tokens": 16}
    votes = answers(load(), documents(6), trials=2, gen_kwargs=greedy)
    assert all(first == second for first, second in votes)
    assert all(len(first) == 1 and first in LETTERS for first, _ in votes)


@pytest.mark.parametrize("simple", [False, True], ids=["chat", "simple"])
def test_several_images_in_one_request(load, simple, monkeypatch):
    """Every image arrives, each with its own placeholder tokens; a chat model gets them where they stood."""
    model = load(simple)
    inner, seen = model.model.generate, []
    monkeypatch.setattr(model.model, "generate", lambda **inputs: seen.append(inputs) or inner(**inputs))
    (votes,) = answers(model, documents(1, images_each=3), trials=3)
    assert all(vote in LETTERS for vote in votes)

    tokens = seen[0]["input_ids"][0]
    config = model.model.config
    is_image = (tokens == getattr(config, "image_token_id", None)).int()
    starts = (is_image.diff() == 1).nonzero().ravel()
    if "image_grid_thw" in seen[0]:
        assert len(seen[0]["image_grid_thw"]) == 3
        assert is_image.sum() == sum(grid.prod() // 4 for grid in seen[0]["image_grid_thw"])
        assert len(starts) == 3
    else:
        assert seen[0]["pixel_values"].shape[0] == 3
        assert is_image.sum() == 3 * 64
    if not simple:
        text = model.tokenizer.decode(tokens)
        places = [text.index(f"Image {number}: ") for number in (1, 2, 3)]
        assert places == sorted(places)
        assert all("image" in text[a + 9 : b] for a, b in pairwise(places))


def first_token_scores(model, directory: Path, doc: dict) -> np.ndarray:
    """Scores of all tokens for the answer's first token, by transformers alone on the loaded weights."""
    import torch
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(directory)
    text = processor.apply_chat_template(to_messages(doc), tokenize=False, add_generation_prompt=True)
    inputs = processor(text=text, images=doc["images"], return_tensors="pt").to("cpu", model.model.dtype)
    with torch.no_grad():
        return model.model(**inputs).logits[0, -1].float().numpy()


def test_scores_depend_on_image_and_on_prompt(checkpoint, load):
    _, directory = checkpoint
    model = load()
    doc = documents(1)[0]
    other_image = {**doc, "images": [drawing(77)]}
    other_prompt = {**doc, "question": QUESTIONS[2]}
    letters = [model.tokenizer.convert_tokens_to_ids(letter) for letter in LETTERS]
    scores = [first_token_scores(model, directory, d)[letters] for d in (doc, other_image, other_prompt)]
    centred = [s - s.mean() for s in scores]
    assert np.abs(centred[1] - centred[0]).max() > 0.1
    assert np.abs(centred[2] - centred[0]).max() > 0.1


def test_generation_config_adds_nothing_to_plain_sampling(checkpoint, load):
    """With what a run passes, transformers applies no warper: the samples follow the model's own softmax."""
    from transformers import GenerationConfig

    generation = load().model.generation_config
    assert isinstance(generation, GenerationConfig)
    prepared, _ = load().model._prepare_generation_config(None, do_sample=True, temperature=1.0, top_p=1.0)
    assert (prepared.top_k, prepared.top_p, prepared.temperature) == (0, 1.0, 1.0)
    assert prepared.repetition_penalty == 1.0
    assert not prepared.min_p
    assert not prepared.no_repeat_ngram_size


def test_sampling_frequencies_match_the_softmax(checkpoint, load):
    """300 samples of one item against the probabilities from one forward pass (chi-square, 1e-6)."""
    import torch
    from scipy.stats import chi2
    from transformers import AutoProcessor

    architecture, directory = checkpoint
    model = load()
    # The integration's own processor settings, so that both see the same pixels.
    processor = getattr(model, "processor", None) or AutoProcessor.from_pretrained(directory)
    doc = {"images": [drawing(5, side=224)], "question": QUESTIONS[0]}
    text = processor.apply_chat_template(to_messages(doc), tokenize=False, add_generation_prompt=True)
    inputs = processor(text=text, images=doc["images"], return_tensors="pt").to("cpu", model.model.dtype)
    with torch.no_grad():
        probabilities = model.model(**inputs).logits[0, -1].double().softmax(-1)
    expected = np.array([probabilities[model.tokenizer.convert_tokens_to_ids(c)].item() for c in LETTERS])
    assert expected.sum() > 0.99
    trials = 300
    (votes,) = answers(model, [doc], trials=trials)
    observed = np.array([votes.count(c) for c in LETTERS])
    kept = expected * trials >= 5
    statistic = ((observed - trials * expected) ** 2 / (trials * expected))[kept].sum()
    assert statistic < chi2.isf(1e-6, kept.sum()), (architecture, observed, expected)
