"""Which rows train, stop the training, calibrate and test; groups never stand on two sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from molgraph import registry
from molgraph.errors import ConfigError, DataError, did_you_mean, many
from molgraph.registry import Named

Rows = NDArray[np.int64]

CALIBRATION = 9  # rows: with fewer, a 90 % split-conformal interval does not exist (docs/decisions/0002)
TIES = 0  # the seed of the order among groups of one size; part of what `scaffold` means
TAKEN_AT_MOST = 0.25  # of the training rows, where the validation fold has none to spare (the same page)


COLD, COLD_ALL, GROUP = "cold", "cold_all", "group"
IDENTITY = "identity"  # the grouping of rows that are the same thing (the same molecule, the same picture)

METHODS: dict[str, Named] = {
    **registry.splits(),
    GROUP: Named("group_random", GROUP, "group:NAME, whole groups of a column of the data (site, batch) at random"),
    COLD: Named("group_random", IDENTITY, "cold:INPUT, whatever stands in that input stands on one side"),
    COLD_ALL: Named(COLD_ALL, IDENTITY, "cold:all, nothing in any input on two sides; rows that mix are left out"),
    "random": Named("random", IDENTITY, "rows at random; the same thing stays on one side"),
    "time": Named("time", IDENTITY, "time:NAME, oldest rows train, newest test, by a column of dates or numbers"),
    "column": Named("column", IDENTITY, "column:NAME, the user's own train, valid, test (and calibration)"),
}

FOLDS = ("train", "valid", "calibration", "test")
SPELLINGS = {
    "train": ("train", "training", "train_val", "trainval", "train_valid"),
    "valid": ("valid", "val", "validation", "dev", "development"),
    "calibration": ("calibration", "calib", "cal"),
    "test": ("test", "testing", "holdout", "hold_out", "heldout", "held_out"),
}
LABELS = {spelling: fold for fold, spellings in SPELLINGS.items() for spelling in spellings}


@dataclass(frozen=True)
class Split:
    """Hold row positions, ascending: what trains, what stops the training, what calibrates, what tests.

    `notes` says in sentences what had to be arranged (rows taken from the training rows, no calibration, ...). `groups`
    are what it keeps together, one per row ([groupings, n] where it is cold in all inputs); None where nobody said.
    """

    train: Rows
    valid: Rows
    calibration: Rows
    test: Rows
    notes: tuple[str, ...] = ()
    groups: Rows | None = None


@dataclass(frozen=True)
class Leaks:
    """Hold the rows whose group also stands in a later fold of train, valid, calibration, test."""

    train: Rows
    valid: Rows
    calibration: Rows

    def __len__(self) -> int:
        return len(self.train) + len(self.valid) + len(self.calibration)


def named(name: str) -> tuple[Named, str | None]:
    """Return what a split's name stands for, and what follows the colon.

    That is a column in `column:NAME`, `time:NAME` and `group:NAME`; else the input whose parts are grouped, in
    `cold:INPUT` by what they are, in `GROUPER:INPUT` (`scaffold:drug`) by that grouping. `cold:all` is `cold_all`.

    Raises: ConfigError for an unknown name, or a column or input missing or too many.

    >>> named("column:fold")[1], named("cold:target")[1], named("cold:all")[1]
    ('fold', 'target', None)
    """
    head, colon, of = (COLD_ALL, "", "") if name == f"{COLD}:all" else name.partition(":")
    if head not in METHODS:
        raise ConfigError(f"unknown split '{head}'{did_you_mean(head, METHODS)}")
    if not of and (head in (COLD, GROUP) or METHODS[head].method in ("column", "time")):
        what = f"an input: write {head}:all, or" if head == COLD else "a column of the data: write"
        raise ConfigError(f"split '{head}' needs {what} {head}:NAME")
    if colon and (not of or METHODS[head].method in ("random", COLD_ALL)):
        raise ConfigError(f"split '{head}' takes no column: write {head}, or column:{of or 'NAME'} for your own folds")
    return METHODS[head], of or None


def split(
    n: int,
    *,
    method: str,
    groups: ArrayLike | None = None,
    column: Sequence[str] | None = None,
    time: ArrayLike | None = None,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    fold: int | None = None,
    folds: int | None = None,
    rows: ArrayLike | None = None,
) -> Split:
    """Split n rows into training, validation, calibration and test rows.

    `group` takes groups largest first (ties in a fixed random order) and fills train, then valid, then test;
    one that no longer fits goes on to the next fold, the last fold takes the rest. The first always trains; if
    it is more than the training share, valid and test divide what it leaves in proportion.
    `group_random` does so in an order drawn by `seed`, groups larger than half the validation or test fold
    first, so that one group does not swamp a fold; `random` is the same with rows that are the same thing as
    groups. `time` cuts the order of `time`; equal times stay together. `column` reads the user's own labels.
    `cold_all` deals the groups of each of several groupings (drugs, targets) to folds as `group_random` does; a row
    whose groups went to different folds is left out, and `notes` counts those. Of the rows kept, the folds have the
    shares asked for, so of each grouping a fold of share s takes in proportion to s^(1 / groupings).
    With `folds`, fold `fold` (from 0) of as many is tested: each row in exactly one, groups dealt largest first (where
    they are drawn, about so) to the smallest fold; of `cold_all`, the rows all of whose groups were dealt to `fold`.

    Where no validation rows come out, they are drawn from the training rows by group. The validation fold is then
    halved by group: one half stops the training, the other calibrates (docs/decisions/0002).

    Shapes: `groups`, `column`, `time` one per row, `groups` of `cold_all` [groupings, n]; `rows` the record numbers
    for messages (else from 1).
    Raises: ConfigError for a method or number out of range; DataError where the rows cannot be split so.
    See: the two scaffold splits of Yang 2019, doi 10.1021/acs.jcim.9b00237 (chemprop 1); DeepChem's takes equal
    groups in the opposite order, so its test rows are others. `cold_all`: setting S4 of Pahikkala 2015, doi
    10.1093/bib/bbu010

    >>> split(10, method="group", groups=list("aaaaaaabcd")).test
    array([9])
    """
    shares = _shares(fractions)
    members = [_members(n, given) for given in (np.asarray(groups) if method == COLD_ALL else [groups])]
    member = max(members, key=lambda numbers: numbers.max(initial=-1))
    records = np.arange(1, n + 1) if rows is None else np.asarray(rows)
    random = np.random.default_rng(seed)
    rank = random.permutation(member.max(initial=-1) + 1).astype(np.float64)  # in which order groups are drawn
    if folds is not None or fold is not None:
        cut = _one_fold(members, method, fold, folds, rank)
    elif method == "column":
        cut = _own_labels(n, column, records)
    elif method == "time":
        cut, rank = _by_time(member, _times(n, time, records), shares)
    elif method in ("group", "group_random", "random"):
        cut = _of(_fill(member, _order(member, method, shares, rank), shares))
    elif method == COLD_ALL:
        cut = _all_apart(members, shares, random)
    else:
        raise ConfigError(f"unknown method '{method}'{did_you_mean(method, {m.method for m in METHODS.values()})}")
    _refuse_empty(cut, member, shares, method)
    cut = _with_valid(cut, member, shares, rank)
    return _with_calibration(cut, member, rank)


def check(found: Split, groups: ArrayLike) -> Leaks:
    """Return the rows whose group (scaffold, identity) also stands in a later fold.

    The folds count in the order train, valid, calibration, test: what a test row holds leaves all the others,
    and test rows never leave. Shapes: `groups` one per row.
    """
    member = np.asarray(groups)
    folds = (found.train, found.valid, found.calibration, found.test)
    later = [np.concatenate(folds[i + 1 :]) for i in range(3)]
    return Leaks(*(folds[i][np.isin(member[folds[i]], member[later[i]])] for i in range(3)))


def drop(found: Split, leaks: Leaks) -> Split:
    """Return the split without the rows that leak."""
    return replace(
        found,
        train=np.setdiff1d(found.train, leaks.train),
        valid=np.setdiff1d(found.valid, leaks.valid),
        calibration=np.setdiff1d(found.calibration, leaks.calibration),
    )


def _shares(fractions: Sequence[float]) -> NDArray[np.float64]:
    shares = np.asarray(fractions, dtype=np.float64)
    if shares.shape != (3,) or not np.all(shares >= 0) or not shares[0] > 0 or abs(shares.sum() - 1) > 1e-6:
        raise ConfigError(
            f"fractions {tuple(fractions)}: three shares of train, valid and test that add up to 1, train above 0"
        )
    return shares


def _members(n: int, groups: ArrayLike | None) -> Rows:
    """Return the groups as numbers from 0, in the order in which they first occur."""
    if groups is None:
        return np.arange(n)
    given = np.asarray(groups)
    if given.shape != (n,):
        raise ValueError(f"{n} rows but groups of shape {given.shape}")
    _, first, member = np.unique(given, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    numbered: Rows = number[member]
    return numbered


def _of(fold: Rows) -> Split:
    """Return the split of rows marked 0 train, 1 valid, 2 calibration, 3 test."""
    train, valid, calibration, test = (np.flatnonzero(fold == f) for f in range(len(FOLDS)))
    return Split(train, valid, calibration, test)


def _order(member: Rows, method: str, shares: NDArray[np.float64], rank: NDArray[np.float64]) -> Rows:
    """Return the groups in the order in which they fill the folds.

    Groups of one size come in an order that is always the same but not the file's: files are often sorted by what
    is to be predicted (BACE is), and the smallest groups make the test fold.
    """
    size = np.bincount(member)
    if method == "group":
        return np.lexsort((np.random.default_rng(TIES).permutation(len(size)), -size))
    small = min(share for share in shares if share > 0) * len(member) / 2
    return np.lexsort((rank, size <= small))


def _fill(member: Rows, order: Rows, shares: NDArray[np.float64]) -> Rows:
    """Return the fold of each row, as `_of` reads it."""
    size, room = np.bincount(member), shares * len(member) + 1e-9  # 0.29 * 100 is a little less than 29
    first = size[order[:1]].sum()
    if first > room[0]:  # the first group is more than the training share: the others divide what it leaves
        room[1:] = (len(member) - first) * shares[1:] / max(shares[1:].sum(), 1e-9)
    room[0] -= first
    wanted = np.flatnonzero(shares)
    room[wanted[-1]] = np.inf
    fold = np.zeros(len(size), dtype=np.int64)
    for group in order[1:]:
        fold[group] = next(f for f in wanted if size[group] <= room[f])
        room[fold[group]] -= size[group]
    filled: Rows = np.array([0, 1, 3])[fold[member]]
    return filled


def _all_apart(members: Sequence[Rows], shares: NDArray[np.float64], random: np.random.Generator) -> Split:
    part = shares ** (1 / len(members))
    part /= part.sum()
    ranks = (random.permutation(member.max(initial=-1) + 1).astype(np.float64) for member in members)
    return _agreed([_fill(m, _order(m, "group_random", part, r), part) for m, r in zip(members, ranks, strict=True)])


def _agreed(folds: Sequence[Rows]) -> Split:
    """Return the split of the rows on whose fold all agree."""
    same = np.all([fold == folds[0] for fold in folds], axis=0)
    note = f"{(~same).sum()} of {len(same)} rows stand between the folds, with inputs from two, and were left out."
    return replace(_of(np.where(same, folds[0], -1)), notes=(note,))


def _deal(member: Rows, folds: int, order: Rows) -> Rows:
    """Deal whole groups to folds, each to the smallest; return each row's fold (Graham 1969, doi 10.1137/0117039)."""
    size, filled = np.bincount(member), np.zeros(folds, dtype=np.int64)
    fold = np.zeros(len(size), dtype=np.int64)
    for group in order:
        fold[group] = np.argmin(filled)
        filled[fold[group]] += size[group]
    return np.asarray(fold[member])


def _one_fold(
    members: Sequence[Rows], method: str, fold: int | None, folds: int | None, rank: NDArray[np.float64]
) -> Split:
    if fold is None or folds is None or folds < 2 or not 0 <= fold < folds:
        raise ConfigError(f"fold {fold} of {folds}: give at least 2 folds, and a fold from 0 to folds - 1")
    if method not in ("group", "group_random", "random", COLD_ALL):
        raise ConfigError(f"there are no folds of a {method} split: use scaffold, cluster or random")
    cuts = []
    for member in members:
        size, groups = np.bincount(member), member.max(initial=-1) + 1
        if groups < folds:
            raise DataError(f"{len(member)} rows in {groups} groups make no {folds} folds: ask for fewer folds")
        at = rank[:groups]
        drawn = size * 2 ** (at / len(rank))  # so groups of up to twice the size change places, and folds of few differ
        order = np.lexsort((np.arange(groups), -size) if method == "group" else (at, -drawn))
        cuts.append(np.where(_deal(member, folds, order) == fold, 3, 0))
    return _agreed(cuts) if method == COLD_ALL else _of(cuts[0])


def _own_labels(n: int, column: Sequence[str] | None, records: Rows) -> Split:
    if column is None or len(column) != n:
        raise ValueError(f"{n} rows but {'no' if column is None else len(column)} labels")
    known = [LABELS.get(str(label).strip().casefold().replace("-", "_").replace(" ", "_")) for label in column]
    strange = [i for i, fold in enumerate(known) if fold is None]
    if strange:
        shown = ", ".join(f"'{column[i]}' (row {records[i]})" for i in strange[:5])
        raise DataError(
            f"{many(len(strange), 'row')} whose split is none of train, valid, calibration, test: {shown}"
            f"{', ...' if len(strange) > 5 else ''}; correct the column or leave these rows out of the file"
        )
    for needed in ("train", "test"):
        if needed not in known:
            raise DataError(f"the split column marks no row '{needed}': mark some, or use --split scaffold")
    return _of(np.array([FOLDS.index(fold) for fold in known if fold]))


def _times(n: int, time: ArrayLike | None, records: Rows) -> NDArray[np.float64]:
    """Return times as numbers: they may come as numbers, dates, or the texts of either (dates as ISO 8601)."""
    given = np.asarray([] if time is None else time)
    cells = (given.astype("datetime64[us]") if given.dtype.kind == "M" else given).tolist()
    if len(cells) != n:
        raise ValueError(f"{n} rows but {len(cells)} times")
    readings = [[_read(how, cell) for cell in cells] for how in (float, _date)]
    times = min(readings, key=lambda reading: reading.count(None))
    bad = [i for i, t in enumerate(times) if t is None]
    if bad:
        raise DataError(
            f"no time in {many(len(bad), 'row')}, first '{cells[bad[0]]}' in row {records[bad[0]]}: "
            "every row needs a number (a year), or every row a date as in 2024-01-31"
        )
    return np.array(times, dtype=np.float64)


def _read(how: Callable[[Any], float], cell: Any) -> float | None:
    try:
        value = how(cell)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _date(cell: Any) -> float:
    day = datetime.fromisoformat(str(cell).strip())
    return (day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp()


def _by_time(
    member: Rows, times: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[Split, NDArray[np.float64]]:
    """Return the cut, and the groups ranked newest first."""
    _, moment = np.unique(times, return_inverse=True)
    until = np.cumsum(np.bincount(moment))  # rows up to and with each moment
    border = np.cumsum(shares)[:2] * len(times) + 1e-9
    fold = np.array([0, 1, 3])[(until[:, None] > border).sum(1)]
    newest = np.full(member.max(initial=-1) + 1, -np.inf)
    np.maximum.at(newest, member, times)
    return _of(fold[moment]), -newest


def _refuse_empty(cut: Split, member: Rows, shares: NDArray[np.float64], method: str) -> None:
    lacking = [] if len(cut.train) else ["training"]
    lacking += ["test"] if shares[2] > 0 and not len(cut.test) else []
    if lacking:
        groups = len(np.unique(member))
        remedy = "give more rows" if method == "random" or len(member) < 2 else "use --split random"
        what = "equal times stay together" if method == "time" else f"{groups} group{'s' * (groups != 1)}"
        raise DataError(
            f"a {method} split of {many(len(member), 'row')} ({what}) leaves no {lacking[0]} rows: {remedy}"
        )


def _take(rows: Rows, member: Rows, wanted: float, rank: NDArray[np.float64]) -> Rows:
    """Return at least `wanted` of the rows in whole groups, those larger than that last; all, if there are too few."""
    groups, size = np.unique(member[rows], return_counts=True)
    order = np.lexsort((rank[groups], np.where(size > wanted, size, 0)))
    enough = np.searchsorted(np.cumsum(size[order]), wanted) + 1
    taken: Rows = rows[np.isin(member[rows], groups[order[:enough]])]
    return taken


def _with_valid(cut: Split, member: Rows, shares: NDArray[np.float64], rank: NDArray[np.float64]) -> Split:
    """Draw validation rows from the training rows where there are none."""
    if len(cut.valid) or shares[1] == 0:
        return cut
    valid = _take(cut.train, member, max(1.0, np.floor(len(cut.train) * shares[1] / shares[:2].sum())), rank)
    if len(valid) > len(cut.train) / 2:
        return replace(cut, notes=(*cut.notes, "There are no validation rows: too few rows or groups train."))
    note = f"{len(valid)} of {len(cut.train)} training rows were set aside for validation."
    return replace(cut, train=np.setdiff1d(cut.train, valid), valid=valid, notes=(*cut.notes, note))


def _with_calibration(cut: Split, member: Rows, rank: NDArray[np.float64]) -> Split:
    """Halve the validation rows by group; where they are too few for that, set training rows aside."""
    if len(cut.calibration):
        return cut
    groups, own = np.unique(member[cut.valid], return_inverse=True)
    if len(cut.valid) >= 2 * CALIBRATION and len(groups) > 1:
        half = _deal(own, 2, np.lexsort((rank[groups], -np.bincount(own))))
        stops = np.argmin(np.bincount(half))  # the larger half calibrates: it has at least CALIBRATION rows
        return replace(cut, valid=cut.valid[half == stops], calibration=cut.valid[half != stops])
    taken = _take(cut.train, member, CALIBRATION, rank)
    few = f"The validation fold (rows: {len(cut.valid)}, groups: {len(groups)}) cannot be halved"
    if CALIBRATION <= len(taken) <= TAKEN_AT_MOST * len(cut.train):
        note = f"{few}: {len(taken)} of {len(cut.train)} training rows were set aside to calibrate."
        return replace(cut, train=np.setdiff1d(cut.train, taken), calibration=taken, notes=(*cut.notes, note))
    note = f"{few} and the {len(cut.train)} training rows have none to spare: there is no 90 % interval."
    return replace(cut, notes=(*cut.notes, note))
