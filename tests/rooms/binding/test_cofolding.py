"""Co-folding: what boltz is asked, poses laid into the receptor's frame, and ligands without one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pockets import SEQUENCE, Unzip
from rdkit import Chem

from molgraph.errors import ConfigError, DataError
from molgraph.rooms.binding.cofolding import Cofolding
from molgraph.rooms.binding.docking import box_around
from molgraph.rooms.binding.programs import find_program
from molgraph.rooms.binding.structure import Structure, structure
from molgraph.rooms.molecule.standardise import Refusal
from molgraph.workflows.dock import dock_file


@pytest.fixture
def cofolding(files: Path, boltz: Path, monkeypatch: pytest.MonkeyPatch) -> Cofolding:
    monkeypatch.setenv("STANDIN_RECEPTOR", str(files / "receptor.pdb"))
    return Cofolding(
        find_program(), files / "receptor.pdb", box_around(str(files / "ligand.sdf"), 30), poses=2, limit=60
    )


def test_it_is_asked_for_the_sequence_the_ligand_and_the_pocket(cofolding: Cofolding, boltz: Path) -> None:
    made = cofolding.dock("C[C@H](O)C(=O)[O-].[Na+]")
    assert not isinstance(made, Refusal), made
    said = json.loads(boltz.read_text(encoding="utf-8"))
    protein, ligand = said["asked"]["sequences"]
    assert protein == {"protein": {"id": ["A"], "sequence": SEQUENCE, "msa": "empty"}}
    assert ligand == {"ligand": {"id": "L", "smiles": "C[C@H](O)C(=O)[O-]"}}
    (pocket,) = said["asked"]["constraints"]
    protein_atoms = structure(str(cofolding.receptor))
    assert isinstance(protein_atoms, Structure)
    contacts = [number for _, number in pocket["pocket"]["contacts"]]
    assert len(set(contacts)) == 5 and set(contacts) <= set(range(1, len(SEQUENCE) + 1))
    assert said["asked"]["properties"] == [{"affinity": {"binder": "L"}}]
    assert said["words"][-2:] == ["--accelerator", "cpu"] and "--use_msa_server" not in said["words"]


def test_poses_are_laid_into_the_frame_of_the_receptor(cofolding: Cofolding) -> None:
    made = cofolding.dock("C[C@H](O)C(=O)[O-]")
    assert not isinstance(made, Refusal)
    assert [pose.score for pose in made] == [-9.55, -9.55], "log10(IC50/uM) -1 is 7 x 1.364 kcal/mol"
    assert [dict(pose.tags) for pose in made] == [
        {"pocket_rmsd": "0.00", "confidence": "0.900"},
        {"pocket_rmsd": "0.00", "confidence": "0.800"},
    ]
    mol = Chem.MolFromMolBlock(made[0].record)
    assert Chem.MolToSmiles(mol) == "C[C@H](O)C(=O)[O-]"
    protein = structure(str(cofolding.receptor))
    assert isinstance(protein, Structure)
    wanted = protein.xyz.mean(axis=0) + np.array([0.0, -6.0, 0.0])  # 6 angstrom along x of the frame that is turned
    assert np.allclose(mol.GetConformer().GetPositions().mean(axis=0), wanted, atol=0.01)


@pytest.mark.parametrize(
    ("smiles", "reason", "said"),
    [
        ("CCBr", "failed", "boltz ended with 1: CUDA out of memory"),
        ("CCS", "no_score", "wrote no affinity"),
        ("CCP", "no_pose", "wrote no pose"),
        ("CCI", "other_fold", "RMSD"),
        ("C[C@H](F)O", "other_isomer", "another stereoisomer"),
        ("C1CC", "invalid_smiles", "RDKit"),
    ],
)
def test_a_ligand_without_a_pose_says_why(cofolding: Cofolding, smiles: str, reason: str, said: str) -> None:
    made = cofolding.dock(smiles)
    assert isinstance(made, Refusal)
    assert made.reason == reason and said in made.message


def test_alignments_are_given_sent_for_or_refused(files: Path, boltz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_RECEPTOR", str(files / "receptor.pdb"))
    (files / "own.a3m").write_text(f">q\n{SEQUENCE}\n", encoding="utf-8")
    box = box_around(str(files / "ligand.sdf"), 30)
    for msa, known, word in ((str(files / "own.a3m"), str(files / "own.a3m"), False), ("server", None, True)):
        Cofolding(find_program(), files / "receptor.pdb", box, msa=msa).dock("CCO")
        said = json.loads(boltz.read_text(encoding="utf-8"))
        assert said["asked"]["sequences"][0]["protein"].get("msa") == known
        assert ("--use_msa_server" in said["words"]) is word
    with pytest.raises(ConfigError, match="no such file"):
        Cofolding(find_program(), files / "receptor.pdb", box, msa="nowhere.a3m")


def test_a_gap_in_the_chain_is_an_unknown_residue(files: Path, boltz: Path) -> None:
    lines = (files / "receptor.pdb").read_text(encoding="utf-8").splitlines()
    cut = files / "cut.pdb"
    cut.write_text("\n".join(line for line in lines if line[22:26].strip() != "6"), encoding="utf-8")
    (chain,) = Cofolding(find_program(), cut, box_around(str(files / "ligand.sdf"), 30)).chains
    assert chain.sequence == SEQUENCE[:5] + "X" + SEQUENCE[6:]
    assert chain.number.tolist() == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12] and len(chain.xyz) == 11


def test_real_receptors_are_folded_by_the_sequences_that_are_read_elsewhere(unzipped: Unzip, boltz: Path) -> None:
    paths = sorted(unzipped("full_proteins_12", None).rglob("*.pdb"))
    assert len(paths) >= 10
    for path in paths:
        protein = structure(str(path))
        assert isinstance(protein, Structure)
        middle = ",".join(f"{x:.1f}" for x in protein.xyz.mean(axis=0))
        chains = Cofolding(find_program("boltz"), path, box_around(middle, 400)).chains
        assert {chain.sequence for chain in chains} == set(protein.sequences), path.name


def test_a_receptor_that_cannot_be_folded_is_refused_at_once(files: Path, boltz: Path) -> None:
    with pytest.raises(ConfigError, match="0 chains"):
        Cofolding(find_program(), files / "receptor.pdb", box_around("900,0,0", 20))
    with pytest.raises(DataError, match=r"nowhere\.pdb"):
        Cofolding(find_program(), files / "nowhere.pdb", box_around("0,0,0", 20))
    with pytest.raises(ConfigError, match=r"boltz reads .* not .\.sdf"):
        Cofolding(find_program(), files / "ligand.sdf", box_around("0,0,0", 20))


def test_a_library_is_folded_into_one_file(
    files: Path, boltz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_RECEPTOR", str(files / "receptor.pdb"))
    library = tmp_path / "library.csv"
    pd.DataFrame({"smiles": ["CCO", "CCBr"], "name": ["ethanol", "fails"]}).to_csv(library, index=False)
    out = tmp_path / "poses.sdf"
    counts = dock_file(library, files / "receptor.pdb", str(files / "ligand.sdf"), out, size=30)
    assert (counts.poses, counts.reasons) == (1, {"failed": 1})
    (mol,) = Chem.SDMolSupplier(str(out))
    tags = mol.GetPropsAsDict()
    assert (tags["id"], tags["program"], tags["score"], tags["pocket_rmsd"]) == ("ethanol", "boltz", -9.55, 0.0)


def test_an_alignment_for_a_program_that_folds_nothing_is_refused(files: Path, standin: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is for boltz; smina folds nothing"):
        dock_file("x.csv", files / "receptor.pdb", str(files / "ligand.sdf"), tmp_path / "p.sdf", msa="server")
