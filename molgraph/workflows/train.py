"""Train a predictor, judge it beside the method it had to beat, and write its folder."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from molgraph.calibrate.tempered import notes as calibration_notes
from molgraph.config import RunSettings, dump
from molgraph.data.dataset import Dataset
from molgraph.data.files import alone, atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.errors import DataError, DivergedError, MolgraphError, ResourceError
from molgraph.fit import Epoch, processes
from molgraph.kinds import Kind
from molgraph.predictor import Predictor
from molgraph.predictor.assess import NEIGHBOUR, assess, neighbour_estimates
from molgraph.predictor.card import layers
from molgraph.predictor.checkpoint import REFIT, SPLIT, refuse_finished
from molgraph.predictor.folder import clear, save_history, save_rejects, settle
from molgraph.predictor.inside import by_domain
from molgraph.predictor.parts import folds
from molgraph.predictor.simple import CONSTANT, beside
from molgraph.predictor.training import Training
from molgraph.workflows import show
from molgraph.workflows.plan import Plan, plan

log = logging.getLogger("molgraph")
MOST = 12  # targets whose weights are said
Watch = Callable[[int, Epoch], None]


def train_rows(made: Plan, *, folder: Path | None = None, watch: Watch | None = None) -> Predictor:
    """Train as planned and judge on the test rows; `watch` sees every epoch.

    With `refit` the model that is returned is then trained on every row (docs/decisions/0023); the scores, intervals
    and thresholds are of the one before, `Predictor.judged`. Its members count on in what `watch` sees and in the
    history. Of several processes the first judges, when all have left their group.

    Ctrl-C ends the training early: the members trained so far, with their best weights, make the predictor, which
    says so in its facts (`interrupted`), and a folder keeps its checkpoint. While it is refitted, the judged one is
    kept.
    """
    began = time.perf_counter()
    twice = made.run.refit == "all" and len(made.split.train) < len(made.rows.data)
    training = Training(
        made.run, made.task, made.rows.data, made.split, _within(folder, SPLIT) if twice else folder, made.start
    )
    rearm()
    through = _followed(training, watch)
    if not through:
        show.say("stopped: judging what was trained so far")
    judged = kept = training.finish()
    history, stopped = training.history, "" if through else "training"
    if twice and through:
        again = training.again(_within(folder, REFIT))
        show.say(f"refitting on all {len(again.train):,} measured rows")
        through = _followed(again, watch, number=training.count + folds(made.run) * len(training.parts))
        if through:
            kept, kept.before = again.finish(judged), judged
            history = history + [{**line, "member": line["member"] + training.count} for line in again.history]
        else:
            stopped = "refit"
            show.say("stopped while refitting: the split's model is kept")
    facts = {**_facts(made, training, judged), "epochs": len(history), "interrupted": not through}
    facts |= {"stopped": stopped} if stopped else {}
    for note in said_weights(training):
        made.notes.append(note)
        show.say(f"note: {note}")
    if training.anew:
        made.notes.append(
            f"of the start's weights these did not fit, and start anew: {', '.join(layers(training.anew))}."
        )
        show.say(f"note: {made.notes[-1]}")
    if made.run.calibrate:
        for note in calibration_notes(made.task.names, judged.tempered):
            made.notes.append(note)
            show.say(f"note: {note}")
    lead = processes.rank() == 0
    processes.leave()  # the lead alone trains what is to be beaten: it must not wait for those that are done
    metrics = judge(judged, made) if lead else {}
    facts["seconds"] = round(time.perf_counter() - began, 1)
    for each in (judged, kept):
        each.recipe.units, each.recipe.columns = made.rows.units, made.rows.columns
        each.recipe.metrics, each.recipe.facts, each.history = metrics, dict(facts), history
    if kept is not judged:
        kept.recipe.facts["refitted"] = len(again.train)
    return kept


def _within(folder: Path | None, name: str) -> Path | None:
    if folder is None:
        return None
    (folder / name).mkdir(parents=True, exist_ok=True)
    return folder / name


def _followed(training: Training, watch: Watch | None, number: int = 0) -> bool:
    """Train to the end; False where Ctrl-C came before. Members are counted from `number` on.

    Raises: KeyboardInterrupt where nothing is there yet that could be kept.
    """
    try:
        with contextlib.closing(training.epochs()) as epochs:
            for member, epoch in epochs:
                if watch:
                    watch(number + member, epoch)
    except KeyboardInterrupt:
        if not number and not any(member.ready for member in training.members):
            raise
        return False
    return True


def _facts(made: Plan, training: Training, predictor: Predictor) -> dict[str, Any]:
    return {
        **made.facts,
        "model": made.run.model,
        "size": " + ".join(member.size for member in predictor.members[: len(training.parts)]),
        "members": len(predictor.members),
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "digest": training.digest,
    }


def said_weights(training: Training) -> list[str]:
    """Say what the parts of a consensus weigh and why; of other models nothing."""
    names = [part.model for part in training.parts]
    if len(names) == 1:
        return []
    alike = [name for name in training.task.names if name not in training.stacks]
    said = [f"{name}: the parts weigh alike, as nothing was measured that weighs them." for name in alike]
    for target, stack in training.stacks.items():
        each = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(names, stack.weights, strict=True))
        far = f"{stack.share:.0%} of the way from the best part alone to what fits those rows best"
        far = far if stack.share else "the best part alone, as no mixture fits those rows better for certain"
        by = f"estimates of {stack.rows:,} training rows by models that had not seen them"
        said.append(f"{target}: weights {each}, by {by}: {far}.")
    more = len(said) - MOST
    return said if more <= 0 else [*said[:MOST], f"and weights of {more} further targets, in recipe.json."]


def judge(predictor: Predictor, made: Plan) -> dict[str, Any]:
    """Return the test scores of the predictor, of the comparator and of the nearest neighbour, as JSON values.

    A method to beat that cannot be trained is left out, and `left_out` says why.
    """
    data = made.rows.data
    test = data.subset(made.split.test)
    others, left_out = {}, {}
    alone = predictor.each_part(test) if len(test) else {}
    for name, run in made.rivals.items() if len(test) else ():
        if name in alone:  # a part is not trained twice
            others[name] = alone[name]
            continue
        show.say(f"training {name}, {'a' if len(made.rivals) > 1 else 'the'} method to beat")
        mine = data.only(run.inputs) if run.inputs else data
        rival = Training(run, made.task, mine, made.split)
        try:
            for _ in rival.epochs():
                log.info("comparator %s trained", name)
            mine = mine.subset(made.split.test)
            others[name] = rival.estimate(mine)
        except (DataError, DivergedError, ResourceError) as error:  # what works for the model need not for the others
            if isinstance(error.__cause__, OSError):
                raise
            left_out[name] = str(error)
            made.notes.append(f"{name}, a method to beat, was left out: {error}")
            show.say(f"note: {made.notes[-1]}")
    others |= alone
    if predictor.domain is not None:
        others[NEIGHBOUR] = neighbour_estimates(predictor.domain, predictor.task, test)
    if made.start is not None and len(test):
        others |= _of_the_start(made, made.start, predictor.task, test)
    simple = beside([predictor], predictor.task, test) if len(test) else {}
    if not others:  # its room knows no simpler method, and not what is near
        nothing = np.full((len(test), len(predictor.task.columns)), np.nan)
        others["the simplest guess"] = simple[CONSTANT].estimates if CONSTANT in simple else nothing
    found = assess(predictor, test, others, simple, seed=made.run.seed)
    found["domain"] = by_domain(predictor, test, seed=made.run.seed)
    found["comparator_name"] = next(iter(others), "")
    found["comparator"] = found["others"].get(found["comparator_name"], {})
    found["left_out"] = left_out
    found["leaks"] = made.leaks.to_json()
    return found


def _of_the_start(made: Plan, start: Predictor, task: Kind, test: Dataset) -> dict[str, Any]:
    """Return what the model that the training started from says of the test rows, as it was, of the targets of the same
    name, kind and unit."""
    mine = made.rows
    same = [
        name
        for name in task.names
        if name in start.targets
        and start.task.of(name).word == mine.kinds[name]
        and start.recipe.units.get(name) == mine.units.get(name)
        and start.task.of(name).class_names == task.of(name).class_names
        and start.task.of(name).spreads == task.of(name).spreads
    ]
    if not same:
        return {}
    estimates, _ = start.estimate(test)
    found = np.full((len(test), len(task.columns)), np.nan)
    for name in same:
        found[:, task.block(name)] = estimates[:, start.task.block(name)]
    return {f"'{Path(made.run.init).name}' as it was": found}


def train_folder(
    run: RunSettings,
    out: Path | None,
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    tensorboard: bool = False,
    source: Any = None,
    planned: Plan | None = None,
) -> Predictor | None:
    """Train and write a model folder, with a log beside it; go on where a stopped training of the same run ended. What
    is `planned` already is not read again.

    Raises: ConfigError where the folder holds another model; KeyboardInterrupt after a stopped training was saved.
    """
    processes.join()
    try:
        lead = processes.rank() == 0
        with alone(out) if out is not None and lead and not dry_run else contextlib.nullcontext(), show.quiet(not lead):
            if out is not None and not overwrite:
                refuse_finished(out)
            made = planned or plan(run, source, workers=0)  # bad input is found here, before a folder is made
            if dry_run or out is None:
                show.plan(made)
                show.fields(made)
                show.say(f"leaks: {made.leaks.sentence}")
                show.say("nothing was trained (--dry-run)")
                return None
            with os_errors(out):
                predictor = train_plan(made, out, overwrite, lead, tensorboard)
    finally:
        processes.leave()
    if predictor.facts["interrupted"]:
        raise KeyboardInterrupt(show.kept(predictor, out))
    return predictor


def train_plan(
    made: Plan, out: Path, overwrite: bool = False, lead: bool = True, tensorboard: bool = False
) -> Predictor:
    """Train into a folder; only the lead process writes there."""
    out.mkdir(parents=True, exist_ok=True)
    if overwrite and lead:
        clear(out)
    processes.wait()  # until the old checkpoint is gone, nobody may read it
    with _logging(out if lead else None):
        show.plan(made)
        with show.Epochs(made.run, out if lead else None, tensorboard) as watch:
            predictor = train_rows(made, folder=out, watch=watch)
        if lead:
            _write(predictor, made, out)
            show.scores(predictor, out)
    return predictor


def _write(predictor: Predictor, made: Plan, folder: Path) -> None:
    if predictor.judged is not predictor:
        predictor.judged.save(folder / SPLIT)
    predictor.save(folder)
    save_history(folder, predictor.history)
    save_rejects(folder, made.rejects)
    with atomic(folder / "run.toml") as file:
        file.write(dump(replace(made.run)).encode())
    with atomic(folder / "metrics.json") as file:
        file.write(json.dumps(predictor.recipe.metrics, indent=1, ensure_ascii=False).encode())
    if not predictor.facts["interrupted"]:
        settle(folder)


@contextlib.contextmanager
def _logging(folder: Path | None) -> Iterator[None]:
    """Write our log messages to `run.log` in the folder."""
    if folder is None:
        yield
        return
    handler = _Log(folder / "run.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.disabled = False  # a library that configures logging disables the loggers it finds
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    except MolgraphError as error:
        log.error(error)
        raise
    finally:
        log.removeHandler(handler)
        handler.close()


class _Log(logging.FileHandler):
    """Raise what goes wrong in writing (a full disk), where logging would print a traceback and go on."""

    def handleError(self, record: logging.LogRecord) -> None:
        raise
