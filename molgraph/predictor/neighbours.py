"""What was measured that is nearest to each row: over all its targets together, and of each target apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.targets import ABOVE, BELOW, EXACT
from molgraph.predictor.columns import written_as
from molgraph.predictor.domain import CELLS, Domain, Floats, Near, Rows, in_use
from molgraph.task import Task, labels

Mask = NDArray[np.bool_]
IN_DOMAIN = "in_domain"
SIGNS = {BELOW: "<", EXACT: "", ABOVE: ">"}
WRITTEN = 12  # letters of what people measure; longer numbers were computed (a mean, a p-value), and get 7 digits


class Knows(Protocol):
    """Know training rows: what this floor asks of a predictor."""

    domain: Domain | None
    task: Task


@dataclass(frozen=True)
class Measured:
    """Say of n things which row is the nearest in which one target was measured: `model` says in whose domain, `rows`
    which there (-1: none), `similarity` how near it is (NaN: none)."""

    model: NDArray[np.int64]
    rows: Rows
    similarity: Floats


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
                found[mine] = self.domain(number).values[at.rows[mine], model.task.names.index(target)]
        return found

    def columns(self) -> dict[str, Any]:
        """Return neighbour and domain flag: the nearest over all models, inside only where inside of all.

        With several inputs the neighbour is a row, its similarity the product over the inputs, and
        `nn_similarity_<input>` that of each input's nearest measured part. `nn_smiles`, or how else a room's keys are
        called where a person reads them, is the key of its first input. `T_nn` is what was measured of the
        nearest row in which T was measured; where that need not be the neighbour, `T_nn_similarity` says how near.
        """
        things = range(len(self.best))
        rows = [(self.domain(b), int(self.near[b].rows[i])) for i, b in zip(things, self.best.tolist(), strict=True)]
        lead = next(iter(self.domain(0).sides.values())).room
        similarity = np.stack([near.similarity for near in self.near]).max(axis=0)
        names = self.near[0].sides if len(self.near[0].sides) > 1 else ()
        return {
            "nn_id": [domain.ids[row] for domain, row in rows],
            **({f"nn_{lead.written}": [domain.key(row) for domain, row in rows]} if lead.written else {}),
            "nn_similarity": similarity,
            **{f"nn_similarity_{name}": np.max([near.sides[name] for near in self.near], axis=0) for name in names},
            **self._measured(),
            IN_DOMAIN: np.stack([near.inside for near in self.near]).all(axis=0).astype(object),
        }

    def _measured(self) -> dict[str, Any]:
        apart = any(np.isnan(self.domain(model).values).any() for model in range(len(self.models)))
        found: dict[str, Any] = {}
        for target, at in self.measured.items():
            kind = written_as(self._having(target)[0][1].task, target)
            found[f"{target}_nn"] = self.values(target).astype(kind) if self._plain(target) else self.texts(target)
            if apart:
                found[f"{target}_nn_similarity"] = at.similarity
        return found

    def _plain(self, target: str) -> bool:
        """Tell whether all that was measured of a target are plain numbers, whatever is asked."""
        return all(
            m.task.kind(target) != "multiclass" and not self.domain(number).bound[:, m.task.names.index(target)].any()
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
    each = [nearest_measured(domain, things, mine) for domain, mine in zip(domains, near, strict=True)]
    measured = {}
    for target in dict.fromkeys(name for model in known for name in model.task.names):
        mine = [number for number, model in enumerate(known) if target in model.task.names]
        columns = [known[number].task.names.index(target) for number in mine]
        rows, similarity = (
            np.stack([each[number][which][:, at] for number, at in zip(mine, columns, strict=True)]) for which in (0, 1)
        )
        first = np.where(np.isnan(similarity), -1, similarity).argmax(axis=0)
        at = first, np.arange(len(things))
        measured[target] = Measured(np.array(mine)[first], rows[at], similarity[at])
    return Neighbours(known, near, best, measured)


def nearest_measured(domain: Domain, data: Dataset, near: Near) -> tuple[Rows, Floats]:
    """Return for each row and target the nearest training row in which it was measured, -1 where none is, and the
    similarity (NaN); `near` is what `Domain.nearest` says of the same rows.

    Shapes: both [n, T].
    """
    known = ~np.isnan(domain.values)
    has = known[near.rows]
    rows = np.where(has, near.rows[:, None], -1)
    similarity = np.where(has, near.similarity[:, None], np.float32(np.nan))
    asked = np.flatnonzero(~has[:, known.any(axis=0)].all(axis=1))
    if len(asked) and len(domain.sides) == 1:
        _look_among_parts(domain, data.subset(asked), known, has, asked, rows, similarity)
    elif len(asked):
        for at in np.flatnonzero(known.any(axis=0)):
            lacking = asked[~has[asked, at]]
            of, there = domain.those(known[:, at])
            found = there.nearest(data.subset(lacking))
            rows[lacking, at], similarity[lacking, at] = of[found.rows], found.similarity
    return rows, similarity


def _look_among_parts(
    domain: Domain, data: Dataset, known: Mask, has: Mask, asked: Rows, rows: Rows, similarity: Floats
) -> None:
    """Fill in the nearest rows of the one input: every similarity is computed once for all targets.

    `known` [N, T] says what was measured in the training rows, `has` [n, T] what in the nearest of each row. `data` has
    the rows `asked`.
    """
    ((name, side),) = domain.sides.items()
    order = np.arange(len(known))[::-1]
    parts_of = {}
    for at in np.flatnonzero(known.any(axis=0)).tolist():
        first = np.full(len(side.keys), -1, dtype=np.int64)
        mine = order[known[order, at]]
        first[domain.index[mine, 0]] = mine  # of a part's rows, the first
        parts_of[at] = np.flatnonzero(first >= 0), first
    own = domain.itself(data)
    for block in np.array_split(np.arange(len(data)), -(-len(data) * len(side.keys) // CELLS)):
        parts, which = in_use(data.subset(block).inputs[name])
        alike = side.index.similarity(parts)[which]
        for at, (parts_known, first) in parts_of.items():
            lacking = np.flatnonzero(~has[asked[block], at])
            mine = alike[lacking] if len(parts_known) == alike.shape[1] else alike[np.ix_(lacking, parts_known)]
            best = mine.argmax(axis=1)
            near, itself = mine[np.arange(len(mine)), best], own[block[lacking]]
            same = (near >= 1) & (itself >= 0) & known[itself, at]
            rows[asked[block[lacking]], at] = np.where(same, itself, first[parts_known[best]])
            similarity[asked[block[lacking]], at] = near


def measured_text(model: Knows, target: str, row: int) -> str:
    """Return what was measured of a target in a training row: a bound with its sign, a class by its name."""
    domain, at = model.domain, model.task.names.index(target)
    assert domain is not None  # it is asked about one of its rows
    value = domain.values[row, at]
    if model.task.kind(target) == "multiclass":
        return labels(model.task, target)[int(value)]
    text = repr(float(str(value))).removesuffix(".0")  # str: as few digits as tell it from any other of its type
    digits = 7 if written_as(model.task, target) is np.float32 else 15
    return SIGNS[int(domain.bound[row, at])] + (text if len(text) <= WRITTEN else f"{value:.{digits}g}")
