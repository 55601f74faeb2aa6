"""Where arrays are kept: end to end in memory or a file, and on disk between runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from molgraph.data.files import os_errors
from molgraph.data.shelf import cache_folder

IN_MEMORY = 1 << 30  # bytes of one array; what is larger lies in a file that is mapped into memory


def scans_folder() -> Path:
    """Return the folder of decoded scans, beside that of downloaded data sets; MOLGRAPH_CACHE moves both."""
    return cache_folder().with_name("scans")


class Stack:
    """Gather arrays that are alike but for their first axis, end to end.

    What outgrows `in_memory` bytes goes to a file without a name, which is gone when nobody uses it any more.
    """

    def __init__(self, shape: Sequence[int], dtype: Any, *, in_memory: int = IN_MEMORY) -> None:
        self.shape, self.dtype, self.in_memory = tuple(shape), np.dtype(dtype), in_memory
        self.held: list[NDArray[Any]] = []
        self.rows = self.bytes = 0
        self.file: IO[bytes] | None = None

    def append(self, array: NDArray[Any]) -> None:
        """Add the rows of an array.

        Raises: ResourceError where the disk is full.
        """
        self.held.append(np.ascontiguousarray(array, dtype=self.dtype))
        self.rows, self.bytes = self.rows + len(array), self.bytes + array.nbytes
        if self.bytes > self.in_memory:
            self._spill()

    def _spill(self) -> None:
        folder = scans_folder()
        with os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self.file = self.file or TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as what is mapped
            for array in self.held:
                self.file.write(array.data)
            self.file.flush()
        self.held = []

    def tensor(self) -> Tensor:
        """Return all rows as one tensor, [rows, *shape]."""
        shape = (self.rows, *self.shape)
        if self.file is None or not math.prod(shape):
            return torch.from_numpy(np.concatenate([*self.held, np.zeros((0, *self.shape), self.dtype)]))
        self._spill()
        with self.file:  # what is mapped stays when the file is closed
            return torch.from_numpy(np.memmap(self.file, self.dtype, "r+", shape=shape))
