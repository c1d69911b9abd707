"""What an integration makes of a request before it asks the model, and how it turns the reply's ids into text.

Both are learned from one call of the integration in which `generate` is answered with a stand-in, at once. The tensors
that it passes are the prompt. Of the ids that come back it decodes a text; where that text arrives in its result as the
very object that the tokenizer gave, looked at by nobody on its way, every other reply is that decoding of its own ids,
and the integration need not be called again (a replay). Where it cuts or strips the text, it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..base.log import logger
from .integration import Integration, _replaced
from .shareable import CannotShare, checked_config

if TYPE_CHECKING:
    import torch


@dataclass
class Prepared:
    """A request, ready for the model.

    Attributes:
        generate: the model's own `generate`.
        inputs: the keyword arguments that the integration calls it with.
        autocast: (device type, dtype) of an autocast around the call, or None.
        read: turns the ids of a reply, (tokens,), into what the integration would return; None where only the
            integration itself can.
    """

    generate: Callable[..., Any]
    inputs: dict[str, Any]
    autocast: tuple[str, Any] | None
    read: Callable[[torch.Tensor], Any] | None = None

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Within the context the model computes as it would where the integration calls it."""
        import torch

        if self.autocast is None:
            yield
            return
        device, dtype = self.autocast
        with torch.autocast(device, dtype=dtype):
            yield


class Preparation:
    """One call of an integration with a stand-in for the model's reply."""

    def __init__(self, integration: Integration) -> None:
        """Nothing is asked yet."""
        self._integration = integration
        self._prepared: Prepared | None = None
        self._refused: CannotShare | None = None
        self._calls = 0
        self._reply: list[int] = []

    def run(self, call: Callable[[], Any]) -> Prepared:
        """Have the integration prepare a request.

        Args:
            call: asks the integration for one reply; its `generate` has to come to `answer`.

        Raises:
            CannotShare: if the replies have to be asked one at a time.
        """
        from lmms_eval.api.instance import GenerationResult, TokenCounts, unwrap_generation_output

        with self._watched_decoding() as decodings, _without_cache_hook(self._integration.lm):
            output = call()
        if self._refused is not None:  # an integration may have swallowed it
            raise self._refused
        if self._prepared is None:
            raise CannotShare("the integration did not come to the model's generate()")
        text, counts = unwrap_generation_output(output)
        if len(decodings) == 1 and text is decodings[0].text and not text.looked_at:
            counted = counts.output_tokens if counts else None
            if counted in (None, len(self._reply)):
                decode = decodings[0].again

                def read(reply: torch.Tensor) -> GenerationResult:
                    tokens = None if counted is None else TokenCounts(output_tokens=len(reply))
                    return GenerationResult(text=decode(reply), token_counts=tokens)

                self._prepared.read = read
        return self._prepared

    def answer(self, generate: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> torch.Tensor:
        """Stand in for `generate`: note what it is called with, and give the prompt with a few tokens after it."""
        import torch

        try:
            self._calls += 1
            if args:
                raise CannotShare("the integration passes the prompt by position")
            if self._calls > 1:
                raise CannotShare("the integration asks the model several times per reply")
            checked_config(self._integration.model, kwargs)
        except CannotShare as reason:
            self._refused = reason
            raise
        ids = kwargs["input_ids"]
        self._prepared = Prepared(generate, kwargs, _autocast(ids.device.type))
        reply = _stand_in(self._integration.model, kwargs)
        self._reply = reply.tolist()
        return torch.cat([ids[0], reply])[None]

    @contextmanager
    def _watched_decoding(self) -> Iterator[list[_Decoding]]:
        """Within the context a tokenizer's or processor's text of the stand-in's ids is a stand-in too."""
        seen: list[_Decoding] = []
        inside = False

        def watch(function: Callable[..., Any]) -> Callable[..., Any]:
            def decode(*args: Any, **kwargs: Any) -> Any:
                nonlocal inside
                if inside or not args or not self._reply:  # a processor's tokenizer; a part of the prompt
                    return function(*args, **kwargs)
                ids = args[0].tolist() if hasattr(args[0], "tolist") else args[0]
                several = isinstance(ids, (list, tuple)) and len(ids) == 1 and not isinstance(ids[0], int)
                if several:
                    ids = ids[0].tolist() if hasattr(ids[0], "tolist") else ids[0]
                if ids != self._reply:
                    return function(*args, **kwargs)
                inside = True
                try:
                    texts = function(*args, **kwargs)
                finally:
                    inside = False
                if not isinstance(texts[0] if several and isinstance(texts, list) else texts, str):
                    return texts
                seen.append(_Decoding(function, args, kwargs, several))
                return [seen[-1].text] if several else seen[-1].text

            return decode

        with ExitStack() as stack:
            for owner in _decoders(self._integration):
                for name in ("decode", "batch_decode"):
                    if callable(function := getattr(owner, name, None)):
                        try:
                            stack.enter_context(_replaced(owner, name, watch(function)))
                        except (AttributeError, TypeError) as error:  # an object without attributes of its own
                            logger.debug(f"medqdeg: {type(owner).__name__}.{name} cannot be watched ({error})")
            yield seen


def _stand_in(model: Any, kwargs: Mapping[str, Any]) -> torch.Tensor:
    """Ids that look like a reply: two of a token that the prompt has, and an end, which some integrations cut off."""
    import torch

    last = kwargs["input_ids"][0, -1:]
    config = checked_config(model, kwargs)
    end = config.eos_token_id
    end = end[0] if isinstance(end, (list, tuple)) and end else end
    return torch.cat([last, last, last if end is None or isinstance(end, list) else last.new_tensor([int(end)])])


def _autocast(device: str) -> tuple[str, Any] | None:
    import torch

    return (device, torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else None


@contextmanager
def _without_cache_hook(lm: Any) -> Iterator[None]:
    """lmms-eval's own cache would keep the stand-in for a reply."""
    from lmms_eval.api.model import CacheHook

    with _replaced(lm, "cache_hook", CacheHook(None)):
        yield


# --- From ids to text ---------------------------------------------------------------------------------------

_STAND_IN_TEXT = (
    " \n<think>no</think>\n\n<answer>(B)</answer> **Answer:** \\boxed{B}. ```json\n{}\n``` "
    "assistant: A\nUSER: <|im_end|></s> \n"
)
"""Holds what integrations look for in a reply, so that a search in it would find something and leave a trace."""

_LEAVE_NO_TRACE = frozenset(dir(object)) - {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"} | {
    *("__getnewargs__", "__dict__", "__weakref__", "__module__"),
}
"""Methods that tell nothing of the text to whoever decides by it; logs format it."""


class _Carried(str):
    """A text that knows whether somebody looked at it."""

    looked_at = False


def _noting(name: str) -> Callable[..., Any]:
    own = getattr(str, name)

    def method(self: _Carried, *args: Any, **kwargs: Any) -> Any:
        self.looked_at = True
        return own(self, *args, **kwargs)

    return method


for _name in dir(str):
    if _name not in _LEAVE_NO_TRACE and callable(getattr(str, _name)):
        setattr(_Carried, _name, _noting(_name))


class _Decoding:
    """One call of a tokenizer's `decode` or `batch_decode`, and the text that went on in place of its own."""

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], several: bool
    ) -> None:
        self._function, self._args, self._kwargs, self._several = function, args, kwargs, several
        self.text = _Carried(_STAND_IN_TEXT)

    def again(self, ids: torch.Tensor) -> str:
        """Return the text of other ids, decoded in the same way."""
        given = self._args[0]
        inner = given[0] if self._several else given
        own: Any = ids if hasattr(inner, "tolist") else ids.tolist()
        if self._several:
            own = own[None] if hasattr(given, "ndim") else [own]
        texts = self._function(own, *self._args[1:], **self._kwargs)
        return str(texts[0] if self._several else texts)


def _decoders(integration: Integration) -> list[Any]:
    """Processors before tokenizers: the outermost call is the one to repeat."""
    found: list[Any] = []
    for value in (*vars(integration.lm).values(), integration.tokenizer):
        for one in (value, getattr(value, "tokenizer", None)):
            if callable(getattr(one, "batch_decode", None)) and all(one is not other for other in found):
                found.append(one)
    return found
