"""One thing to choose: from a few values, or between two."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from molgraph.errors import ConfigError

Value = Any


class Asks(Protocol):
    """Suggest values, as an Optuna trial does."""

    @property
    def user_attrs(self) -> dict[str, Any]: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...


@dataclass(frozen=True)
class Dimension:
    """Hold one thing to choose: from `choices`, or between `low` and `high`.

    `path` is where it stands in a run file, `when` the values of earlier dimensions under which it exists,
    `start` its value in the run file, which the space need not hold (what a trial without tuning uses).
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
        """Return what a study holds as the value that it stands for."""
        return next((v for v in (*self.choices, self.start) if label(v) == said), said)

    def holds(self, value: Value) -> bool:
        """Say whether a trial that is tuned may have the value."""
        if self.choices:
            return value in self.choices
        return isinstance(value, int | float) and bool(self.low <= value <= self.high)

    @property
    def entry(self) -> Value:
        """Return what a run file says of it (see `read_entry`)."""
        if self.choices:
            lists = any(isinstance(choice, list | tuple) for choice in self.choices)
            return {"choices": list(self.choices)} if lists else list(self.choices)
        return {"low": self.low, "high": self.high, **({"log": True} if self.log else {})}

    @property
    def ends(self) -> tuple[Value, ...]:
        """Return the values between which all others lie."""
        return self.choices or (self.low, self.high)


def read_entry(
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
        return Dimension(name, path, tuple(choices), start=start, when=when)
    if isinstance(said, dict) and {"low", "high"} <= set(said) <= {"low", "high", "log"}:
        low, high, log = said["low"], said["high"], bool(said.get("log", False))
        if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (low, high)) or low > high:
            raise ConfigError(f"[space] {name}: low = {low!r}, high = {high!r}: give two numbers, the lower first.")
        if isinstance(start, float):  # else 0 to 1 would try these two alone
            low, high = float(low), float(high)
        if not own and isinstance(start, int | float) and (start > 0 or not log):
            low, high = min(low, start), max(high, start)
        if log and low <= 0:
            raise ConfigError(f"[space] {name}: a logarithmic range must begin above 0, not at {low!r}.")
        return Dimension(name, path, (), low, high, log, start, when)
    raise ConfigError(
        f"[space] {name} = {said!r}: write a list of choices, {{low = 1, high = 5}} (with log = true for decades), "
        "or {choices = [[...], [...]]} for lists."
    )


def label(value: Value) -> Value:
    """Return a value as Optuna can hold it."""
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value
