"""Which targets does a molecule hit: a model's targets ranked by calibrated probability, with evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from molgraph.data.cells import Cells
from molgraph.data.dataset import Dataset, Input
from molgraph.data.table import Table
from molgraph.data.targets import ABOVE, BELOW
from molgraph.errors import ConfigError, DataError
from molgraph.kinds.words import NO, UNDECIDED, YES, set_words
from molgraph.predictor.card import units as units_of
from molgraph.predictor.domain import Domain
from molgraph.predictor.given import tables_of
from molgraph.predictor.inputs import Slot, named_by
from molgraph.predictor.neighbours import measured_text
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.ready import unlabelled
from molgraph.predictor.scored import OK

COLUMNS = (
    "row", "query", "rank", "target", "measured", "probability", "value", "unit", "lo90", "hi90", "set90", "in_domain",
    "known_id", "known", "known_target", "known_similarity", "known_value", "known_measured", "status", "message",
)  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Proteins:
    """Hold the proteins that are asked about: their parts, and what a person calls each."""

    given: Input
    names: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """Hold what a model says of Q molecules against T targets.

    Shapes: `value`, `low`, `high`, `words` (the set of a yes or no, None of a number), `probability` and the evidence
    `known` (a training row, -1: none) and `similarity` [Q, T]; `inside` bool [Q, T]; `own` [Q, T] is the training row
    in which the molecule itself was measured (-1: none).
    """

    targets: tuple[str, ...]
    value: Floats
    low: Floats
    high: Floats
    words: NDArray[np.object_]
    probability: Floats
    inside: NDArray[np.bool_]
    known: NDArray[np.int64]
    similarity: Floats
    known_value: Floats
    own: NDArray[np.int64]


def rank_targets(
    predictor: Predictor, table: Table, *, active: float | None = None, proteins: Proteins | None = None, top: int = 10
) -> pd.DataFrame:
    """Return for each row of a table its `top` most probable targets, most probable first (columns: COLUMNS).

    A model of one input ranks its own targets; one of a molecule and a protein ranks `proteins`, else those it was
    trained on. A number counts as active from `active` on. What was measured of the molecule itself comes before what
    is estimated: targets it is known to hit are first, by what was measured, those it is known not to hit last. Beside
    that stands the most similar training molecule that is active on the target (with a protein: on the same or a
    similar one). A row that cannot be read has one line that says why.

    Raises: ConfigError where the model has no such targets, or `active` is needed and not given.
    """
    ready = predictor.inputs.only_first().prepare(table)
    things, index = ready.things()
    asked = (
        _own(predictor, things, active)
        if len(predictor.inputs.slots) == 1
        else _pairs(predictor, things, active, proteins)
    )
    lines: list[dict[str, Any]] = []
    for at, (row, text) in enumerate(zip(table.rows.tolist(), table.texts, strict=True)):
        start = {"row": row, "query": text}
        if at in ready.rejects:
            reject = ready.rejects[at]
            lines.append({**start, "status": reject.reason, "message": reject.message})
        else:
            lines += [{**start, **line} for line in _lines(predictor, asked, int(index[at]), active, top)]
    return _written(pd.DataFrame(lines, columns=list(COLUMNS)), predictor)


def _written(found: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """Return the lines with their numbers in the types in which they are written."""
    types_of = {predictor.task.of(name).written_as for name in predictor.targets}
    of_values = np.float64 if np.float64 in types_of else np.float32
    types = dict.fromkeys(("value", "lo90", "hi90", "known_value"), of_values)
    return found.astype({**types, **dict.fromkeys(("probability", "known_similarity"), np.float32)})


def known_proteins(predictor: Predictor) -> Proteins:
    """Return the proteins that a model of a molecule and a protein was trained on.

    Raises: ConfigError where it was shared without them, or reads something else.
    """
    slot = protein_slot(predictor)
    if predictor.domain is None:
        raise ConfigError("the model was shared without its training rows: name the targets with --proteins FILE.")
    side = predictor.domain.sides[slot.name]
    return prepared(predictor, slot, list(side.keys), [side.name(at) for at in range(len(side.keys))])


def protein_slot(predictor: Predictor) -> Slot:
    """Return the second of two inputs, whose parts are hit by those of the first.

    Raises: ConfigError where there are not two, or nothing is hit.
    """
    found = predictor.inputs.slots
    if len(found) != 2:
        raise ConfigError(
            f"proteins are ranked by a model of a molecule and a protein; this one has {len(found)} input"
            f"{'s' if len(found) > 1 else ''}."
        )
    if not found[1].room.reading.hit:
        named = " and ".join(f"{slot.name} ({slot.room.noun.one})" for slot in found)
        what = "a model of a molecule and a protein, in this order"
        raise ConfigError(f"proteins are ranked by {what}; the inputs of this one are {named}.")
    return found[1]


def prepared(predictor: Predictor, slot: Slot, texts: Sequence[str], names: Sequence[str]) -> Proteins:
    """Return proteins as the model reads them.

    Raises: DataError naming the protein that cannot be read.
    """
    made = slot.room.reading.prepare(
        Cells.of(texts), predictor.inputs.needs[slot.name], standardise=predictor.inputs.standardize
    )
    for at, reject in made.rejects.items():
        raise DataError(f"protein {names[at]}: {reject.message}.")
    return Proteins(Input(made.parts, torch.from_numpy(made.index), made.keys), tuple(names))


def read_proteins(predictor: Predictor, path: str | Path) -> Proteins:
    """Read the proteins of a file (FASTA, or a table with a column of sequences), by the names it gives them.

    Raises: ConfigError where the model reads no protein; DataError where the file or one of them cannot be read.
    """
    slot = protein_slot(predictor)
    texts: list[str] = []
    names: list[str] = []
    for table in tables_of(slot, path):
        column = named_by(slot, list(table.frame.columns), alone=True)
        called = [str(name) for name in table.frame[column]] if column else [""] * len(table)
        texts += table.texts
        names += [name or f"row {row}" for name, row in zip(called, table.rows, strict=True)]
    return prepared(predictor, slot, texts, names)


def _own(predictor: Predictor, things: Dataset, active: float | None) -> Asked:
    """Ask a model of one input about its own targets; several classes have no probability of being active."""
    names = [name for name in predictor.targets if name in predictor.chances]
    if not names:
        raise ConfigError("the model has no target that is a number or a yes or no.")
    estimates, spread = predictor.estimate(things)
    predicted = [_deviation(predictor, name, estimates, spread) for name in names]
    value = np.stack([estimates[:, predictor.task.block(name).start] for name in names], axis=1).astype(np.float64)
    ends = [predictor.intervals[name].apply(value[:, at], predicted[at]) for at, name in enumerate(names)]
    chance = [
        predictor.chances[name].of(value[:, at], _least(predictor, name, active), predicted[at])
        for at, name in enumerate(names)
    ]
    words = [_words(predictor, name, value[:, at], chance[at]) for at, name in enumerate(names)]
    known, similarity, seen = _evidence(predictor, things, names, active)
    inside = np.zeros((len(things), len(names)), dtype=bool)
    if predictor.domain is not None:
        inside = predictor.domain.nearest(things).within[:, [predictor.task.column(name) for name in names]]
    return Asked(
        tuple(names),
        value,
        np.stack([low for low, _ in ends], axis=1),
        np.stack([high for _, high in ends], axis=1),
        np.stack(words, axis=1),
        np.stack(chance, axis=1),
        inside,
        known,
        similarity,
        seen,
        _own_rows(predictor, things, names),
    )


def _deviation(predictor: Predictor, name: str, estimates: Floats, spread: Floats) -> Floats | None:
    where = predictor.task.block(name)
    return predictor.task.of(name).deviation(estimates[:, where], spread[:, where])


def _words(predictor: Predictor, name: str, value: Floats, chance: Floats) -> NDArray[np.object_]:
    """Return sets of a yes or no in words, [n]; none leaves out what its calibrated chance calls the likelier."""
    if not predictor.task.of(name).decides:
        return np.full(len(value), None, dtype=object)
    words = np.array(set_words(value, predictor.intervals[name]), dtype=object)
    against = ((words == NO) & (chance > 0.5)) | ((words == YES) & (chance < 0.5))
    return np.where(against, UNDECIDED, words)


def _pairs(predictor: Predictor, things: Dataset, active: float | None, proteins: Proteins | None) -> Asked:
    """Ask a model of a molecule and a protein about every molecule with every protein."""
    if len(predictor.targets) != 1:
        raise ConfigError("a model of pairs ranks proteins by one target; this one predicts several.")
    (name,), slot = predictor.targets, protein_slot(predictor)
    if name not in predictor.chances:
        raise ConfigError(f"'{name}' is one of several classes; targets are ranked by a number or a yes or no.")
    chosen = proteins or known_proteins(predictor)
    lead = predictor.inputs.lead.name
    shape = (len(things), len(chosen.names))
    molecules, others = things.inputs[lead], chosen.given
    inputs = {
        lead: replace(molecules, index=molecules.index.repeat_interleave(shape[1])),
        slot.name: replace(others, index=others.index.repeat(shape[0])),
    }
    pairs = unlabelled(inputs, shape[0] * shape[1])
    estimates, spread = predictor.estimate(pairs)
    value, predicted = estimates[:, 0].astype(np.float64), _deviation(predictor, name, estimates, spread)
    low, high = predictor.intervals[name].apply(value, predicted)
    chance = predictor.chances[name].of(value, _least(predictor, name, active), predicted)
    near = predictor.domain.nearest(pairs) if predictor.domain else None
    inside = near.inside if near else np.zeros(len(pairs), dtype=bool)
    known, similarity, seen = _evidence_of_pairs(predictor, things, chosen, active)
    words = _words(predictor, name, value, chance).reshape(shape)
    value, low, high, chance = (part.reshape(shape) for part in (value, low, high, chance))
    own = _own_rows(predictor, pairs, [name]).reshape(shape)
    return Asked(chosen.names, value, low, high, words, chance, inside.reshape(shape), known, similarity, seen, own)


def _evidence(
    predictor: Predictor, things: Dataset, names: Sequence[str], active: float | None
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return for each molecule and target the most similar training row that is active, its similarity and value."""
    domain = predictor.domain
    if domain is None:
        return _no_evidence(len(things), len(names))
    similar = _similar(domain, things)
    at = [predictor.task.column(name) for name in names]
    values = domain.values[:, at]
    hit = np.stack([_active(predictor, domain, name, active) for name in names], axis=1)
    return _best(similar, hit, values)


def _evidence_of_pairs(
    predictor: Predictor, things: Dataset, chosen: Proteins, active: float | None
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the same for each molecule and protein: rows whose protein is the same or inside its domain count."""
    domain = predictor.domain
    if domain is None:
        return _no_evidence(len(things), len(chosen.names))
    slot = protein_slot(predictor)
    side = domain.sides[slot.name]
    alike = side.index.similarity(chosen.given.parts)[chosen.given.index.numpy()]  # [T, parts of the side]
    alike = alike >= side.threshold
    rows = alike[:, domain.index[:, list(domain.sides).index(slot.name)]].T  # [N, T]
    hit = rows & _active(predictor, domain, predictor.targets[0], active)[:, None]
    return _best(_similar(domain, things), hit, np.repeat(domain.values[:, :1], len(chosen.names), axis=1))


def _own_rows(predictor: Predictor, things: Dataset, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the training row in which each thing itself was measured, -1 where none is, [n, targets]."""
    found = np.full((len(things), len(names)), -1, dtype=np.int64)
    if predictor.domain is None:
        return found
    known = ~np.isnan(predictor.domain.values)
    for thing, rows in enumerate(predictor.domain.same(things)):
        for at, name in enumerate(names if rows else ()):
            column = known[:, predictor.task.column(name)]
            found[thing, at] = next((row for row in rows if column[row]), -1)
    return found


def _similar(domain: Domain, things: Dataset) -> NDArray[np.float32]:
    """Return the similarity of each thing's first input to that of each training row, [Q, N]."""
    name, side = next(iter(domain.sides.items()))
    given = things.inputs[name]
    found = side.index.similarity(given.parts)[given.index.numpy()]
    similar: NDArray[np.float32] = found[:, domain.index[:, 0]]
    return similar


def _active(predictor: Predictor, domain: Domain, name: str, active: float | None) -> NDArray[np.bool_]:
    """Tell which training rows are active on a target; one that is only known to lie below a value is not, [N]."""
    at = predictor.task.column(name)
    high = domain.values[:, at] >= _border(predictor, name, active)  # NaN is not
    hit: NDArray[np.bool_] = high & (domain.bound[:, at] != BELOW)
    return hit


def _inactive(predictor: Predictor, domain: Domain, name: str, active: float | None) -> NDArray[np.bool_]:
    """Tell which training rows are known not to be active on a target, [N]."""
    at, border = predictor.task.column(name), _border(predictor, name, active)
    values, bound = domain.values[:, at], domain.bound[:, at]
    low: NDArray[np.bool_] = ((values < border) & (bound != ABOVE)) | ((values <= border) & (bound == BELOW))
    return low


def _border(predictor: Predictor, name: str, active: float | None) -> float:
    """Return from which value on a target counts as active."""
    least = _least(predictor, name, active)
    return 1.0 if predictor.task.of(name).decides else np.inf if least is None else least


def _least(predictor: Predictor, name: str, active: float | None) -> float | None:
    """Return from which value on a target counts as active, as the model keeps values: below all, where it has none."""
    if active is None:
        return None
    kept = float(predictor.task.of(name).into(np.array(active, dtype=np.float64)))
    return -np.inf if np.isnan(kept) else kept


def _best(
    similar: NDArray[np.float32], hit: NDArray[np.bool_], values: Floats
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the most similar hit of each molecule and target, its similarity and value; -1 and NaN where none is."""
    shape = (len(similar), hit.shape[1])
    known, best, seen = _no_evidence(*shape)
    for target in range(shape[1]):
        rows = np.flatnonzero(hit[:, target])
        if len(rows):
            mine = similar[:, rows]
            at = mine.argmax(axis=1)
            known[:, target], best[:, target] = rows[at], mine[np.arange(len(mine)), at]
            seen[:, target] = values[rows[at], target]
    return known, best, seen


def _no_evidence(molecules: int, targets: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    shape = (molecules, targets)
    return np.full(shape, -1, dtype=np.int64), np.full(shape, np.nan), np.full(shape, np.nan)


def _lines(predictor: Predictor, asked: Asked, thing: int, active: float | None, top: int) -> Iterator[dict[str, Any]]:
    chance, domain, units = asked.probability[thing], predictor.domain, units_of(predictor.recipe)
    names = predictor.targets * len(asked.targets) if len(predictor.inputs.slots) > 1 else asked.targets
    settled = _settled(predictor, names, asked.own[thing], chance, active)
    seen = _seen(predictor, names, asked.own[thing])
    order = np.lexsort((-asked.value[thing], -seen, -settled))[:top]
    numbers = {"value": asked.value, "lo90": asked.low, "hi90": asked.high, "known_value": asked.known_value}
    for rank, at in enumerate(order.tolist(), start=1):
        own, row = int(asked.own[thing, at]), int(asked.known[thing, at])
        known = _known(domain, row, asked.targets[at]) if domain is not None and row >= 0 else {}
        yield {
            "rank": rank,
            "target": asked.targets[at],
            "measured": measured_text(predictor, names[at], own) if own >= 0 else "",
            "probability": chance[at],
            **{key: predictor.task.of(names[at]).out_of(values[thing, at]) for key, values in numbers.items()},
            "unit": units.get(names[at], ""),
            "set90": asked.words[thing, at],
            "in_domain": bool(asked.inside[thing, at]) if domain is not None else None,
            **known,
            "known_similarity": asked.similarity[thing, at],
            "known_measured": measured_text(predictor, names[at], row) if row >= 0 else "",
            "status": OK,
            "message": "",
        }


def _settled(
    predictor: Predictor, names: Sequence[str], own: NDArray[np.int64], chance: Floats, active: float | None
) -> Floats:
    """Return what targets are ranked by: their probability, but where it was measured, above or below all of those."""
    found, domain = np.nan_to_num(chance, nan=-1.0), predictor.domain
    for at in np.flatnonzero(own >= 0).tolist() if domain is not None else ():
        assert domain is not None
        if _active(predictor, domain, names[at], active)[own[at]]:
            found[at] = 2.0
        elif _inactive(predictor, domain, names[at], active)[own[at]]:
            found[at] = -2.0
    return found


def _seen(predictor: Predictor, names: Sequence[str], own: NDArray[np.int64]) -> Floats:
    """Return what was measured of the molecule itself on each target, to rank by; 0 where nothing was."""
    if predictor.domain is None:
        return np.zeros(len(own))
    at = [predictor.task.column(name) for name in names]
    return np.where(own >= 0, predictor.domain.values[own, at], 0.0)


def _known(domain: Domain, row: int, target: str) -> dict[str, str]:
    """Return what a person wants to know of a training row: its name, its molecule, what it was measured on."""
    sides = enumerate(domain.sides.values())
    hit = (side.name(int(domain.index[row, at])) for at, side in sides if side.room.reading.hit)
    on = next(hit, target) if len(domain.sides) > 1 else target
    return {"known_id": domain.ids[row], "known": domain.key(row), "known_target": on}
