"""Ways to group molecules, so that near relatives stay on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from molgraph.rooms.molecule.fingerprints import morgan_bits
from molgraph.rooms.molecule.hard import within
from molgraph.rooms.molecule.similarity import QUERIES, Bits, Packed8
from molgraph.rooms.molecule.standardise import parse


def scaffold(keys: Sequence[str]) -> NDArray[np.int64]:
    """Group molecules by their Bemis-Murcko scaffold (rings and what links them), numbered as they appear.

    Stereo is ignored, so enantiomers share a group. An acyclic molecule, whose scaffold is empty, is a group
    of its own, and so is a text that RDKit cannot read.

    See: https://doi.org/10.1021/jm9602928

    >>> scaffold(["Cc1ccccc1", "CCO", "Oc1ccccc1", "CCN"]).tolist()
    [0, 1, 0, 2]
    """
    with rdBase.BlockLogs():
        return _numbered([within(scaffold_of, key, instead=key) for key in keys])


def scaffold_of(key: str) -> str:
    """Return the SMILES of a molecule's scaffold, without stereo; of an acyclic molecule, its own SMILES."""
    molecule = Chem.MolFromSmiles(key)
    if molecule is None:
        return key
    framework = MurckoScaffold.GetScaffoldForMol(molecule) if molecule.GetRingInfo().NumRings() else molecule
    return str(Chem.MolToSmiles(framework, isomericSmiles=False))


def cluster(keys: Sequence[str], *, cutoff: float = 0.4) -> NDArray[np.int64]:
    """Group molecules by Butina clustering of their Morgan fingerprints, numbered as they appear.

    `cutoff` is the largest Tanimoto distance between a member and the centre of its cluster. A text that RDKit
    cannot read is a group of its own.
    """
    with rdBase.BlockLogs():
        molecules = [within(parse, key, instead=None) for key in keys]
    known = [i for i, molecule in enumerate(molecules) if molecule is not None]
    packed = morgan_bits([molecules[i] for i in known])
    label: list[int | str] = list(keys)
    for i, centre in zip(known, butina(packed, cutoff).tolist(), strict=True):
        label[i] = centre
    return _numbered(label)


def butina(packed: Packed8, cutoff: float) -> NDArray[np.int64]:
    """Return for each fingerprint [P, bytes] the position of the centre of its Butina cluster.

    The molecule with most neighbours takes them, then the one with most among those left, by the counts of the
    start; of equals the first. Neighbours are counted, not stored, so memory grows
    with P and not with the number of near pairs; the result is exact.

    See: https://doi.org/10.1021/ci9803381
    """
    bits, near = Bits(packed), np.float32(1 - cutoff)
    neighbours = np.zeros(len(packed), dtype=np.int64)
    for _, asked, tile in bits.tiles(packed):
        neighbours[asked] += (tile >= near).sum(axis=0)
    centre = np.where(neighbours > 1, -1, np.arange(len(packed)))
    waiting = np.argsort(-neighbours, kind="stable")
    while len(waiting := waiting[centre[waiting] < 0]):
        block = waiting[:QUERIES]
        close = np.empty((len(block), len(packed)), dtype=bool)
        for rows, _, tile in bits.tiles(packed[block]):
            close[:, rows] = (tile >= near).T
        for candidate, its in zip(block, close, strict=True):
            if centre[candidate] < 0:
                centre[its & (centre < 0)] = candidate
    return centre


def _numbered(labels: Sequence[str | int]) -> NDArray[np.int64]:
    number: dict[str | int, int] = {}
    return np.array([number.setdefault(label, len(number)) for label in labels], dtype=np.int64)
