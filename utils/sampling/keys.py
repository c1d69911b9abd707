"""The key of a request: equal keys mean the same question to the same model.

A response may stand for another run's only if everything is equal that decides what the model is asked: task, item, the
images' pixels, the prompt, the generation arguments and the model itself. The trial's number is not part of a
`RequestKey`; it goes with it. A trial's seed is made from both, so that it does not depend on what was asked before, in
which process, or whether a run was interrupted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import PIL.Image

from .block import BLOCK

_KEY_VERSION = 2

ONE_BY_ONE = "one by one"
IN_BLOCKS = f"in blocks of {BLOCK}"
"""How trials are drawn: the two use a trial's seed in different ways, so that they share no replies."""


def in_blocks(items: int, padded_to: int) -> str:
    """Return how blocks are drawn whose shape matters: so many items at once, filled up to multiples of a length."""
    return IN_BLOCKS if items == 1 else f"{IN_BLOCKS}, {items} items at once, filled up to multiples of {padded_to}"


@dataclass(frozen=True)
class RequestKey:
    """One question to one model.

    Attributes:
        digest: 64 hexadecimal digits; equal if and only if all else is.
        task: lmms-eval's task name.
        item: the item's `item_id`, or its position where the data has none.
        content: everything that the digest stands for, as JSON, the model as its own digest.
        drawing: `ONE_BY_ONE`, or what `in_blocks` says.
    """

    digest: str
    task: str
    item: str
    content: str
    drawing: str = ONE_BY_ONE

    @property
    def in_blocks(self) -> bool:
        """Whether trials are drawn in blocks."""
        return self.drawing.startswith(IN_BLOCKS)

    def drawn(self, drawing: str) -> RequestKey:
        """Return the key of the same question with its trials drawn in another way."""
        if drawing == self.drawing:
            return self
        content = _as_text({**json.loads(self.content), "drawing": drawing})
        return RequestKey(_digest(content), self.task, self.item, content, drawing)

    def seed(self, trial: int, sampling_seed: int, bits: int = 63) -> int:
        """Return the seed of a trial, of at most `bits` bits."""
        text = f"{self.digest}:{trial}:{sampling_seed}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - bits)


def request_key(
    *,
    task: str,
    item: str,
    prompt: Sequence[Any],
    arguments: Mapping[str, Any],
    model: str,
    mode: str,
    drawing: str = ONE_BY_ONE,
) -> RequestKey:
    """Return the key of a request.

    Args:
        task: lmms-eval's task name.
        item: the item's id.
        prompt: nested lists and dictionaries of what the model is given; PIL images stand for their pixels.
        arguments: generation arguments.
        model: the model's identity (`integration.Integration.identity`).
        mode: "votes" or "exact".
        drawing: `ONE_BY_ONE`, or what `in_blocks` says.
    """
    content = _as_text(
        {
            "version": _KEY_VERSION,
            "task": task,
            "item": item,
            "prompt": _plain(prompt),
            "arguments": _plain(arguments),
            "model": model,
            "mode": mode,
            "drawing": drawing,
        }
    )
    return RequestKey(_digest(content), task, item, content, drawing)


def _as_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def image_digest(image: PIL.Image.Image) -> str:
    """Return a digest of mode, size and pixels; the file that they came from does not matter."""
    digest = hashlib.sha256(f"{image.mode}:{image.size}:".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """JSON values; what JSON does not know becomes its text, images their digest."""
    if isinstance(value, PIL.Image.Image):
        return {"image": image_digest(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)
