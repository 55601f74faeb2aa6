"""What there is to choose from: names with a line each."""

from __future__ import annotations

from collections.abc import Mapping

from molgraph import registry, shipped


def printed(what: str) -> str:
    """Return the names of one kind, each with what it is; of `keys` the page of all (see `run_file.page`)."""
    if what == "keys":
        from molgraph.workflows.run_file import page

        return page()
    rows = _rows(what)
    width = max(map(len, rows))
    return "".join(f"{name:<{width}}  {line}\n" for name, line in rows.items())


def _rows(what: str) -> Mapping[str, str]:
    if what == "models":
        return {**shipped.models(), **{name: line for name, (_, line) in registry.models().items()}}
    if what == "tasks":
        from molgraph.kinds import KINDS

        return KINDS
    if what == "splits":
        from molgraph.split import METHODS

        drawn = {name: method.summary for name, method in METHODS.items()}
        return {**drawn, **{name: line for name, (_, line) in registry.splitters().items()}}
    from molgraph import datasets

    return {name: datasets.card(name).title for name in datasets.names()}
