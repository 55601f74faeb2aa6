"""One resonance form of an inner salt whose negative charge moves: sydnones, molsidomine, ylides of pyridinium."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import BondType

# Which atoms show the negative charge first: N, then O, S and Se, C. Beside fixed cations most people draw aminides so.
_HOLDERS = {7: 0, 8: 1, 16: 1, 34: 1, 6: 2}
_ALONG = frozenset((6, 7))  # what a charge moves along; a sulfonamide keeps its own
_OPS = Chem.SanitizeFlags
_NEEDED = _OPS.SANITIZE_PROPERTIES | _OPS.SANITIZE_SYMMRINGS | _OPS.SANITIZE_SETAROMATICITY
_MOST, _STEPS = 64, 1024  # forms that are compared, bonds that are walked from a charge


class _Form(NamedTuple):
    """Hold a resonance form and what is compared of it, more is better."""

    worth: tuple[int, int]
    mol: Chem.Mol


def placed(mol: Chem.Mol) -> Chem.Mol:
    """Return an inner salt with a fixed cation in the form of most benzenoid atoms and with its negative charge on N
    before O and S before C; of equal ones in the last by SMILES.

    Nothing else is an inner salt that no proton can end, and whose two drawings would stay two compounds.

    See: mesoionic in IUPAC's Gold Book, https://doi.org/10.1351/goldbook.M03842
    """
    if not (mol.HasSubstructMatch(_fixed()) and mol.HasSubstructMatch(_movable())):
        return mol
    now = _Form(_worth(mol), mol)
    while forms := _forms(now.mol):
        most = max(form.worth for form in (now, *forms))
        best = max((form for form in (now, *forms) if form.worth == most), key=_flat)
        if best is now:
            break
        now = best
    return mol if now.mol is mol else Chem.MolFromSmiles(Chem.MolToSmiles(now.mol)) or mol


@cache
def _fixed() -> Chem.Mol:
    """Return a cation without protons that is no nitro group's, N-oxide's, azide's or isocyanide's."""
    return Chem.MolFromSmarts("[+;H0;!$(*-[OX1-]);!$([#7]=[#7-]);!$(*#*)]")


@cache
def _movable() -> Chem.Mol:
    return Chem.MolFromSmarts("[#6-,#7-,#8-,#16-,#34-;!$(*#*)]~[#6,#7]=,:[#6,#7,#8,#16,#34]")


@cache
def _anion() -> Chem.Mol:
    return Chem.MolFromSmarts("[#6-,#7-,#8-,#16-,#34-]")


@cache
def _benzenoid() -> Chem.Mol:
    return Chem.MolFromSmarts("[a;!$(*=*)]")


def _anions(mol: Chem.Mol) -> list[int]:
    return [at for (at,) in mol.GetSubstructMatches(_anion(), maxMatches=mol.GetNumAtoms())]


def _worth(mol: Chem.Mol) -> tuple[int, int]:
    benzenoid = len(mol.GetSubstructMatches(_benzenoid(), maxMatches=mol.GetNumAtoms()))
    return benzenoid, -sum(_HOLDERS[mol.GetAtomWithIdx(at).GetAtomicNum()] for at in _anions(mol))


def _flat(form: _Form) -> str:
    return str(Chem.MolToSmiles(form.mol, isomericSmiles=False))


def _forms(mol: Chem.Mol) -> list[_Form]:
    drawn = Chem.RWMol(mol)
    try:
        Chem.Kekulize(drawn, clearAromaticFlags=True)
    except Chem.KekulizeException:
        return []
    paths = {(path[0], path[-1]): path for start in _anions(drawn) for path in _paths(drawn, start)}
    if len(paths) > _MOST:
        return []
    return [form for path in paths.values() if (form := _shifted(drawn, path)) is not None]


def _paths(mol: Chem.Mol, start: int) -> Iterator[list[int]]:
    """Yield the atoms along bonds that are single and double by turns, from a charge to where it may stand as well."""
    open_ = [[start]]
    for _ in range(_STEPS):
        if not open_:
            return
        path = open_.pop()
        kind = BondType.SINGLE if len(path) % 2 else BondType.DOUBLE
        for bond in mol.GetAtomWithIdx(path[-1]).GetBonds():
            near = bond.GetOtherAtomIdx(path[-1])
            if bond.GetBondType() != kind or near in path:
                continue
            atom = mol.GetAtomWithIdx(near)
            if kind == BondType.DOUBLE and not atom.GetFormalCharge() and atom.GetAtomicNum() in _HOLDERS:
                yield [*path, near]
            if atom.GetFormalCharge() >= 0 and atom.GetAtomicNum() in _ALONG:
                open_.append([*path, near])


def _shifted(mol: Chem.Mol, path: list[int]) -> _Form | None:
    made = Chem.RWMol(mol)
    for at in path:
        made.GetAtomWithIdx(at).SetNumExplicitHs(mol.GetAtomWithIdx(at).GetTotalNumHs())
        made.GetAtomWithIdx(at).SetNoImplicit(True)
    for ends in pairwise(path):
        bond = made.GetBondBetweenAtoms(*ends)
        bond.SetStereo(Chem.BondStereo.STEREONONE)
        bond.SetBondType(BondType.SINGLE if bond.GetBondType() == BondType.DOUBLE else BondType.DOUBLE)
    made.GetAtomWithIdx(path[0]).SetFormalCharge(0)
    made.GetAtomWithIdx(path[-1]).SetFormalCharge(-1)
    try:
        Chem.SanitizeMol(made, _NEEDED)
    except Chem.MolSanitizeException:
        return None
    return _Form(_worth(made), made)
