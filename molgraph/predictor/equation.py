"""Linear equations of standardised features: fitted by scikit-learn, kept and evaluated as plain arrays."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.untrusted import damaged
from molgraph.errors import CheckpointError
from molgraph.predictor import tensors

Floats = NDArray[np.float64]
Features = NDArray[np.floating[Any]]
REACH = 10.0  # standard deviations; what lies farther counts as that far, as in `nn.standardise`
STEPS = 1000  # of the solver of logistic regressions, at most
KINDS = {
    "centre": torch.float64, "scale": torch.float64, "weights": torch.float64, "offset": torch.float64,
    "reach": torch.float64, "classes": torch.int64,
}  # fmt: skip


@dataclass(frozen=True)
class Equation:
    """Hold outputs that are `offset` and a weighted sum of features in standard deviations from their mean.

    What is unknown of a row (NaN) counts as the mean, and what lies farther than `reach` as that far.

    Shapes: `centre`, `scale` [D]; `weights` [O, D]; `offset` [O]; `classes` [O] or [0], the class that an output
    stands for.
    """

    centre: Floats
    scale: Floats
    weights: Floats
    offset: Floats
    reach: float = math.inf
    classes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        """Check that its numbers make an equation.

        Raises: ValueError where they do not.
        """
        width, outputs = self.centre.shape, len(self.offset)
        true = {
            "there is no output": self.offset.shape == (outputs,) and outputs > 0,
            "means and deviations do not fit": len(width) == 1 and self.scale.shape == width,
            "weights and features do not fit": self.weights.shape == (outputs, *width),
            "classes and outputs do not fit": self.classes.shape in ((0,), (outputs,)),
            "the classes are not in order": bool((np.diff(self.classes) > 0).all() and (self.classes >= 0).all()),
            "a number is not finite": all(
                np.isfinite(a).all() for a in (self.centre, self.scale, self.weights, self.offset)
            ),
            "a deviation is not above 0": bool((self.scale > 0).all()) and self.reach > 0,
        }
        wrong = [what for what, right in true.items() if not right]
        if wrong:
            raise ValueError(wrong[0])

    def standard(self, features: Features) -> Floats:
        """Return features in standard deviations from their mean, [N, D]."""
        with np.errstate(over="ignore"):
            made = np.nan_to_num((features - self.centre) / self.scale)
        return made if math.isinf(self.reach) else np.clip(made, -self.reach, self.reach, out=made)

    def raw(self, features: Features) -> Floats:
        """Return the outputs of every row.

        Shapes: `features` [N, D]; returns [N, O].
        Raises: CheckpointError where rows have more or fewer features than the equation has weights.
        """
        if features.shape[1] != len(self.centre):
            raise CheckpointError(
                f"the equation is of {len(self.centre)} features, and this version of molgraph makes "
                f"{features.shape[1]}. Use the version that trained the model, or train again."
            )
        return np.asarray(self.standard(features) @ self.weights.T + self.offset)

    @property
    def outputs(self) -> int:
        return len(self.offset)

    def in_units(self, unit: Floats, move: Floats) -> Self:
        """Return an equation whose outputs are multiplied by `unit` and then moved, both [O]."""
        return replace(self, weights=self.weights * unit[:, None], offset=self.offset * unit + move)

    def of_each_class(self, values: Floats) -> Self:
        """Return an equation of the classes of some rows with an output for each, where that of two has one alone."""
        classes = np.unique(values).astype(np.int64)
        if self.outputs > 1:
            return replace(self, classes=classes)
        weights, offset = np.concatenate([0 * self.weights, self.weights]), np.append(0.0, self.offset)
        return replace(self, weights=weights, offset=offset, classes=classes)

    def with_deviation(self, deviation: float) -> Self:
        """Return it with a second output, the logarithm of a deviation that is the same for all rows."""
        weights = np.concatenate([self.weights, np.zeros((1, len(self.centre)))])
        return replace(self, weights=weights, offset=np.append(self.offset, math.log(deviation)))

    def save(self, path: Path) -> None:
        """Write the arrays as safetensors."""
        tensors.write(path, {name: torch.as_tensor(getattr(self, name), dtype=kind) for name, kind in KINDS.items()})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises: CheckpointError where it is missing, damaged or no equation.
        """
        found = tensors.read(path, KINDS)
        with damaged(path):
            made: dict[str, Any] = {name: values.numpy() for name, values in found.items()}
            return cls(**made | {"reach": made["reach"].item()})


def fitted(
    features: Features,
    values: Floats,
    penalties: Sequence[float],
    *,
    classes: bool,
    weight: NDArray[np.floating[Any]] | None = None,
    balance: bool = False,
    reach: float = math.inf,
) -> list[Equation]:
    """Return an equation for each penalty (strong ones first are fastest): a ridge regression, of classes a logistic
    one.

    Of two classes an equation has one output, the logit of the second.

    See: Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634; Cox 1958, doi 10.1111/j.2517-6161.1958.tb00292.x
    """
    centre, scale = _moments(features)
    plain = Equation(centre, scale, np.zeros((1, len(centre))), np.zeros(1), reach)
    given = plain.standard(features)
    if classes:
        return [replace(plain, **found) for found in _logistic(given, values, penalties, weight, balance)]
    from sklearn.linear_model import Ridge

    many = np.repeat(values[:, None], len(penalties), axis=1)  # one factorisation serves all penalties
    made = Ridge(alpha=np.array(penalties)).fit(given, many, sample_weight=weight)
    weights, offset = np.atleast_2d(made.coef_), np.atleast_1d(made.intercept_)
    return [replace(plain, weights=weights[at : at + 1], offset=offset[at : at + 1]) for at in range(len(penalties))]


def _moments(features: Features) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each feature, 1 of one that is the same everywhere."""
    exact = features.astype(np.float64, copy=False)  # squares of float32 overflow
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # numpy warns of a feature that no row has
        centre = np.nan_to_num(np.nanmean(exact, axis=0))
        scale = np.nan_to_num(np.nanstd(exact, axis=0))
    return centre, np.where(scale > 0, scale, 1.0)


def _logistic(
    given: Floats,
    values: Floats,
    penalties: Sequence[float],
    weight: NDArray[np.floating[Any]] | None,
    balance: bool,
) -> list[dict[str, Any]]:
    """Return weights and offset for each penalty; each begins where the one before ended."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=STEPS, warm_start=True, class_weight="balanced" if balance else None)
    made = []
    for penalty in penalties:
        model.set_params(C=1 / penalty)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # classes that are told apart have no end, and STEPS are enough
            model.fit(given, values, sample_weight=weight)
        made.append({"weights": model.coef_.astype(np.float64), "offset": model.intercept_.astype(np.float64)})
    return made
