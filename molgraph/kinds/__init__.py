"""Kinds of answers: features to a loss and a prediction."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from molgraph.errors import ConfigError, did_you_mean
from molgraph.kinds import scale as scales
from molgraph.kinds.contrast import Contrast
from molgraph.kinds.grade import Grade
from molgraph.kinds.joint import Joint
from molgraph.kinds.kind import Kind
from molgraph.kinds.number import Normal, Number
from molgraph.kinds.one_of import OneOf
from molgraph.kinds.scale import Floats, Scaled
from molgraph.kinds.segmentation import Segmentation
from molgraph.kinds.yes_no import YesNo

__all__ = [
    "KINDS",
    "Contrast",
    "Grade",
    "Joint",
    "Kind",
    "Normal",
    "Number",
    "OneOf",
    "Segmentation",
    "YesNo",
    "make",
    "restore",
]

KINDS = {
    "regression": "numbers, also known only as bounds (`>10`)",
    "binary": "0 or 1, as probabilities",
    "multiclass": "one of several classes, as probabilities",
    "ordinal": "one of several grades, numbered in their order (severity 0 to 3), as probabilities",
}

CLASSES = "'binary' (yes or no) or 'multiclass' (several classes)"
MEANT = {  # what other programs call them
    **dict.fromkeys(("classification", "classifier", "classify", "class", "categorical"), CLASSES),
    **dict.fromkeys(("regressor", "continuous", "numeric", "number"), "'regression'"),
    **dict.fromkeys(("multilabel", "multi-label", "multitask", "multi-task"), "'binary', with several targets"),
    **dict.fromkeys(("multi-class", "multi_class", "multiclass-classification"), "'multiclass'"),
    **dict.fromkeys(("binary-classification", "binary_classification", "bool", "boolean"), "'binary'"),
}


def kinds(setting: str | Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the kind of every target from one word for all, or from a word per target.

    Raises: ConfigError for an unknown kind, or a target that the mapping leaves out.
    """
    given = dict.fromkeys(names, setting) if isinstance(setting, str) else dict(setting)
    for name, kind in given.items():
        if kind not in KINDS:
            meant = f"; did you mean {MEANT[kind]}? Known: {', '.join(KINDS)}." if kind in MEANT else ""
            raise ConfigError(f"unknown task '{kind}' of target '{name}'{meant or did_you_mean(kind, KINDS)}")
        if name not in names:
            raise ConfigError(f"task names the target '{name}'{did_you_mean(name, names)}")
    missing = [name for name in names if name not in given]
    if missing:
        raise ConfigError(
            f"no task is given for the target '{missing[0]}': write [task] {missing[0]} = \"regression\"."
        )
    return {name: given[name] for name in names}


def make(
    kind_of: Mapping[str, str],
    classes: Mapping[str, Sequence[str]] | None = None,
    *,
    balance: bool = False,
    focal: float = 0.0,
    variance: bool = False,
    log: Collection[str] = (),
) -> Kind:
    """Return the task for targets of these kinds, in this order: a plain one, or a `Joint` of several.

    With `variance`, numbers are predicted with their standard deviation. Of the numbers in `log`, the values are log10
    of the user's.
    """
    labels = classes or {}
    made: list[Kind] = []
    for kind in dict.fromkeys(kind_of.values()):
        names = tuple(name for name, k in kind_of.items() if k == kind)
        if kind == "regression":
            numbers = Normal if variance else Number
            made.append(numbers(names, log=tuple(name for name in names if name in log)))
        elif kind == "binary":
            made.append(YesNo(names, balance, focal, labels=tuple(tuple(labels.get(name, ())) for name in names)))
        else:
            classed = Grade if kind == "ordinal" else OneOf
            made.append(classed(names, tuple(tuple(labels[name]) for name in names), balance, focal))
    return made[0] if len(made) == 1 else Joint(tuple(kind_of), tuple(made))


def restore(state: Mapping[str, Any]) -> Kind:
    """Return the task that `Kind.state()` described.

    Raises: KeyError, TypeError or ValueError where that is no such description.
    """
    values = {k: _tuples(v) for k, v in state.items() if k not in ("kind", "tasks")}
    if state["kind"] == "joint":
        joint = Joint(tasks=tuple(restore(t) for t in state["tasks"]), **values)
        if sorted(name for each in joint.tasks for name in each.names) != sorted(set(joint.names)):
            raise ValueError("the targets of the parts are not those of the whole")
        return joint
    made: dict[str, Any] = {
        "regression": Number,
        "gaussian": Normal,
        "binary": YesNo,
        "multiclass": OneOf,
        "ordinal": Grade,
        "segmentation": Segmentation,
        "contrast": Contrast,
    }
    restored: Kind = made[state["kind"]](**values)
    _check(restored)
    return restored


def _check(task: Kind) -> None:
    """Raise ValueError where a restored task has other than a name, a scale above 0 or class names for each target."""
    if (
        not task.names
        or not all(isinstance(name, str) for name in task.names)
        or len(set(task.names)) < len(task.names)
    ):
        raise ValueError(f"targets of {task.names}")
    if isinstance(task, Number | Normal):
        if not len(task.mean) == len(task.std) == len(task.names):
            raise ValueError("each target needs a mean and a deviation")
        if not all(math.isfinite(mean) for mean in task.mean) or not all(0 < std < math.inf for std in task.std):
            raise ValueError(f"means of {task.mean}, deviations of {task.std}")
    if isinstance(task, OneOf):
        known = [type(each) is tuple and len(set(map(str, each))) == len(each) > 1 for each in task.classes]
        if len(known) != len(task.names) or not all(known):
            raise ValueError(f"classes of {task.classes}")


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value


def block(task: Kind, name: str) -> slice:
    """Return which estimate columns belong to a target."""
    tasks = task.tasks if isinstance(task, Joint) else (task,)
    at = 0
    for each in tasks:
        for i, mine in enumerate(each.names):
            width = len(each.classes[i]) if isinstance(each, OneOf) else 1 + isinstance(each, Normal)
            if mine == name:
                return slice(at, at + width)
            at += width
    raise ConfigError(f"unknown target '{name}'{did_you_mean(name, task.names)}")


def spreads(task: Kind, name: str) -> bool:
    """Tell whether the estimates of a target have its standard deviation beside it."""
    tasks = task.tasks if isinstance(task, Joint) else (task,)
    return any(isinstance(each, Normal) and name in each.names for each in tasks)


def scale(task: Kind, name: str) -> tuple[float, float]:
    """Return mean and standard deviation of a target's training values; 0 and 1 of what is no number."""
    for each in task.tasks if isinstance(task, Joint) else (task,):
        if isinstance(each, Scaled) and name in each.names and each.mean:
            at = each.names.index(name)
            return each.mean[at], each.std[at]
    return 0.0, 1.0


def logarithm(task: Kind, name: str) -> bool:
    """Tell whether a task works on log10 of a target's values; what that means is the business of `task.scale`."""
    tasks = task.tasks if isinstance(task, Joint) else (task,)
    return any(isinstance(each, Scaled) and name in each.log for each in tasks)


def into(task: Kind, name: str, values: Floats) -> Floats:
    """Return values of a target, in the user's units, as the task works on them: NaN where that cannot be."""
    return scales.kept(values, logarithm(task, name))


def out_of(task: Kind, name: str, values: Floats) -> Floats:
    """Return values of a target that the task works on, in the user's units."""
    return scales.shown(values, logarithm(task, name))


def spread_out_of(task: Kind, name: str, spread: Floats, values: Floats) -> Floats:
    """Return standard deviations about values that the task works on, in the user's units."""
    return scales.shown_spread(spread, values, logarithm(task, name))


def classes(task: Kind) -> dict[str, tuple[str, ...]]:
    """Return the class names of every multiclass target."""
    found: dict[str, tuple[str, ...]] = {}
    for each in task.tasks if isinstance(task, Joint) else (task,):
        if isinstance(each, OneOf):
            found |= dict(zip(each.names, each.classes, strict=True))
    return found


def vocabulary(task: Kind) -> dict[str, tuple[str, ...]]:
    """Return the labels by which the data calls the classes of every target that has some."""
    found = classes(task)
    for each in task.tasks if isinstance(task, Joint) else (task,):
        if isinstance(each, YesNo):
            found |= {name: words for name, words in zip(each.names, each.labels, strict=False) if words}
    return found


def labels(task: Kind, name: str) -> tuple[str, ...]:
    """Return the class names of a multiclass target."""
    known = classes(task)
    if name not in known:
        raise ConfigError(f"'{name}' is no multiclass target.")
    return known[name]
