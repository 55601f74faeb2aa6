"""What can be tuned: one space from what the models say of themselves, the training settings and the run file."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from molgraph import config, registry
from molgraph.config import FitSettings, HeadSettings, RunSettings
from molgraph.errors import ConfigError, did_you_mean
from molgraph.several import OWN
from molgraph.tune.dimension import Asks, Dimension, Value, label, read_entry

ALL = "all"
SWITCHES = ("standardize", "balance", "focal")  # settings of the run itself that a trial may change
NETWORK = "network"
START = "start"  # the attribute of a trial that tries no tuning: its settings, also those that the space lacks

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


@dataclass(frozen=True)
class Space:
    """Hold all dimensions over the settings of a run."""

    run: RunSettings
    dimensions: tuple[Dimension, ...]

    @classmethod
    def of(cls, run: RunSettings) -> Space:
        """Return the space of a run: what its models register, the training settings, the run file's `[space]` on top.

        A registered space is widened to a setting of the run file; what `[space]` says is taken as it stands. The first
        trial is the run file in both cases (see `starts`).

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
    def parted(self) -> bool:
        """Say whether not all trials have the same parameters."""
        return self.conditional or bool(self.beyond)

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of the dimensions that choose a model."""
        return tuple(each.name for each in self.dimensions if _is_model(each.path))

    def suggest(self, trial: Asks) -> RunSettings:
        """Return the settings that a trial tries; of a start also those that the space lacks, which nobody is asked."""
        start = trial.user_attrs.get(START, {})
        lacked = start.keys() - self.held(start).keys()
        chosen: dict[str, Value] = {}
        for each in self.dimensions:
            if each.exists(chosen):
                chosen[each.name] = each.value(start[each.name]) if each.name in lacked else each.ask(trial)
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
        """Return the values that mean no tuning: those of the run file, exactly, then those of every other choice of
        models, whether the space holds them or not.
        """
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

    def held(self, start: Mapping[str, Value]) -> dict[str, Value]:
        """Return of a start what the space holds, so what a study can be told to suggest."""
        return {d.name: start[d.name] for d in self.dimensions if d.name in start and d.holds(d.value(start[d.name]))}

    @property
    def beyond(self) -> dict[str, Value]:
        """Return the settings of the run file that the space lacks: the first trial alone tries them."""
        start = self.enqueued()[0]
        return {name: value for name, value in start.items() if name not in self.held(start)}

    def runs(self) -> list[RunSettings]:
        """Return runs that between them ask for every feature that a trial may need."""
        starts = self.starts()
        chosen = [d for d in self.dimensions if d.choices and d.path[0] in ("encoder", "inputs")]
        return [self.settle(c) for c in starts] + [
            self.settle({**c, d.name: value}) for c in starts for d in chosen if d.exists(c) for value in d.choices
        ]

    def entries(self, *, named: bool = False) -> dict[str, Value]:
        """Return the space as `[space]` says it; settings of models stand under their names where it has several.

        They also do where that is asked for (`named`).
        """
        found: dict[str, Value] = {}
        for each in self.dimensions:
            place = each.path
            if each.path[0] in ("encoder", "inputs") and not _is_model(each.path):
                models = next((names for name, names in each.when if name in self.models), frozenset())
                own = self.run.model if each.path[0] == "encoder" else self.run.inputs[each.path[1]]["encoder"]
                if models or named:
                    place = (next(iter(models), own), each.path[-1])
            at = found
            for step in place[:-1]:
                at = at.setdefault(step, {})
            at[place[-1]] = each.entry
        return found

    def facts(self) -> list[dict[str, Value]]:
        """Return the dimensions as JSON values."""
        return [
            {"name": d.name, "choices": d.labels} if d.choices else
            {"name": d.name, "low": d.low, "high": d.high, "log": d.log}
            for d in self.dimensions
        ]  # fmt: skip


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
        if said == ALL:  # what joins the inputs joins one family
            family = registry.model(run.model).family
            alternatives = [each for each in alternatives if registry.model(each).family == family]
        yield from _slot(run, given, (*path, "encoder"), path, alternatives, asked=said is not None)
    if heads:
        every = {*names, run.model}  # the run's own model is tried first, though [space] may not name it
        able = frozenset(name for name in every if registry.model(name).family == NETWORK)
        when = () if len(able) == len(every) else (("model", able),)
        head = asdict(run.head)
        if run.head.pooling not in (given.take("head", "pooling") or [run.head.pooling]):
            head["pooling"] = _means(heads, run)
        yield from _section(given, ("head",), head, {**HEAD, **_pooling(heads, run)}, HeadSettings, when)
        yield from _section(given, ("train",), asdict(run.train), TRAIN, FitSettings, when)
    for name in SWITCHES:
        said = given.take(name)
        if said is not None:
            yield read_entry((name,), name, said, getattr(run, name), own=True)
    given.refuse_rest()


def _pooling(heads: Sequence[str], run: RunSettings) -> dict[str, Value]:
    """Return the space of the pooling, where some model leaves anything to pool."""
    if all(registry.model(name).pooled for name in heads):
        return {}
    means = _means(heads, run)
    return {"pooling": [run.head.pooling, *(p for p in POOLING if p != means)]}


def _means(heads: Sequence[str], run: RunSettings) -> str:
    """Return the pooling of the run; "auto" by the name it has for all of its models, where it has one."""
    own = {registry.model(name).pooling for name in {*heads, run.model} if registry.model(name).family == NETWORK}
    return own.pop() if run.head.pooling == config.AUTO and len(own) == 1 else run.head.pooling


def _is_tuned(name: str) -> bool:
    made = registry.model(name)
    return bool(made.opener == registry.PREDICTOR and made.family != registry.CONSENSUS)


def _models(said: Value, own: str) -> list[str]:
    if said is None:
        return [own]
    if said == ALL:
        room = own.partition("/")[0]
        mine = [name for name in registry.models() if name.startswith(f"{room}/") and name != own]
        return [own, *(name for name in mine if _is_tuned(name))]
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
    choice = asked and names != [own]
    if choice:
        yield Dimension(".".join(place), place, tuple(names), start=own)
    shared = {k: v for k, v in given.section(*section).items() if place != (*section, k)}
    used: set[str] = set()
    for name in names:
        made = registry.model(name)
        if made.family == registry.CONSENSUS:
            raise ConfigError(
                f"'{name}' is made of other models and is not tuned itself: tune those "
                f"(--model {name.partition('/')[0]}/all) and name the settings that are found under [encoder.network], "
                "[encoder.trees], [encoder.linear]."
            )
        known = registry.settings(made)
        mine = {k: v for k, v in shared.items() if k in known} | given.section(name)
        config.check(f"space.{name}", mine, known, f"model '{name}'")
        used |= mine.keys()
        settings = raw["encoder"] if section == ("encoder",) else raw["inputs"][place[1]]
        now = {k: p.default for k, p in known.items()} | (settings if name == own else {})
        when = ((".".join(place), frozenset((name,))),) if choice else ()
        for key, said in {**made.space, **mine}.items():
            prefix = ".".join(section) if len(names) == 1 else ".".join((*place[1:-1], name))
            yield read_entry((*section, key), f"{prefix}.{key}", said, now[key], key in mine, when)
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
        yield read_entry((*path, key), ".".join((*path, key)), said, now[key], key in mine, when)


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
