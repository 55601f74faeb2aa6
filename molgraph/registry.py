"""Names to objects: `room/name` stands for a class that is imported only when it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from pkgutil import iter_modules
from typing import Any, NamedTuple, get_type_hints

from molgraph.errors import ConfigError, did_you_mean

ENTRY_POINTS = "molgraph.models"  # of single models for a room that is there
ROOMS = "molgraph.rooms"  # of whole rooms: NAME = "package.names:NAMES"
USUAL = "molecule"  # the room that comes first
FUSION = "fusion"
CONSENSUS = "consensus"  # of models of different families
FAMILIES = ("network", "trees", "linear", CONSENSUS)


@dataclass(frozen=True)
class Opener:
    """Say what a sort of model folder is read by, what trains one, and, to a person, what it is for.

    `loader` is a class with `opened(folder, recipe, digest)`, `trainer` what `molgraph train` calls; `alone` says that
    it trains in one process and without TensorBoard.
    """

    loader: str
    trainer: str
    does: str
    use: str
    alone: bool = False


# A recipe names one of these, never a module; so does an encoder, of what is made by training it.
PREDICTOR = "predictor"
OPENERS: dict[str, Opener] = {
    PREDICTOR: Opener(
        "molgraph.predictor.predictor:Predictor",
        "molgraph.workflows.train:train_folder",
        "predicts values of whole rows",
        "molgraph predict",
    ),
    "finder": Opener(
        "molgraph.predictor.finder:Finder",
        "molgraph.workflows.lesions:train_finder",
        "marks lesions in scans",
        "molgraph find",
        alone=True,
    ),
}
OPENED_BEFORE = {"segmentation": "finder"}  # by the kind of its task, where an earlier version named no opener


class Named(NamedTuple):
    """Say what a split that a user names is made of: a method, the rows it keeps together, one line."""

    method: str
    grouper: str
    summary: str


@dataclass(frozen=True)
class Names:
    """Say what a package of models is called and holds; of it nothing is imported until one of them is asked for.

    A target is "module:attribute"; one that begins with a dot stands in the package of the names.

    - `models`: by name within the package, the target of a class and one line.
    - `room`: the target of what reads for them (`data.room.Room`); "" where they join what rooms read.
    - `splits`: ways to split that keep together what the room groups; `splitters` those that choose the rows
      themselves: by what stands before the colon, the target of `name -> (keys, fractions, seed) -> folds`, one line.
    - `files`: suffixes of files that it reads, beside those of tables; `writers` by suffix the target of a class with
      `write(frame)` and `close()`.
    - `columns`: by family, the model that reads plain columns of a table beside what another room reads.
    - `holds`: what stands in its column, to a person.
    - `alone`: names of an only input that say nothing of its column; others are the column.
    - `called`: words by which tables call its column, in small letters alone; `ends` how such words end.
    """

    models: Mapping[str, tuple[str, str]]
    room: str = ""
    splits: Mapping[str, Named] = field(default_factory=dict)
    splitters: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    writers: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    holds: str = ""
    alone: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Held:
    """Hold the names of one package, the package itself, and what brought it ("": it is ours)."""

    names: Names
    package: str
    of: str = ""

    def target(self, text: str) -> str:
        """Return a target from the root."""
        return f"{self.package}{text}" if text.startswith(".") else text


@cache
def packages() -> dict[str, Held]:
    """Return every room by name, and what joins rooms: ours, each a folder of `molgraph.rooms`, the usual first, then
    those of other packages, which take no name of ours."""
    folders = sorted(each.name for each in iter_modules(import_module(f"{__package__}.rooms").__path__))
    inside = {name: f"{__package__}.rooms.{name}" for name in sorted(folders, key=lambda name: name != USUAL)}
    ours = {**inside, FUSION: f"{__package__}.{FUSION}"}
    found = {name: Held(import_module(f"{package}.names").NAMES, package) for name, package in ours.items()}
    for point in entry_points(group=ROOMS):
        made = _names(point) if point.name not in found else None
        if made is not None:
            found[point.name] = Held(made, point.value.partition(":")[0].rpartition(".")[0], _distribution(point))
    return found


def _names(point: EntryPoint) -> Names | None:
    """Return the names of somebody's room; None where they cannot be had, which `lost` then says."""
    try:
        made = load(point.value)
    except (ImportError, AttributeError):
        return None
    return made if isinstance(made, Names) else None


def lost(name: str) -> str:
    """Say of a room why it cannot be had although a package registers it, "" where none does."""
    for point in entry_points(group=ROOMS):
        if point.name == name and name not in packages():
            return f"the room '{name}' ({point.value}, of {_distribution(point)}) has no Names that can be imported"
    return ""


def rooms() -> dict[str, str]:
    """Return the target of every room by its name."""
    return {name: held.target(held.names.room) for name, held in packages().items() if held.names.room}


def own_models() -> dict[str, tuple[str, str]]:
    """Return every model of ours with (target, one line)."""
    return {name: made for name, made in _roomed().items() if not packages()[name.partition("/")[0]].of}


def _roomed() -> dict[str, tuple[str, str]]:
    return {
        f"{room}/{name}": (held.target(target), line)
        for room, held in packages().items()
        for name, (target, line) in held.names.models.items()
    }


@cache
def models() -> dict[str, tuple[str, str]]:
    """Return every known model with (target, one line), those of other packages included."""
    found = _roomed()
    for name, point in _foreign().items():
        found[name] = (point.value, f"from {_package(point)}")
    return found


def _foreign() -> dict[str, EntryPoint]:
    """Return the models that other packages register, but under no name of a room's own."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name not in _roomed():
            found.setdefault(point.name, point)
    return found


def splits() -> dict[str, Named]:
    """Return the ways to split that rooms bring, by name."""
    return {name: each for held in packages().values() for name, each in held.names.splits.items()}


def splitters() -> dict[str, tuple[str, str]]:
    """Return what chooses the rows of folds itself, by what stands before the colon: (target, one line)."""
    return {
        name: (held.target(target), line)
        for held in packages().values()
        for name, (target, line) in held.names.splitters.items()
    }


def writers() -> dict[str, str]:
    """Return the file formats that only a room can write: suffix to target."""
    return {end: held.target(to) for held in packages().values() for end, to in held.names.writers.items()}


def reads_columns(family: str) -> str:
    """Return the model of a family that reads plain columns of a table, whatever stands beside them."""
    return next(f"{n}/{held.names.columns[family]}" for n, held in packages().items() if family in held.names.columns)


def words(of: str) -> tuple[str, ...]:
    """Return all that rooms say under one of the names of `Names` (files, holds, alone, called, ends), in order."""
    each = (getattr(held.names, of) for held in packages().values())
    return tuple(filter(None, chain.from_iterable([one] if isinstance(one, str) else one for one in each)))


def _package(point: EntryPoint) -> str:
    return point.value.partition(":")[0].partition(".")[0]


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else _package(point)


def distribution(name: str) -> str:
    """Return what has to be installed for a model, "" for one of ours: the name and version of its distribution."""
    point, held = _foreign().get(name), packages().get(name.partition("/")[0])
    return _distribution(point) if point is not None else held.of if held is not None else ""


def to_blame(error: BaseException) -> str:
    """Return the package of other people's models in whose code an exception was raised, "" where it was in none."""
    points = [*_foreign().values(), *entry_points(group=ROOMS)]
    theirs = {_package(point) for point in points} - {__package__}
    found, at = "", error.__traceback__
    while at is not None:
        package = str(at.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        found, at = package if package in theirs else found, at.tb_next
    return found


def load(target: str) -> Any:
    """Import `module:attribute`."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def model(name: str) -> Any:
    """Return the class registered as `room/name`.

    Raises: ConfigError for an unknown name, with the nearest known one, and for what cannot be imported or is no model.
    """
    if name not in models():
        alike = [known for known in models() if known.endswith(f"/{name}")]
        why = lost(name.partition("/")[0])
        raise ConfigError(why or f"unknown model '{name}'{did_you_mean(alike[0] if alike else name, models())}")
    target, of = models()[name][0], distribution(name)
    where = f"'{name}' ({target}, {f'of the package {of}' if of else 'of molgraph'})"
    try:
        made = load(target)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the model {where} cannot be imported: {error}. Install what it needs.") from error
    wrong = _unsound(made) if of else ""
    if wrong:
        raise ConfigError(f"the model {where} {wrong}.")
    return made


def _unsound(made: Any) -> str:
    """Say what a class of another package lacks to be a model, "" where it lacks nothing."""
    known = hasattr(made, "asks") and getattr(made, "opener", "") in OPENERS
    if not (isinstance(made, type) and known and getattr(made, "family", "") in FAMILIES):
        others = "of trees from model.grower.Grower, of linear models from model.linear.Linear"
        return f"is no model: derive a class from molgraph.model.encoder.Encoder, {others}"
    mine = settings(made)
    bare = [key for key, parameter in mine.items() if parameter.default is parameter.empty]
    if bare:
        return f"has a setting without a default: write a value for {bare[0]} in the signature of its __init__"
    unknown = [key for key in made.space if key not in mine]  # type: ignore[attr-defined]
    if unknown:
        return f"has '{unknown[0]}' in its `space`, and no keyword argument {unknown[0]} in its __init__"
    return ""


def room(model_name: str) -> Any:
    """Return the `Room` of a model name (`molecule/dmpnn` stands in the room `molecule`).

    Raises: ConfigError for an unknown name, with the nearest known one, and for one that cannot be imported.
    """
    name = model_name.partition("/")[0]
    if name not in rooms():
        raise ConfigError(lost(name) or f"unknown room '{name}'{did_you_mean(name, rooms())}")
    try:
        return load(rooms()[name])
    except (ImportError, AttributeError) as error:
        if not packages()[name].of:
            raise
        why = f"the room '{name}' ({rooms()[name]}, of {packages()[name].of}) cannot be imported: {error}"
        raise ConfigError(f"{why}. Install what it needs.") from error


def settings(made: Any) -> dict[str, inspect.Parameter]:
    """Return the tunable parameters of a class: its keyword-only arguments, their annotations as types.

    One without an annotation that can be read is taken to be of its default's type.
    """
    own = inspect.signature(made.__init__).parameters.values()
    try:
        types = get_type_hints(made.__init__)
    except (NameError, TypeError):  # a name that the module knows while types are checked only
        types = {}
    usual = {p.name: Any if p.default is None or p.default is p.empty else type(p.default) for p in own}
    return {
        p.name: p.replace(annotation=types.get(p.name, usual[p.name]))
        for p in own
        if p.kind is inspect.Parameter.KEYWORD_ONLY
    }
