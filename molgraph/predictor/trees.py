"""Gradient-boosted trees as a member of a predictor: one CatBoost model per target, kept as its documented JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.errors import CheckpointError, DataError, ResourceError
from molgraph.fit import Epoch
from molgraph.fit.state import State
from molgraph.model.grower import Grower
from molgraph.task import Task, block, spreads

Array = NDArray[np.float32]
WITH_SPREAD = "RMSEWithUncertainty"  # CatBoost's name of the normal likelihood (Duan 2020, arXiv 1910.03225)
LOSS = {"regression": "RMSE", "binary": "Logloss", "multiclass": "MultiClass"}


class Trees:
    """Hold one boosted model per target; `ready` once every target has one.

    Rows known only as a bound are left out: CatBoost has no one-sided squared loss. The number of rounds is the one
    of lowest validation loss.
    """

    def __init__(self, grower: Grower, run: RunSettings, task: Task, train: Dataset | None) -> None:
        self.task, self.grower = task, grower
        self.found: dict[str, Any] = {}

    def train(
        self, train: Dataset, valid: Dataset, run: RunSettings, *, seed: int, state: State | None = None
    ) -> Iterator[Epoch]:
        """Grow the trees of one target after the other; yield after each."""
        from catboost import Pool

        inputs = {"train": self.grower.features_of(train.inputs), "valid": self.grower.features_of(valid.inputs)}
        for number, name in enumerate(self.task.names, 1):
            began = time.perf_counter()
            rows = {"train": _exact(train, name), "valid": _exact(valid, name)}
            seen = np.unique(train.targets.arrays(name)[0][rows["train"]])
            if len(seen) < 2:
                raise DataError(
                    f"target '{name}': trees learn from exact values only, and the {len(rows['train'])} training rows "
                    "that have one do not differ. Use a network, which learns from bounds too."
                )
            if self.task.kind(name) != "regression":  # a class without a training row has no probability to judge
                rows["valid"] = rows["valid"][np.isin(valid.targets.arrays(name)[0][rows["valid"]], seen)]
            pools: dict[str, Any] = {}
            for which, data in (("train", train), ("valid", valid)):
                column, at = data.targets.column(name), rows[which]
                if not len(at):
                    continue
                pools[which] = Pool(
                    inputs[which][at], column.values[at, 0].numpy(), weight=column.weight[at, 0].numpy()
                )
            model = _untrained(self.grower, self.task, name, run, seed)
            judged = "valid" in pools
            stop = self.grower.patience if judged and self.grower.patience else None
            model.fit(pools["train"], eval_set=pools.get("valid"), use_best_model=judged, early_stopping_rounds=stop)
            self.found[name] = model
            losses = model.get_best_score()
            loss = _loss(self.task, name)
            yield Epoch(
                number,
                len(self.task.names),
                losses["learn"][loss],
                losses["validation"][loss] if judged else None,
                self.grower.lr,
                time.perf_counter() - began,
                pools["train"].num_row(),
                0,
                _no_state,
            )

    def estimate(self, data: Dataset) -> Array:
        """Return estimates float32 [N, len(task.columns)]."""
        features = self.grower.features_of(data.inputs)
        out = np.zeros((len(data), len(self.task.columns)), dtype=np.float32)
        if not len(data):
            return out
        for name, model in self.found.items():
            where = block(self.task, name)
            if spreads(self.task, name):
                mean, variance = model.predict(features, prediction_type=WITH_SPREAD, thread_count=_threads()).T
                out[:, where] = np.stack([mean, np.sqrt(variance)], axis=1)
                continue
            if self.task.kind(name) == "regression":
                out[:, where.start] = model.predict(features, thread_count=_threads())
                continue
            found = model.predict(features, prediction_type="Probability", thread_count=_threads())
            first = 1 if self.task.kind(name) == "binary" else 0  # of two classes the second is the positive one
            for label, column in list(zip(model.classes_, found.T, strict=True))[first:]:
                out[:, where.start + int(label) - first] = column
        return out

    def save(self, folder: Path, number: int) -> None:
        """Write `trees-<number>-<target>.json` for each target, targets counted from 0.

        Raises: ResourceError where the disk is full or closed to the user.
        """
        from catboost import CatBoostError

        for at, name in enumerate(self.task.names):
            path = folder / f"trees-{number}-{at}.json"
            part = path.with_suffix(".part")
            try:
                self.found[name].save_model(str(part), format="json")
                part.replace(path)
            except (CatBoostError, OSError) as error:
                raise ResourceError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from error
            finally:
                part.unlink(missing_ok=True)

    def load(self, folder: Path, number: int) -> None:
        """Read the trees back.

        Raises: CheckpointError where a file is missing or damaged.
        """
        from catboost import CatBoost, CatBoostClassifier, CatBoostError

        for at, name in enumerate(self.task.names):
            path = folder / f"trees-{number}-{at}.json"
            model = CatBoost() if self.task.kind(name) == "regression" else CatBoostClassifier()
            try:
                self.found[name] = model.load_model(str(path), format="json")
                if not model.tree_count_:  # of half a file CatBoost makes a model without trees
                    raise CatBoostError("there are none in it")
            except CatBoostError as error:
                raise CheckpointError(f"{path}: the trees cannot be read: {str(error).splitlines()[0]}") from error

    @property
    def ready(self) -> bool:
        return len(self.found) == len(self.task.names)

    @property
    def size(self) -> str:
        return f"{sum(m.tree_count_ for m in self.found.values()):,} trees"


def _exact(data: Dataset, name: str) -> NDArray[np.int64]:
    """Return the rows in which a target is known exactly."""
    _, observed, bound = data.targets.arrays(name)
    return np.flatnonzero(observed & (bound == EXACT))


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", "0")) or -1  # -1: all cores


def _loss(task: Task, name: str) -> str:
    return WITH_SPREAD if spreads(task, name) else LOSS[task.kind(name)]


def _untrained(grower: Grower, task: Task, name: str, run: RunSettings, seed: int) -> Any:
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = task.kind(name)
    made = CatBoostRegressor if kind == "regression" else CatBoostClassifier
    balance = {"auto_class_weights": "Balanced"} if run.balance and kind != "regression" else {}
    return made(
        iterations=grower.rounds,
        depth=grower.depth,
        learning_rate=grower.lr,
        l2_leaf_reg=grower.l2,
        rsm=grower.subset,
        loss_function=_loss(task, name),
        random_seed=seed,
        thread_count=_threads(),
        allow_writing_files=False,
        verbose=False,
        **balance,
    )


def _no_state() -> State:
    return State(0, 0, 0.0, {}, {}, {}, {})
