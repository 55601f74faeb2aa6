from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molgraph.rooms.imaging.phantom import chest
from molgraph.rooms.imaging.scan import read_scan
from molgraph.rooms.imaging.write import save_nifti, write_chests

TINY = {"field": (40.0, 70.0, 80.0), "spacing": (2.5, 1.4, 1.4), "nodules": 2, "diameters": (6.0, 9.0)}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_volume_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    made = chest(0, **TINY)
    save_nifti(tmp_path / name, made.voxels[0].astype(np.int16), made.affine)
    back = read_scan(tmp_path / name, canonical=False)
    assert np.array_equal(back.voxels, made.voxels)
    assert back.affine == pytest.approx(made.affine)
    first = (tmp_path / name).read_bytes()
    save_nifti(tmp_path / name, made.voxels[0].astype(np.int16), made.affine)
    assert (tmp_path / name).read_bytes() == first


def test_chests_come_with_a_table_of_scans_and_one_of_nodules(tmp_path: Path) -> None:
    labels = pd.read_csv(write_chests(tmp_path / "out", [chest(5, **TINY), chest(6, **TINY)]))
    nodules = pd.read_csv(tmp_path / "out" / "nodules.csv")
    assert labels["nodules"].sum() == len(nodules) and list(labels) == ["scan", "mask", "patient", "nodules"]
    made = chest(6, **TINY)
    mine = nodules[nodules["scan"] == labels["scan"][1]]
    assert mine["x"].tolist() == pytest.approx([n.centre[0] for n in made.nodules], abs=1e-3)
    mask = read_scan(tmp_path / "out" / labels["mask"][1], canonical=False, mask=True)
    assert np.array_equal(mask.voxels[0] > 0, made.mask > 0)


def test_no_nodules_are_a_table_without_lines(tmp_path: Path) -> None:
    write_chests(tmp_path, [chest(0, **{**TINY, "nodules": 0})])
    assert len(pd.read_csv(tmp_path / "nodules.csv")) == 0
