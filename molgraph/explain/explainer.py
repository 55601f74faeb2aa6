"""From a predictor and a row to where its networks looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph import registry
from molgraph.data.dataset import Dataset
from molgraph.data.room import Shown
from molgraph.errors import ConfigError, Reject, did_you_mean
from molgraph.explain.attribution import METHODS
from molgraph.explain.checks import Checks, deletion, orders, randomised, rank_correlation
from molgraph.explain.subject import Subject
from molgraph.fit.device import memory_errors
from molgraph.model.model import Model
from molgraph.model.spatial import Spatial
from molgraph.predictor import Predictor
from molgraph.predictor.inputs import slots
from molgraph.predictor.network import Network
from molgraph.predictor.parts import parts

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Explanation:
    """Hold what speaks for an estimate: `maps` float32 [n, ...], what the model saw of the row's part.

    `answer` is the class that is explained, "" of a number and of yes or no, where it is yes.
    """

    maps: Floats
    answer: str
    checks: Checks


class Explainer:
    """Explain one target of a model by one method; the maps of an ensemble are the mean of its members'."""

    def __init__(self, predictor: Predictor, target: str | None = None, method: str = "gradcam") -> None:
        if method not in METHODS:
            raise ConfigError(f"unknown method '{method}'{did_you_mean(method, METHODS)}")
        self.predictor, self.method = predictor, method
        self.target = target or predictor.targets[0]
        if self.target not in predictor.targets:
            raise ConfigError(f"the model has no target '{target}'{did_you_mean(self.target, predictor.targets)}")
        self.show, self.networks, self.feature = _explainable(predictor)
        self.fresh = [randomised(each.model, seed) for seed, each in enumerate(self.networks)]

    @property
    def share(self) -> float:
        """Return what the networks weigh in the estimate that is explained: of a consensus only they look anywhere."""
        members = self.predictor.members
        alike = [1 / len(members)] * len(members)
        weights = self.predictor.recipe.weights.get(self.target, alike)
        return float(sum(w for w, member in zip(weights, members, strict=True) if member in self.networks))

    def explain(self, things: Dataset, at: int) -> Explanation:
        """Explain the estimate of one thing.

        Raises: ResourceError where memory runs out.
        """
        estimates, _ = self.predictor.estimate(things.subset(np.array([at])))
        column, answer = self._column(estimates[0])
        with memory_errors("explaining"):
            pairs = [self._one(n, f, things, at, column) for n, f in zip(self.networks, self.fresh, strict=True)]
            maps, unlearnt = (np.stack(each).mean(axis=0) for each in ([p[0] for p in pairs], [p[1] for p in pairs]))
            ranked, shuffled = orders(maps, at)
            fallen = [[deletion(s, pictures, way) for way in (ranked, shuffled)] for _, _, s, pictures in pairs]
        gone, random = np.mean(fallen, axis=0).tolist()
        return Explanation(maps, answer, Checks(rank_correlation(maps, unlearnt), gone, random))

    def _one(
        self, network: Network, fresh: Model, things: Dataset, at: int, column: int
    ) -> tuple[Floats, Floats, Subject, Tensor]:
        """Return a member's map, that of its random copy, and what they were made of."""
        chance = bool(network.task.of(self.target).answers)
        model = network.model.to(network.place.device).eval()
        batch = things.batch(torch.tensor([at])).to(network.place.device)
        parts, _ = batch.single()
        dark = replace(parts, values={name: torch.zeros_like(values) for name, values in parts.values.items()})
        with torch.no_grad():
            pictures, black = (cast(Spatial, model.encoder).pictures(each) for each in (parts, dark))
        subjects = [Subject(each, column, chance, black[0]) for each in (model, fresh.to(network.place.device))]
        found = [METHODS[self.method](subject, pictures).cpu().numpy().astype(np.float32) for subject in subjects]
        return found[0], found[1], subjects[0], pictures

    def _column(self, estimates: Floats) -> tuple[int, str]:
        """Return the column that is explained: of several classes the one that is predicted."""
        where = self.predictor.task.block(self.target)
        names = self.predictor.task.of(self.target).class_names
        if not names:
            return where.start, ""
        best = int(estimates[where].argmax())
        return where.start + best, names[best]


def _explainable(predictor: Predictor) -> tuple[Callable[..., Shown | Reject], list[Network], str]:
    """Return what shows a part, the networks, and the feature that they look at.

    Raises: ConfigError where a model cannot be explained yet.
    """
    show = predictor.room.face.show
    networks = [member for member in predictor.members if isinstance(member, Network)]
    name = predictor.recipe.run.model
    if show is None or len(predictor.inputs.slots) > 1:
        raise ConfigError(f"'{name}' cannot be explained yet; networks that look at scans (imaging/resnet18) can.")
    if not networks or not all(isinstance(each.model.encoder, Spatial) for each in networks):
        raise ConfigError(f"'{name}' makes no maps, so nothing can be shown; explain a network, as imaging/resnet18.")
    own = next(part for part in parts(predictor.recipe.run) if registry.model(part.model).family == "network")
    ((feature,),) = (slot.needs for slot in slots(own))
    return show, networks, feature
