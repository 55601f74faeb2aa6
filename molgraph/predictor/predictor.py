"""A `Predictor`: standardiser, members, calibration and domain; what a model folder on disk is."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.untrusted import damaged
from molgraph.errors import CheckpointError
from molgraph.kinds import restore
from molgraph.predictor import folder as folders
from molgraph.predictor import member as members_of
from molgraph.predictor.artifact import opened
from molgraph.predictor.checkpoint import SPLIT
from molgraph.predictor.domain import Domain
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.known import Known, pretrained_by
from molgraph.predictor.member import Member
from molgraph.predictor.neighbours import neighbours
from molgraph.predictor.network import Network
from molgraph.predictor.parts import lacked, parts, with_prints
from molgraph.predictor.predictions import recipe_html
from molgraph.predictor.recipe import Recipe
from molgraph.predictor.scored import Scorer
from molgraph.predictor.stacking import averaged
from molgraph.predictor.threshold import Threshold

Array = NDArray[np.float64]


class Predictor(Scorer):
    """Hold one model, or an ensemble of models of one kind trained together."""

    def __init__(self, recipe: Recipe, members: Sequence[Member], domain: Domain | None, digest: str = "") -> None:
        self.recipe, self.members, self.trained, self.digest = recipe, list(members), domain, digest
        self.task = restore(recipe.task)
        self.targets = self.task.names
        run, found, learnt = recipe.run, slots(recipe.run), recipe.lacked
        if learnt is None:
            learnt = lacked(run, domain.index if domain else np.zeros((0, len(found)), dtype=np.int64))
        self.inputs = Inputs(found, with_prints(run), run.rules, lacked=frozenset(learnt))
        of = self.task.of
        self.intervals = {name: of(name).interval_of(given) for name, given in recipe.intervals.items()}
        self.chances = {name: of(name).chance_of(given) for name, given in recipe.chances.items()}
        self.tempered = {name: of(name).tempered_of(given) for name, given in recipe.tempered.items()}
        self.thresholds = {name: Threshold.from_json(given) for name, given in recipe.thresholds.items()}
        self.history: list[dict[str, Any]] = []
        self.starts: tuple[Domain, ...] = ()
        self.before: Predictor | None = None
        self.folder: Path | None = None

    @property
    def domain(self) -> Domain | None:
        """Return what it was trained on, where that can say what is near."""
        return self.trained if self.trained is not None and self.trained.compares else None

    @domain.setter
    def domain(self, trained: Domain | None) -> None:
        self.trained = trained

    @property
    def predictors(self) -> list[Predictor]:
        return [self]

    @property
    def known(self) -> Known:
        return self.known_as("the model")

    def known_as(self, called: str) -> Known:
        """Return what it was trained on, itself called so."""
        own = () if self.trained is None else (self.trained,)
        return Known((*own, *self.starts), (*self._gap(called), *self._gaps_of_start()))

    def _gap(self, called: str) -> tuple[str, ...]:
        if self.facts.get("shared"):
            return (f"{called} was shared without its training rows",)
        return (f"{called} keeps no training rows",) if self.trained is None else ()

    def _gaps_of_start(self) -> tuple[str, ...]:
        run, start = self.recipe.run, self.recipe.start
        if run.init and not start:
            return (f"an earlier version kept nothing of what its start '{Path(run.init).name}' was trained on",)
        return (*start.get("gaps", ()), *pretrained_by(run))

    def start_from(self, other: Predictor, anew: Sequence[str] = ()) -> None:
        """Keep what the model it started from, and the starts of that, were trained on; `anew` are the weights that
        did not fit."""
        name = Path(self.recipe.run.init).name
        known = other.known_as(f"the start '{name}'")
        self.starts = tuple(domain.bare() for domain in known.domains)
        told: dict[str, Any] = {key: other.facts[key] for key in ("data", "rows_used", "trained") if key in other.facts}
        own: dict[str, Any] = {"name": name, "digest": other.digest, "targets": list(other.targets)}
        self.recipe.start = {**own, **told, "gaps": list(known.gaps), "anew": list(anew)}

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(column for name in self.targets for column in self.task.of(name).ranked_by)

    @property
    def facts(self) -> dict[str, Any]:
        return self.recipe.facts

    def blamed(self) -> AbstractContextManager[None]:
        """Blame the folder where what its recipe says of the model cannot be told."""
        return damaged((self.folder or Path()) / "recipe.json")

    @property
    def judged(self) -> Predictor:
        """Return the model that the scores are of: the one of the split, where this one was refitted on all rows.

        Raises: CheckpointError where the folder was copied without it.
        """
        if not self.facts.get("refitted"):
            return self
        if self.before is None:
            self.before = Predictor.load((self.folder or Path()) / SPLIT)
        return self.before

    def estimate(self, data: Dataset) -> tuple[Array, Array]:
        """Return the members' mean estimate and their standard deviation, both [N, columns of the task]."""
        found = np.stack([m.estimate(data) for m in self.members])
        mean, spread = averaged(found, self.task, self.recipe.weights)
        return self.temper(mean), spread

    def each_part(self, data: Dataset) -> dict[str, Array]:
        """Return what each part of a consensus estimates by itself, [N, columns of the task]; of other models none."""
        each = parts(self.recipe.run)
        if len(each) == 1:
            return {}
        found = [member.estimate(data) for member in self.members]
        made = {part.model: found[at :: len(each)] for at, part in enumerate(each) if found[at :: len(each)]}
        return {name: np.mean(mine, axis=0) for name, mine in made.items()}

    def vectors_of(self, things: Dataset) -> pd.DataFrame:
        self._check_schemas(things)
        able = [member for member in self.members if isinstance(member, Network)]
        found = [member.embed(things) for member in able or self.members]
        several = len(found) > 1
        names = [
            f"member_{number}_vector_{at}" if several else f"vector_{at}"
            for number, vectors in enumerate(found)
            for at in range(vectors.shape[1])
        ]
        return pd.DataFrame(np.concatenate(found, axis=1), columns=names)

    def unit(self, name: str, data: Dataset, estimates: Array, spread: Array) -> Array | None:
        """Return what the intervals of a target are counted in, [N]; None where they are as wide everywhere."""
        where = self.task.block(name)
        return self.task.of(name).deviation(estimates[:, where], spread[:, where])

    def temper(self, estimates: Array) -> Array:
        """Return estimates with the probabilities mapped as the calibration rows taught."""
        for name, each in self.tempered.items():
            where = self.task.block(name)
            estimates[:, where] = each.apply(estimates[:, where])
        return estimates

    def columns_of(self, things: Dataset) -> pd.DataFrame:
        """Return the prediction columns of distinct things, one row each."""
        self._check_schemas(things)
        estimates, spread = self.estimate(things)
        columns: dict[str, Any] = {}
        for name in self.targets:
            where = self.task.block(name)
            columns |= self.task.of(name).said(estimates[:, where], spread[:, where], self.intervals[name])
        near = neighbours([self], things)
        return pd.DataFrame(columns if near is None else columns | near.columns())

    def _check_schemas(self, things: Dataset) -> None:
        """Refuse features that mean something else than they did in training.

        Raises: CheckpointError where this version of the room encodes its data in another way.
        """
        for name, sizes, schema in (
            (name, sizes, things.inputs[slot].parts.schema)
            for slot, known in self.recipe.schemas.items()
            if len(things.inputs[slot].parts)  # of nothing, the width of a vector is not known
            for name, sizes in known.items()
        ):
            if name in schema and schema[name] != sizes:
                was, now = self.recipe.versions.get("molgraph"), f"{sizes}, now {schema[name]}"
                where = f"{self.folder}: " if self.folder else ""
                raise CheckpointError(
                    f"{where}this model was trained on '{name}' features of another version ({now}), by molgraph "
                    f"{was}. Use that version, or train again."
                )

    def __repr__(self) -> str:
        return f"<Predictor of {', '.join(self.targets)} by {self.recipe.run.model}, {self.recipe.members} members>"

    def _repr_html_(self) -> str:
        return recipe_html(self.recipe)

    def save(self, path: str | Path) -> None:
        """Write the model folder; `recipe.json` comes last, so a folder that has it is complete."""
        folder = Path(path)
        for number, member in enumerate(self.members):
            member.save(folder, number)
        if self.trained is not None:
            self.trained.save(folder / folders.DOMAIN)
        for number, start in enumerate(self.starts):
            start.save(folder / folders.START.replace("*", str(number)))
        self.digest = folders.seal(folder, self.recipe)

    @classmethod
    def load(cls, path: str | Path) -> Predictor:
        """Read a model folder, or a model that ships by its name.

        Raises: CheckpointError where it is missing, damaged or of another version.
        """
        return opened(path, cls)

    @classmethod
    def opened(cls, folder: Path, recipe: Recipe, digest: str) -> Predictor:
        """Make what a recipe describes, and say one number, so that what cannot be said is told now."""
        rooms = {slot.name: slot.room for slot in slots(recipe.run)}
        domain = Domain.load(rooms, folder / folders.DOMAIN) if (folder / folders.DOMAIN).exists() else None
        task = restore(recipe.task)
        if domain is not None and domain.values.shape[1] != len(task.reading):
            raise ValueError("the domain has other targets")
        each, numbers = parts(recipe.run), range(recipe.members)
        loaded = [members_of.load(each[n % len(each)], recipe.schemas, task, folder, n) for n in numbers]
        made = cls(recipe, loaded, domain, digest)
        made.starts = tuple(Domain.load(rooms, path) for path in sorted(folder.glob(folders.START)))
        some = np.full((1, len(task.columns)), 0.5)
        for name in task.names:
            kind, where, interval = task.of(name), task.block(name), made.intervals[name]
            if not kind.fits(interval):
                raise ValueError(f"the interval of '{name}' is that of another target")
            kind.said(made.temper(some.copy())[:, where], some[:, where], interval)
        made._repr_html_()
        made.folder = folder
        return made
