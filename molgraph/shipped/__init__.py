"""Models that come with the package, trained and ready: a folder each, called by its name."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
MODELS = {"admet": "ready to use: twelve ADMET endpoints of a molecule at once, trained on the sets of TDC"}


def names() -> tuple[str, ...]:
    """Return the names of the models that ship."""
    return tuple(MODELS)
