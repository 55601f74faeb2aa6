from __future__ import annotations

import gzip
import hashlib
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest

from molgraph.data import shelf
from molgraph.data.cards import Card, File, Target
from molgraph.errors import ConfigError, DataError

TABLE = "Drug,Y,extra\nCCO,1.5,x\n CCN ,,y\nNA,0,z\n"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MOLGRAPH_DATA", raising=False)
    return tmp_path / "cache" / "datasets"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> partial[None]:
    """Make `card` know one more dataset, `mine`."""

    def known(*files: File, columns: tuple[str, ...] = ("smiles",), targets: tuple[str, ...] = ("Y",)) -> None:
        made = Card(
            "mine", "molecule", "", "", "", "", "", "", "https://example.org", 0,
            dict.fromkeys(columns, "molecule"), tuple(Target(name, "regression") for name in targets), files,
        )  # fmt: skip
        monkeypatch.setattr(shelf, "card", lambda name: made)

    return partial(known)


def test_only_what_a_card_names_is_read_and_only_a_blank_number_is_missing(
    site: tuple[Path, str], cache: Path, use: partial[None]
) -> None:
    folder, url = site
    (folder / "set.csv").write_bytes(b"\xef\xbb\xbf" + TABLE.encode())  # as a spreadsheet writes it, with a BOM
    use(File(f"{url}/set.csv", rename={"Drug": "smiles"}))
    table = shelf.load("mine")
    assert list(table.columns) == ["smiles", "Y"]
    assert table["smiles"].tolist() == ["CCO", "CCN", "NA"]
    np.testing.assert_array_equal(table["Y"], [1.5, np.nan, 0.0])


def test_a_blank_checksum_is_recorded_once_and_compared_from_then_on(
    site: tuple[Path, str], cache: Path, use: partial[None]
) -> None:
    folder, url = site
    (folder / "set.csv").write_bytes(TABLE.encode())
    use(File(f"{url}/set.csv", rename={"Drug": "smiles"}))
    where = shelf.path("mine")
    recorded = hashlib.sha256(TABLE.encode()).hexdigest()
    assert where == cache / "set.csv"
    assert (cache / "set.csv.sha256").read_text(encoding="utf-8") == f"{recorded}  set.csv\n"

    where.write_text(TABLE.replace("1.5", "9.9"), encoding="utf-8")
    with pytest.raises(DataError, match=f"expected {recorded}"):
        shelf.load("mine")

    where.unlink()
    (folder / "set.csv").write_text(TABLE.replace("1.5", "9.9"), encoding="utf-8")
    with pytest.raises(DataError, match=f"expected {recorded}"):
        shelf.load("mine")
    assert not where.exists()


def test_the_mirror_comes_before_the_cache_and_both_before_the_net(
    site: tuple[Path, str], cache: Path, tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, url = site
    (folder / "set.csv").write_text(TABLE, encoding="utf-8")
    use(File("mirror:deep/own.csv"), File(f"{url}/set.csv", rename={"Drug": "smiles"}))
    assert shelf.path("mine") == cache / "set.csv"
    mirror = tmp_path / "mirror"
    (mirror / "deep").mkdir(parents=True)
    monkeypatch.setenv("MOLGRAPH_DATA", str(mirror))
    (mirror / "set.csv").write_text(TABLE, encoding="utf-8")  # a mirror may hold the download itself
    assert shelf.path("mine") == mirror / "set.csv"
    (mirror / "deep" / "own.csv").write_text("smiles,Y\nC,1\n", encoding="utf-8")
    assert shelf.path("mine") == mirror / "deep" / "own.csv"


def test_a_file_of_the_mirror_that_is_not_the_one_on_the_card_is_refused(
    tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    (tmp_path / "own.csv").write_text(TABLE, encoding="utf-8")
    use(File("mirror:own.csv", sha256="0" * 64))
    with pytest.raises(DataError, match=r"own\.csv: sha256 is .*expected 0000"):
        shelf.path("mine")


def test_without_download_a_dataset_that_is_nowhere_says_what_to_do(cache: Path, use: partial[None]) -> None:
    use(File("mirror:a.csv"), File("https://example.org/a.csv"))
    with pytest.raises(DataError, match=r"mirror:a\.csv, https://example\.org/a\.csv.*MOLGRAPH_DATA"):
        shelf.path("mine", download=False)


def test_what_may_not_be_downloaded_says_where_to_register(cache: Path) -> None:
    with pytest.raises(DataError, match=r"'pdbbind' is not for download\. Needs registration.*pdbbind-plus"):
        shelf.load("pdbbind")


def test_a_mirror_that_is_no_folder_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="which is no folder"):
        shelf.path("esol", download=False)


def test_parts_of_one_zip_are_stacked_and_fetched_once(site: tuple[Path, str], cache: Path, use: partial[None]) -> None:
    folder, url = site
    with zipfile.ZipFile(folder / "group.zip", "w") as archive:
        archive.writestr("g/train_val.csv", "Drug,Y\nC,1\nCC,2\n")
        archive.writestr("g/test.csv", "Drug,Y\nCCC,3\n")
    rename = {"Drug": "smiles"}
    use(
        *(
            File(f"{url}/group.zip", member=f"g/{part}.csv", rename=rename, add={"split": part})
            for part in ("train_val", "test")
        ),
        columns=("smiles", "split"),
    )
    table = shelf.load("mine")
    assert table["split"].tolist() == ["train_val", "train_val", "test"]
    assert table["Y"].tolist() == [1.0, 2.0, 3.0]
    assert sorted(file.name for file in cache.iterdir()) == ["group.zip", "group.zip.sha256"]


def test_tables_are_joined_by_a_column_and_a_key_that_occurs_twice_is_refused(
    tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    with gzip.open(tmp_path / "pairs.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write("id,Y\nb,1\na,2\nb,3\n")
    (tmp_path / "ligands.tsv").write_text("id\tsmiles\na\tC\nb\tCC\n", encoding="utf-8")
    use(File("mirror:pairs.csv.gz"), File("mirror:ligands.tsv", join="id"), columns=("id", "smiles"))
    assert shelf.load("mine")["smiles"].tolist() == ["CC", "C", "CC"]
    (tmp_path / "ligands.tsv").write_text("id\tsmiles\nb\tC\nb\tCC\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"ligands\.tsv.*cannot be joined by .id"):
        shelf.load("mine")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "none of the columns"),
        ("Drug,b\nC,2\n", "lacks the column 'Y'; it has smiles"),
        ("Drug,Y\nC,high\n", "cannot be read as dataset 'mine'.*high"),
        ("", "cannot be read as dataset 'mine'"),
    ],
)
def test_a_file_that_is_not_what_the_card_says_names_itself(
    tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    (tmp_path / "own.csv").write_text(content, encoding="utf-8")
    use(File("mirror:own.csv", rename={"Drug": "smiles"}))
    with pytest.raises(DataError, match=message) as caught:
        shelf.load("mine")
    assert "own.csv" in str(caught.value)


def test_a_damaged_archive_names_itself(tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    for name, member in (("own.csv.gz", ""), ("own.zip", "a.csv"), ("own.npz", "")):
        (tmp_path / name).write_bytes(b"no archive at all")
        use(File(f"mirror:{name}", member=member))
        with pytest.raises(DataError, match=f"{name}: cannot be read"):
            shelf.load("mine")


def test_images_come_one_per_row_with_their_split(
    tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    arrays: dict[str, np.ndarray] = {}
    for at, split in enumerate(("train", "val", "test")):
        arrays[f"{split}_images"] = np.full((2, 4, 4), at, np.uint8)
        arrays[f"{split}_labels"] = np.array([[0, 1], [1, at]], np.uint8)
    np.savez(tmp_path / "own.npz", **arrays)  # type: ignore[arg-type]
    use(File("mirror:own.npz"), columns=("image", "split"), targets=("a", "b"))
    table = shelf.load("mine")
    assert table["split"].tolist() == ["train"] * 2 + ["val"] * 2 + ["test"] * 2
    assert table["b"].tolist() == [1, 0, 1, 1, 1, 2]
    assert table["image"][5].shape == (4, 4)
    assert table["image"][5].max() == 2


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("win32", "LOCALAPPDATA", ("molgraph", "Cache", "datasets")),
        ("darwin", "HOME", ("Library", "Caches", "molgraph", "datasets")),
        ("linux", "XDG_CACHE_HOME", ("molgraph", "datasets")),
    ],
)
def test_the_cache_lies_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, tail: tuple[str, ...]
) -> None:
    monkeypatch.delenv("MOLGRAPH_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv(variable, str(tmp_path))
    assert shelf.cache_folder() == tmp_path.joinpath(*tail)


def test_a_text_that_looks_like_a_number_stays_a_text(
    tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    (tmp_path / "own.csv").write_text("id,smiles,Y\n007,C,1\n", encoding="utf-8")
    use(File("mirror:own.csv"), columns=("id", "smiles"))
    table = shelf.load("mine")
    assert table["id"].tolist() == ["007"]
    assert pd.api.types.is_float_dtype(table["Y"])


def test_an_sd_file_with_a_record_that_is_no_molecule_names_the_record(
    tmp_path: Path, use: partial[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdkit import Chem, rdBase

    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    block = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
    record = f"{block}> <y>\n1.5\n\n$$$$\n"
    (tmp_path / "own.sdf").write_text(record, encoding="utf-8")
    use(File("mirror:own.sdf", rename={"y": "Y"}))
    table = shelf.load("mine")
    assert table["smiles"].tolist() == ["CCO"]
    assert table["Y"].tolist() == [1.5]
    (tmp_path / "own.sdf").write_text(record + record.replace("V2000", "V9999"), encoding="utf-8")
    with rdBase.BlockLogs(), pytest.raises(DataError, match=r"own\.sdf.*record 2 is no valid molecule"):
        shelf.load("mine")
