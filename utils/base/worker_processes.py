"""One function over many jobs in several processes of this machine, results as they come or in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
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
            with _interrupt_held():
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
        workers: as in `as_completed`.
        chunk: arguments that are given out at a time.

    Raises:
        BrokenProcessPool: as in `as_completed`.
    """
    if workers <= 1:
        yield from map(function, arguments)
        return
    with _processes(workers) as executor:
        with _interrupt_held():
            results = executor.map(function, arguments, chunksize=chunk)
        yield from results


@contextmanager
def _processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    # spawn: a fork of a process that has threads (OpenCV, a progress bar) may hang.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)
    try:
        yield executor
    except BaseException:
        # Ctrl-C, or a consumer that wants no more: what is running may take many seconds, and nobody waits for it.
        _end(executor)
        raise
    executor.shutdown(wait=True)


def _end(executor: ProcessPoolExecutor) -> None:
    """End the processes now. Files are written whole or not at all, so a job that is cut short leaves none behind."""
    # `terminate_workers` (Python 3.14) does this; before, the processes are in a private attribute.
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


_PATIENCE = 0.5
"""Seconds for a process to clean up after itself before it is killed."""


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes may be started: they inherit that, and print no tracebacks of their own."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    import cv2

    # Ctrl-C reaches the whole group; the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    cv2.setNumThreads(1)


def _leave(number: int, frame: object) -> None:
    """Stop the current job by an exception, so that a half-written file is removed, and take no further job."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Timer(_PATIENCE / 5, os._exit, (1,)).start()
    raise SystemExit(1)
