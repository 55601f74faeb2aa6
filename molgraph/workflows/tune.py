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

from molgraph import registry
from molgraph import split as splits
from molgraph.config import RunSettings
from molgraph.data.files import atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.table import is_file
from molgraph.errors import ConfigError, DataError
from molgraph.report.studied import write_study_report
from molgraph.split import Split
from molgraph.tune.attempt import WHY
from molgraph.tune.budget import Budget, clock
from molgraph.tune.goals import Goal, goal_names, goals
from molgraph.tune.rows import Fold, Visible, only
from molgraph.tune.space import Space
from molgraph.tune.study import GRACE, JOURNAL, Place, doubtful, methods, open_study, revive
from molgraph.tune.work import ESTIMATES, POLL, ROWS, Job, work, work_apart
from molgraph.workflows import show
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
from molgraph.workflows.plan import Plan, grouping, guarded, plan, rivals
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

    `outer` is (number, of): test that fold of so many, by group, instead of the rows the run's split would test.
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
        for name, least in (("jobs", 1), ("folds", 1), ("ensemble", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"--{name} {getattr(self, name)}: give {least} or more.")
        if self.study and not self.storage:
            raise ConfigError(f"--study {self.study}: names a study in a --storage; without one --out keeps the study.")
        goal_names(self.objectives)


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
    end = None if request.budget.seconds is None else time.time() + request.budget.seconds
    try:
        half = end if end is None or rival is None else end - (request.budget.seconds or 0.0) / 2
        _study(outcome, request, MODEL, run.model, space, half)
        if rival is not None:
            say(f"tuning {name}, the method to beat, with the same budget")
            _study(outcome, request, COMPARATOR, name, spaces[COMPARATOR], end)
    finally:
        _write(outcome, request)
    if outcome.best is None:
        raise _none(outcome)
    conclude(outcome, request.ensemble)
    _say(outcome, _write(outcome, request))
    return outcome


def every_model(run: RunSettings, room: str = "") -> RunSettings:
    """Return a run whose model stands in the room whose models are all to be tried.

    It is the one that is named; else that of the run's model, or where that cannot read the data, the one that can.

    Raises: ConfigError for an unknown room, or where none is named and not exactly one can read the data.
    """
    own = run.model.partition("/")[0]
    if not room and (run.inputs or not is_file(run.data) or _reads(own, run)):
        return run
    found = [room] if room else [name for name in registry.ROOMS if _reads(name, run)]
    if len(found) != 1:
        can = f"{' and '.join(found)} can all read" if found else "no room can read"
        raise ConfigError(f"--model all: {can} {run.data}; name the room: --model {own}/all.")
    made = registry.room(f"{found[0]}/")
    first = next(name for name in registry.models() if name.startswith(f"{made.name}/"))
    return run if made.name == own else replace(run, model=first)


def _reads(room: str, run: RunSettings) -> bool:
    """Say whether a room finds its input in the data."""
    try:
        next(iter(registry.room(f"{room}/").read(run.data, run.column or None)), None)
    except DataError:
        return False
    return True


def nested_folder(
    run: RunSettings, request: Request, outer: int, *, overwrite: bool = False, source: Any = None
) -> list[Outcome]:
    """Tune once for each of several outer folds, each tested by rows that its own tuning never saw.

    Leaves `fold-K/` as `tune_folder` does, and `nested.json`: what tuning, and not one lucky choice, is worth.

    Raises: as `tune_folder`.
    """
    if outer < 2:
        raise ConfigError(f"--outer {outer}: give 2 or more.")
    found = []
    for number in range(outer):
        say(f"\nouter fold {number + 1} of {outer}")
        asked = replace(request, out=request.out / f"fold-{number + 1}", outer=(number, outer))
        found.append(tune_folder(run, asked, overwrite=overwrite, source=source))
    scores = [_test_scores(outcome) for outcome in found]
    means = {name: [each.get(name) for each in scores] for name in scores[0]}
    with atomic(request.out / "nested.json") as file:
        file.write(json.dumps(means, indent=1, ensure_ascii=False).encode())
    for name, values in means.items():
        known = [value for value in values if value is not None]
        if known:
            mean, spread = np.mean(known), np.std(known, ddof=1) if len(known) > 1 else 0.0
            say(f"{name}: {mean:.4g}, standard deviation {spread:.2g} over {len(known)} outer folds")
    return found


def _test_scores(outcome: Outcome) -> dict[str, float | None]:
    """Return the main score of each target, of the model and of what it had to beat, on the test rows."""
    found = {}
    for target, metric in outcome.assessment["main"].items():
        found[f"{target}, {metric}, tuned"] = outcome.assessment["model"][target][metric]["value"]
        for name, scores in outcome.assessment["others"].items():
            found[f"{target}, {metric}, {name.partition(' (')[0]}"] = scores[target][metric]["value"]
    return found


def _plans(
    run: RunSettings, source: Any, spaces: Mapping[str, Space], outer: tuple[int, int] | None
) -> dict[bool, Plan]:
    """Read the rows, once for every way of reading them that a trial may try; all have the folds of the run's own."""
    also = spaces[MODEL].runs()
    beside = spaces[COMPARATOR].runs() if COMPARATOR in spaces else []
    made = plan(run, source, workers=0, also=also, beside=beside)
    if outer is not None:
        cut, leaks = guarded(made.run, made.rows, _tested(made, *outer), also)
        made = replace(made, split=cut, leaks=leaks)
    show.plan(made)
    found = {run.standardize: made}
    if any(each.name == "standardize" for each in spaces[MODEL].dimensions):
        other = replace(run, standardize=not run.standardize)
        found[other.standardize] = _aligned(plan(other, source, workers=0, also=also, beside=beside), made)
    return found


def _begun(request: Request, plans: Mapping[bool, Plan], made: Plan, space: Space) -> Outcome:
    aims = goals(request.objectives, made.rows.kinds)
    readings = {setting: _visible(each, request.folds) for setting, each in plans.items()}
    how = methods(space, aims, request.folds, request.budget.trials)
    say(how)
    return Outcome(request.out, made, plans, readings, aims, request.budget, how)


def _study(outcome: Outcome, request: Request, which: str, title: str, space: Space, deadline: float | None) -> None:
    """Run one study until its budget is spent."""
    run, folder = space.run, request.out
    readings = outcome.readings if which == MODEL else {run.standardize: outcome.readings[run.standardize]}
    made_from = _made_from(run, readings, outcome.goals)
    name = f"{request.study or made_from[:NAME]}-{which}" if request.storage else which
    place = Place(folder, name, request.storage)
    job = Job(run, place, tuple(goal.name for goal in outcome.goals), request.budget, made_from, deadline)
    study = open_study(place, outcome.goals, made_from)
    if request.storage:
        say(f"the study {name} in the storage is {'joined' if study.get_trials(deepcopy=False) else 'begun'}")
    watch = Trials(which, outcome.goals, request.budget, deadline)
    try:
        watch(study)
        _await_heartbeats(study, place, request.budget, deadline)
        if request.jobs > 1:
            work_apart(job, readings, request.jobs, watch)
        else:
            work(job, readings, watch)
    finally:
        study = open_study(place, outcome.goals, made_from)  # afresh: Ctrl-C may have struck while the other was read
        outcome.studies[which] = Tuned(title, space, study, job.estimates)
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
    if MODEL not in outcome.studies:
        return {}
    choose(outcome, request.pick)
    write_trials_of(outcome)
    if outcome.best is None:
        return {}
    write_best(outcome)
    found = summary(outcome)
    with atomic(request.out / "study.json") as file:
        file.write(json.dumps(found, indent=1, ensure_ascii=False).encode())
    write_study_report(request.out / "study.html", study_page(outcome, found))
    return found


def _made_from(run: RunSettings, readings: Mapping[bool, Visible], aims: Sequence[Goal]) -> str:
    """Return the sha256 of what decides a trial's score."""
    text = json.dumps({**asdict(run), "data": ""}, sort_keys=True) + ",".join(goal.name for goal in aims)
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
        groups = grouping(made)[seen]
        found = tuple(_fold(data.rows, groups, made.run.seed, number, folds) for number in range(folds))
    return Visible(data, found, rows.kinds, dict(rows.classes))


def _tested(made: Plan, number: int, of: int) -> Split:
    """Return the split that tests one of several folds, by group."""
    data, seed = made.rows.data, made.run.seed
    return splits.split(
        len(data), method="group_random", groups=grouping(made), seed=seed, fold=number, folds=of, rows=data.rows
    )


def _fold(records: Any, groups: Any, seed: int, number: int, folds: int) -> Fold:
    """Return one fold of a cross-validation by group; what would calibrate trains, for nothing is calibrated."""
    cut = splits.split(
        len(records), method="group_random", groups=groups, seed=seed, fold=number, folds=folds, rows=records
    )
    return Fold(np.sort(np.concatenate([cut.train, cut.calibration])), cut.valid, cut.test)


def _aligned(other: Plan, made: Plan) -> Plan:
    """Give a plan that reads the rows in another way the folds of the first, row by row of the user's file."""
    records = other.rows.data.rows

    def same(fold: Any) -> Any:
        return np.flatnonzero(np.isin(records, made.rows.data.rows[fold]))

    cut = made.split
    folds = (same(fold) for fold in (cut.train, cut.valid, cut.calibration, cut.test))
    return replace(other, split=Split(*folds), leaks=made.leaks)


def _say(outcome: Outcome, found: Mapping[str, Any]) -> None:
    """Say what to take and how to use it."""
    best = outcome.best
    scores = ", ".join(f"{g.label} {v:.4g}" for g, v in zip(outcome.goals, best.values, strict=True))
    say(f"\ntaken: trial {best.number}, {scores} on the validation rows; settings in {outcome.out / 'best.toml'}")
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
