"""What is trained, saved, loaded and asked: a predictor, or several as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from molgraph.predictor.panel import Panel
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.scored import Scored, Scorer

__all__ = ["Panel", "Predictor", "Scored", "Scorer", "load"]


def load(folders: Sequence[str | Path]) -> Predictor | Panel:
    """Read one model folder, or several as one panel.

    Raises: CheckpointError where a folder is missing, damaged or of another version.
    """
    found = [Predictor.load(folder) for folder in folders]
    return found[0] if len(found) == 1 else Panel(found)
