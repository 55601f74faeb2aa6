"""Plain values written as TOML: a run file as it is read back."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molgraph.errors import ConfigError, DataError


def to_toml(raw: Mapping[str, Any], prefix: str = "") -> str:
    """Return a nested mapping of plain values as TOML."""
    lines = [f"{_key(k)} = {_toml(v)}" for k, v in raw.items() if not isinstance(v, dict)]
    for name, section in raw.items():
        if isinstance(section, dict) and section:
            lines += ["", f"[{prefix}{_key(name)}]", to_toml(section, f"{prefix}{_key(name)}.").rstrip("\n")]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(v) for v in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def read(path: str | Path) -> dict[str, Any]:
    """Read a run file.

    Raises: DataError where the file cannot be read, ConfigError where it is no TOML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such run file; check the name.") from error
    except OSError as error:
        raise DataError(f"{path}: the run file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: the run file is not UTF-8 (byte {error.start}); save it as UTF-8.") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not a TOML file: {error}.") from error
