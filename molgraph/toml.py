"""Plain values written as TOML: a run file as it is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


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
