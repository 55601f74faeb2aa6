"""What a training will do, before it does it: rows read, split made, leaks found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph import registry
from molgraph import split as splits
from molgraph.config import AUTO, RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.room import Noun
from molgraph.data.targets import EXACT
from molgraph.data.together import together
from molgraph.errors import ConfigError, DataError, MolgraphError, Reject, did_you_mean, many
from molgraph.kinds import NAMED, Kind, make
from molgraph.metrics.figures import figure
from molgraph.predictor import Predictor
from molgraph.predictor.assess import declared
from molgraph.predictor.card import in_words
from molgraph.predictor.curves import latest
from molgraph.predictor.duplicates import merging, repeats, replicates, split_things, things
from molgraph.predictor.inputs import Inputs, Slot, slots
from molgraph.predictor.known import Known
from molgraph.predictor.leaks import Leaks, guard
from molgraph.predictor.member import frozen, needs
from molgraph.predictor.parts import read_by, with_prints
from molgraph.predictor.rows import Rows, not_measured, read_rows
from molgraph.predictor.transform import agree, transformed
from molgraph.predictor.weighing import MUTE, heard, mute, said_mute, taught, weighed
from molgraph.registry import Named
from molgraph.split import IDENTITY, Split
from molgraph.workflows.rivals import rivals
from molgraph.workflows.start import known_before, started


@dataclass(frozen=True)
class Plan:
    """Hold all that is decided before training.

    `rivals` maps the name of each method to beat to its settings, the first the one that is named first everywhere.
    `merged` says why a row of a fold that trains, stops or calibrates is none of its own there, by its position.
    """

    run: RunSettings
    rows: Rows
    task: Kind
    split: Split
    rivals: dict[str, RunSettings]
    leaks: Leaks
    merged: dict[int, Reject] = field(default_factory=dict)
    start: Predictor | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def rejects(self) -> list[Reject]:
        """Return why each row that is not used as a row of its own is not, in the order of the file."""
        return sorted([*self.rows.data.rejects, *self.merged.values()], key=lambda reject: reject.row)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what a person wants to know of the data and the split."""
        cut, data = self.split, self.rows.data
        away, rejects = list(self.merged), self.rejects
        return {
            "data": self.rows.origin,
            **({"inputs": in_words(self.run)} if self.run.inputs else {}),
            "rows_read": self.rows.read,
            "rows_used": len(data) - len(away),
            "rejected": dict(Counter(reject.reason for reject in rejects)),
            "split": self.run.split,
            **{name: int((~np.isin(getattr(cut, name), away)).sum()) for name in splits.FOLDS},
            "conflicts": self.leaks.conflicts,
            "replicates": replicates(data, self.task.of_column, cut),
            "notes": self.notes,
        }


def plan(
    run: RunSettings,
    source: Any = None,
    *,
    workers: int = 1,
    also: Sequence[RunSettings] = (),
    beside: Sequence[RunSettings] = (),
) -> Plan:
    """Read the rows, split them and guard against leaks: those of the run and those of the runs in `also`, which may be
    trained in its place; the features that methods to beat (`beside`) read are made as well.

    Raises: ConfigError for unknown names and settings, before any data is read; DataError where the data is unusable.
    """
    if run.seeds:
        raise ConfigError(f"seeds = {run.seeds}: only `molgraph train` takes several; name one, as seed = 0.")
    found, start = slots(run), started(run)
    needs(run)
    to_beat = rivals(run)
    inputs = Inputs(found, with_prints(run, *to_beat.values(), *also, *beside), run.rules, join=tuple(run.join))
    _check_split(run, inputs, source)
    if source is None and not run.data:
        raise ConfigError('no data is named: write data = "FILE" in the run file, or name the file.')
    rows = read_rows(run.data if source is None else source, run, inputs, workers=workers)
    told = rows.kinds.items() if run.task == AUTO else ()
    guessed = [
        f"{name} is taken as {kind}{NAMED[kind].taken(rows.classes.get(name, ()))}; --task says otherwise."
        for name, kind in told
        if name not in {*run.events, *latest(rows.run)}
        and (found[0].room.reading.task == AUTO or kind != found[0].room.reading.task)
    ]
    rows, weights = weighed(rows)
    run, to_beat = rows.run, {name: settled_as(rival, rows.run) for name, rival in to_beat.items()}
    found = slots(run)
    for slot in found:
        if slot.id and slot.id not in rows.frame:
            raise DataError(f"{rows.origin}: no column '{slot.id}'{did_you_mean(slot.id, rows.frame.columns)}")
    cut, leaks = guarded(run, rows, _split(run, found, rows), also, known_before(run, start))
    rows, log, transforms = transformed(rows, run.transform, cut.train, None if start is None else start.task)
    task = make(rows.kinds, rows.classes, balance=run.balance, focal=run.focal, variance=run.variance, log=log)
    if start is not None:
        agree(task, start.task, run.init)
    run = replace(run, metrics=declared(run.metrics, source, task))
    train = taught(rows.data, cut.train, task.of_column, run.duplicates)
    task.adapt(train.targets)  # says where there is nothing to learn, before anything is made
    made = Plan(run, rows, task, cut, to_beat, leaks, _merges(run, rows, cut), start)
    notes = [*guessed, *weights, *transforms, *rows_notes(made), *cut.notes, *leaks.notes, *frozen(run, rows.data)]
    made.notes.extend(notes)
    return made


def _check_split(run: RunSettings, inputs: Inputs, source: Any) -> None:
    """Check the name of a split.

    Raises: ConfigError where it is none; where the data has a column of that name, it says how to split by it.
    """
    if run.split == AUTO or chosen_by(run.split):
        return
    try:
        splits.named(run.split)
    except ConfigError as error:
        columns: list[str] = []
        with suppress(MolgraphError):  # that the data cannot be read is not what was asked
            columns += map(str, next(inputs.read(run.data if source is None else source, run.column or None)).frame)
        found = next((name for name in columns if name.casefold() == run.split.casefold()), None)
        if found is None:
            raise
        raise ConfigError(
            f"unknown split '{run.split}': it is a column of the data. Write {quote(f'column:{found}')} where it names "
            f"the folds (train, valid, test), {quote(f'group:{found}')} to keep its groups together, "
            f"{quote(f'time:{found}')} to test on the latest."
        ) from error


def settled_as(run: RunSettings, other: RunSettings) -> RunSettings:
    """Return a run with what the data settled for another."""
    told = ("targets", "task", "split", "units", "fields", "records")
    same = replace(run, **{name: getattr(other, name) for name in told})
    settled = {
        name: {key: section[key] for key in ("fields", "records") if section.get(key)}
        for name, section in other.inputs.items()
    }
    inputs = {name: section | settled.get(name, {}) for name, section in run.inputs.items()}
    return replace(same, inputs=inputs)


def _split(run: RunSettings, found: Sequence[Slot], rows: Rows) -> Split:
    """Cut the rows as the run says; grouping is the rooms' business, the method the split floor's."""
    data = rows.data
    if chosen_by(run.split):
        return _chosen(run, data)
    named, of = splits.named(run.split)
    by_column, by_time = named.method in ("column", "time"), named.method == "time"
    labels: list[str] | None = None
    if by_column:
        column = str(of)
        if column not in rows.frame:
            raise DataError(
                f"{rows.origin}: no column '{column}' to split by{did_you_mean(column, rows.frame.columns)}"
            )
        labels = [str(text) for text in rows.frame[column]]
    cut = split_things(
        things(run, data, labels),
        method=named.method,
        groups=_groups(found, data, named, None if by_column else of),
        column=None if by_time else labels,
        time=labels if by_time else None,
        fractions=(run.fractions[0], run.fractions[1], run.fractions[2]),
        seed=run.seed,
        rows=data.rows,
    )
    return _marked(cut, labels) if labels is not None and not by_time else cut


def _marked(cut: Split, labels: Sequence[str]) -> Split:
    """Say of a user's own column that marks no row for calibration which of its validation rows calibrate."""
    if any(label.strip().casefold().startswith("cal") for label in labels) or not len(cut.calibration) or cut.notes:
        return cut  # the user chose them, there are none, or it is said that they were taken from the training rows
    note = (
        f"No row is marked 'calibration': {len(cut.calibration)} of the {len(cut.valid) + len(cut.calibration)} rows "
        f"marked 'valid' calibrate intervals, the other {len(cut.valid)} stop the training. Mark rows to choose them."
    )
    return replace(cut, notes=(note,))


def own_labels(split: str) -> bool:
    """Say whether a split draws no groups: a column or a time of the user's, or rows that somebody else chooses."""
    return bool(chosen_by(split)) or splits.named(split)[0].method in ("column", "time")


def chosen_by(split: str) -> str:
    """Return the target of what chooses the rows of each fold itself (DeepChem's splitters), "" where we draw them."""
    return registry.splitters().get(split.partition(":")[0], ("",))[0]


def grouping(made: Plan) -> NDArray[np.int64]:
    """Return the groups that a plan keeps together; of a split by the user's own labels, the room's usual ones.

    Shapes: as `_groups`.
    """
    found, name = slots(made.run), made.run.split
    named, of = splits.named(found[0].room.likeness.default_group if own_labels(name) else name)
    return _groups(found, made.rows.data, named, of)


def _groups(found: Sequence[Slot], data: Dataset, named: Named, of: str | None) -> NDArray[np.int64]:
    """Group the rows as the split says: by what they are, by what stands in one input, or by an input's grouping.

    Shapes: int64 [N]; of a split that is cold in all inputs [inputs, N].

    Rows that have a picture in common are of one group, but for a column that the user groups by: two hospitals with
    one picture in common are two, and the guard leaves its rows out.

    Raises: ConfigError where no input is called so, or none can be grouped so.
    """
    if named.method == splits.COLD_ALL:
        return np.stack([data.inputs[slot.name].index.numpy() for slot in found])
    if named.grouper == splits.GROUP:
        return data.groups[str(of)]
    held = [name for slot in found for name in slot.room.likeness.holds if name in data.groups]
    labels = [_grouped(found, data, named, of), *(data.groups[name] for name in dict.fromkeys(held))]
    return together([set(enumerate(row)) for row in zip(*labels, strict=True)]) if held else labels[0]


def _grouped(found: Sequence[Slot], data: Dataset, named: Named, of: str | None) -> NDArray[np.int64]:
    """Group the rows by what the split is named after.

    Raises: ConfigError where no input is called so, or none can be grouped so.
    """
    if named.grouper in data.groups and of is None:
        return data.groups[named.grouper]
    wanted = [slot for slot in found if of in (None, slot.name)]
    if not wanted:
        raise ConfigError(f"the model has no input '{of}'{did_you_mean(str(of), [slot.name for slot in found])}")
    if named.grouper == IDENTITY:
        return data.inputs[wanted[0].name].index.numpy()
    for slot in wanted:
        if named.grouper in slot.room.likeness.groupers:
            given = data.inputs[slot.name]
            return slot.room.likeness.groupers[named.grouper]([given.key_of(i) for i in range(len(data))])
    known = [name for slot in wanted for name in slot.room.likeness.groupers]
    raise ConfigError(f"no input of this model is grouped by '{named.grouper}'{did_you_mean(named.grouper, known)}")


def _chosen(run: RunSettings, data: Dataset) -> Split:
    """Split as somebody else's splitter does, then halve its validation fold as everywhere."""
    splitter = registry.load(chosen_by(run.split))
    (given,), unit = data.inputs.values(), things(run, data)
    _, first, unit = np.unique(unit, return_index=True, return_inverse=True)
    folds = splitter(run.split.partition(":")[2])([given.key_of(at) for at in first], tuple(run.fractions), run.seed)
    labels = np.empty(len(first), dtype=object)
    for name, mine in zip(("train", "valid", "test"), folds, strict=True):
        labels[np.asarray(mine, dtype=np.int64)] = name
    return split_things(
        unit, method="column", column=labels[unit].tolist(), groups=data.groups[IDENTITY], seed=run.seed
    )


def guarded(
    run: RunSettings, rows: Rows, cut: Split, also: Sequence[RunSettings] = (), known: Known | None = None
) -> tuple[Split, Leaks]:
    """Return the split without what leaks, and what the guard found in all that the run and those in `also` read, and
    in what the weights to start from were trained on (`known`).

    Raises: DataError where the guard refuses.
    """
    kept = () if chosen_by(run.split) else (splits.named(run.split)[0].grouper,)
    return guard(
        cut,
        rows.data,
        slots(run),
        rule=run.leaks,
        origin=rows.origin,
        grouped=kept,
        reads=read_by(run, *also),
        known=known,
    )


def _merges(run: RunSettings, rows: Rows, cut: Split) -> dict[int, Reject]:
    """Say of the rows that `weighing.taught` and `duplicates.merged` take out of the folds that do not test why they
    do, by position."""
    found: dict[int, Reject] = {}
    column = next(iter(rows.columns.values()))
    texts = rows.frame[column] if column in rows.frame else pd.Series([""] * len(rows.frame))
    muted = mute(rows.data.targets)
    for at in map(int, [*cut.train, *cut.valid]):
        if muted[at]:
            found[at] = Reject(int(rows.data.rows[at]), str(texts.iloc[at]), MUTE, said_mute(run))
    for fold in (cut.train[~muted[cut.train]], cut.valid[~muted[cut.valid]], cut.calibration):
        data = rows.data.subset(fold)
        some = merging(data if fold is cut.calibration else heard(data), rows.kind, run.duplicates)
        if some is None:
            continue
        lost = set(some.keep[some.lost].tolist())
        for row, stands in ({row: row for row in lost} | some.into).items():
            reason, why = "duplicate", f"the same as row {rows.data.rows[fold[stands]]}; merged by '{run.duplicates}'"
            if stands in lost:
                reason = "conflicting_labels"
                why = f"rows of the same thing disagree and '{run.duplicates}' leaves none"
            at = int(fold[row])
            found[at] = Reject(int(rows.data.rows[at]), str(texts.iloc[at]), reason, why)
    return found


def rows_notes(made: Plan) -> list[str]:
    """Say what happened to rows on the way in."""
    rows, found = made.rows, list(made.rows.notes)
    noun = slots(made.run)[0].room.noun if len(slots(made.run)) == 1 else Noun("thing", "things")

    def thing(count: int) -> str:
        return noun.one if count == 1 else noun.many

    away = Counter(reject.reason for reject in made.merged.values())
    if away["duplicate"]:
        found.append(f"{away['duplicate']} rows repeat another and were merged.")
    if away["conflicting_labels"]:
        were = "was" if away["conflicting_labels"] == 1 else "were"
        found.append(f"{many(away['conflicting_labels'], 'row')} {were} left out: rows of the same thing disagree.")
    tested = rows.data.subset(made.split.test)
    if repeats(tested).any():
        found.append(f"{repeats(tested).sum()} test rows repeat another; each is judged by its own value.")
    for cells in rows.unread.values():
        found.append(f"{not_measured(cells)}.")
    for name in made.task.present(rows.data.targets):
        _, observed, bound = made.task.of(name).measured(rows.data.targets)
        known = int((bound[observed] != EXACT).sum())
        if known and made.task.of(name).family.censored:
            found.append(
                f"{name}: {known} of {observed.sum()} values are bounds; models learn from them, errors are of exact "
                "values, and the concordance index (ci) counts every pair of rows whose order is certain."
            )
    for name, count in made.leaks.conflicts.items():
        found.append(f"{name}: {count} {thing(count)} with different measurements in different rows.")
    for name, spread in replicates(rows.data, made.task.of_column, made.split).items():
        within = f"a standard deviation of {figure(spread['sd'])}"
        if made.task.of(name).on_logarithm:
            within = f"a factor of {figure(10 ** spread['sd'])} (one standard deviation)"
        found.append(
            f"{name}: repeated measurements of {spread['things']} {thing(spread['things'])} agree within {within}; no "
            "model can be expected to be nearer."
        )
    return found
