"""Find or fetch the files of a card and read them as the table it describes."""

from __future__ import annotations

import gzip
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from molgraph.data.cards import MIRROR, PACKAGE, Card, File, card
from molgraph.data.fetch import Expected, digest, fetch
from molgraph.errors import ConfigError, DataError, ResourceError

if TYPE_CHECKING:
    import pandas as pd


def mirror() -> Path | None:
    """Return the folder that MOLGRAPH_DATA names, if it names one.

    Raises: ConfigError where it names no folder.
    """
    named = os.environ.get("MOLGRAPH_DATA")
    if not named:
        return None
    if not Path(named).is_dir():
        raise ConfigError(f"MOLGRAPH_DATA names '{named}', which is no folder: correct or unset it.")
    return Path(named)


def cache_folder() -> Path:
    """Return where downloads are kept: MOLGRAPH_CACHE, else this system's cache folder."""
    home = Path.home()
    if named := os.environ.get("MOLGRAPH_CACHE"):
        base = Path(named)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "molgraph" / "Cache"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches" / "molgraph"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "molgraph"
    return base / "datasets"


def path(name: str, *, download: bool = True) -> Path:
    """Return the first file of a dataset, checked; fetch it where it is nowhere yet.

    Raises: ConfigError for an unknown name; DataError where the dataset cannot be had or is not the expected
    one; ResourceError where the download fails.
    """
    return _located(card(name), download)[0][1]


def load(name: str, *, download: bool = True) -> pd.DataFrame:
    """Return a dataset as the table its card describes: ids and inputs as text, targets as numbers, NaN for blank.

    Raises: as `path`; DataError where a column of the card is missing.
    """
    wanted = card(name)
    (first, where), *more = _located(wanted, download)
    table = _read(first, where, wanted)
    for file, where in more:
        more_columns = _read(file, where, wanted)
        try:
            table = _joined(table, more_columns, file.join)
        except (ValueError, KeyError) as error:
            raise DataError(f"{where}: cannot be joined by '{file.join}' to dataset '{name}': {error}") from error
    if missing := [column for column in wanted.names if column not in table.columns]:
        there = ", ".join(table.columns)
        raise DataError(f"{where}: dataset '{name}' lacks the column '{missing[0]}'; it has {there}.")
    table = table[list(wanted.names)]
    table.attrs["metrics"] = [wanted.metric]  # by which its benchmark ranks: a training shows it first
    return table


def _located(wanted: Card, download: bool) -> list[tuple[File, Path]]:
    """Return the files of the first source that is here whole, else fetch those that can be fetched."""
    for source in wanted.sources:
        here = [(file, _here(file)) for file in source]
        found = [(file, where) for file, where in here if where]
        if len(found) == len(here):
            for file, where in found:
                _check(file, where)
            return found
    online = [file for file in wanted.files if file.scheme not in (MIRROR, PACKAGE)]
    if not online or not download:
        raise DataError(_nowhere(wanted))
    return [(file, _here(file) or _fetched(file)) for file in online]


def _here(file: File) -> Path | None:
    """Return where a file lies on this machine, None where it does not."""
    if file.scheme == PACKAGE:
        package, _, rest = file.place.partition("/")
        spec = find_spec(package)
        roots = list(spec.submodule_search_locations or []) if spec else []
        found = [Path(root) / rest for root in roots]
    else:
        shelf = mirror()
        found = [shelf / (file.place if file.scheme == MIRROR else file.filename)] if shelf else []
        if file.scheme != MIRROR:
            found.append(cache_folder() / file.filename)
    return next((where for where in found if where.is_file()), None)


def _fetched(file: File) -> Path:
    """Fetch a file into the cache and keep its checksum beside it."""
    target = cache_folder() / file.filename
    noted = _record(target)
    expected = Expected(file.sha256 or _recorded(noted), file.md5, file.bytes)
    fetch(file.at, target, expected)
    if not expected.sha256:
        try:
            noted.write_text(f"{digest(target)}  {target.name}\n", encoding="utf-8")
        except OSError as error:
            raise ResourceError(f"cannot write {noted}: {error.strerror or error}") from error
    return target


def _check(file: File, where: Path) -> None:
    """Compare a file with its card or, where the card leaves the checksum blank, with the first download."""
    if file.scheme != PACKAGE:  # a package's files are checked by its installer
        sha256 = file.sha256 or _recorded(_record(where))
        Expected(sha256, file.md5, file.bytes).check(where)


def _record(where: Path) -> Path:
    """Return the file that keeps the checksum of a first download, in the format of `sha256sum`."""
    return where.with_name(where.name + ".sha256")


def _recorded(noted: Path) -> str:
    return noted.read_text(encoding="utf-8").partition(" ")[0] if noted.exists() else ""


def _nowhere(wanted: Card) -> str:
    if not wanted.files:
        return f"dataset '{wanted.name}' is not for download. {' '.join(wanted.notes)} See {wanted.page}"
    places = ", ".join(dict.fromkeys(file.at for file in wanted.files))
    return (
        f"dataset '{wanted.name}' is not on this machine ({places}): name a folder that holds it with MOLGRAPH_DATA, "
        f"allow the download, or see {wanted.page}"
    )


def _joined(table: pd.DataFrame, more: pd.DataFrame, join: str) -> pd.DataFrame:
    """Stack two tables, or join them by a shared column (`row`: side by side)."""
    import pandas as pd

    if not join:
        return pd.concat([table, more], ignore_index=True)
    if join == "row":
        return pd.concat([table, more], axis=1)
    return table.merge(more, on=join, how="left", validate="many_to_one")


def _read(file: File, where: Path, wanted: Card) -> pd.DataFrame:
    """Read one file and give its columns the card's names.

    Raises: DataError where the file cannot be read or lacks a column of the card.
    """
    suffixes = Path(file.member or where.name).suffixes
    try:
        with _opened(file, where) as stream:
            if ".npz" in suffixes:
                table = _images(stream, wanted)
            elif ".sdf" in suffixes:
                table = _molecules(stream)
            else:
                table = _cells(stream, file, suffixes, wanted)
        table = table.rename(columns=dict(file.rename)).assign(**file.add)
        table = table.astype({target.name: float for target in wanted.targets if target.name in table})
    except DataError:
        raise
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{where}: cannot be read as dataset '{wanted.name}': {error}") from error
    known = [name for name in wanted.names if name in table.columns]
    if not known:
        listed = ", ".join(map(str, table.columns))
        raise DataError(f"{where}: none of the columns of dataset '{wanted.name}' is in it; it has {listed}.")
    return table[known]


@contextmanager
def _opened(file: File, where: Path) -> Iterator[BinaryIO]:
    """Open the bytes of a file, out of its zip or gzip."""
    if file.member:
        with zipfile.ZipFile(where) as archive, archive.open(file.member) as stream:
            yield cast(BinaryIO, stream)
    elif where.suffix == ".gz":
        with gzip.open(where) as unpacked:
            yield cast(BinaryIO, unpacked)
    else:
        with where.open("rb") as plain:
            yield plain


def _cells(stream: BinaryIO, file: File, suffixes: list[str], wanted: Card) -> pd.DataFrame:
    """Read delimited text; only the columns of the card, of which only blank numbers count as missing."""
    import pandas as pd

    tabbed, spaced = {".tsv", ".tab"} & set(suffixes), ".smi" in suffixes
    inside = {name: name for name in wanted.names} | {name: original for original, name in file.rename.items()}
    text = {inside[name] for name, what in wanted.columns.items() if what != "number"}
    numbers = {inside[name] for name in wanted.names} - text
    table = pd.read_csv(
        stream,
        sep=file.separator or ("\t" if tabbed else r"\s+" if spaced else ","),
        header=None if file.header else "infer",
        names=list(file.header) or None,
        skiprows=file.skip,
        usecols=lambda name: name in text or name in numbers,
        dtype=dict.fromkeys(text, str) | dict.fromkeys(numbers, float),
        keep_default_na=False,
        na_values={name: [""] for name in numbers},
        encoding="utf-8-sig",
    )
    return table.assign(**{str(name): table[name].str.strip() for name in table.columns if name in text})


def _images(stream: BinaryIO, wanted: Card) -> pd.DataFrame:
    """Read a MedMNIST archive: arrays `<split>_images` and `<split>_labels` become one row per image."""
    import numpy as np
    import pandas as pd

    archive = np.load(stream, allow_pickle=False)
    labels = [target.name for target in wanted.targets]
    tables = []
    for split in ("train", "val", "test"):
        table = pd.DataFrame(archive[f"{split}_labels"].astype(float), columns=labels)
        table.insert(0, "image", list(archive[f"{split}_images"]))
        table.insert(1, "split", split)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _molecules(stream: BinaryIO) -> pd.DataFrame:
    """Read an SD file: a SMILES, the title and the tags of every record."""
    import pandas as pd
    from rdkit import Chem

    rows: list[dict[str, Any]] = []
    for number, molecule in enumerate(Chem.ForwardSDMolSupplier(stream), start=1):
        if molecule is None:
            raise ValueError(f"record {number} is no valid molecule")
        tags = {tag: molecule.GetProp(tag) for tag in molecule.GetPropNames()}
        rows.append({"smiles": Chem.MolToSmiles(Chem.RemoveHs(molecule)), "_Name": molecule.GetProp("_Name")} | tags)
    return pd.DataFrame(rows)
