"""What the extension of a CXSMILES, or the S-groups of a mol block, say that makes it no single molecule, or broken.

RDKit reads on where a part is unknown or names atoms that are not there, and leaves polymers and variable positions to
its caller, who would score the monomer.

See: https://docs.chemaxon.com/display/docs/chemaxon-extended-smiles-and-smarts-cxsmiles-and-cxsmarts.md;
CTFile Formats (BIOVIA, 2020), S-groups
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rdkit import Chem

POLYMER, PATTERN, OPEN, BROKEN = "polymer", "markush", "dummy_atom", "invalid_smiles"
_OF_POLYMERS = {
    **{"n": "a repeat unit", "mon": "a monomer of a polymer", "mer": "a mer of a polymer", "any": "any polymer"},
    **dict.fromkeys(("co", "alt", "ran", "blk"), "a copolymer"),
    **{"xl": "a crosslinked polymer", "mod": "a modified polymer", "gra": "a graft polymer", "grf": "a graft polymer"},
}
_S_GROUPS = {  # of mol blocks; SUP, MUL, DAT, GEN and mixtures are drawn molecules
    **{"SRU": "n", "MON": "mon", "MER": "mer", "COP": "co", "CRO": "xl", "MOD": "mod", "GRA": "gra", "ANY": "any"},
}
_LINK = "a link node, which repeats"
_ANYWHERE = "a substituent of variable position"
_GROUP = "an R-group or attachment point"
_PATTERNS = {
    **{"m": _ANYWHERE, "LN": _LINK, "RG": "a list of R-groups", "LO": "a list of R-groups"},
    **dict.fromkeys(("u", "s", "rb"), "a query feature"),
}
_LABEL = re.compile(r"_R\d*|_AP\d+|star_e|Pol_p|[QAXM]H?_[ep]")
_BLOCKS = re.compile(r"\$[^$]*\$|\([-+\d.,;eE]*\)")
_PART = re.compile(r"(\^\d|[&o]\d+|wU|wD|ctu|LN|LO|SgD|SgH|Sg|RG|rb|lp|atomProp|[actwCHmufrs])(?::(.*))?$", re.DOTALL)
_FREE_TEXT = ("SgD", "atomProp", "Sg")
_OF_ATOMS = re.compile(r"a|[&o]\d+|\^\d")
_ENDS = ("w", "wU", "wD", "C", "H")  # each index is atom.bond


_UNMARKED = Chem.ChiralType.CHI_UNSPECIFIED


class _Part(NamedTuple):
    """Hold a part of an extension: its word, what follows it, its indices."""

    word: str
    text: str

    def indices(self) -> list[list[int]]:
        """Return the numbers between commas, each split at its dots."""
        found = (re.fullmatch(r"(\d+(?:\.\d+)*)(?::.*)?", each) for each in self.text.split(","))
        return [list(map(int, each[1].split("."))) for each in found if each]


def refused_extension(smiles: str, extension: str) -> tuple[str, str] | None:
    """Return status and message of a CXSMILES that is no single molecule, or has a part that cannot be honoured."""
    body = extension.strip().strip("|")
    blocks: list[str] = _BLOCKS.findall(body)
    labels = [label for block in blocks if block[0] == "$" for label in block.strip("$").split(";")]
    marked = next((at for at, label in enumerate(labels) if _LABEL.fullmatch(label)), None)
    if marked is not None:
        return OPEN, f"atom {marked + 1} is {_GROUP} ({labels[marked]}); write the real group"
    parts, unknown = _parts(_BLOCKS.sub("", body))
    for part in parts:
        kind = part.text.partition(":")[0]
        if part.word == "Sg" and kind in _OF_POLYMERS:
            return POLYMER, _no_molecule(_OF_POLYMERS[kind], f"Sg:{kind}")
        if part.word in _PATTERNS:
            return PATTERN, _no_molecule(_PATTERNS[part.word], part.word)
    if unknown:
        return BROKEN, f"the part {unknown[:40]!r} of the CXSMILES is unknown"
    drawn = Chem.MolFromSmiles(smiles, sanitize=False)
    broken = next(_broken(drawn, parts, blocks), "") if drawn is not None else ""
    return (BROKEN, f"CXSMILES: {broken}") if broken else None


def _no_molecule(what: str, where: str) -> str:
    return f"{what} ({where}) is no single molecule; write the molecule that is meant"


def _parts(body: str) -> tuple[list[_Part], str]:
    """Cut an extension at the commas where a part begins; return also the first that is unknown, "" for none."""
    parts: list[_Part] = []
    for piece in body.split(","):
        found = _PART.fullmatch(piece)
        if found and (found[2] is not None or found[1] == "r"):
            parts.append(_Part(found[1], found[2] or ""))
        elif parts and (piece[:1].isdigit() or parts[-1].word in _FREE_TEXT):
            parts[-1] = parts[-1]._replace(text=f"{parts[-1].text},{piece}")
        elif piece:
            return parts, piece
    return parts, ""


def _broken(drawn: Chem.Mol, parts: list[_Part], blocks: list[str]) -> Iterator[str]:
    """Say what of an extension fits no atom or bond of its SMILES."""
    atoms, bonds = drawn.GetNumAtoms(), drawn.GetNumBonds()
    placed = [block for block in blocks if block[0] == "("]
    for block in placed:
        points = block.strip("()").rstrip(";").count(";") + 1
        if points != atoms:
            yield f"coordinates of {points} atoms, the SMILES has {atoms}"
    for word, indices in ((part.word, part.indices()) for part in parts):
        for at in indices:
            if _OF_ATOMS.fullmatch(word) or word in (*_ENDS, "lp"):
                if word in _ENDS and len(at) > 1 and at[1] >= bonds:
                    yield f"'{word}' names bond {at[1]}, the last is {bonds - 1}"
                if at[0] >= atoms:
                    yield f"'{word}' names atom {at[0]}, the last is {atoms - 1}"
                elif word in ("wU", "wD") and not placed and drawn.GetAtomWithIdx(at[0]).GetChiralTag() == _UNMARKED:
                    yield f"the wedge at atom {at[0]} ('{word}') means nothing without coordinates"
            elif word in ("c", "t", "ctu") and at[0] >= bonds:
                yield f"'{word}' names bond {at[0]}, the last is {bonds - 1}"


def is_relative(mol: Chem.Mol) -> bool:
    """Tell whether the CXSMILES that a molecule was read from says `r`: all its stereo is relative."""
    if not mol.HasProp("_CXSMILES_Data"):
        return False
    parts, _ = _parts(_BLOCKS.sub("", mol.GetProp("_CXSMILES_Data").strip("|")))
    return any(part.word == "r" for part in parts)


def many_molecules(mol: Chem.Mol) -> tuple[str, str] | None:
    """Return status and message of a mol block that is a polymer or a pattern, and no single molecule."""
    for group in Chem.GetMolSubstanceGroups(mol):
        kind = group.GetProp("TYPE")
        if kind in _S_GROUPS:
            return POLYMER, _no_molecule(_OF_POLYMERS[_S_GROUPS[kind]], f"S-group {kind}")
    if mol.HasProp("_molLinkNodes"):
        return PATTERN, _no_molecule(_LINK, "LINKNODE")
    if any(bond.HasProp("_MolFileBondEndPts") for bond in mol.GetBonds()):
        return PATTERN, _no_molecule(_ANYWHERE, "ENDPTS")
    opened = next((atom.GetIdx() for atom in mol.GetAtoms() if atom.HasProp("molAttchpt")), None)
    return (OPEN, f"atom {opened + 1} is {_GROUP}; write the real group") if opened is not None else None
