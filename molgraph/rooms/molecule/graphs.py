"""Molecules to integer codes: one row per atom, one row per bond, flat for a whole batch of molecules.

The plain RDKit path reads one value at a time; the fast path asks cuik-molmaker for the same values of a whole
batch at once. Both end in the same tables, so a code means the same whichever path made it.

See: the features are those of Chemprop 2, https://doi.org/10.1021/acs.jcim.3c01250, with the ring of an atom instead
of its mass.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molgraph.rooms.molecule.standardise import parse

try:
    import cuik_molmaker
except ImportError:  # no wheel for this machine: the plain path does it all
    cuik_molmaker = None

Codes = NDArray[np.uint8]

_BATCH = 64  # texts in one call of cuik-molmaker, which keeps all their molecules until it returns
_SHORT_BATCH = 8  # a batch this short is not split further to find the text that it stumbles over

_HYBRIDISATION = Chem.HybridizationType
_BOND = Chem.BondType


@dataclass(frozen=True)
class Column:
    """Name a column of codes and the values that get a code of their own, in order; all others share the last code."""

    name: str
    values: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.values) + 1

    def table(self) -> Codes:
        """Return the code of every value from -128 to 255, negative ones counted from the end."""
        codes = np.full(256, len(self.values), dtype=np.uint8)
        codes[list(self.values)] = np.arange(len(self.values), dtype=np.uint8)
        return codes


ATOM = (
    Column("element", (*range(1, 37), 53)),  # the first four periods and iodine
    Column("degree", tuple(range(6))),
    Column("charge", (0, -1, 1, -2, 2)),
    Column("chirality", tuple(range(4))),
    Column("hydrogens", tuple(range(5))),
    Column(
        "hybridisation",
        tuple(int(getattr(_HYBRIDISATION, name)) for name in ("S", "SP", "SP2", "SP2D", "SP3", "SP3D", "SP3D2")),
    ),
    Column("aromatic", (0,)),
    Column("smallest_ring", (0, *range(3, 9))),
)
_TYPES = (_BOND.SINGLE, _BOND.DOUBLE, _BOND.TRIPLE, _BOND.AROMATIC, _BOND.DATIVE)
BOND = (
    Column("type", tuple(int(t) for t in _TYPES)),
    Column("conjugated", (0,)),
    Column("in_ring", (0,)),
    Column("stereo", tuple(range(6))),
)
_RING, _IN_RING = 7, 2
ATOM_CODES = [c.size for c in ATOM]
BOND_CODES = [c.size for c in BOND]
_ATOM_TABLE = np.stack([c.table() for c in ATOM])
_BOND_TABLE = np.stack([c.table() for c in BOND])

# What cuik-molmaker returns, column by column, and how much of it goes into each of ours. It gives the atomic number
# divided by 5. Its bond type comes as a number (dative 1, aromatic 1.5) and as one-hot (single, double, triple, any
# other): -10 x number + (11, 22, 33, 27) x one-hot is RDKit's own number of every type in `_TYPES` and of no other.
# It marks the sizes 3 to 8 of all rings of an atom; read as binary digits, the lowest is the smallest ring. Never ask
# it for "min-ring", "num-ring" or "in-ring" of atoms: where a text gives no molecule they crash the whole process.
_ATOM_PARTS = {"chirality": 5, "num-hydrogens": 6, "ring-size": 6}
_ATOM_FLOAT = ("atomic-number", "degree", "formal-charge", "hybridization", "aromatic")
_BOND_PARTS = {"bond-type-float": 1, "bond-type-onehot": 4, "conjugated": 1, "in-ring": 1, "stereo": 7}
_SMALLEST_RING = np.array([0, *(3 + (marks & -marks).bit_length() - 1 for marks in range(1, 64))], dtype=np.int16)
_LARGE_RING = 9


@dataclass(frozen=True)
class Graphs:
    """Hold P molecular graphs flat, every bond once.

    Shapes: `atom` uint8 [N, 8], `bond` uint8 [M, 4], `ends` int32 [M, 2] (begin and end atom, counted within the
    molecule), `atoms` and `bonds` int64 [P] (how many of them each molecule has), `placeholder` bool [P] (whether
    one of its atoms stands for something else).
    """

    atom: Codes
    bond: Codes
    ends: NDArray[np.int32]
    atoms: NDArray[np.int64]
    bonds: NDArray[np.int64]
    placeholder: NDArray[np.bool_]

    def take(self, keep: NDArray[np.bool_]) -> Graphs:
        """Return the graphs where `keep` (bool [P]) is true."""
        if keep.all():
            return self
        of_atom, of_bond = np.repeat(keep, self.atoms), np.repeat(keep, self.bonds)
        return Graphs(
            self.atom[of_atom],
            self.bond[of_bond],
            self.ends[of_bond],
            self.atoms[keep],
            self.bonds[keep],
            self.placeholder[keep],
        )


class _Values(NamedTuple):
    """Hold what `Graphs` holds, with values (int16) where that has codes."""

    atom: NDArray[np.int16]
    bond: NDArray[np.int16]
    ends: NDArray[np.int32]
    atoms: NDArray[np.int64]
    bonds: NDArray[np.int64]


def from_mols(mols: Sequence[Chem.Mol | None]) -> Graphs:
    """Read the graphs of molecules with RDKit alone; None gives a graph without atoms."""
    return _coded([_of_mols(mols)])


def from_texts(texts: Sequence[str]) -> Graphs:
    """Parse SMILES and read their graphs, with cuik-molmaker where there is one.

    A text that gives no molecule gives a graph without atoms; `standardise.why_refused` says why.
    """
    made = [_of_mols(())]
    with rdBase.BlockLogs():
        for plain, run in groupby(texts, _is_for_rdkit):
            found = list(run)
            batches = (found[start : start + _BATCH] for start in range(0, len(found), _BATCH))
            made += map(_of_texts, batches) if plain else chain.from_iterable(map(_of_texts_fast, batches))
    return _coded(made)


def _is_for_rdkit(text: str) -> bool:
    # cuik-molmaker can renumber atoms by their map numbers (`:1`), which RDKit never does; CXSMILES (`|...|`) are rare
    return cuik_molmaker is None or ":" in text or "|" in text


def _of_texts(texts: Sequence[str]) -> _Values:
    return _of_mols([parse(text) for text in texts])


def _of_texts_fast(texts: list[str]) -> list[_Values]:
    """Read values with cuik-molmaker, which leaves out a text it cannot parse and raises on a wrong valence."""
    if len(texts) <= _SHORT_BATCH:
        return [_of_texts(texts)]
    try:
        atom, bond, edges, _, owner = cuik_molmaker.batch_mol_featurizer(texts, *_wanted(), False, False, False, False)
    except (RuntimeError, ValueError):
        half = len(texts) // 2
        return _of_texts_fast(texts[:half]) + _of_texts_fast(texts[half:])
    to_atom, to_bond = _weights()
    atom = np.rint(atom @ to_atom).astype(np.int16)
    bond = np.rint(bond @ to_bond).astype(np.int16)
    ring = _SMALLEST_RING[atom[:, _RING]]
    in_ring = np.compress(bond[:, _IN_RING], edges, axis=1).ravel()
    ring[in_ring[ring[in_ring] == 0]] = _LARGE_RING
    atom[:, _RING] = ring
    atoms = np.bincount(owner, minlength=len(texts))
    first = np.cumsum(atoms) - atoms
    owner = owner[edges[0]]
    ends = (edges - first[owner]).T.astype(np.int32)
    return [_Values(atom, bond, ends, atoms, np.bincount(owner, minlength=len(texts)))]


def _of_mols(mols: Sequence[Chem.Mol | None]) -> _Values:
    atom, bond, ends = array("h"), array("h"), array("i")
    atoms = np.zeros(len(mols), dtype=np.int64)
    bonds = np.zeros(len(mols), dtype=np.int64)
    for i, mol in enumerate(mols):
        if mol is not None:
            _read_atoms(mol, atom)
            _read_bonds(mol, bond, ends)
            atoms[i], bonds[i] = mol.GetNumAtoms(), mol.GetNumBonds()
    return _Values(
        np.array(atom, np.int16).reshape(-1, len(ATOM)),
        np.array(bond, np.int16).reshape(-1, len(BOND)),
        np.array(ends, np.int32).reshape(-1, 2),
        atoms,
        bonds,
    )


def _coded(made: Sequence[_Values]) -> Graphs:
    """Join values and turn them into codes."""
    atom, bond, ends, atoms, bonds = (np.concatenate(column) for column in zip(*made, strict=True))
    placeholder = np.zeros(len(atoms), dtype=bool)
    nameless = np.flatnonzero(atom[:, 0] == 0)
    if len(nameless):
        placeholder[np.repeat(np.arange(len(atoms)), atoms)[nameless]] = True
    return Graphs(_codes(atom, _ATOM_TABLE), _codes(bond, _BOND_TABLE), ends, atoms, bonds, placeholder)


def _codes(values: NDArray[np.int16], table: Codes) -> Codes:
    column_starts = np.arange(len(table), dtype=np.int16) * 256
    return table.ravel().take((np.minimum(values, 255) & 255) + column_starts)


def _read_atoms(mol: Chem.Mol, into: array[int]) -> None:
    """Append the values of `ATOM`, atom by atom."""
    rings = mol.GetRingInfo()
    for i, a in enumerate(mol.GetAtoms()):
        into.extend(
            (
                a.GetAtomicNum(),
                a.GetTotalDegree(),
                a.GetFormalCharge(),
                a.GetChiralTag(),
                a.GetTotalNumHs(),
                a.GetHybridization(),
                a.GetIsAromatic(),
                rings.MinAtomRingSize(i),
            )
        )


def _read_bonds(mol: Chem.Mol, into: array[int], ends: array[int]) -> None:
    """Append the values of `BOND` and the two ends, bond by bond."""
    rings = mol.GetRingInfo()
    for i, b in enumerate(mol.GetBonds()):
        into.extend((b.GetBondType(), b.GetIsConjugated(), rings.NumBondRings(i) > 0, b.GetStereo()))
        ends.extend((b.GetBeginAtomIdx(), b.GetEndAtomIdx()))


@cache
def _wanted() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers by which cuik-molmaker knows the features it is asked for."""
    return (
        cuik_molmaker.atom_onehot_feature_names_to_array(list(_ATOM_PARTS)),
        cuik_molmaker.atom_float_feature_names_to_array(list(_ATOM_FLOAT)),
        cuik_molmaker.bond_feature_names_to_array(list(_BOND_PARTS)),
    )


@cache
def _weights() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the matrices [columns of cuik-molmaker, ours] that turn its features into the values of our columns."""
    atom = np.zeros((sum(_ATOM_PARTS.values()) + len(_ATOM_FLOAT), len(ATOM)), dtype=np.float32)
    atom[:5, 3] = range(5)
    atom[5:11, 4] = range(6)
    atom[11:17, _RING] = 2 ** np.arange(6)
    atom[17, 0] = 5
    atom[18, 1] = atom[19, 2] = atom[20, 5] = atom[21, 6] = 1
    bond = np.zeros((sum(_BOND_PARTS.values()), len(BOND)), dtype=np.float32)
    bond[:5, 0] = -10, 11, 22, 33, 27
    bond[5, 1] = bond[6, 2] = 1
    bond[7:, 3] = range(7)
    return atom, bond
