"""One form for the bonds of metals: salts are ions, ligands of the platinum group give their electrons to it."""

from __future__ import annotations

import re
from functools import cache

from rdkit import Chem
from rdkit.Chem import BondType

# Metals that are ions beside an acid, whatever lines are drawn: groups 1 and 2, zinc, aluminium and silver; beside
# oxygen and sulfur acids (ferbam) and halogens alone also those of the d and f blocks and the heavy ones of the p
# block. Where carbon or a ligand's nitrogen holds them (chlorophyll, thiomersal), or oxygen that is no acid's
# (acetylacetonates), bonds stay; so do those of nickel and sulfur, whose dithiocarbamates are complexes.
_ALKALI = frozenset((3, 11, 19, 37, 55))
_EARTH = frozenset((4, 12, 20, 38, 56))
_METALS = _ALKALI | _EARTH | {30, 13, 47}
_OF_ACIDS = frozenset((*range(21, 30), 31, 39, 40, 48, 49, 50, *range(57, 72), 80, 81, 82, 83))
_IONS = _METALS | _OF_ACIDS
# Metals whose compounds are complexes and never plain salts: the platinum group, gold, technetium, rhenium.
COMPLEXING = frozenset((43, 44, 45, 46, 75, 76, 77, 78, 79))
_REAGENTS = _ALKALI | _EARTH | {30, 48, 13, 31, 49}  # carbon on these reacts with water and air
_HELD = frozenset((50, 51, 80, 81, 82, 83))  # carbon on these stays in water: Sn, Sb, Hg, Tl, Pb, Bi
_TRANSITION = frozenset((*range(21, 30), *range(39, 48), *range(57, 80)))
_LATE = (*range(24, 29), *range(42, 47), *range(74, 79))
_SYMBOLS = sorted(
    Chem.GetPeriodicTable().GetElementSymbol(n) for n in _IONS | COMPLEXING | _REAGENTS | _HELD | _TRANSITION
)
_METAL = re.compile(rf"\[\d*(?:{'|'.join(_SYMBOLS)})(?:[@H+-]|\]|:)")
_NO_METALS = frozenset((0, 1, 2, *range(5, 11), *range(14, 19), *range(32, 37), *range(51, 55), 85, 86))
_ANIONS = frozenset((8, 16, 34, 9, 17, 35, 53))  # O, S, Se and halogens
_HALOGENS = frozenset((9, 17, 35, 53))
_HOLD_METALS = (16, 34, 53, 35, 17, 8, 9)  # which anion a metal takes first
_CARBON, _NITROGEN, _OXYGEN, _SULFUR, _NICKEL = 6, 7, 8, 16, 28
_DONORS = {_NITROGEN: 3, 15: 3, 33: 3, 16: 2}  # bonds that a donor has beside that to its metal


def may_hold_metal(text: str) -> bool:
    """Tell whether a SMILES names a metal whose bonds are drawn in several ways."""
    return "[" in text and _METAL.search(text) is not None


def _metals(mol: Chem.Mol) -> list[Chem.Atom]:
    """Return the atoms that may be metals: those of none of the commonest elements."""
    return [mol.GetAtomWithIdx(at) for (at,) in mol.GetSubstructMatches(_uncommon(), maxMatches=mol.GetNumAtoms())]


@cache
def _uncommon() -> Chem.Mol:
    return Chem.MolFromSmarts("[!#6;!#8;!#7;!#1;!#16;!#17]")


def ionised(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule whose metals are ions beside their acids: `O[Na]` is a salt.

    Coordination compounds and organometallics keep their bonds.
    """
    metals = [atom for atom in _metals(mol) if atom.GetAtomicNum() in _IONS and atom.GetDegree()]
    salts = [metal.GetIdx() for metal in metals if all(_is_anion_of(metal, each) for each in metal.GetNeighbors())]
    if not salts:
        return mol
    made = Chem.RWMol(mol)
    for metal in map(made.GetAtomWithIdx, salts):
        for other in list(metal.GetNeighbors()):
            kind = made.GetBondBetweenAtoms(metal.GetIdx(), other.GetIdx()).GetBondType()
            made.RemoveBond(metal.GetIdx(), other.GetIdx())
            if kind == BondType.SINGLE and other.GetFormalCharge() == 0:
                other.SetFormalCharge(-1)
                metal.SetFormalCharge(metal.GetFormalCharge() + 1)
    made.UpdatePropertyCache(strict=False)
    return Chem.MolFromSmiles(Chem.MolToSmiles(made)) or mol


def _is_anion_of(metal: Chem.Atom, atom: Chem.Atom) -> bool:
    """Tell whether a neighbour is what an acid leaves: O, S, a halogen; N beside an acyl or a sulfonyl group; C of
    cyanide or a malonate."""
    number = atom.GetAtomicNum()
    if atom.GetFormalCharge() > 0:
        return False
    if metal.GetAtomicNum() in _OF_ACIDS:
        of_acid = number == _OXYGEN or (number == _SULFUR and metal.GetAtomicNum() != _NICKEL)
        return number in _HALOGENS or (of_acid and _is_of_acid(atom))
    if number == _CARBON:
        return is_acidic(atom)
    if number != _NITROGEN:
        return number in _ANIONS
    return metal.GetAtomicNum() in _ALKALI or _is_beside(atom, BondType.DOUBLE, _ANIONS)


def _is_of_acid(atom: Chem.Atom) -> bool:
    """Tell whether an oxygen or a sulfur is a hydroxide's, or of an acid with a double bond on the atom beside it."""
    double = any(bond.GetBondType() == BondType.DOUBLE for bond in atom.GetBonds())
    return not double and (atom.GetDegree() == 1 or _is_beside(atom, BondType.DOUBLE, _ANIONS))


def is_acidic(atom: Chem.Atom) -> bool:
    """Tell whether a carbanion is the salt of an acid (cyanide, a malonate, a nitronate), and no organometallic."""
    if any(
        b.GetBondType() == BondType.TRIPLE and b.GetOtherAtom(atom).GetAtomicNum() == _NITROGEN for b in atom.GetBonds()
    ):
        return True
    return _is_beside(atom, BondType.DOUBLE, {_OXYGEN, 16}) or _is_beside(atom, BondType.TRIPLE, {_NITROGEN})


def _is_beside(atom: Chem.Atom, kind: BondType, numbers: frozenset[int] | set[int]) -> bool:
    """Tell whether a neighbour has such a bond to one of these elements."""
    return any(
        bond.GetBondType() == kind and bond.GetOtherAtom(near).GetAtomicNum() in numbers
        for near in atom.GetNeighbors()
        for bond in near.GetBonds()
    )


def reagent(mol: Chem.Mol) -> str:
    """Return the metal of a Grignard reagent, an alkyllithium and the like: carbon holds it; "" for none."""
    for atom in _metals(mol):
        if atom.GetAtomicNum() in _REAGENTS and any(n.GetAtomicNum() == _CARBON for n in atom.GetNeighbors()):
            return name_of(atom.GetAtomicNum())
    return ""


def pi_complex(mol: Chem.Mol) -> str:
    """Return the metal that holds neighbouring carbons (ferrocene with bonds) or carbon monoxide; "" for none.

    In pieces these are refused, too: no drawing of theirs has bonds as a graph means them.
    """
    drawn_as_one_bond = mol.GetSubstructMatch(_metallocene())
    if drawn_as_one_bond:
        return name_of(mol.GetAtomWithIdx(drawn_as_one_bond[0]).GetAtomicNum())
    for atom in _metals(mol):
        if atom.GetAtomicNum() in _TRANSITION:
            held = [near for near in atom.GetNeighbors() if near.GetAtomicNum() == _CARBON]
            places = {near.GetIdx() for near in held}
            if any(_is_monoxide(near) or any(n.GetIdx() in places for n in near.GetNeighbors()) for near in held):
                return name_of(atom.GetAtomicNum())
    return ""


@cache
def _metallocene() -> Chem.Mol:
    """Return a metal of the groups 6 to 10 with one bond to a cyclopentadienyl ring.

    Those of the groups 4 and 5 drawn so stay: Tox21 has three, and the folds that it is judged on are held.
    """
    metals = ",".join(f"#{number}" for number in _LATE)
    sites = ("[#6]1-[#6]=[#6]-[#6]=[#6]-1", "[#6]1=[#6]-[#6]=[#6]-[#6]-1", "[#6]1=[#6]-[#6]-[#6]=[#6]-1")
    return Chem.MolFromSmarts(f"[{metals};{','.join(f'$(*~{site})' for site in sites)}]")


def _is_monoxide(carbon: Chem.Atom) -> bool:
    return carbon.GetDegree() == 2 and any(
        near.GetAtomicNum() == _OXYGEN and near.GetDegree() == 1 for near in carbon.GetNeighbors()
    )


def joined(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule whose organic cations of tin, mercury and the like are bound to their anions.

    Carbon holds the metal, so it holds the anion as well: `[Hg+]c1ccccc1.CC([O-])=O` is phenylmercury acetate.
    """
    open_ = [
        atom.GetIdx()
        for atom in _metals(mol)
        if atom.GetAtomicNum() in _HELD
        and atom.GetFormalCharge() > 0
        and any(near.GetAtomicNum() == _CARBON for near in atom.GetNeighbors())
    ]
    if not open_:
        return mol
    made, order = Chem.RWMol(mol), list(Chem.CanonicalRankAtoms(mol))
    anions = [atom for atom in made.GetAtoms() if _may_hold(atom)]
    anions.sort(key=lambda atom: (_HOLD_METALS.index(atom.GetAtomicNum()), order[atom.GetIdx()]))
    for metal in map(made.GetAtomWithIdx, sorted(open_, key=order.__getitem__)):
        while metal.GetFormalCharge() > 0 and anions:
            anion = anions.pop(0)
            made.AddBond(metal.GetIdx(), anion.GetIdx(), BondType.SINGLE)
            anion.SetFormalCharge(0)
            metal.SetFormalCharge(metal.GetFormalCharge() - 1)
    made.UpdatePropertyCache(strict=False)
    return Chem.MolFromSmiles(Chem.MolToSmiles(made)) or mol


def _may_hold(atom: Chem.Atom) -> bool:
    alone = all(near.GetFormalCharge() <= 0 for near in atom.GetNeighbors())
    return atom.GetFormalCharge() == -1 and atom.GetAtomicNum() in _HOLD_METALS and alone


def carbanion(mol: Chem.Mol) -> bool:
    """Tell whether a fragment is what is left of an organometallic: a carbanion that is no acid's and no ylide's, or a
    radical, as which some write it."""
    return any(
        atom.GetAtomicNum() == _CARBON
        and (atom.GetFormalCharge() < 0 or atom.GetNumRadicalElectrons() > 0)
        and all(near.GetFormalCharge() <= 0 for near in atom.GetNeighbors())
        and not is_acidic(atom)
        for atom in mol.GetAtoms()
    )


def is_metal(number: int) -> bool:
    """Tell whether an element is a metal; the half-metals B, Si, Ge, As, Sb, Te and At are none."""
    return number not in _NO_METALS


def name_of(number: int) -> str:
    """Return the name of an element in lower case."""
    return str(Chem.GetPeriodicTable().GetElementName(number)).lower()


def coordinated(mol: Chem.Mol) -> Chem.Mol:
    """Return a complex of the platinum group whose neutral ligands are drawn as donors: `[NH3]->[Pt]`.

    `N[Pt]` is meant for an ammine, `[NH3+][Pt-]` says the same with charges; an anion that donates is a bond.

    See: IUPAC, Graphical representation standards (2008), GR-1.7, https://doi.org/10.1351/pac200880020277
    """
    if not any(atom.GetAtomicNum() in COMPLEXING for atom in _metals(mol)):
        return mol
    made = Chem.RWMol(mol)
    found = [(bond, ligand) for bond in made.GetBonds() if (ligand := _ligand_of(bond)) is not None]
    for bond, ligand in found:
        metal = bond.GetOtherAtom(ligand)
        charge, kind = ligand.GetFormalCharge(), bond.GetBondType()
        if kind == BondType.DATIVE and charge == -1:
            _draw(made, ligand, metal, BondType.SINGLE, ligand.GetTotalNumHs())
            metal.SetFormalCharge(metal.GetFormalCharge() - 1)
        elif kind == BondType.SINGLE and ligand.GetAtomicNum() in _DONORS and charge == 1:
            _draw(made, ligand, metal, BondType.DATIVE, ligand.GetTotalNumHs())
            metal.SetFormalCharge(metal.GetFormalCharge() + 1)
        elif kind in (BondType.SINGLE, BondType.DOUBLE) and charge == 0 and _is_donor(ligand):
            free = _DONORS[ligand.GetAtomicNum()] - len(_beside_metal(ligand))
            _draw(made, ligand, metal, BondType.DATIVE, free)
    made.UpdatePropertyCache(strict=False)
    return Chem.MolFromSmiles(Chem.MolToSmiles(made)) or mol


def _ligand_of(bond: Chem.Bond) -> Chem.Atom | None:
    ends = (bond.GetBeginAtom(), bond.GetEndAtom())
    metals = [atom.GetAtomicNum() in COMPLEXING for atom in ends]
    return ends[metals.index(False)] if sum(metals) == 1 else None


def _beside_metal(atom: Chem.Atom) -> list[Chem.Atom]:
    return [near for near in atom.GetNeighbors() if near.GetAtomicNum() not in COMPLEXING]


def _is_donor(atom: Chem.Atom) -> bool:
    """Tell whether an atom is that of an ammine, an amine, a phosphine or a thioether: no amide, imine or thiolate."""
    number, beside = atom.GetAtomicNum(), _beside_metal(atom)
    if number not in _DONORS or atom.GetDegree() - len(beside) != 1 or _is_beside(atom, BondType.DOUBLE, _ANIONS):
        return False
    bonds = (bond.GetBondType() for bond in atom.GetBonds() if bond.GetOtherAtom(atom).GetAtomicNum() not in COMPLEXING)
    full = len(beside) == _DONORS[number] or (number == _NITROGEN and atom.GetTotalNumHs() > 0)
    return full and all(kind == BondType.SINGLE for kind in bonds)


def _draw(mol: Chem.RWMol, ligand: Chem.Atom, metal: Chem.Atom, kind: BondType, hydrogens: int) -> None:
    mol.RemoveBond(ligand.GetIdx(), metal.GetIdx())
    mol.AddBond(ligand.GetIdx(), metal.GetIdx(), kind)
    ligand.SetFormalCharge(0)
    ligand.SetNumExplicitHs(hydrogens)
    ligand.SetNoImplicit(True)
