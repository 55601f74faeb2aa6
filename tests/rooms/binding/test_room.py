"""The room as the floors above see it: identity, groups, neighbours, pictures, columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pockets import LIGAND, Made, Unzip, moved, places
from rdkit import Chem
from sklearn.metrics import adjusted_rand_score

from molgraph.data.cells import Cells
from molgraph.errors import ConfigError
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.properties import OF_POSE, properties
from molgraph.rooms.binding.room import ROOM


@pytest.fixture
def key(files: Path) -> str:
    made = ROOM.reading.prepare(
        Cells.of([Pose(str(files / "receptor.pdb"), str(files / "ligand.sdf")).text]), ("complex",)
    )
    return made.keys[0]


def mini_keys(unzipped: Unzip, shared_data: Path) -> tuple[list[str], pd.DataFrame]:
    index = pd.read_csv(shared_data / "structures" / "pdbbind_mini_index.csv")
    folder = unzipped("pdbbind_mini", None)
    rows = zip(index.pdb_id, index.smiles, strict=True)
    return [Pose(str(folder / name / f"{name}_pocket.pdb"), "x.sdf", 0, smiles).text for name, smiles in rows], index


def test_two_poses_of_a_pair_are_one_thing(files: Path, complex_made: Made, key: str) -> None:
    pose = Pose.parse(key)
    assert isinstance(pose, Pose)
    other_file = files / "copy.pdb"
    other_file.write_text(complex_made.pdb, encoding="utf-8")
    same = Pose(str(other_file), "elsewhere.sdf", 3, pose.smiles).text
    other_ligand = Pose(pose.protein, pose.ligand, 0, "CCO").text
    gone = Pose("gone.pdb", pose.ligand, 0, pose.smiles).text
    found = ROOM.likeness.identity([key, same, other_ligand, gone])
    assert found[0] == found[1] and len(set(found)) == 3


def test_the_family_of_a_receptor_groups_its_pockets(unzipped: Unzip, shared_data: Path) -> None:
    """Pockets cut out of related proteins stand together nearly as their whole sequences do."""
    keys, index = mini_keys(unzipped, shared_data)
    found = ROOM.likeness.groupers["family"](keys)
    assert found[0] == 0 and len(found) == 152
    assert adjusted_rand_score(index["cluster"], found) > 0.8


def test_scaffolds_are_those_of_the_ligand() -> None:
    poses = [Pose("a.pdb", "b.sdf", n, s).text for n, s in enumerate(["Cc1ccccc1", "Oc1ccccc1", "CCO"])]
    assert ROOM.likeness.groupers["scaffold"](poses).tolist() == [0, 0, 1]
    assert ROOM.likeness.default_group in ROOM.likeness.groupers


def test_neighbours_are_those_of_the_ligand(files: Path, key: str) -> None:
    parts = ROOM.reading.prepare(Cells.of([key]), (ROOM.likeness.fingerprint,)).parts
    position, similarity = ROOM.likeness.index(parts).nearest(parts)
    assert position.tolist() == [0] and similarity.tolist() == [1.0]
    assert ROOM.likeness.diverse(parts, 3) == [0]


def test_the_picture_is_that_of_the_ligand(key: str) -> None:
    picture = ROOM.face.draw(key, width=120, height=90, highlight={0: 1.0})
    assert picture.startswith("<svg") and 'width="120"' in picture and "no structure" not in picture
    assert "no structure" in ROOM.face.draw("nonsense")


def test_columns(files: Path, key: str, complex_made: Made) -> None:
    found = ROOM.face.columns_of([key, "gone.pdb|gone.sdf|0|CCO"], ROOM.face.properties)
    assert list(found.columns) == list(ROOM.face.properties)
    assert found["contacts"][0] > 0 and found["clashes"][0] == 0 and found["pocket_residues"][0] > 0
    assert 0 < found["buried"][0] <= 1 and found["missing_atoms"][0] == 0
    assert found.loc[1, list(OF_POSE)].isna().all(), "the files are gone"
    assert found["mw"].round(1).tolist() == [151.2, 46.1], "the ligand is known from the key"
    several = properties(["gone.pdb|gone.sdf|0|CCO", key, key], ["mw", "contacts"])
    assert several["mw"].round(1).tolist() == [46.1, 151.2, 151.2] and several["contacts"].isna().tolist()[0]
    nearer = moved(complex_made.ligand, places(complex_made.ligand) - np.array([2.2, 0, 0]))
    (files / "near.sdf").write_text(Chem.MolToMolBlock(nearer), encoding="utf-8")
    pushed = properties(
        [Pose(str(files / "receptor.pdb"), str(files / "near.sdf"), 0, LIGAND).text], ["clashes", "contacts"]
    )
    assert pushed["clashes"][0] > 0 and pushed["contacts"][0] > found["contacts"][0]
    lines = complex_made.pdb.splitlines(keepends=True)
    away = [line for line in lines if line[12:20].split() != ["CB", "ALA"]]
    (files / "cut.pdb").write_text("".join(away), encoding="utf-8")
    lacking = properties([Pose(str(files / "cut.pdb"), str(files / "ligand.sdf"), 0, LIGAND).text], ["missing_atoms"])
    assert len(away) == len(lines) - 1 and lacking["missing_atoms"][0] == 1, "what is left of it is 5.6 A away"
    assert properties([], ["contacts", "mw"]).shape == (0, 2)
    with pytest.raises(ConfigError, match="unknown property 'contact'; did you mean 'contacts'"):
        properties([key], ["contact"])


def test_crystal_poses_have_contacts_and_hardly_clashes(unzipped: Unzip) -> None:
    folder = unzipped("pdbbind_mini", None)
    names = [path.name for path in sorted(folder.iterdir())][:40]
    keys = [Pose(str(folder / n / f"{n}_pocket.pdb"), str(folder / n / f"{n}_ligand.sdf")).text for n in names]
    found = properties(keys, list(OF_POSE))
    assert found.notna().all().all()
    assert (found["contacts"] > 5).all() and (found["buried"] > 0.2).all()
    assert (found["clashes"] == 0).mean() > 0.6
    assert found["pocket_waters"].sum() > 20 and found["pocket_ions"].sum() > 0
