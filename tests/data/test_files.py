"""Files are there whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from molgraph.data.files import FRESH, LOCK, SCRATCH, alone, atomic, is_empty, os_errors, scratch, sweep
from molgraph.errors import ConfigError, ResourceError


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_appears_only_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic(path, "w") as handle:
        handle.write("µ\n")
        assert not path.exists()
    assert path.read_bytes() == "µ\n".encode()
    assert left(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interruption_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(error), atomic(path) as handle:
        handle.write(b"new")
        raise error
    assert path.read_text(encoding="utf-8") == "old"
    assert left(tmp_path) == ["a.txt"]


def test_two_writers_of_one_folder_do_not_meet(tmp_path: Path) -> None:
    with atomic(tmp_path / "a", "w") as one, atomic(tmp_path / "b", "w") as two:
        one.write("1")
        two.write("2")
    assert [(tmp_path / n).read_text(encoding="utf-8") for n in "ab"] == ["1", "2"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.touch()
    link = tmp_path / "link"
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("no permission to make links here")
    with atomic(link, "w") as handle:
        handle.write("x")
    assert link.is_symlink() and real.read_text(encoding="utf-8") == "x"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, remedy in (
        (tmp_path, "this is a folder"),
        (tmp_path / "no" / "a.csv", "create it first"),
        (tmp_path / "file" / "a.csv", "(a part of the path is a file|create it first)"),
    ):
        with pytest.raises(ResourceError, match=remedy) as error, atomic(path):
            pass
        assert str(path) in str(error.value) and error.value.exit_code == 6


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free some"), (errno.EACCES, "no permission"), (errno.EROFS, "read-only"), (errno.EIO, "error")],
)
def test_what_the_system_says_is_told_with_a_remedy(number: int, remedy: str) -> None:
    with pytest.raises(ResourceError, match=f"out.csv: cannot be written: .*{remedy}"), os_errors("out.csv"):
        raise OSError(number, os.strerror(number))


def test_a_write_protected_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ResourceError, match="no permission"), atomic(path):
        pass
    assert path.read_text(encoding="utf-8") == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_written_as_it_stands() -> None:
    with pytest.raises(ResourceError, match="no space is left"), atomic("/dev/full") as handle:
        handle.write(b"x" * 100_000)
    assert Path("/dev/full").is_char_device()
    with atomic(os.devnull) as handle:
        handle.write(b"x")
    assert Path(os.devnull).is_char_device()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if sys.platform != "linux" or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no permission to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_nothing_half_written(small_disk: Path) -> None:
    (small_disk / "a.csv").write_text("old", encoding="utf-8")
    with pytest.raises(ResourceError, match="no space is left on the disk"), atomic(small_disk / "a.csv") as handle:
        for _ in range(100):
            handle.write(b"x" * 10_000)
    assert left(small_disk) == ["a.csv"]
    assert (small_disk / "a.csv").read_text(encoding="utf-8") == "old"


def test_one_command_alone_writes_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with alone(folder):
        with pytest.raises(ConfigError, match="another command is writing there"), alone(folder):
            pass
        (folder / "x").touch()
    with alone(folder):
        pass
    assert [path.name for path in folder.iterdir()] == ["x"]


def test_a_folder_in_which_nothing_was_written_goes_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="refused"), alone(tmp_path / "a"):
        raise ValueError("refused")
    assert not list(tmp_path.iterdir())
    (tmp_path / "own").mkdir()
    with alone(tmp_path / "own"):
        pass
    assert (tmp_path / "own").is_dir()


def test_only_what_nobody_writes_any_more_is_swept(tmp_path: Path) -> None:
    old = time.time() - 2 * FRESH
    for name in (".molgraph-dead.part", ".molgraph-new.part", "own.part"):
        (tmp_path / name).touch()
    os.utime(tmp_path / ".molgraph-dead.part", (old, old))
    with atomic(tmp_path / "a.txt", "w") as handle:
        handle.write("x")
        handle.flush()
        (part,) = (path for path in tmp_path.glob(".molgraph-*.part") if path.stat().st_size)
        os.utime(part, (old, old))
        sweep(tmp_path)
        assert part.exists()
    assert sorted(left(tmp_path)) == [".molgraph-new.part", "a.txt", "own.part"]
    sweep(tmp_path / "none")


def test_a_folder_is_swept_when_a_process_first_writes_there(tmp_path: Path) -> None:
    dead, old = tmp_path / ".molgraph-dead.part", time.time() - 2 * FRESH
    dead.touch()
    (tmp_path / LOCK).touch()
    os.utime(dead, (old, old))
    assert is_empty(tmp_path)
    with atomic(tmp_path / "a.txt", "w") as handle:
        handle.write("x")
    assert sorted(left(tmp_path)) == [LOCK, "a.txt"]
    assert not is_empty(tmp_path)


KILLED = """
import os
from molgraph.data.files import scratch
with scratch() as folder:
    (folder / "x").touch()
    print(folder, flush=True)
    os._exit(9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="locks are POSIX")
def test_what_a_killed_process_left_in_the_temporary_folder_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    (dead,) = tmp_path.glob(f"{SCRATCH}*")
    assert (dead / "inside" / "x").exists()
    old = time.time() - 2 * FRESH
    os.utime(dead, (old, old))
    with scratch() as living:
        os.utime(living.parent, (old, old))
        with scratch():
            assert not dead.exists() and living.is_dir()
    assert not list(tmp_path.iterdir())
