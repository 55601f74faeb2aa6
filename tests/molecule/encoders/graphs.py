"""Small real molecules as packed graphs, made by RDKit alone."""

from __future__ import annotations
from collections.abc import Sequence

import torch
from rdkit import Chem

from molgraph.data.packed import Packed, pack

ATOM = [120, 8, 5, 6, 6, 2]
BOND = [5, 2, 2, 7]
BONDS = {Chem.BondType.SINGLE: 0, Chem.BondType.DOUBLE: 1, Chem.BondType.TRIPLE: 2, Chem.BondType.AROMATIC: 3}


def packed(molecules: Sequence[Chem.Mol]) -> Packed:
    """Return the graphs of molecules."""
    atoms, bonds, ends = [], [], []
    for mol in molecules:
        for a in mol.GetAtoms():
            atoms.append(
                (
                    a.GetAtomicNum(),
                    min(a.GetTotalDegree(), 7),
                    max(-2, min(a.GetFormalCharge(), 2)) + 2,
                    min(int(a.GetTotalNumHs()), 5),
                    min(int(a.GetHybridization()), 5),
                    int(a.GetIsAromatic()),
                )
            )
        for b in mol.GetBonds():
            bonds.append((BONDS.get(b.GetBondType(), 4), b.GetIsConjugated(), b.IsInRing(), min(int(b.GetStereo()), 6)))
            ends.append((b.GetBeginAtomIdx(), b.GetEndAtomIdx()))
    return pack(
        {
            "atom": ("atom", torch.tensor(atoms, dtype=torch.uint8).reshape(-1, len(ATOM))),
            "bond": ("bond", torch.tensor(bonds, dtype=torch.uint8).reshape(-1, len(BOND))),
            "ends": ("bond", torch.tensor(ends, dtype=torch.int32).reshape(-1, 2)),
        },
        {
            "atom": torch.tensor([m.GetNumAtoms() for m in molecules]),
            "bond": torch.tensor([m.GetNumBonds() for m in molecules]),
        },
        {"atom": ATOM, "bond": BOND},
        len(molecules),
    )
