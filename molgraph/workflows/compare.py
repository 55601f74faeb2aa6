"""Compare models on one data set: the same folds of a repeated cross-validation for all, and what differs for sure."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from molgraph import config, registry
from molgraph.config import AUTO, RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.files import alone, atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.errors import CheckpointError, ConfigError
from molgraph.kinds import NAMED, Kind, make
from molgraph.metrics import METRICS, score
from molgraph.metrics.scores import IN_UNITS
from molgraph.predictor.inputs import slots
from molgraph.predictor.leaks import Leaks
from molgraph.predictor.member import needs
from molgraph.predictor.training import Training
from molgraph.several import read_by
from molgraph.split import Split
from molgraph.tune.budget import clock
from molgraph.workflows.compare_result import CELLS, PAGE, SCORES, Cell, Comparison, Request, conclude
from molgraph.workflows.folds import fold, refuse_own_labels
from molgraph.workflows.natural import unit_of_errors
from molgraph.workflows.plan import guarded, plan
from molgraph.workflows.rivals import NONE
from molgraph.workflows.show import say

RUN_FILE = ".toml"
OWN = ("model", "encoder", "inputs", "head", "train", "ensemble", "balance", "focal", "variance")  # a run file's share
# What must be the same for all.
SAME = ("targets", "task", "units", "standardize", "standardizer", "positive", "duplicates")
FEWEST = 2


def compare_folder(
    run: RunSettings, models: Sequence[str], request: Request, *, overwrite: bool = False, source: Any = None
) -> Comparison:
    """Score every model on every fold into a folder; the same command goes on where an earlier one stopped.

    `models` are registered names, or run files that bring their own settings. Leaves `cells/` (one file for each model
    and fold), `scores.csv`, `comparison.json` and the page `comparison.html`.

    Raises: ConfigError for models or settings that do not go together; DataError where the data is unusable;
    KeyboardInterrupt after what was finished so far has been written.
    """
    with alone(request.out):
        return _compare(run, models, request, overwrite, source)


def _compare(run: RunSettings, models: Sequence[str], request: Request, overwrite: bool, source: Any) -> Comparison:
    run = run.scratch() if run.init else run
    runs = contestants(run, models)
    request.check(len(runs))
    refuse_own_labels(run.split)
    first, *others = runs.values()
    made = plan(replace(first, comparator=NONE, leaks=run.leaks), source, workers=0, also=others)
    for kind in set(made.rows.kinds.values()):
        NAMED[kind].family.names([request.metric] if request.metric else None)
    found = Comparison(made, runs, request)
    facts, count = made.facts, len(runs) * len(found.folds)
    say(f"{facts['data']}: {facts['rows_read']} rows, {facts['rows_used']} used")
    say(f"{len(runs)} models on {request.repeats} times {request.folds} folds by {made.run.split}: {count} trainings")
    with os_errors(request.out):
        (request.out / CELLS).mkdir(parents=True, exist_ok=True)
        if overwrite:
            for path in (request.out / CELLS).glob("*.json"):
                path.unlink()
    try:
        _fill(found)
    except KeyboardInterrupt:  # a command that is refused leaves the files of the earlier one as they are
        conclude(found)
        raise
    conclude(found)
    for ranking in found.rankings.values():
        for sentence in ranking.sentences:
            say(sentence)
    for note in found.notes:
        say(f"note: {note}")
    say(f"open {request.out / PAGE}; every fold is in {request.out / SCORES}")
    return found


def contestants(run: RunSettings, models: Sequence[str]) -> dict[str, RunSettings]:
    """Return the run of each model by its name: a registered one with its default settings (those of the run's own
    model as the run says), or what a run file says of a model.

    Raises: ConfigError for fewer than two, the same twice, unknown ones, or a run file that reads other rows.
    """
    found: dict[str, RunSettings] = {}
    for word in models:
        if word.lower().endswith(RUN_FILE):
            name, made = Path(word).stem, _from_file(run, word)
        else:
            name, made = word, _of_model(run, word)
        if name in found:
            raise ConfigError(f"--models names '{name}' twice; give run files names of their own.")
        needs(made)
        found[name] = made
    if len(found) < FEWEST:
        raise ConfigError("--models: name at least two, separated by commas: --models molecule/dmpnn,molecule/forest.")
    named = {tuple((slot.name, slot.room.name) for slot in slots(each)) for each in found.values()}
    if len(named) > 1:
        raise ConfigError("--models: all must read the same inputs; compare models of other inputs apart.")
    if run.encoder and all(each.encoder != run.encoder for each in found.values()):
        raise ConfigError(f"the settings of '{run.model}' are given, and it is not among --models.")
    return found


def _of_model(run: RunSettings, model: str) -> RunSettings:
    """Return the run of a registered model; of several inputs it reads that of its room.

    Raises: ConfigError for an unknown one.
    """
    registry.model(model)
    read = read_by(run.inputs, model)
    if read is not None:
        joins, inputs = read
        return replace(run, model=joins, inputs=inputs, encoder=run.encoder if joins == run.model else {})
    return replace(run, model=model, encoder=run.encoder if model == run.model else {})


def _from_file(run: RunSettings, path: str) -> RunSettings:
    raw = config.read(path)
    theirs = config.settings(raw)
    for key in SAME:
        if key in raw and getattr(theirs, key) != getattr(run, key) and getattr(run, key) not in ([], AUTO):
            raise ConfigError(f"{path}: has another '{key}' than the comparison, so its scores would be of other rows.")
    return replace(run, **{key: getattr(theirs, key) for key in OWN})


def _fill(found: Comparison) -> None:
    """Train what is missing, fold by number."""
    total, done, spent = len(found.folds) * len(found.runs), 0, []
    for repeat, number in found.folds:
        cut = _cut(found, repeat, number)
        found.tested[repeat, number] = hashlib.sha256(cut.test.tobytes()).hexdigest()
        missing = {}
        for name, run in found.runs.items():
            cell = _kept(found, repeat, number, name, _digest(found, run, cut))
            if cell is None:
                missing[name] = run
            else:
                found.cells[repeat, number, name] = cell
                done += 1
        kept, leaks = (
            guarded(found.made.run, found.made.rows, cut, list(found.runs.values())) if missing else (cut, None)
        )
        for name, run in missing.items():
            cell = _cell(found, (repeat, number, name), run, kept, leaks, _digest(found, run, cut))
            _keep(found, cell)
            found.cells[repeat, number, name] = cell
            done += 1
            spent.append(cell.seconds)
            left = clock((total - done) * float(np.mean(spent)))
            shown = ", ".join(f"{_label(found, t, m)} {_shown(cell.scores[t][m])}" for t, m in found.metrics.items())
            say(f"[{done}/{total}] repeat {repeat + 1}, fold {number + 1}, {name}: {shown} (about {left} left)")


def _label(found: Comparison, target: str, metric: str) -> str:
    unit = unit_of_errors(found.made, [target]) if metric in IN_UNITS else ""
    return f"{METRICS[metric].label} ({unit})" if unit else METRICS[metric].label


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _cut(found: Comparison, repeat: int, number: int) -> Split:
    """Return the split that tests one fold; what would calibrate trains, for nothing is calibrated."""
    cut = fold(found.made, number, found.request.folds, found.made.run.seed + repeat)
    none = np.zeros(0, dtype=np.int64)
    return replace(cut, train=np.sort(np.concatenate([cut.train, cut.calibration])), calibration=none, notes=())


def _cell(
    found: Comparison, at: tuple[int, int, str], run: RunSettings, cut: Split, leaks: Leaks | None, digest: str
) -> Cell:
    """Train a model on a fold and score it."""
    rows, began = found.made.rows, time.perf_counter()
    repeat, number, name = at
    task = make(rows.kinds, rows.classes, balance=run.balance, focal=run.focal, variance=run.variance)
    training = Training(replace(run, seed=run.seed + repeat), task, rows.data, cut)
    for _ in training.epochs():
        rearm()
    test = rows.data.subset(cut.test)
    estimates = training.estimate(test)
    near = leaks.near.rows if leaks is not None and leaks.near is not None else None
    seconds = round(time.perf_counter() - began, 1)
    scores = _scores(training.task, test, estimates)
    return Cell(digest, name, repeat, number, len(cut.train) + len(cut.valid), len(test), near, seconds, scores)


def _scores(task: Kind, test: Dataset, estimates: Any) -> dict[str, dict[str, float | None]]:
    found = {}
    for name in task.names:
        kind = task.of(name)
        truth, observed, bound = kind.measured(test.targets)
        mine = kind.shaped(estimates[:, task.block(name)])
        made = score(kind.family, truth, mine, observed=observed, bound=bound, bootstrap=0)
        found[name] = {metric: each.value for metric, each in made.items()}
    return found


def _digest(found: Comparison, run: RunSettings, cut: Split) -> str:
    """Return the sha256 of all that decides a cell."""
    said = {name: value for name, value in asdict(run).items() if name != "metrics"}  # those are only shown
    text = json.dumps({**said, "data": "", "init": "", "comparator": "", "refit": ""}, sort_keys=True)
    whole = hashlib.sha256(text.encode() + found.digest.encode())
    for rows in (cut.train, cut.valid, cut.test):
        whole.update(rows.tobytes() + b"|")
    return whole.hexdigest()


def _path(found: Comparison, repeat: int, fold: int, name: str) -> Path:
    return found.request.out / CELLS / f"{repeat + 1}-{fold + 1}-{name.replace('/', '-')}.json"


def _kept(found: Comparison, repeat: int, fold: int, name: str, digest: str) -> Cell | None:
    """Return a cell that an earlier command finished.

    Raises: ConfigError where it was made from other rows or settings; CheckpointError where it is damaged.
    """
    path = _path(found, repeat, fold, name)
    if not path.is_file():
        return None
    try:
        cell = Cell(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: damaged ({error}); delete it, and the same command makes it anew.") from error
    if cell.digest != digest:
        raise ConfigError(
            f"{path}: was made from other data or settings. Use another --out, or --overwrite to start anew."
        )
    return cell


def _keep(found: Comparison, cell: Cell) -> None:
    with atomic(_path(found, cell.repeat, cell.fold, cell.model)) as file:
        file.write(json.dumps(asdict(cell), ensure_ascii=False).encode())
