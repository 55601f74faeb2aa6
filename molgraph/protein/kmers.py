"""Words of three residues: the fingerprint of a protein."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.protein.residues import STANDARD, shares

K = 3
WORDS = len(STANDARD) ** K
BYTES = WORDS // 8

# Which standard residue a letter is read as; 20 where it is ambiguous (B, Z, J, X).
RESIDUE = np.where(shares().max(axis=1) == 1, shares().argmax(axis=1), len(STANDARD)).astype(np.int64)


def words_of(codes: NDArray[np.uint8], k: int = K) -> NDArray[np.int64]:
    """Return the number of each word of k residues, in order; a word with an ambiguous letter is none."""
    residues = RESIDUE[codes]
    windows = max(len(residues) - k + 1, 0)
    number = np.zeros(windows, dtype=np.int64)
    whole = np.ones(windows, dtype=bool)
    for at in range(k):
        here = residues[at : at + windows]
        number = number * len(STANDARD) + here
        whole &= here < len(STANDARD)
    return number[whole]


def kmer_bits(sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return which of the 8,000 words of three residues occur in each protein, eight to the byte.

    Shapes: codes uint8 [L] per protein to uint8 [P, 1000].
    """
    rows = np.zeros((len(sequences), BYTES), dtype=np.uint8)
    for row, codes in zip(rows, sequences, strict=True):
        there = np.zeros(WORDS, dtype=bool)
        there[words_of(codes)] = True
        row[:] = np.packbits(there)
    return rows
