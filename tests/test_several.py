import pytest

from molgraph.config import settings
from molgraph.errors import ConfigError
from molgraph.several import read_by, with_descriptors

READ = {"temp": "auto", "ph": "auto"}
BESIDE = {"encoder": "disease/feedforward", "fields": READ}
TREES = {"encoder": "disease/forest", "fields": READ}


@pytest.mark.parametrize(
    ("raw", "model", "inputs", "encoder"),
    [
        ({}, "fusion/concat", {"molecule": {"encoder": "molecule/dmpnn"}, "descriptors": BESIDE}, {}),
        (
            {"model": "molecule/gin", "encoder": {"depth": 2}},
            "fusion/concat",
            {"molecule": {"depth": 2, "encoder": "molecule/gin"}, "descriptors": BESIDE},
            {},
        ),
        (
            {"model": "molecule/forest"},
            "fusion/forest",
            {"molecule": {"encoder": "molecule/forest"}, "descriptors": TREES},
            {},
        ),
        (
            {"model": "molecule/linear"},
            "fusion/linear",
            {"molecule": {"encoder": "molecule/linear"}, "descriptors": {"encoder": "disease/linear", "fields": READ}},
            {},
        ),
        (
            {"model": "fusion/gated", "encoder": {"hidden": 64}},
            "fusion/gated",
            {"molecule": {"encoder": "molecule/dmpnn"}, "descriptors": BESIDE},
            {"hidden": 64},
        ),
        (
            {"model": "fusion/forest"},
            "fusion/forest",
            {"molecule": {"encoder": "molecule/forest"}, "descriptors": TREES},
            {},
        ),
        (
            {"inputs": {"smiles": {"encoder": "molecule/forest"}}},
            "fusion/forest",
            {"smiles": {"encoder": "molecule/forest"}, "descriptors": TREES},
            {},
        ),
    ],
)
def test_descriptors_are_an_input_beside_the_models_own(raw, model, inputs, encoder):
    run = settings({**raw, "descriptors": ["temp", "ph"]})
    assert (run.model, run.inputs, run.encoder) == (model, inputs, encoder)


def test_a_run_without_descriptors_is_what_it_was():
    raw = {"model": "molecule/gin", "encoder": {"depth": 2}, "descriptors": []}
    assert settings(raw) == settings({key: raw[key] for key in ("model", "encoder")})


def test_what_is_declared_of_a_column_and_the_space_of_the_model_go_along():
    raw = {
        "fields": {"temp": {"kind": "number", "unit": "K"}, "age": "number"},
        "space": {"model": ["molecule/dmpnn", "molecule/gin"], "encoder": {"depth": [2, 3]}, "train": {"lr": [1e-3]}},
        "descriptors": "temp",
    }
    found = with_descriptors(raw)
    assert found["inputs"]["descriptors"]["fields"] == {"temp": {"kind": "number", "unit": "K"}}
    assert found["fields"] == {"age": "number"}
    assert found["space"] == {
        "train": {"lr": [1e-3]},
        "inputs": {"molecule": {"encoder": ["molecule/dmpnn", "molecule/gin"], "depth": [2, 3]}},
    }
    assert raw["descriptors"] == "temp" and "encoder" in raw["space"], "what a person wrote stays"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"descriptors": [1]}, "write columns"),
        ({"descriptors": ["temp", "temp"]}, "stands twice"),
        ({"descriptors": ["temp"], "model": "disease/feedforward"}, "name them all by --fields"),
        (
            {"descriptors": ["temp"], "inputs": {"descriptors": {"encoder": "disease/forest"}}},
            "is there already; leave out",
        ),
        ({"descriptor": ["temp"]}, "did you mean 'descriptors'"),
    ],
)
def test_descriptors_that_are_none_are_refused(raw, says):
    with pytest.raises(ConfigError, match=says):
        settings(raw)


def test_a_model_reads_the_input_of_its_room_and_trees_take_all_with_them():
    inputs = {"drug": {"encoder": "molecule/gin", "column": "smiles", "depth": 3}, "descriptors": BESIDE}
    joins, found = read_by(inputs, "molecule/gat")
    assert joins == "fusion/concat"
    assert found == {"drug": {"encoder": "molecule/gat", "column": "smiles"}, "descriptors": BESIDE}
    joins, found = read_by(inputs, "molecule/forest")
    assert joins == "fusion/forest"
    assert found == {"drug": {"encoder": "molecule/forest", "column": "smiles"}, "descriptors": TREES}
    assert read_by(found, "molecule/gin")[1]["descriptors"] == BESIDE
    assert read_by(inputs, "molecule/gin")[1] == inputs
    assert read_by(inputs, "protein/cnn") is None
