from __future__ import annotations

from dataclasses import replace
from typing import Any

import optuna
import pytest

from molgraph import config, registry
from molgraph.config import RunSettings
from molgraph.errors import ConfigError
from molgraph.tune.dimension import Dimension
from molgraph.tune.space import Space
from molgraph.tune.study import enqueue_starts


def settings(**given: Any) -> RunSettings:
    return config.settings({"targets": ["a"], **given})


def suggested(space: Space, **fixed: Any) -> RunSettings:
    study = optuna.create_study()
    study.enqueue_trial(fixed)
    return space.suggest(study.ask())


def begun(space: Space) -> list[RunSettings]:
    """Return what the first trials of a study try."""
    study = optuna.create_study()
    enqueue_starts(study, space)
    return [space.suggest(study.ask()) for _ in space.starts()]


def names(space: Space) -> set[str]:
    return {d.name for d in space.dimensions}


TUNED = [name for name in registry.own_models() if registry.model(name).family != registry.CONSENSUS]


@pytest.mark.parametrize("model", [name for name in TUNED if name.startswith(("molecule/", "protein/"))])
def test_every_registered_model_can_be_tuned_from_what_its_class_says(model: str):
    space = Space.of(settings(model=model))
    assert {f"encoder.{key}" for key in registry.model(model).space} <= names(space)
    assert space.settle(space.starts()[0]).encoder.items() >= {
        (key, p.default)
        for key, p in registry.settings(registry.model(model)).items()
        if f"encoder.{key}" in names(space)
    }
    network = registry.model(model).family == "network"
    assert ("train.lr" in names(space)) is network and ("head.dropout" in names(space)) is network
    for seed in range(5):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
        found = space.suggest(study.ask())
        assert found.model == model and not found.space


def test_a_consensus_is_tuned_by_its_parts():
    with pytest.raises(ConfigError, match=r"tune those \(--model molecule/all\).*\[encoder.trees\]"):
        Space.of(settings(model="molecule/consensus"))
    space = Space.of(settings(model="molecule/gin", space={"model": "all"}))
    choices = next(each.choices for each in space.dimensions if each.name == "model")
    assert "molecule/linear" in choices and "molecule/consensus" not in choices


def test_no_tuning_is_the_first_trial_even_where_the_models_space_lacks_it():
    run = settings(model="molecule/gin", encoder={"hidden": 77, "depth": 9}, train={"lr": 0.5})
    space = Space.of(run)
    start = space.settle(space.starts()[0])
    assert (start.encoder["hidden"], start.encoder["depth"], start.train.lr) == (77, 9, 0.5)
    assert suggested(space, **space.enqueued()[0]) == start


def test_the_run_file_says_which_choices_and_ranges_there_are():
    run = settings(
        model="molecule/gin",
        space={
            "encoder": {"hidden": [32, 64], "depth": {"low": 3, "high": 3}},
            "train": {"lr": {"low": 1e-3, "high": 2e-3, "log": True}},
            "standardize": [True, False],
        },
    )
    space = Space.of(run)
    by_name = {d.name: d for d in space.dimensions}
    assert by_name["encoder.hidden"].choices == (32, 64)  # not the class's, and not the run file's default
    assert (by_name["train.lr"].low, by_name["train.lr"].high, by_name["train.lr"].log) == (1e-3, 2e-3, True)
    assert by_name["standardize"].choices == (True, False)
    assert space.starts()[0]["encoder.hidden"] == registry.settings(registry.model("molecule/gin"))["hidden"].default
    assert suggested(space, standardize=False).standardize is False


BEYOND: list[dict[str, Any]] = [
    {"model": "molecule/gin", "encoder": {"hidden": 300}, "space": {"encoder": {"hidden": [32, 64]}}},
    {"model": "molecule/gin", "encoder": {"depth": 9}, "space": {"encoder": {"depth": {"low": 1, "high": 3}}}},
    {"train": {"lr": 0.5}, "space": {"train": {"lr": {"low": 1e-4, "high": 1e-2, "log": True}}}},
    {"train": {"batch_size": 7}, "head": {"dropout": 0.9}, "space": {"train": {"batch_size": [32]}, "head": {
        "dropout": {"low": 0.0, "high": 0.1}}}},
    {"standardize": False, "focal": 0.5, "space": {"standardize": [True], "focal": [1.0, 2.0]}},
    {"head": {"pooling": "sum"}, "space": {"head": {"pooling": ["mean", "max"]}}},
    {"model": "molecule/forest", "encoder": {"rounds": 7}, "space": {"encoder": {"rounds": {"low": 50, "high": 90}}}},
    {"model": "molecule/gin", "encoder": {"depth": 9}, "space": {"model": ["molecule/gat", "molecule/forest"]}},
    {"model": "molecule/forest", "encoder": {"rounds": 7}, "space": {"model": "molecule/gin"}},
    {"model": "molecule/gin", "space": {"model": ["molecule/forest"], "molecule/forest": {"depth": [2, 3]}}},
    {"inputs": {"drug": {"encoder": "molecule/gin", "hidden": 50}, "target": {"encoder": "protein/cnn"}}, "space": {
        "inputs": {"drug": {"encoder": ["molecule/gin", "molecule/dmpnn"]}}, "molecule/gin": {"hidden": [8, 16]}}},
    {"inputs": {"drug": {"encoder": "molecule/gin", "hidden": 50}, "target": {"encoder": "protein/cnn"}}, "space": {
        "inputs": {"drug": {"encoder": ["molecule/gat", "molecule/dmpnn"]}}}},
]  # fmt: skip


@pytest.mark.parametrize("raw", BEYOND)
def test_the_first_trial_is_the_run_file_though_its_space_lacks_it_and_no_other_trial_leaves_the_space(raw: Any):
    run = settings(**raw)
    space = Space.of(run)
    assert space.beyond
    first, *others = begun(space)
    assert _with_defaults(first) == _with_defaults(run) == _with_defaults(space.settle(space.starts()[0]))
    assert len(others) == len(space.starts()) - 1
    for seed in range(4):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
        trial = study.ask()
        space.suggest(trial)
        assert set(trial.params) <= {d.name for d in space.dimensions}
        for each in space.dimensions:
            assert each.name not in trial.params or each.holds(each.value(trial.params[each.name]))
            assert each.name not in space.beyond or trial.params.get(each.name) != space.beyond[each.name]


def _with_defaults(run: RunSettings) -> RunSettings:
    """Return a run whose encoders' settings are all written down."""
    made = registry.settings(registry.model(run.model))
    inputs = {
        name: {k: p.default for k, p in registry.settings(registry.model(each["encoder"])).items()} | each
        for name, each in run.inputs.items()
    }
    encoder = {k: p.default for k, p in made.items()} | run.encoder
    return replace(run, encoder=encoder, inputs=inputs, space={})


def test_a_pooling_that_is_the_models_own_is_in_a_space_that_names_it():
    space = Space.of(
        settings(model="molecule/gin", space={"head": {"pooling": [registry.model("molecule/gin").pooling]}})
    )
    assert not space.beyond and begun(space)[0].head.pooling == registry.model("molecule/gin").pooling


def test_the_method_to_beat_begins_as_it_is_without_tuning():
    rival = settings(model="molecule/forest")
    space = Space.of_rival(rival, {"encoder": {"hidden": [1]}, "molecule/forest": {"depth": [9, 10]}})
    assert _with_defaults(begun(space)[0]) == _with_defaults(rival)


def test_a_logarithmic_space_of_a_class_is_not_widened_to_0():
    from molgraph.tune.dimension import read_entry

    found = read_entry(("encoder", "x"), "encoder.x", {"low": 1e-3, "high": 1.0, "log": True}, 0.0, own=False)
    assert (found.low, found.high, found.start) == (1e-3, 1.0, 0.0) and not found.holds(0.0)


def test_choices_may_be_written_at_length():
    run = settings(model="molecule/gin", space={"balance": {"choices": [True, False]}})
    assert next(d for d in Space.of(run).dimensions if d.name == "balance").choices == (True, False)


def test_a_choice_of_models_is_conditional_and_begins_with_each_untuned():
    run = settings(model="molecule/gin", encoder={"hidden": 64}, space={"model": ["molecule/gin", "molecule/forest"]})
    space = Space.of(run)
    assert space.conditional and not Space.of(settings()).conditional
    gin, forest = (space.settle(chosen) for chosen in space.starts())
    assert (gin.model, gin.encoder["hidden"]) == ("molecule/gin", 64)
    assert (forest.model, "hidden" in forest.encoder) == ("molecule/forest", False)
    assert {"molecule/forest.depth", "molecule/gin.depth", "train.lr"} <= names(space)
    found = suggested(space, model="molecule/forest")
    assert found.model == "molecule/forest" and set(found.encoder) == set(registry.model(found.model).space)
    assert found.train == run.train and found.head == run.head


def test_all_means_every_model_of_the_room():
    space = Space.of(settings(model="molecule/gin", space={"model": "all"}))
    assert {start["model"] for start in space.starts()} == {m for m in TUNED if m.startswith("molecule/")}


def test_of_several_inputs_each_encoder_and_the_fusion_are_tuned():
    inputs = {"drug": {"encoder": "molecule/gin", "column": "smiles"}, "target": {"encoder": "protein/cnn"}}
    run = settings(inputs=inputs, space={"inputs": {"drug": {"encoder": ["molecule/gin", "molecule/dmpnn"]}}})
    space = Space.of(run)
    assert {"inputs.drug.encoder", "drug.molecule/dmpnn.depth", "train.lr"} <= names(space)
    assert any(name.startswith("inputs.target.") for name in names(space))
    found = suggested(space, **{"inputs.drug.encoder": "molecule/dmpnn"})
    assert found.inputs["drug"]["encoder"] == "molecule/dmpnn" and found.inputs["drug"]["column"] == "smiles"
    assert "bias" in found.inputs["drug"] and found.inputs["target"]["encoder"] == "protein/cnn"


def test_the_runs_of_a_space_ask_for_every_feature():
    space = Space.of(settings(model="molecule/gin"))
    assert {run.encoder["descriptors"] for run in space.runs()} == {False, True}


def test_the_comparator_takes_its_space_from_under_its_own_name():
    rival = settings(model="molecule/forest")
    space = Space.of_rival(rival, {"encoder": {"hidden": [1]}, "molecule/forest": {"depth": [3, 4]}})
    assert next(d for d in space.dimensions if d.name == "encoder.depth").choices == (3, 4)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"encoders": {}}, "did you mean 'encoder'"),
        ({"encoder": {"deph": [1]}}, "did you mean 'depth'"),
        ({"train": {"learning": [1]}}, "unknown key 'space.train.learning'"),
        ({"encoder": {"depth": 3}}, "write a list of choices"),
        ({"encoder": {"depth": []}}, "write a list of choices"),
        ({"encoder": {"depth": {"low": 5, "high": 2}}}, "the lower first"),
        ({"train": {"lr": {"low": 0.0, "high": 1.0, "log": True}}}, "begin above 0"),
        ({"train": {"batch_size": ["many", 32]}}, "wrong type"),
        ({"train": {"lr": [-1.0, 1e-3]}}, "out of range"),
        ({"train": [1, 2]}, "is a section"),
        ({"model": ["molecule/gun"]}, "did you mean 'molecule/gin'"),
        ({"model": 3}, "write a list of names"),
        ({"molecule/gin": {"deph": [1]}}, "did you mean 'depth'"),
    ],
)
def test_what_is_no_space_is_refused_before_anything_runs(space: dict[str, Any], words: str):
    with pytest.raises(ConfigError, match=words.replace("[", r"\[")):
        Space.of(settings(model="molecule/gin", space=space))


def test_a_choice_of_lists_is_written_as_json_in_the_study():
    widths = Dimension("widths", ("encoder", "widths"), ([64, 32], [128]), start=[128])
    assert widths.labels == ["[64, 32]", "[128]"]
    assert [widths.value(said) for said in widths.labels] == [[64, 32], [128]]


def test_a_share_between_0_and_1_is_tried_in_between() -> None:
    space = Space.of(config.settings({"space": {"head": {"dropout": {"low": 0, "high": 1}}}}))
    (dropout,) = [each for each in space.dimensions if each.name == "head.dropout"]
    trial = optuna.create_study().ask()
    assert isinstance(dropout.ask(trial), float) and 0 < trial.params["head.dropout"] < 1
    whole = Space.of(config.settings({"space": {"head": {"depth": {"low": 1, "high": 2}}}}))
    (depth,) = [each for each in whole.dimensions if each.name == "head.depth"]
    assert depth.ask(optuna.create_study().ask()) in (1, 2)
