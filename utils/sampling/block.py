"""The replies of blocks of trials from one prefill per prompt: an image is encoded and a prompt read once, not T times.

A call of `generate` that was meant for one reply becomes two: one that reads the whole prompt and gives the first
token's scores, and one that goes on with a row per trial from the copied key-value cache. The model's own `generate`
does both, so that positions, masks and image handling stay the architecture's. The second call may hold the blocks of
several prompts, filled up on the left to one length. What cannot be shared in this way is refused with a reason
(`CannotShare`, `CannotPad`), and the caller asks less at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .caches import check_cache, joined
from .drawing import Drawing
from .shareable import WARPERS, CannotPad, CannotShare, check_padding, checked_config

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig

BLOCK = 10
"""Trials that are decoded together: 0 to 9, 10 to 19, ... Always all of them, since another number of rows is another
matrix kernel, which in bfloat16 moves logits by a few hundredths."""

_OURS = ("do_sample", *WARPERS, "max_new_tokens", "max_length", "min_new_tokens", "min_length")
_SETTINGS = ("generation_config", "tokenizer")


@dataclass
class BlockReplies:
    """The replies of a block of trials.

    Attributes:
        rows: of each trial, prompt and reply, (tokens,), int64, up to its own end-of-sequence.
        at_once: rows of the block that were decoded together; fewer than all where memory was short.
        logits: of each trial, (steps, vocabulary), float32, if they were asked for.
    """

    rows: list[torch.Tensor]
    at_once: int
    logits: list[torch.Tensor] | None = None


@dataclass
class Prompt:
    """A prompt that the model has read.

    Attributes:
        kwargs: of the call of `generate` that it came with.
        config: that call's settings.
        ids: (1, tokens), int64.
        mask: of the same shape, or None.
        scores: of the first token of a reply, (vocabulary,).
        logits: the same before any processing, if they were asked for.
        cache: keys and values, one row.
        offsets: what the model's modules keep of the prompt to tell later tokens' positions (Qwen's `rope_deltas`), as
            (module, tensor of one row).
    """

    kwargs: Mapping[str, Any]
    config: GenerationConfig
    ids: torch.Tensor
    mask: torch.Tensor | None
    scores: torch.Tensor
    logits: torch.Tensor | None
    cache: Any
    offsets: list[tuple[Any, torch.Tensor]] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        """Return what of the call's arguments steers how a reply goes on."""
        from transformers import GenerationConfig

        defaults = GenerationConfig()  # type: ignore[no-untyped-call]
        return {
            name: value for name, value in self.kwargs.items()
            if name not in _OURS and (hasattr(defaults, name) or name in _SETTINGS)
        }  # fmt: skip


def alike(kwargs: Mapping[str, Any]) -> str:
    """Return a text that is equal for calls of `generate` whose replies can be decoded together."""
    from transformers import GenerationConfig

    defaults = GenerationConfig()  # type: ignore[no-untyped-call]
    names = sorted(name for name in kwargs if hasattr(defaults, name) or name in (*_OURS, *_SETTINGS))
    return "; ".join(f"{name}={kwargs[name]!r}" for name in names)


def read_prompt(
    model: Any, generate: Callable[..., Any], kwargs: Mapping[str, Any], *, with_logits: bool = False
) -> Prompt:
    """Have the model read the prompt of a call of `generate`.

    Args:
        model: the transformers model.
        generate: its own `generate`.
        kwargs: the call's keyword arguments, for one prompt.
        with_logits: whether to keep the logits before any processing.

    Raises:
        CannotShare: with the reason.
    """
    import torch

    config = checked_config(model, kwargs)
    rest = {name: value for name, value in kwargs.items() if name not in _OURS}
    with torch.no_grad():
        output = generate(
            **rest, **_lengths(config, 0, 1), **_plain_choice(), max_new_tokens=1,
            return_dict_in_generate=True, output_scores=True, output_logits=with_logits,
        )  # fmt: skip
    cache = getattr(output, "cache", None)
    cache = getattr(output, "past_key_values", None) if cache is None else cache
    check_cache(cache)
    logits = output.logits[0][0] if with_logits else None
    offsets = [(module, module.rope_deltas) for module in _modules_near_the_top(model) if _has_offsets(module)]
    ids, mask = kwargs["input_ids"], kwargs.get("attention_mask")
    return Prompt(kwargs, config, ids, mask, output.scores[0][0], logits, cache, offsets)


def decode_blocks(
    model: Any,
    generate: Callable[..., Any],
    blocks: Sequence[tuple[Prompt, Sequence[int]]],
    *,
    width: int | None = None,
    noisy: bool = True,
    with_logits: bool = False,
) -> list[BlockReplies]:
    """Return one reply per seed to each of some prompts, all decoded together.

    Args:
        model: the transformers model.
        generate: its own `generate`.
        blocks: (prompt, one seed per trial); the prompts' calls have the same settings.
        width: tokens to which the prompts are filled up on the left; None: those of the longest.
        noisy: False takes the most likely token instead of a drawn one.
        with_logits: whether to keep the logits; the prompts have theirs.

    Raises:
        CannotPad: if these prompts cannot be filled up.
        torch.OutOfMemoryError: if memory does not suffice; fewer blocks may do.
    """
    import torch

    prompts, counts = [prompt for prompt, _ in blocks], [len(seeds) for _, seeds in blocks]
    width = max(width or 0, *(prompt.ids.shape[1] for prompt in prompts))
    first = prompts[0]
    if any(prompt.ids.shape[1] != width for prompt in prompts):
        check_padding(first.config, first.kwargs)
    with torch.no_grad():
        seeds = [seed for _, block in blocks for seed in block]
        drawing = Drawing(first.config, seeds, first.scores.device, noisy=noisy)
        rows = [list(places) for places in _places(counts)]
        tokens = [drawing.tokens(prompt.ids, prompt.scores, row) for prompt, row in zip(prompts, rows, strict=True)]
        start = torch.cat(tokens)[:, None].to(first.ids.device)
        ids = torch.cat([_filled_up(prompts, counts, width, _padding(first.config)), start], dim=1)
        steps: tuple[Any, ...] = ()
        left = _most_new_tokens(first.config, first.ids.shape[1]) - 1
        if left > 0 and not bool(drawing.ended(start).all()):
            output = generate(
                input_ids=ids, attention_mask=_masks(prompts, counts, width), **first.settings(),
                **_lengths(first.config, 1), **_plain_choice(), max_new_tokens=left, return_dict_in_generate=True,
                output_logits=with_logits, logits_processor=_with_noise(first, drawing, len(seeds), width + 1),
                **{_cache_name(model): _rows_of(prompts, counts, width)},
            )  # fmt: skip
            ids, steps = output.sequences, output.logits or ()
        replies = _cut(ids[:, width:], drawing)
    made = []
    for prompt, places in zip(prompts, rows, strict=True):
        whole = [torch.cat([prompt.ids[0], replies[row]]) for row in places]
        logits = None
        if with_logits and prompt.logits is not None:
            logits = [torch.stack([prompt.logits, *(step[row] for step in steps)]) for row in places]
        made.append(BlockReplies(whole, len(places), logits))
    return made


def decode_block(
    model: Any,
    generate: Callable[..., Any],
    prompt: Prompt,
    seeds: Sequence[int],
    *,
    at_once: int = BLOCK,
    noisy: bool = True,
    with_logits: bool = False,
) -> BlockReplies:
    """Return one reply per seed to a prompt.

    Args:
        model: the transformers model.
        generate: its own `generate`.
        prompt: what was read.
        seeds: one per trial.
        at_once: the most rows to decode together; halved for as long as memory does not suffice.
        noisy: False takes the most likely token instead of a drawn one.
        with_logits: whether to keep the logits before any processing.
    """
    import torch

    rows: list[torch.Tensor] = []
    logits: list[torch.Tensor] = []
    while len(rows) < len(seeds):
        group = seeds[len(rows) : len(rows) + at_once]
        try:
            (done,) = decode_blocks(model, generate, [(prompt, group)], noisy=noisy, with_logits=with_logits)
        except torch.OutOfMemoryError:
            if len(group) == 1:
                raise
            at_once = (len(group) + 1) // 2
            continue
        rows += done.rows
        logits += done.logits or []
    return BlockReplies(rows, at_once, logits if with_logits else None)


def generate_block(
    model: Any, generate: Callable[..., Any], kwargs: Mapping[str, Any], seeds: Sequence[int], **options: Any
) -> BlockReplies:
    """Return one reply per seed to the prompt of a call of `generate`: `read_prompt`, then `decode_block`."""
    prompt = read_prompt(model, generate, kwargs, with_logits=options.get("with_logits", False))
    return decode_block(model, generate, prompt, seeds, **options)


# --- What the two calls are given ---------------------------------------------------------------------------


def _cache_name(model: Any) -> str:
    """transformers calls the argument `cache` from 5.24 on."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


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


def _padding(config: GenerationConfig) -> int:
    """An id that may stand anywhere; no attention is paid to it."""
    for ids in (config.pad_token_id, config.eos_token_id):
        if ids is not None:
            return int(ids) if isinstance(ids, int) else int(ids[0])
    return 0


def _places(counts: Sequence[int]) -> Iterator[range]:
    start = 0
    for count in counts:
        yield range(start, start + count)
        start += count


def _filled_up(prompts: Sequence[Prompt], counts: Sequence[int], width: int, padding: int) -> torch.Tensor:
    """The prompts' ids, (all rows, width)."""
    import torch

    parts = []
    for prompt, count in zip(prompts, counts, strict=True):
        fill = prompt.ids.new_full((1, width - prompt.ids.shape[1]), padding)
        parts.append(torch.cat([fill, prompt.ids], dim=1).expand(count, -1))
    return torch.cat(parts)


def _masks(prompts: Sequence[Prompt], counts: Sequence[int], width: int) -> torch.Tensor | None:
    """The prompts' attention masks with their first new token, (all rows, width + 1); None if there are none."""
    import torch

    if all(prompt.mask is None and prompt.ids.shape[1] == width for prompt in prompts):
        return None
    parts = []
    for prompt, count in zip(prompts, counts, strict=True):
        own = torch.ones_like(prompt.ids) if prompt.mask is None else prompt.mask
        ends = own.new_zeros((1, width - own.shape[1])), own.new_ones((1, 1))
        parts.append(torch.cat([ends[0], own, ends[1]], dim=1).expand(count, -1))
    return torch.cat(parts)


def _rows_of(prompts: Sequence[Prompt], counts: Sequence[int], width: int) -> Any:
    """One cache with all rows; the modules that keep positions are set to these rows."""
    import torch

    for number, (module, own) in enumerate(prompts[0].offsets):
        every = [own, *(prompt.offsets[number][1] for prompt in prompts[1:])]
        if any(one.shape[0] != 1 for one in every):
            raise CannotPad("the model keeps positions for other rows than its prompt's")
        module.rope_deltas = torch.cat(
            [one.expand(count, *one.shape[1:]) for one, count in zip(every, counts, strict=True)]
        )
    return joined([prompt.cache for prompt in prompts], counts, width)


def _with_noise(prompt: Prompt, drawing: Drawing, rows: int, started: int) -> Any:
    from transformers import LogitsProcessorList

    own = prompt.kwargs.get("logits_processor") or []
    return LogitsProcessorList([*own, drawing.processor(range(rows), started)])


def _cut(replies: torch.Tensor, drawing: Drawing) -> list[torch.Tensor]:
    """The rows up to their own end-of-sequence."""
    ended = drawing.ended(replies)
    cut = []
    for row, ends in zip(replies, ended, strict=True):
        places = ends.nonzero()
        cut.append(row[: int(places[0]) + 1] if len(places) else row)
    return cut


def _modules_near_the_top(model: Any) -> list[Any]:
    """The model, its parts, and their parts: what keeps positions for a whole prompt stands there."""
    children = list(model.children())
    return [model, *children, *(part for child in children for part in child.children())]


def _has_offsets(module: Any) -> bool:
    import torch

    return isinstance(vars(module).get("rope_deltas"), torch.Tensor)
