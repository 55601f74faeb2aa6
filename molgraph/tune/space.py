"""What can be tuned: one space from what the models say of themselves, the training settings and the run file."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol

from molgraph import config, registry
from molgraph.config import FitSettings, HeadSettings, RunSettings
from molgraph.errors import ConfigError, did_you_mean

Value = Any
ALL = "all"
OWN = ("encoder", "column", "optional")  # of an input's section, what is no setting of its encoder
SWITCHES = ("standardize", "balance", "focal")  # settings of the run itself that a trial may change
NETWORK = "network"

# Depth, width and dropout of the head: the space chemprop searches (Yang 2019, doi 10.1021/acs.jcim.9b00237, section
# "Experimental procedure"), without its widest (2400) and with a narrower one, for small data. Learning rate: a decade
# to either side of AdamW's default of 1e-3; weight decay: none, its default of 1e-2 (torch.optim.AdamW), and between.
TRAIN: dict[str, Value] = {
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "batch_size": [32, 64, 128],
    "weight_decay": [0.0, 1e-4, 1e-2],
}
HEAD: dict[str, Value] = {
    "depth": {"low": 1, "high": 3},
    "hidden": [150, 300, 600, 1200],
    "dropout": {"low": 0.0, "high": 0.4},
}
POOLING: Value = ["mean", "sum", "attention"]


class Asks(Protocol):
    """Suggest values, as an Optuna trial does."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...


@dataclass(frozen=True)
class Dimension:
    """Hold one thing to choose: from `choices`, or between `low` and `high`.

    `path` is where it stands in a run file, `when` the values of earlier dimensions under which it exists,
    `start` its value in the run file (what a trial without tuning uses).
    """

    name: str
    path: tuple[str, ...]
    choices: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    start: Value = None
    when: tuple[tuple[str, frozenset[Value]], ...] = ()

    def exists(self, chosen: Mapping[str, Value]) -> bool:
        return all(chosen.get(name) in values for name, values in self.when)

    def ask(self, trial: Asks) -> Value:
        """Return the value a trial uses."""
        if self.choices:
            return self.value(trial.suggest_categorical(self.name, self.labels))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.name, self.low, self.high, log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    @property
    def labels(self) -> list[Value]:
        """Return the choices as a study holds them: a list is written as JSON."""
        return [label(choice) for choice in self.choices]

    def value(self, said: Value) -> Value:
        return self.choices[self.labels.index(said)] if self.choices else said

    @property
    def ends(self) -> tuple[Value, ...]:
        """Return the values between which all others lie."""
        return self.choices or (self.low, self.high)


@dataclass(frozen=True)
class Space:
    """Hold all dimensions over the settings of a run."""

    run: RunSettings
    dimensions: tuple[Dimension, ...]

    @classmethod
    def of(cls, run: RunSettings) -> Space:
        """Return the space of a run: what its models register, the training settings, the run file's `[space]` on top.

        A setting of the run file that a registered space lacks is added to it, so that no tuning is always one of the
        trials; what `[space]` says is taken as it stands.

        Raises: ConfigError for a key that does not exist, a model that is unknown, or a space that is none.
        """
        made = cls(run, tuple(_dimensions(run)))
        for each in made.dimensions:  # a value of the wrong type is found now, not in the twentieth trial
            chosen = next(c for c in made.starts() if each.exists(c))
            for end in each.ends:
                made.settle({**chosen, each.name: end})
        if not made.dimensions:
            raise ConfigError("[space]: nothing is left to tune; give at least one setting more than one value.")
        return made

    @classmethod
    def of_rival(cls, rival: RunSettings, space: Mapping[str, Value]) -> Space:
        """Return the space of a method to beat: of a run file's `[space]` only what stands under a model's own name."""
        mine = {key: value for key, value in space.items() if key in registry.models()}
        return cls.of(replace(rival, space=mine))

    @property
    def conditional(self) -> bool:
        return any(each.when for each in self.dimensions)

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of the dimensions that choose a model."""
        return tuple(each.name for each in self.dimensions if _is_model(each.path))

    def suggest(self, trial: Asks) -> RunSettings:
        """Return the settings that a trial tries."""
        chosen: dict[str, Value] = {}
        for each in self.dimensions:
            if each.exists(chosen):
                chosen[each.name] = each.ask(trial)
        return self.settle(chosen)

    def settle(self, chosen: Mapping[str, Value]) -> RunSettings:
        """Return the run's settings with chosen values in their places."""
        raw = asdict(self.run)
        for each in self.dimensions:
            if each.name not in chosen or not each.exists(chosen):
                continue
            if _is_model(each.path):
                _forget(raw, each.path, chosen[each.name])
            *parents, last = each.path
            at = raw
            for parent in parents:
                at = at[parent]
            at[last] = chosen[each.name]
        return config.settings({**raw, "space": {}})

    def starts(self) -> list[dict[str, Value]]:
        """Return the values that mean no tuning: those of the run file, once for every choice of models."""
        found: list[dict[str, Value]] = [{}]
        for each in self.dimensions:
            values = each.choices if _is_model(each.path) else (each.start,)
            first = [each.start, *(v for v in values if v != each.start)]
            found = [
                {**chosen, each.name: value} if each.exists(chosen) else chosen
                for chosen in found
                for value in (first if each.exists(chosen) else first[:1])
            ]
        return found

    def enqueued(self) -> list[dict[str, Value]]:
        """Return the starts as a study holds them."""
        return [{name: label(value) for name, value in chosen.items()} for chosen in self.starts()]

    def runs(self) -> list[RunSettings]:
        """Return runs that between them ask for every feature that a trial may need."""
        starts = self.starts()
        chosen = [d for d in self.dimensions if d.choices and d.path[0] in ("encoder", "inputs")]
        return [self.settle(c) for c in starts] + [
            self.settle({**c, d.name: value}) for c in starts for d in chosen if d.exists(c) for value in d.choices
        ]

    def facts(self) -> list[dict[str, Value]]:
        """Return the dimensions as JSON values."""
        return [
            {"name": d.name, "choices": d.labels} if d.choices else
            {"name": d.name, "low": d.low, "high": d.high, "log": d.log}
            for d in self.dimensions
        ]  # fmt: skip


def label(value: Value) -> Value:
    """Return a value as Optuna can hold it."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value


def _is_model(path: tuple[str, ...]) -> bool:
    return path == ("model",) or (path[0] == "inputs" and path[2:] == ("encoder",))


def _forget(raw: dict[str, Value], path: tuple[str, ...], name: Value) -> None:
    """Drop the settings of a model where another one replaces it."""
    if path == ("model",):
        raw["encoder"] = raw["encoder"] if raw["model"] == name else {}
    else:
        section = raw["inputs"][path[1]]
        if section["encoder"] != name:
            raw["inputs"][path[1]] = {k: v for k, v in section.items() if k in OWN}


def _dimensions(run: RunSettings) -> Iterator[Dimension]:
    given = _Given(run.space)
    top = given.take("model")
    names = _models(top, run.model)
    heads = yield from _slot(run, given, ("model",), ("encoder",), names, asked=top is not None)
    for name in run.inputs:
        path = ("inputs", name)
        said = given.take(*path, "encoder")
        alternatives = _models(said, run.inputs[name]["encoder"])
        yield from _slot(run, given, (*path, "encoder"), path, alternatives, asked=said is not None)
    if heads:
        when = () if len(heads) == len(names) else (("model", frozenset(heads)),)
        yield from _section(given, ("head",), asdict(run.head), {**HEAD, **_pooling(heads, run)}, HeadSettings, when)
        yield from _section(given, ("train",), asdict(run.train), TRAIN, FitSettings, when)
    for name in SWITCHES:
        said = given.take(name)
        if said is not None:
            yield _dimension((name,), name, said, getattr(run, name), own=True)
    given.refuse_rest()


def _pooling(heads: Sequence[str], run: RunSettings) -> dict[str, Value]:
    """Return the space of the pooling, where some model leaves anything to pool."""
    if all(registry.model(name).pooled for name in heads):
        return {}
    own = {registry.model(name).pooling for name in heads}
    means = own.pop() if run.head.pooling == config.AUTO and len(own) == 1 else run.head.pooling
    return {"pooling": [run.head.pooling, *(p for p in POOLING if p != means)]}


def _models(said: Value, own: str) -> list[str]:
    if said is None:
        return [own]
    if said == ALL:
        room = own.partition("/")[0]
        mine = [name for name in registry.models() if name.startswith(f"{room}/") and name != own]
        return [own, *(name for name in mine if registry.model(name).family != "finder")]
    if isinstance(said, str):
        return [said]
    if not isinstance(said, list) or not all(isinstance(name, str) for name in said) or not said:
        raise ConfigError(f'[space] model = {said!r}: write a list of names, or "all".')
    return list(dict.fromkeys(said))


def _slot(
    run: RunSettings,
    given: _Given,
    place: tuple[str, ...],
    section: tuple[str, ...],
    names: list[str],
    *,
    asked: bool,
) -> Generator[Dimension, None, list[str]]:
    """Yield the choice of a model and the settings of each; return which of them are networks."""
    raw = asdict(run)
    at = raw["inputs"][place[1]] if place[0] == "inputs" else raw
    own = at[place[-1]]
    if asked and (len(names) > 1 or names != [own]):
        yield Dimension(".".join(place), place, tuple(names), start=own if own in names else names[0])
    shared = {k: v for k, v in given.section(*section).items() if place != (*section, k)}
    used: set[str] = set()
    for name in names:
        made = registry.model(name)
        known = registry.settings(made)
        mine = {k: v for k, v in shared.items() if k in known} | given.section(name)
        config.check(f"space.{name}", mine, known, f"model '{name}'")
        used |= mine.keys()
        settings = raw["encoder"] if section == ("encoder",) else raw["inputs"][place[1]]
        now = {k: p.default for k, p in known.items()} | (settings if name == own else {})
        when = ((".".join(place), frozenset((name,))),) if len(names) > 1 else ()
        for key, said in {**made.space, **mine}.items():
            prefix = ".".join(section) if len(names) == 1 else ".".join((*place[1:-1], name))
            yield _dimension((*section, key), f"{prefix}.{key}", said, now[key], key in mine, when)
    lost = [key for key in shared if key not in used]
    if lost:
        known_keys = {k for name in names for k in registry.settings(registry.model(name))}
        raise ConfigError(f"[space] unknown key '{'.'.join((*section, lost[0]))}'{did_you_mean(lost[0], known_keys)}")
    return [name for name in names if registry.model(name).family == NETWORK]


def _section(
    given: _Given,
    path: tuple[str, ...],
    now: Mapping[str, Value],
    usual: Mapping[str, Value],
    kind: type,
    when: tuple[tuple[str, frozenset[Value]], ...],
) -> Iterator[Dimension]:
    mine = given.section(*path)
    config.check(f"space.{path[0]}", mine, {f.name: f for f in fields(kind)}, f"section [{path[0]}]")
    for key, said in {**usual, **mine}.items():
        yield _dimension((*path, key), ".".join((*path, key)), said, now[key], key in mine, when)


def _dimension(
    path: tuple[str, ...],
    name: str,
    said: Value,
    start: Value,
    own: bool,
    when: tuple[tuple[str, frozenset[Value]], ...] = (),
) -> Dimension:
    """Read one entry: a list is choices, {low, high, log} a range, {choices = [[...], ...]} choices of lists."""
    if isinstance(said, dict) and set(said) == {"choices"}:
        said = said["choices"]
    if isinstance(said, list) and said:
        choices = list(said)
        if not own and start not in choices:
            choices.append(start)
        return Dimension(name, path, tuple(choices), start=start if start in choices else choices[0], when=when)
    if isinstance(said, dict) and {"low", "high"} <= set(said) <= {"low", "high", "log"}:
        low, high, log = said["low"], said["high"], bool(said.get("log", False))
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high)) or low > high:
            raise ConfigError(f"[space] {name}: low = {low!r}, high = {high!r}: give two numbers, the lower first.")
        if isinstance(start, float):  # else 0 to 1 would try these two alone
            low, high = float(low), float(high)
        if not own:
            low, high = min(low, start), max(high, start)
        if log and low <= 0:
            raise ConfigError(f"[space] {name}: a logarithmic range must begin above 0, not at {low!r}.")
        return Dimension(name, path, (), low, high, log, min(max(start, low), high), when)
    raise ConfigError(
        f"[space] {name} = {said!r}: write a list of choices, {{low = 1, high = 5}} (with log = true for decades), "
        "or {choices = [[...], [...]]} for lists."
    )


class _Given:
    """Hold the `[space]` of a run file and remember what was read of it."""

    def __init__(self, space: Mapping[str, Value]) -> None:
        self.space, self.read = space, set[str]()

    def take(self, *path: str) -> Value:
        """Return an entry, None where there is none."""
        self.read.add(path[0])
        at: Value = self.space
        for step in path:
            at = at.get(step) if isinstance(at, Mapping) else None
        return at

    def section(self, *path: str) -> dict[str, Value]:
        """Return the entries of a section.

        Raises: ConfigError where it is none.
        """
        found = self.take(*path)
        if found is not None and not isinstance(found, dict):
            raise ConfigError(f"[space] '{'.'.join(path)}' is a section: write [space.{'.'.join(path)}].")
        return dict(found or {})

    def refuse_rest(self) -> None:
        """Raise ConfigError for a key that nobody reads; the settings of another model may be the comparator's."""
        known = ("model", "encoder", "inputs", "head", "train", *SWITCHES, *registry.models())
        for key in self.space:
            if key not in known:
                raise ConfigError(f"[space] unknown key '{key}'{did_you_mean(key, known)}")
            if key not in self.read and key not in registry.models():
                raise ConfigError(f"[space] '{key}' is read by no model here.")
