"""The plug of a consensus: which models of different sorts answer together, and how their weights are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from molgraph import registry
from molgraph.errors import ConfigError


class Consensus:
    """Name a network, trees and a linear model that answer together; a room registers one (`molecule/consensus`).

    A part is true (the usual one of its sort), false (left out), or a section: its settings, and `model` where it is
    another one. In `folds` of the training rows the parts are trained once more, so that their weights come from rows
    which they have not seen (0: all weigh alike). See docs/decisions/0037.
    """

    family: ClassVar[str] = registry.CONSENSUS
    opener: ClassVar[str] = registry.PREDICTOR
    shares: ClassVar[tuple[str, ...]] = ()
    space: ClassVar[dict[str, Any]] = {}
    usual: ClassVar[Mapping[str, str]]  # by its sort, the linear model first, the network last

    def __init__(
        self,
        given: Any,
        *,
        network: bool | dict[str, Any] = True,
        trees: bool | dict[str, Any] = True,
        linear: bool | dict[str, Any] = True,
        folds: int = 3,
    ) -> None:
        raise ConfigError("a consensus is made of its parts, and is none itself.")

    @classmethod
    def parts(cls, settings: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return by its sort each part that the settings leave: model and settings.

        What says how data is to be seen (`shares`) the others take over from the network.

        Raises: ConfigError where they leave less than two, or a part is not of its sort or room.
        """
        asked = {name: p.default for name, p in registry.settings(cls).items()} | dict(settings)
        if asked["folds"] == 1 or asked["folds"] < 0:
            raise ConfigError(f"encoder.folds = {asked['folds']}: give 2 or more, or 0 where all parts weigh alike.")
        given = {
            sort: {} if asked[sort] is True else dict(asked[sort]) for sort in cls.usual if asked[sort] is not False
        }
        if len(given) < 2:
            raise ConfigError(f"a consensus has two parts or more, and {len(given)} of {', '.join(cls.usual)} is left.")
        found = {}
        for sort, section in given.items():
            name, room = str(section.pop("model", cls.usual[sort])), cls.usual[sort].partition("/")[0]
            if registry.model(name).family != sort or name.partition("/")[0] != room:
                raise ConfigError(f"encoder.{sort}.model = '{name}': is no such model, as {cls.usual[sort]} is.")
            shared = {
                key: given["network"][key] for key in registry.model(name).shares if key in given.get("network", {})
            }
            found[sort] = name, shared | section
        return found

    @classmethod
    def asks(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the features that the room must prepare for its parts."""
        found: dict[str, None] = {}
        for name, mine in cls.parts(settings).values():
            made = registry.model(name)
            usual = {key: p.default for key, p in registry.settings(made).items()}
            found |= dict.fromkeys(made.asks(usual | mine))
        return tuple(found)


def usual(room: str, network: str) -> dict[str, str]:
    """Return the usual parts of a room."""
    return {"linear": f"{room}/linear", "trees": f"{room}/forest", "network": f"{room}/{network}"}
