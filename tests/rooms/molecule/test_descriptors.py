from __future__ import annotations

import time

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors

from molgraph.errors import ConfigError
from molgraph.rooms.molecule import descriptors as module
from molgraph.rooms.molecule.descriptors import DESCRIPTORS, descriptors


def test_values_are_those_of_rdkit(nci: list[str]) -> None:
    mols = [Chem.MolFromSmiles(text) for text in nci[::100]]
    made = descriptors(mols)
    assert made.dtype == np.float32
    assert made.shape == (len(mols), len(DESCRIPTORS))
    for row, mol in zip(made, mols, strict=True):
        with rdBase.BlockLogs():
            said = Descriptors.CalcMolDescriptors(mol, missingVal=float("nan"))
        expected = np.array([said[name] for name in DESCRIPTORS], dtype=np.float64)
        expected[~np.isfinite(expected)] = 0
        np.testing.assert_array_equal(row, expected.astype(np.float32))


def test_known_values() -> None:
    aspirin = dict(zip(DESCRIPTORS, descriptors([Chem.MolFromSmiles("CC(=O)Oc1ccccc1C(=O)O")])[0], strict=True))
    assert aspirin["MolWt"] == pytest.approx(180.159, abs=1e-3)
    assert aspirin["TPSA"] == pytest.approx(63.60, abs=1e-2)
    assert aspirin["NumHDonors"] == 1


def test_always_finite_and_in_bearable_time() -> None:
    mols = [
        Chem.MolFromSmiles(text) for text in ("[Fe]", "[H+]", "[U+4]", "[Na+].[Cl-]", "[Pt](Cl)(Cl)(N)N", "C" * 200)
    ]
    start = time.process_time()
    with rdBase.BlockLogs():
        assert np.isfinite(descriptors(mols)).all()
    assert time.process_time() - start < 30  # Ipc alone took longer on one molecule of this kind


def test_names_are_distinct_and_without_ipc() -> None:
    assert len(set(DESCRIPTORS)) == len(DESCRIPTORS) == 215
    assert not {"Ipc", "AvgIpc"} & set(DESCRIPTORS)


def test_a_descriptor_that_this_rdkit_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DESCRIPTORS", ("MolWt", "Nonsense"))
    module._functions.cache_clear()
    try:
        with pytest.raises(ConfigError, match=r"Nonsense.*requirements\.lock"):
            descriptors([])
    finally:
        module._functions.cache_clear()


def test_no_molecules() -> None:
    assert descriptors([]).shape == (0, len(DESCRIPTORS))
