"""Estimates of training rows by models that have not seen them: what the parts of a consensus are weighed by."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from molgraph.data.files import atomic
from molgraph.data.untrusted import damaged
from molgraph.errors import DataError, DivergedError
from molgraph.fit import Epoch, processes
from molgraph.predictor.checkpoint import FOLD
from molgraph.predictor.duplicates import split_things
from molgraph.predictor.parts import folds
from molgraph.predictor.stacking import Stack, stacked
from molgraph.split import COLD_ALL, IDENTITY, Split

if TYPE_CHECKING:
    from molgraph.predictor.training import Training

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def weigh(training: Training) -> Generator[tuple[int, Epoch], None, dict[str, Stack]]:
    """Train every part once more in each fold of the training rows, yield after each epoch as one of the trainings
    after those of the members, and return what the parts weigh for each target.

    In a fold a part is trained on the other folds and stopped by the validation rows, so that the rows which weigh it
    have neither taught nor chosen anything. A fold whose other rows cannot teach (a class that they lack) is left out.
    """
    found: list[Array] = []
    held: list[Rows] = []
    for number, cut in enumerate(_cuts(training)):
        each = []
        try:
            for at, _ in enumerate(training.parts):
                estimates = yield from _estimates(training, cut, number, at)
                each.append(estimates)
        except (DataError, DivergedError):
            continue
        found.append(np.stack(each))
        held.append(cut.test)
    if not found:
        return {}
    whole, rows = np.concatenate(found, axis=1), training.fold(np.concatenate(held))
    made: dict[str, Stack] = {}
    for name in training.task.names:
        stack = stacked(training.task.of(name), whole[:, :, training.task.block(name)], rows.targets)
        made |= {name: stack} if stack is not None else {}
    return made


def _cuts(training: Training) -> Iterator[Split]:
    """Yield the folds: rows that train and rows that are left out, by the groups that the split keeps together."""
    mine, many = training.split.train, folds(training.run)
    identity = training.data.groups[IDENTITY]
    groups = identity if training.split.groups is None else training.split.groups
    groups, none = groups[..., mine], np.zeros(0, dtype=np.int64)
    many = min(many, *(len(np.unique(each)) for each in np.atleast_2d(groups)))
    method = COLD_ALL if groups.ndim > 1 else "group_random"
    for number in range(many if many > 1 else 0):
        cut = split_things(
            identity[mine], method=method, groups=groups, fractions=(0.8, 0.0, 0.2), seed=training.run.seed,
            fold=number, folds=many,
        )  # fmt: skip
        rest = np.sort(np.concatenate([cut.train, cut.valid, cut.calibration]))
        yield Split(mine[rest], training.split.valid, none, mine[cut.test])


def _estimates(training: Training, cut: Split, fold: int, at: int) -> Generator[tuple[int, Epoch], None, Array]:
    """Return what a part estimates of the rows that a fold leaves out, trained or as an earlier run kept it."""
    rows = training.fold(cut.test)
    path = None if training.folder is None else _path(training, fold, at)
    if path is not None and path.is_file():
        with damaged(path):
            kept: Array = np.load(path, allow_pickle=False)
        if kept.dtype == np.float64 and kept.shape == (len(rows), len(training.task.columns)):
            return kept
    part = replace(training.parts[at], ensemble=1)
    mine = replace(training, run=part, split=cut, folder=None, members=[], history=[], anew=[], stacks={})
    mine.task = training.task  # the same columns in all folds
    for _, epoch in mine.epochs():
        yield training.count + fold * len(training.parts) + at, epoch
    made = mine.estimate(rows)
    if path is not None and processes.rank() == 0:
        content = io.BytesIO()
        np.save(content, made, allow_pickle=False)
        with atomic(path) as file:
            file.write(content.getvalue())
    return made


def _path(training: Training, fold: int, at: int) -> Path:
    assert training.folder is not None
    return training.folder / FOLD.replace("*", f"{training.digest[:12]}-{fold}-{at}")
