"""What stands above a table in a file: titles, comments, the line by which Excel is told a delimiter."""

from __future__ import annotations

import re
from collections.abc import Sequence

from molgraph import registry

_NUMBER = re.compile(r"[<>~=]*\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*%?")
# See: support.microsoft.com, "Import or export text (.txt or .csv) files"
_SEPARATOR = re.compile(r'"?sep=(\\t|.)"?[,;\t|]*', re.IGNORECASE)
COMMENT = "#"


def titles(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the first rows are titles: one cell of several words each, above a row of several words.

    Rows of one word, or of several cells, are titles above the fullest row where that names an input and they do not.

    >>> titles([["Assay results 2024", "", ""], ["smiles", "id", "pIC50"], ["C", "1", "5"]])
    1
    >>> titles([["Report"], ["Plate", "7"], ["smiles", "id", "pIC50"], ["C", "1", "5"]])
    2
    >>> titles([["smiles"], ["C"], ["CC", "stray"]])
    0
    """
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    full = next((i for i, cells in enumerate(filled) if len(cells) == max(map(len, filled[i:]))), 0)
    above = filled[:full]
    named = _is_header(filled[full]) and _names_input(filled[full]) if full else False
    if named and not any(map(_names_input, above)) and max(map(len, above)) < len(filled[full]):
        return full
    at = next((i for i, cells in enumerate(filled) if len(cells) > 1), 0)
    single = [cells[0] for cells in filled[:at] if cells]
    worded = all(re.search(r"[\s:]", cell.strip()) for cell in single)
    apart = len(single) == 1 and at > 1  # with a blank row between
    return at if at and _is_header(filled[at]) and (worded or apart) else 0


def _is_header(cells: Sequence[str]) -> bool:
    return not any(map(_NUMBER.fullmatch, cells))


def _names_input(cells: Sequence[str]) -> bool:
    """Tell whether a row has a cell by which tables call the column of what is to be scored."""
    words = [re.sub(r"[^a-z]", "", cell.lower()) for cell in cells]
    known, ends = registry.words("called"), registry.words("ends")
    return any(word in known or word.endswith(ends) for word in words)


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
