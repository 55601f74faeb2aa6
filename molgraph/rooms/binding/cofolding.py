"""Co-folding: boltz folds the receptor anew around each ligand, and the pose is laid into the receptor's frame."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Geometry import Point3D
from scipy.spatial.transform import Rotation

from molgraph.data.files import scratch
from molgraph.data.interrupts import rearm
from molgraph.data.stream import suffixes
from molgraph.errors import ConfigError, DataError
from molgraph.rooms.binding.docking import Box, Docked, left_open, parent
from molgraph.rooms.binding.ligand import molecule
from molgraph.rooms.binding.programs import Program, finished, last_words
from molgraph.rooms.binding.records import Records, parse
from molgraph.rooms.binding.residues import COFACTOR, MODIFIED, letter_of
from molgraph.rooms.binding.structure import GAP, text_of
from molgraph.rooms.molecule.standardise import Refusal

# Input, output and units: https://github.com/jwohlwend/boltz/blob/main/docs/prediction.md (of version 2)
SERVER = "server"
STEM = "complex"
LETTERS, LIGAND = "ABCDEFGHIJK", "L"
CONTACTS, REACH = 5, 10  # residues nearest to the middle of the box, within how many angstrom of them the ligand stays
NEAR, FEWEST = 30, 3  # residues on which two folds are laid on each other, and without which they cannot be
OTHER_FOLD = 3.0  # angstrom; beyond it a place in one fold means nothing in the other
LINKED = 4.5  # angstrom between the alpha carbons of neighbours in a chain, 3.8 in the mean
KCAL, MICROMOLAR = 1.364, 6  # log10(IC50 in uM) to kcal/mol, as boltz' page has it


@dataclass(frozen=True)
class Chain:
    """Hold a chain: its sequence (X where residues are lacking), and of n residues the number in it and where they are.

    Shapes: `number` int64 [n], from 1; `xyz` float64 [n, 3], alpha carbons, in angstrom.
    """

    sequence: str
    number: NDArray[np.int64]
    xyz: NDArray[np.float64]


@dataclass(frozen=True)
class Cofolding:
    """Fold one receptor anew around each ligand.

    The chains with an alpha carbon in the box are folded, the ligand near the residues in its middle. `msa` is an
    alignment (.a3m), "server" (ColabFold's, which is sent the sequence) or "" (none: less accurate); `limit` is the
    seconds that a ligand may take.

    Raises: ConfigError for a receptor without chains in the box, an alignment that is not there or for several chains;
    DataError for one that cannot be read.
    """

    program: Program
    receptor: Path
    box: Box
    poses: int = 1
    seed: int = 1
    limit: float = 600.0
    msa: str = ""

    def __post_init__(self) -> None:
        self.program.check(self.receptor)
        sequences = {chain.sequence for chain in self.chains}
        if self.msa in ("", SERVER):
            return
        if not Path(self.msa).is_file():
            raise ConfigError(f"--msa {self.msa}: no such file; give an .a3m, or '{SERVER}'.")
        if len(sequences) > 1:
            raise ConfigError(
                f"--msa {self.msa}: one alignment for {len(sequences)} sequences; give '{SERVER}' or none."
            )

    @cached_property
    def chains(self) -> list[Chain]:
        """Return the chains that reach into the box."""
        text = text_of(str(self.receptor))
        records = text if isinstance(text, Refusal) else parse(text, suffixes(self.receptor)[0])
        if isinstance(records, Refusal):
            raise DataError(f"--protein {self.receptor}: {records.message}")
        carbons = _carbons(records)
        each = [carbons.take(carbons.chain == name) for name in dict.fromkeys(carbons.chain.tolist())]
        found = [_chain(chain) for chain in each if self.box.holds(chain.xyz).any()]
        if not 0 < len(found) <= len(LETTERS):
            raise ConfigError(
                f"--around: {len(found)} chains of {self.receptor} reach into the box; 1 to 11 can be folded."
            )
        return found

    def dock(self, text: str) -> list[Docked] | Refusal:
        """Return the poses of a SMILES, the one that boltz trusts most first, or why there is none."""
        with rdBase.BlockLogs():
            sent = parent(text)
        rearm()  # before the wait for another program, in which a person may press Ctrl-C
        if isinstance(sent, Refusal):
            return sent
        sent = Chem.RemoveAllHs(sent)
        with scratch() as folder:
            (folder / f"{STEM}.yaml").write_text(json.dumps(self._asked(sent)), encoding="utf-8")  # JSON is YAML, too
            refusal = finished(self._command(), folder, self.limit)
            if refusal:
                return refusal
            with rdBase.BlockLogs():
                return self._read(folder, sent)

    def _asked(self, sent: Chem.Mol) -> dict[str, Any]:
        """Return what boltz is asked: the sequences, the ligand, where it lies, and how strongly it binds."""
        ids: dict[str, list[str]] = {}
        for letter, chain in zip(LETTERS, self.chains, strict=False):
            ids.setdefault(chain.sequence, []).append(letter)
        known = {} if self.msa == SERVER else {"msa": str(Path(self.msa).resolve()) if self.msa else "empty"}
        proteins = [{"protein": {"id": letters, "sequence": sequence, **known}} for sequence, letters in ids.items()]
        places = [(letter, int(n)) for letter, c in zip(LETTERS, self.chains, strict=False) for n in c.number]
        middle = np.argsort(np.linalg.norm(self._carbons - self.box.center, axis=1), kind="stable")[:CONTACTS]
        return {
            "version": 1,
            "sequences": [*proteins, {"ligand": {"id": LIGAND, "smiles": Chem.MolToSmiles(sent)}}],
            "constraints": [
                {"pocket": {"binder": LIGAND, "contacts": [list(places[i]) for i in middle], "max_distance": REACH}}
            ],
            "properties": [{"affinity": {"binder": LIGAND}}],
        }

    @property
    def _carbons(self) -> NDArray[np.float64]:
        return np.concatenate([chain.xyz for chain in self.chains])

    def _command(self) -> list[str]:
        where = "gpu" if shutil.which("nvidia-smi") else "cpu"
        return [
            *(self.program.name, "predict", f"{STEM}.yaml", "--out_dir", ".", "--output_format", "pdb"),
            *("--diffusion_samples", str(self.poses), "--seed", str(self.seed), "--accelerator", where),
            *(["--use_msa_server"] if self.msa == SERVER else []),
        ]

    def _read(self, folder: Path, sent: Chem.Mol) -> list[Docked] | Refusal:
        place = folder / f"boltz_results_{STEM}" / "predictions" / STEM
        paths = [place / f"{STEM}_model_{at}.pdb" for at in range(self.poses)]
        poses = [(path, self._pose(path, sent)) for path in paths if path.is_file()]
        if not poses:
            return Refusal("no_pose", f"{self.program.name} wrote no pose{last_words(folder)}")
        affinity = _numbers(place / f"affinity_{STEM}.json").get("affinity_pred_value", math.nan)
        if not math.isfinite(affinity):
            return Refusal("no_score", f"{self.program.name} wrote no affinity")
        made = []
        for path, pose in poses:
            if not isinstance(pose, Refusal):
                sure = _numbers(place / f"confidence_{path.stem}.json").get("confidence_score", math.nan)
                tags = (("pocket_rmsd", f"{pose[1]:.2f}"), ("confidence", f"{sure:.3f}"))
                score = round((affinity - MICROMOLAR) * KCAL, 2)
                made.append(Docked(Chem.MolToMolBlock(pose[0]), score, left_open(sent), tags))
        return made or next(pose for _, pose in poses if isinstance(pose, Refusal))

    def _pose(self, path: Path, sent: Chem.Mol) -> tuple[Chem.Mol, float] | Refusal:
        """Return the ligand of a fold in the frame of the receptor, and how far apart the two pockets are."""
        text = path.read_text(encoding="utf-8", errors="replace")
        record = "\n".join(line for line in text.splitlines() if line.startswith("HETATM") and line[21:22] == LIGAND)
        mol = molecule(record, path.name, Chem.MolToSmiles(sent))
        if isinstance(mol, Refusal):
            return Refusal("unreadable_pose", mol.message)
        Chem.AssignStereochemistryFrom3D(mol)
        if not mol.HasSubstructMatch(sent, useChirality=True):
            return Refusal("other_isomer", "the pose is of another stereoisomer than the SMILES")
        moved = self._laid(text)
        if isinstance(moved, Refusal):
            return moved
        turn, here, there, apart = moved
        if apart > OTHER_FOLD:
            return Refusal(
                "other_fold", f"the pocket is folded otherwise than in the receptor: RMSD {apart:.1f} angstrom"
            )
        for number, xyz in enumerate(turn.apply(mol.GetConformer().GetPositions() - here) + there):
            mol.GetConformer().SetAtomPosition(number, Point3D(*xyz.tolist()))
        return mol, apart

    def _laid(self, text: str) -> tuple[Rotation, NDArray[np.float64], NDArray[np.float64], float] | Refusal:
        """Lay a fold on the receptor by the residues nearest to the box: the turn, both middles, the RMSD (A)."""
        records = parse(text, ".pdb")
        if isinstance(records, Refusal):
            return Refusal("unreadable_pose", records.message)
        fold = _carbons(records)
        at = {key: i for i, key in enumerate(zip(fold.chain.tolist(), fold.number.tolist(), strict=True))}
        keys = [(letter, str(n)) for letter, c in zip(LETTERS, self.chains, strict=False) for n in c.number.tolist()]
        common = [i for i, key in enumerate(keys) if key in at]
        if len(common) < FEWEST:
            return Refusal("unreadable_pose", "the fold has other residues than the sequence")
        mine, theirs = self._carbons[common], fold.xyz[[at[keys[i]] for i in common]]
        near = np.argsort(np.linalg.norm(mine - self.box.center, axis=1), kind="stable")[:NEAR]
        there, here = mine[near].mean(axis=0), theirs[near].mean(axis=0)
        turn, distance = Rotation.align_vectors(mine[near] - there, theirs[near] - here)
        return turn, here, there, float(distance) / math.sqrt(len(near))


def _carbons(records: Records) -> Records:
    """Return the alpha carbons of amino acids, of alternate ones the first.

    A residue of unknown name is one between two others of a chain; at its end it is a cap, elsewhere a cofactor.
    """
    records = records.take((records.name == "CA") & (records.element == 6))
    keys = np.char.add(np.char.add(records.chain, " "), records.number)
    records = records.take(np.sort(np.unique(keys, return_index=True)[1]))
    known = np.array([bool(letter_of(name, COFACTOR)) for name in records.residue.tolist()], dtype=bool)
    linked = np.concatenate([[False], _linked(records), [False]])
    return records.take(known | (linked[:-1] & linked[1:]))


def _linked(carbons: Records) -> NDArray[np.bool_]:
    """Tell of n carbons which of the n - 1 pairs are of neighbours in a chain."""
    near = np.linalg.norm(np.diff(carbons.xyz, axis=0), axis=1) <= LINKED
    linked: NDArray[np.bool_] = near & (carbons.chain[1:] == carbons.chain[:-1])
    return linked


def _chain(carbons: Records) -> Chain:
    letters, numbers = "", []
    whole = [True, *_linked(carbons).tolist()]
    for name, joined in zip(carbons.residue.tolist(), whole, strict=True):
        letters += ("" if joined else GAP) + letter_of(name, MODIFIED)
        numbers.append(len(letters))
    return Chain(letters, np.array(numbers, dtype=np.int64), carbons.xyz)


def _numbers(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file, nothing where there is none."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
