"""Cards of known datasets, `<name>.toml`, and the verbs to use them: `load("esol")` returns a table."""

from molgraph.data.cards import Card, File, Target, card, names, show
from molgraph.data.fetch import fetch
from molgraph.data.shelf import load, path

__all__ = ["Card", "File", "Target", "card", "fetch", "load", "names", "path", "show"]
