"""What a row names."""

from __future__ import annotations

import pytest

from molgraph.errors import DataError
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.molecule.standardise import Refusal


def test_what_is_written_is_read_again() -> None:
    for pose in (Pose("a b.pdb", "c.sdf", 3, "CCO"), Pose("a.pdb", "c.sdf"), Pose("a", "b", 0, "C |$;R$|")):
        assert Pose.parse(pose.text) == pose


def test_number_and_smiles_may_be_missing() -> None:
    assert Pose.parse("a.pdb | b.sdf") == Pose("a.pdb", "b.sdf", 0, "")
    assert Pose.parse("a.pdb|b.sdf|2") == Pose("a.pdb", "b.sdf", 2, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("  ", "empty"), ("|b.sdf|1|", "no_protein"), ("a.pdb", "no_ligand"), ("a|b|two|", "invalid_pose")],
)
def test_what_names_no_pose_says_why(text: str, reason: str) -> None:
    found = Pose.parse(text)
    assert isinstance(found, Refusal) and found.reason == reason


def test_a_path_with_a_bar_is_refused() -> None:
    with pytest.raises(DataError, match="rename"):
        assert Pose("a|b.pdb", "c.sdf").text
