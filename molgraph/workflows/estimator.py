"""scikit-learn estimators: `fit`, `predict`, `clone`, `cross_val_score` and pipelines work on lists of things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from molgraph import config, registry
from molgraph.data.room import Noun
from molgraph.errors import DataError
from molgraph.predictor import Predictor
from molgraph.workflows.plan import plan
from molgraph.workflows.train import train_rows

TARGET, COLUMN = "y", "molecule"


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """Fit a predictor on X (n SMILES or RDKit molecules, or what the room of the model reads) and numbers y [n].

    Part of the rows stops the training and calibrates, split by `split`; none is held out for a test, which is
    the caller's business (`cross_val_score`).
    """

    _task = "regression"

    def __init__(
        self,
        model: str = config.RunSettings.model,
        *,
        epochs: int = 50,
        split: str = "scaffold",
        ensemble: int = 1,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.model, self.epochs, self.split = model, epochs, split
        self.ensemble, self.seed, self.settings = ensemble, seed, settings

    def fit(self, X: Sequence[Any], y: ArrayLike) -> Self:
        """Train.

        Raises: DataError where nothing of X can be read, or X and y differ in length.
        """
        things, labels = _things(X, self._noun), np.asarray(y)
        if len(things) != len(labels):
            raise DataError(f"{len(things)} {self._noun.many} but {len(labels)} values.")
        raw = {
            "model": self.model,
            "task": self._task,
            "targets": [TARGET],
            "column": COLUMN,
            "split": self.split,
            "ensemble": self.ensemble,
            "seed": self.seed,
            "comparator": "none",
            "fractions": [0.9, 0.1, 0.0],
            "train": {"epochs": self.epochs},
            **(self.settings or {}),
        }
        run = config.settings(raw)
        self.predictor_: Predictor = train_rows(plan(run, pd.DataFrame({COLUMN: things, TARGET: labels})))
        return self

    def predict_frame(self, X: Sequence[Any]) -> pd.DataFrame:
        """Return all prediction columns of X."""
        check_is_fitted(self, "predictor_")
        return self.predictor_.predict(pd.DataFrame({COLUMN: _things(X, self._noun)}), COLUMN)

    @property
    def _noun(self) -> Noun:
        noun: Noun = registry.room(self.model).noun
        return noun

    def _estimates(self, X: Sequence[Any]) -> pd.DataFrame:
        found = self.predict_frame(X)
        bad = found[found["status"] != "ok"]
        if len(bad):
            first = bad.iloc[0]
            raise DataError(
                f"{len(bad)} of {len(found)} {self._noun.many} have no prediction, first number {bad.index[0] + 1}: "
                f"{first['message']}. Use predict_frame to get the others."
            )
        return found


def _things(X: Any, noun: Noun) -> list[Any]:
    """Return n things from a list, a Series, or a table of one column."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) < 2:
        return list(X)
    if len(shape) > 2 or shape[1] != 1:
        raise DataError(f"X has the shape {shape}: one column of {noun.many} is needed.")
    return list(X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X[:, 0])


class MolgraphRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """Predict numbers."""

    def predict(self, X: Sequence[Any]) -> NDArray[np.float64]:
        """Return float64 [n].

        Raises: DataError where one of X has no prediction.
        """
        return self._estimates(X)[TARGET].to_numpy(dtype=np.float64)


class MolgraphClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """Tell two or more classes apart, whatever they are called."""

    def fit(self, X: Sequence[Any], y: ArrayLike) -> Self:
        """Train; `classes_` holds the sorted labels of y.

        Raises: DataError where y has one class only.
        """
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"y holds {len(self.classes_)} class; there is nothing to tell apart.")
        self._task = "binary" if len(self.classes_) == 2 else "multiclass"
        return super().fit(X, codes)

    def predict_proba(self, X: Sequence[Any]) -> NDArray[np.float64]:
        """Return the probability of each of `classes_`, float64 [n, C]."""
        found = self._estimates(X)
        if len(self.classes_) > 2:
            columns = [f"{TARGET}_p_{code}" for code in range(len(self.classes_))]
            return found[columns].to_numpy(dtype=np.float64)
        one = found[TARGET].to_numpy(dtype=np.float64)
        return np.stack([1 - one, one], axis=1)

    def predict(self, X: Sequence[Any]) -> NDArray[Any]:
        """Return the likeliest class, [n]."""
        shares = self.predict_proba(X)
        return np.asarray(self.classes_[shares.argmax(axis=1)])
