"""Where a study is kept, who works on it, and what becomes of the trial of a worker that died."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import socket
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import url2pathname
from uuid import uuid4

import optuna
from filelock import FileLock, Timeout
from optuna.storages.journal import JournalFileBackend

from molgraph.config import RunSettings
from molgraph.data.files import os_errors
from molgraph.errors import ConfigError, ResourceError
from molgraph.fit.sampler import mix
from molgraph.tune.attempt import SEED, tried
from molgraph.tune.budget import FINISHED
from molgraph.tune.goals import Goal
from molgraph.tune.space import START, Space

JOURNAL, WORKERS, GATE = "study.journal", "workers", "gate.lock"
JOURNAL_URL, JOURNALS = "journal://", (".journal", ".log")
MADE_FROM, WORKER = "made_from", "worker"
HEARTBEAT = 60  # seconds between the signs of life that a worker gives to a database
GRACE = 2  # heartbeats without which a worker counts as dead
RETRIES = 2  # a trial that kills its worker so often is given up
HYPERBAND_FROM = 40  # trials; each of Hyperband's brackets needs more than the sampler's 10 random ones
REDUCTION, BRACKETS = 3, 3
WILCOXON = 0.1  # chance of pruning a trial as good as the best, per test: Optuna's default
FOLDS_TO_TEST = 5  # the least p of a signed-rank test on k - 1 folds, all but the last, is 1/2^(k - 1): 1/16 from here


@dataclass(frozen=True)
class Place:
    """Hold where a study lives: a journal file, by default in the folder, or a database under a URL."""

    folder: Path
    name: str
    url: str = ""
    heartbeat: int = HEARTBEAT

    @property
    def journal(self) -> Path | None:
        """Return the journal's file, None where a database keeps the study."""
        if self.url.startswith(JOURNAL_URL):
            return Path(url2pathname(self.url.removeprefix(JOURNAL_URL)))
        if "://" in self.url:
            return None
        if self.url and Path(self.url).suffix not in JOURNALS:
            raise ConfigError(
                f"--storage {self.url}: write the path of a file *.journal, or the URL of a database "
                "(sqlite:////folder/study.db, postgresql://...)."
            )
        return Path(self.url) if self.url else self.folder / JOURNAL

    @property
    def home(self) -> Path:
        """Return the folder of the locks: the journal's, so that all who share it see them."""
        return self.folder if self.journal is None else self.journal.parent

    @property
    def gate(self) -> FileLock:
        """Return the lock under which trials begin: so many as the budget has, each of another seed."""
        return FileLock(self.home / GATE)

    @property
    def workers(self) -> Path:
        return self.home / WORKERS


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep Optuna from talking: its log, and its warnings that what is used here may change in a later version."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def storage(place: Place) -> Any:
    """Open the storage.

    Raises: ResourceError where the folder cannot be written or the database does not answer.
    """
    path = place.journal
    if path is not None:
        lock: Any = _JournalLock(path)
        with os_errors(path):
            for folder in (place.folder, place.home):
                folder.mkdir(parents=True, exist_ok=True)
            backend = JournalFileBackend(str(path), lock_obj=lock)
            _mend(path, lock)
            return optuna.storages.JournalStorage(backend)
    from sqlalchemy.exc import SQLAlchemyError

    retry = optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)
    try:
        with quietly(), _loggers_as_they_are():
            return optuna.storages.RDBStorage(
                place.url,
                heartbeat_interval=place.heartbeat,
                grace_period=GRACE * place.heartbeat,
                heartbeat_stale_trial_callback=retry,
            )
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise ResourceError(
            f"--storage {place.url.partition('://')[0]}://...: no study can be kept there: "
            f"{str(error).splitlines()[0]}. Is the server running, and the database driver installed?"
        ) from error


@contextlib.contextmanager
def _loggers_as_they_are() -> Iterator[None]:
    """Keep Alembic, which Optuna asks to set up a database, from disabling every logger there is."""
    there = [found for found in logging.Logger.manager.loggerDict.values() if isinstance(found, logging.Logger)]
    before = [logger.disabled for logger in there]
    try:
        yield
    finally:
        for logger, was in zip(there, before, strict=True):
            logger.disabled = was


class _JournalLock:
    """Lock a journal by the system: what a killed worker held is free at once, and no privilege is needed.

    Optuna's own locks are files that stay: the others would wait half a minute for each.
    """

    def __init__(self, path: Path) -> None:
        self.lock = FileLock(path.with_suffix(".lock"))

    def acquire(self) -> bool:
        self.lock.acquire()
        return True

    def release(self) -> None:
        self.lock.release()


def _mend(path: Path, lock: _JournalLock) -> None:
    """Cut off the half line that a full disk or a power cut left: with it, no later line could be read."""
    lock.acquire()
    try:
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            if not size:
                return
            file.seek(max(0, size - (1 << 20)))
            tail = file.read()
            if not tail.endswith(b"\n"):
                file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
    finally:
        lock.release()


def open_study(place: Place, goals: tuple[Goal, ...], made_from: str) -> Any:
    """Create the study, or join it.

    Raises: ConfigError where the study there was made from other data or other settings.
    """
    with quietly():
        study = optuna.create_study(
            storage=storage(place),
            study_name=place.name,
            directions=[goal.direction for goal in goals],
            load_if_exists=True,
        )
        was = study.user_attrs.get(MADE_FROM)
        if was is None:
            study.set_user_attr(MADE_FROM, made_from)
            study.set_metric_names([goal.name for goal in goals])
        elif was != made_from:
            remedy = "Use another --study" if place.url else "Use another --out, or --overwrite to start anew"
            raise ConfigError(
                f"{place.url.partition('://')[0] or place.folder}: the study '{place.name}' there was made from other "
                f"data, settings or objectives. {remedy}."
            )
    return study


def enqueue_starts(study: Any, space: Space) -> None:
    """Put no tuning first: the run file's own settings, once for every choice of models.

    A study of an earlier version, which tried the nearest that its space held, tries them next.
    """
    known = [tried(trial) for trial in study.get_trials(deepcopy=False)]
    for start in space.enqueued():
        if start not in known:
            enqueue_start(study, space, start)


def enqueue_start(study: Any, space: Space, start: Mapping[str, Any]) -> None:
    """Queue a start. What of it the space lacks is no parameter of the trial, so that no other is ever drawn so."""
    study.enqueue_trial(space.held(start), user_attrs={START: dict(start)})


def revive(study: Any, place: Place) -> int:
    """Fail the trials whose workers are gone and queue them once more; return how many workers' locks were free.

    Every worker holds a lock for as long as it lives, which its death, of whatever kind, gives back. A journal has no
    other sign of life; of the workers of a database on other machines its heartbeat tells, after the grace period. A
    trial that died before all its settings were chosen has them chosen anew, as it would have without the death.
    """
    dead = 0
    again = optuna.storages.RetryHeartbeatStaleTrialCallback
    with quietly():
        optuna.storages.fail_stale_trials(study)
    for trial in _running(study):
        name = trial.user_attrs.get(WORKER, "")
        if not _seen(place, name) or (name and _lives(place.workers / name)):
            continue
        if SEED not in trial.user_attrs:
            trial = copy.deepcopy(trial)
            trial.params, trial.distributions = {}, {}
        with quietly():
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            again(max_retry=RETRIES)(study, trial)
        dead += 1
    return dead


def doubtful(study: Any, place: Place) -> list[int]:
    """Return the numbers of running trials whose workers only the heartbeat of the database knows to live."""
    return [t.number for t in _running(study) if not _seen(place, t.user_attrs.get(WORKER, ""))]


def _running(study: Any) -> list[Any]:
    found: list[Any] = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
    return found


def _seen(place: Place, name: str) -> bool:
    """Say whether a worker's lock tells of its life: always beside a journal, else where it is one of this machine."""
    mine = name.startswith(f"{socket.gethostname()}-") and (place.workers / name).exists()
    return place.journal is not None or mine


def _lives(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    path.unlink(missing_ok=True)
    return False


@contextlib.contextmanager
def alive(place: Place) -> Iterator[str]:
    """Give this worker a name, and hold its lock while it works."""
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}.lock"
    with os_errors(place.workers):
        place.workers.mkdir(parents=True, exist_ok=True)
    with FileLock(place.workers / name):
        yield name
    with contextlib.suppress(OSError):
        (place.workers / name).unlink(missing_ok=True)


def equip(study: Any, run: RunSettings, space: Space, goals: tuple[Goal, ...], folds: int, planned: int | None) -> None:
    """Give the study the sampler and the pruner of its next trial.

    The sampler is seeded by how many trials came before, so that a study that was stopped goes on as one that was not.
    """
    trials = study.get_trials(deepcopy=False)
    begun = sum(t.state.name not in ("FAIL", "WAITING") for t in trials)
    one = len(goals) == 1
    with quietly():
        study.sampler = optuna.samplers.TPESampler(
            seed=mix(run.seed, begun) % 2**32, multivariate=one, group=one and space.parted, constant_liar=True
        )
        study.pruner = _pruner(run, one, folds, max(planned or 0, sum(t.state.name in FINISHED for t in trials)))


def _pruner(run: RunSettings, one: bool, folds: int, planned: int) -> Any:
    if not one:
        return optuna.pruners.NopPruner()
    if folds > 1:
        tests = optuna.pruners.WilcoxonPruner(p_threshold=WILCOXON)
        return tests if folds >= FOLDS_TO_TEST else optuna.pruners.NopPruner()
    epochs = run.train.epochs
    if planned >= HYPERBAND_FROM:
        least = max(1, epochs // REDUCTION ** (BRACKETS - 1))
        return optuna.pruners.HyperbandPruner(min_resource=least, max_resource=epochs, reduction_factor=REDUCTION)
    return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(run.train.warmup, epochs // 5))


def _beyond(space: Space) -> str:
    """Say what the first trial alone tries."""
    lacked = ", ".join(f"{name} = {value}" for name, value in space.beyond.items())
    return (
        f", after the run file itself, whose {lacked} no other trial tries, as [space] leaves it out" if lacked else ""
    )


def methods(space: Space, goals: tuple[Goal, ...], folds: int, planned: int | None) -> str:
    """Say how trials are chosen and how bad ones are ended."""
    if len(goals) > 1:
        return (
            "Trials are chosen by TPE for several objectives, and none is ended early: Optuna cannot prune where there "
            "is more than one objective."
        )
    how = "multivariate TPE" + (", grouped by model" if space.conditional else "") + _beyond(space)
    if 1 < folds < FOLDS_TO_TEST:
        return (
            f"Trials are chosen by {how}, and none is ended early: with {folds} folds no test can tell a bad trial "
            f"before its last fold (from --folds {FOLDS_TO_TEST} on one can)."
        )
    if folds > 1:
        what = f"ended when a Wilcoxon test over folds finds it worse than the best (p < {WILCOXON})"
    elif planned is None:
        what = f"ended by the median rule, after {HYPERBAND_FROM} trials by Hyperband"
    elif planned >= HYPERBAND_FROM:
        what = "ended by Hyperband"
    else:
        what = f"ended by the median rule (Hyperband needs {HYPERBAND_FROM} trials)"
    return f"Trials are chosen by {how}; a bad one is {what}."
