"""When two molecules are the same thing."""

from __future__ import annotations

import pandas as pd

from molgraph.rooms.molecule.identity import identity


def test_one_compound_one_identity() -> None:
    left, right, other = identity(["OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(O)=O", "CC(=O)Oc1ccccc1"])
    assert left == right == "BSYNRYMUTXBXSQ-UHFFFAOYSA-N" != other


def test_tautomers_are_one_and_enantiomers_two() -> None:
    assert len(set(identity(["Oc1ccccn1", "O=c1cccc[nH]1"]))) == 1
    assert len(set(identity(["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O"]))) == 3


def test_what_inchi_cannot_name_falls_back_to_smiles() -> None:
    big = "C" * 1100
    assert identity([big, "nonsense", ""]) == [big, "nonsense", ""]
    assert identity(["C(*)C"]) == ["*CC"]  # a dummy atom has no InChI


def test_a_measured_series_has_its_compounds_apart(chembl: pd.DataFrame) -> None:
    found = identity(list(chembl.smiles))
    assert all(len(name) == 27 for name in found)
    assert len(set(found)) == 1017
