"""A run's settings: one TOML file, overridden key by key, every key checked against the dataclasses below."""

from __future__ import annotations

import dataclasses
import json
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from molgraph.errors import ConfigError, DataError, did_you_mean

Value = Any  # what TOML can hold
FUSION = "fusion/concat"  # what joins several inputs where a run does not say
AUTO = "auto"  # a split or a task: the one of the room, or what the data says


@dataclass(frozen=True)
class FitSettings:
    """Set how a network is trained.

    Units: `warmup` and `patience` are epochs; `clip` is the largest gradient norm (0 = none); `ema` the decay of
    the moving average of the weights (0 = none). `batches` are rows at random; `balanced`, each class of the first
    target as often as any other; or, of several inputs, `blocks` of pairs in which few parts stand: each is encoded
    less often. `mixup` is the alpha of mixing the features and labels of rows (0 = none; see `fit.step`).
    """

    epochs: int = 50
    lr: float = 2e-3
    batch_size: int = 64
    batches: Literal["random", "balanced", "blocks"] = "random"
    mixup: float = 0.0
    weight_decay: float = 0.0
    warmup: int = 2
    patience: int = 15
    clip: float = 1.0
    ema: float = 0.0
    device: str = "auto"
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch_size", 1), ("warmup", 0), ("patience", 1)):
            if getattr(self, name) < low:
                raise ConfigError(f"train.{name} = {getattr(self, name)} is out of range: it must be at least {low}.")
        if not self.lr > 0:
            raise ConfigError(f"train.lr = {self.lr} is out of range: it must be above 0.")
        if self.mixup < 0:
            raise ConfigError(f"train.mixup = {self.mixup} is out of range: it must be at least 0.")
        if not 0 <= self.ema < 1:
            raise ConfigError(f"train.ema = {self.ema} is out of range: it must be at least 0 and below 1.")


@dataclass(frozen=True)
class HeadSettings:
    """Set what stands between the encoder and the outputs; `pooling = "auto"` is the encoder's own."""

    pooling: Literal["auto", "mean", "sum", "max", "attention", "gated", "last", "none"] = "auto"
    depth: int = 1
    hidden: int = 300
    dropout: float = 0.0


@dataclass(frozen=True)
class RunSettings:
    """Hold all that one run file says.

    `inputs` is empty where the model has one input; else it maps a name to `encoder` (a registered model), `column`
    (else found by its usual names, or called as the input), `optional` (a blank cell is an input that is absent) and
    that encoder's settings, and `encoder` holds the settings of the fusion. The split "auto" is that of the
    data where it has its own folds, else the room's; the task "auto" is the room's (see `predictor.auto`).
    With `variance` numbers are predicted with their standard deviation; with `calibrate` probabilities are mapped as
    the calibration rows teach. `specificity` is what a threshold on a probability must reach on the validation rows
    (0 = it is chosen by Youden's J).
    """

    data: str = ""
    model: str = "molecule/dmpnn"
    task: str | dict[str, str] = AUTO
    targets: list[str] = field(default_factory=list)
    column: str = ""
    id: str = ""
    join: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    split: str = AUTO
    fractions: list[float] = field(default_factory=lambda: [0.8, 0.1, 0.1])
    leaks: Literal["drop", "report", "refuse"] = "drop"
    seed: int = 0
    standardize: bool = True
    duplicates: Literal["mean", "median", "drop", "keep"] = "mean"
    balance: bool = False
    focal: float = 0.0
    variance: bool = False
    calibrate: bool = False
    specificity: float = 0.0
    ensemble: int = 1
    init: str = ""
    comparator: str = "auto"
    inputs: dict[str, dict[str, Value]] = field(default_factory=dict)
    encoder: dict[str, Value] = field(default_factory=dict)
    head: HeadSettings = field(default_factory=HeadSettings)
    train: FitSettings = field(default_factory=FitSettings)
    space: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.ensemble < 1:
            raise ConfigError(f"ensemble = {self.ensemble} is out of range: it must be at least 1.")
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


def read(path: str | Path) -> dict[str, Value]:
    """Read a run file.

    Raises: DataError where the file cannot be read, ConfigError where it is no TOML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such run file; check the name.") from error
    except OSError as error:
        raise DataError(f"{path}: the run file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: the run file is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not a TOML file: {error}.") from error


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
        for parent in parents:
            at = at.setdefault(parent, {})
            if not isinstance(at, dict):
                raise ConfigError(f"--set {text}: '{parent}' is no section.")
        at[last] = value
    return result


def settings(raw: Mapping[str, Value]) -> RunSettings:
    """Build the settings of a run from what a run file says.

    Raises: ConfigError for an unknown key (with the nearest known one), a wrong type, a value out of range.
    """
    return typing.cast(RunSettings, _build(RunSettings, _one_input(raw), ""))


def check(section: str, given: Mapping[str, Value], known: Mapping[str, Any], owner: str) -> None:
    """Check the keys of a section against the names a signature knows.

    Raises: ConfigError naming the unknown key and the nearest known one.
    """
    for key in given:
        if key not in known:
            raise ConfigError(f"unknown key '{section}.{key}' for {owner}{did_you_mean(key, known)}")


def _one_input(raw: Mapping[str, Value]) -> dict[str, Value]:
    """Read a single `[inputs.NAME]` as the `model`, `column` and `[encoder]` that it means; several are fused."""
    result = dict(raw)
    inputs = result.get("inputs", {})
    if not isinstance(inputs, dict) or not all(isinstance(section, dict) for section in inputs.values()):
        raise ConfigError("'inputs' holds a section for each input: write [inputs.NAME].")
    if len(inputs) > 1:
        result.setdefault("model", FUSION)
    if len(inputs) != 1:
        return result
    ((name, section),) = result.pop("inputs").items()
    section = dict(section)
    result.setdefault("column", section.pop("column", "" if name in ("molecule", "drug") else name))
    result["model"] = section.pop("encoder", result.get("model", RunSettings.model))
    result["encoder"] = {**section, **result.get("encoder", {})}
    return result


def _build(kind: type, raw: Mapping[str, Value], prefix: str) -> Any:
    known = {f.name: f for f in dataclasses.fields(kind)}
    types_of = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            raise ConfigError(f"unknown key '{prefix}{key}'{did_you_mean(key, known)}")
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
    if origin is Literal:
        if value not in typing.get_args(wanted):
            known = [str(a) for a in typing.get_args(wanted)]
            raise ConfigError(f"{key} = {value!r} is not known{did_you_mean(str(value), known)}")
        return value
    if origin in (typing.Union, types.UnionType):
        if any(isinstance(value, typing.get_origin(a) or a) for a in typing.get_args(wanted)):
            return value
        raise ConfigError(f"{key} = {value!r} has the wrong type: expected {wanted}.")
    if origin is list and isinstance(value, str):
        return [value]
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    plain = origin or wanted
    if not isinstance(value, plain) or (plain is int and isinstance(value, bool)):
        raise ConfigError(f"{key} = {value!r} has the wrong type: expected {plain.__name__}.")
    return value


def dump(run: RunSettings) -> str:
    """Return the settings as a TOML run file."""
    return to_toml(dataclasses.asdict(run))


def to_toml(raw: Mapping[str, Value], prefix: str = "") -> str:
    """Return a nested mapping of plain values as TOML."""
    lines = [f"{_key(k)} = {_toml(v)}" for k, v in raw.items() if not isinstance(v, dict)]
    for name, section in raw.items():
        if isinstance(section, dict) and section:
            lines += ["", f"[{prefix}{_key(name)}]", to_toml(section, f"{prefix}{_key(name)}.").rstrip("\n")]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() else json.dumps(name)


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(v) for v in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
