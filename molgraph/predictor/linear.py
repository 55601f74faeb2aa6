"""Linear models as a member of a predictor: scikit-learn fits an equation per target, and we keep arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from molgraph.config import RunSettings
from molgraph.errors import ConfigError
from molgraph.kinds import Kind
from molgraph.model.linear import Linear
from molgraph.predictor import censored
from molgraph.predictor.censored import Labelled
from molgraph.predictor.equation import REACH, Equation, Features, Floats, fitted
from molgraph.predictor.tabular import Fit, Tabular

# On squared weights of features in standard deviations, half a decade apart. The weakest hardly holds back; the
# strongest leaves of a few thousand features on a few thousand rows little more than the mean.
PENALTIES = tuple(10 ** (half / 2) for half in range(10, -1, -1))
USUAL = 1000.0  # where no validation row can choose
TINY = 1e-15  # a probability below it counts as that
NO_CLASSES = np.zeros(0, dtype=np.int64)


class Equations(Tabular):
    """Hold one equation per target, of the penalty of lowest validation loss; of classes logistic ones.

    A target whose answer has a deviation gets the same for all rows: that of greatest likelihood on validation rows. Of
    a time to an event that makes a log-normal accelerated failure time model (Buckley & James 1979, doi
    10.1093/biomet/66.3.429, who impute likewise).
    """

    called: ClassVar[str] = "linear models"
    file: ClassVar[str] = "linear"
    several: ClassVar[str] = "equations"
    kind: ClassVar[Any] = Equation
    seen: Linear

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
        """Fit the equation of one target, by the `length`-th of the penalties where that is known."""
        widths = [outputs for outputs in (1, 2) if kind.answers or kind.fits_trees(outputs, NO_CLASSES)]
        if not widths:
            raise ConfigError(f"target '{kind.name}': a linear model does not answer '{kind.word}'; use a network.")
        path = [self.seen.penalty] if self.seen.penalty else list(PENALTIES)
        chosen = path if length is None else path[length - 1 : length]
        grow = partial(_fit, kind, run.balance, chosen)
        model, penalty = censored.learn(grow, _said, rows, held, far)
        losses = [_loss(kind, model, each) if len(each) else None for each in (rows, held)]
        if widths[0] == 2:
            judged = held if len(held) > 1 else rows
            told = far is not None and not len(held)
            off = far if told else censored.deviation(model.raw(judged.features)[:, 0], judged)
            model = model.with_deviation(max(off or 0.0, censored.LEAST))
        return Fit(model, losses[0] or 0.0, losses[1], path.index(penalty) + 1)

    def off(self, estimates: Floats, rows: Labelled) -> float:
        """Return how far estimates are off, in standard deviations: what makes all rows likeliest, also bounds."""
        return censored.deviation(estimates, rows)

    @property
    def size(self) -> str:
        wide = max((len(each.centre) for each in self.found.values()), default=0)
        return f"{len(self.found)} equation{'' if len(self.found) == 1 else 's'} of {wide:,} features"


def _fit(
    kind: Kind, balance: bool, penalties: Sequence[float], train: Labelled, valid: Labelled
) -> tuple[Equation, float]:
    """Return the equation of lowest validation loss, and the penalty that made it."""
    given: dict[str, Any] = {"classes": bool(kind.answers), "weight": train.weight, "balance": balance}
    tried = penalties if len(penalties) == 1 or len(valid) else [USUAL]
    made = fitted(train.features, train.values, tried, reach=REACH, **given)
    if kind.class_names:
        made = [each.of_each_class(train.values) for each in made]
    best = int(np.argmin([_loss(kind, each, valid) for each in made])) if len(made) > 1 else 0
    return made[best], tried[best]


def _said(model: tuple[Equation, float], features: Features) -> Floats:
    return model[0].raw(features)[:, 0]


def _loss(kind: Kind, model: Equation, rows: Labelled) -> float:
    """Return the mean squared error, of classes the mean negative log probability."""
    raw = model.raw(rows.features)
    each = (raw[:, 0] - rows.values) ** 2
    if kind.answers:
        chances = kind.of_trees(raw, model.classes)
        chances = chances if kind.class_names else np.concatenate([1 - chances, chances], axis=1)
        true = chances[np.arange(len(rows)), rows.values.astype(np.int64)]
        each = -np.log(np.maximum(true, TINY))
    return float(np.average(each, weights=rows.weight))
