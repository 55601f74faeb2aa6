"""Bytes and lines of a user's file: compression, encodings, damage."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import pytest
import zstandard

from molgraph.data import stream
from molgraph.data.stream import Lines, open_bytes
from molgraph.errors import DataError, ResourceError

TEXT = "smiles,note\nCCO,5 µM\nc1ccccc1,naïve\n"


def lines_of(path: Path) -> list[str]:
    with open_bytes(path) as opened:
        lines = Lines(opened, str(path))
        found = list(lines)
        assert not lines.broken
        lines.detach()
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_give_the_same_text(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.replace("\n", end).encode(encoding))
    assert [line.rstrip("\r\n") for line in lines_of(path)] == TEXT.splitlines()


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstandard.compress, lambda b: zstandard.compress(b[:20]) + zstandard.compress(b[20:])]
)
@pytest.mark.parametrize("named", [True, False])
def test_compression_is_recognised_with_and_without_its_suffix(tmp_path: Path, pack, named: bool) -> None:
    packed = pack(TEXT.encode())
    suffix = (".gz" if packed.startswith(b"\x1f") else ".zst") if named else ""
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(packed)
    assert "".join(lines_of(path)) == TEXT


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "garbled", "plain"])
def test_damage_is_a_data_error_with_the_file(tmp_path: Path, suffix: str, damage: str) -> None:
    whole = os.urandom(200_000).hex().encode()
    packed = gzip.compress(whole) if suffix == ".gz" else zstandard.ZstdCompressor(write_checksum=True).compress(whole)
    half = len(packed) // 2
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(
        {"cut": packed[:half], "garbled": packed[:half] + b"x" * 99 + packed[half + 99 :], "plain": whole}[damage]
    )
    with pytest.raises(DataError, match=r"a\.csv") as error:
        lines_of(path)
    assert error.value.exit_code == 3


def test_a_line_that_is_no_known_encoding_is_broken_and_the_others_are_read() -> None:
    raw = b"a,b\nCCO,\xc3\xa9\nCC,\x81\nCN,\xb5\n"
    lines = Lines(io.BufferedReader(io.BytesIO(raw)), "a.csv")
    assert list(lines) == ["a,b\n", "CCO,é\n", "\n", "CN,µ\n"]
    assert list(lines.broken) == [3]
    assert "line 3" in lines.broken[3].message


def test_a_nul_byte_breaks_its_line() -> None:
    """RDKit reads a SMILES up to a NUL and no further, so "CC NUL garbage" would be scored as ethane."""
    raw = b"smiles\n" + b"CCO\n" * 5000 + b"CC\0garbage\nCN\n"
    lines = Lines(io.BufferedReader(io.BytesIO(raw)), "a.csv")
    assert list(lines)[-3:] == ["CCO\n", "\n", "CN\n"]
    assert lines.broken[5002].reason == "unreadable"


def test_a_nul_byte_at_the_start_of_a_file_breaks_its_line_too() -> None:
    raw = b"smiles,id\nCC\0,a\nCN,b\n"
    lines = Lines(io.BufferedReader(io.BytesIO(raw)), "a.csv")
    assert list(lines) == ["smiles,id\n", "\n", "CN,b\n"] and lines.broken[2].line == "CC\0,a\n"


@pytest.mark.parametrize(
    ("head", "remedy"),
    [
        ("smiles\nCCO\n".encode("utf-16-le"), "CSV in UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "CSV in UTF-8"),
        (b"PK\x03\x04\0\0", ".xlsx"),
        (b"PAR1\0", ".parquet"),
        (b"\xd0\xcf\x11\xe0\0", "password"),
        (b"\0\1", "CSV in UTF-8"),
    ],
)
def test_a_binary_file_is_refused_with_a_remedy(tmp_path: Path, head: bytes, remedy: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(head)
    with pytest.raises(DataError, match=remedy):
        lines_of(path)


def test_half_a_utf16_character_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.encode("utf-16")[:-1])
    with pytest.raises(DataError, match="UTF-8"):
        lines_of(path)


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "library.csv").touch()
    with (
        pytest.raises(DataError, match=r"no such file; did you mean 'library.csv'"),
        open_bytes(tmp_path / "libary.csv"),
    ):
        pass
    (tmp_path / ".molgraph-1f.part").touch()  # of a program that writes there
    with pytest.raises(DataError, match=r"Known: library\.csv\.$"), open_bytes(tmp_path / "libary.csv"):
        pass
    with pytest.raises(DataError, match="check the folder"), open_bytes(tmp_path / "no" / "a.csv"):
        pass
    with pytest.raises(DataError, match="not a file"), open_bytes(tmp_path):
        pass


def test_no_permission_and_a_bad_disk_are_resource_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TEXT, encoding="utf-8")
    for error, remedy in ((PermissionError(13, "denied"), "no permission"), (OSError(5, "Input/output error"), "disk")):
        monkeypatch.setattr(Path, "open", lambda *_, error=error: (_ for _ in ()).throw(error))
        with pytest.raises(ResourceError, match=f"a.csv.*{remedy}"), open_bytes(path):
            pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root and Windows may read everything")
def test_no_permission_for_real(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch(mode=0)
    with pytest.raises(ResourceError, match="no permission"), open_bytes(path):
        pass


def test_standard_input_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(TEXT.encode()))))
    monkeypatch.setattr(sys, "stdin", given)
    with open_bytes("-") as opened:
        lines = Lines(opened, "standard input")
        assert "".join(lines) == TEXT
        lines.detach()
    assert not given.closed


def test_a_line_too_long_is_passed_over_in_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LINE", 1000)
    lines = Lines(io.BufferedReader(io.BytesIO(b"a\n" + b"C" * 5000 + b"\nb\n" + b"N" * 1001)), "a.csv")
    assert list(lines) == ["a\n", "\n", "b\n", "\n"]
    assert [(n, b.reason, len(b.text)) for n, b in lines.broken.items()] == [
        (2, "too_large", 200),
        (4, "too_large", 200),
    ]
