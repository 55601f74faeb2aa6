"""What a set of pictures (.npz, HDF5) holds, as rows: which picture, its labels, its fold."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.errors import DataError
from molgraph.rooms.imaging import sets
from molgraph.rooms.imaging.source import SET

IMAGES, LABELS = "images", "labels"
SPLIT = "split"
MOST_COLUMNS = 64  # an array of more numbers per row is no label but a picture or a mask


@dataclass(frozen=True)
class Listing:
    """Hold the rows of a set: a column `scan`, one per array beside the pictures; the columns of folds and labels."""

    frame: pd.DataFrame
    split: str
    targets: tuple[str, ...]


def is_set(path: Path) -> bool:
    """Tell whether a file is an .npz or HDF5 file."""
    return bool(sets.kind(path))


def rows(path: Path) -> Listing:
    """List the pictures of a set in the order of its arrays, as MedMNIST lays them out: train_images, train_labels.

    Raises: DataError where the file is damaged or holds no array called images.
    See: Yang 2023, doi 10.1038/s41597-022-01721-8 (MedMNIST v2)
    """
    arrays = _arrays(path)
    heads = [name[: -len(IMAGES)] for name in arrays if name.endswith(IMAGES)]
    if not heads:
        known = ", ".join(f"{name} {shape}" for name, (shape, _) in arrays.items()) or "nothing"
        raise DataError(f"{path}: no array is called images (or train_images, ...); it holds {known}.")
    blocks = [_block(path, head, arrays) for head in heads]
    frame = pd.concat(blocks, ignore_index=True).fillna("")
    targets = tuple(name for name in frame.columns if name.startswith("label"))
    folds = SPLIT if len(heads) > 1 else ""
    return Listing(frame if folds else frame.drop(columns=SPLIT), folds, targets)


def _block(path: Path, head: str, arrays: dict[str, tuple[tuple[int, ...], Any]]) -> pd.DataFrame:
    count = arrays[head + IMAGES][0][0]
    scans = [f"{path.resolve()}{SET}{head}{IMAGES}/{at}" for at in range(count)]
    columns: dict[str, list[str]] = {"scan": scans}
    for name, (shape, values) in arrays.items():
        mine = name.startswith(head) and not name.endswith(IMAGES) and shape[:1] == (count,)
        if mine and len(shape) <= 2 and int(np.prod(shape[1:])) <= MOST_COLUMNS:
            columns |= _columns(name[len(head) :], values())
    columns[SPLIT] = [head.rstrip("_/")] * count
    return pd.DataFrame(columns, dtype=object)


def _columns(name: str, values: NDArray[Any]) -> dict[str, list[str]]:
    """Return the columns of an array: `label` of `labels`, or `label_0`, `label_1`, ... where a row has several."""
    name = name.removesuffix("s") if name == LABELS else name
    table = values.reshape(len(values), -1)
    names = [name] if table.shape[1] == 1 else [f"{name}_{at}" for at in range(table.shape[1])]
    return {each: [_text(value) for value in column] for each, column in zip(names, table.T.tolist(), strict=True)}


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    whole = isinstance(value, bool) or (isinstance(value, float) and value.is_integer())
    return str(int(value)) if whole else str(value)


def _arrays(path: Path) -> dict[str, tuple[tuple[int, ...], Any]]:
    """Return the shape of each array of a set and how to read it; the pictures themselves stay where they are."""
    try:
        if sets.kind(path) == "h5":
            with h5py.File(path, "r") as packed:
                names: list[str] = []
                packed.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
                return {name: (packed[name].shape, _reader_h5(path, name)) for name in names}
        with zipfile.ZipFile(path) as packed:
            arrays = [name for name in packed.namelist() if name.endswith(".npy")]
            return {name[:-4]: (_shape(packed, name), _reader_npz(path, name[:-4])) for name in arrays}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: the set is damaged or cut short ({error}); fetch it again.") from error


def _shape(packed: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    """Read the shape of an array without the array.

    See: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
    """
    with packed.open(name) as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape: tuple[int, ...] = header(file)[0]
        return shape


def _reader_npz(path: Path, name: str) -> Any:
    def read() -> NDArray[Any]:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays[name])

    return read


def _reader_h5(path: Path, name: str) -> Any:
    def read() -> NDArray[Any]:
        with h5py.File(path, "r") as packed:
            return np.asarray(packed[name][()])

    return read
