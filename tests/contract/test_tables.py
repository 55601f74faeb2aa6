"""What every registered model that learns a table of numbers promises: it sees what the trees of its room see."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from molgraph import registry
from molgraph.errors import ConfigError
from molgraph.model.grower import Grower
from molgraph.model.linear import Linear

LINEAR = [name for name in registry.own_models() if registry.model(name).family == "linear"]
TREES = [name for name in registry.own_models() if registry.model(name).family == "trees"]


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_model_sees_what_the_trees_of_its_room_see(name: str) -> None:
    made, trees = registry.model(name), registry.model(f"{name.partition('/')[0]}/forest")
    assert issubclass(made, Linear)
    usual = {key: p.default for key, p in registry.settings(made).items()}
    if name != "molecule/equation":
        assert made.sees is trees and made.shares == trees.shares
        assert made.asks(usual) == trees.asks({key: p.default for key, p in registry.settings(trees).items()})
    with pytest.raises(ConfigError, match="penalty"):
        made({}, penalty=-1.0)
    assert made({}, penalty=3.0).penalty == 3.0


@pytest.mark.parametrize("name", [*LINEAR, *TREES])
def test_the_signature_is_the_schema_of_its_settings(name: str) -> None:
    made = registry.model(name)
    _, given, *tunable = inspect.signature(made.__init__).parameters.values()
    assert given.name == "given" and given.default is given.empty
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in tunable)
    assert set(made.space) <= {p.name for p in tunable}


def test_every_room_has_trees_a_linear_model_and_their_consensus() -> None:
    rooms = {name.partition("/")[0] for name in registry.own_models()}
    assert {name.partition("/")[0] for name in TREES} == rooms == {name.partition("/")[0] for name in LINEAR}
    assert all(issubclass(registry.model(name), Grower) for name in TREES)


def test_every_model_stands_in_the_table_of_models() -> None:
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    found = {}
    for row in rows:
        names = re.findall(r"`([\w/]+)`", row)
        room = names[0].partition("/")[0] if names else ""
        found |= {name if "/" in name else f"{room}/{name}": row for name in names}
    assert set(found) == set(registry.own_models())


TOGETHER = [name for name in registry.own_models() if registry.model(name).family == registry.CONSENSUS]


@pytest.mark.parametrize("name", TOGETHER)
def test_a_consensus_has_a_part_of_each_sort(name: str) -> None:
    made, room = registry.model(name), name.partition("/")[0]
    found = made.parts({})
    assert list(found) == ["linear", "trees", "network"], "the fastest first"
    assert [registry.model(model).family for model, _ in found.values()] == list(found)
    assert {model.partition("/")[0] for model, _ in found.values()} == {room}
    assert set(made.asks({})) == {
        ask for model, _ in found.values() for ask in registry.model(model).asks(usual(model))
    }
    assert list(made.parts({"network": False})) == ["linear", "trees"]


def test_the_parts_of_a_consensus_have_settings() -> None:
    made = registry.model("imaging/consensus")
    found = made.parts({"network": {"model": "imaging/cnn", "channels": 2}, "trees": {"rounds": 9}})
    assert found["network"] == ("imaging/cnn", {"channels": 2})
    assert found["trees"] == ("imaging/forest", {"channels": 2, "rounds": 9}), "all see the same channels"
    assert found["linear"] == ("imaging/linear", {"channels": 2})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"network": False, "trees": False}, "two parts or more, and 1 of linear, trees, network"),
        ({"trees": {"model": "molecule/gin"}}, "encoder.trees.model = 'molecule/gin': is no such model, as molecule/f"),
        ({"network": {"model": "protein/cnn"}}, "'protein/cnn': is no such model"),
        ({"network": {"model": "molecule/dmpn"}}, "did you mean 'molecule/dmpnn'"),
        ({"folds": 1}, "encoder.folds = 1: give 2 or more"),
    ],
)
def test_what_is_no_consensus_is_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        registry.model("molecule/consensus").parts(settings)


def usual(model: str) -> dict[str, object]:
    """Return the settings of a model as they are by default."""
    return {key: p.default for key, p in registry.settings(registry.model(model)).items()}
