"""A model folder is an artifact: a recipe, files, and the name of what opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self, TypeVar

from molgraph import registry
from molgraph.data.untrusted import damaged
from molgraph.errors import CheckpointError
from molgraph.predictor import folder as folders
from molgraph.predictor.recipe import Recipe


class Artifact(Protocol):
    """Be what a model folder holds."""

    recipe: Recipe
    digest: str

    @classmethod
    def opened(cls, folder: Path, recipe: Recipe, digest: str) -> Self:
        """Make what a recipe describes; whatever goes wrong is told of the folder."""
        ...

    def save(self, path: Path) -> None:
        """Write the model folder."""
        ...


A = TypeVar("A", bound=Artifact)


def opened(path: str | Path, wanted: type[A]) -> A:
    """Open a model folder, or a model that ships by its name, with the opener that its recipe names.

    Raises: CheckpointError where it is missing, damaged, of another version, or holds another artifact than the one
    wanted: what that can be used with is said.
    """
    folder = folders.find(path)
    recipe, digest = folders.unseal(folder)
    opener = registry.OPENERS[recipe.opener]
    kind = registry.load(opener.loader)
    if not issubclass(kind, wanted):
        raise CheckpointError(f"{folder}: '{recipe.run.model}' {opener.does}; use `{opener.use}`.")
    with damaged(folder / "recipe.json"):
        recipe.find_models(folder)
        found: A = kind.opened(folder, recipe, digest)
        return found
