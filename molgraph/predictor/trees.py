"""Gradient-boosted trees as a member of a predictor: CatBoost grows them, one model per target, and we keep arrays."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.fit import Epoch
from molgraph.fit.state import State
from molgraph.kinds import Kind
from molgraph.model.grower import Grower
from molgraph.predictor import censored
from molgraph.predictor.boosted import Boosted
from molgraph.predictor.censored import Labelled

Array = NDArray[np.float64]


class Trees:
    """Hold one boosted model per target; `ready` once every target has one.

    Rows known only as a bound count as the value that is to be expected behind it (`censored`); `behind` says of a
    target how far from its estimate, where validation rows of an earlier training have told (`errors`). The number of
    rounds is the one of lowest validation loss.
    """

    def __init__(self, grower: Grower, run: RunSettings, task: Kind, train: Dataset | None) -> None:
        self.task, self.grower = task, grower
        self.found: dict[str, Boosted] = {}
        self.behind: dict[str, float] = {}

    def train(
        self,
        train: Dataset,
        valid: Dataset,
        run: RunSettings,
        *,
        seed: int,
        state: State | None = None,
        lengths: Sequence[int] = (),
    ) -> Iterator[Epoch]:
        """Grow the trees of one target after the other, in so many rounds each as `lengths` says; yield after each."""
        inputs = {"train": self.grower.features_of(train.inputs), "valid": self.grower.features_of(valid.inputs)}
        for number, name in enumerate(self.task.names, 1):
            kind, began = self.task.of(name), time.perf_counter()
            rows = self._labelled(train, inputs["train"], name)
            held = self._labelled(valid, inputs["valid"], name)
            seen = np.unique(rows.exact().values)
            if len(seen) < 2:
                raise DataError(
                    f"target '{name}': trees begin with exact values, and the {len(rows.exact())} training rows that "
                    "have one do not differ. Use a network, which learns from bounds alone too."
                )
            if kind.answers:  # a class without a training row has no probability to judge
                held = held.those(np.isin(held.values, seen))
            rounds = lengths[number - 1] if lengths else self.grower.rounds
            far = self.behind[name] / kind.scale[1] if name in self.behind else None
            model = censored.learn(partial(self._grow, name, run, seed, rounds), _said, rows, held, far)
            grown = Boosted.of_catboost(model)
            self.found[name] = grown if kind.answers else grown.in_units(*kind.scale)
            losses, loss = model.get_best_score(), kind.trees_loss
            yield Epoch(
                number,
                len(self.task.names),
                losses["learn"][loss],
                losses["validation"][loss] if "validation" in losses else None,
                self.grower.lr,
                time.perf_counter() - began,
                len(rows),
                0,
                _no_state,
                len(self.found[name]),
            )

    def errors(self, valid: Dataset) -> dict[str, float]:
        """Return how far these trees are off on exact validation rows of what has two and no classes, as they count."""
        features, found = self.grower.features_of(valid.inputs), {}
        for name in self.task.names:
            kind = self.task.of(name)
            values, observed, bound = kind.measured(valid.targets)
            sure = observed & (bound == EXACT)
            if not kind.answers and sure.sum() > 1:
                mean, std = kind.scale
                said = (self.found[name].raw(features)[sure, 0] - mean) / std
                found[name] = std * censored.error(said, kind.for_trees(values)[sure])
        return found

    def _labelled(self, data: Dataset, features: NDArray[np.float32], name: str) -> Labelled:
        """Return the measured rows of a target, as trees learn it."""
        kind = self.task.of(name)
        values, observed, bound = kind.measured(data.targets)
        weight = data.targets.column(kind.reads(name)[0]).weight[:, 0].numpy()
        return Labelled(features, kind.for_trees(values), bound, weight).those(observed)

    def _grow(self, name: str, run: RunSettings, seed: int, rounds: int, train: Labelled, valid: Labelled) -> Any:
        """Return CatBoost's trees for one target, stopped where the validation rows say so, if there are any."""
        from catboost import Pool

        pools = [Pool(rows.features, rows.values, weight=rows.weight) for rows in (train, valid) if len(rows)]
        model, judged = _untrained(self.grower, self.task.of(name), run, seed, rounds), len(pools) > 1
        stop = self.grower.patience if judged and self.grower.patience else None
        model.fit(pools[0], eval_set=pools[1] if judged else None, use_best_model=judged, early_stopping_rounds=stop)
        return model

    def embed(self, data: Dataset) -> NDArray[np.float32]:
        """Refuse: trees make no vectors.

        Raises: ConfigError
        """
        raise ConfigError("trees make no vectors of what they read; embed with a network, as molecule/dmpnn is.")

    def estimate(self, data: Dataset) -> Array:
        """Return estimates float64 [N, len(task.columns)]."""
        features = self.grower.features_of(data.inputs)
        out = np.zeros((len(data), len(self.task.columns)))
        if not len(data):
            return out
        for name, trees in self.found.items():
            out[:, self.task.block(name)] = self.task.of(name).of_trees(trees.raw(features), trees.classes)
        return out

    def save(self, folder: Path, number: int) -> None:
        """Write `trees-<number>-<target>.safetensors` for each target, targets counted from 0.

        Raises: ResourceError where the disk is full or closed to the user.
        """
        for at, name in enumerate(self.task.names):
            self.found[name].save(folder / f"trees-{number}-{at}.safetensors")

    def fits(self, folder: Path, number: int) -> None:
        """Leave it to `load`: no size stands in a recipe."""

    def load(self, folder: Path, number: int) -> None:
        """Read the trees back; earlier versions kept them as CatBoost's JSON. See docs/decisions/0029.

        Raises: CheckpointError where a file is missing, damaged or not of this target.
        """
        for at, name in enumerate(self.task.names):
            path, earlier = (folder / f"trees-{number}-{at}.{end}" for end in ("safetensors", "json"))
            old = earlier.is_file() and not path.exists()
            trees = Boosted.load_json(earlier) if old else Boosted.load(path)
            if not self.task.of(name).fits_trees(len(trees.bias), trees.classes):
                raise CheckpointError(f"{earlier if old else path}: these are not the trees of '{name}'. Train again.")
            self.found[name] = trees

    @property
    def ready(self) -> bool:
        return len(self.found) == len(self.task.names)

    @property
    def size(self) -> str:
        return f"{sum(map(len, self.found.values())):,} trees"


def _said(model: Any, features: NDArray[np.float32]) -> Array:
    """Return the numbers that CatBoost's trees estimate, [N]."""
    if not len(features):  # of which CatBoost prints a line of its own
        return np.zeros(0)
    found = np.asarray(model.predict(features, prediction_type="RawFormulaVal", thread_count=_threads()))
    return found if found.ndim == 1 else found[:, 0]  # the second is the logarithm of a deviation


def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS", "0")) or -1  # -1: all cores


def _untrained(grower: Grower, kind: Kind, run: RunSettings, seed: int, rounds: int) -> Any:
    from catboost import CatBoostClassifier, CatBoostRegressor

    made = CatBoostClassifier if kind.answers else CatBoostRegressor
    balance = {"auto_class_weights": "Balanced"} if run.balance and kind.answers else {}
    return made(
        iterations=rounds,
        depth=grower.depth,
        learning_rate=grower.lr,
        l2_leaf_reg=grower.l2,
        rsm=grower.subset,
        loss_function=kind.trees_loss,
        random_seed=seed,
        thread_count=_threads(),
        allow_writing_files=False,
        verbose=False,
        **balance,
    )


def _no_state() -> State:
    return State(0, 0, 0.0, {}, {}, {}, {})
