"""A protein out of a file: its heavy atoms, one conformation of each residue, its bonds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from scipy.spatial import cKDTree

from molgraph.data.regular import refused
from molgraph.data.stream import open_bytes, suffixes
from molgraph.errors import DataError, ResourceError
from molgraph.rooms.binding.conformation import one_conformation
from molgraph.rooms.binding.records import CIF_FILES, PDB_FILES, Records, parse
from molgraph.rooms.binding.residues import (
    AMINO,
    COFACTOR,
    ION,
    MODIFIED,
    SPELLED,
    WATER,
    atom_codes,
    kind_of,
    letter_of,
    templates,
)
from molgraph.rooms.molecule.standardise import Refusal

MOST = 1 << 29  # bytes of text; the largest entries of the Protein Data Bank have half of that
STRUCTURE_FILES = (*PDB_FILES, *CIF_FILES)
# Two atoms are bonded where they are nearer than the sum of their covalent radii and this, angstrom.
# See: Meng and Lewis 1991, doi 10.1002/jcc.540120716; radii: Cordero 2008, doi 10.1039/b801115j (as RDKit holds them)
BOND_TOLERANCE = 0.4
SHORTEST_BOND = 0.7  # angstrom, just below that of H2; nearer ones are one atom written twice
_RADII = np.array([0.0, *(Chem.GetPeriodicTable().GetRcovalent(number) for number in range(1, 119))])
GAP = "X"  # an unknown residue: no word of three residues reaches over it
_OPEN = 16  # structures that a process keeps: a screen has one, a table of crystal structures one per row


@dataclass(frozen=True)
class Structure:
    """Hold the heavy atoms of a protein and what stands beside it (waters, ions, cofactors).

    Shapes: `codes` uint8 [N, 8] (`molecule.graphs.ATOM`), `element` int16 [N], `xyz` float64 [N, 3] in angstrom,
    `residue` int64 [N] (which of R residues); `kind` int64 [R] (`residues.AMINO` and others); `label` and `letter`
    one text per residue ("A:HIS57", "H"), `missing` int64 [R]: heavy atoms that an amino acid of its
    name has and it lacks; `bonds` int64 [M, 2], covalent ones.
    """

    codes: NDArray[np.uint8]
    element: NDArray[np.int16]
    xyz: NDArray[np.float64]
    residue: NDArray[np.int64]
    kind: NDArray[np.int64]
    label: tuple[str, ...]
    letter: tuple[str, ...]
    chain: tuple[str, ...]
    missing: NDArray[np.int64]
    bonds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.element)

    @property
    def sequences(self) -> list[str]:
        """Return the sequence of every chain that has amino acids, in order, equal chains once; X stands for a gap."""
        ends = self.residue[self.bonds]
        linked = {(int(a), int(b)) for a, b in ends[ends[:, 0] != ends[:, 1]]}
        chains: dict[str, str] = {}
        last: dict[str, int] = {}
        for number, (chain, letter) in enumerate(zip(self.chain, self.letter, strict=True)):
            if letter:
                whole = chain not in last or (last[chain], number) in linked
                chains[chain] = chains.get(chain, "") + ("" if whole else GAP) + letter
                last[chain] = number
        return list(dict.fromkeys(chains.values()))


def structure(path: str) -> Structure | Refusal:
    """Read a protein from PDB, PDBQT or mmCIF (each also compressed), once per process and version of the file.

    The first model counts. Of alternate locations the one that is occupied most is kept (see `conformation`), with the
    atoms that only another one has; hydrogens and dummy atoms are left out.
    """
    why = refused(path, MOST)
    if why is not None:
        return Refusal("unreadable_file", f"{why[1]}; paths count from the table's folder")
    found = Path(path).stat()
    return _structure(path, found.st_mtime_ns, found.st_size)


@lru_cache(_OPEN)
def _structure(path: str, _changed: int, _size: int) -> Structure | Refusal:
    suffix, _ = suffixes(path)
    if suffix not in STRUCTURE_FILES:
        known = ", ".join(STRUCTURE_FILES)
        return Refusal("unknown_format", f"{path}: '{suffix}' is no structure format; known: {known}, also .gz or .zst")
    text = text_of(path)
    if isinstance(text, Refusal):
        return text
    records = parse(text, suffix)
    made = records if isinstance(records, Refusal) else build(records)
    return Refusal(made.reason, f"{path}: {made.message}") if isinstance(made, Refusal) else made


def text_of(path: str) -> str | Refusal:
    """Return the text of a file, decompressed, or why it cannot be read."""
    why = refused(path, MOST)
    if why is not None:
        return Refusal("unreadable_file", why[1])
    try:
        with open_bytes(path) as stream:
            content = stream.read(MOST + 1)
    except (DataError, ResourceError) as error:
        return Refusal("unreadable_file", str(error))
    if len(content) > MOST:
        return Refusal("unreadable_file", f"{path}: unpacks to over {MOST:,} bytes; no structure is so large")
    return content.decode("utf-8", errors="replace")


def build(records: Records) -> Structure | Refusal:
    """Choose conformations, leave hydrogens out and gather residues."""
    records, _ = one_conformation(records.take(records.element > 1))
    if not len(records.element):
        return Refusal("no_atoms", "the file has no heavy atom")
    keys = np.stack([records.chain, records.number, records.residue], axis=1)
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    residue, first = np.cumsum(new) - 1, np.flatnonzero(new)
    names = [frozenset(group.tolist()) for group in np.split(records.name, first[1:])]
    elements = np.split(records.element, first[1:])
    called = records.residue[first].tolist()
    kind = np.array([kind_of(*each) for each in zip(called, names, elements, strict=True)])
    bonds = _bonds(records, kind[residue])
    linked = np.isin(np.arange(len(kind)), residue[bonds[residue[bonds[:, 0]] != residue[bonds[:, 1]]]])
    kind[(kind == MODIFIED) & ~linked] = COFACTOR  # an amino acid's atoms, but in no chain
    places = zip(records.chain[first].tolist(), called, records.number[first].tolist(), strict=True)
    rows = zip(records.residue.tolist(), records.name.tolist(), records.element.tolist(), strict=True)
    return Structure(
        np.stack([atom_codes(*row) for row in rows]),
        records.element,
        records.xyz,
        residue,
        kind,
        tuple(f"{chain}:{name}{number}" if chain else f"{name}{number}" for chain, name, number in places),
        tuple(letter_of(name, of) for name, of in zip(called, kind.tolist(), strict=True)),
        tuple(records.chain[first].tolist()),
        np.array([_missing(name, atoms) for name, atoms in zip(called, names, strict=True)]),
        bonds,
    )


def _missing(name: str, atoms: frozenset[str]) -> int:
    """Count the heavy atoms that an amino acid should have; the first nucleotide of a strand has no phosphate."""
    spelled = SPELLED.get(name, name)
    return len(templates()[spelled].keys() - atoms) if spelled in AMINO else 0


def _bonds(records: Records, kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bonds [M, 2]; waters and ions have none."""
    bound = np.flatnonzero((kind != WATER) & (kind != ION))
    found: NDArray[np.int64] = bound[bonds_by_distance(records.element[bound], records.xyz[bound])]
    return found


def bonds_by_distance(element: NDArray[np.int16], xyz: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the pairs [M, 2] of atoms near enough to be bonded, in rising order."""
    radius = _RADII[element]
    pairs = cKDTree(xyz).query_pairs(2 * float(radius.max(initial=0.0)) + BOND_TOLERANCE, output_type="ndarray")
    distance = np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1)
    bonded = (distance <= radius[pairs].sum(axis=1) + BOND_TOLERANCE) & (distance >= SHORTEST_BOND)
    found: NDArray[np.int64] = pairs[bonded].astype(np.int64)
    return found[np.lexsort((found[:, 1], found[:, 0]))]
