"""The steps that a run can name: `[train.mixup]` is the step `mixup` with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molgraph import registry
from molgraph.config import FitSettings, check_values
from molgraph.errors import ConfigError
from molgraph.fit.steps.mixup import Mixup
from molgraph.fit.steps.plain import plain
from molgraph.fit.steps.step import Step

__all__ = ["STEPS", "Step", "named", "plain"]

# A new step is a file beside this one, a line here, and a key of its name in `FitSettings`.
STEPS: dict[str, Any] = {"mixup": Mixup}


def named(settings: FitSettings) -> Step:
    """Return the step that the settings name: the only one whose section is there, else the plain one.

    A number stands for a section of that number in the first of its settings; 0 is none.

    Raises: ConfigError for a setting out of range, an unknown one, and two steps at once.
    """
    asked = {name: said for name in STEPS if (said := getattr(settings, name)) or isinstance(said, Mapping)}
    if len(asked) > 1:
        raise ConfigError(f"{' and '.join(f'train.{name}' for name in asked)} are ways to take a step; choose one.")
    for name, said in asked.items():
        made = STEPS[name]
        known = registry.settings(made)
        given: Mapping[str, Any] = said if isinstance(said, Mapping) else {next(iter(known)): said}
        if not given:
            raise ConfigError(f"[train.{name}] is empty: say {', '.join(known)} there, or leave it out.")
        check_values(f"train.{name}", given, known, f"section [train.{name}]")
        step: Step = made(**given)
        return step
    return plain
