"""From texts to complexes: ligand first, pocket after it, nothing that depends on the file's writing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pockets import LIGAND, SEQUENCE, Made, moved, places
from rdkit import Chem

from molgraph.rooms.binding.features import COMPLEX, FEATURES, featurise
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.residues import AMINO
from molgraph.rooms.molecule.features import WHOLE
from molgraph.rooms.molecule.graphs import ATOM_CODES, from_mols


def text_of(folder: Path, number: int = 0, ligand: str = "ligand.sdf") -> str:
    return Pose(str(folder / "receptor.pdb"), str(folder / ligand), number).text


def test_a_complex(files: Path, complex_made: Made) -> None:
    done = featurise([text_of(files)], [COMPLEX])
    (made,) = done.complexes
    heavy = complex_made.ligand.GetNumHeavyAtoms()
    kind = made.atom[:, -1]
    assert (kind[:heavy] == 0).all() and set(kind[heavy:].tolist()) <= {AMINO[n] for n in AMINO} and len(kind) > heavy
    np.testing.assert_array_equal(made.atom[:heavy, :-1], from_mols([Chem.MolFromSmiles(made.smiles)]).atom)
    assert (made.near[:heavy] == 0).all() and made.near[heavy:].min() > 0 and made.near.max() <= 8
    np.testing.assert_allclose(made.xyz[:heavy].mean(axis=0), 0, atol=1e-5)
    assert made.xyz.dtype == np.float32 and made.ends.max() < len(made.atom)
    between = (made.ends < heavy).sum(axis=1) == 1
    assert not between.any(), "contacts are no bonds"
    assert made.atom.max(axis=0)[:8].tolist() <= [size - 1 for size in ATOM_CODES]


def test_keys_name_the_ligand(files: Path) -> None:
    done = featurise([text_of(files), text_of(files) + LIGAND, text_of(files, 1)], [COMPLEX, "fingerprint"])
    smiles = Chem.CanonSmiles(LIGAND)
    assert done.keys == [text_of(files) + smiles, text_of(files, 1) + smiles]
    assert done.index.tolist() == [0, 0, 1] and not done.refused
    assert len(done.complexes) == 2 and done.whole["fingerprint"].shape == (2, 256)
    again = featurise(done.keys, [COMPLEX])
    assert again.keys == done.keys, "a key is a text of the same pose"


def test_a_refusal_counts_atoms_as_the_file_does(files: Path, complex_made: Made) -> None:
    order = list(range(complex_made.ligand.GetNumAtoms()))[::-1]  # hydrogens first
    ligand = Chem.RenumberAtoms(complex_made.ligand, order)
    xyz, there = places(ligand), places(complex_made.peptide)[0]
    for atom in (a.GetIdx() for a in ligand.GetAtoms() if a.GetAtomicNum() > 1):
        shifted = moved(ligand, xyz - xyz[atom] + there + [0.0, 0.0, 0.02])
        (files / "turned.sdf").write_text(Chem.MolToMolBlock(shifted), encoding="utf-8")
        (refused,) = featurise([text_of(files, ligand="turned.sdf")], [COMPLEX]).refused.values()
        named = int(refused.message.split("atom ")[1].split()[0])
        distance = np.linalg.norm(places(shifted)[named - 1] - places(complex_made.peptide), axis=1).min()
        assert refused.reason == "clash" and distance < 0.1, f"atom {named} lies {distance:.2f} A away"


def test_turning_both_changes_no_more_than_the_frame(files: Path, complex_made: Made) -> None:
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    peptide, ligand = (moved(mol, places(mol) @ turn + 50) for mol in (complex_made.peptide, complex_made.ligand))
    both = {"turned.pdb": Chem.MolToPDBBlock(peptide, flavor=4), "turned.sdf": Chem.MolToMolBlock(ligand)}
    for name, text in both.items():
        (files / name).write_text(text, encoding="utf-8")
    one, two = featurise(
        [text_of(files), Pose(str(files / "turned.pdb"), str(files / "turned.sdf")).text], [COMPLEX]
    ).complexes
    np.testing.assert_array_equal(one.atom, two.atom)
    np.testing.assert_array_equal(one.ends, two.ends)
    np.testing.assert_allclose(one.near, two.near, atol=3e-3)  # files hold three decimals
    np.testing.assert_allclose(one.xyz @ turn.astype(np.float32), two.xyz, atol=3e-3)


def test_poses_of_one_file_are_read_in_one_go(files: Path, complex_made: Made) -> None:
    shifts = [0.0, 0.3, 0.6, 0.9]
    blocks = [
        Chem.MolToMolBlock(moved(complex_made.ligand, places(complex_made.ligand) + np.array([s, 0, 0]))) + "$$$$\n"
        for s in shifts
    ]
    (files / "poses.sdf").write_text("".join(blocks), encoding="utf-8")
    wanted = [3, 1, 4, 9]
    done = featurise([text_of(files, n, "poses.sdf") for n in wanted], [COMPLEX])
    assert done.index[3] == -1 and done.refused[3].reason == "no_such_pose"
    nearest = [float(done.complexes[i].near[done.complexes[i].near > 0].min()) for i in done.index[:3]]
    assert nearest[1] < nearest[0] < nearest[2]


def test_what_cannot_be_read_says_why(files: Path) -> None:
    bad = ["", "nonsense", f"none.pdb|{files / 'ligand.sdf'}", f"{files / 'receptor.pdb'}|none.sdf", text_of(files)]
    done = featurise(bad, [COMPLEX])
    assert {at: refused.reason for at, refused in done.refused.items()} == {
        0: "empty",
        1: "no_ligand",
        2: "unreadable_file",
        3: "unreadable_file",
    }
    assert done.index.tolist() == [-1, -1, -1, -1, 0]


def test_names() -> None:
    assert (COMPLEX, *WHOLE) == FEATURES and len(SEQUENCE) == 12
