"""What the words of a command stand for: the settings of a run, and inputs that are the same for all rows."""

from __future__ import annotations

import argparse
import re
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
    if from_file and raw.get("data") and raw["data"] != "-":
        raw["data"] = _beside(given, raw["data"])
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
    _over_time(arguments, raw)
    if arguments.descriptors:
        raw["descriptors"] = [name.strip() for name in arguments.descriptors.split(",") if name.strip()]
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
    for text in getattr(arguments, "curve", []):
        raw.setdefault("curves", {}).update(_curve(text, arguments.within))
    for text in arguments.units:
        column, sign, unit = text.partition(":")
        if not sign:
            raise ConfigError(f"--units {text}: write COLUMN:UNIT, for example --units IC50:nM.")
        raw.setdefault("units", {})[column] = unit
    if getattr(arguments, "seeds", None):
        raw["seeds"] = _seeds(arguments.seeds)
    if getattr(arguments, "weight", []):
        raw["weight"] = _weights(arguments.weight, raw.get("targets", ()))
    return config.settings(config.override(raw, arguments.assignments))


def _over_time(arguments: argparse.Namespace, raw: dict[str, Any]) -> None:
    """Lay inputs, and the records over time of the rows, on top of what a run file says."""
    if getattr(arguments, "inputs", ""):
        inputs, visits = _inputs(arguments.inputs)
        raw |= {"inputs": inputs} if inputs else {}
        if visits:
            raw["records"] = {**raw.get("records", {}), **visits}
    said = {key: getattr(arguments, key, None) for key in ("at", "time")}
    if any(said.values()):
        raw["records"] = {**raw.get("records", {}), **{key: column for key, column in said.items() if column}}
    records = raw.get("records")
    if not isinstance(records, dict):  # none, or what `config.settings` refuses
        return
    if arguments.data.lower().endswith(RUN_FILE) and not getattr(arguments, "inputs", "") and "file" in records:
        records["file"] = _beside(arguments.data, str(records["file"]))
    named = [str(path) for path in (records.get("file"), raw.get("data")) if path]
    if len(named) == 2 and Path(named[0]).resolve() == Path(named[1]).resolve():  # the rows are records themselves
        records.pop("file", None)


def _seeds(text: str) -> list[int]:
    """Read `0,1,2`.

    Raises: ConfigError for what are no whole numbers.
    """
    try:
        return [int(word) for word in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"--seeds {text}: write whole numbers, as 0,1,2.") from error


def _curve(text: str, within: float | None) -> dict[str, dict[str, Any]]:
    """Read `NAME=COLUMN,COLUMN`, `NAME=+TIME,+TIME` or `NAME=+1visit,+2visits`."""
    name, sign, rest = text.partition("=")
    words = [word.strip() for word in rest.split(",")]
    said = (
        f"--curve {text}: write NAME=COLUMN,COLUMN, times ahead as NAME=+1,+2, or next visits as NAME=+1visit,+2visits."
    )
    if not (name and sign and all(words)):
        raise ConfigError(said)
    ahead = [re.fullmatch(r"\+(\d+\.?\d*)( ?visits?)?", word) for word in words]
    numbers = [found for found in ahead if found is not None]
    if not numbers:
        return {name: {"columns": words}}
    visits = [bool(found[2]) for found in numbers]
    if len(numbers) < len(words) or len(set(visits)) > 1 or (visits[0] and any("." in found[1] for found in numbers)):
        raise ConfigError(said)
    if visits[0]:
        return {name: {"visits": [int(found[1]) for found in numbers]}}
    return {name: {"ahead": [float(found[1]) for found in numbers]} | ({"within": within} if within else {})}


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


def _beside(run_file: str, path: str) -> str:
    """Return where a file lies that a run file names: beside the run file, where there is one, else as it says."""
    beside = Path(run_file).parent / path
    return str(beside) if not Path(path).is_absolute() and beside.exists() else path


def _inputs(text: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Read `COLUMN:ENCODER,COLUMN:ENCODER`, and of records over time `FILE:COLUMN`."""
    found: dict[str, dict[str, str]] = {}
    records: dict[str, str] = {}
    for word in text.split(","):
        column, sign, encoder = word.strip().rpartition(":")
        if not (column and sign and encoder):
            raise ConfigError(
                f"--inputs {text}: write COLUMN:ENCODER, for example smiles:molecule/gin; of visits FILE:COLUMN, for "
                "example visits.csv:patient_id."
            )
        if "/" not in encoder and "." in column:
            if records:
                raise ConfigError(f"--inputs {text}: one file of visits is read; put them into one.")
            records = {"file": column, "by": encoder}
            continue
        if column in found:
            raise ConfigError(
                f"--inputs {text}: '{column}' stands twice; name the inputs in a run file, [inputs.NAME]."
            )
        found[column] = {"column": column, "encoder": encoder}
    return found, records


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the inputs that are the same for all rows, and the file of their visits."""
    found = {"protein": arguments.protein} if arguments.protein else {}
    found |= {"records": arguments.inputs} if arguments.inputs else {}
    for text in arguments.given:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise ConfigError(f"--given {text}: write INPUT=FILE or INPUT=TEXT.")
        found[name] = value
    return found
