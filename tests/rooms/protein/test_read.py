from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard

from molgraph.data.table import Table
from molgraph.errors import DataError
from molgraph.rooms.protein.read import COLUMNS, FASTA_FILES, read

FASTA = """\
>sp|P62988|UBIQ_HUMAN Ubiquitin, human
MQIFVKTLTGKTITLEVEPSDTIENVKAK
IQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG

; a comment
>second
mkt-AY*
>
MKV
>empty with a description
>last\tone
ACD
"""
ROWS = [
    (
        "sp|P62988|UBIQ_HUMAN",
        "Ubiquitin, human",
        "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG",
    ),
    ("second", "", "mkt-AY*"),
    ("", "", "MKV"),
    ("empty", "with a description", ""),
    ("last", "one", "ACD"),
]


def rows(tables: list[Table]) -> list[tuple[str, ...]]:
    return [tuple(row) for table in tables for row in table.frame.itertuples(index=False)]


@pytest.fixture(params=[*FASTA_FILES, ".FASTA", ".fa.gz", ".faa.zst"])
def fasta(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"proteins{request.param}"
    content = FASTA.encode()
    packed = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(packed(content))
    return path


@pytest.mark.parametrize("block", [1, 2, 4096])
def test_fasta_is_a_table(fasta: Path, block: int) -> None:
    tables = list(read(fasta, block=block))
    assert rows(tables) == ROWS
    assert {table.column for table in tables} == {"sequence"}
    assert np.concatenate([table.rows for table in tables]).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("text", "texts"), [(FASTA, [row[2] for row in ROWS]), ("id,seq\na,MKT\n", ["MKT"])])
def test_standard_input(text: str, texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))
    assert [text for table in read("-") for text in table.texts] == texts


def test_line_ends_of_windows_and_old_macs(tmp_path: Path) -> None:
    path = tmp_path / "proteins.fa"
    path.write_bytes(FASTA.replace("\n", "\r\n").encode("utf-8-sig"))
    assert rows(list(read(path))) == ROWS


def test_what_stands_before_the_first_header_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "bare.fasta"
    path.write_text("MKT\nAYI\n>named\nACD\n", encoding="utf-8")
    assert rows(list(read(path))) == [("", "", "MKTAYI"), ("named", "", "ACD")]


def test_a_damaged_record_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "damaged.fasta"
    path.write_bytes(b">one\nMKT\n>two\nMK\x81T\n>three\nACD\n")
    (table,) = read(path)
    assert list(table.frame["id"]) == ["one", "two", "three"]
    assert list(table.broken) == [1] and table.broken[1].reason == "unreadable"
    assert table.texts == ["MKT", "", "ACD"]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.fasta"
    path.write_text("", encoding="utf-8")
    assert list(read(path)) == []


def test_a_column_that_fasta_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "proteins.fasta"
    path.write_text(FASTA, encoding="utf-8")
    assert next(iter(read(path, "id"))).column == "id"
    with pytest.raises(DataError, match="no column 'seqeunce'; did you mean 'sequence'"):
        list(read(path, "seqeunce"))


@pytest.mark.parametrize("name", [*COLUMNS, "Target_Sequence", "Target", "SEQ", "Protein Sequence"])
def test_usual_names_of_the_column(name: str) -> None:
    (table,) = read(pd.DataFrame({"pKd": [7.0], name: ["MKT"]}))
    assert table.column == name and table.texts == ["MKT"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "parquet"])
def test_tables_of_every_format(suffix: str, tmp_path: Path) -> None:
    frame, path = pd.DataFrame({"id": ["a", "b"], "sequence": ["MKT", ""]}), tmp_path / f"table.{suffix}"
    if suffix in ("csv", "tsv"):
        frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    else:
        getattr(frame, {"xlsx": "to_excel", "parquet": "to_parquet"}[suffix])(path, index=False)
    (table,) = read(path)
    assert table.texts == ["MKT", ""]


def test_vectors_out_of_parquet(tmp_path: Path) -> None:
    path = tmp_path / "vectors.parquet"
    pd.DataFrame({"id": ["a", "b"], "embedding": [[0.5, 1.0], None]}).to_parquet(path)
    (table,) = read(path)
    assert table.column == "embedding" and table.texts == ["[0.5, 1.0]", ""]


@pytest.mark.parametrize(
    "source", [["MKT", None, "ACD"], pd.Series(["MKT", None, "ACD"]), np.array(["MKT", "", "ACD"])]
)
def test_sequences_in_memory(source: object) -> None:
    (table,) = read(source)
    assert table.column == "sequence" and table.texts == ["MKT", "", "ACD"]


def test_what_holds_no_proteins_is_refused() -> None:
    with pytest.raises(DataError, match="a list of sequences"):
        list(read(3))
    with pytest.raises(DataError, match="no column is called sequence or alike"):
        list(read(pd.DataFrame({"smiles": ["C"], "name": ["x"]})))
