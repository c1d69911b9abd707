"""Pass a trial's seed to whatever draws its reply, and check that it arrived.

A model of transformers draws from torch's generator in this process, an engine (vLLM in this process) takes a seed with
each request, and so do servers, which may ignore it. Everything else may draw from anywhere. What the results file
calls seeded was seen to be so: the generator moved, or the seed was among the parameters that reached the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..scoring.elicitation import EXACT
from .integration import Integration
from .settings import Settings

REQUEST_SEED_BITS = 31
"""Servers and engines take a signed number of 32 bits, or more."""

_SERVER, _ENGINE, _GENERATOR, _NOTHING = (
    "a seed goes with each request; whether the server follows it cannot be seen from here",
    "a seed goes with each request to the engine",
    "torch's generator is set before each request",
    "several requests at once take each other's numbers",
)


class Seeding:
    """The one way that fits an integration.

    Attributes:
        with_request: whether the seed belongs into the generation arguments.
    """

    def __init__(self, integration: Integration, settings: Settings, workers: int) -> None:
        """Choose the way; nothing is asked yet."""
        self._exact = settings.mode == EXACT
        self._arrived: set[bool] = set()
        if integration.client is not None:
            self._way = _SERVER
        elif integration.engine is not None:
            self._way = _ENGINE
        else:
            # torch's generator is the process's own: threads would take each other's numbers.
            self._way = _GENERATOR if workers == 1 and settings.chunk == 1 else _NOTHING
        # vLLM's simple form asks a whole chunk with the arguments of its first request: its trials would be equal.
        shared = self._way == _ENGINE and settings.chunk > 1 and not integration.chat
        self.with_request = self._way in (_SERVER, _ENGINE) and not shared

    @contextmanager
    def around(self, seed: int, *, drawing: bool) -> Iterator[None]:
        """Within the context torch's generators start at `seed`; afterwards they are as they were before.

        Args:
            seed: of the trial.
            drawing: whether the reply is drawn at random (temperature above 0).
        """
        if self._way != _GENERATOR:
            yield
            return
        import torch

        # All devices, since `manual_seed` seeds all of them.
        devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            before = _states(devices)
            yield
            if drawing:
                after = _states(devices)
                self._arrived.add(any(not torch.equal(*pair) for pair in zip(before, after, strict=True)))

    def note(self, *, arrived: bool) -> None:
        """Note of a trial whether its seed decided its draws."""
        self._arrived.add(arrived)

    def watching(self, chat: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap an engine's `chat`: note whether each of its sampling parameters holds a seed."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            parameters = kwargs.get("sampling_params")
            every = parameters if isinstance(parameters, Sequence) else [parameters]
            self._arrived.update(getattr(one, "seed", None) is not None for one in every)
            return chat(*args, **kwargs)

        return watched

    def seen(self) -> tuple[bool | None, str]:
        """Return whether all trials asked so far were drawn from seeds of their own (None: none was), and how."""
        if self._exact:
            return None, "nothing is drawn"
        if self._way in (_SERVER, _NOTHING):
            return False, self._way
        if not self._arrived:
            return None, self._way
        if self._arrived == {True}:
            return True, self._way
        return False, "no seed of ours reaches what draws the replies"


def _states(devices: list[int]) -> list[Any]:
    import torch

    return [torch.get_rng_state(), *(torch.cuda.get_rng_state(device) for device in devices)]
