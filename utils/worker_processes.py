"""One function over many jobs in several processes of this machine, results as they come or in order."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def as_completed(
    function: Callable[..., Result], jobs: Iterable[tuple[Any, ...]], workers: int, waiting: int = 4
) -> Iterator[Result]:
    """Call a function for every job and yield what it returns, in no certain order.

    Args:
        function: of a module, so that another process can import it.
        jobs: its arguments; taken from the iterable as processes become free.
        workers: processes; with 1, or fewer, all is done in this one, in order.
        waiting: jobs that are given out at a time, for each worker.

    Raises:
        BrokenProcessPool: a process died, often since memory ran out.
    """
    if workers <= 1:
        for job in jobs:
            yield function(*job)
        return
    pending: set[Future[Result]] = set()
    with _processes(workers) as executor:
        for job in jobs:
            pending.add(executor.submit(function, *job))
            if len(pending) >= waiting * workers:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def in_order(
    function: Callable[[Argument], Result], arguments: Iterable[Argument], workers: int, chunk: int = 1
) -> Iterator[Result]:
    """Call a function for every argument and yield what it returns, in the order of the arguments.

    Args:
        function: of a module, or a `functools.partial` of one.
        arguments: taken from the iterable at once.
        workers: as of `as_completed`.
        chunk: arguments that are given out at a time.

    Raises:
        BrokenProcessPool: as of `as_completed`.
    """
    if workers <= 1:
        yield from map(function, arguments)
        return
    with _processes(workers) as executor:
        yield from executor.map(function, arguments, chunksize=chunk)


@contextmanager
def _processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn: a fork of a process that has threads (OpenCV, a progress bar) may hang.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _begin_worker() -> None:
    import cv2

    # Ctrl-C reaches the whole group; the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
