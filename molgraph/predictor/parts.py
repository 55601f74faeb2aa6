"""The models that a run trains side by side: of a consensus its parts, else the one that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from molgraph import registry
from molgraph.config import RunSettings, check_values
from molgraph.data.dataset import ABSENT
from molgraph.predictor.inputs import Slot, slots

KEPT = ("column", "optional", "id", "fields", "records")  # what the section of an input says of the input itself


def parts(run: RunSettings) -> tuple[RunSettings, ...]:
    """Return the runs of these models, all with the seed of the run.

    Raises: ConfigError for an unknown model, or settings of a consensus that leave none.
    """
    made = registry.model(run.model)
    if made.family != registry.CONSENSUS:
        return (run,)
    check_values("encoder", run.encoder, registry.settings(made), f"model '{run.model}'")
    found = made.parts(run.encoder)
    return tuple(
        replace(run, model=name, encoder=settings, inputs=run.inputs if sort == "network" else seen_by(run, sort))
        for sort, (name, settings) in found.items()
    )


def folds(run: RunSettings) -> int:
    """Return in how many folds the parts are trained once more to weigh them, 0 where nothing is to be weighed."""
    if len(parts(run)) == 1:
        return 0
    return int(run.encoder.get("folds", registry.settings(registry.model(run.model))["folds"].default))


def seen_by(run: RunSettings, sort: str) -> dict[str, dict[str, Any]]:
    """Return the inputs of a run as models of a sort read them: by those of their rooms."""
    found = {}
    for slot in slots(run) if run.inputs else ():
        own = slot.room.rivals.comparator or f"{slot.room.name}/forest"
        name = own if sort == "trees" else f"{slot.room.name}/{sort}"
        kept = {key: run.inputs[slot.name][key] for key in KEPT if key in run.inputs[slot.name]}
        found[slot.name] = {"encoder": name, **kept, **shared(slot, name)}
    return found


def shared(slot: Slot, name: str) -> dict[str, Any]:
    """Return the settings of an input's model that another takes over, as they say what the data is."""
    return {key: slot.settings[key] for key in registry.model(name).shares if key in slot.settings}


def read_by(*runs: RunSettings) -> dict[str, tuple[str, ...]]:
    """Return the features that the models of some runs over the same inputs read of each."""
    found: dict[str, dict[str, None]] = {}
    for slot in (slot for run in runs for part in parts(run) for slot in slots(part)):
        found.setdefault(slot.name, {}).update(dict.fromkeys(slot.needs))
    return {name: tuple(needs) for name, needs in found.items()}


def with_prints(*runs: RunSettings) -> dict[str, tuple[str, ...]]:
    """Return the features that the models of some runs over the same inputs read, and what a domain needs besides."""
    prints = {slot.name: slot.room.likeness.features for run in runs for slot in slots(run)}
    return {name: tuple(dict.fromkeys((*needs, *prints[name]))) for name, needs in read_by(*runs).items()}


def lacked(run: RunSettings, index: NDArray[np.int64]) -> list[str]:
    """Return the optional inputs that a model learns to do without: training rows lack them, or some are hidden.

    Shapes: `index` [N, inputs], which part of each input a training row has, or ABSENT.
    """
    blank = (index == ABSENT).any(axis=0)
    hides = any(map(_hides, parts(run)))
    return [slot.name for slot, some in zip(slots(run), blank, strict=True) if slot.optional and (hides or some)]


def _hides(run: RunSettings) -> bool:
    known = registry.settings(registry.model(run.model))
    settings = {name: p.default for name, p in known.items()} | dict(run.encoder)
    return bool(settings.get("modality_dropout", 0) > 0)


def stage(run: RunSettings, number: int) -> str:
    """Say which of all trainings of a run, in their order, the `number`-th is: of members, of folds that weigh them, or
    of members on all rows.

    >>> [stage(RunSettings(ensemble=2), number) for number in range(3)]
    ['training 1/2', 'training 2/2', 'refitting 1/2']
    """
    each = parts(run)
    members, more = run.ensemble * len(each), folds(run) * len(each)
    word, at, of = "training", number, members
    if number >= members + more:
        word, at = "refitting", number - members - more
    elif number >= members:
        word, at, of = "weighing", number - members, more
    model = f" {each[at % len(each)].model}" if len(each) > 1 else ""
    return f"{word}{model} {at + 1}/{of}"
