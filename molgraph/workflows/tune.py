"""Tune: test rows put away, a study of the model and one of the method it has to beat, and what came of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph import registry
from molgraph.config import RunSettings
from molgraph.data.files import atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.table import is_file
from molgraph.errors import ConfigError, DataError
from molgraph.report.studied import write_study_report
from molgraph.split import Split
from molgraph.tune.attempt import WHY
from molgraph.tune.budget import Budget, clock, worked
from molgraph.tune.goals import Goal, goal_names, goals
from molgraph.tune.rows import Fold, Visible, only
from molgraph.tune.space import Space
from molgraph.tune.study import GRACE, JOURNAL, Place, doubtful, methods, open_study, revive
from molgraph.tune.work import ESTIMATES, POLL, ROWS, Job, work, work_apart
from molgraph.workflows import show
from molgraph.workflows.folds import fold
from molgraph.workflows.natural import unit_of_errors
from molgraph.workflows.outcome import (
    COMPARATOR,
    MODEL,
    Outcome,
    Tuned,
    choose,
    conclude,
    summary,
    write_best,
    write_trials_of,
)
from molgraph.workflows.plan import Plan, guarded, own_labels, plan
from molgraph.workflows.rivals import rivals
from molgraph.workflows.show import say
from molgraph.workflows.study_page import study_page
from molgraph.workflows.watch import Trials

OURS = (
    JOURNAL, Path(JOURNAL).with_suffix(".lock").name, "gate.lock", "workers", ESTIMATES, *ROWS.values(), "trials.csv",
    "trials-comparator.csv", "study.html", "study.json", "best.toml", "best", "ensemble",
)  # fmt: skip
NAME = 12  # letters of a digest that name a study


@dataclass(frozen=True)
class Request:
    """Hold what a person asks of a tuning. `pick` is the trial to take instead of the best.

    `study` is its name in the `storage`; without one it is called after its run and data, so that the same command
    joins it from any folder of any machine.

    `outer` is (number, of): test that fold of so many, by group, instead of the rows the run's split would test. The
    budget's seconds are then those of the fold over all commands, else of this command.
    """

    out: Path
    budget: Budget
    jobs: int = 1
    storage: str = ""
    study: str = ""
    objectives: tuple[str, ...] = ()
    folds: int = 1
    ensemble: int = 5
    pick: int | None = None
    outer: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, given in (("jobs", self.jobs), ("folds", self.folds), ("top", self.ensemble)):
            if given < 1:
                raise ConfigError(f"--{name} {given}: give 1 or more.")
        if self.study and not self.storage:
            raise ConfigError(f"--study {self.study}: names a study in a --storage; without one --out keeps the study.")
        goal_names(self.objectives)


@dataclass(frozen=True)
class Search:
    """Hold one of the studies of a tuning: what it tunes, on which rows, and where it is kept."""

    which: str
    title: str
    space: Space
    readings: Mapping[bool, Visible]
    made_from: str
    place: Place


def tune_folder(run: RunSettings, request: Request, *, overwrite: bool = False, source: Any = None) -> Outcome:
    """Tune a run into a folder; the same command goes on where an earlier one stopped, or joins one that runs.

    Leaves the study, `trials.csv`, `study.html`, `best.toml` (a run file), the model it makes in `best/` and, where
    others add to it, those in `ensemble/`.

    Raises: ConfigError for settings that do not go together, or a folder with another study; DataError where the data
    is unusable or no trial came to its end; KeyboardInterrupt after what was found so far has been written.
    """
    if run.init:
        raise ConfigError(
            "init: tuning begins from drawn weights; leave init out, and fine-tune with the best settings."
        )
    space = Space.of(run)
    name, rival = next((each for each in rivals(run).items() if each[1].inputs.keys() == run.inputs.keys()), ("", None))
    spaces = {MODEL: space} if rival is None else {MODEL: space, COMPARATOR: Space.of_rival(rival, run.space)}
    with os_errors(request.out):
        request.out.mkdir(parents=True, exist_ok=True)
        if overwrite:
            _clear(request.out)
            if request.storage:
                say("the study in the --storage stays as it is; another --study begins a new one")
    plans = _plans(run, source, spaces, request.outer)
    outcome = _begun(request, plans, plans[run.standardize], space)
    searches = [_search(outcome, request, MODEL, run.model, space)]
    if rival is not None:
        searches.append(_search(outcome, request, COMPARATOR, name, spaces[COMPARATOR]))
    deadlines = _deadlines(outcome, request, searches)
    try:
        for search, deadline in zip(searches, deadlines, strict=True):
            if search.which == COMPARATOR:
                say(f"tuning {name}, the method to beat, with the same budget")
            _study(outcome, request, search, deadline)
    finally:
        if MODEL in outcome.studies:
            choose(outcome, request.pick)  # once: a better trial that ends elsewhere meanwhile is for the next command
            _write(outcome, request)
    if outcome.best is None:
        raise _none(outcome)
    conclude(outcome, request.ensemble)
    _say(outcome, request, _write(outcome, request))
    return outcome


def every_model(run: RunSettings, room: str = "") -> RunSettings:
    """Return a run whose model stands in the room whose models are all to be tried.

    It is the one that is named; else that of the run's model, or where that cannot read the data, the one that can.

    Raises: ConfigError for an unknown room, or where none is named and not exactly one can read the data.
    """
    own = run.model.partition("/")[0]
    if run.inputs or (not room and (not is_file(run.data) or _reads(own, run))):
        return run
    named = (name for name in registry.rooms() if registry.room(f"{name}/").reading.columns)  # others read any table
    found = [room] if room else [name for name in named if _reads(name, run)]
    if len(found) != 1:
        can = f"{' and '.join(found)} can all read" if found else "no room can read"
        raise ConfigError(f"--model all: {can} {run.data}; name the room: --model {own}/all.")
    made = registry.room(f"{found[0]}/")
    first = next(name for name in registry.models() if name.startswith(f"{made.name}/"))
    return run if made.name == own else replace(run, model=first)


def _reads(room: str, run: RunSettings) -> bool:
    """Say whether a room finds its input in the data."""
    try:
        next(iter(registry.room(f"{room}/").reading.read(run.data, run.column or None)), None)
    except DataError:
        return False
    return True


def _plans(
    run: RunSettings, source: Any, spaces: Mapping[str, Space], outer: tuple[int, int] | None
) -> dict[bool, Plan]:
    """Read the rows, once for every way of reading them that a trial may try; all have the folds of the run's own."""
    also = spaces[MODEL].runs()
    beside = spaces[COMPARATOR].runs() if COMPARATOR in spaces else []
    made = plan(run, source, workers=0, also=also, beside=beside)
    if outer is not None:
        cut, leaks = guarded(made.run, made.rows, fold(made, *outer, made.run.seed), also)
        made = replace(made, split=cut, leaks=leaks)
    show.plan(made)
    found = {run.standardize: made}
    if any(each.name == "standardize" for each in spaces[MODEL].dimensions):
        other = replace(run, standardize=not run.standardize)
        found[other.standardize] = _aligned(plan(other, source, workers=0, also=also, beside=beside), made)
    return found


def _begun(request: Request, plans: Mapping[bool, Plan], made: Plan, space: Space) -> Outcome:
    aims = goals(request.objectives, made.rows.kinds, unit_of_errors(made, list(made.rows.kinds)))
    readings = {setting: _visible(each, request.folds) for setting, each in plans.items()}
    how = methods(space, aims, request.folds, request.budget.trials)
    if request.folds > 1 and own_labels(made.run.split):
        how += f" The folds are drawn by group, as the split '{made.run.split}' makes none."
    say(how)
    return Outcome(request.out, made, plans, readings, aims, request.budget, how)


def _search(outcome: Outcome, request: Request, which: str, title: str, space: Space) -> Search:
    run = space.run
    readings = outcome.readings if which == MODEL else {run.standardize: outcome.readings[run.standardize]}
    made_from = _made_from(run, readings, outcome.goals)
    name = f"{made_from[:NAME]}-{which}" if request.storage else which
    if request.study:  # as the person calls it
        name = request.study if which == MODEL else f"{request.study}-{which}"
    return Search(which, title, space, readings, made_from, Place(request.out, name, request.storage))


def _deadlines(outcome: Outcome, request: Request, searches: Sequence[Search]) -> list[float | None]:
    """Return until when each study may work: what time is left evens out what they have worked in earlier commands."""
    seconds = request.budget.seconds
    if seconds is None:
        return [None] * len(searches)
    studies = [open_study(each.place, outcome.goals, each.made_from) for each in searches]
    before = [worked(study.get_trials(deepcopy=False)) / request.jobs for study in studies]
    left = seconds if request.outer is None else max(0.0, seconds - sum(before))
    end = time.time() + left
    if len(searches) == 1:
        return [end]
    mine = min(left, max(0.0, (left + before[1] - before[0]) / 2))
    return [end - left + mine, end]


def _study(outcome: Outcome, request: Request, search: Search, deadline: float | None) -> None:
    """Run one study until its budget is spent."""
    place, objectives = search.place, tuple(goal.name for goal in outcome.goals)
    job = Job(search.space.run, place, objectives, request.budget, search.made_from, deadline)
    study = open_study(place, outcome.goals, search.made_from)
    if request.storage:
        begun = study.get_trials(deepcopy=False)
        say(f"the study {place.name} in the storage is {'joined' if begun else 'begun'}")
    watch = Trials(search.which, outcome.goals, request.budget, deadline)
    try:
        watch(study)
        _await_heartbeats(study, place, request.budget, deadline)
        if request.jobs > 1:
            work_apart(job, search.readings, request.jobs, watch)
        else:
            work(job, search.readings, watch)
    finally:
        study = open_study(place, outcome.goals, search.made_from)  # afresh: Ctrl-C may have struck while it was read
        outcome.studies[search.which] = Tuned(search.title, search.space, study, job.estimates)
        watch(study, last=True)


def _await_heartbeats(study: Any, place: Place, budget: Budget, deadline: float | None) -> None:
    """Wait, where killed workers may hold the last of the budget, until the database can tell."""
    end = time.time() + GRACE * place.heartbeat + 2  # a database may tell the time in whole seconds, twice cut off
    said = False
    while time.time() < end:
        with place.gate:
            revive(study, place)
        unsure = doubtful(study, place)
        if not unsure or budget.open(study.get_trials(deepcopy=False), deadline):
            return
        if not said:
            numbers, said = ", ".join(map(str, unsure)), True
            say(f"trial {numbers} runs elsewhere, or was killed: its heartbeat tells, in {clock(end - time.time())}")
        rearm()
        time.sleep(POLL)


def _write(outcome: Outcome, request: Request) -> dict[str, Any]:
    """Write all that is known so far, and return it."""
    write_trials_of(outcome)
    if outcome.best is None:
        return {}
    if request.outer is None:  # of a fold it would not train that fold, but the run's own split
        write_best(outcome)
    found = summary(outcome)
    with atomic(request.out / "study.json") as file:
        file.write(json.dumps(found, indent=1, ensure_ascii=False).encode())
    write_study_report(request.out / "study.html", study_page(outcome, found))
    return found


def _made_from(run: RunSettings, readings: Mapping[bool, Visible], aims: Sequence[Goal]) -> str:
    """Return the sha256 of what decides a trial's score."""
    said = {name: value for name, value in asdict(run).items() if name != "metrics"}  # those are only shown
    text = json.dumps({**said, "data": "", "refit": ""}, sort_keys=True) + ",".join(goal.name for goal in aims)
    found = hashlib.sha256(text.encode())
    for rows in readings.values():
        found.update(rows.digest.encode())
    return found.hexdigest()


def _visible(made: Plan, folds: int) -> Visible:
    """Return the rows a study may see: those that train and those that stop the training, cut into folds if wanted.

    Raises: DataError where no row is left to choose by.
    """
    cut, rows = made.split, made.rows
    if not len(cut.valid):
        raise DataError(f"{rows.origin}: no validation rows to choose by; give more rows, or another --split.")
    seen = np.sort(np.concatenate([cut.train, cut.valid]))
    data = only(rows.data, seen)
    where = [np.searchsorted(seen, part) for part in (cut.train, cut.valid)]
    if folds == 1:
        found: tuple[Fold, ...] = (Fold(where[0], where[1], where[1]),)
    else:
        found = tuple(_fold(made, seen, number, folds) for number in range(folds))
    return Visible(data, found, rows.kinds, dict(rows.classes))


def _fold(made: Plan, seen: NDArray[np.int64], number: int, folds: int) -> Fold:
    """Return one fold of a cross-validation of the rows seen; what would calibrate trains: nothing is calibrated."""
    cut = fold(made, number, folds, made.run.seed, among=seen)
    return Fold(np.sort(np.concatenate([cut.train, cut.calibration])), cut.valid, cut.test)


def _aligned(other: Plan, made: Plan) -> Plan:
    """Give a plan that reads the rows in another way the folds of the first, row by row of the user's file."""
    records = other.rows.data.rows

    def same(fold: Any) -> Any:
        return np.flatnonzero(np.isin(records, made.rows.data.rows[fold]))

    cut = made.split
    folds = (same(fold) for fold in (cut.train, cut.valid, cut.calibration, cut.test))
    return replace(other, split=Split(*folds), leaks=made.leaks)


def _say(outcome: Outcome, request: Request, found: Mapping[str, Any]) -> None:
    """Say what to take and how to use it."""
    best = outcome.best
    scores = ", ".join(f"{g.label} {v:.4g}" for g, v in zip(outcome.goals, best.values, strict=True))
    settings = outcome.out / ("best.toml" if request.outer is None else "study.json")
    say(f"\ntaken: trial {best.number}, {scores} on the validation rows; settings in {settings}")
    for note in (found["noise"], *outcome.notes, found["more_trials"]):
        say(note)
    folders = " ".join(str(path) for path in (outcome.out / "best", *(path for _, path in outcome.ensemble)))
    say(f"open {outcome.out / 'study.html'}; use it with --model {folders}")


def _none(outcome: Outcome) -> DataError:
    trials = outcome.main.study.get_trials(deepcopy=False)
    running = sum(t.state.name == "RUNNING" for t in trials)
    if running:
        return DataError(f"no trial has come to its end; {running} run elsewhere. Start again when they are done.")
    reasons = [t.user_attrs[WHY].rstrip(".") for t in trials if WHY in t.user_attrs]
    return DataError(
        f"no trial came to its end{f'; the first because: {reasons[0]}' if reasons else ''}. "
        "Give more time, or a smaller space."
    )


def _clear(folder: Path) -> None:
    for name in OURS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
