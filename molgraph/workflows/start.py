"""The model that a training starts from: it must be of the same make, and its training rows count as known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from molgraph.config import RunSettings
from molgraph.errors import ConfigError
from molgraph.predictor import Predictor, load
from molgraph.predictor.known import Known, pretrained_by, union


def started(run: RunSettings) -> Predictor | None:
    """Return the model that a run starts from, None where its weights are drawn.

    Raises: ConfigError where it is of another architecture, or was set up otherwise.
    """
    if not run.init:
        return None
    start = load([run.init])
    if not isinstance(start, Predictor) or start.recipe.run.model != run.model:
        raise ConfigError(f"--init {run.init}: its architecture is not '{run.model}'.")
    theirs, mine = ({"encoder": each.encoder, "inputs": each.inputs} for each in (start.recipe.run, run))
    apart = list(_apart(_flat(theirs), _flat(mine)))
    if apart:
        raise ConfigError(f"--init {run.init}: its encoder was set up with {'; with '.join(apart)}.")
    return start


def known_before(run: RunSettings, start: Predictor | None) -> Known | None:
    """Return what the weights that a run starts from were trained on, None where all are drawn."""
    pretrained = tuple(pretrained_by(run))
    if start is None:
        return Known((), pretrained) if pretrained else None
    called = f"the start '{Path(run.init).name}'"
    return union([start.known_as(called), Known((), pretrained)])


def _apart(theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Iterator[str]:
    """Say of each setting in which two runs differ what it is there and here, and how it becomes the same.

    >>> list(_apart({"encoder.hidden": 16, "encoder.bias": True}, {"encoder.hidden": 64, "encoder.depth": 4}))[0]
    'encoder.hidden = 16, and this run has 64: add --set encoder.hidden=16'
    >>> list(_apart({"encoder.bias": True}, {"encoder.depth": 4}))[0]
    'encoder.bias = true, and this run leaves it as by default: add --set encoder.bias=true'
    >>> list(_apart({}, {"encoder.depth": 4}))
    ['encoder.depth as by default, and this run has 4: leave it out']
    """
    for name in dict.fromkeys([*theirs, *mine]):
        if theirs.get(name) == mine.get(name):
            continue
        here = f"this run has {_written(mine[name])}" if name in mine else "this run leaves it as by default"
        if name not in theirs:
            yield f"{name} as by default, and {here}: leave it out"
        else:
            value = _written(theirs[name])
            yield f"{name} = {value}, and {here}: add --set {quote(f'{name}={value}')}"


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return settings by their full names (`inputs.drug.hidden`)."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{before}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
