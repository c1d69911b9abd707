"""Under which conditions a run was made, as its files say, and which of them forbid comparing two runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...base.secrets import arguments_by_name, without_secrets
from ...scoring.elicitation import EXACT

CONDITIONS: tuple[str, ...] = (
    *("prompt", "system_prompt", "num_fewshot", "generation_kwargs", "gen_kwargs", "limit", "harness", "versions"),
    *("through_wrapper", "message_form", "images_differ", "image_arguments"),
)
"""What `stated_conditions` may hold, with `SHARED_PREFILL`."""

SHARED_PREFILL = "shared_prefill"
"""Whether one reading of the prompt served all trials of most items: what they cost, nothing that forbids comparing."""

_IMAGE_ARGUMENTS = (
    *("min_pixels", "max_pixels", "min_image_size", "max_image_size", "image_size", "image_resolution", "resize"),
    *("max_num", "max_dynamic_patch", "num_tiles", "tile_size", "image_aspect_ratio", "anyres", "image_detail"),
    *("detail", "image_format", "image_quality", "max_images"),
)
_SYSTEM_ARGUMENTS = ("system_prompt", "system_instruction", "reasoning_prompt")
_LENGTH = {"max_gen_toks": "max_new_tokens", "max_tokens": "max_new_tokens", "max_length": "max_new_tokens"}
_SHAPE = ("max_new_tokens", "until", "stop", "max_reasoning_tokens")
"""Generation arguments that bound a reply and leave the distribution alone."""


@dataclass(frozen=True)
class Differences:
    """What differs between the conditions of two runs.

    Attributes:
        refusals: what makes a difference of figures no difference of models.
        notes: what may have moved it, or is not known.
    """

    refusals: tuple[str, ...]
    notes: tuple[str, ...]


def stated_conditions(
    content: Mapping[str, Any], task: str, summary: Mapping[str, Any], arguments: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a results file says about the conditions of a task; what it does not say is absent.

    Args:
        content: of the results file.
        task: its name.
        summary: what our aggregation wrote of the task.
        arguments: the model's arguments by name.

    Returns:
        Some of `CONDITIONS` and `SHARED_PREFILL`, without secrets.
    """
    config = _mapping(content.get("config"))
    called = _mapping(config.get("resolved_cli_args"))
    own = _mapping(_mapping(content.get("configs")).get(task))
    sampling = _mapping(summary.get("sampling"))
    arguments = {**arguments, **arguments_by_name(str(sampling.get("arguments") or ""))}
    system = [content.get("system_instruction") or called.get("system_instruction")]
    system += [f"{name}={arguments[name]}" for name in _SYSTEM_ARGUMENTS if arguments.get(name)]
    stated = {
        "prompt": summary.get("prompt"),
        "versions": summary.get("versions"),
        "generation_kwargs": own.get("generation_kwargs"),
        "gen_kwargs": config.get("gen_kwargs") or None,
        "limit": config.get("limit"),
    }
    if content:
        stated |= {
            "system_prompt": "; ".join(str(text) for text in system if text),
            "num_fewshot": own.get("num_fewshot") or 0,
            "harness": "lmms-eval" if "lmms_eval_version" in content else "lm-eval" if "versions" in content else None,
            "image_arguments": ", ".join(f"{name}={arguments[name]}" for name in _IMAGE_ARGUMENTS if name in arguments),
        }
    if summary:
        stated["through_wrapper"] = bool(sampling)
        stated["message_form"] = sampling.get("form")
        stated["images_differ"] = _mapping(sampling.get("images")).get("findings")
        stated[SHARED_PREFILL] = _shared_prefill(sampling)
    own_text = ("prompt",)  # ours, and compared to the letter
    return {
        name: value if name in own_text else without_secrets(value)
        for name, value in stated.items()
        if value is not None
    }


def differences(first: Mapping[str, Any], second: Mapping[str, Any], elicitation: str) -> Differences:
    """Return what differs between two runs' conditions.

    Refused are other questions (prompt, system prompt, examples before the question) and another distribution of
    replies (temperature, top_p and the like, unless the probabilities were read off the model). Only noted are bounds
    of the replies, the harness, how images are handled, the version that read the answers, and what one of the runs
    does not say: figures may have moved, but a difference between models is what they still mostly show.

    Args:
        first: conditions of a run.
        second: of the other one.
        elicitation: of both.
    """
    refusals, notes = [], []
    for name, said in (("prompt", "different prompts"), ("system_prompt", "different system prompts")):
        if _apart(first, second, name):
            refusals.append(said)
    if _apart(first, second, "num_fewshot"):
        refusals.append(f"different numbers of examples: {first['num_fewshot']} against {second['num_fewshot']}")
    if elicitation != EXACT and (changed := _changed(_sampling(first), _sampling(second))):
        refusals.append(f"sampled differently: {changed}")
    if changed := _changed(_bounds(first), _bounds(second)):
        notes.append(f"replies bounded differently: {changed}")
    read_by = [_mapping(each.get("versions")).get("medqdeg") for each in (first, second)]
    if None not in read_by and read_by[0] != read_by[1]:
        notes.append(f"answers read by different versions of medqdeg: {read_by[0]} against {read_by[1]}")
    for name, said in (
        ("harness", "run by different harnesses"),
        ("message_form", "messages in different forms"),
        ("image_arguments", "images handled differently"),
    ):
        if _apart(first, second, name):
            notes.append(f"{said}: {first[name] or 'defaults'} against {second[name] or 'defaults'}")
    if _apart(first, second, "images_differ"):
        notes.append("images of one of the two do not arrive as they are")
    if elicitation != EXACT and _apart(first, second, "through_wrapper"):
        notes.append(
            "only one ran through --model medqdeg, which switches off a checkpoint's own top_k, top_p, penalties"
        )
    needed = ("prompt", "generation_kwargs")
    if unknown := [name for name in needed if (first.get(name) is None) != (second.get(name) is None)]:
        notes.append(f"unknown of one of the two: {', '.join(unknown)}")
    elif all(first.get(name) is None for name in needed):
        notes.append("prompt and sampling of both are unknown: no readable results files")
    return Differences(tuple(refusals), tuple(notes))


def _apart(first: Mapping[str, Any], second: Mapping[str, Any], name: str) -> bool:
    return first.get(name) is not None and second.get(name) is not None and first[name] != second[name]


def _sampling(conditions: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments that shape the distribution; greedy decoding is one thing however it is asked for."""
    stated = conditions.get("generation_kwargs")
    if not isinstance(stated, Mapping):
        return None
    kept = {str(_LENGTH.get(name, name)): value for name, value in stated.items()}
    for name in _SHAPE:
        kept.pop(name, None)
    if kept.get("do_sample") is False or kept.get("temperature") == 0:
        return {"temperature": 0}
    kept.pop("do_sample", None)
    neutral = {"temperature": 1.0, "top_p": 1.0, "num_beams": 1}
    return {name: value for name, value in kept.items() if value is not None and neutral.get(name) != value}


def decodes_greedily(conditions: Mapping[str, Any]) -> bool:
    """Return whether a run is known to have decoded greedily, so that its trials are one and the same."""
    return _sampling(conditions) == {"temperature": 0}


def _bounds(conditions: Mapping[str, Any]) -> dict[str, Any] | None:
    stated = conditions.get("generation_kwargs")
    if not isinstance(stated, Mapping):
        return None
    named = {_LENGTH.get(name, name): value for name, value in stated.items()}
    return {name: named[name] for name in _SHAPE if named.get(name)}


def _changed(first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> str:
    """Return what differs, in words; empty where nothing does, or where one of the two is not known."""
    if first is None or second is None or first == second:
        return ""
    names = [name for name in dict.fromkeys((*first, *second)) if first.get(name) != second.get(name)]
    return ", ".join(f"{name} {_spoken(first, name)} against {_spoken(second, name)}" for name in names)


def _spoken(values: Mapping[str, Any], name: str) -> str:
    default = {"temperature": 1.0, "top_p": 1.0, "num_beams": 1}.get(name, "unset")
    return json.dumps(values.get(name, default), default=str).strip('"')


def _shared_prefill(sampling: Mapping[str, Any]) -> bool | None:
    """Return whether most trials shared their prompt, by a block of rows or a server's choices; None if not said."""
    sharing = _mapping(sampling.get("sharing"))
    if "why_not" not in sharing:
        return None
    if sharing["why_not"]:
        return False
    if "items_in_one_request" in sharing:
        return bool(sharing["items_in_one_request"])
    alone = sum(_count(trials) for trials in _mapping(sharing.get("asked_one_by_one")).values())
    return 2 * alone <= _count(_mapping(sampling.get("trials")).get("asked"))


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def of_all_parts(parts: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Return the conditions of a run from those of its files: the first that is stated, and which ones differ."""
    conditions: dict[str, Any] = {}
    apart = []
    for name in CONDITIONS:
        values = [part[name] for part in parts if name in part]
        conditions[name] = values[0] if values else None
        if any(value != values[0] for value in values):
            apart.append(name)
    if shared := [part[SHARED_PREFILL] for part in parts if SHARED_PREFILL in part]:
        conditions[SHARED_PREFILL] = all(shared)
    return conditions, apart
