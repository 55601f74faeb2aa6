"""Bytes of files, unpacked within bounds, read in quiet."""

from __future__ import annotations

import gzip
import logging
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from molgraph.rooms.imaging import content as module
from molgraph.rooms.imaging import scan
from molgraph.rooms.imaging.content import content, quiet
from molgraph.rooms.imaging.prepare import prepare
from molgraph.rooms.imaging.read import read
from molgraph.rooms.imaging.scan import ScanError


def reason_of(path: Path) -> str:
    with pytest.raises(ScanError) as caught:
        content(path, path.name)
    assert path.name in caught.value.message
    return caught.value.reason


def test_packed_or_not(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"hello")
    (tmp_path / "b").write_bytes(gzip.compress(b"hello"))
    assert content(tmp_path / "a", "a") == content(tmp_path / "b", "b") == b"hello"


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "UNPACKED", 1000)
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(b"\0" * 100_000))
    assert reason_of(tmp_path / "x.nii.gz") == "too_large"
    (tmp_path / "y.nii.gz").write_bytes(gzip.compress(b"\0" * 1000))
    assert len(content(tmp_path / "y.nii.gz", "y")) == 1000


@pytest.mark.parametrize("cut", [3, 12, -4])
def test_what_is_cut_short(cut: int, tmp_path: Path):
    (tmp_path / "x").write_bytes(gzip.compress(bytes(range(256)) * 9)[:cut])
    assert reason_of(tmp_path / "x") == "truncated"


def test_what_is_empty_or_closed(tmp_path: Path):
    (tmp_path / "x").touch()
    assert reason_of(tmp_path / "x") == "empty"
    (tmp_path / "y").write_bytes(gzip.compress(b""))
    assert reason_of(tmp_path / "y") == "empty"
    if os.name == "posix" and os.geteuid() != 0:
        (tmp_path / "x").chmod(0)
        assert reason_of(tmp_path / "x") == "no_permission"


def test_quiet_is_over_when_it_is_over():
    talker = logging.getLogger("pydicom")
    before = talker.disabled
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(KeyError), quiet():
            warnings.warn("not heard", stacklevel=1)
            assert talker.disabled
            raise KeyError
        assert not seen and talker.disabled is before
        warnings.warn("heard", stacklevel=1)
        assert len(seen) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither pipes nor devices among its files")
def test_cells_that_name_no_file_are_rejects(tmp_path: Path) -> None:
    """Each is one row with its reason, and the row beside it is read."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "circle.png").symlink_to(tmp_path / "circle.png")
    with (tmp_path / "sparse.nii").open("wb") as file:
        file.truncate(5 << 30)
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "good.png")
    cells = ["x" * 5000, "/dev/zero", "pipe.png", "circle.png", "sparse.nii", "good.png", "a;/dev/zero", "/dev/zero#k"]
    (tmp_path / "table.csv").write_text("\n".join(["scan", *cells]) + "\n", encoding="utf-8")
    (table,) = read(tmp_path / "table.csv")
    found = prepare(table.texts, [])
    reasons = [found.rejects[at].reason if at in found.rejects else "ok" for at in range(len(cells))]
    files = ["no_such_file", "not_a_file", "not_a_file", "no_such_file", "too_large", "ok"]
    assert reasons == [*files, "no_such_file", "not_a_file"]


def test_a_folder_of_everything_is_no_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text("x", encoding="utf-8")
    monkeypatch.setattr(scan, "FILES", 2)
    with pytest.raises(ScanError, match="over 2 files") as caught:
        scan.read_scan(tmp_path)
    assert caught.value.reason == "too_many_files"


def test_a_cell_without_a_name_opens_no_folder(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("scan,x\n|,1\n#,2\n#a,3\n", encoding="utf-8")
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "good.png")
    (table,) = read(tmp_path / "table.csv")
    reasons = {reject.reason for reject in prepare(table.texts, []).rejects.values()}
    assert reasons <= {"no_such_file", "empty"} and len(prepare(table.texts, []).rejects) == 3
