"""When two poses are the same thing, and ways to group them so that near relatives stay on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.structure import GAP, Structure, structure
from molgraph.rooms.molecule import groups as molecules
from molgraph.rooms.molecule import identity as molecule_identity
from molgraph.rooms.protein import groups as proteins


def identity(keys: Sequence[str]) -> list[str]:
    """Return for each pose the InChIKey of the ligand and the sequence of the receptor: poses of one pair are alike.

    The receptor of a file that cannot be read, or has no amino acids, is its path.
    """
    ligands = molecule_identity.identity([ligand_of(key) for key in keys])
    receptors = _sequences(keys)
    return [f"{ligand} {receptor}" for ligand, receptor in zip(ligands, receptors, strict=True)]


def family(keys: Sequence[str]) -> NDArray[np.int64]:
    """Group poses by the family of their receptor (see `protein.groups.family`), numbered as they appear.

    Of a file that holds a cut pocket only what is there counts, so compare pockets with pockets.
    """
    return proteins.family(_sequences(keys))


def scaffold(keys: Sequence[str]) -> NDArray[np.int64]:
    """Group poses by the scaffold of their ligand."""
    return molecules.scaffold([ligand_of(key) for key in keys])


def ligand_of(key: str) -> str:
    """Return the SMILES of a key, "" where there is none."""
    pose = Pose.parse(key)
    return pose.smiles if isinstance(pose, Pose) else ""


def receptor_of(key: str) -> str:
    """Return the path of a key's receptor, the key itself where it names none."""
    pose = Pose.parse(key)
    return pose.protein if isinstance(pose, Pose) else key


def _sequences(keys: Sequence[str]) -> list[str]:
    paths = [receptor_of(key) for key in keys]
    found = {path: _sequence(path) for path in dict.fromkeys(paths)}
    return [found[path] for path in paths]


def _sequence(path: str) -> str:
    read = structure(path)
    return GAP.join(read.sequences) or path if isinstance(read, Structure) else path
