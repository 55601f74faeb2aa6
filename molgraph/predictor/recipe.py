"""`recipe.json`: all that is needed, besides the weights, to use a model; and the facts about it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PureWindowsPath
from typing import Any

import molgraph
from molgraph import registry, shipped
from molgraph.config import RunSettings, settings
from molgraph.data.files import atomic
from molgraph.data.packed import Schema
from molgraph.data.untrusted import damaged, read_json, refuse_odd_numbers
from molgraph.errors import CheckpointError, ConfigError, did_you_mean
from molgraph.predictor.parts import parts

FORMAT = 1
MEMBERS = 1000
SCORES = ("model", "comparator", "verdicts", "coverage", "reliability", "decisions", "shown", "main", "others", "leaks")
KINDS = {"run": RunSettings, "members": int, "lacked": list | None, "opener": str}  # all else maps names to something
PACKAGES = ("torch", "torch-geometric", "rdkit", "cuik-molmaker-pin", "catboost", "numpy", "scikit-learn")


@dataclass
class Recipe:
    """Hold a model's settings, what training taught besides weights, and its scores.

    `schemas` and `columns` map an input to what its parts look like and to the column that held it; `lacked` names the
    optional inputs that training taught to do without (None: an earlier version did not say); `units` maps a target to
    what its numbers mean; `files` maps weights and domain to their sha256; `facts` is what a report prints (rows, split
    sizes, metrics, dates), free of meaning to the machine. `start` says of a model that started from the weights of
    another which that was, which weights did not fit, and what is not known of its training rows. `simple` are the
    simplest methods that it has to beat, as plain numbers (`simple.fit`). `weights` maps a target to what each member
    weighs, in sum 1; nothing where they weigh alike. `opener` names what reads the folder, one of
    `registry.OPENERS`.
    """

    run: RunSettings
    task: dict[str, Any]
    schemas: dict[str, Schema]
    columns: dict[str, str]
    members: int
    lacked: list[str] | None = None
    units: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, Any] = field(default_factory=dict)
    chances: dict[str, Any] = field(default_factory=dict)
    tempered: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    simple: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    opener: str = registry.PREDICTOR

    def save(self, folder: Path) -> None:
        """Write `recipe.json`."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)
        with atomic(folder / "recipe.json") as file:
            file.write(text.encode())

    def checked(self) -> Recipe:
        """Return it where what is used of it is of the right kind, and no number odd.

        Raises: ValueError where something is not.
        """
        for name, kind in ({each.name: dict for each in fields(self)} | KINDS).items():
            value = getattr(self, name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise ValueError(f"'{name}' is of the wrong kind")
        if not 1 <= self.members <= MEMBERS:
            raise ValueError(f"members = {self.members} is out of range")
        for sizes in (each for known in self.schemas.values() for each in known.values()):
            if type(sizes) is not list or not all(type(n) is int and n >= 0 for n in sizes):
                raise ValueError("'schemas' is of the wrong kind")
        for name in ("task", "schemas", "intervals", "chances", "tempered", "thresholds", "weights"):
            refuse_odd_numbers(getattr(self, name), name)
        refuse_odd_numbers(asdict(self.run), "run")
        for name, each in self.weights.items():
            whole = type(each) is list and len(each) == self.members and all(type(w) is float and w >= 0 for w in each)
            if name not in self.task["names"] or not whole or abs(sum(each) - 1) > 1e-6:
                raise ValueError(f"the weights of '{name}' are {str(each)[:100]}")
        for name in SCORES:
            if not isinstance(self.metrics.get(name, {}), dict | None):
                raise ValueError(f"'metrics.{name}' is of the wrong kind")
        for name in self.files:
            if PureWindowsPath(name).name != name:
                raise ValueError(f"'{name}' lies outside of the folder")
        return self

    @classmethod
    def load(cls, folder: Path) -> Recipe:
        """Read `recipe.json`.

        Raises: CheckpointError where it is missing, damaged or of a newer format.
        """
        path = folder / "recipe.json"
        if not path.is_file():
            raise CheckpointError(f"{folder}: {_absent(folder)}")
        with damaged(path):
            found = read_json(path)
            made_by = found.pop("format")
            if made_by != FORMAT:
                raise CheckpointError(
                    f"{path}: written in model format {made_by}, this molgraph ({molgraph.__version__}) reads "
                    f"format {FORMAT}. Use the version that wrote it, or train again."
                )
            run = {"standardizer": 1, **found.pop("run")}  # earlier versions knew no other
            found.setdefault("opener", registry.OPENED_BEFORE.get(found["task"].get("kind"), registry.PREDICTOR))
            if found["opener"] not in registry.OPENERS:
                raise CheckpointError(
                    f"{path}: is opened by '{found['opener']}', which molgraph {molgraph.__version__} does not know. "
                    "Use the version that wrote it."
                )
            return cls(run=settings(run), **found).checked()

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of the models that it is made of: an encoder for each input, and what joins them."""
        runs = [self.run, *(parts(self.run) if self.run.model in registry.models() else ())]
        each = ((run.model, *(str(section["encoder"]) for section in run.inputs.values())) for run in runs)
        return tuple(dict.fromkeys(name for names in each for name in names))

    def find_models(self, folder: Path) -> None:
        """Check that the models are there, also those of other packages.

        Raises: CheckpointError naming the package that has to be installed.
        """
        for name in self.models:
            try:
                registry.model(name)
            except ConfigError as error:
                by = self.facts.get("plugins", {}).get(name)
                package = f"the package {by}" if by else f"a package with an entry point of {registry.ENTRY_POINTS}"
                why = f"its model '{name}' comes from {package}, which is not installed here; install it."
                raise CheckpointError(f"{folder}: {error if name in registry.models() else why}") from error


def _absent(folder: Path) -> str:
    if folder.as_posix() in registry.models():
        return f"the name of an architecture; train one with `molgraph train ... --model {folder} --out DIR`, name DIR."
    if folder.is_file():
        return "a file, not a model folder. Name the folder that `molgraph train --out` wrote."
    if folder.is_dir():
        return "no finished model (no recipe.json). Repeat the `molgraph train` that began it, or train into another."
    ships = did_you_mean(folder.as_posix(), shipped.models())
    return f"no such model folder, and none ships by that name{ships} Or train it: `molgraph train ... --out {folder}`."


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of what decides the numbers."""
    found = {"molgraph": molgraph.__version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
