"""The replies of a block of trials from one prefill: the image is encoded and the prompt read once, not T times.

A call of `generate` that was meant for one reply becomes two: one that reads the whole prompt and gives the first
token's scores, and one that goes on with a row per trial from the copied key-value cache. The model's own `generate`
does both, so that positions, masks and image handling stay the architecture's. What cannot be shared in this way is
refused with a reason (`CannotShare`), and the caller asks one at a time.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .noise import TrialNoise

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, LogitsProcessor

BLOCK = 10
"""Trials that are decoded together: 0 to 9, 10 to 19, ... Always all of them, since another number of rows is another
matrix kernel, which in bfloat16 moves logits by a few hundredths."""

# Settings that stand between logits and sample; the noise has to come after them.
_WARPERS = ("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
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
"""Settings that the two calls cannot stand for, and when."""

_NOT_PASSED = (
    *("inputs", "inputs_embeds", "past_key_values", "cache", "position_ids", "streamer", "assistant_model"),
    *("custom_generate", "prefix_allowed_tokens_fn", "negative_prompt_ids"),
)
"""Arguments of `generate` that the second call could not go on from."""


class CannotShare(Exception):
    """This call has to be answered one reply at a time; the message says why."""


@dataclass
class BlockReplies:
    """The replies of a block of trials.

    Attributes:
        rows: of each trial, prompt and reply, (tokens,), int64, up to its own end-of-sequence.
        at_once: rows that were decoded together; fewer than the block's where memory was short.
        logits: of each trial, (steps, vocabulary), float32, if they were asked for.
    """

    rows: list[torch.Tensor]
    at_once: int
    logits: list[torch.Tensor] | None = None


@dataclass
class _Prefill:
    """The prompt, read: `ids` (1, tokens), its mask, the first token's scores (vocabulary,), and the cache."""

    ids: torch.Tensor
    mask: torch.Tensor | None
    scores: torch.Tensor
    logits: torch.Tensor | None
    cache: Any


def generate_block(
    model: Any,
    generate: Callable[..., Any],
    kwargs: Mapping[str, Any],
    seeds: Sequence[int],
    *,
    at_once: int = BLOCK,
    noisy: bool = True,
    with_logits: bool = False,
) -> BlockReplies:
    """Return one reply per seed to the prompt of a call of `generate`.

    Args:
        model: the transformers model.
        generate: its own `generate`.
        kwargs: the call's keyword arguments, for one prompt.
        seeds: one per trial.
        at_once: the most rows to decode together; halved for as long as memory does not suffice.
        noisy: False takes the most likely token instead of a drawn one.
        with_logits: whether to keep the logits before any processing.

    Raises:
        CannotShare: with the reason, before anything was drawn.
    """
    import torch

    config = _checked(model, kwargs)
    with torch.no_grad():
        prefill = _read_prompt(model, generate, kwargs, config, with_logits)
        sampler = _Sampler(model, config, seeds, prefill, noisy)
        first = sampler.first_tokens(prefill.scores)
        rows: list[torch.Tensor] = []
        logits: list[torch.Tensor] = []
        while len(rows) < len(seeds):
            group = list(range(len(rows), min(len(rows) + at_once, len(seeds))))
            try:
                done, kept = _decode(model, generate, kwargs, config, prefill, sampler, first, group, with_logits)
            except torch.OutOfMemoryError:
                if len(group) == 1:
                    raise
                at_once = (len(group) + 1) // 2
                continue
            rows += done
            logits += kept
    return BlockReplies(rows, at_once, logits if with_logits else None)


# --- What can be shared -------------------------------------------------------------------------------------


def _checked(model: Any, kwargs: Mapping[str, Any]) -> GenerationConfig:
    """Return the settings of the call, after all objections."""
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
    for name in _NOT_PASSED:
        if kwargs.get(name) is not None:
            raise CannotShare(f"the integration passes {name}")
    if kwargs.get("stopping_criteria"):
        raise CannotShare("the integration passes stopping_criteria")
    config: GenerationConfig = copy.deepcopy(kwargs.get("generation_config") or model.generation_config)
    given = {name: value for name, value in kwargs.items() if name != "generation_config"}
    config.update(**given)  # type: ignore[no-untyped-call]
    for name, stands_alone in _NOT_SHARED.items():
        value = getattr(config, name, None)
        if value is not None and stands_alone(value):
            raise CannotShare(f"{name}={value}")
    return config


def _check_cache(cache: Any) -> None:
    from transformers import DynamicCache

    if not isinstance(cache, DynamicCache) or not hasattr(cache, "layers"):
        raise CannotShare(f"the cache is a {type(cache).__name__}")
    for layer in cache.layers:
        if not hasattr(layer, "batch_repeat_interleave") or getattr(layer, "is_compileable", False):
            raise CannotShare(f"a layer of the cache is a {type(layer).__name__}")


# --- The two calls ------------------------------------------------------------------------------------------


def _cache_name(model: Any) -> str:
    """transformers calls the argument `cache` from 5.24 on."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


_OURS = ("do_sample", *_WARPERS, "max_new_tokens", "max_length", "min_new_tokens", "min_length")


def _read_prompt(
    model: Any, generate: Callable[..., Any], kwargs: Mapping[str, Any], config: GenerationConfig, with_logits: bool
) -> _Prefill:
    rest = {name: value for name, value in kwargs.items() if name not in _OURS}
    output = generate(
        **rest, **_lengths(config, 0, 1), **_plain_choice(), max_new_tokens=1,
        return_dict_in_generate=True, output_scores=True, output_logits=with_logits,
    )  # fmt: skip
    cache = getattr(output, "cache", None)
    cache = getattr(output, "past_key_values", None) if cache is None else cache
    _check_cache(cache)
    return _Prefill(
        kwargs["input_ids"],
        kwargs.get("attention_mask"),
        output.scores[0][0],
        output.logits[0][0] if with_logits else None,
        cache,
    )


def _plain_choice() -> dict[str, Any]:
    """The largest score, with no warper before it: ours come first, inside the noise."""
    return {"do_sample": False, "temperature": None, "top_k": None, "top_p": None, "min_p": None, "typical_p": None}


def _lengths(config: GenerationConfig, done: int, most: int | None = None) -> dict[str, Any]:
    """The least number of new tokens of a call that starts `done` tokens after the prompt and makes at most `most`."""
    if config.min_new_tokens is None:
        return {}
    least = max(0, config.min_new_tokens - done)
    return {"min_new_tokens": least if most is None else min(least, most)}


def _most_new_tokens(config: GenerationConfig, prompt: int) -> int:
    if config.max_new_tokens is not None:
        return int(config.max_new_tokens)
    if config.max_length is not None:
        return int(config.max_length) - prompt
    raise CannotShare("neither max_new_tokens nor max_length is set")


def _decode(
    model: Any,
    generate: Callable[..., Any],
    kwargs: Mapping[str, Any],
    config: GenerationConfig,
    prefill: _Prefill,
    sampler: _Sampler,
    first: torch.Tensor,
    group: list[int],
    with_logits: bool,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the rows of some trials, and their logits; the prefill is as it was afterwards."""
    import torch

    prompt, rows = prefill.ids.shape[1], len(group)
    tokens = first[group]
    ids = torch.cat([prefill.ids.expand(rows, -1), tokens[:, None].to(prefill.ids.device)], dim=1)
    steps: tuple[Any, ...] = ()
    left = _most_new_tokens(config, prompt) - 1
    if left > 0 and not bool(sampler.ended(tokens).all()):
        from transformers import GenerationConfig, LogitsProcessorList

        defaults = GenerationConfig()  # type: ignore[no-untyped-call]
        settings = {
            name: value for name, value in kwargs.items()
            if name not in _OURS and (hasattr(defaults, name) or name in ("generation_config", "tokenizer"))
        }  # fmt: skip
        mask = None
        if prefill.mask is not None:
            new = torch.ones((rows, 1), dtype=prefill.mask.dtype, device=prefill.mask.device)
            mask = torch.cat([prefill.mask.expand(rows, -1), new], dim=1)
        output = generate(
            input_ids=ids, attention_mask=mask, **settings, **_lengths(config, 1), **_plain_choice(),
            max_new_tokens=left, return_dict_in_generate=True, output_logits=with_logits,
            logits_processor=LogitsProcessorList([*(kwargs.get("logits_processor") or []), sampler.processor(group)]),
            **{_cache_name(model): _copied(prefill.cache, rows)},
        )  # fmt: skip
        ids, steps = output.sequences, output.logits or ()
    ended = sampler.ended(ids[:, prompt:])
    done = []
    for row in range(rows):
        ends = ended[row].nonzero()
        done.append(ids[row, : prompt + int(ends[0]) + 1] if len(ends) else ids[row])
    if prefill.logits is None:  # not asked for
        return done, []
    logits = [torch.stack([prefill.logits, *(step[row] for step in steps)]) for row in range(rows)]
    return done, logits


def _copied(cache: Any, rows: int) -> Any:
    """The cache with each entry `rows` times; the layers' tensors are replaced, never written to."""
    mine = copy.copy(cache)
    mine.layers = [copy.copy(layer) for layer in cache.layers]
    mine.batch_repeat_interleave(rows)
    return mine


# --- The choice of tokens -----------------------------------------------------------------------------------


class _Sampler:
    """Temperature and truncation as the call wants them, then each trial's noise."""

    def __init__(
        self, model: Any, config: GenerationConfig, seeds: Sequence[int], prefill: _Prefill, noisy: bool
    ) -> None:
        import torch

        self._ids = prefill.ids
        self._warpers = _warpers(config) if noisy else []
        self._noise = TrialNoise(seeds, prefill.scores.device) if noisy else None
        self._seeds = len(seeds)
        ends = config.eos_token_id
        ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
        self._ends = torch.tensor(ends, dtype=torch.long, device=prefill.ids.device)

    def ended(self, tokens: torch.Tensor) -> torch.Tensor:
        """Which of the tokens end a reply; of their shape."""
        import torch

        return torch.isin(tokens.to(self._ends.device), self._ends)

    def first_tokens(self, scores: torch.Tensor) -> torch.Tensor:
        """Return each trial's first token, (trials,), from the scores of the prompt's last position."""
        every = list(range(self._seeds))
        return self.noised(self._ids.expand(len(every), -1), scores.float().expand(len(every), -1), every).argmax(-1)

    def noised(self, ids: torch.Tensor, scores: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """Return (rows, vocabulary) whose largest entries are the drawn tokens."""
        for warper in self._warpers:
            scores = warper(ids, scores)
        if self._noise is None:
            return scores
        return scores.double() + self._noise.draw(scores.shape[-1], rows).to(scores.device)

    def processor(self, group: Sequence[int]) -> LogitsProcessor:
        """What stands last before the choice in the second call; a row that has ended is ended again at once."""
        from transformers import LogitsProcessor

        sampler, before = self, self._ids.shape[1]

        class Noised(LogitsProcessor):
            def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
                chosen = sampler.noised(input_ids, scores, group)
                if input_ids.shape[1] == before + 1 and len(sampler._ends):
                    over = sampler.ended(input_ids[:, -1]).to(chosen.device)
                    chosen[over] = float("-inf")
                    chosen[over, sampler._ends[0]] = 0.0
                return chosen

        return Noised()


def _warpers(config: GenerationConfig) -> list[Any]:
    """As transformers orders them; a setting at its neutral value gives none."""
    import transformers

    made: list[Any] = []
    if config.temperature is not None and config.temperature != 1.0:
        made.append(transformers.TemperatureLogitsWarper(config.temperature))
    if config.top_k:
        made.append(transformers.TopKLogitsWarper(config.top_k))
    if config.top_p is not None and config.top_p < 1.0:
        made.append(transformers.TopPLogitsWarper(config.top_p))
    if config.min_p is not None:
        made.append(transformers.MinPLogitsWarper(config.min_p))
    if config.typical_p is not None and config.typical_p < 1.0:
        made.append(transformers.TypicalLogitsWarper(config.typical_p))
    if config.epsilon_cutoff:
        made.append(transformers.EpsilonLogitsWarper(config.epsilon_cutoff))
    if config.eta_cutoff:
        made.append(transformers.EtaLogitsWarper(config.eta_cutoff))
    return made
