"""The manifest of a screen: what it was made from, so that only the same screen is ever resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any

from molgraph.data.files import atomic
from molgraph.data.stream import read_errors
from molgraph.data.untrusted import read_json
from molgraph.errors import CheckpointError, ConfigError

NAME = "manifest.json"
FORMAT = 1
RANKED = ("by", "directions", "top", "domain", "bounds", "diverse")  # settings that scores do not depend on
REMEDY = "repeat the first call's model, library and settings, or give another output folder"


@dataclass(frozen=True)
class Manifest:
    """Say what a screen is made from.

    `model`, `library`, `settings` and `versions` must be equal to go on; `facts` (a title, the date of the first
    call) are kept as first given and not compared. `result` is there once the final files are.
    """

    model: dict[str, Any]
    library: dict[str, Any]
    settings: dict[str, Any]
    versions: dict[str, str]
    facts: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT
    result: dict[str, Any] | None = None

    def save(self, folder: Path) -> None:
        """Write the manifest, whole or not at all."""
        with atomic(folder / NAME, "w") as file:
            file.write(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """Read the manifest of a folder, None where there is none.

        Raises: CheckpointError where it is damaged or of another version.
        """
        path = folder / NAME
        if not path.exists():
            return None
        try:
            manifest = cls(**read_json(path))
            manifest.check()
        except (ValueError, TypeError) as error:
            raise CheckpointError(f"{path}: not a readable manifest ({error}); give another output folder") from error
        if manifest.format != FORMAT:
            raise CheckpointError(f"{path}: made by another version of molgraph; give another output folder")
        return manifest

    def check(self) -> None:
        """Raise ValueError where a part is of the wrong kind."""
        kinds = {"model": dict, "library": dict, "settings": dict, "versions": dict, "facts": dict, "format": int}
        odd = [name for name, kind in kinds.items() if not isinstance(getattr(self, name), kind)]
        if odd or not isinstance(self.result, dict | None):
            raise ValueError(f"'{(odd or ['result'])[0]}' is of the wrong kind")
        if self.result is not None:
            written = self.result["sha256"] if isinstance(self.result.get("sha256"), dict) else {"": 0}
            if not all(PurePath(name).name == name and isinstance(each, str) for name, each in written.items()):
                raise ValueError("'result' does not say what was written")

    def harmed(self, folder: Path) -> list[str]:
        """Say what is wrong with the final files of a finished screen: which are missing, which are not as written.

        Raises: ResourceError where there is no permission to read one.
        """
        return [
            f"{folder / name}: {'changed' if (folder / name).is_file() else 'missing'} since the screen was finished"
            for name, written in (self.result or {}).get("sha256", {}).items()
            if _digest(folder / name) != written
        ]

    def refuse_changes(self, now: Manifest, folder: Path) -> None:
        """Compare with the screen asked for now, which may rank in another way.

        Raises: ConfigError that names every difference.
        """
        differences = [
            line
            for part in ("model", "library", "settings", "versions")
            for line in _differences(part, getattr(self, part), getattr(now, part))
            if part != "settings" or line.split()[1] not in RANKED
        ]
        if differences:
            raise ConfigError(f"{folder} holds another screen: {'; '.join(differences)}. Remedy: {REMEDY}.")


def _differences(part: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = [*then, *(name for name in now if name not in then)]
    return [
        f"{part} {name} was {_short(then.get(name))}, is {_short(now.get(name))}"
        for name in names
        if then.get(name) != now.get(name)
    ]


def _short(value: Any) -> str:
    text = "not there" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:24]}..."


def _digest(path: Path) -> str:
    """Return the sha256 of a file, "" where there is none."""
    with read_errors(str(path)):
        return digest_of_file(path) if path.is_file() else ""


def digest_of_file(path: Path) -> str:
    """Return the sha256 of a file, read as a stream."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
