"""Which fragment of a record is the compound: no known counter-ion or solvent, and of those the one of most atoms."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgraph.rooms.molecule.metals import COMPLEXING, carbanion, is_metal, name_of
from molgraph.rooms.molecule.resonance import settled

# Counter-ions, solvents and hosts, each with its role: `either` is the drug of one salt and the ion of another (lysine,
# nicotinic acid), `host` (cyclodextrins, crown ethers), `ion` and `solvent` are none beside another compound, and
# `inorganic` never is one. Sources, where a row names none the first four of these:
# the salts and solvents of the ChEMBL structure pipeline, Bento 2020, https://doi.org/10.1186/s13321-020-00456-1;
# `Handbook`: Stahl and Wermuth, Handbook of Pharmaceutical Salts, 2nd edition 2011, ISBN 978-3-906390-51-2;
# `Q3C`: the residual solvents of ICH Q3C(R8), 2021; RDKit's Data/Salts.txt;
# `INN`: International Nonproprietary Names for radicals, groups and others, WHO 2012;
# `Excipients`: Rowe, Handbook of Pharmaceutical Excipients, 6th edition 2009, ISBN 978-0-85369-792-3;
# `Pedersen`: https://doi.org/10.1021/ja01002a035; `Lehn`: https://doi.org/10.1021/ar50122a001;
# `Gutsche`: Calixarenes, 1989, ISBN 978-0-85186-916-2; `Lagona`: https://doi.org/10.1002/anie.200460675;
# `ionic liquids`: Wasserscheid and Welton, 2008, ISBN 978-3-527-31239-9; `buffers`: Good 1966,
# https://doi.org/10.1021/bi00866a011.
LIST = "counterions.csv"
ORGANIC, EITHER, HOST, ION, COMPLEX, SOLVENT, INORGANIC = range(7)  # the first that a record holds is its compound
_ROLES = {"either": EITHER, "host": HOST, "ion": ION, "solvent": SOLVENT, "inorganic": INORGANIC}
_AUXILIARY = {HOST: "host", ION: "counter-ion", SOLVENT: "solvent"}
_PLAIN = frozenset((*map(name_of, (3, 11, 19, 37, 55, 4, 12, 20, 38, 56)), "ammonia"))  # cations of salts
_REMEMBERED = 4096  # fragments
_LONGEST = 40  # characters of a SMILES of the longest that is none
_CARBON, _NITROGEN = 6, 7


class Piece(NamedTuple):
    """Hold a fragment: its SMILES, what it can be, what a person calls it, its heavy atoms."""

    smiles: str
    rank: int
    name: str
    atoms: int


class Parent(NamedTuple):
    """Hold the compound of a record, and the names of what is left out, in order.

    `mixture` says that something of it may be a compound in its own right.
    """

    smiles: str
    left_out: str
    mixture: bool


class NoCompound(NamedTuple):
    """Hold the names of the counter-ions and solvents that are all there is in a record."""

    names: str


class Scattered(NamedTuple):
    """Say of an organometallic or a complex that it is written in pieces, without the bonds of its metal."""

    what: str


def parent(mol: Chem.Mol) -> Parent | NoCompound | Scattered:
    """Return the compound of a record of several fragments.

    Of equally large ones it is the first by its SMILES, so that their order in the record decides nothing. Of
    counter-ions and solvents alone none is the compound: sodium acetate is measured for neither.
    """
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    scattered = _scattered(parts)
    if scattered:
        return Scattered(scattered)
    pieces = [_piece(piece) for piece in parts]
    chosen = min(pieces, key=lambda piece: (piece.rank, -piece.atoms, piece.smiles))
    if chosen.rank == INORGANIC:
        return NoCompound(_counted(pieces))
    rivals = {piece.smiles for piece in pieces if piece.rank < INORGANIC} - {chosen.smiles}
    same = {smiles for smiles in rivals if uncharged(smiles) == uncharged(chosen.smiles)}
    left = [piece for piece in pieces if piece.smiles not in {chosen.smiles, *same}]
    alone = chosen.rank in _AUXILIARY and any(piece.smiles != "[H+]" for piece in left)
    if alone or (chosen.rank == COMPLEX and _is_inorganic_salt(pieces)):
        return NoCompound(_counted(pieces))
    equals = (ORGANIC, chosen.rank) if chosen.rank == EITHER else (ORGANIC,)
    return Parent(chosen.smiles, _counted(left), any(piece.rank in equals for piece in left))


def _is_inorganic_salt(pieces: Sequence[Piece]) -> bool:
    """Tell whether what has no carbon is the salt of an acid: beside an alkali metal, an alkaline earth or ammonium,
    and without a metal of complexes or nitrogen that may be what is asked about (hydrazine, nitrogen oxides).
    """
    acids = [mol for piece in pieces if piece.rank == COMPLEX and (mol := Chem.MolFromSmiles(piece.smiles))]
    return any(piece.name in _PLAIN for piece in pieces) and not any(
        mol.HasSubstructMatch(_asked_about()) or _elements(mol) & COMPLEXING for mol in acids
    )


@cache
def _asked_about() -> Chem.Mol:
    return Chem.MolFromSmarts("[#7;!H0,$(*~[#8])]")


def compounds(mol: Chem.Mol) -> list[str] | Scattered:
    """Return the SMILES of the fragments that may be the compound of a record, the likeliest first.

    They are those of the first rank that it holds: none is a counter-ion or a solvent, unless there is nothing else.
    """
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    scattered = _scattered(parts)
    if scattered:
        return Scattered(scattered)
    pieces = sorted({_piece(part) for part in parts}, key=lambda piece: (piece.rank, -piece.atoms, piece.smiles))
    return [piece.smiles for piece in pieces if piece.rank == pieces[0].rank]


def left_out(mol: Chem.Mol, smiles: str) -> str:
    """Return the names of the fragments other than the one of this SMILES."""
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    return _counted(piece for piece in map(_piece, parts) if piece.smiles != smiles)


def _scattered(parts: Sequence[Chem.Mol]) -> str:
    """Say whether a metal stands without carbon beside what must be its ligands; "" for none.

    Beside the platinum group these are organic ones and ammonia, beside any metal a carbanion. Of such a record neither
    the metal nor a ligand is the compound: oxaliplatin is no cyclohexanediamine, phenyllithium no benzene.
    """
    metals = {
        number for part in parts if _CARBON not in (held := _elements(part)) for number in held if is_metal(number)
    }
    if metals and any(map(carbanion, parts)):
        return f"{name_of(min(metals))} beside a carbanion: an organometallic without its bonds, out of scope"
    found = metals & COMPLEXING
    ligands = any(not _elements(part) & COMPLEXING and _elements(part) & {_CARBON, _NITROGEN} for part in parts)
    what = "beside its ligands: a complex without its bonds, out of scope; draw them to have it scored"
    return f"{name_of(min(found))} {what}" if found and ligands else ""


def _elements(mol: Chem.Mol) -> frozenset[int]:
    return frozenset(atom.GetAtomicNum() for atom in mol.GetAtoms())


def alone(mol: Chem.Mol, key: str) -> NoCompound | str:
    """Return what stands alone and is no compound: an element, water, an inorganic acid; of a counter-ion or a solvent,
    which is what its user asks about, what there is to say of it, "" of anything else.
    """
    if len(key) > _LONGEST:
        return ""
    plain = str(Chem.MolToSmiles(mol, isomericSmiles=False)) if "@" in key or "/" in key else key
    if mol.GetNumHeavyAtoms() > 1 and plain not in _listed():
        return ""
    organic = any(atom.GetAtomicNum() == _CARBON for atom in mol.GetAtoms())
    rank, name = _listed().get(plain, (ORGANIC if organic else INORGANIC, _element(mol)))
    if rank == INORGANIC:
        return NoCompound(name)
    return f"scored as itself: {name} is known as a {_AUXILIARY[rank]}" if rank in _AUXILIARY else ""


def _piece(mol: Chem.Mol) -> Piece:
    smiles, atoms = str(Chem.MolToSmiles(mol)), mol.GetNumHeavyAtoms()
    organic = any(atom.GetAtomicNum() == _CARBON for atom in mol.GetAtoms())
    if atoms < 2 and not organic:
        return Piece(smiles, INORGANIC, _role(smiles)[1] or _element(mol), atoms)
    if atoms < mol.GetNumAtoms() or (atoms, mol.GetNumBonds()) in _sizes():  # heavy hydrogen is an atom of its own
        role, name = _role(smiles)
        if name:
            return Piece(smiles, role, name, atoms)
    return Piece(smiles, ORGANIC if organic else COMPLEX, smiles, atoms)


def _element(mol: Chem.Mol) -> str:
    atom = next((atom for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1), mol.GetAtomWithIdx(0))
    return name_of(atom.GetAtomicNum())


def _counted(pieces: Iterable[Piece]) -> str:
    return ", ".join(f"{name} ({n})" if n > 1 else name for name, n in Counter(p.name for p in pieces).items())


@lru_cache(_REMEMBERED)
def _role(smiles: str) -> tuple[int, str]:
    return _listed().get(_plain(smiles), (ORGANIC, ""))


@lru_cache(_REMEMBERED)
def uncharged(smiles: str) -> str:
    """Return the SMILES of the neutral form, or the SMILES where there is none."""
    mol = Chem.MolFromSmiles(smiles)
    return smiles if mol is None else str(Chem.MolToSmiles(uncharger().uncharge(mol)))


def _plain(smiles: str) -> str:
    """Return the SMILES of the neutral form without stereo and isotopes, as which counter-ions are listed."""
    mol = Chem.MolFromSmiles(uncharged(smiles))
    if mol is None:
        return smiles
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
    return str(Chem.MolToSmiles(Chem.RemoveHs(mol), isomericSmiles=False))


@cache
def _listed() -> dict[str, tuple[int, str]]:
    """Return the rank and the name of what is listed, by its plain SMILES."""
    text = files("molgraph.rooms.molecule").joinpath(LIST).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {_plain(_settled(row["smiles"])): (_ROLES[row["role"]], row["name"]) for row in rows}


def _settled(smiles: str) -> str:
    return str(Chem.MolToSmiles(settled(Chem.MolFromSmiles(smiles))))


@cache
def _sizes() -> frozenset[tuple[int, int]]:
    """Return the numbers of atoms and bonds of what is listed: what has others is not."""
    mols = [Chem.MolFromSmiles(smiles) for smiles in _listed()]
    return frozenset((mol.GetNumAtoms(), mol.GetNumBonds()) for mol in mols)


@cache
def uncharger() -> rdMolStandardize.Uncharger:
    """Return RDKit's `Uncharger`, made once."""
    return rdMolStandardize.Uncharger()
