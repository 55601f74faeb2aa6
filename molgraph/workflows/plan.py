"""What a training will do, before it does it: rows read, split made, leaks found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph import registry
from molgraph import split as splits
from molgraph.config import AUTO, RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.together import together
from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.predictor.inputs import Inputs, Slot, read_by, slots, with_prints
from molgraph.predictor.leaks import Leaks, guard
from molgraph.predictor.member import needs
from molgraph.predictor.rows import Rows, read_rows
from molgraph.split import IDENTITY, Named, Split
from molgraph.task import Task, make

DEEPCHEM = "deepchem:"
NONE = "none"
FOREST = "fusion/forest"  # trees that see what each input's own trees would see


@dataclass(frozen=True)
class Plan:
    """Hold all that is decided before training.

    `rivals` maps the name of each method to beat to its settings, the first the one that is named first everywhere.
    """

    run: RunSettings
    rows: Rows
    task: Task
    split: Split
    rivals: dict[str, RunSettings]
    leaks: Leaks
    notes: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        """Return what a person wants to know of the data and the split."""
        cut, data = self.split, self.rows.data
        return {
            "data": self.rows.origin,
            "rows_read": self.rows.read,
            "rows_used": len(data),
            "rejected": dict(Counter(r.reason for r in data.rejects)),
            "split": self.run.split,
            "train": len(cut.train),
            "valid": len(cut.valid),
            "calibration": len(cut.calibration),
            "test": len(cut.test),
            "conflicts": self.rows.merged.conflicts,
            "replicates": self.rows.merged.spread,
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
    found = slots(run)
    needs(run)
    to_beat = rivals(run)
    if run.split != AUTO and not run.split.startswith(DEEPCHEM):
        splits.named(run.split)
    if source is None and not run.data:
        raise ConfigError('no data is named: write data = "FILE" in the run file, or name the file.')
    inputs = Inputs(found, with_prints(run, *to_beat.values(), *also, *beside), run.standardize, join=tuple(run.join))
    rows = read_rows(run.data if source is None else source, run, inputs, workers=workers)
    told = rows.kinds.items() if run.task == AUTO == found[0].room.task else ()
    guessed = [f"{name} is taken as {kind}; --task says otherwise." for name, kind in told]
    run, to_beat = rows.run, {name: settled_as(rival, rows.run) for name, rival in to_beat.items()}
    for slot in found:
        if slot.id and slot.id not in rows.frame:
            raise DataError(f"{rows.origin}: no column '{slot.id}'{did_you_mean(slot.id, rows.frame.columns)}")
    cut, leaks = guarded(run, rows, _split(run, found, rows), also)
    task = make(rows.kinds, rows.classes, balance=run.balance, focal=run.focal, variance=run.variance)
    task.adapt(rows.data.subset(cut.train).targets)  # says where there is nothing to learn, before anything is made
    return Plan(run, rows, task, cut, to_beat, leaks, [*guessed, *rows_notes(rows), *cut.notes, *leaks.notes])


def settled_as(run: RunSettings, other: RunSettings) -> RunSettings:
    """Return a run with what the data settled for another."""
    return replace(run, targets=other.targets, task=other.task, split=other.split)


def rivals(run: RunSettings) -> dict[str, RunSettings]:
    """Return the methods to beat: of one input its room's comparator; of several those of all and of each alone.

    An input alone that does as well as all together says that the model learnt a bias of the data.

    Raises: ConfigError for a comparator that is not known or cannot read the inputs.
    """
    if run.comparator == NONE:
        return {}
    found = slots(run)
    plain = replace(run, encoder={}, ensemble=1, init="", inputs={}, column="")
    own = {
        slot.name: {"encoder": slot.room.comparator, "optional": slot.optional, **_shared(slot, slot.room.comparator)}
        for slot in found
    }
    if run.comparator != AUTO or not run.inputs:
        name = found[0].room.comparator if run.comparator == AUTO else run.comparator
        inputs = own if run.inputs and registry.model(name).family == "trees" else run.inputs
        rival = replace(plain, model=name, column=run.column, inputs=inputs)
        rival = rival if run.inputs else replace(rival, encoder=_shared(found[0], name))
        needs(rival)
        return {} if name == run.model else {name: rival}
    alone = {
        f"{slot.name} alone ({slot.room.comparator})": replace(plain, model=FOREST, inputs={slot.name: own[slot.name]})
        for slot in found
    }
    together = {} if run.model == FOREST else {FOREST: replace(plain, model=FOREST, inputs=own)}
    return {**together, **alone}


def _shared(slot: Slot, name: str) -> dict[str, Any]:
    """Return the settings of an input's model that a method to beat takes over, as they say what the data is."""
    return {key: slot.settings[key] for key in registry.model(name).shares if key in slot.settings}


def _split(run: RunSettings, found: Sequence[Slot], rows: Rows) -> Split:
    """Cut the rows as the run says; grouping is the rooms' business, the method the split floor's."""
    data = rows.data
    if run.split.startswith(DEEPCHEM):
        (given,) = data.inputs.values()
        return _deepchem(run, [given.key_of(i) for i in range(len(data))], data.groups[IDENTITY])
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
    return splits.split(
        len(data),
        method=named.method,
        groups=_groups(found, data, named, None if by_column else of),
        column=None if by_time else labels,
        time=labels if by_time else None,
        fractions=(run.fractions[0], run.fractions[1], run.fractions[2]),
        seed=run.seed,
        rows=data.rows,
    )


def own_labels(split: str) -> bool:
    """Say whether a split draws no groups: a column or a time of the user's, or DeepChem's."""
    return split.startswith(DEEPCHEM) or splits.named(split)[0].method in ("column", "time")


def grouping(made: Plan) -> NDArray[np.int64]:
    """Return the groups that a plan keeps together; of a split by the user's own labels, the room's usual ones.

    Shapes: as `_groups`.
    """
    found, name = slots(made.run), made.run.split
    named, of = splits.named(found[0].room.default_group if own_labels(name) else name)
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
    held = [name for slot in found for name in slot.room.holds if name in data.groups]
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
        if named.grouper in slot.room.groupers:
            given = data.inputs[slot.name]
            return slot.room.groupers[named.grouper]([given.key_of(i) for i in range(len(data))])
    known = [name for slot in wanted for name in slot.room.groupers]
    raise ConfigError(f"no input of this model is grouped by '{named.grouper}'{did_you_mean(named.grouper, known)}")


def _deepchem(run: RunSettings, keys: list[str], identity: NDArray[np.int64]) -> Split:
    """Split as a DeepChem splitter does, then halve its validation fold as everywhere."""
    from molgraph.molecule.molnet import splitter

    folds = splitter(run.split.removeprefix(DEEPCHEM))(keys, tuple(run.fractions), run.seed)
    labels = np.empty(len(keys), dtype=object)
    for name, mine in zip(("train", "valid", "test"), folds, strict=True):
        labels[np.asarray(mine, dtype=np.int64)] = name
    return splits.split(len(keys), method="column", column=labels.tolist(), groups=identity, seed=run.seed)


def guarded(run: RunSettings, rows: Rows, cut: Split, also: Sequence[RunSettings] = ()) -> tuple[Split, Leaks]:
    """Return the split without what leaks, and what the guard found in all that the run and those in `also` read.

    Raises: DataError where the guard refuses.
    """
    kept = () if run.split.startswith(DEEPCHEM) else (splits.named(run.split)[0].grouper,)
    return guard(
        cut,
        rows.data,
        slots(run),
        rule=run.leaks,
        origin=rows.origin,
        merged=rows.repeated,
        conflicts=rows.merged.conflicts,
        grouped=kept,
        reads=read_by(run, *also),
    )


def rows_notes(rows: Rows) -> list[str]:
    """Say what happened to rows on the way in."""
    found = list(rows.notes)
    if rows.merged.into:
        found.append(f"{len(rows.merged.into)} rows repeat another and were merged.")
    for cells in rows.unread.values():
        found.append(f"{len(cells)} cells count as not measured, first row {cells[0].row}: {cells[0].message}.")
    for name, count in rows.merged.conflicts.items():
        found.append(f"{name}: {count} things have rows that disagree.")
    for name, spread in rows.merged.spread.items():
        found.append(
            f"{name}: repeated measurements of {spread['things']} things agree within a standard deviation "
            f"of {spread['sd']:.3g}; no model can be expected to be nearer."
        )
    return found
