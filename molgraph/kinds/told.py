"""What kind a target is, told by its cells where nobody says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from molgraph.data.labels import MISSING, MOST, NO, NONE, YES, positive_of, same_label
from molgraph.kinds import NAMED, Kind, Number, OneOf, YesNo

PAIRS = (["-1", "1"], ["1", "2"])  # numbers that are usual names of two classes
ENOUGH = 10  # values of which two different ones are hardly measurements


def told(cells: Iterable[str], *, labels: bool, usual: str = "", unit: bool = False) -> str:
    """Return the word of what a target is by its cells; `labels`: its source says that they are classes.

    Where a target is of a `usual` kind, only yes and no without a unit say otherwise.
    """
    found = _told(cells, labels=labels)
    return found.word if not usual or (found is YesNo and not unit) else usual


def measured_in_units(word: str) -> bool:
    """Tell whether targets of a kind are measured in units, which the name of a column may say."""
    return word in NAMED and NAMED[word].in_units


def _told(cells: Iterable[str], *, labels: bool) -> type[Kind]:
    texts = [str(cell).strip().lower() for cell in cells]
    known = [cell for cell in texts if cell not in MISSING]
    sides = {cell in YES for cell in known}
    if NONE in texts and len(sides) == 1 and not any(map(_numeric, known)):
        return OneOf  # positive or none: the word is the other class
    if not known or _share(known, (YES | NO).__contains__) >= MOST:
        return YesNo
    if _two(known, labels=labels):
        return YesNo
    return Number if not labels and _share(known, _numeric) >= MOST else OneOf


def _two(known: Sequence[str], *, labels: bool) -> bool:
    """Tell whether cells are two labels, and which is the positive one can be known."""
    found = sorted(set(map(same_label, known)))
    if len(found) != 2 or not positive_of(found):
        return False
    return (found in PAIRS and len(known) >= ENOUGH and not labels) or not any(map(_numeric, found))


def _share(cells: Sequence[str], what: Callable[[str], bool]) -> float:
    return sum(map(what, cells)) / len(cells)


def _numeric(cell: str) -> bool:
    try:
        float(cell.lstrip("<>=≤≥~ ").replace(",", "."))
    except ValueError:
        return False
    return True
