"""Decide from file and code whether a task can be wrapped, and of what kind it is.

Only the task's file and the code that it names are looked at, never its data. The code is followed from the function
that scores, or that brings the images, through everything it calls in the tasks' own folders; what it names on the way
shows a judge, a video or a sound. That is a reading of names: it can refuse a task that would do, and a task whose
items bring something else than their code says is refused when it runs.
"""

from __future__ import annotations

import dis
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from .original import TaskEntry, load_config, metric_names, score_metrics

_JUDGE_NAMES = re.compile(r"(?:^|_)(?:gpt\d?|chatgpt|judge|deepseek)(?:_|$)|openai|api_?(?:key|type)", re.IGNORECASE)
_JUDGE_MODULES = ("openai", "anthropic", "lmms_eval.llm_judge", "dashscope", "google.generativeai", "requests", "httpx")
_NO_MODULE = re.compile(r"No module named '([^'.]+)")
_CREDENTIALS = re.compile(r"api_?key|credentials", re.IGNORECASE)
_VIDEO = re.compile(r"(?:^|[^a-z])videos?(?:[^a-z]|$)|\.(?:mp4|avi|mkv|mov|webm)\b", re.IGNORECASE)
_AUDIO = re.compile(r"(?:^|[^a-z])(?:audios?|speech)(?:[^a-z]|$)|\.(?:wav|mp3|flac)\b", re.IGNORECASE)
_FREE_TEXT = re.compile(r"bleu|rouge|cider|meteor|spice|chrf|bertscore|\b[wc]er\b|(?:^|_)cap_", re.IGNORECASE)
_BOXES = re.compile(r"(?:^|_)iou|acc@|bbox|center_acc", re.IGNORECASE)
_BOX_READERS = re.compile(
    r"bbox|(?:^|_)iou(?:_|$)|text2pts|text_to_points|parse_point|point_in_(?:box|mask)|coco_rle", re.IGNORECASE
)

MISSING_PACKAGE = "it needs a Python package that is not installed"

_OUTPUT_TYPES = {
    "generate_until_multi_round": "it asks in several rounds",
    "generate_until_agentic": "it asks in several rounds",
    "generate_visual_cot": "the model draws images",
    "loglikelihood": "it scores likelihoods, and votes need generated text",
    "multiple_choice": "it scores likelihoods, and votes need generated text",
}


def refusal(entry: TaskEntry) -> str | None:
    """Return why a task cannot be wrapped, or None if it can."""
    if entry.kind in ("group", "tag"):
        return "it is a group of tasks: wrap its members"
    if entry.kind == "python_task" or entry.path is None:
        return "it is a Python class of its own"
    try:
        config = load_config(entry.path)
    except InputError as error:
        if _CREDENTIALS.search(str(error)):  # some judges are called up when the file is loaded
            return "it is judged by another model or service (its file asks for credentials)"
        if missing := _NO_MODULE.search(str(error)):
            return f"{MISSING_PACKAGE} ({missing[1]})"
        return f"its file {str(error).partition(f'{entry.path}: ')[2] or error}"
    return refusal_of_config(config, entry.path)


def refusal_of_config(config: Mapping[str, Any], path: Path) -> str | None:
    """Return why a task with this content cannot be wrapped, or None if it can.

    Args:
        config: the task file's content, functions resolved.
        path: the file; code in its folder and in lmms-eval's tasks is followed.
    """
    if "class" in config:
        return "it is a Python class of its own"
    if reason := _OUTPUT_TYPES.get(config.get("output_type") or "generate_until"):
        return reason
    if (config.get("repeats") or 1) > 1:
        return "it asks several times itself"
    names = metric_names(config)
    kwargs = config.get("dataset_kwargs") or {}
    if kwargs.get("video") or kwargs.get("From_YouTube"):
        return "its items are videos"
    visual = [config.get("doc_to_visual"), config.get("doc_to_messages")]
    bringers = [function for function in visual if callable(function)]
    words = set(_words(bringers, path)) | {name for name in visual if isinstance(name, str)}
    if any(map(_VIDEO.search, words)):
        return "its items are videos"
    if any(map(_AUDIO.search, words)):
        return "its items are sounds"
    if visual[1] is None and (visual[0] is None or (callable(visual[0]) and not _uses_argument(visual[0]))):
        return "its items have no images"
    scorers = [config.get("process_results"), *(m.get("aggregation") for m in config.get("metric_list") or [])]
    scoring = set(_words([function for function in scorers if callable(function)], path, texts=False))
    if judge := min(filter(_is_judge, scoring), default=None):
        return f"it is judged by another model or service ({judge})"
    if any(_FREE_TEXT.search(name) for name in names):
        return "its answers are free text, on which trials hardly ever agree word for word"
    if any(map(_BOXES.search, names)) or any(map(_BOX_READERS.search, scoring)):
        return "its answers are boxes or points"
    if not score_metrics(config):
        return "it has no score: its answers are handed in elsewhere"
    return None


def _is_judge(word: str) -> bool:
    return bool(_JUDGE_NAMES.search(word)) or any(f"{word}.".startswith(f"{module}.") for module in _JUDGE_MODULES)


def _words(functions: Iterable[Any], path: Path, texts: bool = True) -> Iterator[str]:
    """Yield the names (and short texts) in the code that is reached from some functions, their own names included."""
    folders = (str(path.parent), str(_tasks_folder()))
    waiting = [function for function in map(_plain, functions) if function is not None]
    seen: set[int] = set()
    while waiting:
        function = waiting.pop()
        if id(function) in seen or not function.__code__.co_filename.startswith(folders):
            continue
        seen.add(id(function))
        yield function.__name__
        names: set[str] = set()
        for code in _codes(function.__code__):
            names.update(code.co_names)
            if texts:
                yield from (text for text in code.co_consts if isinstance(text, str) and len(text) < 40)
        yield from names
        for name in names & function.__globals__.keys():
            value = function.__globals__[name]
            if isinstance(value, types.ModuleType):
                yield value.__name__
                continue
            if not isinstance(value, type | types.FunctionType):
                yield type(value).__module__
                value = type(value)
            if isinstance(value, type):
                members = (vars(value).get(member) for member in names | {"__init__", "__call__"})
                waiting += [plain for plain in map(_plain, members) if plain is not None]
                # One method calls the next by name.
                for member in vars(value).values():
                    plain = _plain(member)
                    if plain is not None and plain.__name__ in {n for w in waiting for n in w.__code__.co_names}:
                        waiting.append(plain)
            elif (plain := _plain(value)) is not None:
                waiting.append(plain)


def _plain(function: Any) -> types.FunctionType | None:
    function = getattr(function, "__func__", getattr(function, "func", function))
    return function if isinstance(function, types.FunctionType) else None


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _uses_argument(function: Any) -> bool:
    plain = _plain(function)
    if plain is None or not plain.__code__.co_argcount:
        return True
    first = plain.__code__.co_varnames[0]
    if first in plain.__code__.co_cellvars:
        return True
    return any(first in _operands(step.argval) and "LOAD" in step.opname for step in dis.get_instructions(plain))


def _operands(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _tasks_folder() -> Path:
    import lmms_eval.tasks

    return Path(lmms_eval.tasks.__file__).parent
