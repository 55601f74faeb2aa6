from importlib.metadata import EntryPoint

import pytest

from molgraph import registry
from molgraph.errors import ConfigError
from molgraph.rooms.molecule.encoders.dmpnn import DMPNN


@pytest.fixture
def foreign(monkeypatch):
    """Pretend that another package registers an encoder of its own, and one under a name that is taken."""
    points = [
        EntryPoint("molecule/ours_twice", "molgraph.rooms.molecule.encoders.dmpnn:DMPNN", registry.ENTRY_POINTS),
        EntryPoint("molecule/gin", "molgraph.rooms.molecule.encoders.dmpnn:DMPNN", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.ENTRY_POINTS else [])
    registry.models.cache_clear()
    yield
    registry.models.cache_clear()


def test_every_registered_name_is_a_class_with_settings_of_its_own():
    for name in registry.own_models():
        made = registry.model(name)
        known = registry.settings(made)
        assert known, name
        assert set(made.space) <= set(known), name
        assert all(p.default is not p.empty for p in known.values()), name
        assert made.family in registry.FAMILIES and made.opener in registry.OPENERS


def test_encoders_of_other_packages_come_through_entry_points(foreign):
    assert registry.model("molecule/ours_twice") is DMPNN
    assert registry.models()["molecule/ours_twice"][1] == "from molgraph"


def test_another_package_cannot_take_a_name_of_ours(foreign):
    assert registry.model("molecule/gin") is not DMPNN


@pytest.mark.parametrize(("ask", "name"), [(registry.model, "molecule/dmpn"), (registry.room, "molecul/x")])
def test_unknown_names_are_answered_with_the_nearest(ask, name):
    with pytest.raises(ConfigError, match="did you mean 'molecule"):
        ask(name)


def test_the_last_part_of_a_name_is_enough_to_be_understood():
    with pytest.raises(ConfigError, match="did you mean 'molecule/dmpnn'"):
        registry.model("dmpnn")


class Bare:
    """Stand for a class of somebody else that is no model."""


class Unset(DMPNN):
    def __init__(self, schema, *, hidden: int):
        super().__init__(schema, hidden=hidden)


class Elsewhere(DMPNN):
    def __init__(self, schema, *, width=8):
        super().__init__(schema, hidden=width)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (
            "not_installed.at_all:X",
            r"'molecule/theirs' \(not_installed.at_all:X, of the package not_installed\) cannot be",
        ),
        (f"{__name__}:Missing", "cannot be imported: .*Missing"),
        (f"{__name__}:Bare", "is no model: derive a class from molgraph.model.encoder.Encoder"),
        (f"{__name__}:Unset", "a setting without a default: write a value for hidden"),
        (f"{__name__}:Elsewhere", "in its `space`, and no keyword argument"),
    ],
)
def test_what_another_package_did_wrong_names_its_entry_point(monkeypatch, target, says):
    points = [EntryPoint("molecule/theirs", target, registry.ENTRY_POINTS)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry.models.cache_clear()
    with pytest.raises(ConfigError, match=says):
        registry.model("molecule/theirs")
    registry.models.cache_clear()


def test_settings_have_types_also_where_nobody_wrote_them():
    types = {name: p.annotation for name, p in registry.settings(DMPNN).items()}
    assert (types["hidden"], types["dropout"], types["bias"]) == (int, float, bool)
    assert registry.settings(Elsewhere)["width"].annotation is int


def test_room_of_a_model():
    assert registry.room("molecule/forest").name == "molecule"
