"""Whether a workbook stays within what Excel allows: looked at piece by piece before anything is built of it."""

from __future__ import annotations

import re
import zipfile
from typing import IO

import numpy as np

from molgraph.errors import DataError

# Rows and columns of a sheet, characters of a cell.
# See: https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
ROWS, COLUMNS, CHARACTERS = 1_048_576, 16_384, 32_767
LONGEST = 8 * CHARACTERS  # bytes of the text of a cell in XML: `_x000D_` and `&quot;` stand for one character each
PARTS = 1 << 32  # bytes of all parts together, unpacked; a full sheet of 50 columns has less
STRINGS = 1 << 29  # bytes of the shared strings, which are held in memory
TEXTS = 4 * ROWS  # shared strings: of each row four texts that no other cell has
TAGS = 1 << 20  # of a part that is held in memory and is no text of cells; Excel has at most 65,490 formats
HELD = re.compile(r"(?:.*/)?(?:styles|workbook)\.xml|\[Content_Types\]\.xml|.*\.rels|docProps/.*")
_PIECE = 1 << 20
_CARRIED = 64  # bytes carried to the next piece, so that no number of a row is cut in two
_PLACE = re.compile(rb"""<(?:row|c|\w+:(?:row|c))\s[^>]*?\br\s*=\s*["']([^"']*)["']""")
_TEXTS = (b"<si", b":si")
_WRITTEN = re.compile(rb"([A-Z]*)(\d{1,9})")  # as every program writes a place


def check(stream: IO[bytes], name: str) -> None:
    """Refuse a workbook with a row, a column, a cell or a part that no program for tables writes.

    Raises: DataError naming what is too large; BadZipFile where it is no archive.
    """
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > PARTS:
            raise DataError(f"{name}: unpacks to over {PARTS >> 30} GiB; save the table as CSV")
        for part in parts:
            if part.filename.endswith("sharedStrings.xml") and part.file_size > STRINGS:
                raise DataError(f"{name}: its texts unpack to over {STRINGS >> 20} MiB; save the table as CSV")
            with archive.open(part) as xml:  # a part may have any name: what it is, its first byte says
                if xml.read(4).lstrip(b"\xef\xbb\xbf").startswith(b"<"):
                    _check_part(xml, name, part.filename)
    stream.seek(0)


def _check_part(xml: IO[bytes], name: str, part: str) -> None:
    """Look at the places of rows and cells, and at the length and the number of the texts between two tags."""
    carried, length, tags, texts = b"", 0, 0, 0
    while piece := xml.read(_PIECE):
        opened = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == ord("<"))
        ends = np.concatenate([[-length], opened, [len(piece)]])
        if int(np.diff(ends).max()) > LONGEST:
            raise DataError(f"{name}: a text in {part} is longer than the {CHARACTERS:,} characters of a cell")
        length = int(ends[-1] - ends[-2])
        tags += len(opened)
        if tags > TAGS and HELD.fullmatch(part):
            raise DataError(f"{name}: {part} has over {TAGS:,} entries; save the table as CSV")
        both = carried + piece
        texts += sum(both.count(each) - carried.count(each) for each in _TEXTS)
        if texts > TEXTS:
            raise DataError(f"{name}: {part} has over {TEXTS:,} different texts; save the table as CSV")
        _check_places(both, name, part)
        carried = piece[-_CARRIED:]


def _check_places(text: bytes, name: str, part: str) -> None:
    found = [(place, _WRITTEN.fullmatch(place)) for place in _PLACE.findall(text)]
    odd = next((place for place, read in found if read is None), None)
    if odd is not None:
        shown = odd[:20].decode(errors="replace")
        raise DataError(f"{name}: {part} has a cell or row at '{shown}', which is no place; save it again in Excel")
    last = max((int(read[2]) for _, read in found if read), default=0)
    if last > ROWS:
        raise DataError(f"{name}: {part} has a row {last}, and a sheet has at most {ROWS:,}; save it again in Excel")
    letters = max((read[1] for _, read in found if read), key=lambda column: (len(column), column), default=b"")
    if (len(letters), letters) > (3, b"XFD"):
        shown = letters[:8].decode()
        raise DataError(
            f"{name}: {part} has a column {shown}, and a sheet has at most {COLUMNS:,}; save it again in Excel"
        )
