"""What the tests of the benchmarks share: the folders of their scripts are where Python looks, as when they are run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="package", autouse=True)
def _beside_the_scripts() -> Iterator[None]:
    """Let the tests of this folder import the harnesses, and no other test."""
    before = list(sys.path)
    sys.path[:0] = [str(SCRIPTS / "admet"), str(SCRIPTS)]
    yield
    sys.path[:] = before
