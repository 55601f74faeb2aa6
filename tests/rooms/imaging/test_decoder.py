"""GDCM in a process of its own: the same values, and no damage reaches the process that asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

from molgraph.rooms.imaging import dicom
from molgraph.rooms.imaging.decoder import Decoder
from molgraph.rooms.imaging.scan import ScanError, read_scan

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
LOSSLESS = "MR_small_jpeg_ls_lossless.dcm"


@pytest.mark.parametrize("name", [LOSSLESS, "SC_rgb_jpeg_gdcm.dcm", "JPEGLSNearLossless_16.dcm"])
def test_values_are_those_of_this_process(name: str):
    decoder = Decoder()
    ds = pydicom.dcmread(FILES / name)
    found = [decoder.decode(ds) for _ in range(2)]
    decoder.close()
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], pydicom.dcmread(FILES / name).pixel_array)


def test_one_that_died_is_replaced():
    decoder = Decoder()
    ds = pydicom.dcmread(FILES / LOSSLESS)
    decoder.decode(ds)
    first = decoder._process
    first.kill()
    first.wait()
    assert decoder.decode(ds).shape == (64, 64) and decoder._process is not first
    decoder.close()


def test_one_that_dies_at_work_is_told(monkeypatch: pytest.MonkeyPatch):
    decoder = Decoder()
    command = [sys.executable, "-c", "import sys, os; sys.stdin.buffer.read(8); os.abort()"]
    dying = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL)
    decoder._process = dying
    with pytest.raises(RuntimeError, match="gave up"):
        decoder.decode(pydicom.dcmread(FILES / LOSSLESS))
    assert decoder._process is None and dying.poll() is not None


def test_damaged_pixels_end_no_process_but_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(dicom, "PLUGINS", ())  # GDCM alone, for plain JPEG too
    whole = read_scan(FILES / "SC_rgb_jpeg_dcmtk.dcm").voxels
    data = np.frombuffer((FILES / "SC_rgb_jpeg_dcmtk.dcm").read_bytes(), np.uint8)
    refused = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        changed = data.copy()
        changed[rng.integers(1200, len(data), 25)] = rng.integers(0, 256, 25)
        (tmp_path / "x.dcm").write_bytes(changed.tobytes())
        try:
            read_scan(tmp_path / "x.dcm")
        except ScanError as error:
            refused += error.reason == "damaged_pixels"
    assert refused
    assert np.array_equal(read_scan(FILES / "SC_rgb_jpeg_dcmtk.dcm").voxels, whole)
