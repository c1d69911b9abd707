"""An integration prepares the same prompt again for each reply; what costs time in it is done once.

Only calls with equal arguments are answered from memory, and with containers of their own, so that an integration that
changes what it was given (`inputs.to(device)`) does not change it for the next call.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import PIL.Image

from .integration import Integration

_HELPERS = ("process_vision_info",)
"""Functions that integrations import for images: of qwen-vl-utils, which resizes them."""


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls another one anew only for arguments that differ from the last ones."""
    last: list[tuple[Any, Any, Any]] = []

    def remembered(*args: Any, **kwargs: Any) -> Any:
        if not last or not equal((args, kwargs), last[0][:2]):
            own = (own_containers(args), own_containers(kwargs))
            last[:] = [(*own, function(*args, **kwargs))]
        return own_containers(last[0][2])

    return remembered


def with_one_image(request: Any, *, chat: bool) -> Any:
    """Return an lmms-eval request whose image is decoded once, however often it is asked."""
    request, parts, place = copy.copy(request), list(request.args), 1 if chat else 2
    parts[place] = once(parts[place])
    request.arguments = tuple(parts)
    return request


@contextmanager
def remembering(integration: Integration) -> Iterator[None]:
    """Within the context the integration's processors, and the helpers that it imported, work once per prompt."""
    with ExitStack() as stack:
        for processor in vars(integration.lm).values():
            if getattr(processor, "image_processor", None) is not None and callable(processor):
                stack.enter_context(_remembering_processor(processor))
        names = getattr(integration.lm.__class__.generate_until, "__globals__", {})
        for name in _HELPERS:
            if callable(names.get(name)):
                stack.callback(names.__setitem__, name, names[name])
                names[name] = once(names[name])
        yield


@contextmanager
def _remembering_processor(processor: Any) -> Iterator[None]:
    """A call goes by the class, so the instance gets a class of the same name for as long as it takes."""
    own = type(processor)
    remembered = once(lambda *args, **kwargs: own.__call__(processor, *args, **kwargs))
    body = {"__call__": lambda self, *args, **kwargs: remembered(*args, **kwargs), "__module__": own.__module__}
    try:
        processor.__class__ = type(own.__name__, (own,), body)
    except TypeError:  # a class that cannot be replaced works each time
        yield
        return
    try:
        yield
    finally:
        processor.__class__ = own


def own_containers(value: Any) -> Any:
    """Return a copy whose lists, tuples and dictionaries are new and whose tensors and images are the same."""
    if isinstance(value, (str, bytes)) or value is None:
        return value
    if type(value) in (list, tuple):
        return type(value)(own_containers(entry) for entry in value)
    if type(value) is dict:
        return {name: own_containers(entry) for name, entry in value.items()}
    if isinstance(value, Mapping):  # transformers' BatchFeature and BatchEncoding
        return copy.copy(value)
    return value


def equal(one: Any, other: Any) -> bool:
    """Whether two values are surely the same; what cannot be compared is not."""
    import torch

    if one is other:
        return True
    if isinstance(one, torch.Tensor):
        same_kind = isinstance(other, torch.Tensor) and one.shape == other.shape and one.dtype == other.dtype
        return same_kind and one.device == other.device and torch.equal(one, other)
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and one.keys() == other.keys() and all(equal(one[n], other[n]) for n in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, (str, bytes, int, float, bool, PIL.Image.Image)):
        return type(one) is type(other) and bool(one == other)
    return False
