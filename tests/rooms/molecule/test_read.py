"""Molecules out of files and memory: rows + rejects = rows in, nothing lost, nothing shifted."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from rdkit import Chem, RDConfig

from molgraph.data.stream import LINE
from molgraph.data.table import Table
from molgraph.errors import DataError
from molgraph.rooms.molecule.read import COLUMNS, read

ETHANOL = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
PHENOL = Chem.MolToMolBlock(Chem.MolFromSmiles("Oc1ccccc1"))
FIVE_BONDS = Chem.MolToMolBlock(Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False), kekulize=False)


def whole(source: object, column: str | None = None) -> Table:
    (table,) = read(source, column)
    return table


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def sdf(*records: str) -> str:
    return "".join(f"{record}$$$$\n" for record in records)


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))


# --- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [list, tuple, np.array, pd.Series, lambda s: pd.DataFrame({"Drug": s})])
def test_smiles_in_memory(make) -> None:
    table = whole(make(["CCO", "not a smiles", ""]))
    assert table.texts == ["CCO", "not a smiles", ""]
    assert table.rows.tolist() == [1, 2, 3]


def test_missing_values_in_memory_are_empty() -> None:
    assert whole(["C", None, np.nan]).texts == ["C", "", ""]


def test_molecules_in_memory_keep_their_names_and_properties() -> None:
    one, two = Chem.MolFromSmiles("OCC"), Chem.MolFromSmiles("C")
    one.SetProp("_Name", "ethanol")
    one.SetDoubleProp("pIC50", 5.5)
    table = whole([one, None, two])
    assert table.frame.to_dict("list") == {
        "smiles": ["CCO", "", "C"],
        "_Name": ["ethanol", "", ""],
        "pIC50": ["5.5", "", ""],
    }


def test_a_property_that_is_text_stays_as_it_is() -> None:
    molecule = Chem.MolFromSmiles("C")
    for name, value in (("plate", "000123"), ("batch", "1e5"), ("dose", "1.50")):
        molecule.SetProp(name, value)
    assert whole([molecule]).frame.iloc[0].tolist() == ["C", "000123", "1e5", "1.50"]


def test_a_frame_with_a_column_of_molecules() -> None:
    frame = pd.DataFrame({"ID": [1, 2], "Molecule": [Chem.MolFromSmiles("OCC"), None]})
    table = whole(frame)
    assert table.column == "Molecule" and table.texts == ["CCO", ""]
    assert isinstance(frame["Molecule"][0], Chem.Mol)


@pytest.mark.parametrize("source", [5, {"smiles": ["C"]}, None, Chem.MolFromSmiles("C")])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(DataError, match="give a path, a DataFrame or a list"):
        whole(source)


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLUMNS)
def test_usual_columns_are_found(tmp_path: Path, name: str) -> None:
    assert whole(write(tmp_path / "a.csv", f"id,{name.upper()}\n1,C\n")).texts == ["C"]


def test_a_given_column_wins(tmp_path: Path) -> None:
    assert whole(write(tmp_path / "a.csv", "smiles,product\nC,CC\n"), "product").texts == ["CC"]


def test_a_file_without_header_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"Columns: CCO, 1\.5\. If there is no header line, add one or name the file \.smi"
    ):
        list(read(write(tmp_path / "a.csv", "CCO,1.5\nCC,2\n")))
    with pytest.raises(DataError) as error:
        list(read(write(tmp_path / "a.csv", "id,activity\n1,2\n")))
    assert "header line" not in str(error.value)


def test_tox21_reads_like_pandas(shared_data: Path) -> None:
    path = shared_data / "molecules" / "tox21.csv"
    expected = pd.read_csv(path, dtype=str, keep_default_na=False)
    found = pd.concat([t.frame for t in read(path)], ignore_index=True)
    assert found.to_dict("list") == expected.to_dict("list")


@pytest.mark.parametrize("name", ["aqsoldb_with_sd", "hiv"])
def test_compressed_sets_read_like_pandas(shared_data: Path, name: str) -> None:
    path = shared_data / "molecules" / f"{name}.csv.gz"
    expected = pd.read_csv(path, dtype=str, keep_default_na=False)
    blocks = list(read(path))
    assert not any(b.broken for b in blocks)
    assert (
        pd.concat([b.frame for b in blocks], ignore_index=True).iloc[:, :8].equals(expected.astype(object).iloc[:, :8])
    )


# --- SMILES files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".smi", ".ism", ".smiles", ".cxsmiles", ".smi.gz", ".smi.zst"])
def test_smiles_files(tmp_path: Path, suffix: str) -> None:
    text = b"CCO ethanol\nC\tmethane gas\n\nN\n# a comment\nCC |$A;B$,c:1| two names |x\nO| x\n"
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(Path(suffix).suffix, bytes)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack(text))
    table = whole(path)
    assert table.frame.to_dict("list") == {
        "smiles": ["CCO", "C", "N", "CC |$A;B$,c:1|", "O|"],
        "name": ["ethanol", "methane gas", "", "two names |x", "x"],
    }
    assert table.rows.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("header", ["SMILES Name", "smiles\tName", "#SMILES Name"])
def test_headers_of_smiles_files(tmp_path: Path, header: str) -> None:
    table = whole(
        write(tmp_path / "a.smi", f"{header}\nCCO ethanol\n" if " " in header else f"{header}\nCCO\tethanol\n")
    )
    assert table.texts == ["CCO"] and table.frame["Name"].tolist() == ["ethanol"]


def test_a_smiles_file_with_many_columns(tmp_path: Path) -> None:
    """As vendors' catalogues come: CXSMILES and its columns, separated by tabs."""
    table = whole(write(tmp_path / "a.cxsmiles", "smiles\tid\tMW\nCC |$A;B$|\tZ1\t30.1\nC\tZ2\n"))
    assert table.frame.iloc[0].tolist() == ["CC |$A;B$|", "Z1", "30.1"]
    assert table.broken[1].reason == "ragged_row"


@pytest.mark.parametrize("text", ["", "\n\n", "# only this\n", "smiles\tname\n", "smiles\n"])
def test_smiles_files_without_rows(tmp_path: Path, text: str) -> None:
    assert list(read(write(tmp_path / "a.smi", text))) == []


def test_a_bad_line_of_a_smiles_file_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_bytes(b"C a\n" + b"C" * (LINE + 1) + b"\nN b\n\x81 c\nO d\n")
    table = whole(path)
    assert table.texts == ["C", "", "N", "", "O"]
    assert {i: r.reason for i, r in table.broken.items()} == {1: "too_large", 3: "unreadable"}


def test_blocks_stream_through(tmp_path: Path, nci: list[str]) -> None:
    path = write(tmp_path / "a.smi", "".join(f"{s}\t{i}\n" for i, s in enumerate(nci)))
    blocks = list(read(path, block=1000))
    assert [len(b) for b in blocks] == [1000] * 4 + [999]
    assert [t for b in blocks for t in b.texts] == nci


def test_rdkits_own_nci_file(nci: list[str]) -> None:
    blocks = list(read(Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"))
    assert [t for b in blocks for t in b.texts] == nci
    assert blocks[0].frame["name"][0] == "1"


@pytest.mark.parametrize(
    ("text", "smiles", "others"),
    [
        ("smiles,id\nCCO,1\n", ["CCO"], {"id": ["1"]}),
        ("id;SMILES\n1;CCO\n", ["CCO"], {"id": ["1"]}),
        ("CCO 1\nC\n", ["CCO", "C"], {"name": ["1", ""]}),
        ("smiles\nCCO\n\nC\n", ["CCO", "", "C"], {}),
    ],
)
def test_standard_input_is_a_table_or_smiles(
    monkeypatch: pytest.MonkeyPatch, text: str, smiles: list[str], others: dict[str, list[str]]
) -> None:
    pipe(monkeypatch, text)
    table = whole("-")
    assert table.texts == smiles and table.origin == "standard input"
    assert table.frame.drop(columns=table.column).to_dict("list") == others


def test_standard_input_without_rows_or_column(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, "")
    assert list(read("-")) == []
    pipe(monkeypatch, "id,y\n1,2\n")
    with pytest.raises(DataError, match="standard input: no column is called smiles"):
        list(read("-"))


# --- SDF ------------------------------------------------------------------------------------------------------------


def test_tags_of_any_record_are_columns_of_every_block(tmp_path: Path) -> None:
    text = sdf(
        "ethanol" + ETHANOL + "> <ID> (1)\n007\n\n> <note>\ntwo\nlines\n\n",
        PHENOL + ">  <IC50 (>10)>\n> 5\n\n> <ID\n1e-3\n\n> DT12\nx\n\n",
    )
    blocks = list(read(write(tmp_path / "a.sdf", text), block=1))
    assert [list(b.frame) for b in blocks] == [["smiles", "_Name", "ID", "note", "IC50 (>10)", "DT12"]] * 2
    assert blocks[0].frame.iloc[0].tolist() == ["CCO", "ethanol", "007", "two\nlines", "", ""]
    assert blocks[1].frame.iloc[0].tolist() == ["Oc1ccccc1", "", "1e-3", "", "> 5", "x"]


def test_a_title_may_begin_like_a_tag(tmp_path: Path) -> None:
    table = whole(write(tmp_path / "a.sdf", sdf(">95% pure" + ETHANOL + "> <ID>\n7\n\n")))
    assert list(table.frame) == ["smiles", "_Name", "ID"] and not table.broken
    assert table.frame.iloc[0].tolist() == ["CCO", ">95% pure", "7"]


def test_a_tag_given_twice_keeps_both(tmp_path: Path) -> None:
    assert whole(write(tmp_path / "a.sdf", sdf(ETHANOL + "> <a>\n1\n\n> <a>\n2\n\n"))).frame["a"].tolist() == ["1\n2"]


def test_a_tag_called_smiles_stays_the_users(tmp_path: Path) -> None:
    path = write(tmp_path / "a.sdf", sdf(ETHANOL + "> <smiles>\nOCC\n\n> <_Name>\nmine\n\n"))
    table = whole(path)
    assert table.column == "smiles_" and table.texts == ["CCO"]
    assert table.frame[["smiles", "_Name"]].iloc[0].tolist() == ["OCC", "mine"]
    assert whole(path, "smiles").texts == ["OCC"]
    with pytest.raises(DataError, match="no column 'x'"):
        whole(path, "x")


def test_a_broken_record_shifts_nothing_and_keeps_its_tags(tmp_path: Path) -> None:
    short = ETHANOL.replace("  3  2", " 99  2")
    text = sdf(*(f"r{i}" + b + f"> <i>\n{i}\n\n" for i, b in enumerate([ETHANOL, FIVE_BONDS, short, "\n", PHENOL])))
    table = whole(write(tmp_path / "a.sdf", text))
    assert table.texts == ["CCO", "", "", "", "Oc1ccccc1"]
    assert table.frame["i"].tolist() == list("01234")
    assert {i: (r.row, r.reason) for i, r in table.broken.items()} == {
        i: (i + 1, "invalid_molblock") for i in (1, 2, 3)
    }
    assert "valence" in table.broken[1].message and "a.sdf" in table.broken[1].message
    assert table.broken[1].text == "r1"


def test_an_sdf_cut_short_breaks_its_last_record_only(tmp_path: Path) -> None:
    table = whole(write(tmp_path / "a.sdf", sdf(ETHANOL, PHENOL) + PHENOL[: len(PHENOL) // 2]))
    assert table.texts == ["CCO", "Oc1ccccc1", ""]
    assert list(table.broken) == [2]


def test_windows_line_ends_and_no_last_delimiter(tmp_path: Path) -> None:
    text = sdf(ETHANOL + "> <i>\n1\n\n") + PHENOL + "\n\n"
    assert whole(write(tmp_path / "a.sdf", text.replace("\n", "\r\n"))).texts == ["CCO", "Oc1ccccc1"]
    assert whole(write(tmp_path / "a.mol", PHENOL)).texts == ["Oc1ccccc1"]


@pytest.mark.parametrize("text", ["", "\n\n\n"])
def test_an_empty_sdf_has_no_rows(tmp_path: Path, text: str) -> None:
    assert list(read(write(tmp_path / "a.sdf", text))) == []


def test_a_record_too_large_or_unreadable_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.sdf"
    big = ("> <x>\n" + ("y" * 999 + "\n") * (LINE // 1000 + 1) + "\n").encode()
    path.write_bytes(ETHANOL.encode() + big + b"$$$$\n" + ETHANOL.encode() + b"> <n>\n\x81\n\n$$$$\n" + PHENOL.encode())
    table = whole(path)
    assert table.texts == ["", "", "Oc1ccccc1"]
    assert [r.reason for r in table.broken.values()] == ["too_large", "unreadable"]


def test_a_file_with_endless_tags_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("molgraph.rooms.molecule.read._MOST_TAGS", 2)
    with pytest.raises(DataError, match="more than 2 different tags"):
        whole(write(tmp_path / "a.sdf", sdf(ETHANOL + "> <a>\n1\n\n> <b>\n1\n\n> <c>\n1\n\n")))


def test_stereo_survives(tmp_path: Path) -> None:
    for smiles in ("C[C@H](N)C(=O)O", "F/C=C/F", "[NH3+][C@@H](C)C(=O)[O-]"):
        block = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles))
        assert whole(write(tmp_path / "a.sdf", sdf(block))).texts == [Chem.CanonSmiles(smiles)]


def test_rdkits_nasty_files(shared_data: Path, tmp_path: Path) -> None:
    """Give the counts of records and of parse failures that RDKit's own suite leads to.

    Three differ on purpose: blank lines at the end of an SDF are no record, nor are comments and blank lines of a
    SMILES file, whose expected number counts line ends and one.
    """
    folder = shared_data / "robustness"
    with zipfile.ZipFile(folder / "rdkit_nasty_files.zip") as archive:
        archive.extractall(tmp_path)
    with (folder / "rdkit_nasty_expected.csv").open(encoding="utf-8", newline="") as handle:
        expected = [(tmp_path / name, int(n), failed) for name, n, failed in list(csv.reader(handle))[1:]]
    checked = 0
    for path, records, failed in expected:
        blocks = list(read(path))
        broken = [r for b in blocks for r in b.broken.values()]
        assert [r for b in blocks for r in b.rows] == list(range(1, sum(map(len, blocks)) + 1))
        assert all((text == "") for b in blocks for i, text in enumerate(b.texts) if i in b.broken)
        read_by_rdkit = ("polymer", "markush", "dummy_atom")  # of which we make no molecule
        found = sum(map(len, blocks)), sum(r.reason not in read_by_rdkit for r in broken)
        if failed:
            blank_end = path.name in ("empty.sdf", "github2285.sdf")
            assert found == (records - blank_end, int(float(failed)) - blank_end), path.name
        else:
            assert found[0] == records - 1 - _no_records(path), path.name
        checked += 1
    assert checked == len(expected) > 150


def _no_records(path: Path) -> int:
    """Count the comments, blank lines and headers of a SMILES file."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = text.splitlines()
    if lines[0].startswith(b"#Mol_ID"):  # a table with a header, and a comment within
        return 2
    return sum(not line.strip() or line.startswith(b"#") for line in lines)


def test_a_real_sdf_with_poses_and_tags(shared_data: Path) -> None:
    table = whole(shared_data / "molecules" / "gdb1k_3d.sdf.gz")
    assert len(table) == 1000 and not table.broken
