"""Working through a study: trial after trial in this process, or in several that share one."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from molgraph.config import RunSettings
from molgraph.data.interrupts import ignored, rearm
from molgraph.errors import INTERRUPTED, MolgraphError, ResourceError
from molgraph.tune.attempt import Attempt, Stopped
from molgraph.tune.budget import Budget
from molgraph.tune.goals import goals
from molgraph.tune.hold import held
from molgraph.tune.rows import Visible
from molgraph.tune.space import Space
from molgraph.tune.study import (
    WORKER,
    Place,
    alive,
    enqueue_start,
    enqueue_starts,
    equip,
    open_study,
    quietly,
    revive,
)

ROWS = {True: "rows.safetensors", False: "rows-as-written.safetensors"}
ESTIMATES = "estimates"
POLL = 0.5  # seconds between two looks at processes
DEATHS = 3  # so many workers per job may die (be killed) before it is given up


@dataclass(frozen=True)
class Job:
    """Hold what every worker of a study must know: plain values, so that any process can be told."""

    run: RunSettings
    place: Place
    objectives: tuple[str, ...]
    budget: Budget
    made_from: str
    deadline: float | None = None

    @property
    def estimates(self) -> Path:
        return self.place.folder / ESTIMATES / self.place.name


def work(job: Job, readings: Mapping[bool, Visible], watch: Callable[[Any], None]) -> None:
    """Run trials in this process until the budget is spent; `watch` is called with the study after every epoch.

    Raises: KeyboardInterrupt after the trial it stopped was queued once more.
    """
    first = next(iter(readings.values()))
    aims = goals(job.objectives, first.kinds)
    space = Space.of(job.run)
    study = open_study(job.place, aims, job.made_from)
    gate = job.place.gate
    with alive(job.place) as name, held() as hold:

        def begun(trial: Any) -> None:
            trial.set_user_attr(WORKER, name)
            gate.release(force=True)

        attempt = Attempt(
            space, aims, readings, job.budget, job.deadline, job.estimates, hold, begun, lambda: watch(study)
        )
        while True:
            hold.check()
            try:
                gate.acquire()
                revive(study, job.place)
                trials = study.get_trials(deepcopy=False)
                if not job.budget.open(trials, job.deadline):
                    return
                enqueue_starts(study, space)
                equip(study, job.run, space, aims, len(first.folds), job.budget.trials)
                _one(study, attempt)
            finally:
                gate.release(force=True)
            watch(study)


def _one(study: Any, attempt: Attempt) -> None:
    """Run one trial; queue it once more where it was stopped."""
    try:
        with quietly():
            study.optimize(attempt, n_trials=1)
    except (Stopped, KeyboardInterrupt) as stop:
        if attempt.start:
            enqueue_start(study, attempt.space, attempt.start)
        elif attempt.settings:
            study.enqueue_trial(attempt.settings)
        if isinstance(stop, KeyboardInterrupt):
            raise


def work_apart(job: Job, readings: Mapping[bool, Visible], jobs: int, watch: Callable[[Any], None]) -> None:
    """Run trials in several processes, which map the rows into memory from one file; a killed one is replaced.

    Raises: what a worker raised; ResourceError where workers are killed again and again.
    """
    first = next(iter(readings.values()))
    study = open_study(job.place, goals(job.objectives, first.kinds), job.made_from)
    for standardize, rows in readings.items():
        rows.save(job.place.folder / ROWS[standardize])
    context = multiprocessing.get_context("spawn")
    crew: list[tuple[BaseProcess, Connection]] = []

    def hire() -> None:
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_worker, args=(job, tuple(readings), theirs), daemon=True)
        with ignored():
            process.start()
        theirs.close()
        crew.append((process, mine))

    deaths = 0
    try:
        for _ in range(jobs):
            hire()
        while crew:
            time.sleep(POLL)
            rearm()
            watch(study)
            for member in [m for m in crew if m[0].exitcode is not None]:
                crew.remove(member)
                if _died(*member):
                    deaths += 1
                    if deaths > DEATHS * jobs:
                        raise ResourceError(
                            f"{deaths} workers were killed, perhaps for memory: use fewer --jobs, or a smaller space."
                        )
                    hire()
    finally:
        for process, _ in crew:
            process.join(timeout=5)  # Ctrl-C reached them too: let them put their trials back
            if process.is_alive():
                process.terminate()
                process.join()


def _died(process: BaseProcess, pipe: Connection) -> bool:
    """Say whether a worker was killed; raise what it raised."""
    if process.exitcode == 0:
        return False
    if process.exitcode == INTERRUPTED:
        raise KeyboardInterrupt
    try:
        raised = pipe.recv()
    except EOFError:  # it had no time to say anything
        return True
    raise raised


def _worker(job: Job, readings: tuple[bool, ...], pipe: Connection) -> None:
    parent = multiprocessing.parent_process()

    def watch(study: Any) -> None:
        rearm()
        if parent is not None and not parent.is_alive():
            raise KeyboardInterrupt  # nobody is there to be told

    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored until here
        rearm()
        work(job, {setting: Visible.load(job.place.folder / ROWS[setting]) for setting in readings}, watch)
    except MolgraphError as error:
        pipe.send(error)
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
