"""Compare models on one data set: the same folds of a repeated cross-validation for all, and what differs for sure."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from molgraph import config, registry
from molgraph import split as splits
from molgraph.config import AUTO, RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.files import atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.errors import CheckpointError, ConfigError
from molgraph.metrics import METRICS, Ranking, main, names, rank, score
from molgraph.metrics.repeated import TESTS, fewest_folds
from molgraph.predictor.inputs import slots
from molgraph.predictor.leaks import Leaks
from molgraph.predictor.member import needs
from molgraph.predictor.training import Training
from molgraph.report.compared import write_comparison_report
from molgraph.split import COLD_ALL, Split
from molgraph.task import Task, block, make
from molgraph.tune.budget import clock
from molgraph.workflows.compare_page import comparison_page
from molgraph.workflows.plan import DEEPCHEM, NONE, Plan, grouping, guarded, plan
from molgraph.workflows.show import say

RUN_FILE = ".toml"
OWN = (
    "model",
    "encoder",
    "inputs",
    "head",
    "train",
    "ensemble",
    "balance",
    "focal",
    "variance",
)  # what a run file brings along
SAME = ("targets", "task", "units", "standardize", "duplicates")  # what must be the same for all
CELLS, SCORES, RESULT, PAGE = "cells", "scores.csv", "comparison.json", "comparison.html"
FEWEST = 2


@dataclass(frozen=True)
class Request:
    """Hold what a person asks of a comparison; of no metric, the main one of each target decides."""

    out: Path
    folds: int = 5
    repeats: int = 5
    metric: str = ""
    test: str = "tukey"

    def __post_init__(self) -> None:
        for name, least in (("folds", 2), ("repeats", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"--{name} {getattr(self, name)}: give {least} or more.")
        if self.test not in TESTS:
            raise ConfigError(f"--test {self.test}: choose one of {', '.join(TESTS)}.")

    def check(self, models: int) -> None:
        """Refuse folds too few for the test to find any difference.

        Raises: ConfigError that says how many it needs.
        """
        have, least = self.folds * self.repeats, fewest_folds(self.test, models)
        if have < least:
            what = f"no difference between {models} models can be found on {have} folds"
            raise ConfigError(f"--test {self.test}: {what}; {least} are needed: give more --repeats.")


@dataclass(frozen=True)
class Cell:
    """Hold what one model scored on one fold; `scores` by target and metric, None where there is no score."""

    digest: str
    model: str
    repeat: int
    fold: int
    trained: int
    tested: int
    near: int | None
    seconds: float
    scores: dict[str, dict[str, float | None]]


@dataclass
class Comparison:
    """Hold the models, the folds that are finished and, by target, what they say."""

    made: Plan
    runs: dict[str, RunSettings]
    request: Request
    cells: dict[tuple[int, int, str], Cell] = field(default_factory=dict)
    rankings: dict[str, Ranking] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def folds(self) -> list[tuple[int, int]]:
        """Return the (repeat, fold) to do, so that what is stopped early has whole repeats."""
        return [(r, f) for r in range(self.request.repeats) for f in range(self.request.folds)]

    @property
    def metrics(self) -> dict[str, str]:
        """Return the metric that decides, by target."""
        return {name: self.request.metric or main(kind) for name, kind in self.made.rows.kinds.items()}

    @cached_property
    def digest(self) -> str:
        """Return the sha256 of the rows and their values."""
        found, data = hashlib.sha256(), self.made.rows.data
        for tensor in (data.targets.values, data.targets.observed, data.targets.bound):
            found.update(tensor.numpy().tobytes())
        for given in data.inputs.values():
            found.update("\n".join(given.key_of(i) for i in range(len(data))).encode())
        return found.hexdigest()


def compare_folder(
    run: RunSettings, models: Sequence[str], request: Request, *, overwrite: bool = False, source: Any = None
) -> Comparison:
    """Score every model on every fold into a folder; the same command goes on where an earlier one stopped.

    `models` are registered names, or run files that bring their own settings. Leaves `cells/` (one file for each model
    and fold), `scores.csv`, `comparison.json` and the page `comparison.html`.

    Raises: ConfigError for models or settings that do not go together; DataError where the data is unusable;
    KeyboardInterrupt after what was finished so far has been written.
    """
    runs = contestants(run, models)
    request.check(len(runs))
    head = run.split.partition(":")[0]
    if head == DEEPCHEM.rstrip(":") or (head in splits.METHODS and splits.METHODS[head].method in ("column", "time")):
        raise ConfigError(
            f"--split {run.split}: makes no folds to repeat; use random, scaffold, cluster or cold:INPUT."
        )
    first, *others = runs.values()
    made = plan(replace(first, comparator=NONE, leaks=run.leaks), source, workers=0, also=others)
    for kind in set(made.rows.kinds.values()):
        names(kind, [request.metric] if request.metric else None)
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
    finally:
        _conclude(found)
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
            registry.model(word)
            name, made = word, replace(run, model=word, encoder=run.encoder if word == run.model else {})
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


def _from_file(run: RunSettings, path: str) -> RunSettings:
    raw = config.read(path)
    theirs = config.settings(raw)
    for key in SAME:
        if key in raw and getattr(theirs, key) != getattr(run, key) and getattr(run, key) not in ([], AUTO):
            raise ConfigError(f"{path}: has another '{key}' than the comparison, so its scores would be of other rows.")
    return replace(run, **{key: getattr(theirs, key) for key in OWN})


def _fill(found: Comparison) -> None:
    """Train what is missing, fold by fold."""
    total, done, spent = len(found.folds) * len(found.runs), 0, []
    for repeat, fold in found.folds:
        cut = _cut(found, repeat, fold)
        missing = {}
        for name, run in found.runs.items():
            cell = _kept(found, repeat, fold, name, _digest(found, run, cut))
            if cell is None:
                missing[name] = run
            else:
                found.cells[repeat, fold, name] = cell
                done += 1
        kept, leaks = (
            guarded(found.made.run, found.made.rows, cut, list(found.runs.values())) if missing else (cut, None)
        )
        for name, run in missing.items():
            cell = _cell(found, (repeat, fold, name), run, kept, leaks, _digest(found, run, cut))
            _keep(found, cell)
            found.cells[repeat, fold, name] = cell
            done += 1
            spent.append(cell.seconds)
            left = clock((total - done) * float(np.mean(spent)))
            shown = ", ".join(f"{METRICS[m].label} {_shown(cell.scores[t][m])}" for t, m in found.metrics.items())
            say(f"[{done}/{total}] repeat {repeat + 1}, fold {fold + 1}, {name}: {shown} (about {left} left)")


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _cut(found: Comparison, repeat: int, fold: int) -> Split:
    """Return the split that tests one fold; what would calibrate trains, for nothing is calibrated."""
    made, data = found.made, found.made.rows.data
    if splits.named(made.run.split)[0].method == COLD_ALL:
        method, groups = COLD_ALL, np.stack([given.index.numpy() for given in data.inputs.values()])
    else:
        method, groups = "group_random", grouping(made)
    fractions = (made.run.fractions[0], made.run.fractions[1], made.run.fractions[2])
    seed, of = made.run.seed + repeat, found.request.folds
    cut = splits.split(
        len(data), method=method, groups=groups, fractions=fractions, seed=seed, fold=fold, folds=of, rows=data.rows
    )
    none = np.zeros(0, dtype=np.int64)
    return replace(cut, train=np.sort(np.concatenate([cut.train, cut.calibration])), calibration=none, notes=())


def _cell(
    found: Comparison, at: tuple[int, int, str], run: RunSettings, cut: Split, leaks: Leaks | None, digest: str
) -> Cell:
    """Train a model on a fold and score it."""
    rows, began = found.made.rows, time.perf_counter()
    repeat, fold, name = at
    task = make(rows.kinds, rows.classes, balance=run.balance, focal=run.focal, variance=run.variance)
    training = Training(replace(run, seed=run.seed + repeat, init=""), task, rows.data, cut)
    for _ in training.epochs():
        rearm()
    test = rows.data.subset(cut.test)
    estimates = np.mean([member.estimate(test) for member in training.members], axis=0)
    near = leaks.near.rows if leaks is not None and leaks.near is not None else None
    seconds = round(time.perf_counter() - began, 1)
    scores = _scores(training.task, test, estimates)
    return Cell(digest, name, repeat, fold, len(cut.train) + len(cut.valid), len(test), near, seconds, scores)


def _scores(task: Task, test: Dataset, estimates: Any) -> dict[str, dict[str, float | None]]:
    found = {}
    for name in task.names:
        kind, mine = task.kind(name), estimates[:, block(task, name)]
        truth, observed, bound = test.targets.arrays(name)
        shaped = mine if kind == "multiclass" else mine[:, 0]
        made = score(kind, truth, shaped, observed=observed, bound=bound, bootstrap=0)
        found[name] = {metric: each.value for metric, each in made.items()}
    return found


def _digest(found: Comparison, run: RunSettings, cut: Split) -> str:
    """Return the sha256 of all that decides a cell."""
    text = json.dumps({**asdict(run), "data": "", "init": "", "comparator": ""}, sort_keys=True)
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


def _conclude(found: Comparison) -> None:
    """Rank by the folds that all models have finished, and write tables and page."""
    _write_scores(found)
    whole = [at for at in found.folds if all((*at, name) in found.cells for name in found.runs)]
    if len(whole) < len(found.folds):
        found.notes.append(f"{len(whole)} of {len(found.folds)} folds are finished for all models; only they count.")
    for target, metric in found.metrics.items():
        table = [[found.cells[(*at, name)].scores[target][metric] for name in found.runs] for at in whole]
        scored = [row for row in table if None not in row]
        if len(scored) < len(table):
            found.notes.append(f"{target}: {len(table) - len(scored)} folds have no {METRICS[metric].label}.")
        least = fewest_folds(found.request.test, len(found.runs))
        if len(scored) < least:
            found.notes.append(f"{target}: fewer than {least} folds have a score of every model, so none is ranked.")
            continue
        shares = [cell.tested / cell.trained for cell in found.cells.values()]
        found.rankings[target] = rank(
            list(found.runs), np.array(scored, dtype=np.float64), metric, share=float(np.mean(shares)),
            test=found.request.test,
        )  # fmt: skip
    near = [cell.near for cell in _once(found, whole)]
    if near and None not in near:
        of = sum(cell.tested for cell in _once(found, whole))
        found.notes.append(f"{sum(n or 0 for n in near)} of {of} tested rows had a near duplicate in the training set.")
    if found.rankings:
        with atomic(found.request.out / RESULT) as file:
            file.write(json.dumps(_result(found), indent=1, ensure_ascii=False).encode())
        write_comparison_report(found.request.out / PAGE, comparison_page(found))


def _once(found: Comparison, whole: Sequence[tuple[int, int]]) -> Iterator[Cell]:
    """Yield one cell of each whole fold."""
    name = next(iter(found.runs))
    return (found.cells[(*at, name)] for at in whole)


def _result(found: Comparison) -> Mapping[str, Any]:
    return {
        "targets": {target: ranking.to_json() for target, ranking in found.rankings.items()},
        "folds": found.request.folds,
        "repeats": found.request.repeats,
        "split": found.made.run.split,
        "notes": found.notes,
        "runs": {name: asdict(run) for name, run in found.runs.items()},
    }


def _write_scores(found: Comparison) -> None:
    """Write `scores.csv`, one line per model, fold, target and metric."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["repeat", "fold", "model", "target", "metric", "value", "trained", "tested", "seconds"])
    for cell in found.cells.values():
        for target, scores in cell.scores.items():
            for metric, value in scores.items():
                shown = "" if value is None else f"{value:.10g}"
                place = (cell.repeat + 1, cell.fold + 1, cell.model)
                writer.writerow([*place, target, metric, shown, cell.trained, cell.tested, cell.seconds])
    with atomic(found.request.out / SCORES) as file:
        file.write(text.getvalue().encode())
