"""What benchmarks take from the package is there: most of them run for hours, and not in a test."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FILES = sorted(path.relative_to(BENCHMARKS).as_posix() for path in BENCHMARKS.rglob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_what_it_imports_is_there(name: str) -> None:
    tree = ast.parse((BENCHMARKS / name).read_text(encoding="utf-8"))
    taken = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    for node in taken:
        if str(node.module).partition(".")[0] == "molgraph":
            made = import_module(str(node.module))
            for each in node.names:
                if not hasattr(made, each.name):
                    import_module(f"{node.module}.{each.name}")
