"""The same work from Python: three lines in a notebook, no files needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from molgraph import config
from molgraph.errors import ConfigError
from molgraph.predictor import Panel, Predictor
from molgraph.predictor import load as load_folders
from molgraph.workflows import show
from molgraph.workflows.plan import plan
from molgraph.workflows.seeds import train_seeds
from molgraph.workflows.train import train_folder, train_rows


def train(data: Any, target: str | list[str], *, out: str | Path | None = None, **settings: Any) -> Predictor | Panel:
    """Train on a DataFrame, a file or a list, and return the model; `out` also writes its folder.

    `settings` are the keys of a run file: `model="molecule/gin"`, `task="binary"`, `train={"epochs": 20}`. With several
    `seeds` it is the mean of a model from each.

    Raises: ConfigError and DataError as their messages say.
    """
    raw = {"targets": [target] if isinstance(target, str) else list(target), **settings}
    if isinstance(data, str | Path):
        raw["data"] = str(data)
    run = config.settings(raw)
    source = None if isinstance(data, str | Path) else data
    if run.seeds:
        if out is None:
            raise ConfigError("seeds: name a folder for the models, out=...")
        return Panel(train_seeds(run, Path(out), source=source))
    if out is not None:
        made = train_folder(run, Path(out), source=source)
        assert made is not None  # only a dry run returns nothing
        return made
    planned = plan(run, source)
    with show.Epochs(run, None, tensorboard=False) as watch:
        return train_rows(planned, watch=watch)


def load(*folders: str | Path) -> Predictor | Panel:
    """Read a model folder; several become one panel.

    Raises: CheckpointError where a folder is missing, damaged or of another version.
    """
    return load_folders(folders)
