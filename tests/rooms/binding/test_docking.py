"""Docking programs: found or not, the box, ligands in three dimensions, what comes back, and what does not."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from pockets import Made
from rdkit import Chem

from molgraph.errors import ConfigError, DataError
from molgraph.rooms.binding.docking import Box, Docking, box_around, embedded, tagged
from molgraph.rooms.binding.ligand import ligand
from molgraph.rooms.binding.programs import find_program
from molgraph.rooms.molecule.standardise import Refusal


@pytest.fixture
def docking(files: Path, standin: Path) -> Docking:
    box = box_around(str(files / "ligand.sdf"), 24)
    return Docking(find_program(), files / "receptor.pdb", box, poses=2, exhaustiveness=3, limit=60)


def test_without_a_program_it_says_which_and_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"smina \(https.*gnina \(https.*vina \(https") as refused:
        find_program()
    assert refused.value.exit_code == 2
    with pytest.raises(ConfigError, match=r"looked for gnina"):
        find_program("gnina")
    with pytest.raises(ConfigError, match="did you mean 'smina'"):
        find_program("smna")


def test_vina_needs_meeko_and_a_pdbqt(standin: Path, files: Path) -> None:
    assert find_program().name == "smina"
    program = standin.parent / "programs"
    next(program.iterdir()).rename(program / ("vina.bat" if (program / "smina.bat").exists() else "vina"))
    with pytest.raises(ConfigError, match="mk_prepare_ligand"):
        find_program()


def test_the_box_is_around_a_ligand_or_a_point(files: Path, complex_made: Made) -> None:
    heavy = Chem.RemoveAllHs(complex_made.ligand).GetConformer().GetPositions()
    box = box_around(str(files / "ligand.sdf"), 20)
    assert np.allclose(box.center, (heavy.min(axis=0) + heavy.max(axis=0)) / 2, atol=1e-3)
    assert box.holds(heavy).all() and not box.holds(heavy + 30).any()
    assert box_around("1.5,-2,3e1", 10) == Box((1.5, -2.0, 30.0), 10)
    assert box_around(str(files / "receptor.pdb"), 200).size == 200


@pytest.mark.parametrize(
    ("around", "size", "said"),
    [("1,2", 20, "such file"), ("1,2,x", 20, "x,y,z"), ("1,2,nan", 20, "x,y,z"), ("1,2,3", 0, "--size 0")],
)
def test_what_is_no_box(around: str, size: float, said: str) -> None:
    with pytest.raises((ConfigError, DataError), match=said):
        box_around(around, size)


def test_a_ligand_larger_than_the_box_is_refused(files: Path) -> None:
    with pytest.raises(ConfigError, match=r"ligand.sdf is \d+\.\d angstrom long"):
        box_around(str(files / "ligand.sdf"), 4)


def test_ligands_get_hydrogens_and_a_form_that_repeats() -> None:
    mol = embedded("C[NH2+]CC(F)(Cl)Br.[Cl-]", 1)
    assert not isinstance(mol, Refusal)
    assert Chem.GetFormalCharge(mol) == 1 and mol.GetNumAtoms() == 14
    again, other = (embedded("C[NH2+]CC(F)(Cl)Br.[Cl-]", seed) for seed in (1, 2))
    first = mol.GetConformer().GetPositions()
    assert np.array_equal(first, again.GetConformer().GetPositions())
    assert not np.array_equal(first, other.GetConformer().GetPositions())
    for text, reason in (("nonsense", "invalid_smiles"), ("", "empty"), ("C*", "dummy_atom")):
        refused = embedded(text, 1)
        assert isinstance(refused, Refusal) and refused.reason == reason


def test_poses_come_back_in_the_box_with_their_score(docking: Docking, standin: Path) -> None:
    made = docking.dock("CC(=O)[O-].[Na+]")
    assert not isinstance(made, Refusal)
    assert [pose.score for pose in made] == [-7.25, -6.25]
    assert standin.read_text(encoding="utf-8") == "CHO 3 1\n"
    record = tagged(made[0], "acetate $$$$", {"id": "$$$$ 7"})
    found = ligand(record, "x.sdf")
    assert not isinstance(found, Refusal)
    assert found.smiles == "CC(=O)O" and docking.box.holds(found.xyz).all()
    mol = Chem.MolFromMolBlock(record)
    assert Chem.GetFormalCharge(mol) == -1
    assert (
        record.count("\n$$$$\n") == 1
        and ">  <score>\n-7.25\n" in record
        and ">  <minimizedAffinity>\n-7.25\n" in record
    )


@pytest.mark.parametrize(
    ("smiles", "reason", "said"),
    [
        ("CCBr", "failed", "ended with 7: the grid is out of memory"),
        ("CCI", "unreadable_pose", "RDKit"),
        ("CCS", "no_score", "no score"),
        ("CCP", "no_pose", "wrote no pose"),
        ("CCB(O)O", "unreadable_pose", "another molecule: C"),
        ("C1CC", "invalid_smiles", "RDKit"),
    ],
)
def test_a_ligand_without_a_pose_says_why(docking: Docking, smiles: str, reason: str, said: str) -> None:
    made = docking.dock(smiles)
    assert isinstance(made, Refusal)
    assert made.reason == reason and said in made.message


def test_a_program_that_hangs_is_ended(files: Path, standin: Path) -> None:
    docking = Docking(find_program(), files / "receptor.pdb", box_around(str(files / "ligand.sdf"), 20), limit=1)
    began = time.monotonic()
    made = docking.dock("CCCl")
    assert isinstance(made, Refusal) and made.reason == "timeout"
    assert time.monotonic() - began < 30


def test_what_no_program_reads_is_refused_at_once(files: Path, standin: Path) -> None:
    box = box_around(str(files / "ligand.sdf"), 20)
    with pytest.raises(ConfigError, match=r"smina reads \.pdb or \.pdbqt"):
        Docking(find_program(), files / "receptor.cif", box)
    with pytest.raises(DataError, match=r"nowhere\.pdb"):
        Docking(find_program(), files / "nowhere.pdb", box)
    with pytest.raises(ConfigError, match="no atom"):
        Docking(find_program(), files / "receptor.pdb", Box((900.0, 0.0, 0.0), 20))


@pytest.mark.parametrize(("smiles", "left_open"), [("CC(F)O", 1), ("C[C@H](F)O", 0), ("CC=CC(C)(F)O", 2), ("CCO", 0)])
def test_what_the_smiles_leaves_open_is_counted(docking: Docking, smiles: str, left_open: int) -> None:
    made = docking.dock(smiles)
    assert not isinstance(made, Refusal) and [pose.open_stereo for pose in made] == [left_open] * 2
