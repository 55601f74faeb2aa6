"""Bytes of files, unpacked within bounds, read in quiet."""

from __future__ import annotations

import gzip
import logging
import os
import warnings
from pathlib import Path

import pytest

from molgraph.imaging import content as module
from molgraph.imaging.content import content, quiet
from molgraph.imaging.scan import ScanError


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
