"""One resonance form of a cation: its charge is drawn where most people draw it, and each place is no new compound."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import BondType

_CARBON, _NITROGEN = 6, 7
# Which atoms show the charge first: P and As (onium salts), N, then O, S and Se, C.
_HOLDERS = {15: 0, 33: 0, _NITROGEN: 1, 8: 2, 16: 2, 34: 2, _CARBON: 3}
_LONE_PAIRS = frozenset((_NITROGEN, 8, 16, 34))
_NONMETALS = frozenset((1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 52, 53))
_PHOSPHORUS = frozenset((15, 33))
_AMIDINIUM = 3  # atoms from N+ to N
_OPS = Chem.SanitizeFlags
# All that a form needs before its SMILES is read again: a bond less and a bond more changes no ring.
_NEEDED = _OPS.SANITIZE_PROPERTIES | _OPS.SANITIZE_SYMMRINGS | _OPS.SANITIZE_SETAROMATICITY | _OPS.SANITIZE_ADJUSTHS
_MOST, _STEPS = 256, 4096  # forms that are compared (crystal violet has 3), bonds that are walked from a charge


class _Form(NamedTuple):
    """Hold a resonance form, what is compared of it, more is better, and the bonds by which it differs."""

    worth: tuple[int, ...]
    mol: Chem.Mol
    bonds: tuple[int, ...]


def settled(mol: Chem.Mol) -> Chem.Mol:
    """Return a cation in one of its resonance forms: the charge on N before O, S and C, most benzenoid atoms, a proton
    on the charge; of equal ones the last by SMILES.

    A diazonium ion beside an anion is a diazo compound. A charge that holds a proton stays where it is: it is taken
    from there, and a tautomer stays as drawn. Double bonds that are single in an equal form (cyanines) lose E and Z,
    which only one of the drawings could show.

    See: conjugated cations in RDKit's normalizations.in, of which this is the general case
    """
    if not (mol.HasSubstructMatch(_giver()) and _moving(mol)):
        return mol
    forms = _forms(mol)
    now = _weighed(mol, ())
    while forms:
        best = _best([now, *forms])
        if best is now:
            equal = {bond for form in forms if form.worth == now.worth for bond in form.bonds}
            return _without_stereo(Chem.Mol(now.mol), equal)
        now, forms = best, _forms(best.mol)
    return mol if now.mol is mol else _without_stereo(now.mol, set())


def _best(forms: list[_Form]) -> _Form:
    """Return the form of most worth; of equal ones the last by SMILES, which is written only for these."""
    most = max(form.worth for form in forms)
    equal = [form for form in forms if form.worth == most]
    return equal[0] if len(equal) == 1 else max(equal, key=_flat)


def _flat(form: _Form) -> str:
    return str(Chem.MolToSmiles(form.mol, isomericSmiles=False))


@cache
def _giver() -> Chem.Mol:
    """Return what a charge may move to: a neutral atom with a free pair beside a double bond, an anion, a carbocation
    or phosphorus."""
    return Chem.MolFromSmarts(
        "[$([-;!$([OX1]-[+])]),$([#6+]),$([#15,#33]=*),$([#7X3+0,#8X2+0,#16X2+0,#34X2+0]~[#6,#7,#15;$(*=,:*),+])]"
    )


@cache
def _charged() -> Chem.Mol:
    return Chem.MolFromSmarts("[!+0]")


@cache
def _benzenoid() -> Chem.Mol:
    return Chem.MolFromSmarts("[a;!$(*=*)]")


def _charges(mol: Chem.Mol) -> list[Chem.Atom]:
    return [mol.GetAtomWithIdx(at) for (at,) in mol.GetSubstructMatches(_charged(), maxMatches=mol.GetNumAtoms())]


def _moving(mol: Chem.Mol) -> list[Chem.Atom]:
    return list(filter(_moves, _charges(mol)))


def _moves(atom: Chem.Atom) -> bool:
    """Tell whether a charge may be drawn elsewhere: no proton to take, no anion beside it, a double bond to shift."""
    number = atom.GetAtomicNum()
    if atom.GetFormalCharge() != 1 or number not in _HOLDERS or number in _PHOSPHORUS:
        return False
    if any(near.GetFormalCharge() < 0 or near.GetAtomicNum() not in _NONMETALS for near in atom.GetNeighbors()):
        return False
    if number == _CARBON:
        return True
    return not atom.GetTotalNumHs() and (_is_diazonium(atom) or any(map(_is_double, atom.GetBonds())))


def _is_double(bond: Chem.Bond) -> bool:
    return bond.GetBondType() in (BondType.DOUBLE, BondType.AROMATIC)


def _is_diazonium(atom: Chem.Atom) -> bool:
    return any(
        bond.GetBondType() == BondType.TRIPLE and bond.GetOtherAtom(atom).GetAtomicNum() == _NITROGEN
        for bond in atom.GetBonds()
    )


def _forms(mol: Chem.Mol) -> list[_Form]:
    """Return the other forms, none where there are more than are compared, so that none depends on how it was drawn."""
    drawn = Chem.RWMol(mol)
    try:
        Chem.Kekulize(drawn, clearAromaticFlags=True)
    except Chem.KekulizeException:
        return []
    paths = [path for start in _moving(drawn) for path in _paths(drawn, start)]
    if len(paths) > _MOST:
        return []
    paths = list({(path[0], path[-1]): path for path in paths}.values())  # another way around a ring is the same form
    forms = (_form(_shifted(drawn, path), _bonds(drawn, path)) for path in paths)
    return [form for form in forms if form is not None]


def _paths(mol: Chem.Mol, start: Chem.Atom) -> Iterator[list[int]]:
    """Yield the atoms along bonds that are double and single by turns, from a charge to where it may stand as well.

    A carbocation and a diazonium ion begin with a single bond, for they take electrons, any other with a double one.
    """
    takes = start.GetAtomicNum() == _CARBON
    diazonium = _is_diazonium(start)
    first = BondType.SINGLE if takes or diazonium else BondType.DOUBLE
    open_: list[tuple[list[int], BondType]] = [([start.GetIdx()], first)]
    beside: dict[tuple[int, BondType], list[Chem.Atom]] = {}
    for _ in range(_STEPS):
        if not open_:
            return
        path, kind = open_.pop()
        here = (path[-1], kind)
        if here not in beside:
            beside[here] = _beside(mol.GetAtomWithIdx(path[-1]), kind)
        for near in beside[here]:
            if near.GetIdx() in path:
                continue
            longer = [*path, near.GetIdx()]
            if _ends(near, kind, takes, diazonium, len(longer)):
                yield longer
            if near.GetFormalCharge() == 0:
                open_.append((longer, BondType.DOUBLE if kind == BondType.SINGLE else BondType.SINGLE))


def _beside(atom: Chem.Atom, kind: BondType) -> list[Chem.Atom]:
    return [bond.GetOtherAtom(atom) for bond in atom.GetBonds() if bond.GetBondType() == kind]


def _ends(atom: Chem.Atom, kind: BondType, takes: bool, diazonium: bool, length: int) -> bool:
    """Tell whether the charge may stand where a path comes to by a bond of this kind."""
    if kind == BondType.DOUBLE:
        receives = atom.GetAtomicNum() in _PHOSPHORUS or (takes and atom.GetAtomicNum() == _CARBON)
        return receives and not diazonium and not atom.GetFormalCharge()
    if atom.GetFormalCharge() == -1:
        return atom.GetAtomicNum() in _LONE_PAIRS or atom.GetAtomicNum() == _CARBON
    return not diazonium and _has_free_pair(atom) and (length <= _AMIDINIUM or not _keeps_proton(atom))


def _has_free_pair(atom: Chem.Atom) -> bool:
    """Tell whether a neutral atom has a pair of electrons for a double bond, and no metal that takes it."""
    if atom.GetFormalCharge() or atom.GetAtomicNum() not in _LONE_PAIRS:
        return False
    single = all(bond.GetBondType() == BondType.SINGLE for bond in atom.GetBonds())
    fit = atom.GetTotalValence() == (3 if atom.GetAtomicNum() == _NITROGEN else 2)
    return single and fit and all(near.GetAtomicNum() in _NONMETALS for near in atom.GetNeighbors())


def _keeps_proton(atom: Chem.Atom) -> bool:
    """Tell whether an atom keeps its proton beside a charge far away: the NH of a carbazole or an amide."""
    acylated = any(_is_double(bond) and not bond.IsInRing() for near in atom.GetNeighbors() for bond in near.GetBonds())
    return atom.GetTotalNumHs() > 0 and (atom.IsInRing() or acylated)


def _bonds(mol: Chem.Mol, path: list[int]) -> tuple[int, ...]:
    return tuple(mol.GetBondBetweenAtoms(*ends).GetIdx() for ends in pairwise(path))


def _shifted(mol: Chem.Mol, path: list[int]) -> Chem.RWMol:
    made = Chem.RWMol(mol)
    for at in path:
        atom = made.GetAtomWithIdx(at)
        atom.SetNumExplicitHs(mol.GetAtomWithIdx(at).GetTotalNumHs())
        atom.SetNoImplicit(True)
    for at in _bonds(mol, path):
        bond = made.GetBondWithIdx(at)
        bond.SetStereo(Chem.BondStereo.STEREONONE)
        bond.SetBondType(BondType.SINGLE if bond.GetBondType() == BondType.DOUBLE else BondType.DOUBLE)
    first, last = made.GetAtomWithIdx(path[0]), made.GetAtomWithIdx(path[-1])
    last.SetFormalCharge(last.GetFormalCharge() + 1)
    for bond in first.GetBonds():
        if bond.GetBondType() == BondType.TRIPLE:  # a diazonium ion becomes N+=N-
            bond.SetBondType(BondType.DOUBLE)
            bond.GetOtherAtom(first).SetFormalCharge(-1)
            return made
    first.SetFormalCharge(0)
    return made


def _form(made: Chem.Mol, bonds: tuple[int, ...]) -> _Form | None:
    try:
        Chem.SanitizeMol(made, _NEEDED)
    except Chem.MolSanitizeException:
        return None
    return _weighed(made, bonds)


def _weighed(made: Chem.Mol, bonds: tuple[int, ...]) -> _Form:
    charged = _charges(made)
    holders = [atom for atom in charged if atom.GetFormalCharge() > 0]
    worth = (
        -len(charged),
        -sum(map(_is_diazonium, holders)),
        -sum(_HOLDERS.get(atom.GetAtomicNum(), 0) for atom in holders),
        len(made.GetSubstructMatches(_benzenoid(), maxMatches=made.GetNumAtoms())),
        sum(atom.GetTotalNumHs() for atom in holders if atom.GetAtomicNum() != _CARBON),
    )
    return _Form(worth, made, bonds)


def _without_stereo(mol: Chem.Mol, bonds: set[int]) -> Chem.Mol:
    """Return the molecule read again from its SMILES, without E and Z of these bonds."""
    for at in bonds:
        mol.GetBondWithIdx(at).SetStereo(Chem.BondStereo.STEREONONE)
        mol.GetBondWithIdx(at).SetBondDir(Chem.BondDir.NONE)
    return Chem.MolFromSmiles(Chem.MolToSmiles(mol)) or mol
