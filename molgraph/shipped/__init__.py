"""Models that come with the package, trained and ready: a folder each, called by its name."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ABOUT = {"admet": "ready to use: twelve ADMET endpoints of a molecule at once, trained on the sets of TDC"}


def models() -> dict[str, str]:
    """Return a line on each model that ships, by its name."""
    return {name: about for name, about in ABOUT.items() if (FOLDER / name / "recipe.json").is_file()}
