"""Settings of the whole process that hold while any thread needs them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

_StateT = TypeVar("_StateT")


class WhileAnyThreadIsInside(Generic[_StateT]):
    """A switch that the first thread to come sets and the last one to leave puts back.

    Args:
        switch: sets it, and returns what is needed to put it back.
        put_back: takes what `switch` returned.
    """

    def __init__(self, switch: Callable[[], _StateT], put_back: Callable[[_StateT], None]) -> None:
        self._switch, self._put_back = switch, put_back
        self._lock = threading.Lock()
        self._users = 0
        self._before: _StateT

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._users == 0:
                self._before = self._switch()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._put_back(self._before)
