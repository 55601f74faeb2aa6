"""The pocket cut to size on the device, against a slow and plain way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from molgraph.data.packed import Packed
from molgraph.rooms.binding.encoders.encoder import Complexes
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.binding.residues import LIGAND


@pytest.fixture
def parts(files: Path) -> Packed:
    one = Pose(str(files / "receptor.pdb"), str(files / "ligand.sdf"))
    two = Pose(one.protein, one.ligand, 1)
    return prepare([one.text, two.text], ("complex",)).parts


@pytest.mark.parametrize("cutoff", [4.0, 5.0, 8.0])
def test_contacts_and_bonds(parts: Packed, cutoff: float) -> None:
    made = Complexes.of(parts, cutoff, waters=False, metals=False, dtype=torch.float64)
    begin, end = made.offsets[:2].tolist()
    xyz, ligand = made.xyz[begin:end].numpy(), made.ligand[begin:end].numpy()
    distance = np.linalg.norm(xyz[:, None] - xyz, axis=2)
    expected = {(int(i), int(j)) for i, j in np.argwhere(distance < cutoff) if ligand[i] and not ligand[j]}
    of_first = made.contacts[:, made.contacts[0] < end]
    assert {(int(i), int(j)) for i, j in of_first.T} == expected and expected
    assert made.contacts.shape[1] == 2 * len(expected)
    rows, columns = of_first.numpy()
    np.testing.assert_allclose(made.distances(of_first).numpy(), distance[rows, columns])
    kept = int((parts.values["near"][: int(parts.offsets["atom"][1])] <= cutoff).sum())
    assert end == kept and made.ligands.diff().tolist() == [11, 11]
    lengths = made.distances(made.bonds)
    assert float(lengths.min()) > 1.1 and float(lengths.max()) < 2.0 and made.bonds.shape[1] % 2 == 0


def test_nothing_crosses_from_one_complex_to_the_next(parts: Packed) -> None:
    made = Complexes.of(parts, 5.0, waters=False, metals=False, dtype=torch.float32)
    edge = int(made.offsets[1])
    for pairs in (made.bonds, made.contacts):
        assert bool(((pairs[0] < edge) == (pairs[1] < edge)).all())
    assert bool((made.atom[made.contacts[0], -1] == LIGAND).all())
