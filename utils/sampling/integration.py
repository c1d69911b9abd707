"""An lmms-eval integration as seen from outside: its model, its processors, its client, its identity.

No two integrations are built alike, so nothing here is required: what is not there is None, and what depends on it says
that it cannot see.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..base.secrets import is_secret, without_secrets
from .fingerprint import weights_fingerprint
from .settings import Settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Arguments that decide where and how fast a model answers, not what; and the ways to say who it is.
_NO_EFFECT = {
    *("device", "device_map", "batch_size", "max_batch_size", "timeout", "max_retries", "retry_backoff_s"),
    *("num_concurrent", "httpx_trust_env", "use_cache", "data_parallel", "tensor_parallel_size"),
    *("gpu_memory_utilization", "num_cpus"),
}
_NO_EFFECT_PREFIXES = ("adaptive_", "prefix_")
_WHERE_THE_MODEL_LIES = {"pretrained", "revision", "base_url", "model_name_or_path"}


class Integration:
    """A view of one lmms-eval model instance.

    Attributes:
        lm: the instance.
        model: the transformers model that answers in this process, or None.
        tokenizer: its tokenizer, or None.
        image_processors: the transformers image processors that it uses.
        client: a client of an OpenAI-compatible server, or None.
        engine: an engine in this process that batches by itself (vLLM's `LLM`), or None.
        chat: whether it takes messages (chat) or an image list and a text (simple).
    """

    def __init__(self, lm: Any) -> None:
        """Look at an instance; nothing of it is changed."""
        self.lm = lm
        model = getattr(lm, "model", None) or getattr(lm, "_model", None)
        self.model: PreTrainedModel | None = model if hasattr(model, "generation_config") else None
        self.image_processors = _image_processors(lm)
        self.tokenizer = getattr(lm, "tokenizer", None) or getattr(lm, "_tokenizer", None)
        client = getattr(lm, "client", None)
        completions = getattr(getattr(client, "chat", None), "completions", None)
        self.client = client if hasattr(completions, "create") else None
        self.engine = client if self.client is None and callable(getattr(client, "chat", None)) else None
        self.chat = not lm.is_simple

    @property
    def arguments_at(self) -> int:
        """Where the generation arguments stand among a request's."""
        return 2 if self.chat else 1

    def arguments_of(self, request: Any) -> Any:
        """Return a request's generation arguments."""
        return request.args[self.arguments_at]

    @property
    def own_concurrency(self) -> int:
        """Requests that the integration itself keeps in flight; 1 where it does not say."""
        return int(getattr(self.lm, "num_concurrent", 1) or 1) if self.model is None else 1

    @contextmanager
    def generate_through(self, around: Callable[..., Any]) -> Iterator[None]:
        """Within the context the model's `generate(...)` is `around(generate, ...)`."""
        if self.model is None:
            yield
            return
        with _replaced(self.model, "generate", functools.partial(around, self.model.generate)):
            yield

    @contextmanager
    def client_through(self, create: Callable[..., Any]) -> Iterator[None]:
        """Within the context the client's `chat.completions.create(...)` is `create(...)`."""
        if self.client is None:
            yield
            return
        with _replaced(self.lm, "client", _Client(create)):
            yield

    @contextmanager
    def engine_through(self, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
        """Within the context the engine's `chat` is `around(chat)`."""
        if self.engine is None:
            yield
            return
        with _replaced(self.engine, "chat", around(self.engine.chat)):
            yield

    @contextmanager
    def batches_of(self, requests: int) -> Iterator[None]:
        """Within the context an integration around an engine passes on at least so many requests at once."""
        own = getattr(self.lm, "batch_size_per_gpu", None)
        if self.engine is None or not isinstance(own, int) or own >= requests:
            yield
            return
        with _replaced(self.lm, "batch_size_per_gpu", requests):
            yield

    def identity(self, settings: Settings, kept: dict[str, Any]) -> dict[str, Any]:
        """Return what tells this model from another one, as JSON values, the same in every process.

        Where the weights lie in this process, a fingerprint stands for them (names, shapes, types and 64 values of each
        parameter and buffer), so that a moved folder is the same model and another revision is not. Elsewhere, and
        where a tensor cannot be read, the arguments have to.
        """
        arguments = dict(argument.partition("=")[::2] for argument in settings.inner_arguments)
        hidden = {
            name for name in arguments if name in _NO_EFFECT or name.startswith(_NO_EFFECT_PREFIXES) or is_secret(name)
        }
        weights = weights_fingerprint(self.model) if self.model is not None else None
        if (weights and not weights.unread) or settings.identity:
            hidden |= _WHERE_THE_MODEL_LIES
        server = (
            without_secrets(str(getattr(self.client, "base_url", "")))
            if self.client is not None and not settings.identity
            else None
        )
        return {
            "integration": settings.inner,
            "class": f"{type(self.lm).__module__}.{type(self.lm).__qualname__}",
            "arguments": without_secrets({name: arguments[name] for name in sorted(set(arguments) - hidden)}),
            "name": settings.identity,
            "server": server,
            "weights": weights.digest if weights else None,
            "weights_unread": len(weights.unread) if weights else None,
            "processing": self._processing() if self.model is not None else None,
            "kept_generation_config": kept,
        }

    def _processing(self) -> str:
        """Digest of what turns messages into tensors: chat template and image processing."""
        parts = [str(getattr(self.tokenizer, "chat_template", None))]
        for processor in vars(self.lm).values():
            if getattr(processor, "image_processor", None) is not None:
                parts.append(str(getattr(processor, "chat_template", None)))
        for processor in self.image_processors:
            parts.append(json.dumps(processor.to_dict(), sort_keys=True, default=str))
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]


def _image_processors(lm: Any) -> list[Any]:
    found = []
    for value in vars(lm).values():
        processor = getattr(value, "image_processor", None) or value
        if hasattr(processor, "preprocess") and hasattr(processor, "to_dict") and processor not in found:
            found.append(processor)
    return found


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute of the instance and put back what was there, or nothing."""
    own = vars(owner)
    had, before = name in own, own.get(name)
    object.__setattr__(owner, name, value)
    try:
        yield
    finally:
        if had:
            object.__setattr__(owner, name, before)
        else:
            object.__delattr__(owner, name)


class _Client:
    """Looks like a client of the `openai` package as far as the integrations use it."""

    def __init__(self, create: Callable[..., Any]) -> None:
        self.chat = self.completions = self
        self.create = create
