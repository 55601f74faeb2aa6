"""A folder of many scans: each series of DICOM once, each other file by itself, damaged ones too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from molgraph.errors import DataError
from molgraph.rooms.imaging.pile import scans_in
from molgraph.rooms.imaging.scan import read_scan

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
SERIES = FILES / "dicomdirtests" / "98892001" / "CT5N"


def test_every_scan_is_named_once(tmp_path: Path, write_slice: Callable[..., Path]) -> None:
    shutil.copytree(SERIES, tmp_path / "a" / "ct")
    for name in ("1", "2"):  # two X-rays in one folder, each a series of its own
        write_slice(
            tmp_path / f"{name}.dcm", np.arange(64, dtype=np.uint16).reshape(8, 8), SeriesInstanceUID=f"9.{name}"
        )
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(tmp_path / "x.png")
    (tmp_path / "notes.txt").write_text("of no scan", encoding="utf-8")
    (tmp_path / "cut.dcm").write_bytes((FILES / "MR_small.dcm").read_bytes()[:400])
    (tmp_path / ".hidden").write_text("", encoding="utf-8")
    (tmp_path / "brain.hdr").write_bytes(b"")
    (tmp_path / "brain.img").write_bytes(b"")
    names = [Path(name).name for name in scans_in(tmp_path)]
    uid = pydicom.dcmread(next(SERIES.iterdir()), stop_before_pixels=True).SeriesInstanceUID
    assert names == ["1.dcm", "2.dcm", f"ct#{uid}", "brain.hdr", "cut.dcm", "notes.txt", "x.png"]
    whole = read_scan(scans_in(tmp_path)[2])
    assert whole.voxels.shape[1] == len(list(SERIES.iterdir()))


def test_a_folder_without_files_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no file"):
        scans_in(tmp_path)
