"""A run's settings: one TOML file, overridden key by key, every key checked against the dataclasses below."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from molgraph import registry
from molgraph.errors import ConfigError, did_you_mean
from molgraph.several import DESCRIPTORS, JOINS, with_descriptors
from molgraph.toml import read as read
from molgraph.toml import to_toml

Value = Any  # what TOML can hold
FUSION = JOINS["network"]  # what joins several inputs where a run does not say
RULES = 2  # how molecules are standardised: the version of the rules (see `molecule.standardise`)
LARGEST = {
    **dict.fromkeys(("depth", "steps", "units", "heads", "towers", "walk", "channels"), 256),
    **dict.fromkeys(("size", "patch", "slices"), 4096),  # pixels of a picture's side
    "else": 1_000_000,
}
TRANSFORMS = ("auto", "log", "none")
AUTO = "auto"  # a split or a task: the one of the room, or what the data says
ENCODERS = ("hidden", "depth", "dropout")  # settings that most encoders have
WIDE, DEEP = ("encoder.hidden", "head.hidden"), ("encoder.depth", "head.depth")
MEANT: dict[str, tuple[str, ...]] = {  # what other programs call the keys of a run file
    **dict.fromkeys(("learning_rate", "max_lr", "init_lr"), ("train.lr",)),
    **dict.fromkeys(("batch", "batchsize"), ("train.batch_size",)),
    **dict.fromkeys(("num_epochs", "n_epochs", "max_epochs"), ("train.epochs",)),
    **dict.fromkeys(("early_stopping", "early_stopping_patience"), ("train.patience",)),
    **dict.fromkeys(("hidden_size", "hidden_dim", "hidden_channels", "width", "message_hidden_dim"), WIDE),
    **dict.fromkeys(("layers", "num_layers", "n_layers", "ffn_num_layers"), DEEP),
    **dict.fromkeys(("random_state", "random_seed"), ("seed",)),
    **dict.fromkeys(("ensemble_size", "n_estimators"), ("ensemble",)),
    **dict.fromkeys(("task_type", "problem_type"), ("task",)),
    **dict.fromkeys(("smiles_column", "smiles_columns"), ("column",)),
    **dict.fromkeys(("target_columns", "label", "labels"), ("targets",)),
    **dict.fromkeys(("split_type", "split_sizes"), ("split", "fractions")),
}
SHORT = {"train.mixup": "alpha"}  # the setting of a section that one value stands for
BY_TARGET = ("task", "transform")  # one word for all, or a section with a word for each
WORDS = {
    int: "int (a whole number)",
    float: "float (a number)",
    bool: "bool (true or false)",
    str: 'str (text, as in "text")',
    list: "list (as in [1, 2])",
    dict: "dict (a section)",
}


@dataclass(frozen=True)
class FitSettings:
    """Set how a network is trained.

    Units: `warmup` and `patience` are epochs; `clip` is the largest gradient norm (0 = none); `ema` the decay of
    the moving average of the weights (0 = none). `batches` are rows at random; `balanced`, each class of the first
    target as often as any other; or, of several inputs, `blocks` of pairs in which few parts stand: each is encoded
    less often. `mixup` is the alpha of mixing the features and labels of rows (0 = none; see `fit.steps.mixup`).
    `freeze` names parts of the encoder, or globs of them ("layers.0", "layers.*"; see `fit.parameters`).
    """

    epochs: int = 50  # passes over the training rows, at most
    lr: float = 2e-3  # learning rate after the warm-up (AdamW)
    batch_size: int = 64  # rows of one step
    batches: Literal["random", "balanced", "blocks"] = "random"  # which rows make a batch
    mixup: float | dict[str, Value] = 0.0  # alpha of mixing rows, 0 for none; or a section, see below
    weight_decay: float = 0.0  # pull of the weights to 0 (AdamW)
    warmup: int = 2  # epochs in which the learning rate rises
    patience: int = 15  # epochs without a better validation loss, after which training ends
    clip: float = 1.0  # largest norm of the gradient, 0 for any
    freeze: list[str] = field(default_factory=list)  # parts of the encoder that keep their weights, "encoder" for all
    layer_decay: float = 1.0  # share of the learning rate that each level of the encoder has of the one above it
    ema: float = 0.0  # decay of the moving average of the weights, 0 for none
    device: str = "auto"  # auto, cpu, cuda, cuda:1, ...
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: bfloat16 on a card that has it

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch_size", 1), ("warmup", 0), ("patience", 1)):
            if getattr(self, name) < low:
                raise ConfigError(f"train.{name} = {getattr(self, name)} is out of range: it must be at least {low}.")
        if not self.lr > 0:
            raise ConfigError(f"train.lr = {self.lr} is out of range: it must be above 0.")
        if not isinstance(self.mixup, dict) and self.mixup < 0:
            raise ConfigError(f"train.mixup = {self.mixup} is out of range: it must be at least 0.")
        if not 0 < self.layer_decay <= 1:
            raise ConfigError(f"train.layer_decay = {self.layer_decay} is out of range: above 0 and at most 1.")
        if not 0 <= self.ema < 1:
            raise ConfigError(f"train.ema = {self.ema} is out of range: it must be at least 0 and below 1.")


@dataclass(frozen=True)
class HeadSettings:
    """Set what stands between the encoder and the outputs; `pooling = "auto"` is the encoder's own."""

    pooling: Literal["auto", "mean", "sum", "max", "attention", "gated", "last", "none"] = "auto"  # to one vector
    depth: int = 1  # hidden layers
    hidden: int = 300  # width of the hidden layers
    dropout: float = 0.0  # share of units that is left out in training

    def __post_init__(self) -> None:
        for name, low in (("depth", 0), ("hidden", 1)):
            if getattr(self, name) < low:
                raise ConfigError(f"head.{name} = {getattr(self, name)} is out of range: it must be at least {low}.")
            _sized(f"head.{name}", getattr(self, name))
        if not 0 <= self.dropout <= 1:
            raise ConfigError(f"head.dropout = {self.dropout} is out of range: it must be at least 0 and at most 1.")


@dataclass(frozen=True)
class RunSettings:
    """Hold all that one run file says.

    `inputs` is empty where the model has one input; else it maps a name to `encoder` (a registered model), `column`
    (else found by its usual names, or called as the input), `optional` (a blank cell is an input that is absent) and
    that encoder's settings, and `encoder` holds the settings of the fusion. The split "auto" is that of the
    data where it has its own folds, else the room's; the task "auto" is the room's (see `predictor.auto`).
    `weight` names a column of weights for all targets, or one for some of them (see `predictor.weighing`).
    `positive` names the positive one of two labels, where it is not the larger number or the word that affirms.
    With `variance` numbers are predicted with their standard deviation; with `calibrate` probabilities are mapped as
    the calibration rows teach. With `refit` "all" the model that was judged is trained once more, on every measured
    row, as long as its own training was best, and that one is kept. `specificity` is what a threshold on a
    probability must reach on the validation rows (0 = it is chosen by Youden's J). `standardizer` is the version of the
    rules by which molecules are standardised; a model keeps those that it was trained by. `transform` says on what
    numbers are learnt, one word for all or one per target: "none", "log" (log10), "auto" (log10 where the training rows
    ask for it; see `predictor.transform`).
    """

    data: str = ""  # file of measured rows
    model: str = "molecule/dmpnn"  # architecture, see `molgraph list models`
    task: str | dict[str, str] = AUTO  # regression, binary, ...; one word, or a section with a word for each target
    targets: list[str] = field(default_factory=list)  # columns to learn
    column: str = ""  # column of the SMILES, sequences, scans (default: found by its name)
    id: str = ""  # column that names the rows
    join: list[str] = field(default_factory=list)  # FILE:COLUMN, files whose columns are added by the ids in COLUMN
    fields: dict[str, Value] = field(default_factory=dict)  # a section: the fields of a patient (docs/patients.md)
    records: dict[str, Value] = field(default_factory=dict)  # a section: file, by, time, at, known_at of visits (there)
    units: dict[str, str] = field(default_factory=dict)  # a section: IC50 = "nM" trains on pIC50
    positive: dict[str, str] = field(default_factory=dict)  # a section: which label of a target is the positive one
    weight: str | dict[str, str] = ""  # column that says how much each row counts in training; or a section
    events: dict[str, dict[str, str]] = field(default_factory=dict)  # a section: death = {time = "days"}, also start
    curves: dict[str, dict[str, Value]] = field(default_factory=dict)  # a section: fev1 = {ahead = [1, 2]}, see there
    split: str = AUTO  # see `molgraph list splits`; auto: the data's own, else the room's
    fractions: list[float] = field(default_factory=lambda: [0.8, 0.1, 0.1])  # of training, validation and test rows
    leaks: Literal["drop", "report", "refuse"] = "drop"  # training rows that also stand in the test set
    seed: int = 0  # of everything random
    seeds: list[int] = field(default_factory=list)  # train a model from each of these, and say how far they differ
    standardize: bool = True  # one compound, one graph: salts, charges, tautomers by rules
    standardizer: int = RULES  # version of those rules
    duplicates: Literal["mean", "median", "drop", "keep"] = "mean"  # how rows of one thing are merged where they train
    balance: bool = False  # classes weigh alike in the loss
    focal: float = 0.0  # gamma of the focal loss, 0 for the plain one
    variance: bool = False  # predict numbers with their standard deviation
    calibrate: bool = False  # map probabilities as the calibration rows teach
    specificity: float = 0.0  # that a threshold must reach on validation rows, 0: by Youden's J
    refit: Literal["all", "no"] = "all"  # train the judged model again on all rows and keep that, or not
    transform: str | dict[str, str] = AUTO  # of numbers: log (log10), none, auto (as training rows ask); or a section
    ensemble: int = 1  # members that are trained and averaged
    init: str = ""  # folder of a model whose weights begin the training
    metrics: list[str] = field(default_factory=list)  # scores that are shown first (docs/judging.md)
    comparator: str = "auto"  # the method to beat: a model, none, or auto: the room's trees
    inputs: dict[str, dict[str, Value]] = field(default_factory=dict)  # a section for each of several inputs
    encoder: dict[str, Value] = field(default_factory=dict)  # settings of the model (of several inputs: the fusion)
    head: HeadSettings = field(default_factory=HeadSettings)  # see below
    train: FitSettings = field(default_factory=FitSettings)  # see below
    space: dict[str, Value] = field(default_factory=dict)  # what `tune` may choose: [a, b] or {low, high, log}

    def __post_init__(self) -> None:
        words = [self.transform] if isinstance(self.transform, str) else list(self.transform.values())
        for word in words:
            if word not in TRANSFORMS:
                raise ConfigError(f"transform = {word!r} is not known{did_you_mean(str(word), TRANSFORMS)}")
        if self.ensemble < 1:
            raise ConfigError(f"ensemble = {self.ensemble} is out of range: it must be at least 1.")
        if not 1 <= self.standardizer <= RULES:
            raise ConfigError(f"standardizer = {self.standardizer} is out of range: it must be 1 to {RULES}.")
        double = sorted({name for name in self.targets if self.targets.count(name) > 1})
        if double:
            raise ConfigError(f"targets name {', '.join(map(repr, double))} more than once.")
        if len(self.fractions) != 3:
            raise ConfigError(f"fractions = {self.fractions}: give three, of training, validation and test rows.")
        for name, section in self.inputs.items():
            if not isinstance(section.get("encoder"), str):
                raise ConfigError(f'[inputs.{name}]: name its encoder, for example encoder = "molecule/gin".')
        if self.focal < 0:
            raise ConfigError(f"focal = {self.focal} is out of range: it must be at least 0.")
        if not 0 <= self.specificity < 1:
            raise ConfigError(f"specificity = {self.specificity} is out of range: it must be at least 0 and below 1.")

    def scratch(self) -> RunSettings:
        """Return the same run with weights that are drawn: without a start, and without what only a start asks for."""
        train = dataclasses.replace(self.train, freeze=[], layer_decay=1.0)
        return dataclasses.replace(self, init="", train=train)

    @property
    def rules(self) -> bool | int:
        """Return the rules by which inputs are standardised, False where they are not."""
        return self.standardize and self.standardizer


def override(settings: dict[str, Value], assignments: list[str]) -> dict[str, Value]:
    """Return the settings with each `key.sub=value` laid on top; values are written as in TOML, or bare words."""
    result: dict[str, Value] = json.loads(json.dumps(settings))
    for text in assignments:
        key, sign, raw = text.partition("=")
        if not sign:
            raise ConfigError(f"--set {text}: write KEY=VALUE, for example --set train.epochs=3.")
        try:
            value = tomllib.loads(f"v = {raw}")["v"]
        except tomllib.TOMLDecodeError:
            value = raw
        *parents, last = key.strip().split(".")
        at = result
        for depth, parent in enumerate(parents, start=1):
            if not isinstance(at.get(parent, {}), dict):
                at[parent] = _opened(".".join(parents[:depth]), at[parent])
            at = at.setdefault(parent, {})
            if not isinstance(at, dict):
                raise ConfigError(f"--set {text}: '{parent}' is no section{_meant(last, ())}")
        at[last] = value
    return result


def _opened(key: str, value: Value) -> Value:
    """Return as a section what one value of a key says: what it is short for, or what is left to the data by target."""
    if key in SHORT:
        return {SHORT[key]: value}
    return {} if key in BY_TARGET and value == AUTO else value


def settings(raw: Mapping[str, Value]) -> RunSettings:
    """Build the settings of a run from what a run file says.

    Raises: ConfigError for an unknown key (with the nearest known one), a wrong type, a value out of range.
    """
    return typing.cast(RunSettings, _build(RunSettings, _one_input(with_descriptors(raw)), ""))


def check(section: str, given: Mapping[str, Value], known: Mapping[str, Any], owner: str) -> None:
    """Check the keys of a section against the names a signature knows.

    Raises: ConfigError naming the unknown key and the nearest known one.
    """
    for key in given:
        if key not in known:
            raise ConfigError(f"unknown key '{section}.{key}' for {owner}{_meant(key, known, section)}")


def check_values(section: str, given: Mapping[str, Value], known: Mapping[str, inspect.Parameter], owner: str) -> None:
    """Check the settings in a section against a signature: their names, and the types of their values.

    Raises: ConfigError as `check`, and for a value of the wrong type or a number of which no computer makes a model.
    """
    check(section, given, known, owner)
    for key, value in given.items():
        _fit_type(f"{section}.{key}", value, known[key].annotation)
        if type(known[key].default) in (int, float):
            _sized(f"{section}.{key}", value)


def _sized(key: str, value: int | float) -> None:
    most = LARGEST.get(key.rpartition(".")[2], LARGEST["else"])
    if not 0 <= value <= most:
        raise ConfigError(f"{key} = {value!r} is out of range: it must be from 0 to {most:,}.")


def _one_input(raw: Mapping[str, Value]) -> dict[str, Value]:
    """Read a single `[inputs.NAME]` as the `model`, `column` and `[encoder]` that it means; several are fused."""
    result = dict(raw)
    model = result.get("model")
    if isinstance(model, dict):
        key = next(iter(model), "")
        raise ConfigError(f"'model' is a name, its settings stand in [encoder]{_meant(key, ())}")
    inputs = result.get("inputs", {})
    if not isinstance(inputs, dict) or not all(isinstance(section, dict) for section in inputs.values()):
        raise ConfigError("'inputs' holds a section for each input: write [inputs.NAME].")
    if len(inputs) > 1:
        result.setdefault("model", FUSION)
    if len(inputs) != 1:
        return result
    ((name, section),) = result.pop("inputs").items()
    section = dict(section)
    result.setdefault("column", section.pop("column", "" if name in registry.words("alone") else name))
    result["model"] = section.pop("encoder", result.get("model", RunSettings.model))
    result["encoder"] = {**section, **result.get("encoder", {})}
    return result


def _build(kind: type, raw: Mapping[str, Value], prefix: str) -> Any:
    known = {f.name: f for f in dataclasses.fields(kind)}
    types_of = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            raise ConfigError(f"unknown key '{prefix}{key}'{_meant(key, known)}")
        wanted = types_of[key]
        if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
            if not isinstance(value, dict):
                raise ConfigError(f"'{prefix}{key}' is a section: write [{prefix}{key}].")
            values[key] = _build(wanted, value, f"{prefix}{key}.")
        else:
            values[key] = _fit_type(f"{prefix}{key}", value, wanted)
    return kind(**values)


def _fit_type(key: str, value: Value, wanted: Any) -> Any:
    """Return the value where it has the wanted type (an int may stand for a float, a word for a list of one)."""
    origin = typing.get_origin(wanted)
    if wanted is Any:
        return value
    if origin is Literal:
        if value not in typing.get_args(wanted):
            known = [str(a) for a in typing.get_args(wanted)]
            raise ConfigError(f"{key} = {value!r} is not known{did_you_mean(str(value), known)}")
        return value
    if origin in (typing.Union, types.UnionType):
        for each in typing.get_args(wanted):
            try:
                return _fit_type(key, value, each)
            except ConfigError:
                continue
        words = " or ".join(WORDS.get(typing.get_origin(each) or each, "a list") for each in typing.get_args(wanted))
        raise ConfigError(f"{key} = {value!r} has the wrong type: expected {words}.")
    if origin in (list, dict) and isinstance(value, origin):
        inside = typing.get_args(wanted)[-1]
        for at, each in value.items() if isinstance(value, dict) else enumerate(value):
            _fit_type(f"{key}.{at}" if origin is dict else f"{key}[{at}]", each, inside)
        return value
    if origin is list and isinstance(value, str):
        return [value]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    plain = origin or wanted
    if plain in (tuple, Sequence):
        plain = (list, tuple)
    elif not isinstance(plain, type):  # nothing that a value can be held against
        return value
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        raise ConfigError(f"{key} = {value!r} has the wrong type: expected {WORDS.get(plain, 'a list')}.")
    return value


def _meant(key: str, known: Iterable[str], section: str = "") -> str:
    """Return "; did you mean 'train.epochs'? Known: ..." for an unknown key, wherever the one meant stands.

    A key that exists elsewhere, or that other programs call so, comes before one of this section that is spelt alike.
    A setting that most models have in this `section` and this one has not was meant here: no other is.
    """
    names = sorted(known)
    found = [*where(key)]
    if any(path.rpartition(".")[0] == section and path.rpartition(".")[2] not in names for path in found if section):
        found = []
    elif not found:
        found = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
        elsewhere = {path.rpartition(".")[2]: path for path in _paths()}
        nearer = difflib.get_close_matches(key, [*elsewhere, *found], n=1, cutoff=0.75)
        found = [elsewhere.get(name, name) if name not in found else name for name in nearer] or found
    hint = f"; did you mean {' or '.join(map(repr, found))}?" if found else "."
    return f"{hint} Known: {', '.join(names)}." if names else hint


def where(key: str) -> tuple[str, ...]:
    """Return where the keys of this name stand in a run file, or those that other programs call so; () for none.

    >>> where("epochs"), where("learning-rate"), where("dropout")
    (('train.epochs',), ('train.lr',), ('encoder.dropout', 'head.dropout'))
    """
    last = key.rpartition(".")[2].lower().replace("-", "_")
    return tuple(path for path in _paths() if path.rpartition(".")[2] == last) or MEANT.get(last, ())


def _paths() -> list[str]:
    """Return where every key of a run file stands, with what most encoders can be told."""
    found = [*(f"encoder.{key}" for key in ENCODERS)]
    for section, kind in (("train.", FitSettings), ("head.", HeadSettings), ("", RunSettings)):
        found += [f"{section}{f.name}" for f in dataclasses.fields(kind)]
    return [*found, DESCRIPTORS]


def dump(run: RunSettings) -> str:
    """Return the settings as a TOML run file."""
    return to_toml(dataclasses.asdict(run))
