"""Give a model away: its weights and scores, without the rows it was trained on."""

from __future__ import annotations

from pathlib import Path

from molgraph.predictor import folder as folders
from molgraph.workflows.show import say


def share_folder(model: Path, out: Path) -> None:
    """Copy a model folder without its training rows.

    Raises: CheckpointError where the model is damaged; ConfigError where `out` holds files.
    """
    folders.share(model, out)
    say(f"{out} holds the model without its training rows: predictions name no neighbour and no domain")
