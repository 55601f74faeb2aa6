"""What a residue is: its kind, its letter, and the codes its atoms have in an intact chain."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from molgraph.rooms.molecule.graphs import ATOM, from_mols

# One-letter codes of the wwPDB Chemical Component Dictionary, https://www.wwpdb.org/data/ccd.
LETTERS = {
    **{"ALA": "A", "ARG": "R", "ASN": "N", "ASP": "D", "CYS": "C", "GLN": "Q", "GLU": "E", "GLY": "G", "HIS": "H"},
    **{"ILE": "I", "LEU": "L", "LYS": "K", "MET": "M", "PHE": "F", "PRO": "P", "SER": "S", "THR": "T", "TRP": "W"},
    **{"TYR": "Y", "VAL": "V"},
}
# Other names of the same heavy atoms: protonation states of the Amber and Schroedinger programs.
SPELLED = {
    **{"HID": "HIS", "HIE": "HIS", "HIP": "HIS", "HSD": "HIS", "HSE": "HIS", "HSP": "HIS", "CYX": "CYS", "CYM": "CYS"},
    **{"ASH": "ASP", "GLH": "GLU", "LYN": "LYS", "ARN": "ARG", "TYO": "TYR", "ACYS": "CYS"},
}
# Modified residues and the letter of their parent, as the Chemical Component Dictionary states it.
PARENTS = {
    **{"MSE": "M", "SEP": "S", "TPO": "T", "PTR": "Y", "CSO": "C", "CSD": "C", "CME": "C", "OCS": "C", "CSX": "C"},
    **{"MLY": "K", "M3L": "K", "KCX": "K", "ALY": "K", "LLP": "K", "HYP": "P", "PCA": "Q", "CGU": "E", "TYS": "Y"},
}
NUCLEOTIDES = frozenset({"A", "C", "G", "U", "I", "DA", "DC", "DG", "DT", "DU", "DI"})
WATERS = frozenset({"HOH", "WAT", "DOD", "H2O", "TIP", "TIP3", "TP3", "SPC", "SOL"})

LIGAND = 0
AMINO = {name: number for number, name in enumerate(LETTERS, start=1)}
NUCLEOTIDE, MODIFIED, WATER, ION, COFACTOR = range(21, 26)
KINDS = 26  # ligand, the 20 amino acids, and the five above
POLYMER_LAST = MODIFIED
UNKNOWN = np.array([column.size - 1 for column in ATOM], dtype=np.uint8)  # the last code of a column: any other value
_ELEMENT = next(i for i, column in enumerate(ATOM) if column.name == "element")

# Side chains and phosphates that are charged at pH 7 (pKa tables of any biochemistry text): the atom that RDKit's
# neutral residue leaves to be charged. Which of two mesomeric atoms a file calls the first is chance, so both get the
# codes of the charged one.
_CHARGED = {
    **{("ASP", "OD2"): -1, ("GLU", "OE2"): -1, ("LYS", "NZ"): 1, ("ARG", "NH1"): 1},
    **{(name, "OP2"): -1 for name in NUCLEOTIDES},
}
_MESOMERIC = {("ASP", "OD1"): "OD2", ("GLU", "OE1"): "OE2", ("ARG", "NH2"): "NH1"}
_MESOMERIC |= {(name, "OP1"): "OP2" for name in NUCLEOTIDES}


def kind_of(name: str, names: frozenset[str], elements: NDArray[np.int16]) -> int:
    """Return the kind of a residue from its name, the names of its atoms and their elements."""
    spelled = SPELLED.get(name, name)
    if spelled in AMINO:
        return AMINO[spelled]
    if name in NUCLEOTIDES:
        return NUCLEOTIDE
    if name in WATERS:
        return WATER
    if {"N", "CA", "C"} <= names or {"P", "C4'"} <= names:
        return MODIFIED
    return ION if len(elements) == 1 else COFACTOR


def letter_of(name: str, kind: int) -> str:
    """Return the one-letter code of a residue, "X" for an unknown one and "" for what is no amino acid."""
    letter = LETTERS.get(SPELLED.get(name, name)) or PARENTS.get(name)
    return letter or ("X" if kind == MODIFIED else "")


def atom_codes(name: str, atom: str, element: int) -> NDArray[np.uint8]:
    """Return the codes of an atom (see `molecule.graphs.ATOM`); outside known residues only the element is known."""
    found = templates().get(SPELLED.get(name, name), {}).get(atom)
    return _of_element(element) if found is None else found


@cache
def templates() -> dict[str, dict[str, NDArray[np.uint8]]]:
    """Return the codes of every heavy atom of the amino acids and nucleotides inside a chain, by residue and atom name.

    RDKit builds the residues with their bonds; side chains are charged as at pH 7, histidine is neutral.
    """
    found: dict[str, dict[str, NDArray[np.uint8]]] = {}
    middles = [(f"G{letter}G", 0) for letter in LETTERS.values()]
    middles += [(f"A{base}A", 2) for base in "ACGU"] + [(f"A{base}A", 6) for base in "ACGT"]
    for sequence, flavor in middles:  # 0: L-amino acids, 2: RNA, 6: DNA, in RDKit's counting
        chain = Chem.MolFromSequence(sequence, flavor=flavor)
        places = [(info.GetResidueName().strip(), info.GetName().strip()) for info in _places(chain)]
        for atom, place in zip(chain.GetAtoms(), places, strict=True):
            atom.SetFormalCharge(_CHARGED.get(place, 0))
            atom.SetNoImplicit(False)
        Chem.SanitizeMol(chain)
        for (residue, atom), info, row in zip(places, _places(chain), from_mols([chain]).atom, strict=True):
            if info.GetResidueNumber() == 2:
                found.setdefault(residue, {})[atom] = row
    for (residue, atom), other in _MESOMERIC.items():
        if residue in found:
            found[residue][atom] = found[residue][other]
    return found


def _places(chain: Chem.Mol) -> list[Chem.AtomPDBResidueInfo]:
    return [atom.GetPDBResidueInfo() for atom in chain.GetAtoms()]


@cache
def _of_element(element: int) -> NDArray[np.uint8]:
    row = UNKNOWN.copy()
    known = ATOM[_ELEMENT].values
    row[_ELEMENT] = known.index(element) if element in known else UNKNOWN[_ELEMENT]
    return row
