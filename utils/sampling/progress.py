"""One progress bar for the whole run instead of the inner model's many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


class Progress:
    """Trials done, reused and failed, and the time left.

    What is reused takes no time, so it counts into the total and not into the speed. With several processes the first
    one shows its own share.
    """

    def __init__(self, total: int, *, shown: bool) -> None:
        """Start a bar over `total` trials."""
        self.reused = self.failed = 0
        # smoothing=0: the time left from the mean speed so far; single replies differ too much for anything else.
        self._bar = tqdm(total=total, disable=not shown, desc="medqdeg trials", unit="trial", smoothing=0)

    def reuse(self, trials: int) -> None:
        """Count trials that the store had."""
        self.reused += trials
        if not self._bar.disable:  # a bar that is not shown lacks most of its attributes
            self._bar.initial += trials
        self._bar.update(trials)
        self._show()

    def answer(self) -> None:
        """Count a trial that was asked and answered."""
        self._bar.update(1)

    def fail(self) -> None:
        """Count a trial whose request failed."""
        self.failed += 1
        self._bar.update(1)
        self._show()

    def retry(self, trials: int) -> None:
        """Take back failed trials that are asked again."""
        self.failed -= trials
        self._bar.update(-trials)
        self._show()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _show(self) -> None:
        self._bar.set_postfix(reused=self.reused, failed=self.failed, refresh=False)


@contextmanager
def without_bars(function: Callable[..., Any]) -> Iterator[None]:
    """Silence the bar that an integration's `generate_until` draws for each of its calls."""
    names = getattr(function, "__globals__", {})
    own = names.get("tqdm")
    if own is None:
        yield
        return
    names["tqdm"] = lambda *args, **kwargs: tqdm(*args, **{**kwargs, "disable": True})
    try:
        yield
    finally:
        names["tqdm"] = own
