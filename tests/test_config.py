import inspect
import tomllib
from typing import Any, Literal

import pytest

from molgraph import config
from molgraph.errors import ConfigError, DataError


def test_settings_survive_the_way_through_toml():
    run = config.settings(
        {
            "data": "a.csv",
            "targets": ["x", "odd name"],
            "units": {"IC50": "nM"},
            "encoder": {"depth": 4},
            "train": {"epochs": 3, "lr": 0.01},
            "task": {"x": "binary", "odd name": "regression"},
        }
    )
    assert config.settings(tomllib.loads(config.dump(run))) == run


def test_set_overrides_numbers_words_lists_and_new_sections():
    raw = config.override(
        {"train": {"epochs": 9}}, ["train.epochs=3", "model=molecule/gin", "encoder.depth=2", 'targets=["a"]']
    )
    run = config.settings(raw)
    assert (run.train.epochs, run.model, run.encoder, run.targets) == (3, "molecule/gin", {"depth": 2}, ["a"])


def test_override_leaves_what_it_was_given():
    given = {"train": {"epochs": 9}}
    config.override(given, ["train.epochs=3"])
    assert given == {"train": {"epochs": 9}}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"tarin": {}}, "did you mean 'train'"),
        ({"train": {"epoch": 3}}, "did you mean 'epochs'"),
        ({"split": 3}, "expected str"),
        ({"train": {"epochs": 0}}, "at least 1"),
        ({"train": {"lr": -1.0}}, "above 0"),
        ({"train": {"ema": 1.0}}, "below 1"),
        ({"train": 3}, "is a section"),
        ({"leaks": "dorp"}, "did you mean 'drop'"),
        ({"ensemble": 0}, "at least 1"),
        ({"ensemble": True}, "expected int"),
        ({"focal": -1.0}, "at least 0"),
        ({"specificity": 1.0}, "below 1"),
        ({"targets": ["a", "b", "a"]}, "'a' more than once"),
        ({"fractions": [0.5, 0.5]}, "give three"),
        ({"task": 3}, "wrong type"),
        ({"targets": [1]}, r"targets\[0\] = 1 has the wrong type: expected str"),
        ({"units": {"IC50": 3}}, "units.IC50 = 3 has the wrong type"),
        ({"head": {"hidden": 0}}, "head.hidden = 0 is out of range"),
        ({"head": {"dropout": 2}}, "at least 0 and at most 1"),
        ({"inputs": {"a": {}, "b": {}}}, "name its encoder"),
    ],
)
def test_bad_settings_say_what_is_wrong(raw, says):
    with pytest.raises(ConfigError, match=says):
        config.settings(raw)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("epochs", "'train.epochs'"),
        ("lr", "'train.lr'"),
        ("batch_size", "'train.batch_size'"),
        ("learning_rate", "'train.lr'"),
        ("learning-rate", "'train.lr'"),
        ("hidden_size", "'encoder.hidden' or 'head.hidden'"),
        ("depth", "'encoder.depth' or 'head.depth'"),
        ("model.depth", "'encoder.depth' or 'head.depth'"),
        ("dropout", "'encoder.dropout' or 'head.dropout'"),
        ("pooling", "'head.pooling'"),
        ("epoch", "'train.epochs'"),
        ("patince", "'train.patience'"),
        ("head.lr", "'train.lr'"),
        ("train.seed", "'seed'"),
        ("train.hiden", "'encoder.hidden'|'head.hidden'"),
        ("random_state", "'seed'"),
        ("n_estimators", "'ensemble'"),
        ("target", "'targets'"),
    ],
)
def test_a_key_that_stands_elsewhere_or_is_called_so_elsewhere_is_understood(key, meant):
    with pytest.raises(ConfigError, match=f"did you mean ({meant})"):
        config.settings(config.override({}, [f"{key}=3"]))


@pytest.mark.parametrize("given", [{"model": "molecule/gin"}, {}])
def test_a_setting_of_the_model_is_sent_to_its_section(given):
    with pytest.raises(ConfigError, match=r"did you mean 'encoder\.depth'"):
        config.settings(config.override(given, ["model.depth=3"]))


def _signature(
    *,
    hidden: int = 3,
    rate: float = 0.5,
    kind: Literal["a", "b"] = "a",
    bias: bool = False,
    widths: list[int] | None = None,
    sides: tuple[int, ...] = (1, 2),
    free: Any = None,
):
    """Stand for a class with settings."""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"hidden": "abc"}, r"encoder.hidden = 'abc' has the wrong type: expected int \(a whole number\)"),
        ({"hidden": 2.5}, "expected int"),
        ({"hidden": True}, "expected int"),
        ({"hidden": [8]}, "expected int"),
        ({"rate": "high"}, r"expected float \(a number\)"),
        ({"bias": "yes"}, "expected bool"),
        ({"bias": 1}, "expected bool"),
        ({"kind": "c"}, "encoder.kind = 'c' is not known"),
        ({"widths": ["x"]}, "encoder.widths"),
        ({"sides": 3}, "expected a list"),
        ({"hiden": 3}, "did you mean 'hidden'"),
        ({"lr": 3}, "did you mean 'train.lr'"),
    ],
)
def test_settings_of_a_model_have_the_types_of_its_signature(given, says):
    known = inspect.signature(_signature, eval_str=True).parameters
    with pytest.raises(ConfigError, match=says):
        config.check_values("encoder", given, known, "model 'x'")
    good = {"hidden": 8, "rate": 1, "kind": "b", "bias": True, "widths": [8], "sides": [1], "free": {}}
    config.check_values("encoder", good, known, "model 'x'")


def test_one_input_section_means_model_column_and_encoder():
    run = config.settings({"inputs": {"structure": {"encoder": "molecule/gat", "depth": 2}}})
    assert (run.model, run.column, run.encoder) == ("molecule/gat", "structure", {"depth": 2})


@pytest.mark.parametrize("text", ["train.epochs", "=", "model.depth.x"])
def test_set_without_a_value_or_into_no_section_is_refused(text):
    with pytest.raises(ConfigError):
        config.settings(
            config.override({"model": "molecule/gin"}, [text + ("=1" if "." in text and "x" in text else "")])
        )


def test_run_file_that_is_missing_or_no_toml(tmp_path):
    with pytest.raises(DataError, match="no such run file"):
        config.read(tmp_path / "none.toml")
    with pytest.raises(DataError, match="cannot be read: "):
        config.read(tmp_path)
    (tmp_path / "wide.toml").write_bytes("data = 'é'".encode("utf-16"))
    with pytest.raises(DataError, match=r"not UTF-8 \(byte 0\)"):
        config.read(tmp_path / "wide.toml")
    (tmp_path / "bad.toml").write_text("a = = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match="not a TOML file"):
        config.read(tmp_path / "bad.toml")


def test_unknown_encoder_key_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'depth'"):
        config.check("encoder", {"dpeth": 3}, {"depth": None, "hidden": None}, "model 'molecule/dmpnn'")


def test_a_setting_of_a_section_is_set_where_one_value_stood_for_it():
    assert config.override({"train": {"mixup": 0.0}}, ["train.mixup.alpha=0.4"]) == {"train": {"mixup": {"alpha": 0.4}}}
    assert config.override({"train": {"mixup": {"alpha": 0.4}}}, ["train.mixup=0.0"]) == {"train": {"mixup": 0.0}}
    written = config.override({}, ["train.mixup.alpha=0.4"])
    printed = tomllib.loads(config.dump(config.settings({})))
    assert config.settings(config.override(printed, ["train.mixup.alpha=0.4"])) == config.settings(written)
    assert config.override({"transform": "auto"}, ["transform.y=log"]) == {"transform": {"y": "log"}}
    assert config.override({"task": "auto"}, ["task.y=binary", "task.z=regression"])["task"]["z"] == "regression"
    for key in ("transform", "task"):  # said of all targets: nobody knows what of the others
        with pytest.raises(ConfigError, match=f"'{key}' is no section"):
            config.override({key: "log"}, [f"{key}.y=none"])


def test_a_key_that_most_models_have_is_not_suggested_as_itself():
    known = {"depth": None, "rounds": None}
    for key in ("hidden", "hidden_size", "dropout"):
        with pytest.raises(ConfigError) as refused:
            config.check("encoder", {key: 3}, known, "molecule/forest")
        assert str(refused.value) == f"unknown key 'encoder.{key}' for molecule/forest. Known: depth, rounds."
    with pytest.raises(ConfigError, match=r"did you mean 'encoder\.depth' or 'head\.depth'"):
        config.check("encoder", {"num_layers": 3}, known, "molecule/forest")
