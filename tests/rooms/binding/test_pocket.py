"""Pockets: whole residues by distance; a ligand elsewhere, on top of the protein, or in place of another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pockets import atom_line, embedded, places
from rdkit import Chem

from molgraph.rooms.binding.ligand import Ligand, ligand
from molgraph.rooms.binding.pocket import OUTSIDE, REACH, Pocket, cut
from molgraph.rooms.binding.structure import Structure, structure
from molgraph.rooms.molecule.standardise import Refusal


@pytest.fixture
def protein(files: Path) -> Structure:
    found = structure(str(files / "receptor.pdb"))
    assert isinstance(found, Structure)
    return found


@pytest.fixture
def small(files: Path) -> Ligand:
    found = ligand((files / "ligand.sdf").read_text(encoding="utf-8"), "ligand.sdf")
    assert isinstance(found, Ligand)
    return found


def with_beside(files: Path, *lines: str) -> Structure:
    """Return the protein with more atoms in its file."""
    path = files / "more.pdb"
    text = (files / "receptor.pdb").read_text(encoding="utf-8").replace("END\n", "")
    path.write_text(text + "".join(lines), encoding="utf-8")
    found = structure(str(path))
    assert isinstance(found, Structure)
    return found


@pytest.mark.parametrize("reach", [4.0, 5.0, REACH])
def test_whole_residues_within_reach(protein: Structure, small: Ligand, reach: float) -> None:
    found = cut(protein, small.xyz, reach)
    assert isinstance(found, Pocket)
    all_pairs = np.linalg.norm(protein.xyz[:, None] - small.xyz, axis=2).min(axis=1)
    nearest = np.array([all_pairs[protein.residue == r].min() for r in range(len(protein.kind))])
    expected = np.flatnonzero(nearest[protein.residue] <= reach)
    np.testing.assert_array_equal(found.atoms, expected)
    np.testing.assert_allclose(found.near, nearest[protein.residue[expected]])


def test_it_does_not_depend_on_the_frame(protein: Structure, small: Ligand) -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    shift = np.array([31.0, -250.0, 7.0])
    moved = cut(replace(protein, xyz=protein.xyz @ turn + shift), small.xyz @ turn + shift)
    still = cut(protein, small.xyz)
    assert isinstance(moved, Pocket) and isinstance(still, Pocket)
    np.testing.assert_array_equal(moved.atoms, still.atoms)
    np.testing.assert_allclose(moved.near, still.near, atol=1e-9)


def test_a_ligand_outside_the_pocket_is_refused_with_its_distance(protein: Structure, small: Ligand) -> None:
    far = cut(protein, small.xyz + np.array([100.0, 0, 0]))
    assert isinstance(far, Refusal) and far.reason == "outside_pocket" and f"more than {OUTSIDE:g}" in far.message


def test_a_ligand_in_a_side_chain_is_a_clash(protein: Structure, small: Ligand) -> None:
    at = int(np.flatnonzero([label.startswith("A:TRP") for label in protein.label])[0])
    there = protein.xyz[protein.residue == at][-1]
    found = cut(protein, small.xyz - small.xyz[3] + there + np.array([0.1, 0, 0]))
    assert isinstance(found, Refusal) and found.reason == "clash"
    assert "atom 4 of the ligand lies 0.10 A from an atom of A:TRP11" in found.message


def test_what_the_ligand_replaces_is_left_out(files: Path, small: Ligand) -> None:
    """A receptor file often holds its own ligand, and a water where the new one reaches."""
    place = small.xyz[0] + np.array([0.1, 0.0, 0.0])
    beside = small.xyz.mean(axis=0) + np.array([0.0, 0.0, 4.0])
    more = with_beside(
        files,
        atom_line(900, "C1", "OLD", place, number=900, element="C", record="HETATM"),
        atom_line(901, "O1", "OLD", place + np.array([1.4, 0, 0]), number=900, element="O", record="HETATM"),
        atom_line(902, "O", "HOH", small.xyz[4], number=901, element="O", record="HETATM"),
        atom_line(903, "MG", "MG", beside, number=902, element="MG", record="HETATM"),
    )
    found = cut(more, small.xyz)
    assert isinstance(found, Pocket)
    kept = {more.label[r] for r in more.residue[found.atoms]}
    assert "A:MG902" in kept and not kept & {"A:OLD900", "A:HOH901"}


def test_a_file_of_waters_has_no_pocket(tmp_path: Path) -> None:
    path = tmp_path / "waters.pdb"
    path.write_text(atom_line(1, "O", "HOH", (0, 0, 0), element="O"), encoding="utf-8")
    waters = structure(str(path))
    assert isinstance(waters, Structure)
    found = cut(waters, places(Chem.RemoveHs(embedded(Chem.MolFromSmiles("CCO")))))
    assert isinstance(found, Refusal) and "no amino acid" in found.message
