"""Poses out of files: SDF and MOL2 say what is bonded how; PDB, PDBQT and mmCIF need a SMILES to say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import AllChem
from rdkit.Chem.MolStandardize import rdMolStandardize
from rdkit.Geometry import Point3D

from molgraph.data.regular import refused
from molgraph.data.stream import open_bytes, suffixes
from molgraph.errors import DataError, ResourceError, many
from molgraph.rooms.binding.conformation import one_conformation
from molgraph.rooms.binding.records import parse
from molgraph.rooms.binding.structure import STRUCTURE_FILES, bonds_by_distance
from molgraph.rooms.molecule.fragments import Scattered, compounds, left_out, uncharged
from molgraph.rooms.molecule.metals import ionised, may_hold_metal
from molgraph.rooms.molecule.read import SDF_FILES
from molgraph.rooms.molecule.standardise import MAX_ATOMS, Refusal, refused_molecule
from molgraph.rooms.molecule.standardise import parse as parse_smiles

MOL2_FILES = (".mol2",)
LIGAND_FILES = (*SDF_FILES, *MOL2_FILES, *STRUCTURE_FILES)
FLAT = 1e-4  # angstrom; crystal and docked coordinates have at least three decimals
_HEADER, _BOND_TYPE = 4, 9  # lines before the atoms, characters up to the type of a bond, in a V2000 mol block
_NUMBER = "record"  # of an atom: which of the file's it is, from 1, where some of those are left out
LONGEST = 1 << 24  # bytes of one pose; 1,000 atoms with every bond and tag take some hundred thousand
_FILES = 8  # files whose poses a process remembers the places of


@dataclass(frozen=True)
class Ligand:
    """Hold a pose: the canonical SMILES and, in the order of its atoms, where they are and how the record counts them;
    and what there is to say of how it was read ("": nothing).

    Shapes: `xyz` float64 [L, 3] in angstrom, heavy atoms only; `numbers` int64 [L], from 1.
    """

    smiles: str
    xyz: NDArray[np.float64]
    numbers: NDArray[np.int64]
    said: str = ""


def read_poses(path: str, wanted: Sequence[int]) -> Iterator[str | Refusal]:
    """Yield the record of each wanted pose (counted from 1; 0 is the only one), in rising order, reading on."""
    starts = _starts(path)
    if isinstance(starts, Refusal):
        yield from (starts for _ in wanted)
        return
    with open_bytes(path) as stream:
        for number in sorted(wanted):
            yield _record(stream, path, starts, number)


def _starts(path: str) -> NDArray[np.int64] | Refusal:
    why = refused(path)
    if why is not None:
        return Refusal("unreadable_file", f"{why[1]}; paths count from the table's folder")
    try:
        found = Path(path).stat()
        return pose_starts(path, found.st_mtime_ns, found.st_size)
    except (DataError, ResourceError) as error:
        return Refusal("unreadable_file", str(error))


def _record(stream: BufferedReader, path: str, starts: NDArray[np.int64], number: int) -> str | Refusal:
    count = len(starts) - 1
    if number == 0 and count > 1:
        what = f"{path} holds {count} poses; say which one in a column 'pose', counted from 1"
        return Refusal("ambiguous_pose", what)
    at = max(number, 1)
    if at > count:
        return Refusal("no_such_pose", f"{path} holds {many(count, 'pose')}, there is no number {at}")
    begin, end = int(starts[at - 1]), int(starts[at])
    if end - begin > LONGEST:
        return Refusal("too_large", f"{path}: pose {at} has {end - begin:,} bytes, the limit is {LONGEST:,}")
    stream.seek(begin)
    return stream.read(end - begin).decode("utf-8", errors="replace")


@lru_cache(_FILES)
def pose_starts(path: str, _changed: int = 0, _size: int = 0) -> NDArray[np.int64]:
    """Return at which byte each pose of a file starts, and the end of the last.

    Raises: DataError for an unknown format or a file that cannot be read.
    """
    suffix, packed = suffixes(path)
    if suffix not in LIGAND_FILES:
        raise DataError(f"{path}: '{suffix}' is no format of poses; known: {', '.join(LIGAND_FILES)}, also .gz")
    if packed == ".zst":
        raise DataError(f"{path}: poses are looked up by place, which .zst does not allow; decompress it or use .gz")
    with open_bytes(path) as stream:
        places = _after(stream, b"$$$$") if suffix in SDF_FILES else _before(stream, _FIRST_LINE.get(suffix, b"MODEL "))
    return np.array(places, dtype=np.int64)


_FIRST_LINE = dict.fromkeys(MOL2_FILES, b"@<TRIPOS>MOLECULE")


def _lines(stream: BufferedReader) -> Iterator[bytes]:
    """Yield lines; one without an end comes in pieces, so that it never has to fit into memory."""
    return iter(lambda: stream.readline(LONGEST), b"")


def _after(stream: BufferedReader, mark: bytes) -> list[int]:
    """Return where records start that end with a line; what follows the last such line is one too, unless blank."""
    places, at, filled = [0], 0, False
    for line in _lines(stream):
        at += len(line)
        if line.startswith(mark):
            places.append(at)
            filled = False
        else:
            filled = filled or bool(line.strip())
    return [*places, at] if filled else places


def _before(stream: BufferedReader, mark: bytes) -> list[int]:
    """Return where records start that begin with a line; without any such line the whole file is one."""
    places, at = [], 0
    for line in _lines(stream):
        if line.startswith(mark):
            places.append(at)
        at += len(line)
    return [*(places or [0]), at]


def ligand(record: str, path: str, template: str = "") -> Ligand | Refusal:
    """Make a pose of a record; `template` is the SMILES that tells bond orders where the format does not."""
    with rdBase.BlockLogs():
        found = molecule(record, path, template)
        return found if isinstance(found, Refusal) else _pose(found)


def molecule(record: str, path: str, template: str = "") -> Chem.Mol | Refusal:
    """Return the molecule of a record as it stands there, charges and hydrogens too, or what is wrong with it."""
    suffix, _ = suffixes(path)
    if suffix in STRUCTURE_FILES:
        return _from_atoms(record, suffix, template)
    if suffix in MOL2_FILES:
        return _said(lambda: Chem.MolFromMol2Block(record, removeHs=False), "invalid_mol2")
    return _said(lambda: _from_block(record), "invalid_molblock")


def _said(read: Callable[[], Chem.Mol | None], reason: str) -> Chem.Mol | Refusal:
    """Return the molecule, or what RDKit's log says against it."""
    with rdBase.CaptureErrorLog() as log:
        try:
            found = read()
        except (RuntimeError, ValueError) as error:  # an RDKit invariant that this block violates
            return Refusal(reason, str(error).strip().partition("\n")[0])
    if found is not None:
        return found
    lines = (line.partition("] ")[2].strip() for line in log.messages.splitlines())
    words = "; ".join(dict.fromkeys(filter(None, lines)))
    return Refusal(reason, f"RDKit: {words[:200]}" if words else "RDKit cannot read the record")


def _from_block(block: str) -> Chem.Mol | None:
    """Read a mol block without its groups of atoms and what it asks of bonds in a substructure search."""
    if "\nM  S" in block:  # hydrogens named in a group would be kept
        block = "\n".join(line for line in block.splitlines() if not line.startswith("M  S"))
    mol = Chem.MolFromMolBlock(block, removeHs=False)
    if mol is None or not any(bond.HasQuery() for bond in mol.GetBonds()):
        return mol
    lines = block.splitlines()
    first = _HEADER + int(lines[_HEADER - 1][:3])
    last = first + int(lines[_HEADER - 1][3:6])
    bonds = [line[:_BOND_TYPE] for line in lines[first:last]]
    return Chem.MolFromMolBlock("\n".join([*lines[:first], *bonds, *lines[last:]]), removeHs=False)


def _pose(mol: Chem.Mol) -> Ligand | Refusal:
    for atom in mol.GetAtoms():
        if not atom.HasProp(_NUMBER):
            atom.SetIntProp(_NUMBER, atom.GetIdx() + 1)
    found = _compound(Chem.RemoveAllHs(mol))
    if isinstance(found, Refusal):
        return found
    mol, said = found
    numbers = np.array([atom.GetIntProp(_NUMBER) for atom in mol.GetAtoms()], dtype=np.int64)
    refusal = refused_molecule(mol, MAX_ATOMS) or _misplaced(mol, numbers)
    if refusal:
        return refusal
    Chem.AssignStereochemistryFrom3D(mol)
    mol = _uncharger().uncharge(mol)
    smiles = Chem.MolToSmiles(mol)
    order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    return Ligand(smiles, mol.GetConformer().GetPositions()[order], numbers[order], said)


def _compound(mol: Chem.Mol) -> tuple[Chem.Mol, str] | Refusal:
    """Return the part of a record that is the ligand, and what was left out: waters, counter-ions, solvents.

    Of several that could be it none is taken: their places in the pocket would be told of one ligand.
    """
    parts = Chem.GetMolFrags(mol, asMols=True)
    if len(parts) < 2:
        return mol, ""
    wanted = compounds(mol)
    if isinstance(wanted, Scattered):
        return Refusal("organometallic", f"the record: {wanted.what}")
    fitting = [part for part in parts if Chem.MolToSmiles(part) in wanted]
    if len(fitting) != 1:
        what = " and ".join(dict.fromkeys(text[:60] for text in wanted))
        return Refusal(
            "ambiguous_pose", f"the record holds {many(len(fitting), 'molecule')} ({what}); keep one of them"
        )
    return fitting[0], f"the ligand is {wanted[0][:60]}; left out {left_out(mol, wanted[0])}"


def _misplaced(mol: Chem.Mol, numbers: NDArray[np.int64]) -> Refusal | None:
    """Refuse coordinates that are none: missing, not finite, all in one place, or a drawing."""
    if not mol.GetNumConformers():
        return Refusal("no_coordinates", "the ligand has no coordinates")
    xyz = mol.GetConformer().GetPositions()
    if not np.isfinite(xyz).all():
        bad = int(np.flatnonzero(~np.isfinite(xyz).all(axis=1))[0])
        return Refusal("no_coordinates", f"atom {numbers[bad]} of the ligand has a coordinate that is no number")
    spread = np.ptp(xyz, axis=0)
    if len(xyz) > 1 and spread.max() < FLAT:
        return Refusal("no_coordinates", "all atoms of the ligand are in one place")
    if len(xyz) > 1 and spread[2] < FLAT and abs(xyz[0, 2]) < FLAT:
        return Refusal("flat", "the ligand is a drawing (all z are 0), not a pose; dock it or place it first")
    return None


def _from_atoms(record: str, suffix: str, template: str) -> Chem.Mol | Refusal:
    """Bond atoms by distance and take bond orders from the template."""
    if not template:
        return Refusal("no_bond_orders", f"{suffix} does not say bond orders; give the ligand's SMILES, or an SDF")
    asked = _asked(template)
    if isinstance(asked, Refusal):
        return asked
    records = parse(record, suffix)
    if isinstance(records, Refusal):
        return records
    heavy = np.flatnonzero(records.element > 1)
    records, counted = one_conformation(records.take(heavy))
    mol = Chem.RWMol()
    place = Chem.Conformer(len(records.element))
    for number, (element, xyz) in enumerate(zip(records.element.tolist(), records.xyz.tolist(), strict=True)):
        mol.GetAtomWithIdx(mol.AddAtom(Chem.Atom(element))).SetIntProp(_NUMBER, int(heavy[counted[number]]) + 1)
        place.SetAtomPosition(number, Point3D(*xyz))
    own = {atom.GetAtomicNum() for pattern in asked for atom in pattern.GetAtoms()}
    for ends in bonds_by_distance(records.element, records.xyz).tolist():
        if all(int(records.element[end]) in own for end in ends):  # an ion lies near enough to its ligands to be bonded
            mol.AddBond(*ends, Chem.BondType.SINGLE)
    mol.AddConformer(place)
    return _with_orders(mol.GetMol(), asked)


def _asked(template: str) -> list[Chem.Mol] | Refusal:
    """Return what the ligand can be by its SMILES: no counter-ion or solvent beside it, however its salt is drawn."""
    pattern = parse_smiles(template)
    if pattern is None:
        return Refusal("invalid_smiles", f"the template '{template[:60]}' is no SMILES")
    if not pattern.GetNumAtoms():
        return Refusal("invalid_smiles", "the template has no atoms")
    pattern = ionised(pattern) if may_hold_metal(template) else pattern
    found = compounds(Chem.RemoveAllHs(pattern))
    if isinstance(found, Scattered):
        return Refusal("organometallic", f"the SMILES: {found.what}")
    made = [mol for mol in map(parse_smiles, found) if mol is not None]
    return made or Refusal("invalid_smiles", f"the template '{template[:60]}' has no part that is a molecule")


def _with_orders(mol: Chem.Mol, asked: Sequence[Chem.Mol]) -> Chem.Mol | Refusal:
    """Return the part of the file's atoms that is what is asked for, which tells its bond orders.

    Waters, counter-ions and what else stands beside it, in the file or in the SMILES, is no part of the ligand.
    """
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    pairs = [(part, pattern) for part in parts for pattern in asked if part.GetNumAtoms() == pattern.GetNumAtoms()]
    if not pairs:
        sizes, wanted = (", ".join(str(each.GetNumAtoms()) for each in mols) for mols in (parts, asked))
        counts = f"{sizes} heavy atoms in the file, {wanted} in the SMILES"
        return Refusal("template_mismatch", f"the SMILES is not this ligand: {counts}")
    fitting = [(part, made) for part, pattern in pairs if (made := _ordered(part, pattern)) is not None]
    if not fitting:
        return Refusal("template_mismatch", "the SMILES is not this ligand: its atoms are bonded otherwise in the file")
    if len({id(part) for part, _ in fitting}) > 1:
        what = "copies of the ligand" if len(asked) == 1 else "parts that are in the SMILES"
        return Refusal("ambiguous_pose", f"the file holds {len(fitting)} {what}; keep one of them")
    if len({uncharged(Chem.MolToSmiles(made, isomericSmiles=False)) for _, made in fitting}) > 1:
        what = "several parts of the SMILES fit the atoms of the file; give that of the ligand alone"
        return Refusal("template_mismatch", what)
    return fitting[0][1]


def _ordered(part: Chem.Mol, pattern: Chem.Mol) -> Chem.Mol | None:
    try:
        return AllChem.AssignBondOrdersFromTemplate(pattern, part)
    except ValueError:
        return None


@lru_cache(1)
def _uncharger() -> rdMolStandardize.Uncharger:
    return rdMolStandardize.Uncharger()
