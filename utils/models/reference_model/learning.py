"""The steps of the reference model's learning: what is asked of it, how far off it is, and one optimiser run."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .lessons import Batch

if TYPE_CHECKING:
    import torch
    from transformers import LlavaForConditionalGeneration

LOOK_BATCH, REPLY_BATCH, QUESTIONS = 64, 32, 4
"""Images a step, and questions about each when it learns to reply."""

_WARM_UP = 100
_SHARPNESS = 4.0

Losses = tuple[dict[str, "torch.Tensor"], dict[str, float]]
"""Cross entropies to minimise, and shares of right choices to report."""


def learn(
    name: str,
    parameters: list[torch.nn.Parameter],
    losses: Callable[[], Losses],
    steps: int,
    say: Callable[[str], None],
    rate: float,
) -> None:
    """Minimise the sum of the losses: warm-up, then half a cosine down to nothing."""
    import torch

    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    )
    recent: dict[str, list[float]] = defaultdict(list)
    started = time.monotonic()
    for step in range(1, steps + 1):
        with torch.autocast("cpu", torch.bfloat16):  # half the time on processors that know the format
            found, hits = losses()
        optimiser.zero_grad()
        torch.stack(list(found.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        for key, value in hits.items():
            recent[key].append(value)
        if step % 100 == 0 or step == steps:
            rates = ", ".join(f"{key} {np.mean(values[-100:]):.3f}" for key, values in recent.items())
            say(f"{name}: step {step} of {steps}, {time.monotonic() - started:.0f} s, right: {rates}")


def new_judge(width: int, seed: int) -> torch.nn.Linear:
    """A head for "this option is right", thrown away after training."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Linear(width, 2)


def seen(model: LlavaForConditionalGeneration, images: np.ndarray) -> torch.Tensor:
    """Return the visual tokens (B, visual tokens, width) as the language model gets them."""
    import torch

    vision = model.model.vision_tower(torch.from_numpy(images), output_hidden_states=True)
    return model.model.multi_modal_projector(vision.hidden_states[-1])


def states(model: LlavaForConditionalGeneration, batch: Batch) -> torch.Tensor:
    """Return the language model's last states (B, N, width)."""
    import torch

    tokens = torch.from_numpy(batch.tokens)
    embedded = model.get_input_embeddings()(tokens)
    places = (tokens == model.config.image_token_index)[..., None].expand_as(embedded)
    return model.model.language_model(
        inputs_embeds=embedded.masked_scatter(places, seen(model, batch.pixels).to(embedded.dtype)),
        attention_mask=torch.from_numpy(batch.mask),
        position_ids=torch.from_numpy(batch.positions),
        use_cache=False,
    ).last_hidden_state


def look_losses(model: LlavaForConditionalGeneration, images: np.ndarray, answers: np.ndarray) -> Losses:
    """Return the loss of visual token i as the answer to question i; answers int64 (B, visual tokens), or -100."""
    import torch

    wanted = torch.from_numpy(answers)
    asked = wanted >= 0
    scores = _SHARPNESS * seen(model, images)[asked] @ model.get_input_embeddings().weight.T
    return _scored({"answer": (scores, wanted[asked])})


def reply_losses(
    model: LlavaForConditionalGeneration, judge: torch.nn.Linear | None, batch: Batch, stopping: bool
) -> Losses:
    """Return the losses of the letter, with a judge of "is this option right?", and of the end when stopping."""
    import torch

    last = states(model, batch)
    letters, ends, matches = (torch.from_numpy(each) for each in (batch.letters, batch.ends, batch.matches))
    scores = {}
    if judge is not None:
        scores["option"] = (judge(last[matches >= 0]), matches[matches >= 0])
    scores["letter"] = (model.lm_head(last[letters >= 0]), letters[letters >= 0])
    if stopping:
        scores["end"] = (model.lm_head(last[ends >= 0]), ends[ends >= 0])
    return _scored(scores)


def _scored(scores: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> Losses:
    """Return the cross entropies, and the shares of right choices."""
    import torch

    entropy = torch.nn.functional.cross_entropy
    losses = {name: entropy(given.float(), wanted) for name, (given, wanted) in scores.items()}
    hits = {name: float((given.argmax(-1) == wanted).float().mean()) for name, (given, wanted) in scores.items()}
    return losses, hits


def endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield all numbers below count in a random order, again and again."""
    while True:
        yield from rng.permutation(count).tolist()
