"""scikit-learn estimators: `fit`, `predict`, `clone`, `cross_val_score` and pipelines work on lists of things."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from molgraph import config, registry
from molgraph.data.room import Noun
from molgraph.errors import DataError
from molgraph.kinds import Number, OneOf, YesNo
from molgraph.predictor import Predictor
from molgraph.workflows.plan import plan
from molgraph.workflows.train import train_rows

TARGET, COLUMN, WEIGHT = "y", "molecule", "sample_weight"
NESTED = "settings__"  # how a search names a key inside the settings: settings__train__lr
Weights = NDArray[np.float64]


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """Fit a predictor on X (n SMILES or RDKit molecules, or what the room of the model reads) and y: one column [n], or
    a column for each target [n, T], in which a NaN is a value that was not measured.

    Part of the rows stops the training and calibrates, split by `split` ("auto": as is usual in the room); none is held
    out for a test, which is the caller's business (`cross_val_score`). `settings` are the keys of a run file; a search
    calls one `settings__train__lr`.
    """

    def __init__(
        self,
        model: str = config.RunSettings.model,
        *,
        epochs: int = 50,
        split: str = config.AUTO,
        ensemble: int = 1,
        seed: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.model, self.epochs, self.split = model, epochs, split
        self.ensemble, self.seed, self.settings = ensemble, seed, settings

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `settings__train__lr` sets one key inside the settings and leaves the others.

        Raises: ConfigError for a key that does not exist, before anything is trained.
        """
        plain = {name: value for name, value in params.items() if not name.startswith(NESTED)}
        super().set_params(**plain)
        nested = [(name.removeprefix(NESTED), value) for name, value in params.items() if name.startswith(NESTED)]
        if nested:
            made: dict[str, Any] = _copied(self.settings or {})
            for name, value in nested:
                *parents, last = name.split("__")
                at = made
                for parent in parents:
                    at = at.setdefault(parent, {})
                at[last] = value
            config.settings(made)
            self.settings = made
        return self

    def __sklearn_tags__(self) -> Tags:
        """Say what it reads: a column of texts or molecules, not a matrix of numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = False, True, True
        tags.target_tags.multi_output = True
        return tags

    def _fit(self, X: Any, y: pd.DataFrame, weight: Weights, tasks: dict[str, str]) -> Self:
        """Train on the rows that have a weight.

        Raises: DataError where X and y differ in length.
        """
        things = _things(X, self._noun)
        if len(things) != len(y):
            raise DataError(f"{len(things)} {self._noun.many} but {len(y)} values.")
        table = y.assign(**{COLUMN: things}, **{WEIGHT: weight})[weight > 0].reset_index(drop=True)
        raw = {
            "model": self.model,
            "task": tasks if len(tasks) > 1 else next(iter(tasks.values())),
            "targets": list(tasks),
            "column": COLUMN,
            "weight": WEIGHT if len(set(weight[weight > 0])) > 1 else "",
            "split": self.split,
            "ensemble": self.ensemble,
            "seed": self.seed,
            "comparator": "none",
            "fractions": [0.9, 0.1, 0.0],
            "train": {"epochs": self.epochs},
        }
        self.predictor_: Predictor = train_rows(plan(config.settings(_over(raw, self.settings or {})), table))
        self.targets_ = list(tasks)
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
    if hasattr(X, "tocsr"):
        raise DataError(f"X is a sparse matrix: a column of {noun.many} is needed.")
    if not hasattr(X, "__iter__"):
        X = np.asarray(X)
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) < 2:
        return list(X)
    if len(shape) > 2 or shape[1] != 1:
        raise DataError(f"X has the shape {shape}: one column of {noun.many} is needed.")
    return list(X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X[:, 0])


def _columns(y: Any) -> pd.DataFrame:
    """Return y as named columns: "y", or those of a table, else y_0, y_1, ...

    Raises: DataError where there is none, or they are no columns.
    """
    if y is None:
        raise DataError("This estimator requires y to be passed, but the target y is None.")
    values = np.asarray(y)
    if values.ndim not in (1, 2) or (values.ndim == 2 and not values.shape[1]):
        raise DataError(
            f"y has the shape {values.shape}: a value for each row, or a column for each target, is needed."
        )
    if values.ndim == 1 or values.shape[1] == 1:
        return pd.DataFrame({TARGET: values.ravel()})
    names: list[Any] = list(y.columns) if isinstance(y, pd.DataFrame) else []
    if (
        not all(isinstance(name, str) and name not in (COLUMN, WEIGHT) for name in names)
        or len(set(names)) < values.shape[1]
    ):
        names = [f"{TARGET}_{at}" for at in range(values.shape[1])]
    return pd.DataFrame(dict(zip(names, values.T, strict=True)))


def _numbers(y: pd.DataFrame) -> pd.DataFrame:
    """Return y as float64.

    Raises: DataError where a value is no finite number; of several targets a row may lack some, but not all.
    """
    if any(np.iscomplexobj(y[name]) for name in y):
        raise DataError("Complex data not supported: y must hold real numbers.")
    try:
        numbers = y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"y must hold numbers: {error}.") from error
    values = numbers.to_numpy()
    for what, bad in (("infinity", np.isinf(values).any(axis=1)), ("NaN", np.isnan(values).all(axis=1))):
        if bad.any():
            raise DataError(f"Input y contains {what}: row {int(bad.argmax()) + 1} of {len(bad)}; leave such rows out.")
    return numbers


def _weights(given: ArrayLike | None, rows: int) -> Weights:
    """Return the weight of each row, [n].

    Raises: DataError where one is no number from 0 on, or all are 0.
    """
    if given is None:
        return np.ones(rows)
    try:
        weight = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"sample_weight must hold numbers: {error}.") from error
    weight = np.full(rows, weight) if weight.ndim == 0 else weight
    if weight.shape != (rows,):
        raise DataError(f"sample_weight has the shape {weight.shape}, and there are {rows} rows.")
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise DataError("sample_weight must be finite and nowhere below 0.")
    if not weight.any():
        raise DataError("every sample_weight is zero: no row is left to learn from.")
    return weight


def _copied(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in raw.items()}


def _over(raw: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings laid over others, section by section."""
    both = {
        key: _over(raw[key], value) for key, value in settings.items() if key == "train" and isinstance(value, dict)
    }
    return {**raw, **settings, **both}


class MolgraphRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """Predict numbers."""

    def fit(self, X: Sequence[Any], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train; a row of weight 2 counts twice in the loss, one of weight 0 not at all.

        Raises: DataError (a ValueError) where nothing of X can be read, X and y differ in length, or y is not finite.
        """
        numbers = _numbers(_columns(y))
        weight = _weights(sample_weight, len(numbers))
        return self._fit(X, numbers, weight, dict.fromkeys(numbers.columns, Number.word))

    def predict(self, X: Sequence[Any]) -> NDArray[np.float64]:
        """Return float64 [n], or [n, T] of several targets.

        Raises: DataError where one of X has no prediction.
        """
        found = self._estimates(X)[self.targets_].to_numpy(dtype=np.float64)
        return found[:, 0] if len(self.targets_) == 1 else found


class MolgraphClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """Tell two or more classes apart, whatever they are called.

    Of several targets `classes_`, `predict_proba` and the columns of `predict` are lists of one each.
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Sequence[Any], y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train; `classes_` holds the sorted labels of y, a row of weight 2 counts twice in the loss.

        Raises: DataError (a ValueError) where y has one class only, or numbers that are no classes.
        """
        labels = _columns(y)
        if labels.isna().any(axis=None):
            raise DataError("Input y contains NaN: every row needs a class; leave the others out.")
        weight = _weights(sample_weight, len(labels))
        found: dict[str, NDArray[Any]] = {}
        for name in map(str, labels.columns):
            values = np.asarray(labels[name].tolist())
            try:
                check_classification_targets(values)
            except ValueError as error:
                raise DataError(f"y: {error}") from error
            found[name] = np.unique(values[weight > 0])
            if len(found[name]) < 2:
                raise DataError(f"y holds {len(found[name])} class; there is nothing to tell apart.")
            labels[name] = np.searchsorted(found[name], values)  # of a row without weight anything
        self.classes_ = found[TARGET] if list(found) == [TARGET] else list(found.values())
        kinds = {name: (YesNo if len(classes) == 2 else OneOf).word for name, classes in found.items()}
        return self._fit(X, labels, weight, kinds)

    def predict_proba(self, X: Sequence[Any]) -> Any:
        """Return the probability of each of `classes_`, float64 [n, C]; of several targets a list of such."""
        found = self._estimates(X)
        columns = [list(self.predictor_.task.of(name).ranked_by) for name in self.targets_]
        shares = [_shares(found[each].to_numpy(dtype=np.float64)) for each in columns]
        return shares[0] if len(shares) == 1 else shares

    def predict(self, X: Sequence[Any]) -> NDArray[Any]:
        """Return the likeliest class, [n], or [n, T] of several targets."""
        shares = self.predict_proba(X)
        each = shares if isinstance(shares, list) else [shares]
        named = [classes[share.argmax(axis=1)] for classes, share in zip(self._classes, each, strict=True)]
        return np.asarray(named[0] if len(named) == 1 else np.stack(named, axis=1))

    @property
    def _classes(self) -> list[NDArray[Any]]:
        return self.classes_ if isinstance(self.classes_, list) else [self.classes_]


def _shares(said: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each class, [n, C], from those that are said, of two classes that of the second."""
    return said if said.shape[1] > 1 else np.concatenate([1 - said, said], axis=1)
