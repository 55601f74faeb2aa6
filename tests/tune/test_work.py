"""Workers: one, two, killed, stopped; the study is the same in the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from molgraph.errors import DataError
from molgraph.tune import work as module
from molgraph.tune.goals import goals
from molgraph.tune.rows import Visible
from molgraph.tune.space import Space
from molgraph.tune.study import open_study
from molgraph.tune.work import ROWS, Job, work, work_apart

Jobs = Callable[..., Job]


def nothing(study: Any) -> None:
    """Watch nothing."""


def study_of(job: Job, rows: Visible) -> Any:
    return open_study(job.place, goals(job.objectives, rows.kinds), job.made_from)


def told(study: Any) -> list[tuple[str, Any, Any]]:
    """Return what the trials that count tried and found."""
    done = [t for t in study.trials if t.state.name in ("COMPLETE", "PRUNED")]
    return [(t.state.name, tuple(sorted(t.params.items())), t.value) for t in done]


@pytest.fixture(scope="module")
def whole(run, rows, tmp_path_factory) -> list[tuple[str, Any, Any]]:
    """Return a study that nobody disturbed."""
    from molgraph.tune.budget import Budget
    from molgraph.tune.study import Place

    job = Job(run, Place(tmp_path_factory.mktemp("whole"), "tune"), (), Budget(5), "digest")
    work(job, {True: rows}, nothing)
    return told(study_of(job, rows))


def test_no_tuning_comes_first_then_as_many_trials_as_there_are(whole: list[Any], run):
    assert len(whole) == 5
    assert dict(whole[0][1]) == Space.of(run).enqueued()[0]
    assert len({params for _, params, _ in whole}) == 5


def test_a_study_taken_up_again_goes_on_as_one_that_was_not_stopped(job: Jobs, rows: Visible, whole: list[Any]):
    for trials in (2, 5, 5):
        work(job(trials), {True: rows}, nothing)
    assert told(study_of(job(), rows)) == whole


def test_ctrl_c_puts_the_trial_back(job: Jobs, rows: Visible, whole: list[Any]):
    def stop(study: Any) -> None:
        if sum(t.state.name == "COMPLETE" for t in study.trials) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(job(5), {True: rows}, stop)
    states = [t.state.name for t in study_of(job(), rows).trials]
    assert states in (["COMPLETE"], ["COMPLETE", "FAIL", "WAITING"])
    work(job(5), {True: rows}, nothing)
    assert told(study_of(job(), rows)) == whole


def _slow(job: Job, ready: Any) -> None:
    """Work, and stand still in the second trial."""

    def watch(study: Any) -> None:
        if any(t.state.name == "COMPLETE" for t in study.trials) and study.trials[-1].state.name == "RUNNING":
            ready.set()
            time.sleep(60)

    work(job, {True: Visible.load(job.place.folder / ROWS[True])}, watch)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_the_trial_of_a_killed_worker_is_found_and_tried_again(job: Jobs, rows: Visible, whole: list[Any]):
    rows.save(job().place.folder / ROWS[True])
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_slow, args=(job(5), ready))
    process.start()
    assert ready.wait(60) and process.pid
    assert [t.state.name for t in study_of(job(), rows).trials] == ["COMPLETE", "RUNNING"]
    work(job(1), {True: rows}, nothing)  # one trial is done: another worker has nothing to do, and leaves it alone
    assert study_of(job(), rows).trials[1].state.name == "RUNNING"
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    work(job(5), {True: rows}, nothing)
    study = study_of(job(), rows)
    assert [t.state.name for t in study.trials][:3] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert study.trials[2].params == study.trials[1].params
    assert told(study) == whole


def test_two_workers_share_one_journal(job: Jobs, rows: Visible, run):
    many = 24  # so that the slower to start finds some left
    work_apart(job(many), {True: rows}, 2, nothing)
    study = study_of(job(), rows)
    assert [t.state.name for t in study.trials if t.state.name == "FAIL"] == []
    assert len(told(study)) == many
    assert study.trials[0].params == Space.of(run).enqueued()[0]
    assert len({t.user_attrs["worker"] for t in study.trials}) == 2
    assert not list(job().place.workers.iterdir())


def test_what_a_worker_raises_is_raised_here(job: Jobs, rows: Visible):
    from dataclasses import replace

    class_less = replace(rows, folds=(replace(rows.folds[0], score=rows.folds[0].score[:1]),))
    with pytest.raises(DataError, match="fewer than 2 rows"):
        work_apart(job(2), {True: class_less}, 1, nothing)


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_a_killed_worker_is_replaced(job: Jobs, rows: Visible, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "POLL", 0.02)
    killed: list[int] = []

    def kill(study: Any) -> None:
        running = [t for t in study.trials if t.state.name == "RUNNING" and "worker" in t.user_attrs]
        if running and not killed:
            killed.append(int(running[0].user_attrs["worker"].split("-")[-2]))
            os.kill(killed[0], signal.SIGKILL)

    work_apart(job(3), {True: rows}, 1, kill)
    study = study_of(job(), rows)
    assert killed and sum(t.state.name == "FAIL" for t in study.trials) == 1
    assert len(told(study)) == 3
