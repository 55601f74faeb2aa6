"""A user's file as bytes and as lines: compression, encoding and damage are dealt with here and nowhere else."""

from __future__ import annotations

import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self, cast

import pyarrow as pa

from molgraph.errors import DataError, ResourceError, did_you_mean

STDIN = "-"
COMPRESSED = (".gz", ".zst")
LINE = 1 << 24  # characters of one line; a longer line is a broken row and is never held in memory
SHOWN = 200  # characters of a broken row that are kept to show what stood there
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"  # RFC 1952 section 2.3.1; RFC 8878 section 3.1.1
_SHEET = re.compile(r"(.+\.xls[xm](?:\.gz|\.zst)?)#(.+)", re.IGNORECASE)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0e-\x19\x1c-\x1f\x7f]")  # in no text; 1A ends one of DOS, 1B begins a colour
_FORMATS = {
    b"PK\x03\x04": "; if it is an Excel workbook, name it .xlsx",
    b"PAR1": "; if it is Parquet, name it .parquet",
    b"\xd0\xcf\x11\xe0": "; if it is an old or protected Excel workbook, save it as .xlsx without a password",
}


class Broken(NamedTuple):
    """Say why a record could not be read; `cells` holds what could be read of it, if anything, `line` a line of which
    some may be."""

    reason: str
    message: str
    text: str = ""
    cells: tuple[str, ...] = ()
    line: str = ""


class Unread(str):
    """Be an empty cell that says why nothing could be read in it: a formula without a value, merged cells."""

    why: str

    def __new__(cls, why: str) -> Self:
        made = super().__new__(cls, "")
        made.why = why
        return made


class Stored(str):
    """Be a number that a workbook or a DataFrame holds as one: its point is the program's, and nobody wrote it."""

    __slots__ = ()


class Header(list[str]):
    """Be the first row of a table, and say what stands above it, where it was found ("": in the file), and what stands
    between its cells ("" where they are no text)."""

    def __init__(self, cells: Iterable[str], notes: Sequence[str] = (), origin: str = "", delimiter: str = "") -> None:
        super().__init__(cells)
        self.notes, self.origin, self.delimiter = tuple(notes), origin, delimiter


Row = list[str] | Broken  # what every format yields per record; an empty list is a blank line


def name_of(source: str | os.PathLike[str]) -> str:
    """Return how messages name a source."""
    return "standard input" if str(source) == STDIN else str(source)


def file_and_sheet(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the workbook and the sheet of it that `data.xlsx#Sheet2` names; "" where it names none."""
    found = _SHEET.fullmatch(str(path))
    return (found[1], found[2]) if found and not Path(path).exists() else (str(path), "")


def suffixes(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the suffix that names the format and the one that names the compression ("" if none).

    >>> suffixes("library.SMI.gz"), suffixes("data.xlsx#Plate 2.1")
    (('.smi', '.gz'), ('.xlsx', ''))
    """
    found = [s.lower() for s in Path(file_and_sheet(path)[0]).suffixes]
    packed = found.pop() if found and found[-1] in COMPRESSED else ""
    return (found[-1] if found else ""), packed


@contextmanager
def read_errors(name: str) -> Iterator[None]:
    """Turn what can go wrong while a file is read into an error that names the file and the remedy."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{name}: no such file{_neighbour(Path(name))}") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise DataError(f"{name}: this is not a file; name a file inside it") from error
    except PermissionError as error:
        if Path(name).is_dir():  # how Windows answers open() on a folder
            raise DataError(f"{name}: this is not a file; name a file inside it") from error
        raise ResourceError(f"{name}: no permission to read; ask its owner or copy it") from error
    except UnicodeError as error:
        raise DataError(f"{name}: the text is damaged ({error}); save it again as UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(_damaged(name, error)) from error
    except OSError as error:
        if error.errno is None:  # raised by a decompressor, not by the system
            raise DataError(_damaged(name, error)) from error
        raise ResourceError(f"{name}: cannot be read ({error.strerror}); check the disk or copy the file") from error


def _damaged(name: str, error: BaseException) -> str:
    return f"{name}: the file is damaged or cut short ({error}); fetch or export it again"


def _neighbour(path: Path) -> str:
    try:
        names = [
            p.name for p in path.parent.iterdir() if p.is_file() and not p.name.startswith(".")
        ]  # no temporary ones
    except OSError:
        return "; check the folder"
    return did_you_mean(path.name, names) if 0 < len(names) <= 20 else "; check the name"


@contextmanager
def open_bytes(source: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """Open a file or "-" (standard input) for reading, decompressed.

    Compression is recognised by the first bytes, so a renamed or piped `.gz` works too.

    Raises: DataError for a file that is missing or damaged, ResourceError where there is no permission.
    """
    name = name_of(source)
    with read_errors(name):
        if str(source) == STDIN:
            yield _decompressed(cast(io.BufferedReader, sys.stdin.buffer), name, "")
            return
        with Path(source).open("rb") as raw:
            yield _decompressed(raw, name, suffixes(source)[1])


def _decompressed(raw: io.BufferedReader, name: str, packed: str) -> io.BufferedReader:
    head = raw.peek(4)[:4]
    if head.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if head.startswith(_ZSTD):
        # pyarrow notices a cut stream, which zstandard's stream_reader takes for the end
        return io.BufferedReader(_Arrow(pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")))
    if packed and head:
        raise DataError(f"{name}: not a {packed} file, whatever its name says; rename it or compress it again")
    return raw


class _Arrow(io.RawIOBase):
    """Let the standard library read from an Arrow stream."""

    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview[int], /) -> int:  # type: ignore[override]
        return int(self._stream.readinto(buffer))


class Lines:
    """Iterate over the lines of a text file, each with its line end, never more than `LINE` characters.

    UTF-8, with or without byte order mark, and UTF-16 with one. A line that is not UTF-8 is taken for
    Windows-1252, which is what Excel for Windows writes as "CSV". `number` is the number of the line that
    was given last, and `broken` says why a line was replaced by a blank one. Lines can be given back.
    """

    def __init__(self, stream: io.BufferedReader, name: str) -> None:
        head = stream.peek(4096)
        wide = head.startswith(_UTF16)
        if not wide and _is_binary(head):
            raise DataError(f"{name}: this is not a text file{_format_of(head)}")
        self._text = io.TextIOWrapper(
            stream,
            encoding="utf-16" if wide else "utf-8-sig",
            errors="strict" if wide else "surrogateescape",
            newline="",
        )
        self._given_back: list[str] = []
        self.number = 0
        self.broken: dict[int, Broken] = {}

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        self.number += 1
        if self._given_back:
            return self._given_back.pop()
        line = self._text.readline(LINE + 1)
        if not line:
            self.number -= 1
            raise StopIteration
        if len(line) > LINE:
            return self._skip(line)
        return line if line.isascii() and "\0" not in line else self._checked(line)

    def give_back(self, lines: list[str]) -> None:
        """Let these lines, which were the last ones given, be given again."""
        self._given_back.extend(reversed(lines))
        self.number -= len(lines)

    def detach(self) -> None:
        """Leave the byte stream to whoever opened it."""
        self._text.detach()

    def _skip(self, line: str) -> str:
        start = line[:SHOWN]
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(LINE + 1)
        return self._break("too_large", f"line {self.number} has more than {LINE:,} characters", start)

    def _checked(self, line: str) -> str:
        if "\0" in line:
            why = f"line {self.number} holds a NUL byte; export it again as text"
            return self._break("unreadable", why, line, whole=line)
        try:
            line.encode("utf-8")
        except UnicodeEncodeError:
            try:
                return line.encode("utf-8", "surrogateescape").decode("cp1252")
            except UnicodeDecodeError:
                message = f"line {self.number} is neither UTF-8 nor Windows-1252; save the file as UTF-8"
                return self._break("unreadable", message, line)
        return line

    def _break(self, reason: str, message: str, text: str, whole: str = "") -> str:
        shown = text[:SHOWN].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
        self.broken[self.number] = Broken(reason, message, shown, line=whole)
        return "\n"


def _is_binary(head: bytes) -> bool:
    """Tell whether a file is none of text: a NUL here and there is a damaged line of one, many or other signs are not.

    UTF-16 that does not begin with its mark has a NUL in every other byte.
    """
    if head.startswith(tuple(_FORMATS)):
        return True
    return head.count(0) > len(head) / 4 or (0 in head and len(_CONTROL.findall(head)) > len(head) / 20)


def _format_of(head: bytes) -> str:
    return next((told for mark, told in _FORMATS.items() if head.startswith(mark)), "; save the table as CSV in UTF-8")
