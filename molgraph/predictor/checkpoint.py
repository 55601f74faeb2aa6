"""The file by which a stopped training goes on: what was learnt so far, and which run it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from molgraph.data.untrusted import damaged
from molgraph.errors import CheckpointError, ConfigError
from molgraph.fit import Epoch, processes
from molgraph.fit import state as states
from molgraph.fit.state import State

CHECKPOINT = "checkpoint.safetensors"
FOLD = "fold-*.npy"  # estimates of rows left out, which weigh the parts of a consensus
SPLIT, REFIT = "split", "refit"  # folders of the model that is judged, and of the work on the one that is kept
History = list[dict[str, Any]]  # a line per epoch of each member


def note(history: History, member: int, epoch: Epoch) -> None:
    """Add the line of an epoch to the history."""
    losses = {"train_loss": epoch.train_loss, "valid_loss": epoch.valid_loss}
    rest = {"lr": epoch.lr, "best": epoch.best, "seconds": round(epoch.seconds, 3)}
    history.append({"member": member, "epoch": epoch.number, **losses, **rest})


def keep(folder: Path, digest: str, member: int, epoch: Epoch, history: History) -> None:
    """Write the checkpoint after an epoch; of several processes the first does."""
    if processes.rank() == 0:
        epoch.state().save(folder / CHECKPOINT, member=member, digest=digest, history=history)


def resume(folder: Path, digest: str) -> tuple[int, State | None, History]:
    """Return the member and the state to go on from, and what went before; `digest` names settings and rows.

    Raises: ConfigError where the checkpoint belongs to another run; CheckpointError where it is damaged.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return 0, None, []
    state, meta = states.load(path)
    member, history = meta.get("member"), meta.get("history")
    if type(member) is not int or member < 0 or not isinstance(history, list):
        raise CheckpointError(f"{path}: the checkpoint is damaged. Delete it to start again.")
    if meta.get("digest") != digest:
        raise ConfigError(
            f"{folder}: holds an unfinished training with other settings or other data. "
            "Use another --out, or --overwrite to start anew."
        )
    with damaged(path):
        return member, state, [e for e in history if e["member"] < member or e["epoch"] <= state.epoch]


def unfinished(folder: Path) -> bool:
    """Tell whether a folder holds a training that was stopped, of the split or on all rows."""
    return any((folder / name / CHECKPOINT).exists() for name in ("", SPLIT, REFIT))


def refuse_finished(folder: Path) -> None:
    """Raise ConfigError where a folder holds a model whose training came to its end."""
    if (folder / "recipe.json").exists() and not unfinished(folder):
        raise ConfigError(f"{folder}: holds a trained model. Use another --out, or --overwrite to replace it.")
