"""What a trial is judged by: how accurate, how fast, how small."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.files import scratch
from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.kinds import NAMED, Kind
from molgraph.metrics import METRICS, score
from molgraph.metrics.scores import IN_UNITS
from molgraph.predictor.member import Member

Array = NDArray[np.float64]
ERROR, LATENCY, SIZE = "error", "latency", "size"
REPEATS = 3  # the fastest of so many passes is the least disturbed one
TIMED = 1000  # rows to time on: enough that a batch is full
COSTS = {LATENCY: "ms per 1,000 rows, features ready", SIZE: "MB of weights or trees"}


@dataclass(frozen=True)
class Goal:
    """Hold one objective: its name in the study, what a person reads, and which way is better."""

    name: str
    label: str
    higher_is_better: bool = False

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        return "maximize" if self.higher_is_better else "minimize"

    def better(self, one: float, other: float) -> bool:
        return one > other if self.higher_is_better else one < other


def goals(wanted: Sequence[str], kinds: Mapping[str, str], unit: str = "") -> tuple[Goal, ...]:
    """Return the objectives, the first of which is an accuracy; none named means the main metric of the task.
    Errors are in the `unit` of the targets.

    Several regression targets, or targets of several kinds, are judged by `error`: the mean over the targets of RMSE
    divided by the standard deviation of the training values, or of 1 minus AUROC, or of 1 minus balanced accuracy.

    Raises: ConfigError for an unknown name, one named twice, or a cost in the first place.
    """
    kind_set = set(kinds.values())
    family = NAMED[next(iter(kind_set))].family if len(kind_set) == 1 else None
    plain = family is not None and (len(kinds) == 1 or family.classes)  # errors of numbers are in units of their own
    chosen = list(wanted) or [family.main if family is not None and plain else ERROR]
    metrics = family.metrics if family is not None else ()
    known = (ERROR, *metrics, *COSTS)
    for name in chosen:
        if name not in known:
            raise ConfigError(f"--objectives: unknown '{name}'{did_you_mean(name, known)}")
    if len(set(chosen)) < len(chosen):
        raise ConfigError(f"--objectives {','.join(chosen)}: one is named twice.")
    if chosen[0] in COSTS:
        raise ConfigError(f"--objectives: name an accuracy first, then '{chosen[0]}': {', '.join((ERROR, *metrics))}.")
    return tuple(_goal(name, unit) for name in chosen)


def goal_names(wanted: Sequence[str]) -> None:
    """Check names of objectives before any data is read.

    Raises: ConfigError for a name that is none for any task.
    """
    known = (ERROR, *METRICS, *COSTS)
    for name in wanted:
        if name not in known:
            raise ConfigError(f"--objectives: unknown '{name}'{did_you_mean(name, known)}")


def _goal(name: str, unit: str) -> Goal:
    if name in METRICS:
        label = METRICS[name].label
        return Goal(name, f"{label} ({unit})" if unit and name in IN_UNITS else label, METRICS[name].higher_is_better)
    return Goal(name, f"{name} ({COSTS[name]})" if name in COSTS else "error in standard deviations")


def accuracy(
    goal: Goal,
    task: Kind,
    data: Dataset,
    estimates: Array,
    scale: Mapping[str, float],
    *,
    bootstrap: int = 0,
    seed: int = 0,
) -> tuple[float, float | None]:
    """Return the score of estimates [N, columns of the task] of rows with known values, and its standard error.

    `scale` is what the error of each target is counted in (see `scales`). The standard error is that of the
    bootstrap, averaged over targets as if their errors were independent; None without a bootstrap.

    Raises: DataError where the score does not exist for these rows.
    """
    values, errors = [], []
    for name in task.names:
        kind = task.of(name)
        metric = goal.name if goal.name != ERROR else kind.family.main
        truth, observed, bound = kind.measured(data.targets)
        found = score(
            kind.family,
            truth,
            kind.shaped(estimates[:, task.block(name)]),
            observed=observed,
            bound=bound,
            metrics=[metric],
            bootstrap=bootstrap,
            seed=seed,
        )[metric]
        if found.value is None:
            raise DataError(
                f"target '{name}': the validation rows have no {METRICS[metric].label}: {found.reason}. "
                "Use --split random, more validation rows (fractions), or another of --objectives."
            )
        unit = scale[name] if goal.name == ERROR else 1.0
        flip = goal.name == ERROR and METRICS[metric].higher_is_better
        values.append(1.0 - found.value if flip else found.value / unit)
        if found.low is not None and found.high is not None:
            errors.append((found.high - found.low) / (2 * 1.96) / unit)  # 1.96: the normal's 97.5 % point
    spread = math.sqrt(sum(e * e for e in errors)) / len(errors) if errors else None
    return sum(values) / len(values), spread


def scales(task: Kind, train: Dataset) -> dict[str, float]:
    """Return what the error of each target is counted in: of numbers the deviation of the training values, else 1."""
    found = {}
    for name in task.names:
        kind = task.of(name)
        values, observed, _ = kind.measured(train.targets)
        found[name] = kind.unit(values[observed])
    return found


def cost(goal: Goal, member: Member, data: Dataset) -> float:
    """Return what a trained member costs: time to estimate rows, or bytes on disk."""
    if goal.name == LATENCY:
        seconds, some = [], data.subset(np.arange(min(TIMED, len(data))))
        for _ in range(REPEATS):
            began = time.perf_counter()
            member.estimate(some)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - began)
        return 1e6 * min(seconds) / len(some)
    with scratch() as folder:
        member.save(folder, 0)
        return sum(path.stat().st_size for path in folder.iterdir()) / 1e6
