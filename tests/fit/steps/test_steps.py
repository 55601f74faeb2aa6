"""A step is named by its section in the settings; what it cannot be asked for is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from molgraph import config
from molgraph.config import FitSettings
from molgraph.errors import ConfigError
from molgraph.fit import steps
from molgraph.fit.steps import STEPS, named, plain
from molgraph.fit.steps.mixup import Mixup


def settings(**train: Any) -> FitSettings:
    return config.settings({"train": train}).train


def test_a_number_and_a_section_name_the_same_step() -> None:
    found = [named(settings(mixup=said)) for said in (0.3, {"alpha": 0.3})]
    assert [step.alpha for step in found if isinstance(step, Mixup)] == [0.3, 0.3]
    assert named(settings()) is named(settings(mixup=0)) is plain


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"alfa": 0.3}, r"unknown key 'train.mixup.alfa' for section \[train.mixup\].*alpha"),
        ({"alpha": "much"}, "train.mixup.alpha = 'much' has the wrong type"),
        ({"alpha": 0}, "train.mixup.alpha = 0 is out of range: it must be above 0"),
        ({}, r"\[train.mixup\] is empty: say alpha there, or leave it out"),
        (-0.1, "train.mixup = -0.1 is out of range"),
        ("much", r"train.mixup = 'much' has the wrong type: expected float \(a number\) or dict"),
        (True, "train.mixup = True has the wrong type"),
    ],
)
def test_what_is_no_setting_of_the_step_is_refused(said: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        named(settings(mixup=said))


def test_every_step_is_a_key_of_the_settings() -> None:
    assert STEPS.keys() <= {field.name for field in dataclasses.fields(FitSettings)}


def test_two_steps_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(steps.STEPS, "clip", Mixup)
    with pytest.raises(ConfigError, match=r"train.mixup and train.clip are ways to take a step; choose one"):
        named(settings(mixup=0.2))


def test_a_section_is_written_as_it_is_read() -> None:
    run = config.settings({"train": {"mixup": {"alpha": 0.3}}})
    assert "[train.mixup]\nalpha = 0.3" in config.dump(run)
