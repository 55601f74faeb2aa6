"""Run shards one after the other or on a process pool, with a bounded number at work."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from molgraph.data.interrupts import ignored, rearm
from molgraph.errors import ResourceError
from molgraph.screen.shard import Job, score_shard, start_worker, threads

AHEAD = 2  # shards waiting or at work per worker


def default_workers() -> int:
    """Return the number of processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(jobs: Iterator[Job], workers: int) -> Generator[int, None, None]:
    """Score every job and yield the rows of each as it is finished; jobs are taken only as fast as they are done.

    Raises: ResourceError when a worker process dies.
    """
    if workers == 1:
        yield from _alone(jobs)
        return
    first = next(jobs, None)
    if first is not None:
        yield from _pooled(first, jobs, workers)


def _alone(jobs: Iterator[Job]) -> Iterator[int]:
    before = threads(1)
    try:
        for rows in map(score_shard, jobs):
            rearm()
            yield rows
    finally:
        threads(before)


def _pooled(first: Job, rest: Iterator[Job], workers: int) -> Iterator[int]:
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=start_worker,
        initargs=(first.models,),
    )
    try:
        at_work = _submit(pool, [first])
        at_work |= _submit(pool, islice(rest, AHEAD * workers - 1))
        while at_work:
            done, at_work = wait(at_work, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            at_work |= _submit(pool, islice(rest, len(done)))
    except BrokenProcessPool as error:
        raise ResourceError(
            "a worker process died, most likely for want of memory; finished shards are kept: "
            "go on with --resume and fewer --workers"
        ) from error
    except BaseException:
        # A shard is written whole or not at all, so its worker may be ended at any moment.
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, jobs: Iterable[Job]) -> set[Future[int]]:
    """Hand over jobs; that may start a process, but the library is read before, where Ctrl-C counts."""
    ready = list(jobs)
    with ignored():
        return {pool.submit(score_shard, job) for job in ready}
