"""Arrays end to end: in memory, and in a file once they outgrow it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from molgraph.data.packed import pack
from molgraph.rooms.imaging.store import Stack


@pytest.mark.parametrize("limit", [0, 100, 1 << 20], ids=["file", "both", "memory"])
def test_what_goes_in_comes_out(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGRAPH_CACHE", str(tmp_path))
    random = np.random.default_rng(0)
    stack = Stack((3, 2), np.uint8, in_memory=limit)
    blocks = [random.integers(0, 256, (n, 3, 2), dtype=np.uint8) for n in (4, 0, 20, 1, 7)]
    for block in blocks:
        stack.append(block)
    tensor = stack.tensor()
    assert np.array_equal(tensor.numpy(), np.concatenate(blocks))
    del stack
    parts = pack({"x": ("x", tensor)}, {"x": torch.tensor([4, 0, 20, 8])}, {}, 4)
    assert parts.to("cpu") is parts
    assert np.array_equal(
        parts.gather(torch.tensor([3, 0])).values["x"].numpy(), np.concatenate([*blocks[3:], blocks[0]])
    )
    assert not [file for file in tmp_path.rglob("*") if file.is_file()] or limit < 1 << 20


@pytest.mark.parametrize("limit", [0, 100])
def test_nothing_is_no_rows(limit: int) -> None:
    assert Stack((5,), np.int8, in_memory=limit).tensor().shape == (0, 5)
