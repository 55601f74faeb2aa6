"""Docking: a program of others is given one ligand after the other, and its poses are read back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgraph.data.files import scratch
from molgraph.data.interrupts import rearm
from molgraph.data.stream import suffixes
from molgraph.errors import ConfigError, DataError
from molgraph.rooms.binding.ligand import ligand, molecule, pose_starts, read_poses
from molgraph.rooms.binding.programs import MEEKO, Program, finished, last_words
from molgraph.rooms.binding.structure import STRUCTURE_FILES, structure
from molgraph.rooms.molecule.standardise import Refusal, read, refused_molecule

EMBEDDING = 60  # seconds in which RDKit must find a three-dimensional form; drugs take milliseconds
# Where each program writes its score, in kcal/mol: https://github.com/gnina/gnina and https://autodock-vina.readthedocs.io
_TAG = re.compile(r"^>.*<minimizedAffinity>.*\n\s*(\S+)", re.MULTILINE)
_REMARK = re.compile(r"^REMARK VINA RESULT:\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Box:
    """Hold the cube that is searched.

    Units: angstrom.
    """

    center: tuple[float, float, float]
    size: float

    def holds(self, xyz: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points [N, 3] lie inside."""
        inside: NDArray[np.bool_] = (np.abs(xyz - np.array(self.center)) <= self.size / 2).all(axis=1)
        return inside


def box_around(where: str, size: float) -> Box:
    """Return the box around a point "x,y,z" or around the first ligand of a file.

    Raises: ConfigError for what is neither, or a ligand larger than the box; DataError for a file that cannot be read.
    """
    if not 0 < size < math.inf:
        raise ConfigError(f"--size {size:g}: give the edge of the box in angstrom, for example 20.")
    numbers = where.split(",")
    if len(numbers) == 3 and not Path(where).exists():
        with suppress(ValueError):
            x, y, z = map(float, numbers)
            if all(map(math.isfinite, (x, y, z))):
                return Box((x, y, z), size)
        raise ConfigError(f"--around {where}: write x,y,z in angstrom, or name a file of a ligand in its place.")
    xyz = _places(where)
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    widest = float((high - low).max())
    if widest > size:
        raise ConfigError(f"--size {size:g}: the ligand of {where} is {widest:.1f} angstrom long; give more.")
    x, y, z = np.round((low + high) / 2, 3).tolist()
    return Box((x, y, z), size)


def _places(path: str) -> NDArray[np.float64]:
    """Return where the heavy atoms of the first ligand of a file are."""
    if suffixes(path)[0] in STRUCTURE_FILES:  # bond orders do not matter here
        atoms = structure(path)
        if isinstance(atoms, Refusal):
            raise DataError(f"--around: {atoms.message}")
        return atoms.xyz
    record = next(iter(read_poses(path, [1])))
    found = record if isinstance(record, Refusal) else ligand(record, path)
    if isinstance(found, Refusal):
        raise DataError(f"--around {path}: {found.message}")
    return found.xyz


@dataclass(frozen=True)
class Docked:
    """Hold one pose: its SDF record up to the tags that are ours, the program's score, and how many stereo centres and
    double bonds the SMILES left open, so that this pose shows one of several isomers. `tags` are further ones.

    Units: `score` in kcal/mol, lower is better.
    """

    record: str
    score: float
    open_stereo: int = 0
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Docking:
    """Dock ligands into one place of one receptor.

    `limit` is the seconds that a ligand may take, `cores` those that the program may use (0: all), `seed` at least 1
    (0 would be a different one each time).

    Raises: ConfigError for a receptor that the program does not read or that is not near the box; DataError for one
    that cannot be read.
    """

    program: Program
    receptor: Path
    box: Box
    poses: int = 1
    exhaustiveness: int = 8
    seed: int = 1
    limit: float = 600.0
    cores: int = 0

    def __post_init__(self) -> None:
        self.program.check(self.receptor)
        protein = structure(str(self.receptor))
        if isinstance(protein, Refusal):
            raise DataError(f"--protein: {protein.message}")
        if not self.box.holds(protein.xyz).any():
            at = ", ".join(f"{x:g}" for x in self.box.center)
            raise ConfigError(f"--around: no atom of {self.receptor} lies in the box of {self.box.size:g} at {at}.")

    def dock(self, text: str) -> list[Docked] | Refusal:
        """Return the poses of a SMILES, best first as the program sees it, or why there is none."""
        with rdBase.BlockLogs():
            made = embedded(text, self.seed)
        rearm()  # before the wait for another program, in which a person may press Ctrl-C
        if isinstance(made, Refusal):
            return made
        with scratch() as folder:
            (folder / "ligand.sdf").write_text(Chem.MolToMolBlock(made) + "$$$$\n", encoding="utf-8")
            for words in self._commands():
                refusal = finished(words, folder, self.limit)
                if refusal:
                    return refusal
            with rdBase.BlockLogs():
                return self._read(folder, Chem.RemoveAllHs(made))

    def _commands(self) -> Iterator[list[str]]:
        """Yield the command lines for `ligand.sdf` in the folder they run in."""
        given = "ligand.sdf"
        if self.program.needs:
            given = "ligand.pdbqt"
            yield [MEEKO, "-i", "ligand.sdf", "-o", given, "--rigid_macrocycles"]
        box = zip("xyz", self.box.center, strict=True)
        yield [
            self.program.name,
            *("--receptor", str(self.receptor.resolve()), "--ligand", given, "--out", self.program.output),
            *(word for axis, at in box for word in (f"--center_{axis}", f"{at:.3f}")),
            *(word for axis in "xyz" for word in (f"--size_{axis}", f"{self.box.size:g}")),
            *("--exhaustiveness", str(self.exhaustiveness), "--num_modes", str(self.poses), "--seed", str(self.seed)),
            *(("--cpu", str(self.cores)) if self.cores else ()),
        ]

    def _read(self, folder: Path, sent: Chem.Mol) -> list[Docked] | Refusal:
        path = str(folder / self.program.output)
        if not Path(path).is_file():
            return Refusal("no_pose", f"{self.program.name} wrote no pose{last_words(folder)}")
        records = list(read_poses(path, range(1, len(pose_starts(path)))))[: self.poses]
        made = [_docked(record, path, sent) for record in records]
        refusal = next((each for each in made if isinstance(each, Refusal)), None)
        if refusal or not made:
            return refusal or Refusal("no_pose", f"{self.program.name} found no pose{last_words(folder)}")
        return [each for each in made if isinstance(each, Docked)]


def embedded(text: str, seed: int) -> Chem.Mol | Refusal:
    """Return the largest fragment of a SMILES with hydrogens, charged as written, in three dimensions.

    What the SMILES leaves open (a stereo centre, a double bond) is chosen by chance, repeatably for a seed.

    See: ETKDG version 3, https://doi.org/10.1021/acs.jcim.0c00025
    """
    mol = parent(text)
    if isinstance(mol, Refusal):
        return mol
    mol = Chem.AddHs(mol)
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed, settings.timeout = seed, EMBEDDING
    for by_chance in (False, True):
        settings.useRandomCoords = by_chance
        try:
            if rdDistGeom.EmbedMolecule(mol, settings) == 0:
                return mol
        except (RuntimeError, ValueError) as error:  # an RDKit invariant that this molecule violates
            return Refusal("no_conformer", str(error).strip().partition("\n")[0])
    return Refusal("no_conformer", "RDKit finds no three-dimensional form of it; bring a pose made elsewhere")


def parent(text: str) -> Chem.Mol | Refusal:
    """Return the largest fragment of a SMILES, charged as written."""
    mol = read(text.strip())
    if isinstance(mol, Refusal):
        return mol
    mol = _largest().choose(mol)
    return refused_molecule(mol) or mol


@lru_cache(1)
def _largest() -> rdMolStandardize.LargestFragmentChooser:
    return rdMolStandardize.LargestFragmentChooser(preferOrganic=True)


def _docked(record: str | Refusal, path: str, sent: Chem.Mol) -> Docked | Refusal:
    """Check a pose against the ligand that was sent, and make an SDF record of it."""
    if isinstance(record, Refusal):
        return record
    template = Chem.MolToSmiles(sent)
    found = ligand(record, path, template)
    if isinstance(found, Refusal):
        return Refusal("unreadable_pose", found.message)
    atoms = [sorted(atom.GetAtomicNum() for atom in mol.GetAtoms()) for mol in (Chem.MolFromSmiles(found.smiles), sent)]
    if atoms[0] != atoms[1]:
        return Refusal("unreadable_pose", f"the pose is of another molecule: {found.smiles[:60]}")
    text = record.replace("\r\n", "\n")
    score = _score((_TAG if suffixes(path)[0] == ".sdf" else _REMARK).search(text))
    if score is None:
        return Refusal("no_score", "the pose has no score")
    if suffixes(path)[0] != ".sdf":
        text = Chem.MolToMolBlock(molecule(record, path, template))
    return Docked(text.partition("\n$$$$")[0].rstrip("\n") + "\n", score, left_open(sent))


def left_open(mol: Chem.Mol) -> int:
    """Count the stereo centres and double bonds that a SMILES does not specify."""
    found = Chem.FindPotentialStereo(mol)
    return sum(each.specified == Chem.StereoSpecified.Unspecified for each in found)


def _score(found: re.Match[str] | None) -> float | None:
    try:
        score = float(found[1]) if found else math.nan
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def tagged(docked: Docked, title: str, tags: dict[str, str]) -> str:
    """Return the SDF record of a pose with its title and tags, the score among them.

    >>> print(tagged(Docked("x\\n  by hand\\n...\\nM  END\\n", -7.25), "aspirin", {"id": "aspirin"}))
    aspirin
      by hand
    ...
    M  END
    >  <id>
    aspirin
    <BLANKLINE>
    >  <score>
    -7.25
    <BLANKLINE>
    $$$$
    <BLANKLINE>
    """
    block = docked.record.partition("\n")[2]
    gap = "" if block.rstrip().endswith("M  END") else "\n"  # after the program's own tags
    cells = {name: line(value) for name, value in {**tags, "score": f"{docked.score:g}"}.items()}
    own = "".join(f">  <{name}>\n{value}\n\n" for name, value in cells.items() if value)
    return f"{line(title)}\n{block}{gap}{own}$$$$\n"


def line(text: str) -> str:
    """Return a text in one line that ends no record."""
    joined = " ".join(text.split())
    return f" {joined}" if joined.startswith("$$$$") else joined
