"""The page of an explanation: what the model says of each scan, where it looked, whether that can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molgraph.data.files import atomic
from molgraph.data.room import ROW, Noun
from molgraph.report import plots
from molgraph.report.contents import Quality
from molgraph.report.plots import short
from molgraph.report.report import page

PAGE = "explain.html"
MOST = 50  # things on the page: some megabytes; the others stand in the folder
ALIKE = 0.5  # rank correlation, half way from another map (0) to the same (1) or its opposite (-1)


@dataclass(frozen=True)
class Check:
    """Say in plain words what a check found, and whether that speaks for the map (None: neither)."""

    name: str
    said: str
    good: bool | None


@dataclass(frozen=True)
class Looked:
    """Hold one thing: what is said of it, two small pictures (PNG in base64), where the model looked.

    `own` are the user's cells, `files` lie beside the page.
    """

    row: int
    text: str
    own: tuple[tuple[str, str], ...]
    explained: str
    estimate: str
    interval: str
    inside: bool | None
    pictures: tuple[str, ...]
    where: str
    checks: tuple[Check, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class ExplainedPage:
    """Hold all that the page says; `more` things were explained and have no place on it."""

    title: str
    lead: str
    target: str
    things: tuple[Looked, ...]
    more: int = 0
    noun: Noun = ROW
    figures: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    quality: tuple[Quality, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def write_explained_page(path: Path, contents: ExplainedPage) -> None:
    """Write the page: one file that needs nothing else, but links to the pictures beside it.

    Raises: ResourceError for a full disk or a missing permission.
    """
    written = page("explained.html", report=contents, plots=plots)
    with atomic(path, "w") as file:
        file.write(written)


def checks(found: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return what the checks of one map say, from the numbers of its line in `explained.csv`.

    >>> line = {"correlation_with_random_weights": 0.9, "deletion": 0.2, "deletion_in_random_order": 0.8}
    >>> [check.good for check in checks({**line, "pointing": float("nan"), "mask_share": float("nan")})]
    [False, True]
    """
    return (_weights(found), _deletion(found), *_pointing(found))


def _weights(found: Mapping[str, Any]) -> Check:
    like = found["correlation_with_random_weights"]
    if like != like:  # NaN
        return Check("weights", "The map, or that of random weights, is flat: nothing to compare.", None)
    same, number = abs(like) >= ALIKE, f"rank correlation {like:.2f}"
    told = ("much the same" if like > 0 else "the opposite") if same else "another one"
    meant = "it shows edges, not what was learnt" if same else "it depends on what was learnt"
    return Check("weights", f"With random weights the map is {told} ({number}): {meant}.", not same)


def _deletion(found: Mapping[str, Any]) -> Check:
    gone, random = found["deletion"], found["deletion_in_random_order"]
    numbers = f"mean estimate {short(gone)}, in random order {short(random)}"
    if gone < random:
        return Check("deletion", f"Greyed out from yellow on, the estimate falls faster ({numbers}).", True)
    said = f"Greyed out from yellow on, the estimate falls no faster ({numbers}): the map did not find what counts."
    return Check("deletion", said, False)


def _pointing(found: Mapping[str, Any]) -> tuple[Check, ...]:
    hit, share = found["pointing"], found["mask_share"]
    if hit != hit:  # NaN: no mask
        return ()
    where = "inside" if hit else "outside"
    said = f"The highest point lies {where} the mask; chance would hit it in {100 * share:.1f} %."
    return (Check("pointing", said, bool(hit)),)
