"""Chunks of work in several processes; imports no torch, so that a worker starts fast."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from molgraph.data.interrupts import ignored
from molgraph.errors import ResourceError

T = TypeVar("T")
R = TypeVar("R")


def in_processes(work: Callable[[T], R], chunks: Sequence[T], workers: int) -> Iterator[R]:
    """Yield `work(chunk)` for every chunk, in order; an interrupt ends the workers after the chunk they are at.

    Raises: ResourceError where a worker dies.
    """
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts)
    try:
        with ignored():
            results = pool.map(work, chunks)
        yield from results
    except BrokenProcessPool as error:
        raise ResourceError("a worker process died, perhaps for want of memory; try fewer workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave interrupts to the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
