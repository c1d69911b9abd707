"""Sampling from the model's own distribution: no setting changes the logits before the sample.

A checkpoint's generation_config says how its authors like it to be sampled (Qwen2.5-VL: top_k 1 or 50, repetition
penalty 1.05); several integrations forward only some of the task's arguments, and where nobody says anything
transformers applies top_k 50. Each of these makes ten votes agree more than the model does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import GenerationConfig

NEUTRAL: dict[str, Any] = {
    "temperature": 1.0,
    "top_k": 0,
    "top_p": 1.0,
    "min_p": None,
    "top_h": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "exponential_decay_length_penalty": None,
    "penalty_alpha": None,
    "dola_layers": None,
    "guidance_scale": None,
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "min_length": 0,
    "min_new_tokens": None,
    "watermarking_config": None,
}
"""Every setting of transformers that changes the distribution, at the value that changes nothing."""

KEPT = ("bad_words_ids", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id")
"""Bans and demands of single tokens (placeholders of images, mostly): left as they are, and reported."""

# transformers replaces these where they are unset; an explicit None from an integration must not bring them back.
_DEFAULTS_THAT_CHANGE = {"top_k": 0, "top_p": 1.0, "typical_p": 1.0, "repetition_penalty": 1.0}


def neutralise(config: GenerationConfig) -> dict[str, Any]:
    """Set a generation_config to neutral values, in place.

    Returns:
        `changed`: name -> [before, after] for what differed from neutral, with None for "unset, so that transformers'
        own default applied"; `kept`: what of `KEPT` was set.
    """
    changed = {}
    for name, neutral in NEUTRAL.items():
        before = getattr(config, name, None)
        # Unset is neutral for all but those for which transformers has another default.
        if before == neutral or (before is None and name not in _DEFAULTS_THAT_CHANGE):
            continue
        setattr(config, name, neutral)
        if before is not None or name == "top_k":
            plain = before is None or isinstance(before, (int, float, str))
            changed[name] = [before if plain else repr(before), neutral]
    kept = {name: repr(getattr(config, name)) for name in KEPT if getattr(config, name, None)}
    return {"changed": changed, "kept": kept}


def neutral_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call of `generate` with an explicit None replaced by what it should mean."""
    return {
        name: _DEFAULTS_THAT_CHANGE[name] if value is None and name in _DEFAULTS_THAT_CHANGE else value
        for name, value in arguments.items()
    }
