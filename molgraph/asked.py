"""What the words of a command stand for: the settings of a run, and inputs that are the same for all rows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molgraph import config
from molgraph.errors import ConfigError

RUN_FILE = ".toml"


def run_settings(arguments: argparse.Namespace) -> config.RunSettings:
    """Return the settings of a run: the run file, the options on top, then --set."""
    given = arguments.data
    from_file = given.lower().endswith(RUN_FILE)
    raw: dict[str, Any] = config.read(given) if from_file else {"data": given}
    if from_file and raw.get("data") and not Path(raw["data"]).is_absolute() and raw["data"] != "-":
        beside = Path(given).parent / raw["data"]
        raw["data"] = str(beside) if beside.exists() else raw["data"]
    options = {"targets": arguments.target, "column": arguments.column}
    words = ("model", "task", "split", "ensemble", "id", "init", "seed", "leaks")
    options |= {k: getattr(arguments, k, None) for k in words}
    raw |= {k: v for k, v in options.items() if v not in (None, "", [])}
    if arguments.no_standardize:
        raw["standardize"] = False
    if arguments.join:
        raw["join"] = arguments.join
    if arguments.fields:
        raw["fields"] = {name.strip(): config.AUTO for name in arguments.fields.split(",")} | raw.get("fields", {})
    if getattr(arguments, "inputs", ""):
        raw["inputs"] = _inputs(arguments.inputs)
    for text in arguments.positive:
        column, sign, value = text.partition(":")
        named = sign and column in raw.get("targets", ())
        raw.setdefault("positive", {}).update({column: value} if named else dict.fromkeys(raw.get("targets", ()), text))
    for text in getattr(arguments, "event", []):
        time, sign, column = text.partition(":")
        if not (time and sign and column):
            raise ConfigError(f"--event {text}: write TIME:COLUMN, for example --event days:death.")
        raw.setdefault("events", {})[column] = {"time": time}
        raw["targets"] = list(dict.fromkeys([*raw.get("targets", []), column]))
    for text in arguments.units:
        column, sign, unit = text.partition(":")
        if not sign:
            raise ConfigError(f"--units {text}: write COLUMN:UNIT, for example --units IC50:nM.")
        raw.setdefault("units", {})[column] = unit
    if getattr(arguments, "weight", []):
        raw["weight"] = _weights(arguments.weight, raw.get("targets", ()))
    return config.settings(config.override(raw, arguments.assignments))


def _weights(texts: Sequence[str], targets: Sequence[str]) -> str | dict[str, str]:
    """Read one `COLUMN`, or `TARGET=COLUMN` for each of several targets.

    Raises: ConfigError for several columns without a target.
    """
    found = {}
    for text in texts:
        target, sign, column = text.partition("=")
        if sign and column and (target in targets or len(texts) > 1):
            found[target] = column
        elif len(texts) > 1:
            raise ConfigError(f"--weight {text}: of several write TARGET=COLUMN, for example --weight pIC50=trust.")
    return found or texts[0]


def _inputs(text: str) -> dict[str, dict[str, str]]:
    """Read `COLUMN:ENCODER,COLUMN:ENCODER`."""
    found = {}
    for word in text.split(","):
        column, sign, encoder = word.strip().partition(":")
        if not (column and sign and encoder):
            raise ConfigError(f"--inputs {text}: write COLUMN:ENCODER, for example smiles:molecule/gin.")
        if column in found:
            raise ConfigError(
                f"--inputs {text}: '{column}' stands twice; name the inputs in a run file, [inputs.NAME]."
            )
        found[column] = {"column": column, "encoder": encoder}
    return found


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the inputs that are the same for all rows."""
    found = {"protein": arguments.protein} if arguments.protein else {}
    for text in arguments.given:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise ConfigError(f"--given {text}: write INPUT=FILE or INPUT=TEXT.")
        found[name] = value
    return found
