"""Texts to molecules: read a SMILES or say why not, and bring every writing of a compound to one key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgraph.config import RULES
from molgraph.rooms.molecule.cxsmiles import refused_extension
from molgraph.rooms.molecule.forms import (
    is_charged,
    isocyanides,
    united,
    without_acid_protons,
    without_arrows,
    without_stereo_groups,
)
from molgraph.rooms.molecule.fragments import NoCompound, Scattered, alone, parent, uncharger
from molgraph.rooms.molecule.mesoions import placed
from molgraph.rooms.molecule.metals import coordinated, ionised, joined, may_hold_metal, pi_complex, reagent
from molgraph.rooms.molecule.resonance import settled

MAX_ATOMS = 500  # heavy atoms; insulin has about 400
_CHARACTERS_PER_ATOM = 30  # more than an atom needs, coordinates of a CXSMILES included
_LONG_FOR_ITS_ATOMS = 4  # from so many characters per allowed atom on, atoms are counted before rings are searched
_SALT = 4  # a text may hold so many times the allowed atoms, as long as its largest fragment does not
_CHARGED = re.compile(r"[+|]|-[^][]*]")  # a minus outside brackets is a bond; a bar (CXSMILES) may hide anything
_CARBANION = re.compile(r"\[(?:\d*[cC]H?\d?-|C-)\]")  # cyclopentadienide or carbon monoxide, beside a metal
_ISOCYANIDE = re.compile(r"\[C\]=N|N\(?=\[C\]")
_PI = "several carbons or of carbon monoxide, as in ferrocene"
_STAMP = re.compile(r"^\[\d\d:\d\d:\d\d\] *", re.MULTILINE)
_ECHO = re.compile(r"SMILES Parse Error: |( while parsing:| for input:).*")  # the text stands in the reject already
_MESSAGE = 200  # characters of RDKit's own words that are worth repeating


@dataclass(frozen=True)
class Refusal:
    """Say why a text gives no molecule: a status word and a sentence."""

    reason: str
    message: str


def refused_unread(text: str, max_atoms: int = MAX_ATOMS) -> Refusal | None:
    """Refuse a text that must not reach the parser, which would read a part of it and be content.

    RDKit stops at the first blank, line end or byte outside ASCII and returns what stood before it.
    """
    if not text:
        return Refusal("empty", "the cell is empty")
    if len(text) > max_atoms * _CHARACTERS_PER_ATOM:
        return Refusal("too_large", f"{len(text):,} characters, too long for a molecule of up to {max_atoms} atoms")
    if len(text) > max_atoms * _LONG_FOR_ITS_ATOMS:
        atoms = _atoms_at_a_glance(text)
        if atoms > max_atoms * _SALT:
            return Refusal("too_large", f"{atoms:,} atoms, the limit is {max_atoms}")
    if text.isascii() and text.isprintable() and " " not in text:
        return None
    smiles, _, extension = text.partition(" ")
    at = next((i for i, c in enumerate(smiles) if not ("!" <= c <= "~")), None)
    if at is not None:
        return Refusal("invalid_smiles", f"character {smiles[at]!r} at position {at + 1} belongs to no SMILES")
    if not (extension.startswith("|") and extension.rstrip().endswith("|")):
        what = f"{extension[:40]!r} follows the SMILES after a blank; keep names in a column of their own"
        return Refusal("invalid_smiles", what)
    refused = refused_extension(smiles, extension)
    return Refusal(*refused) if refused else None


def parse(text: str) -> Chem.Mol | None:
    """Return what RDKit makes of a SMILES, or None."""
    try:
        return Chem.MolFromSmiles(text)
    except (RuntimeError, ValueError):  # what RDKit's C++ exceptions become
        return None


def _atoms_at_a_glance(text: str) -> int:
    """Count atoms without perceiving anything: the rings of 20,000 atoms take minutes."""
    try:
        mol = Chem.MolFromSmiles(text, sanitize=False)
    except (RuntimeError, ValueError):
        return 0
    return mol.GetNumHeavyAtoms() if mol is not None else 0


def read(text: str, max_atoms: int = MAX_ATOMS) -> Chem.Mol | Refusal:
    """Parse a SMILES or CXSMILES, or say why it is none."""
    refusal = refused_unread(text, max_atoms)
    if refusal:
        return refusal
    mol = parse(text)
    return mol if mol is not None else Refusal("invalid_smiles", _words_of_rdkit(text))


def refused_molecule(mol: Chem.Mol, max_atoms: int = MAX_ATOMS) -> Refusal | None:
    """Refuse a molecule that no model can read: nothing in it, too much, or a placeholder for atoms."""
    atoms = mol.GetNumAtoms()
    if not atoms:
        return Refusal("no_atoms", "the molecule has no atoms")
    if atoms > max_atoms:
        return Refusal("too_large", f"{atoms:,} atoms, the limit is {max_atoms}")
    dummy = mol.GetSubstructMatch(_placeholder())
    if dummy:
        what = f"atom {dummy[0] + 1} is a placeholder (*, an R-group or attachment point); write the real group"
        return Refusal("dummy_atom", what)
    return None


class Standard(NamedTuple):
    """Hold a compound: its key, the molecule, and what there is to say of how it was read ("": nothing)."""

    key: str
    mol: Chem.Mol
    said: str = ""


def standard(mol: Chem.Mol, text: str) -> Standard | Refusal:
    """Return the compound in its one form; tautomers stay as drawn.

    Bonds drawn to the metal of a salt are charges, charges drawn apart are bonds, counter-ions and solvents are left
    out (see `fragments.parent`), what can be neutral is, atom map numbers are gone. `text` is what `mol` was parsed
    from: where it holds no dot, no charge and no metal there is nothing to do. `mol` itself may be changed.

    See: Uncharger in https://www.rdkit.org/docs/source/rdkit.Chem.MolStandardize.rdMolStandardize.html
    """
    if ":" in text:
        _without_map_numbers(mol)
    stereo = ""
    if "|" in text:
        mol, stereo = without_stereo_groups(mol)
    odd = _is_odd(text)
    mol = isocyanides(without_arrows(mol)) if odd else mol
    if may_hold_metal(text):
        made = coordinated(joined(ionised(mol)))
        mol, text = (mol, text) if made is mol else (made, key_of(made))
        refused = _of_metals(mol)
        if refused:
            return refused
    charged = odd or is_charged(text)
    if charged and united(mol, salt="." in text):
        mol = parse(key_of(mol)) or mol
    mol = settled(mol) if charged else mol
    if "." not in text:
        mol = _neutral(mol) if charged else mol
        key = key_of(mol)
        found = alone(mol, key)
        if isinstance(found, NoCompound):
            return _no_compound(found)
        return Standard(key, mol, "; ".join(filter(None, (found, stereo))))
    part = _part(mol, charged)
    if isinstance(part, Refusal) or not stereo:
        return part
    return part._replace(said="; ".join(filter(None, (part.said, stereo))))


def _is_odd(text: str) -> bool:
    """Tell whether a text is a CXSMILES, which may hide anything, or has an arrow or an isocyanide without charges."""
    if "|" in text or ">" in text or "<" in text:
        return True
    return "[C]" in text and _ISOCYANIDE.search(text) is not None


def _of_metals(mol: Chem.Mol) -> Refusal | None:
    """Refuse reagents and complexes of which no model of molecules can have learnt anything."""
    metal = reagent(mol)
    if metal:
        return Refusal("organometallic", f"{metal} on carbon: an organometallic reagent, out of scope")
    metal = pi_complex(mol)
    return Refusal("organometallic", f"{metal} on the electrons of {_PI}: out of scope") if metal else None


def _part(mol: Chem.Mol, charged: bool) -> Standard | Refusal:
    """Return the compound among the fragments of a record, with what was left out."""
    found = parent(mol)
    if isinstance(found, Scattered):
        return Refusal("organometallic", found.what)
    if isinstance(found, NoCompound):
        return _no_compound(found)
    kept = parse(found.smiles) or mol
    kept = _neutral(kept) if charged else kept
    key = key_of(kept)
    if found.left_out and _CARBANION.search(key):
        return Refusal("organometallic", f"{key} beside {found.left_out}: an organometallic compound, out of scope")
    if not found.left_out:
        note = alone(kept, key)
        return Standard(key, kept, note if isinstance(note, str) else "")
    mixture = "a mixture: " if found.mixture else ""
    return Standard(key, kept, f"{mixture}scored {key}; left out {found.left_out}")


def _no_compound(found: NoCompound) -> Refusal:
    return Refusal("no_compound", f"there is no compound to score, only {found.names}")


def _neutral(mol: Chem.Mol) -> Chem.Mol:
    """Return the neutral form, read again from its own SMILES, so that rings, aromaticity and stereo fit the charges.

    One that RDKit cannot read (an oxonium ligand of bismuth) is none, and the charges stay.
    """
    ready = without_acid_protons(mol)
    neutral = uncharger().uncharge(ready or mol)
    if ready is None and _charges(neutral) == _charges(mol):
        return placed(mol)
    return placed(parse(key_of(neutral)) or parse(key_of(mol)) or mol)


def standard_by_the_first_rules(mol: Chem.Mol, text: str) -> Standard:
    """Return what models made by earlier versions were trained on: the fragment of most atoms, hydrogens included,
    neutralised; bonds to metals and charges drawn apart stay. `mol` itself may be changed.

    See: LargestFragmentChooser in https://www.rdkit.org/docs/source/rdkit.Chem.MolStandardize.rdMolStandardize.html
    """
    if ":" in text:
        _without_map_numbers(mol)
    salt, charged = "." in text, _CHARGED.search(text)
    if salt:
        _largest_fragment().chooseInPlace(mol)
    if salt or charged:
        neutral = uncharger().uncharge(mol) if charged else mol
        if salt or _charges(neutral) != _charges(mol):
            mol = parse(key_of(neutral)) or parse(key_of(mol)) or mol
    key = key_of(mol)
    return Standard(key, mol, f"scored {key} alone, the largest part of what is written" if salt else "")


def _without_map_numbers(mol: Chem.Mol) -> None:
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)


def key_of(mol: Chem.Mol) -> str:
    """Return the canonical SMILES, stereo included."""
    return str(Chem.MolToSmiles(mol))


def standardised(text: str, max_atoms: int = MAX_ATOMS, rules: int = RULES) -> Standard | Refusal:
    """Return the compound that a text means (its atoms in the order of the text), or say why there is none.

    `rules` 1 are those of models made by earlier versions.
    """
    mol = read(text, max_atoms)
    if isinstance(mol, Refusal):
        return mol
    made = standard(mol, text) if rules == RULES else standard_by_the_first_rules(mol, text)
    return made if isinstance(made, Refusal) else refused_molecule(made.mol, max_atoms) or made


def standardise(text: str, max_atoms: int = MAX_ATOMS, rules: int = RULES) -> str | Refusal:
    """Return the key of a text: one and the same for every way to write, salt or charge a compound.

    >>> standardise("CC(=O)Oc1ccccc1C(=O)O[Na]") == standardise("OC(=O)c1ccccc1OC(C)=O")
    True
    """
    with rdBase.BlockLogs():
        made = standardised(text.strip(), max_atoms, rules)
    return made if isinstance(made, Refusal) else made.key


def why_refused(text: str, max_atoms: int = MAX_ATOMS) -> Refusal | None:
    """Say why a text gives no molecule to work with; None where it gives one."""
    mol = read(text, max_atoms)
    return mol if isinstance(mol, Refusal) else refused_molecule(mol, max_atoms)


@cache
def _placeholder() -> Chem.Mol:
    return Chem.MolFromSmarts("[#0]")


def _charges(mol: Chem.Mol) -> dict[int, int]:
    matches = mol.GetSubstructMatches(_charged_atom(), maxMatches=mol.GetNumAtoms())
    return {at: mol.GetAtomWithIdx(at).GetFormalCharge() for (at,) in matches}


@cache
def _charged_atom() -> Chem.Mol:
    return Chem.MolFromSmarts("[!+0]")


@cache
def _largest_fragment() -> rdMolStandardize.LargestFragmentChooser:
    return rdMolStandardize.LargestFragmentChooser(preferOrganic=True)


def _words_of_rdkit(text: str) -> str:
    """Return what RDKit's log says about a text that it does not read."""
    with rdBase.CaptureErrorLog() as log:
        parse(text)
    said = _STAMP.sub("", log.messages).splitlines()
    lines = (_ECHO.sub("", line) for line in said if " " in line.strip() and "Failed parsing" not in line)
    words = "; ".join(dict.fromkeys(line.strip(" :") for line in lines))
    return f"RDKit: {words[:_MESSAGE]}" if words else "RDKit cannot read it"
