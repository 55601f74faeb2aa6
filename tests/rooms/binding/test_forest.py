"""Counts of contacts against a slow and plain way."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pockets import Unzip

from molgraph import registry
from molgraph.rooms.binding import forest
from molgraph.rooms.binding.forest import CONTACTS, OF_LIGAND, OF_POCKET, SHELLS, Forest
from molgraph.rooms.binding.ligand import Ligand, ligand
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.binding.structure import Structure, structure
from molgraph.rooms.molecule.descriptors import DESCRIPTORS


def test_counts(files: Path) -> None:
    pose = Pose(str(files / "receptor.pdb"), str(files / "ligand.sdf"))
    parts = prepare([pose.text], Forest.needs).parts
    counts = forest.contacts(parts)[0].reshape(len(OF_LIGAND), len(OF_POCKET), len(SHELLS) - 1)
    protein = structure(pose.protein)
    small = ligand((files / "ligand.sdf").read_text(encoding="utf-8"), pose.ligand)
    assert isinstance(protein, Structure) and isinstance(small, Ligand)
    distance = np.linalg.norm(small.xyz[:, None] - protein.xyz, axis=2)
    oxygen = [at for at, letter in enumerate(small.smiles.replace("(=", "").upper().replace("1", "")) if letter == "O"]
    assert len(oxygen) == 2 and counts.sum() == (distance < SHELLS[-1]).sum()
    for shell, (low, high) in enumerate(pairwise(SHELLS)):
        inside = (distance >= low) & (distance < high)
        assert counts[:, :, shell].sum() == inside.sum()
        assert counts[:, OF_POCKET.index(16), shell].sum() == inside[:, protein.element == 16].sum()


def test_features_of_many_are_those_of_each(unzipped: Unzip, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = unzipped("pdbbind_mini", None)
    names = [path.name for path in sorted(folder.iterdir())][:7]
    poses = [Pose(str(folder / n / f"{n}_pocket.pdb"), str(folder / n / f"{n}_ligand.sdf")).text for n in names]
    parts = prepare(poses, Forest.needs).parts
    grower = registry.model("binding/forest")(parts.schema)
    whole = grower.features(parts)
    assert whole.shape == (7, CONTACTS + len(DESCRIPTORS)) and whole.dtype == np.float32
    monkeypatch.setattr(forest, "AT_ONCE", 3)
    np.testing.assert_array_equal(grower.features(parts), whole)
    assert (whole[:, :CONTACTS].sum(axis=1) > 300).all() and len(np.unique(whole, axis=0)) == 7


def test_no_rows() -> None:
    parts = prepare([], Forest.needs).parts
    assert Forest(parts.schema).features(parts).shape == (0, CONTACTS + len(DESCRIPTORS))
