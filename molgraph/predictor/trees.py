"""Gradient-boosted trees as a member of a predictor: CatBoost grows them, one model per target, and we keep arrays."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from molgraph.config import RunSettings
from molgraph.kinds import Kind
from molgraph.model.grower import Grower
from molgraph.predictor import censored
from molgraph.predictor.boosted import Boosted
from molgraph.predictor.censored import Labelled
from molgraph.predictor.tabular import Fit, Tabular

Array = NDArray[np.float64]


class Trees(Tabular):
    """Hold one boosted model per target; the number of rounds is the one of lowest validation loss."""

    called: ClassVar[str] = "trees"
    file: ClassVar[str] = "trees"
    several: ClassVar[str] = "trees"
    kind: ClassVar[Any] = Boosted
    seen: Grower

    def learn(
        self,
        kind: Kind,
        run: RunSettings,
        seed: int,
        length: int | None,
        rows: Labelled,
        held: Labelled,
        far: float | None,
    ) -> Fit:
        """Grow the trees of one target, in `length` rounds where that is known."""
        rounds = self.seen.rounds if length is None else length
        model = censored.learn(partial(self._grow, kind, run, seed, rounds), _said, rows, held, far)
        losses, loss, grown = model.get_best_score(), kind.trees_loss, Boosted.of_catboost(model)
        valid = losses["validation"][loss] if "validation" in losses else None
        return Fit(grown, losses["learn"][loss], valid, len(grown), self.seen.lr)

    def _grow(self, kind: Kind, run: RunSettings, seed: int, rounds: int, train: Labelled, valid: Labelled) -> Any:
        """Return CatBoost's trees for one target, stopped where the validation rows say so, if there are any."""
        from catboost import Pool

        pools = [Pool(rows.features, rows.values, weight=rows.weight) for rows in (train, valid) if len(rows)]
        model, judged = _untrained(self.seen, kind, run, seed, rounds), len(pools) > 1
        stop = self.seen.patience if judged and self.seen.patience else None
        model.fit(pools[0], eval_set=pools[1] if judged else None, use_best_model=judged, early_stopping_rounds=stop)
        return model

    def read(self, folder: Path, number: int, at: int) -> tuple[Path, Any]:
        """Return the file of one target and its trees; earlier versions kept them as CatBoost's JSON. See
        docs/decisions/0029."""
        path, earlier = (folder / f"trees-{number}-{at}.{end}" for end in ("safetensors", "json"))
        old = earlier.is_file() and not path.exists()
        return (earlier, Boosted.load_json(earlier)) if old else (path, Boosted.load(path))

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
