"""Read files that a stranger may have written: what they say is checked before anything is made of it."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from molgraph.errors import CheckpointError, MolgraphError, ResourceError

JSON_BYTES = 64 * 2**20  # the recipe of 600 targets has 5 MB
ROOM = 64 * 2**20  # bytes that arrays may take in any case, and then
RATIO = 50  # times the bytes of the file: fingerprints, ids and numbers never pack better
WHAT = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, MolgraphError, NotImplementedError,
    OSError, RecursionError, RuntimeError, StopIteration, TypeError, ValueError, BadZipFile, zlib.error, EOFError,
)  # fmt: skip


@contextmanager
def damaged(path: Path, what: str = "damaged") -> Iterator[None]:
    """Turn whatever a file of a model folder makes go wrong into a CheckpointError that names the file.

    Raises: ResourceError, as it came, where there is no permission to read it.
    """
    try:
        yield
    except ResourceError:
        raise
    except CheckpointError as error:
        if str(path.parent) in str(error):
            raise
        raise CheckpointError(f"{path}: {error}") from error
    except PermissionError as error:
        raise ResourceError(f"{path}: no permission to read; ask its owner or copy it.") from error
    except WHAT as error:
        said = " ".join(str(error).split())[:300].rstrip(".")
        why = said if isinstance(error, MolgraphError) else f"{type(error).__name__}: {said}"
        raise CheckpointError(f"{path}: {what}: {why}. Copy the whole folder again, or train again.") from error


def read_json(path: Path, most: int = JSON_BYTES) -> Any:
    """Read a JSON file of at most so many bytes.

    Raises: ValueError where it is no such file, or nested deeper than anything that is ours; OSError.
    """
    if not path.is_file():  # a pipe or a device would be waited for
        raise ValueError("not a file")
    if path.stat().st_size > most:
        raise ValueError(f"{path.stat().st_size:,} bytes, and none of ours has more than {most:,}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("lists within lists without end") from error


def refuse_odd_numbers(value: Any, name: str) -> None:
    """Raise ValueError where a number somewhere in a JSON value is not finite or too large to be meant."""
    if isinstance(value, dict):
        for key, each in value.items():
            refuse_odd_numbers(each, f"{name}.{key}")
    elif isinstance(value, list):
        for each in value:
            refuse_odd_numbers(each, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(value, int) and abs(value) > 2**53:
            raise ValueError(f"'{name}' holds a number of {len(str(value))} digits")
        if not math.isfinite(value):
            raise ValueError(f"'{name}' holds {value}, which is no number")


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an `.npz` whose arrays, by what their headers say, take no more memory than the file can account for.

    Texts come as an array of objects, each as long as it is: numpy keeps all of them as long as the longest.

    Raises: ValueError, and what zipfile and numpy raise, where the file is damaged or claims more than it holds.
    """
    if not path.is_file():
        raise ValueError("not a file")
    left = ROOM + RATIO * path.stat().st_size
    found: dict[str, NDArray[Any]] = {}
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                shape, kind = _header(file)
                count = math.prod(shape)
                if kind.kind == "U":
                    texts, left = _texts(file, count, kind, left)
                    array = np.empty(count, dtype=object)
                    array[:] = texts
                else:
                    left -= count * kind.itemsize
                    _refuse_above(left)
                    array = np.frombuffer(_exactly(file, count * kind.itemsize), dtype=kind).copy()
                if file.read(1):
                    raise ValueError(f"{entry.filename} is longer than it says")
            found[entry.filename.removesuffix(".npy")] = array.reshape(shape)
    return found


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, fortran, kind = read(file)
    if kind.hasobject or kind.kind not in "biufU" or (fortran and len(shape) > 1) or any(size < 0 for size in shape):
        raise ValueError(f"arrays of {kind} and shape {shape} are none of ours")
    if math.prod(shape) > 2**40 or kind.itemsize > 2**26:
        raise ValueError(f"an array of shape {shape} of {kind} is larger than any of ours")
    return shape, kind


def _texts(file: IO[bytes], count: int, kind: np.dtype[Any], left: int) -> tuple[list[str], int]:
    """Read texts a few at a time; return them and what is left of the memory."""
    texts: list[str] = []
    step = max(1, 2**20 // max(1, kind.itemsize))
    while len(texts) < count:
        some = min(step, count - len(texts))
        raw = _exactly(file, some * kind.itemsize)
        each = np.frombuffer(raw, dtype=kind).tolist() if kind.itemsize else [""] * some
        left -= sum(map(len, each)) + 8 * some
        _refuse_above(left)
        texts += each
    return texts, left


def _exactly(file: IO[bytes], count: int) -> bytes:
    raw = file.read(count)
    if len(raw) != count:
        raise ValueError("it is shorter than it says")
    return raw


def _refuse_above(left: int) -> None:
    if left < 0:
        raise ValueError("its arrays would take more memory than a file of its size can hold")
