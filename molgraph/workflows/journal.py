"""What was done so far of a long list of files, so that a stopped command goes on where it ended."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from molgraph.data.files import os_errors


class Journal:
    """Keep a JSON value for each file in `path`, a line each; a file that has changed since counts as not done.

    `by` says who makes the values (a model's digest): what another made is forgotten. Leaving the block without an
    error deletes the journal.
    """

    def __init__(self, path: Path, by: str) -> None:
        self.path, self.by = path, by
        self.done: dict[str, Any] = {}

    def __enter__(self) -> Self:
        with os_errors(self.path):
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
            if lines[:1] == [json.dumps(self.by)]:
                for line in lines[1:]:
                    with suppress(ValueError):  # the last may be cut off
                        key, value = json.loads(line)
                        self.done[key] = value
            self.file = self.path.open("w", encoding="utf-8", newline="\n")
            for each in (self.by, *self.done.items()):
                self._write(each)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.file.close()
        if error is None:
            self.path.unlink()

    def get(self, row: int, file: str) -> Any:
        """Return the value of a file, None where it is not done."""
        return self.done.get(_key(row, file))

    def add(self, row: int, file: str, value: Any) -> None:
        """Write the value of a file down."""
        with os_errors(self.path):
            self._write((_key(row, file), value))

    def _write(self, value: Any) -> None:
        self.file.write(json.dumps(value) + "\n")
        self.file.flush()


def _key(row: int, file: str) -> str:
    """Name a row's file as it is now; of a folder, or a part of a file, only the name is known."""
    path = Path(file)
    if not path.is_file():
        return f"{row} {file}"
    return f"{row} {file} {path.stat().st_size} {path.stat().st_mtime_ns}"
