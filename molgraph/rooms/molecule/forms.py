"""One form for what is written in several: arrows, charges drawn apart, inner salts, relative stereo."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import chain, product

from rdkit import Chem
from rdkit.Chem import BondType, StereoGroupType

from molgraph.rooms.molecule.cxsmiles import is_relative
from molgraph.rooms.molecule.metals import is_metal

_NITROGEN, _CARBON = 7, 6
# The least charge that double bonds leave: none on P, S, As, Se, Sb, Te, I and carbon, one on nitrogen (nitro).
_LEAST = {**dict.fromkeys((15, 16, 33, 34, 51, 52, 53, _CARBON), 0), _NITROGEN: 1}
_GIVERS = (8, 16, 34, _NITROGEN, _CARBON)  # which neighbour gives its charge first: O, S, Se, N, C
_MIRRORED = 6  # stereo groups whose mirror images are all compared: 64 molecules
_NITRO = re.compile(r"\[N\+\]\(=O\)\[O-\]|\[N\+\]\(\[O-\]\)=O|\[O-\]\[N\+\]\(=O\)|O=\[N\+\]\(\[O-\]\)")
_CHARGE = re.compile(r"\+|-\d*(?::\d+)?\]")  # a minus outside brackets is a bond


def is_charged(text: str) -> bool:
    """Tell whether a SMILES has charges other than those of nitro groups, which have one form."""
    if "[" not in text:
        return False
    return _CHARGE.search(_NITRO.sub("", text) if "[N+]" in text else text) is not None


def united(mol: Chem.Mol, salt: bool = False) -> bool:
    """Draw charges together that are drawn apart, in place: sulfoxides as S=O, azides as N=[N+]=[N-]; tell whether so.

    What only nitrogen could take (nitro groups, N-oxides) stays as RDKit writes it. The anion of a `salt` has its
    charge on N where it could be on O or S: of sodium phenobarbital drawn with `C([O-])=N` most files have the acid as
    `C(=O)N`. A lone anion stays the tautomer that was drawn.

    See: RDKit's Code/GraphMol/MolStandardize/TransformCatalog/normalizations.in, whose sulfoxides are S+ beside O-
    """
    changed = False
    imidates = mol.GetSubstructMatches(_imidate(), maxMatches=mol.GetNumAtoms()) if salt else ()
    for anion, carbon, nitrogen in imidates:
        if mol.GetBondBetweenAtoms(carbon, nitrogen).GetBondType() == BondType.DOUBLE:
            _bind(mol, anion, carbon, BondType.DOUBLE, 1)
            _bind(mol, nitrogen, carbon, BondType.SINGLE, -1)
            changed = True
    for (at,) in mol.GetSubstructMatches(_cation(), maxMatches=mol.GetNumAtoms()):
        atom = mol.GetAtomWithIdx(at)
        if atom.GetFormalCharge() > 0:
            changed |= _take_double_bonds(atom) or _shift(atom) or _shift_along(atom)
    return changed


def _bind(mol: Chem.Mol, at: int, other: int, kind: BondType, charge: int) -> None:
    """Draw a bond as another one, and add to the charge of its first atom."""
    mol.GetBondBetweenAtoms(at, other).SetBondType(kind)
    atom = mol.GetAtomWithIdx(at)
    atom.SetFormalCharge(atom.GetFormalCharge() + charge)


@cache
def _cation() -> Chem.Mol:
    return Chem.MolFromSmarts("[!+0;!-]")


@cache
def _imidate() -> Chem.Mol:
    """Return the anion of an amide drawn with its charge on O or S, as which it would become another tautomer."""
    return Chem.MolFromSmarts("[O-,S-;X1]-[#6;A]=[N+0]")


def without_arrows(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule whose arrows between nonmetals are charges, as most people draw them: `CN(C)(C)->O` is an
    N-oxide.

    See: IUPAC, Graphical representation standards (2008), GR-1.7, https://doi.org/10.1351/pac200880020277
    """
    arrows = [
        bond.GetIdx()
        for bond in mol.GetBonds()
        if bond.GetBondType() == BondType.DATIVE
        and not any(is_metal(end.GetAtomicNum()) for end in (bond.GetBeginAtom(), bond.GetEndAtom()))
    ]
    if not arrows:
        return mol
    made = Chem.RWMol(mol)
    for bond in map(made.GetBondWithIdx, arrows):
        donor, taker = bond.GetBeginAtom(), bond.GetEndAtom()
        bond.SetBondType(BondType.SINGLE)
        donor.SetFormalCharge(donor.GetFormalCharge() + 1)
        taker.SetFormalCharge(taker.GetFormalCharge() - 1)
    made.UpdatePropertyCache(strict=False)
    return Chem.MolFromSmiles(Chem.MolToSmiles(made)) or mol


def isocyanides(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule whose isocyanides drawn as carbenes, `[C]=N`, are drawn as `[C-]#[N+]`."""
    found = mol.GetSubstructMatches(_carbene())
    if not found:
        return mol
    made = Chem.RWMol(mol)
    for carbon, nitrogen in found:
        _bind(made, carbon, nitrogen, BondType.TRIPLE, -1)
        made.GetAtomWithIdx(nitrogen).SetFormalCharge(1)
        made.GetAtomWithIdx(carbon).SetNumRadicalElectrons(0)
    return Chem.MolFromSmiles(Chem.MolToSmiles(made)) or mol


@cache
def _carbene() -> Chem.Mol:
    return Chem.MolFromSmarts("[CX1H0v2+0]=[NX2+0]")


def _take_double_bonds(atom: Chem.Atom) -> bool:
    least = _LEAST.get(atom.GetAtomicNum(), atom.GetFormalCharge())
    if atom.GetFormalCharge() <= least:
        return False
    beside = [(bond, bond.GetOtherAtom(atom)) for bond in atom.GetBonds() if bond.GetBondType() == BondType.SINGLE]
    givers = [
        (bond, other) for bond, other in beside if other.GetFormalCharge() < 0 and other.GetAtomicNum() in _GIVERS
    ]
    for bond, other in sorted(givers, key=lambda giver: _GIVERS.index(giver[1].GetAtomicNum())):
        if atom.GetFormalCharge() > least:
            bond.SetBondType(BondType.DOUBLE)
            atom.SetFormalCharge(atom.GetFormalCharge() - 1)
            other.SetFormalCharge(other.GetFormalCharge() + 1)
    return bool(givers)


def _shift(atom: Chem.Atom) -> bool:
    """Bring `X-N+#N` of an azide or a diazo compound to `X=N+=N-`, and an amide drawn as `O-C=N+` to `O=C-N`."""
    if atom.GetFormalCharge() != 1:
        return False
    for bond in atom.GetBonds():
        other = bond.GetOtherAtom(atom)
        if bond.GetBondType() == BondType.TRIPLE and other.GetAtomicNum() == _NITROGEN and not other.GetFormalCharge():
            near = next((b for b in atom.GetBonds() if _gives(b, atom)), None)
            if near is not None:
                near.GetOtherAtom(atom).SetFormalCharge(0)
                near.SetBondType(BondType.DOUBLE)
                bond.SetBondType(BondType.DOUBLE)
                other.SetFormalCharge(-1)
                return True
        if bond.GetBondType() == BondType.DOUBLE and not other.GetFormalCharge():
            far = next((b for b in other.GetBonds() if _gives(b, other)), None)
            if far is not None and far.GetOtherAtom(other).GetAtomicNum() != _CARBON:
                far.GetOtherAtom(other).SetFormalCharge(0)
                far.SetBondType(BondType.DOUBLE)
                bond.SetBondType(BondType.SINGLE)
                atom.SetFormalCharge(0)
                return True
    return False


def _shift_along(atom: Chem.Atom) -> bool:
    """Bring `X+-C=C-O-` of an ylide to `X=C-C=O`."""
    if atom.GetFormalCharge() != 1 or atom.GetAtomicNum() == _CARBON or _LEAST.get(atom.GetAtomicNum(), 1):
        return False
    for bond in atom.GetBonds():
        near = bond.GetOtherAtom(atom)
        if bond.GetBondType() != BondType.SINGLE or near.GetAtomicNum() != _CARBON or near.GetFormalCharge():
            continue
        for double in near.GetBonds():
            far = double.GetOtherAtom(near)
            if double.GetBondType() != BondType.DOUBLE or far.GetAtomicNum() != _CARBON:
                continue
            last = next((b for b in far.GetBonds() if _gives(b, far)), None)
            if last is not None and last.GetOtherAtom(far).GetAtomicNum() != _CARBON:
                _bind(atom.GetOwningMol(), last.GetOtherAtomIdx(far.GetIdx()), far.GetIdx(), BondType.DOUBLE, 1)
                double.SetBondType(BondType.SINGLE)
                bond.SetBondType(BondType.DOUBLE)
                atom.SetFormalCharge(0)
                return True
    return False


def _gives(bond: Chem.Bond, atom: Chem.Atom) -> bool:
    other = bond.GetOtherAtom(atom)
    single = bond.GetBondType() == BondType.SINGLE
    return single and other.GetFormalCharge() == -1 and other.GetAtomicNum() in _GIVERS


def without_acid_protons(mol: Chem.Mol) -> Chem.Mol | None:
    """Return a molecule with a fixed positive charge and its acids as anions; None where it lacks either.

    A betaine and its hydrochloride are one compound: after this, `Uncharger` leaves as many anions as are needed.
    """
    fixed = any(
        atom.GetFormalCharge() > 0 and all(near.GetFormalCharge() >= 0 for near in atom.GetNeighbors())
        for atom in mol.GetAtoms()
    )
    acids = mol.GetSubstructMatches(_acid()) if fixed else ()
    if not acids:
        return None
    made = Chem.RWMol(mol)
    for (at,) in acids:
        made.GetAtomWithIdx(at).SetFormalCharge(-1)
        made.GetAtomWithIdx(at).SetNumExplicitHs(0)
    made.UpdatePropertyCache(strict=False)
    return made.GetMol()


@cache
def _acid() -> Chem.Mol:
    """Return the acids beside a charge that stays: those of C, S and P, and the protonated N-oxide."""
    return Chem.MolFromSmarts("[OX2H1;$(O[C,S,P]=[O,S]),$(O-[#7+;H0;!$(*-[O-])])]")


def without_stereo_groups(mol: Chem.Mol) -> tuple[Chem.Mol, str]:
    """Return a molecule without stereo that is relative or racemic (V3000 groups AND, OR), and what to say of it.

    A centre alone in its group is one of unknown stereo. Of several in one group only how they stand to each other is
    known, which no key can say: of the mirror images the one whose SMILES comes first stands for all.

    See: CTFile Formats (BIOVIA, 2020), enhanced stereochemistry
    """
    groups = [group for group in mol.GetStereoGroups() if group.GetGroupType() != StereoGroupType.STEREO_ABSOLUTE]
    centres = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    if not groups and centres and is_relative(mol):
        groups = [Chem.CreateStereoGroup(StereoGroupType.STEREO_OR, mol, centres)]
    if not groups:
        return mol, ""
    made = Chem.RWMol(mol)
    made.SetStereoGroups([])
    together = [[atom.GetIdx() for atom in group.GetAtoms()] for group in groups]
    for group in together:
        if len(group) == 1:
            made.GetAtomWithIdx(group[0]).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    related = [group for group in together if len(group) > 1][:_MIRRORED]
    images = [_mirrored(made, chosen) for chosen in product(*([[], group] for group in related))]
    kinds = {
        "racemic" if g.GetGroupType() == StereoGroupType.STEREO_AND else "one isomer, not known which" for g in groups
    }
    how = "scored as one of the mirror images" if related else "scored without the stereo of these centres"
    return min(images, key=Chem.MolToSmiles), f"relative stereo ({' and '.join(sorted(kinds))}): {how}"


def _mirrored(mol: Chem.Mol, groups: Sequence[Sequence[int]]) -> Chem.Mol:
    made = Chem.Mol(mol)
    for at in chain.from_iterable(groups):
        made.GetAtomWithIdx(at).InvertChirality()
    return Chem.MolFromSmiles(Chem.MolToSmiles(made)) or made
