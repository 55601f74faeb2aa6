"""The rows that a study may see: those that train and those that choose. The others are not in them at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.files import atomic, os_errors
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import CheckpointError
from molgraph.split import Split

Rows = NDArray[np.int64]
TARGETS = ("values", "observed", "bound", "weight")


@dataclass(frozen=True)
class Fold:
    """Hold row positions: what trains, what stops the training, what is scored."""

    train: Rows
    stop: Rows
    score: Rows


@dataclass(frozen=True)
class Visible:
    """Hold the rows of a study, and the folds over which each trial is scored (one, or several).

    `kinds` and `classes` are what the task is made of.
    """

    data: Dataset
    folds: tuple[Fold, ...]
    kinds: dict[str, str]
    classes: dict[str, tuple[str, ...]]

    def split(self, fold: Fold) -> Split:
        """Return a fold as a training takes it; nothing calibrates and nothing tests."""
        none = np.zeros(0, dtype=np.int64)
        return Split(fold.train, fold.stop, none, none)

    @property
    def digest(self) -> str:
        """Return the sha256 of the rows, their values and their folds."""
        found = hashlib.sha256()
        for fold in self.folds:
            for rows in (fold.train, fold.stop, fold.score):
                found.update(rows.tobytes())
        for name in TARGETS:
            found.update(getattr(self.data.targets, name).numpy().tobytes())
        for given in self.data.inputs.values():
            found.update("\n".join(given.key_of(i) for i in range(len(self.data))).encode())
        return found.hexdigest()

    def save(self, path: Path) -> None:
        """Write the rows to one file that processes read by mapping it into memory."""
        tensors: dict[str, Tensor] = {f"target/{n}": getattr(self.data.targets, n) for n in TARGETS}
        tensors["rows"] = torch.from_numpy(self.data.rows)
        for at, fold in enumerate(self.folds):
            for name in ("train", "stop", "score"):
                tensors[f"fold/{at}/{name}"] = torch.from_numpy(
                    getattr(fold, name).copy()
                )  # safetensors refuses memory used twice
        tensors |= {f"group/{name}": torch.from_numpy(g) for name, g in self.data.groups.items()}
        inputs = {}
        for name, given in self.data.inputs.items():
            parts = given.parts
            tensors[f"input/{name}/index"] = given.index
            tensors |= {f"input/{name}/value/{k}": v for k, v in parts.values.items()}
            tensors |= {f"input/{name}/offset/{k}": v for k, v in parts.offsets.items()}
            inputs[name] = {"level": parts.level, "schema": parts.schema, "count": len(parts), "keys": given.keys}
        facts = {
            "inputs": inputs,
            "targets": self.data.targets.names,
            "ids": self.data.ids,
            "folds": len(self.folds),
            "kinds": self.kinds,
            "classes": self.classes,
        }
        with os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as file:
            file.write(save({k: v.contiguous() for k, v in tensors.items()}, {"facts": json.dumps(facts)}))

    @classmethod
    def load(cls, path: Path) -> Visible:
        """Read what `save` wrote; the values stay in the file until they are used.

        Raises: CheckpointError where the file is damaged.
        """
        try:
            with safe_open(path, "pt") as file:
                facts = json.loads(file.metadata()["facts"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise CheckpointError(f"{path}: the rows of the study are damaged ({error}); start again.") from error
        targets = Targets(tuple(facts["targets"]), *(tensors[f"target/{n}"] for n in TARGETS))
        data = Dataset(
            {name: _input(name, about, tensors) for name, about in facts["inputs"].items()},
            targets,
            tensors["rows"].numpy(),
            tuple(facts["ids"]),
            {key.partition("/")[2]: v.numpy() for key, v in tensors.items() if key.startswith("group/")},
        )
        folds = tuple(
            Fold(*(tensors[f"fold/{at}/{name}"].numpy() for name in ("train", "stop", "score")))
            for at in range(facts["folds"])
        )
        return cls(data, folds, facts["kinds"], {k: tuple(v) for k, v in facts["classes"].items()})


def _input(name: str, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Input:
    def of(kind: str) -> dict[str, Tensor]:
        head = f"input/{name}/{kind}/"
        return {key.removeprefix(head): value for key, value in tensors.items() if key.startswith(head)}

    parts = Packed(of("value"), about["level"], of("offset"), about["schema"], about["count"])
    return Input(parts, tensors[f"input/{name}/index"], tuple(about["keys"]))


def only(data: Dataset, rows: Rows) -> Dataset:
    """Return some rows and nothing of the others: parts that only the others use are left out as well."""
    found = data.subset(rows)
    inputs = {}
    for name, given in found.inputs.items():
        used = torch.unique(given.index)
        used = used[used != ABSENT]
        number = torch.full((len(given.parts) + 1,), ABSENT, dtype=torch.int64)  # the last place is that of ABSENT
        number[used] = torch.arange(len(used))
        keys = tuple(given.keys[i] for i in used.tolist()) if given.keys else ()
        inputs[name] = Input(given.parts.gather(used), number[given.index], keys)
    return Dataset(inputs, found.targets, found.rows, found.ids, found.groups)
