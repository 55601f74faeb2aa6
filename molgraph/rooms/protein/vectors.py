"""Vectors of proteins that were computed elsewhere: written out in a cell, or looked up in a `.npz` by the cell."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from molgraph.data.labels import MISSING
from molgraph.data.regular import MOST, refused
from molgraph.data.stream import read_errors
from molgraph.errors import DataError
from molgraph.rooms.protein.residues import CALLED, Refusal, standardised

Find = Callable[[str], "NDArray[np.float32] | Refusal"]  # of a cell
UNFILED = "no_vector"  # a name where a vector should be
NOTHING = Refusal("empty", "there is no vector")
SHOWN = 40  # characters of a name in a message


class Vectors:
    """Collect the vectors of cells, all of the width of the first; a key is the cell."""

    def __init__(self, find: Find) -> None:
        self.find = find
        self.found: dict[str, NDArray[np.float32]] = {}
        self.width = 0

    def read(self, text: str) -> str | Refusal:
        """Return the key of a cell, or why it has no vector."""
        key = text.strip()
        values = self.find(key)
        if isinstance(values, Refusal):
            return NOTHING if key.lower() in MISSING else values  # NA is also a protein, where the file has it
        if values.ndim != 1 or not len(values):
            shape = " x ".join(map(str, values.shape))
            return Refusal("invalid_vector", f"an array of {shape} numbers is no vector; take the mean over residues")
        if not np.isfinite(values).all():
            return Refusal("invalid_vector", "a number of the vector is missing or infinite")
        self.width = self.width or len(values)
        if len(values) != self.width:
            return Refusal("invalid_vector", f"{len(values)} numbers where the first vector has {self.width}")
        self.found[key] = values
        return key

    def rows(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of keys, float32 [P, D]."""
        return np.array([self.found[key] for key in keys], dtype=np.float32).reshape(len(keys), self.width)


def written(text: str) -> NDArray[np.float32] | Refusal:
    """Read a vector as a cell writes it.

    >>> written("[0.5, -1]"), written("0.5; -1"), written("a b").reason
    (array([ 0.5, -1. ], dtype=float32), array([ 0.5, -1. ], dtype=float32), 'invalid_vector')
    """
    words = [word for word in re.split(r"[\s,;]+", text.strip("[]() \t")) if word]
    if not words or text.lower() in MISSING:
        return NOTHING
    if CALLED.fullmatch(text):
        return Refusal(UNFILED, f"'{text}' is no vector")
    try:
        return _float32(np.array(words, dtype=np.float64))
    except ValueError as error:
        return Refusal("invalid_vector", f"{error}; a vector is numbers between commas or spaces, in brackets or not")


@contextmanager
def stored(path: str) -> Iterator[Find]:
    """Look vectors up in a `.npz` by name, or by sequence, however it is written.

    The file holds one array per protein, called by its name, or two: the names (text) and the vectors [P, D].

    Raises: DataError where the file is missing, damaged or holds neither.
    """
    why = refused(path)
    if why is not None:
        raise DataError(f"{why[1]}.")
    with ExitStack() as opened:
        with _errors(path):
            _bearable(path)
            file = np.load(opened.enter_context(Path(path).open("rb")), allow_pickle=False)
        if not hasattr(file, "files"):
            raise DataError(f"{path}: a single array has no names; write names and vectors with numpy.savez")
        arrays = _by_name(opened.enter_context(file), path)
        yield lambda text: _looked_up(arrays, text, path)


def _bearable(path: str) -> None:
    """Refuse a packed file one of whose arrays is larger than any file that is read.

    Raises: DataError where it is.
    """
    if not is_zipfile(path):
        return
    with ZipFile(path) as packed:
        large = [each.filename for each in packed.infolist() if each.file_size > MOST]
    if large:
        raise DataError(f"{path}: '{large[0]}' unpacks to over {MOST >> 30} GiB; write one array per protein")


@contextmanager
def _errors(path: str) -> Iterator[None]:
    with read_errors(path):
        try:
            yield
        except DataError:
            raise
        except (BadZipFile, EOFError, ValueError, zlib.error) as error:
            raise DataError(f"{path}: not a readable .npz of numbers ({error}); write it with numpy.savez") from error


def _by_name(file: Any, path: str) -> Any:
    """Return what maps names to vectors: the file itself, which reads what is asked for, or its two arrays."""
    if len(file.files) != 2:
        return file
    with _errors(path):
        first, second = (file[name] for name in file.files)
    for names, vectors in ((first, second), (second, first)):
        if names.dtype.kind in "US" and names.ndim == 1 and vectors.ndim == 2 and len(names) == len(vectors):
            return dict(zip(names.astype(str).tolist(), vectors, strict=True))
    return file


def _looked_up(arrays: Any, text: str, path: str) -> NDArray[np.float32] | Refusal:
    for key in (text, standardised(text)):
        if isinstance(key, str) and key in arrays:
            with _errors(path):
                return _float32(np.asarray(arrays[key], dtype=np.float64))
    shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    return Refusal("unknown_protein", f"'{shown}' is none of the {len(arrays)} proteins in {path}")


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite, and is refused as such
        return values.astype(np.float32)
