"""The files of a model folder: which there are, and whether they are whole."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from molgraph import registry, shipped
from molgraph.data.files import LOCK, PARTS, alone, atomic, is_empty, os_errors
from molgraph.data.untrusted import damaged
from molgraph.errors import CheckpointError, ConfigError, Reject, ResourceError
from molgraph.predictor.card import card
from molgraph.predictor.checkpoint import CHECKPOINT, FOLD, REFIT, SPLIT
from molgraph.predictor.recipe import Recipe, sha256
from molgraph.predictor.unplaced import unplaced

DOMAIN, START = "domain.npz", "start-*.npz"
WEIGHTS = ("weights-*.safetensors", "trees-*.safetensors", "linear-*.safetensors", "trees-*.json")  # the last: see 0029
SEALED = (*WEIGHTS, DOMAIN, START)
INSIDE = (SPLIT, REFIT)  # folders within, of the model that was judged and of one that is being refitted
OWN = (
    *SEALED, "recipe.json", "run.toml", "metrics.json", "history.csv", "rejects.csv", "card.md",
    CHECKPOINT, FOLD, "metrics.jsonl", "run.log",
)  # fmt: skip
OURS = (*OWN, *(f"{folder}/{name}" for folder in INSIDE for name in OWN))


def find(name: str | Path) -> Path:
    """Return the folder that a model is called by: the user's own, else that of a model that ships.

    A folder of that name is the user's own where something of a model stands in it, unfinished or damaged as it may
    be: the results of a screen are not taken for one. See docs/decisions/0014.
    """
    own = Path(name)
    taken = any(any(own.glob(pattern)) for pattern in OURS)
    return own if taken or str(name) not in shipped.models() else shipped.FOLDER / name


def seal(folder: Path, recipe: Recipe) -> str:
    """Write card and recipe with the sha256 of weights and domain; return the digest of the model."""
    plugins = {name: registry.distribution(name) for name in recipe.models if registry.distribution(name)}
    if plugins:
        recipe.facts["plugins"] = plugins
    sealed = sorted(path for pattern in SEALED for path in folder.glob(pattern))
    recipe.files = {path.name: sha256(path) for path in sealed}
    with atomic(folder / "card.md") as file:
        file.write(card(recipe).encode())
    recipe.save(folder)
    return _digest(folder)


def unseal(folder: Path) -> tuple[Recipe, str]:
    """Read the recipe and check every file it seals; return it with the digest of the model.

    A recipe of an earlier version does not seal the domain.

    Raises: CheckpointError where a file is missing or is not the one that was written; ResourceError where there is
    no permission to read it.
    """
    try:
        return _checked(folder), _digest(folder)
    except PermissionError as error:
        raise ResourceError(f"{error.filename}: no permission to read; ask its owner or copy it.") from error


def _checked(folder: Path) -> Recipe:
    recipe = Recipe.load(folder)
    with damaged(folder / "recipe.json"):
        card(recipe)  # says what scores and facts say: what cannot be said is told now
    for name, wanted in recipe.files.items():
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{path}: missing. Copy the whole model folder, or train again.")
        if sha256(path) != wanted:
            raise CheckpointError(
                f"{path}: damaged (not the file that was written). Copy the folder again, or train again."
            )
    return recipe


def share(folder: Path, out: Path) -> str:
    """Write a copy of the model that is kept, without its training rows, and return the digest of the copy.

    Left out are the domain (so predictions have no neighbour and no domain flag), what its starts were trained on, the
    rejects, the log, and in which folders files lay (`unplaced`). Weights, scores and the learning curve go along.

    Raises: CheckpointError where the model is damaged; ConfigError where something stands in `out`.
    """
    folder = find(folder)
    recipe, _ = unseal(folder)
    unfinished = _is_unfinished_copy(out)
    with alone(out), os_errors(out):
        if not unfinished and not is_empty(out):
            raise ConfigError(f"{out}: is not empty; name a new folder for the copy.")
        for path in (path for path in out.iterdir() if path.name != LOCK):
            path.unlink()
        for pattern in (*WEIGHTS, "history.csv"):
            for path in folder.glob(pattern):
                shutil.copyfile(path, out / path.name)
        unplaced(recipe)
        if (folder / "metrics.json").exists():
            with atomic(out / "metrics.json") as file:
                file.write(json.dumps(recipe.metrics, indent=1, ensure_ascii=False).encode())
        return seal(out, recipe)


def _is_unfinished_copy(out: Path) -> bool:
    """Tell whether nothing stands in a folder but what a sharing that was killed had copied, and its lock."""
    copied = (*WEIGHTS, "history.csv", "metrics.json", "card.md", PARTS, LOCK)
    names = [path.name for path in out.iterdir()] if out.is_dir() else []
    return LOCK in names and all(any(fnmatch(name, pattern) for pattern in copied) for name in names)


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "recipe.json").read_bytes()).hexdigest()


def clear(folder: Path) -> None:
    """Delete what an earlier training wrote, and nothing else."""
    for pattern in OURS:
        for path in folder.glob(pattern):
            path.unlink()
    for name in INSIDE:
        with contextlib.suppress(OSError):  # it is not there, or something of the user's is in it
            (folder / name).rmdir()


def settle(folder: Path) -> None:
    """Delete what a finished training no longer needs: checkpoints, and the members that were saved on the way."""
    for path in (path for name in (CHECKPOINT, FOLD) for at in (folder, folder / SPLIT) for path in at.glob(name)):
        path.unlink(missing_ok=True)
    if (folder / REFIT).is_dir():
        clear(folder / REFIT)
        with contextlib.suppress(OSError):
            (folder / REFIT).rmdir()


def save_history(folder: Path, history: Sequence[dict[str, Any]]) -> None:
    """Write `history.csv`, one line per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]) if history else ["member", "epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    with atomic(folder / "history.csv") as file:
        file.write(text.getvalue().encode())


def save_rejects(folder: Path, rejects: Sequence[Reject]) -> None:
    """Write `rejects.csv`, one line per row that was left out."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "text", "reason", "message"])
    writer.writerows((r.row, r.text, r.reason, r.message) for r in rejects)
    with atomic(folder / "rejects.csv") as file:
        file.write(text.getvalue().encode())
