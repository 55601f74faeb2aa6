"""What a page of a study says: trials, settings, objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from molgraph.report.contents import Quality

BEST = 20  # trials in the table


@dataclass(frozen=True)
class Attempted:
    """Hold one trial: `values` per objective where it came to its end, `curve` its score per epoch (or fold).

    `began` and `ended` are seconds since the study began; `state` is complete, pruned or failed.
    """

    number: int
    state: str
    values: tuple[float, ...]
    settings: Mapping[str, Any]
    curve: tuple[tuple[int, float], ...] = ()
    began: float = 0.0
    ended: float = 0.0
    worker: str = ""
    why: str = ""


@dataclass(frozen=True)
class Axis:
    """Hold one setting that was tuned: its choices, or none where it is a number on a (logarithmic) scale."""

    name: str
    choices: tuple[str, ...] = ()
    log: bool = False


@dataclass(frozen=True)
class Objective:
    """Name an objective and which way is better."""

    label: str
    higher_is_better: bool = False


@dataclass(frozen=True)
class StudyPage:
    """Hold all that the page says. `axes` come in the order of how much they matter; `front` are numbers of trials.

    `within` says among which trials the `importances` were found, which come with the largest first.
    """

    title: str
    lead: str
    objectives: tuple[Objective, ...]
    trials: tuple[Attempted, ...]
    axes: tuple[Axis, ...]
    best: int
    importances: Mapping[str, float] = field(default_factory=dict)
    within: str = ""
    front: tuple[int, ...] = ()
    step: str = "epoch"
    figures: tuple[tuple[str, str], ...] = ()
    quality: tuple[Quality, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> tuple[Axis, ...]:
        """Return the axes on which some trial of the table of the best has a value."""
        return tuple(axis for axis in self.axes if any(axis.name in trial.settings for trial in self.table))

    @property
    def table(self) -> list[Attempted]:
        """Return the best trials."""
        return self.ranked[:BEST]

    @property
    def ranked(self) -> list[Attempted]:
        """Return the trials that came to their end, the best first."""
        sign = -1 if self.objectives[0].higher_is_better else 1
        done = [t for t in self.trials if t.values]
        return sorted(done, key=lambda t: (t.number != self.best, sign * t.values[0], t.number))
