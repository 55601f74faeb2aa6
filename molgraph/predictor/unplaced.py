"""A recipe that does not say which files it was made of, and in which folders they lay, on whoever's machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path, PureWindowsPath
from typing import Any

from molgraph import registry, shipped
from molgraph.config import RunSettings
from molgraph.data.cards import names as sets
from molgraph.predictor.recipe import Recipe

# The folders of a path within a sentence: from a root, a drive, a share, the home or the folder where a command ran.
_FOLDERS = re.compile(r"""(?<![\w.~/\\])(?:[A-Za-z]:[\\/]|\\\\|~?/|\.{1,2}[\\/])(?:[^\s'"`,;:()<>|\\/]+[\\/])*""")
DATA, START = "a file", "another model"  # what they are called
_UNTOLD = "could not be trained"  # the reason quotes rows


def unplaced(recipe: Recipe) -> None:
    """Take out of a recipe the folders of every file that its settings and texts name, and the names of the data, of
    what was joined and of the start, which may be those of projects or patients; notes, too.

    The name of a file that a prediction needs (vectors of proteins) stays: it then lies where that is made.
    """
    names = _names_of(recipe)
    known = sorted(set(_folders_of(recipe.run)), key=len, reverse=True)

    def plain(text: str) -> str:
        for folder in known:
            text = text.replace(folder, "")
        text = _FOLDERS.sub("", text)
        for name, neutral in names.items():
            text = neutral if text == name else text.replace(f"'{name}'", f"'{neutral}'")
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", neutral, text) if Path(name).suffix else text
        return text

    recipe.facts = {**_each(recipe.facts, plain), "notes": [], "shared": True}  # notes quote rows
    recipe.start = _each(recipe.start, plain)
    for about, key, kind in ((recipe.facts, "data", DATA), (recipe.start, "data", DATA), (recipe.start, "name", START)):
        if key in about:
            about[key] = _neutral(str(about[key]), kind)
    recipe.metrics = _each(recipe.metrics, plain)
    if "left_out" in recipe.metrics:
        recipe.metrics["left_out"] = dict.fromkeys(recipe.metrics["left_out"], _UNTOLD)
    run = recipe.run
    sections = {name: _each(getattr(run, name), _of_setting) for name in ("encoder", "space")}
    inputs = {name: _each(given, _of_setting) for name, given in run.inputs.items()}
    for name, given in run.inputs.items():
        inputs[name] |= {"column": given["column"]} if "column" in given else {}
    recipe.run = replace(
        run,
        data=_neutral(run.data, DATA),
        init=_neutral(run.init, START),
        join=[_joined(word) for word in run.join],
        inputs=inputs,
        head=_settings(run.head),
        train=_settings(run.train),
        **sections,
    )


def _names_of(recipe: Recipe) -> dict[str, str]:
    """Return the names to leave out, the longest first, and what stands for each."""
    run = recipe.run
    data = [run.data, str(recipe.facts.get("data", "")), *(word.rpartition(":")[0] for word in run.join)]
    starts = [run.init, str(recipe.start.get("name", ""))]
    found = {_name(text): DATA for text in (*data, str(recipe.start.get("data", "")))}
    found |= {_name(text): START for text in starts}
    known = {name: kind for name, kind in found.items() if name and _neutral(name, kind) != name}
    return dict(sorted(known.items(), key=lambda item: -len(item[0])))


def _neutral(text: str, kind: str) -> str:
    """Return what stands for a file or a model, itself where everybody knows it."""
    public = text in (shipped.models() if kind == START else sets())
    return text if public or not text else kind


def _folders_of(run: RunSettings) -> list[str]:
    """Return the folders that the run's own files lie in, as it gives them and as the system does."""
    given = [run.data, run.init, *(word.rpartition(":")[0] for word in run.join)]
    found = [Path(text).parent for text in given if _name(text) != text]
    found += [Path.cwd(), Path.home(), *(Path(text).absolute().parent for text in given if text)]
    return [f"{folder}{sign}" for folder in found for sign in "/\\" if len(str(folder)) > 1]


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text within plain JSON values; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(inside, change) for name, inside in value.items()}
    return [_each(inside, change) for inside in value] if isinstance(value, list | tuple) else value


def _settings(section: Any) -> Any:
    """Return a section of settings without folders."""
    texts = {field.name: getattr(section, field.name) for field in fields(section)} if is_dataclass(section) else {}
    changed = {name: _of_setting(value) for name, value in texts.items() if isinstance(value, str)}
    return replace(section, **changed)


def _of_setting(text: str) -> str:
    """Return a setting without the folders of the file it names; a model's name (`molecule/gin`) is none."""
    room, sign, _ = text.partition("/")
    return text if sign and (text in registry.models() or room in registry.rooms()) else _name(text)


def _name(path: str) -> str:
    """Return a path without its folders, on whichever system it was written."""
    return PureWindowsPath(path).name if re.search(r"[\\/]", path) else path  # parts at both kinds of slash


def _joined(word: str) -> str:
    """Return FILE:COLUMN without the name of the file."""
    _, sign, column = word.rpartition(":")
    return f"{DATA}{sign}{column}"
