"""What a cell may name: files of bearable size are opened, and for all else there is a reason before a byte is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from molgraph.data.regular import MOST, SHOWN, is_there, refused, shortened

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither pipes nor devices among its files")


def test_a_file_is_not_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert refused(tmp_path / "a") is None and refused(str(tmp_path / "link"), 10) is None
    why = refused(tmp_path / "a", 9)
    assert why is not None and why[0] == "too_large" and "10 bytes" in why[1]


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "empty").touch()
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(MOST + 1)
    (tmp_path / "to zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "socket"))
        found = {
            name: (refused(tmp_path / name) or ("", ""))[0]
            for name in ("pipe", "circle", "empty", "sparse", "to zero", "socket", "none", "a\0b", "x" * 5000)
        }
    assert found == {
        "pipe": "not_a_file",
        "circle": "no_such_file",
        "empty": "empty",
        "sparse": "too_large",
        "to zero": "not_a_file",
        "socket": "not_a_file",
        "none": "no_such_file",
        "a\0b": "no_such_file",
        "x" * 5000: "no_such_file",
    }
    assert refused(tmp_path) == ("not_a_file", f"{shortened(tmp_path)}: is a folder; name a file")


def test_a_path_is_there_or_not_whatever_stands_in_it(tmp_path: Path) -> None:
    assert is_there(tmp_path) and not any(is_there(tmp_path / name) for name in ("none", "a\0b", "x" * 5000))


def test_long_paths_are_shown_by_their_ends() -> None:
    assert shortened("a" * SHOWN) == "a" * SHOWN
    assert shortened("a" * 300 + "b" * 300) == "a" * (SHOWN // 2) + "…" + "b" * (SHOWN // 2)
