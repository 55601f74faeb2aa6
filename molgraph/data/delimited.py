"""CSV and TSV, read the way a stranger's spreadsheet needs it: one row per record, and no cell ever shifts."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from itertools import islice

from molgraph.data.above import COMMENT, has_row_names, separator, titles
from molgraph.data.stream import SHOWN, Broken, Header, Lines, Row, name_of, open_bytes
from molgraph.errors import many

DELIMITERS = (",", ";", "\t", "|")
CELL = 1 << 20  # characters of one cell; a longer one breaks its row
_SAMPLE = 20  # lines looked at to find the delimiter
_OPEN = "unexpected end"  # what the csv module says of a quote that is open at the end of the file


def delimited(source: str | os.PathLike[str], delimiter: str | None = None) -> Iterator[Row]:
    """Yield the header and then every record of a delimited file.

    Without `delimiter` it is found from the first lines. A record with more or fewer cells than the header is
    `ragged_row`. A quote that does not close is a plain character in the last cell of its line, elsewhere it breaks
    that line; either way reading goes on with the next line, so that no record is swallowed.
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
    told, notes = _above(lines, delimiter)
    delimiter = delimiter or told or sniff(lines)
    open_ended, named = _open_ended(lines, delimiter), _has_row_names(lines, delimiter)
    taken: list[str] = []
    reader = csv.reader(_Record(lines, taken), delimiter=delimiter, strict=True)
    width = 0
    while True:
        taken.clear()
        start = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _first_line(lines, taken, delimiter, width, str(error))
            continue
        if start in lines.broken:
            yield _with_sound_cells(lines.broken.pop(start), delimiter, width)
        elif width and len(taken) > 1 and (len(cells) != width or _swallowed(lines, taken, delimiter, width)):
            yield _first_line(lines, taken, delimiter, width, _OPEN)
        elif cells and not width:
            cells = [*[""] * named, *cells, *[""] * open_ended]
            cells[named] = cells[named].lstrip(COMMENT + " ") if cells[named].startswith(COMMENT) else cells[named]
            width = len(cells)
            yield Header(cells, notes, delimiter=delimiter)
        elif width > 1 and len(cells) == 1 and cells[0].startswith(COMMENT):
            continue
        elif not cells or len(cells) == width:
            yield cells
        else:
            has = many(len(cells), "cell")
            message = f"line {start} has {has} where the header has {width}; quote cells with a delimiter"
            yield Broken("ragged_row", message, _shown(taken))


def sniff(lines: Lines) -> str:
    """Return the delimiter that cuts the first lines most evenly, and put those lines back."""
    sample = list(islice(lines, _SAMPLE))
    lines.give_back(sample)
    kept = [line[: CELL // _SAMPLE] for line in sample if line.strip()]

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(kept, delimiter=delimiter)]
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(w == widths[0] for w in widths) / len(widths), widths[0]

    # where a comma cuts as evenly as another, it is a decimal one: no one writes one semicolon into each row of CSV
    best = max(DELIMITERS, key=lambda cut: (*evenness(cut), evenness(cut)[1] > 1 and cut != ","))
    return " " if evenness(best)[1] < 2 and _spaced(kept) else best


def _spaced(lines: Sequence[str]) -> bool:
    """Tell whether every line has as many words as the first, or one more: the row names of R's write.table."""
    widths = [len(row) for row in csv.reader(lines, delimiter=" ")]
    return len(widths) > 1 and len(set(widths[1:])) == 1 and widths[1] > 1 and widths[1] - widths[0] in (0, 1)


def _above(lines: Lines, delimiter: str | None) -> tuple[str, list[str]]:
    """Pass over what stands above the header; return the delimiter told there, and what to say of it."""
    sample = list(islice(lines, _SAMPLE))
    kept = sample
    told = separator(kept[0]) if kept else ""
    kept = kept[bool(told) :]
    comments = next((i for i, line in enumerate(kept) if not line.startswith(COMMENT)), len(kept))
    if comments and _is_header(kept[comments - 1 : comments + 1], delimiter or told):
        comments -= 1
    kept = kept[comments:]
    cut = delimiter or told or _of_the_most(kept)
    above = titles([next(csv.reader([line[: CELL // _SAMPLE]], delimiter=cut), []) for line in kept])
    lines.give_back(kept[above:])
    words = " / ".join(line.strip(" \r\n,;\t|") for line in kept[:above] if line.strip())
    return told, [f"'{words[:SHOWN]}' stands above the table and was passed over."] if above else []


def _is_header(pair: Sequence[str], delimiter: str) -> bool:
    """Tell whether a line that begins as a comment has as many cells as the next one, and more than one."""
    if len(pair) < 2:
        return False
    each = [delimiter] if delimiter else DELIMITERS
    short = [line[: CELL // _SAMPLE] for line in pair]
    widths = [[len(row) for row in csv.reader(short, delimiter=cut)] for cut in each]
    return any(len(two) == 2 and two[0] == two[1] > 1 for two in widths)


def _of_the_most(lines: Sequence[str]) -> str:
    """Return the delimiter that is in most lines: a title may be above, so the first line says nothing."""
    return max(DELIMITERS, key=lambda cut: sum(cut in line for line in lines))


def _has_row_names(lines: Lines, delimiter: str) -> bool:
    sample = list(islice(lines, _SAMPLE))
    lines.give_back(sample)
    kept = [line[: CELL // _SAMPLE] for line in sample if line.strip()]
    rows = list(csv.reader(kept, delimiter=delimiter))
    return len(rows) == len(kept) > 0 and has_row_names(rows[0], rows[1:], kept)


def _open_ended(lines: Lines, delimiter: str) -> bool:
    """Tell whether every line but the header ends with a delimiter, as some programs write: one column without a name.

    Of a single line it cannot be told from a delimiter inside a cell.
    """
    sample = list(islice(lines, _SAMPLE))
    lines.give_back(sample)
    kept = (line[: CELL // _SAMPLE] for line in sample)
    rows = [row for row in csv.reader(kept, delimiter=delimiter) if row]
    return len(rows) > 2 and all(len(row) == len(rows[0]) + 1 and not row[-1] for row in rows[1:])


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


def _with_sound_cells(broken: Broken, delimiter: str, width: int) -> Broken:
    """Return a record with the cells of its line that hold no NUL, where each can be told from its neighbours."""
    if not broken.line or not width:
        return broken
    cells = next(csv.reader([broken.line], delimiter=delimiter), [])
    sound = tuple("" if "\0" in cell else cell for cell in cells) if len(cells) == width else ()
    return broken._replace(cells=sound, line="")


def _swallowed(lines: Lines, taken: list[str], delimiter: str, width: int) -> bool:
    """Tell whether a stray quote made one record out of several lines.

    So it is where one of them could not be read, and where each is a whole record of tab-separated text, in which
    quotes are often plain characters (names of chemicals) and tabs are never part of a cell.
    """
    start = lines.number - len(taken) + 1
    if not lines.broken.keys().isdisjoint(range(start, lines.number + 1)):
        return True
    return delimiter == "\t" and width > 1 and all(_plain(line, delimiter, width) for line in taken)


def _first_line(lines: Lines, taken: list[str], delimiter: str, width: int, error: str) -> Row:
    """Make a record of the first line of one that csv cannot read, and give the other lines back."""
    lines.give_back(taken[1:])
    cells = _plain(taken[0], delimiter, width)
    if cells:
        return cells
    if "limit" in error and len(taken) == 1:
        message = f"line {lines.number} has a cell of more than {CELL:,} characters"
        return Broken("too_large", message, _shown(taken))
    if "limit" in error or _OPEN in error:
        message = f'line {lines.number} opens a quote (") that does not close; close it, or double it in a quoted cell'
    else:
        message = f'line {lines.number} goes on after a closing quote ("); double the quotes in a quoted cell'
    return Broken("ragged_row", message, _shown(taken))


def _plain(line: str, delimiter: str, width: int) -> list[str]:
    """Return the cells of a line with its quotes as plain characters, or [] where that could shift a cell."""
    cells = line.rstrip("\r\n").split(delimiter)
    whole = len(cells) == width and len(line) <= CELL and all(cell.count('"') % 2 == 0 for cell in cells[:-1])
    return cells if whole else []


def _shown(taken: list[str]) -> str:
    return taken[0][:SHOWN].rstrip("\r\n")
