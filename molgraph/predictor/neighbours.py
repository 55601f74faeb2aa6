"""What was measured that is nearest to each row: over all its targets together, and of each target apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.kinds import Kind
from molgraph.predictor.domain import Domain, Floats, Near
from molgraph.predictor.side import Rows

Mask = NDArray[np.bool_]
IN_DOMAIN = "in_domain"
DOUBT = "doubt"  # why an estimate may mean nothing; it is part of the message of a row
SIGNS = {BELOW: "<", EXACT: "", ABOVE: ">"}
WRITTEN = 12  # letters of what people measure; longer numbers were computed (a mean, a p-value), and get 7 digits


class Knows(Protocol):
    """Know training rows: what this floor asks of a predictor."""

    domain: Domain | None
    task: Kind


@dataclass(frozen=True)
class Measured:
    """Say of n things which row is the nearest in which one target was measured: `model` says in whose domain, `rows`
    which there (-1: none), `similarity` how near it is (NaN: none), `within` whether it is inside the domain of the
    rows in which that target was measured, of every model that has it."""

    model: NDArray[np.int64]
    rows: Rows
    similarity: Floats
    within: Mask


@dataclass(frozen=True)
class Neighbours:
    """Hold what models know of n things: `near` of each model, `best` the model of the nearest row, `measured` by
    target."""

    models: Sequence[Knows]
    near: Sequence[Near]
    best: NDArray[np.int64]
    measured: dict[str, Measured]

    def domain(self, model: int) -> Domain:
        """Return the domain of one of the models."""
        found = self.models[model].domain
        assert found is not None  # only those that have one are asked
        return found

    def texts(self, target: str) -> list[str]:
        """Return what was measured of a target, "" where nothing was: a bound with its sign, a class by its name."""
        at = self.measured[target]
        asked = list(zip(at.model.tolist(), at.rows.tolist(), strict=True))
        said = {(m, row): measured_text(self.models[m], target, row) if row >= 0 else "" for m, row in set(asked)}
        return [said[each] for each in asked]

    def values(self, target: str) -> NDArray[np.float64]:
        """Return what was measured of a target as numbers, whether exact or a bound, NaN where nothing was."""
        at, found = self.measured[target], np.full(len(self.best), np.nan)
        for number, model in enumerate(self.models):
            mine = np.flatnonzero((at.model == number) & (at.rows >= 0))
            if len(mine):
                values = self.domain(number).values[at.rows[mine], model.task.column(target)]
                found[mine] = model.task.of(target).out_of(values)
        return found

    def columns(self) -> dict[str, Any]:
        """Return neighbour and domain flag: the nearest over all models, inside only where inside of all.

        With several inputs the neighbour is a row, its similarity the product over the inputs, and
        `nn_similarity_<input>` that of each input's nearest measured part. `nn_smiles`, or how else a room's keys are
        called where a person reads them, is the key of its first input. `T_nn` is what was measured of the
        nearest row in which T was measured; where that need not be the neighbour, `T_nn_similarity` says how near, and
        `T_in_domain` whether that is inside the domain of the rows in which T was measured; `in_domain` is all of them.
        """
        things = range(len(self.best))
        rows = [(self.domain(b), int(self.near[b].rows[i])) for i, b in zip(things, self.best.tolist(), strict=True)]
        written = next(iter(self.domain(0).sides.values())).room.face.written
        similarity = np.stack([near.similarity for near in self.near]).max(axis=0)
        names = self.near[0].sides if len(self.near[0].sides) > 1 else ()
        return {
            "nn_id": [domain.ids[row] for domain, row in rows],
            **({f"nn_{written}": [domain.key(row) for domain, row in rows]} if written else {}),
            "nn_similarity": similarity,
            **{f"nn_similarity_{name}": np.max([near.sides[name] for near in self.near], axis=0) for name in names},
            **self._measured(),
            IN_DOMAIN: np.stack([near.inside for near in self.near]).all(axis=0).astype(object),
            DOUBT: self.doubts(),
        }

    def doubts(self) -> list[str]:
        """Say of each thing why its estimates may mean nothing, "" where nothing speaks against them."""
        noun = next(iter(self.domain(0).sides.values())).room.noun.one if self._single else "row"
        similarity = np.stack([near.similarity for near in self.near]).max(axis=0)
        inside = np.all([near.inside for near in self.near], axis=0).tolist()
        found = []
        for at in range(len(self.best)):
            strange = next((near.strange[at] for near in self.near if near.strange[at]), "")
            why = [f"contains {strange}, which no training {noun} does"] if strange else []
            beyond = next((near.beyond[at] for near in self.near if near.beyond[at]), "")
            why += [f"extrapolates: {beyond}"] if beyond else []
            if not inside[at]:
                far = self._outside(at)
                every = f"the training data: nearest measured {noun} {similarity[at]:.2f}"
                why.append(f"outside the domain of {', '.join(far) or every}")
            found.append("; ".join(why))
        return found

    def _outside(self, at: int) -> list[str]:
        """Name the targets in whose domain a thing is not, and how near is the nearest; none where all are alike."""
        known = {target: each for target, each in self.measured.items() if each.rows[at] >= 0}
        far = [f"{name} (nearest {each.similarity[at]:.2f})" for name, each in known.items() if not each.within[at]]
        return far if self._apart and len(far) < len(known) else []

    @property
    def _single(self) -> bool:
        return len(self.domain(0).sides) == 1

    @property
    def _apart(self) -> bool:
        """Tell whether targets were measured on different rows."""
        return any(np.isnan(self.domain(model).values).any() for model in range(len(self.models)))

    def _measured(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for target, at in self.measured.items():
            kind = self._having(target)[0][1].task.of(target).written_as
            found[f"{target}_nn"] = self.values(target).astype(kind) if self._plain(target) else self.texts(target)
            if self._apart:
                found[f"{target}_nn_similarity"] = at.similarity
                found[f"{target}_{IN_DOMAIN}"] = at.within.astype(object)
        return found

    def _plain(self, target: str) -> bool:
        """Tell whether all that was measured of a target are plain numbers, whatever is asked."""
        return all(
            not m.task.of(target).words and not self.domain(number).bound[:, m.task.column(target)].any()
            for number, m in self._having(target)
        )

    def _having(self, target: str) -> list[tuple[int, Knows]]:
        return [(number, m) for number, m in enumerate(self.models) if target in m.task.names]


def neighbours(models: Sequence[Knows], things: Dataset) -> Neighbours | None:
    """Return the neighbours of things over all models that know their training rows; None where none does."""
    known = [model for model in models if model.domain is not None]
    if not known:
        return None
    domains = [model.domain for model in known if model.domain is not None]
    near = [domain.nearest(things) for domain in domains]
    best = np.stack([each.similarity for each in near]).argmax(axis=0)
    measured = {}
    for target in dict.fromkeys(name for model in known for name in model.task.names):
        mine = [number for number, model in enumerate(known) if target in model.task.names]
        columns = [known[number].task.column(target) for number in mine]
        each = [(near[number], at) for number, at in zip(mine, columns, strict=True)]
        rows, similarity = np.stack([n.measured[:, c] for n, c in each]), np.stack([n.alike[:, c] for n, c in each])
        first = np.where(np.isnan(similarity), -1, similarity).argmax(axis=0)
        at = first, np.arange(len(things))
        within = np.logical_and.reduce([n.within[:, c] for n, c in each])
        measured[target] = Measured(np.array(mine)[first], rows[at], similarity[at], within)
    return Neighbours(known, near, best, measured)


def flag_columns(targets: Sequence[str]) -> list[str]:
    """Name the columns that hold domain flags."""
    return [IN_DOMAIN, *(f"{target}_{IN_DOMAIN}" for target in targets)]


def measured_text(model: Knows, target: str, row: int) -> str:
    """Return what was measured of a target in a training row: a bound with its sign, a class by its name."""
    domain, at = model.domain, model.task.column(target)
    assert domain is not None  # it is asked about one of its rows
    return model.task.of(target).text(domain.values[row, at], int(domain.bound[row, at]))
