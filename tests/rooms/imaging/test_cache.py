"""The disk cache: within its limit, least recently used first, whoever else is at it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from molgraph.errors import ConfigError
from molgraph.rooms.imaging import cache
from molgraph.rooms.imaging.cache import Cache, limit, trim


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def written(folder: Path, name: str, age: int) -> Path:
    path = folder / name
    path.write_bytes(b"x" * 1000)
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    for age, name in enumerate(("a.npz", "b.npz", "c.npz", ".molgraph-1.part", "notes.txt")):
        written(tmp_path, name, age)
    Cache().used(tmp_path / "c.npz")
    trim(tmp_path, 2500)
    assert files(tmp_path) == ["a.npz", "c.npz", "notes.txt"]
    trim(tmp_path, 2500)
    assert len(files(tmp_path)) == 3


def test_the_folder_stays_within_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGRAPH_CACHE_GB", "3e-6")
    mine, theirs = Cache(), Cache()
    for at in range(10):
        (mine if at % 2 else theirs).added(written(tmp_path, f"{at}.npz", 100 - at))
    assert files(tmp_path) == ["7.npz", "8.npz", "9.npz"]


def test_it_is_not_looked_through_for_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(cache, "trim", lambda folder, most: looked.append(folder))
    monkeypatch.setenv("MOLGRAPH_CACHE_GB", "5e-4")  # 10,000 bytes are a fiftieth
    mine = Cache()
    for at in range(12):
        mine.added(written(tmp_path, f"{at}.npz", 0))
    assert len(looked) == 2


def test_what_is_gone_disturbs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Cache().used(tmp_path / "gone.npz")
    Cache().added(tmp_path / "gone.npz")
    kept = written(tmp_path, "a.npz", 0)
    monkeypatch.setattr(Path, "unlink", lambda path: (_ for _ in ()).throw(PermissionError))
    trim(tmp_path, 0)
    assert kept.exists() and not (tmp_path / "gone.npz").exists()


@pytest.mark.parametrize("given", ["much", "-1", "nan"])
def test_a_limit_that_is_none_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGRAPH_CACHE_GB", given)
    with pytest.raises(ConfigError, match="MOLGRAPH_CACHE_GB"):
        limit()
    monkeypatch.delenv("MOLGRAPH_CACHE_GB")
    assert limit() == 20e9
