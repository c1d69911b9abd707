"""Which calls of `generate` several replies can be made from at once, and why the others cannot."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import GenerationConfig

WARPERS = ("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
"""Settings that stand between logits and sample; the noise has to come after them."""

_NOT_SHARED: Mapping[str, Callable[[Any], bool]] = {
    "num_beams": lambda value: value > 1,
    "num_return_sequences": lambda value: value > 1,
    "use_cache": lambda value: value is False,
    "cache_implementation": lambda value: not str(value).startswith("dynamic"),
    "penalty_alpha": bool,
    "dola_layers": bool,
    "guidance_scale": lambda value: value != 1,
    "watermarking_config": bool,
    "begin_suppress_tokens": bool,
    "exponential_decay_length_penalty": bool,
    "encoder_repetition_penalty": lambda value: value != 1,
    "encoder_no_repeat_ngram_size": bool,
    "top_h": bool,
    "stop_strings": bool,
    "max_time": bool,
    "min_length": bool,
    "prompt_lookup_num_tokens": bool,
    "return_dict_in_generate": bool,
    "token_healing": bool,
    "prefill_chunk_size": bool,
}
"""Settings that a call for the prompt and one for the replies cannot stand for, and when."""

_NOT_PASSED = (
    *("inputs", "inputs_embeds", "past_key_values", "cache", "position_ids", "streamer", "assistant_model"),
    *("custom_generate", "prefix_allowed_tokens_fn", "negative_prompt_ids"),
)
"""Arguments of `generate` that the second call could not go on from."""

_READS_THE_PADDING: Mapping[str, Callable[[Any], bool]] = {
    "repetition_penalty": lambda value: value != 1,
    "no_repeat_ngram_size": bool,
}
"""Settings that look at all tokens before, and so at those that only fill a row up."""


class CannotShare(Exception):
    """This call has to be answered one reply at a time; the message says why."""


class CannotPad(CannotShare):
    """This prompt's replies cannot be decoded beside those of another length; the message says why."""


def checked_config(model: Any, kwargs: Mapping[str, Any]) -> GenerationConfig:
    """Return the settings of a call of `generate` for one prompt.

    Args:
        model: the transformers model.
        kwargs: the call's keyword arguments.

    Raises:
        CannotShare: if anything in them speaks against it.
    """
    from transformers import GenerationMixin

    if getattr(type(model), "generate", None) is not GenerationMixin.generate:
        raise CannotShare(f"{type(model).__name__} has a generate() of its own")
    if getattr(model.config, "is_encoder_decoder", False):
        raise CannotShare("an encoder-decoder")
    ids = kwargs.get("input_ids")
    if ids is None or ids.ndim != 2 or ids.shape[0] != 1:
        raise CannotShare("the integration does not pass the ids of one prompt")
    if (mask := kwargs.get("attention_mask")) is not None and mask.shape != ids.shape:
        raise CannotShare("the attention mask is not one number per token")
    if mask is not None and not bool(mask[0, -1]):
        raise CannotShare("the integration fills the prompt up on the right")
    for name in _NOT_PASSED:
        if kwargs.get(name) is not None:
            raise CannotShare(f"the integration passes {name}")
    if kwargs.get("stopping_criteria"):
        raise CannotShare("the integration passes stopping_criteria")
    config: GenerationConfig = copy.deepcopy(kwargs.get("generation_config") or model.generation_config)
    given = {name: value for name, value in kwargs.items() if name != "generation_config"}
    config.update(**given)  # type: ignore[no-untyped-call]
    _object(config, _NOT_SHARED, CannotShare)
    return config


def check_padding(config: GenerationConfig, kwargs: Mapping[str, Any]) -> None:
    """Check that tokens before a prompt would not count as part of it.

    Raises:
        CannotPad: if they would.
    """
    _object(config, _READS_THE_PADDING, CannotPad)
    if kwargs.get("logits_processor"):
        raise CannotPad("the integration passes logits_processor")


def _object(config: Any, objections: Mapping[str, Callable[[Any], bool]], kind: type[CannotShare]) -> None:
    for name, stands_alone in objections.items():
        value = getattr(config, name, None)
        if value is not None and stands_alone(value):
            raise kind(f"{name}={value}")
