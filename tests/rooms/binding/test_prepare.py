"""Texts to parts, each pose once, whatever the number of processes; all real complexes read or refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from pockets import Unzip

from molgraph.data import endable
from molgraph.errors import ConfigError
from molgraph.rooms.binding import prepare as preparing
from molgraph.rooms.binding.ligand import pose_starts
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.prepare import prepare
from molgraph.rooms.binding.residues import KINDS
from molgraph.rooms.molecule.graphs import ATOM_CODES

NEEDS = ("complex", "descriptors", "fingerprint")


def mini(unzipped: Unzip, count: int) -> list[str]:
    """Return the texts of crystal complexes."""
    folder = unzipped("pdbbind_mini", None)
    ligands = sorted(folder.rglob("*_ligand.sdf"))[:count]
    return [Pose(str(path).replace("_ligand.sdf", "_pocket.pdb"), str(path)).text for path in ligands]


def test_parts_of_a_pose(files: Path) -> None:
    text = Pose(str(files / "receptor.pdb"), str(files / "ligand.sdf")).text
    made = prepare([text, "", text], NEEDS)
    assert made.index.tolist() == [0, -1, 0] and len(made.parts) == 1 == len(made.keys)
    assert (made.rejects[1].row, made.rejects[1].reason) == (2, "empty")
    parts = made.parts
    assert parts.schema["atom"] == [*ATOM_CODES, KINDS] and parts.level["ends"] == "bond"
    assert int(parts.offsets["atom"][-1]) == len(parts.values["xyz"]) == len(parts.values["near"])
    assert parts.values["xyz"].dtype == torch.float32 and parts.values["descriptors"].shape[0] == 1


def test_nothing_to_prepare_gives_empty_parts() -> None:
    for texts in ([], [""], ["a.pdb|b.sdf"]):
        made = prepare(texts, NEEDS)
        assert len(made.parts) == 0 and len(made.rejects) == len(texts)
        assert made.parts.values["xyz"].shape == (0, 3)


def test_unknown_features_are_refused() -> None:
    with pytest.raises(ConfigError, match="no feature 'graph'"):
        prepare([], ("graph",))


def test_every_crystal_complex_is_prepared(unzipped: Unzip) -> None:
    texts = mini(unzipped, 152)
    made = prepare(texts, ("complex", "fingerprint"))
    assert len(texts) == 152 == len(made.parts) and not made.rejects
    assert made.parts.nbytes / len(made.parts) < 20_000
    atoms = made.parts.offsets["atom"].diff()
    assert int(atoms.min()) > 100 and int(atoms.max()) < 2000


def test_every_modelled_complex_is_prepared(unzipped: Unzip) -> None:
    """The 926 poses of the free-energy benchmark: receptors of several thousand atoms, each read once."""
    texts = []
    for path in sorted(unzipped("fep_benchmark", None).rglob("*_ligands.sdf")):
        receptor = str(path).replace("_ligands.sdf", "_protein.pdb")
        texts += [Pose(receptor, str(path), n).text for n in range(1, len(pose_starts(str(path))))]
    made = prepare(texts, ("complex",))
    assert len(texts) == 926 == len(made.parts) and not made.rejects


def test_undocked_decoys_are_refused(unzipped: Unzip) -> None:
    folder = unzipped("dude_inha", None) / "inha"
    receptor = str(folder / "receptor.pdb")
    made = prepare([Pose(receptor, str(folder / "decoys_final.mol2.gz"), n).text for n in range(1, 41)], ("complex",))
    assert Counter(r.reason for r in made.rejects.values()) == {"outside_pocket": 40}
    crystal = prepare([Pose(receptor, str(folder / "crystal_ligand.mol2")).text], ("complex",))
    assert len(crystal.parts) == 1


def test_docked_poses(unzipped: Unzip) -> None:
    folder = unzipped("dude_xiap", None) / "xiap"
    poses = [Pose(str(folder / "receptor_rdkit.pdb"), str(folder / "actives_docked.sdf"), n) for n in range(1, 101)]
    made = prepare([pose.text for pose in poses], ("complex",))
    assert len(made.parts) == 100 and not made.rejects


def test_processes_give_the_same_bytes(unzipped: Unzip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "CHUNK", 3)
    monkeypatch.setattr(preparing, "WORTH_STARTING", 1)
    texts = [*mini(unzipped, 8), "", *mini(unzipped, 2)]
    one, two = prepare(texts, ("complex",)), prepare(texts, ("complex",), workers=2)
    assert one.keys == two.keys and one.rejects == two.rejects
    np.testing.assert_array_equal(one.index, two.index)
    for name, values in one.parts.values.items():
        assert torch.equal(values, two.parts.values[name])


def test_a_hard_ligand_is_worked_on_apart_and_given_up_in_time(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [Pose(str(files / "receptor.pdb"), str(files / name)).text for name in ("ligand.sdf", "ligand.sdf")]
    here = prepare(texts, NEEDS)
    monkeypatch.setattr("molgraph.rooms.binding.features.hard", lambda smiles: True)
    apart = prepare(texts, NEEDS)
    assert apart.keys == here.keys
    for name in NEEDS[1:]:
        assert torch.equal(apart.parts.values[name], here.parts.values[name])

    def never(*_: object) -> None:
        raise endable.TooLong("avalon")

    monkeypatch.setattr(endable, "call", never)
    found = prepare(texts, NEEDS)
    assert found.rejects[0].reason == "timeout" and "(avalon)" in found.rejects[0].message
    assert prepare(texts, NEEDS[:1]).index.tolist() == [0, 0]  # of a graph alone nothing is counted
