"""What stands above a table in a file: titles, comments, the line by which Excel is told a delimiter."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[<>~=]*\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*%?")
# See: support.microsoft.com, "Import or export text (.txt or .csv) files"
_SEPARATOR = re.compile(r'"?sep=(\\t|.)"?[,;\t|]*', re.IGNORECASE)
COMMENT = "#"


def titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows are titles: one cell of several words each, above a row of several words.

    >>> titles([["Assay results 2024", "", ""], ["smiles", "id", "pIC50"], ["C", "1", "5"]])
    1
    >>> titles([["smiles"], ["C"], ["CC", "stray"]])
    0
    """
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    at = next((i for i, cells in enumerate(filled) if len(cells) > 1), 0)
    above = [cells[0] for cells in filled[:at] if cells]
    worded = all(re.search(r"[\s:]", cell.strip()) for cell in above)
    apart = len(above) == 1 and at > 1  # with a blank row between
    header = at and not any(map(_NUMBER.fullmatch, filled[at]))
    return at if header and (worded or apart) else 0


def separator(line: str) -> str:
    """Return the delimiter that a first line tells Excel ("sep=;"), "" where it is no such line."""
    found = _SEPARATOR.fullmatch(line.strip("\r\n "))
    return "" if not found else "\t" if found[1] == "\\t" else found[1]


def has_row_names(header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[str]) -> bool:
    """Tell whether every row has one cell more than the header: its name, in front, as R writes it.

    A name is a running number, or everything that is text stands in quotes.

    See: https://stat.ethz.ch/R-manual/R-devel/library/utils/html/write.table.html
    """
    if len(rows) < 2 or any(len(row) != len(header) + 1 for row in rows):
        return False
    names = [row[0] for row in rows]
    running = names == [str(int(names[0]) + at) for at in range(len(names))] if names[0].isdigit() else False
    quoted = all(line.startswith('"') for line in lines)
    return running or (quoted and len(set(names)) == len(names))
