"""Cells to parts: what the room makes of the fields of patients."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.cells import Cells
from molgraph.data.fields import GRADE, NUMBER, YES_NO, Field, Fields, Misread
from molgraph.data.packed import PART, pack
from molgraph.data.room import Prepared
from molgraph.errors import ConfigError, Reject, did_you_mean

RECORD = "record"
FEATURES = (RECORD,)
NONE = -1


def prepare(
    fields: Fields,
    cells: Cells,
    needs: Collection[str] = FEATURES,
    *,
    standardise: bool | int = True,
    workers: int = 1,
) -> Prepared:
    """Turn records into distinct parts, or into a reason why not; a blank cell stays unknown.

    The only feature, "record", holds the numbers of all fields side by side (of a category one for each, 1 or 0), NaN
    where they are unknown. The key of a part says its values in words. Nothing is left to `standardise`.

    Shapes: float32 [P, D].

    Raises: ConfigError for an unknown feature.
    """
    for name in needs:
        if name not in FEATURES:
            raise ConfigError(f"patients have no feature '{name}'{did_you_mean(name, FEATURES)}")
    values: list[NDArray[np.float64]] = []
    bad: dict[int, list[Misread]] = {}
    for field in fields.each:
        found, wrong = field.read(cells.column(field.name))
        values.append(found)
        for at, why in wrong.items():
            bad.setdefault(at, []).append(why)
    table = np.concatenate([np.empty((len(cells), 0)), *values], axis=1)
    blank = np.flatnonzero(np.isnan(table).all(axis=1))
    for at in blank.tolist():
        bad.setdefault(at, [Misread("empty", "no field is known")])
    number: dict[str, int] = {}
    first: list[int] = []
    index = np.full(len(cells), NONE, dtype=np.int64)
    for at, key in enumerate(keys_of(fields, values)):
        if at in bad:
            continue
        index[at] = number.setdefault(key, len(number))
        if index[at] == len(first):
            first.append(at)
    record = torch.from_numpy(table[first].astype(np.float32))
    return Prepared(
        parts=pack({RECORD: (PART, record)}, {}, {RECORD: [table.shape[1]]}, len(number)),
        index=index,
        keys=tuple(number),
        rejects={at: _reject(at, whys) for at, whys in bad.items()},
    )


def _reject(at: int, whys: list[Misread]) -> Reject:
    return Reject(at + 1, "", whys[0].reason, "; ".join(map(str, whys)))


def keys_of(fields: Fields, values: list[NDArray[np.float64]]) -> list[str]:
    """Return what each record says in words: "age = 63; sex = f", without what is unknown.

    Shapes: `values` of each field [n, width].
    """
    columns = [_said(field, each) for field, each in zip(fields.each, values, strict=True)]
    return ["; ".join(filter(None, row)) for row in zip(*columns, strict=True)]


def _said(field: Field, values: NDArray[np.float64]) -> list[str]:
    if field.kind == NUMBER:
        words = [format(value, ".15g") for value in values[:, 0].tolist()]
    elif field.kind == YES_NO:
        words = ["yes" if value else "no" for value in values[:, 0].tolist()]
    else:
        known = np.nan_to_num(values)
        at = known[:, 0] if field.kind == GRADE else known.argmax(axis=1)
        words = [field.categories[int(place)] for place in at.tolist()]
    unit = f" {field.unit}" if field.unit and f"({field.unit})" not in field.name else ""
    lost = np.asarray(np.isnan(values).any(axis=1)).tolist()
    return ["" if no else f"{field.name} = {word}{unit}" for no, word in zip(lost, words, strict=True)]
