"""Run shards one after the other or in processes, with a bounded number at work."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain

from molgraph.data.endable import TooLong, why
from molgraph.data.interrupts import rearm
from molgraph.data.pool import as_finished
from molgraph.screen.shard import Job, score_shard, start_worker, threads

DIED = (
    "a worker process died, most likely for want of memory; finished shards are kept: "
    "go on with --resume and fewer --workers"
)


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
        start = partial(start_worker, first.models)
        # A shard is written whole or not at all, so its worker may be ended at any moment.
        with closing(as_finished(score_shard, chain([first], jobs), workers, _Rows(), start=start, died=DIED)) as found:
            yield from (done.result for done in found)


class _Rows:
    """Take a shard apart."""

    def rows(self, job: Job) -> Sequence[Job]:
        return [replace(job, table=job.table.row(at), path=None) for at in range(len(job.table))]

    def without(self, job: Job, lost: dict[int, TooLong]) -> Job:
        return replace(job, lost={at: why(error) for at, error in lost.items()})


def _alone(jobs: Iterator[Job]) -> Iterator[int]:
    before = threads(1)
    try:
        for rows in map(score_shard, jobs):
            rearm()
            yield rows
    finally:
        threads(before)
