"""Fingerprints of molecules: Morgan bits for similarity; ECFP and Avalon counts and ErG for trees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import rdFingerprintGenerator, rdReducedGraphs

BITS = 2048
COUNTS = 1024
ERG = 315
RADIUS = 2


def morgan_bits(mols: Sequence[Chem.Mol]) -> NDArray[np.uint8]:
    """Return Morgan fingerprints of radius 2, eight bits to the byte, the first bit lowest.

    Shapes: uint8 [P, 256].
    See: https://doi.org/10.1021/ci100050t
    """
    generator = _morgan(BITS)
    rows = b"".join(DataStructs.BitVectToBinaryText(generator.GetFingerprint(mol)) for mol in mols)
    return np.frombuffer(rows, dtype=np.uint8).reshape(len(mols), BITS // 8).copy()


def ecfp_counts(mols: Sequence[Chem.Mol]) -> NDArray[np.uint8]:
    """Return how often each circular environment of radius 2 occurs, at most 255.

    Shapes: uint8 [P, 1024].
    """
    generator = _morgan(COUNTS)
    return _bytes([generator.GetCountFingerprintAsNumPy(mol) for mol in mols], COUNTS)


def avalon_counts(mols: Sequence[Chem.Mol]) -> NDArray[np.uint8]:
    """Return Avalon counts, at most 255.

    Shapes: uint8 [P, 1024].
    See: https://doi.org/10.1021/ci050413p
    """
    rows = np.zeros((len(mols), COUNTS), dtype=np.int32)
    for row, mol in zip(rows, mols, strict=True):
        DataStructs.ConvertToNumpyArray(pyAvalonTools.GetAvalonCountFP(mol, COUNTS), row)
    return _bytes(rows, COUNTS)


def erg(mols: Sequence[Chem.Mol]) -> NDArray[np.float32]:
    """Return extended reduced graphs (ErG), whatever was computed of the molecules before.

    Shapes: float32 [P, 315].
    See: https://doi.org/10.1021/ci050457y
    """
    rows = [rdReducedGraphs.GetErGFingerprint(_bare(mol)) for mol in mols]
    return np.array(rows, dtype=np.float32).reshape(len(mols), ERG)


def _bare(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule without what was computed of it: RDKit's reduced graph would take the distances of the whole
    molecule, which descriptors leave behind, for its own, and read beyond them."""
    bare = Chem.Mol(mol)
    bare.ClearComputedProps(includeRings=False)
    return bare


@cache
def _morgan(size: int) -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=size)


def _bytes(counts: Any, width: int) -> NDArray[np.uint8]:
    clipped: NDArray[np.uint8] = np.minimum(np.array(counts).reshape(-1, width), 255).astype(np.uint8)
    return clipped
