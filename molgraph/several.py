"""Several inputs in one run: what a section of one means, and own columns of numbers beside what a model reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molgraph import registry
from molgraph.errors import ConfigError

Value = Any  # what TOML can hold
DESCRIPTORS = "descriptors"  # the key of a run file, and the name of the input
# What joins inputs where a run does not say.
JOINS = {"network": "fusion/concat", "trees": "fusion/forest", "linear": "fusion/linear"}
USUAL = {"network": "molecule/dmpnn", "trees": "molecule/forest", "linear": "molecule/linear"}
# Of an input's section, what is no setting of its encoder.
OWN = ("encoder", "column", "optional", "id", "fields", "records")


def with_descriptors(raw: Mapping[str, Value]) -> dict[str, Value]:
    """Return a run file in which `descriptors = ["temp", "ph"]` is what it means: an input of these fields beside the
    one of the model, or beside those of `inputs`, joined as networks and trees are.

    Settings of the model, and what `space` says of it, go to its input; what `fields` declares of a column goes along.

    Raises: ConfigError for what is no list of names, and for a model that reads columns itself.
    """
    result = dict(raw)
    names = result.pop(DESCRIPTORS, [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f'descriptors = {names!r} has the wrong type: write columns, as in ["temp", "ph"].')
    if not names:
        return result
    if len(set(names)) < len(names):
        raise ConfigError(f"descriptors name {', '.join(map(repr, names))}: one of them stands twice.")
    inputs = dict(result.get("inputs") or _only_input(result))
    if DESCRIPTORS in inputs:
        raise ConfigError(f"[inputs.{DESCRIPTORS}] is there already; leave out `descriptors`.")
    if all(isinstance(section, dict) and isinstance(section.get("encoder"), str) for section in inputs.values()):
        family = registry.model(next(iter(inputs.values()))["encoder"]).family
        result.setdefault("model", JOINS[family])
        fields = dict(result.pop("fields", {}))
        told = {name: fields.pop(name, "auto") for name in names}
        inputs[DESCRIPTORS] = {"encoder": registry.reads_columns(family), "fields": told}
        result |= {"fields": fields} if fields else {}
    return result | {"inputs": inputs}


def _only_input(result: dict[str, Value]) -> dict[str, Value]:
    """Return the input of the run's only model as a section, and leave in the run what belongs to what joins inputs.

    Raises: ConfigError where the model reads columns itself.
    """
    model = result.get("model", USUAL["network"])
    room = str(model).partition("/")[0]
    if room not in registry.rooms():  # a fusion, whose settings stay its own
        return {registry.USUAL: {"encoder": USUAL[registry.model(model).family]}}
    family = registry.model(model).family
    if registry.reads_columns(family).partition("/")[0] == room:
        raise ConfigError(f"'{model}' reads columns itself: name them all by --fields, not by --descriptors.")
    space = dict(result.get("space", {}))
    moved = {"encoder": space.pop("model")} if "model" in space else {}
    own = space.pop("encoder", {})
    if moved or own:
        result["space"] = {**space, "inputs": {room: {**moved, **own}}}
    result["model"] = JOINS[family]
    return {room: {**result.pop("encoder", {}), "encoder": model}}


def read_by(inputs: Mapping[str, Mapping[str, Value]], model: str) -> tuple[str, dict[str, dict[str, Value]]] | None:
    """Return what joins inputs and the inputs themselves where a model reads the one of its room; None where it reads
    none. Inputs that are read by models of another family are read by the usual one of this.
    """
    room, family = model.partition("/")[0], registry.model(model).family
    mine = [name for name, section in inputs.items() if section["encoder"].partition("/")[0] == room]
    if not mine:
        return None
    found = {}
    for name, section in inputs.items():
        now = section["encoder"]
        wanted = model if name == mine[0] else now if registry.model(now).family == family else _usual(now, family)
        kept = section if wanted == now else {key: section[key] for key in OWN if key in section}
        found[name] = {**kept, "encoder": wanted}
    return JOINS[family], found


def _usual(model: str, family: str) -> str:
    """Return the usual model of a family in the room of another."""
    room, columns = registry.room(model), registry.reads_columns(family)
    if columns.partition("/")[0] == room.name:
        return columns
    return str(room.rivals.comparator) if family == "trees" else model
