"""Kinds of answers: from what is measured to a loss, from raw outputs to columns, intervals and words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from molgraph.errors import ConfigError, did_you_mean
from molgraph.kinds.asked import Settings
from molgraph.kinds.curve import Curve
from molgraph.kinds.event import Event
from molgraph.kinds.grade import Grade
from molgraph.kinds.joint import Joint
from molgraph.kinds.kind import Kind
from molgraph.kinds.number import Normal, Number
from molgraph.kinds.one_of import OneOf
from molgraph.kinds.yes_no import YesNo

__all__ = [
    "KINDS",
    "NAMED",
    "Curve",
    "Event",
    "Grade",
    "Joint",
    "Kind",
    "Normal",
    "Number",
    "OneOf",
    "YesNo",
    "make",
    "restore",
    "words",
]

NAMED: dict[str, type[Kind]] = {kind.word: kind for kind in (Number, YesNo, OneOf, Grade, Event, Curve)}
KINDS = {word: kind.summary for word, kind in NAMED.items()}
KEPT: dict[str, type[Kind]] = {**NAMED, "gaussian": Normal}

CLASSES = "'binary' (yes or no) or 'multiclass' (several classes)"
MEANT = {  # what other programs call them
    **dict.fromkeys(("classification", "classifier", "classify", "class", "categorical"), CLASSES),
    **dict.fromkeys(("regressor", "continuous", "numeric", "number"), "'regression'"),
    **dict.fromkeys(("multilabel", "multi-label", "multitask", "multi-task"), "'binary', with several targets"),
    **dict.fromkeys(("multi-class", "multi_class", "multiclass-classification"), "'multiclass'"),
    **dict.fromkeys(("binary-classification", "binary_classification", "bool", "boolean"), "'binary'"),
}


def words(setting: str | Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the word of the kind of every target from one for all, or from one per target.

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
    word_of: Mapping[str, str],
    classes: Mapping[str, Sequence[str]] | None = None,
    *,
    balance: bool = False,
    focal: float = 0.0,
    variance: bool = False,
    log: Collection[str] = (),
) -> Kind:
    """Return what answers targets of these kinds, in this order: a plain one, or a `Joint` of several.

    `classes` are the labels that the data calls classes by. With `variance`, numbers are predicted with their standard
    deviation. Of the numbers in `log`, the values are log10 of the user's.
    """
    labels = {name: tuple(each) for name, each in (classes or {}).items()}
    made: list[Kind] = []
    for word in dict.fromkeys(word_of.values()):
        names = tuple(name for name, mine in word_of.items() if mine == word)
        settings = Settings(labels, balance, focal, variance, tuple(name for name in names if name in log))
        made.append(NAMED[word].made(names, settings))
    return made[0] if len(made) == 1 else Joint(tuple(word_of), tuple(made))


def restore(state: Mapping[str, Any]) -> Kind:
    """Return the kind that `Kind.state()` described.

    Raises: KeyError, TypeError or ValueError where that is no such description.
    """
    values = {k: _tuples(v) for k, v in state.items() if k not in ("kind", "tasks")}
    if state["kind"] == Joint.word:
        values["tasks"] = tuple(restore(each) for each in state["tasks"])
    found = Joint(**values) if state["kind"] == Joint.word else KEPT[state["kind"]](**values)
    found.check()
    return found


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value
