"""The shared data is what the tests take it for."""

from __future__ import annotations

import pandas as pd
import torch


def test_torch_has_one_thread() -> None:
    assert torch.get_num_threads() == 1


def test_chembl_has_every_measured_ligand(chembl: pd.DataFrame) -> None:
    assert list(chembl.columns) == ["smiles", "name", "pAct"]
    assert len(chembl) == 1017
    assert chembl.notna().all(axis=None)
    assert chembl["name"].is_unique
    assert chembl["pAct"].between(3, 12).all()


def test_nci_is_a_list_of_smiles(nci: list[str]) -> None:
    assert len(nci) == 4999
    assert nci[0] == "CC1=CC(=O)C=CC1=O"
    assert not any("\t" in smiles for smiles in nci)
