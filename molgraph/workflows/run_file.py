"""Everything that a run file can say: of one run, written out in full, and of all, as a table."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from molgraph import registry
from molgraph.config import FitSettings, HeadSettings, RunSettings, check_values
from molgraph.fit.steps import STEPS
from molgraph.several import DESCRIPTORS, OWN
from molgraph.tune.space import Space
from molgraph.workflows.rivals import rivals

SECTIONS = {"": RunSettings, "train": FitSettings, "head": HeadSettings}
COMMENT = re.compile(r"^ +(\w+): [^#\n]+#\s*(.+)$", re.MULTILINE)  # what stands behind a key in its class


def in_full(run: RunSettings) -> RunSettings:
    """Return the same run with all settings of its models, and in `space` what `tune` would choose from.

    Raises: ConfigError for a model, a setting or a space that is none.
    """
    inputs = {
        name: _with_defaults(section["encoder"], section, f"inputs.{name}") for name, section in run.inputs.items()
    }
    made = replace(run, encoder=_with_defaults(run.model, run.encoder, "encoder"), inputs=inputs)
    own = registry.model(run.model)
    if own.opener != registry.PREDICTOR or own.family == registry.CONSENSUS:  # is not tuned
        return made
    space = Space.of(run).entries()
    rival = next((each for each in rivals(run).values() if each.inputs.keys() == run.inputs.keys()), None)
    if rival is not None:
        theirs = Space.of_rival(rival, run.space).entries(named=True)
        space = {**{name: said for name, said in theirs.items() if name in registry.models()}, **space}
    return replace(made, space=space)


def _with_defaults(model: str, given: Mapping[str, Any], section: str) -> dict[str, Any]:
    known = registry.settings(registry.model(model))
    own = {key: value for key, value in given.items() if key not in OWN}
    check_values(section, own, known, f"model '{model}'")
    usual = {key: p.default for key, p in known.items() if p.default is not None}
    return {**given, **usual, **own}


def page() -> str:
    """Return the table of all keys as Markdown, made from the classes that read them."""
    lines = [
        "# The run file",
        "",
        "Made by `molgraph list keys > docs/run-file.md` from the classes that read a run file: do not edit it.",
        "A training is one TOML file; every key can be set on the command line, `--set train.lr=5e-4`, and",
        "`molgraph train RUN.toml --print-config` prints them all with their values.",
        "",
        f'`{DESCRIPTORS} = ["temp"]`, own columns beside the model, stands for `inputs`: docs/descriptors.md.',
    ]
    for section, kind in SECTIONS.items():
        lines += ["", f"## {f'[{section}]' if section else 'The run'}", "", *_table(_of_class(kind))]
    for name, step in STEPS.items():
        first, *_ = known = registry.settings(step)
        said = dict(COMMENT.findall(inspect.getsource(step)))
        rows = [(key, _kind(p.annotation), _written(p.default), said.get(key, "")) for key, p in known.items()]
        what = (inspect.getdoc(step) or "").partition("\n")[0]
        lines += ["", f"## [train.{name}]", "", what, f"`train.{name} = X` is `{first} = X` here.", "", *_table(rows)]
    lines += [
        "",
        "## [encoder]",
        "",
        "The settings of the model, which stand under `[inputs.NAME]` where there are several inputs.",
        "*Tuned* is what `molgraph tune` chooses from unless `[space]` says otherwise.",
    ]
    for name, (_, line) in registry.own_models().items():
        made = registry.model(name)
        rows = [
            (key, _kind(p.annotation), _written(p.default), _range(made.space.get(key)))
            for key, p in registry.settings(made).items()
        ]
        lines += ["", f"### {name}", "", f"{line[0].upper()}{line[1:]}.", "", *_table(rows, "tuned")]
    return "\n".join(lines) + "\n"


def _of_class(kind: type) -> Iterator[tuple[str, str, str, str]]:
    types, said = get_type_hints(kind), dict(COMMENT.findall(inspect.getsource(kind)))
    for each in fields(kind):
        yield each.name, _kind(types[each.name]), _written(_default(each)), said.get(each.name, "")


def _default(field: Field[Any]) -> Any:
    value = field.default if field.default_factory is MISSING else field.default_factory()
    return {} if isinstance(value, HeadSettings | FitSettings) else value


def _table(rows: Any, last: str = "what it is") -> list[str]:
    lines = [f"| key | type | default | {last} |", "|---|---|---|---|"]
    return lines + [f"| `{key}` | {kind} | {value} | {words} |".replace("  ", " ") for key, kind, value, words in rows]


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, get_args(annotation)))
    if annotation in (HeadSettings, FitSettings) or get_origin(annotation) is dict:
        return "section"
    if get_origin(annotation) is list:
        return f"list of {_kind(get_args(annotation)[0])}"
    words = {int: "whole number", float: "number", bool: "true or false", str: "text"}
    several = [_kind(each) for each in get_args(annotation)]
    return words.get(annotation) or " or ".join(several) or "value"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in ("", None, [], {}) else f"{value}"


def _range(said: Any) -> str:
    if said is None:
        return ""
    if isinstance(said, dict) and "low" in said:
        return f"{said['low']} to {said['high']}{' (log)' if said.get('log') else ''}"
    choices = said["choices"] if isinstance(said, dict) else said
    return ", ".join(_written(choice) for choice in choices)
