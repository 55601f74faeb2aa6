"""CSV and TSV, read the way a stranger's spreadsheet needs it: one row per record, and no cell ever shifts."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from itertools import islice

from molgraph.data.stream import SHOWN, Broken, Lines, Row, name_of, open_bytes

DELIMITERS = (",", ";", "\t")
CELL = 1 << 20  # characters of one cell; a longer one breaks its row
_SAMPLE = 20  # lines looked at to find the delimiter


def delimited(source: str | os.PathLike[str], delimiter: str | None = None) -> Iterator[Row]:
    """Yield the header and then every record of a delimited file.

    Without `delimiter` it is found from the first lines. A record with more or fewer cells than the header is
    `ragged_row`; a quote that is opened and not closed breaks its own line only, and reading goes on with the next.
    """
    with open_bytes(source) as stream:
        lines = Lines(stream, name_of(source))
        try:
            yield from records(lines, delimiter)
        finally:
            lines.detach()


def records(lines: Lines, delimiter: str | None = None) -> Iterator[Row]:
    """Yield the header and then every record from lines (see `delimited`)."""
    csv.field_size_limit(max(CELL, csv.field_size_limit()))
    taken: list[str] = []
    reader = csv.reader(_Record(lines, taken), delimiter=delimiter or sniff(lines), strict=True)
    width = 0
    while True:
        taken.clear()
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _unreadable(lines, taken, start, str(error))
            continue
        if start in lines.broken:
            yield lines.broken.pop(start)
        elif len(taken) > 1 and not lines.broken.keys().isdisjoint(range(start, lines.number + 1)):
            yield _unreadable(lines, taken, start, "unexpected end")
        elif not width or len(cells) == width or not cells:
            width = width or len(cells)
            yield cells
        else:
            yield _ragged(lines, taken, start, len(cells), width)


def sniff(lines: Lines) -> str:
    """Return the delimiter that cuts the first lines most evenly, and put those lines back."""
    sample = list(islice(lines, _SAMPLE))
    lines.give_back(sample)
    kept = [line for line in sample if line.strip()]

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(kept, delimiter=delimiter)]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(w == widths[0] for w in widths) / len(widths), widths[0]

    return max(DELIMITERS, key=evenness)


class _Record:
    """Pass lines on to the csv reader and remember which ones the current record took."""

    def __init__(self, lines: Lines, taken: list[str]) -> None:
        self._lines, self._taken = lines, taken

    def __iter__(self) -> _Record:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken.append(line)
        return line


def _unreadable(lines: Lines, taken: list[str], start: int, error: str) -> Broken:
    """Break the first line of a record that csv cannot read, and give the others back."""
    lines.give_back(taken[1:])
    if len(taken) == 1 and "limit" in error:
        return Broken("too_large", f"line {start} has a cell of more than {CELL:,} characters", _shown(taken))
    if len(taken) > 1 or "unexpected end" in error:
        message = f'line {start} opens a quote (") that is not closed; close it, or double it inside a quoted cell'
    else:
        message = f'line {start} goes on after a closing quote ("); double the quotes inside a quoted cell'
    return Broken("ragged_row", message, _shown(taken))


def _ragged(lines: Lines, taken: list[str], start: int, cells: int, width: int) -> Broken:
    if len(taken) > 1:
        return _unreadable(lines, taken, start, "unexpected end")
    message = f"line {start} has {cells} cells where the header has {width}; quote cells that hold the delimiter"
    return Broken("ragged_row", message, _shown(taken))


def _shown(taken: list[str]) -> str:
    return taken[0][:SHOWN].rstrip("\r\n")
