"""Densities on a grid that turns with the complex."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from molgraph.errors import ConfigError
from molgraph.rooms.binding.encoders.cnn3d import CHANNELS, CNN3D, channel, in_own_frame, voxels
from molgraph.rooms.binding.encoders.encoder import Complexes
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.molecule.graphs import ATOM


@pytest.fixture
def made(files: Path) -> Complexes:
    parts = prepare([Pose(str(files / "receptor.pdb"), str(files / "ligand.sdf")).text], ("complex",)).parts
    return Complexes.of(parts, 8.0, waters=False, metals=True, dtype=torch.float64)


def test_every_atom_inside_adds_one(made: Complexes) -> None:
    grid = voxels(made, 40, 1.0)
    assert grid.shape == (1, CHANNELS, 40, 40, 40)
    counts = torch.bincount(channel(made), minlength=CHANNELS).double()
    torch.testing.assert_close(grid.sum((0, 2, 3, 4)), counts)
    assert counts[:3].tolist() == [8, 1, 2], "carbon, nitrogen and oxygen of paracetamol"
    small = voxels(made, 8, 1.0)
    assert float(small.sum()) < float(grid.sum()), "what lies outside is cut off"
    torch.testing.assert_close(small, grid[..., 16:24, 16:24, 16:24])


def test_the_grid_is_centred_on_the_ligand(made: Complexes) -> None:
    frame = in_own_frame(made)
    assert float(frame[made.ligand].mean(0).abs().max()) < 1e-6
    torch.testing.assert_close(frame.norm(dim=1), made.xyz.norm(dim=1), atol=1e-5, rtol=1e-6)
    about = frame - frame.mean(0)
    spread = about.T @ about
    assert float((spread - torch.diag(spread.diag())).abs().max()) < 1e-6 * float(spread.max())
    assert bool(((about**3).sum(0)[:2] > 0).all())


def test_densities_move_smoothly(made: Complexes) -> None:
    """Half a voxel of motion in a hundred steps: no step changes the grid more than its share."""
    grids = []
    frame = in_own_frame(made)
    for step in range(101):
        moved = Complexes(made.atom, frame.clone(), made.ligand, made.offsets, made.bonds, made.contacts)
        moved.xyz[0, 0] += 0.005 * step
        grids.append(voxels(moved, 24, 1.0).sum((0, 1)))
    change = torch.stack([(b - a).abs().sum() for a, b in pairwise(grids)])
    assert float(change.max()) < 0.5


def test_channels_tell_ligand_and_pocket_and_elements_apart() -> None:
    elements = [6, 7, 8, 16, 15, 9, 53, 5, 6, 7, 8, 16, 30, 15]
    atom = torch.tensor([[ATOM[0].values.index(e), *[0] * 8] for e in elements])
    ligand = torch.arange(len(elements)) < 8
    given = Complexes(atom, torch.zeros(14, 3), ligand, torch.tensor([0, 14]), torch.empty(2, 0), torch.empty(2, 0))
    assert channel(given).tolist() == [0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 10] and CHANNELS == 11


@pytest.mark.parametrize("wrong", [{"side": 3}, {"spacing": 0.0}])
def test_grids_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="side"):
        CNN3D({"atom": [2] * 9}, **wrong)  # type: ignore[arg-type]
