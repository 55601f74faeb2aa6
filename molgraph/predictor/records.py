"""Records over time that belong to the rows of a table: where they stand, and what each row may see of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from molgraph.data.records import NOBODY, Records, Seen, Timeline
from molgraph.data.stream import name_of
from molgraph.data.table import Table, nonempty, read_tables
from molgraph.errors import ConfigError, DataError

RECORDS = "records"  # what a person gives them as, for the rows of a prediction


def source_of(line: Timeline, given: Mapping[str, Any], trained: bool) -> Any:
    """Return the records over time that a person gives for the rows, None where they are where the run says.

    Raises: ConfigError where a `trained` model is given none: those it was trained on are of other rows.
    """
    found = given.get(RECORDS)
    if found is None and line.file and trained:
        raise ConfigError(f"the model reads records of each {line.by} from a second file: --inputs FILE names it.")
    return found


def whole(tables: Iterator[Table] | Sequence[Table]) -> Table:
    """Return one table of several blocks; a column that a block lacks is empty there."""
    first, *others = tables
    if not others:
        return first
    each = [first, *others]
    starts = np.cumsum([0, *(len(t) for t in each)])
    broken = {start + at: r for start, t in zip(starts, each, strict=False) for at, r in t.broken.items()}
    frame = pd.concat([t.frame for t in each], ignore_index=True).fillna("")
    return replace(first, frame=frame, rows=np.concatenate([t.rows for t in each]), broken=broken)


def long_table(line: Timeline, rows: Table, given: Any, held: dict[str, Any]) -> Table:
    """Return the table in which the records of a table's rows stand: what is `given` for them, else the rows
    themselves, or the file that was trained on, which is read once (`held`).

    Raises: DataError where it cannot be read, or has no record.
    """
    if given is None and not line.file:
        return rows
    source = line.file if given is None else given
    key = f"table {source if isinstance(source, str) else id(source)}"
    if key not in held:
        called = name_of(source) if isinstance(source, str) else "the records given"
        held[key] = replace(whole(list(nonempty(read_tables(source), called))), origin=called)
    table: Table = held[key]
    return table


def seen(line: Timeline, rows: Table, given: Any, held: dict[str, Any]) -> Seen:
    """Return what the rows of a table may see.

    Raises: DataError as `long_table`, and where a column is missing.
    """
    table = long_table(line, rows, given, held)
    if table is rows:
        return Records.of(line, table).seen_by(rows)
    key = f"records {id(table)}"
    if key not in held:
        held[key] = Records.of(line, table)
    records: Records = held[key]
    return records.seen_by(rows)


def met(found: Seen, rows: Table) -> tuple[str, ...]:
    """Say what of the records was not used.

    Raises: DataError where none belongs to any row, though there are some: ids that are written otherwise.
    """
    line, records = found.records.timeline, found.records
    if len(found) and (found.whose == NOBODY).all():
        raise DataError(
            f"{records.origin}: no record belongs to a row of {rows.origin} by '{line.by}': the first row is of "
            f"'{found.names[0]}'. Are the ids written alike?"
        )
    when = f"each row sees what was known by its {line.at}" if line.at else "no column says when a row is predicted"
    rest = "" if line.at else ", so each sees all records of its own: --at COL names one"
    return (*records.notes, f"{records.origin}: {when}{rest}.")
