"""The option letters' probabilities from one forward pass, instead of votes that estimate them.

The probability of a letter is the mass of all tokens that are that letter and nothing else but blanks ("B", " B") in
the distribution of the reply's first token, at temperature 1, before any top_k or penalty. It is what the share of
votes tends to for a model that replies with the letter alone. A model that prefaces its answer ("The answer is", a
thinking block) has little mass on the letters, so their total is reported and items below a stated mass are invalid.
"""

from __future__ import annotations

import functools
import json
import math
import string
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

TOP_LOGPROBS = 20
"""As many as OpenAI's interface gives; letters that are not among them count as 0."""

_BLANKS = (
    string.whitespace + "\u2581\u0120\u010a\u00a0"
)  # the last ones stand for blanks in raw SentencePiece and BPE tokens


class NoLogprobs(RuntimeError):
    """The server answered without `top_logprobs`."""


@functools.lru_cache(maxsize=4)
def letter_tokens(tokenizer: Any, vocabulary: int) -> dict[str, list[int]]:
    """Return capital letter -> ids of the tokens that read as that letter once outer blanks are gone.

    Args:
        tokenizer: a transformers tokenizer.
        vocabulary: width of the model's logits; ids from there on do not exist.
    """
    size = min(vocabulary, len(tokenizer))
    texts = tokenizer.batch_decode([[token] for token in range(size)])
    found: dict[str, list[int]] = {letter: [] for letter in string.ascii_uppercase}
    for token, text in enumerate(texts):
        if (letter := text.strip(_BLANKS)) in found:
            found[letter].append(token)
    return found


def masses_from_logits(logits: torch.Tensor, letters: Sequence[str], tokenizer: Any) -> dict[str, float]:
    """Return letter -> probability that the next token is it.

    Args:
        logits: (vocabulary,), any floating type, as the model gives them.
        letters: the item's option letters.
        tokenizer: the model's.
    """
    import torch

    probabilities = torch.softmax(logits.detach().to("cpu", torch.float64), dim=-1)
    table = letter_tokens(tokenizer, logits.shape[-1])
    return {letter: math.fsum(probabilities[table[letter]].tolist()) for letter in letters}


def masses_from_top_logprobs(entries: Iterable[tuple[str, float]], letters: Sequence[str]) -> dict[str, float]:
    """Return letter -> probability, from (token, natural logarithm of its probability) pairs."""
    masses: dict[str, list[float]] = {letter: [] for letter in letters}
    for token, logprob in entries:
        if (letter := token.strip(_BLANKS)) in masses:
            masses[letter].append(math.exp(logprob))
    return {letter: min(1.0, math.fsum(parts)) for letter, parts in masses.items()}


class FirstToken:
    """Stands around a model's `generate`: one forward pass, whose logits it keeps."""

    def __init__(self) -> None:
        """Nothing kept yet."""
        self.logits: torch.Tensor | None = None

    def __call__(self, generate: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Generate one token greedily; return the ids as `generate` would."""
        for name in ("temperature", "top_p", "top_k", "min_new_tokens"):
            kwargs.pop(name, None)
        kwargs.update(max_new_tokens=1, do_sample=False, num_beams=1, output_logits=True, return_dict_in_generate=True)
        output = generate(*args, **kwargs)
        self.logits = output.logits[0][0]
        return output.sequences


def asking_for_logprobs(create: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a client's `create`: one token with `top_logprobs`, which become the reply's text as JSON."""

    def create_with_logprobs(**payload: Any) -> Any:
        payload.pop("max_completion_tokens", None)
        payload.update(max_tokens=1, temperature=1.0, top_p=1.0, logprobs=True, top_logprobs=TOP_LOGPROBS)
        response = create(**payload)
        logprobs = getattr(response.choices[0], "logprobs", None)
        content = getattr(logprobs, "content", None)
        entries = [[entry.token, entry.logprob] for entry in content[0].top_logprobs] if content else None
        response.choices[0].message.content = json.dumps({"top_logprobs": entries})
        return response

    return create_with_logprobs


def masses_from_reply(reply: str, letters: Sequence[str]) -> dict[str, float]:
    """Return the letters' probabilities from a reply that `asking_for_logprobs` wrote.

    Raises:
        NoLogprobs: if the server gave none.
    """
    entries = json.loads(reply)["top_logprobs"]
    if not entries:
        raise NoLogprobs("the server answers without top_logprobs, which mode=exact needs; use mode=votes")
    return masses_from_top_logprobs([(token, logprob) for token, logprob in entries], letters)
