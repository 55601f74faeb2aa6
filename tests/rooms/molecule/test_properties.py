"""Medicinal properties, checked against published values and definitions."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from rdkit.Chem import Mol

from molgraph.errors import ConfigError
from molgraph.rooms.molecule.properties import PROPERTIES, properties

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def test_aspirin() -> None:
    row = properties([ASPIRIN]).iloc[0]
    assert row.mw == pytest.approx(180.16, abs=0.01)
    assert row.tpsa == pytest.approx(63.6)  # Ertl 2000, table of drugs: 63.6
    assert (row.hbd, row.hba, row.rotatable_bonds, row.lipinski_violations) == (1, 3, 2, 0)
    assert row.logp == pytest.approx(1.31, abs=0.01)
    assert row.qed == pytest.approx(0.55, abs=0.01)
    assert row.sa_score == pytest.approx(1.58, abs=0.01)
    assert (row.pains, row.brenk) == ("", "phenol_ester")


def test_lipinski_counts_each_broken_limit() -> None:
    cyclosporin = (
        "CC[C@H]1C(=O)N(CC(=O)N([C@H](C(=O)N[C@H](C(=O)N([C@H](C(=O)N[C@H](C(=O)N[C@@H](C(=O)N([C@H](C(=O)N([C@H]"
        "(C(=O)N([C@H](C(=O)N([C@H](C(=O)N1)[C@@H]([C@H](C)C/C=C/C)O)C)C(C)C)C)CC(C)C)C)CC(C)C)C)C)C)CC(C)C)C)C(C)C)"
        "CC(C)C)C)C"
    )
    found = properties(["CCO", "C" * 40, cyclosporin], ["lipinski_violations"])
    assert found.lipinski_violations.tolist() == [0, 2, 2]


def test_alerts_are_named() -> None:
    found = properties(["O=C1C=CC(=O)C=C1", "CCO"], ["pains", "brenk"])
    assert found.pains.tolist() == ["quinone_A(370)", ""]
    assert found.brenk.tolist() == ["chinone_1", ""]


def test_unreadable_molecules_are_blank_not_zero() -> None:
    found = properties(["nonsense", "", "CCO"])
    assert found.iloc[:2].isna().all().all() and found.iloc[2].notna().all()
    assert list(found.columns) == list(PROPERTIES)


def test_one_failing_property_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fragile(molecule: Mol) -> float:
        if molecule.GetNumAtoms() == 1:
            raise RuntimeError("Pre-condition Violation")
        return 1.0

    monkeypatch.setitem(PROPERTIES, "qed", replace(PROPERTIES["qed"], of=fragile))
    found = properties(["C", "CC"], ["mw", "qed"])
    assert found.mw.notna().all() and found.qed.isna().tolist() == [True, False]


def test_odd_molecules_have_all_properties() -> None:
    found = properties(["[H+]", "[Fe]", "[U+6].[O-2].[O-2]", "*", "CC~CC", "C" * 300])
    assert found.notna().all().all()
    assert found.brenk[1] == "heavy_metal"


def test_types_do_not_depend_on_the_rows() -> None:
    for keys in ([], ["nonsense"], ["CCO"]):
        found = properties(keys)
        assert [str(dtype) for dtype in found.dtypes] == [each.dtype for each in PROPERTIES.values()]
        assert len(found) == len(keys)


def test_a_series_has_every_property(chembl: pd.DataFrame) -> None:
    found = properties(list(chembl.smiles[:40]))
    assert found.notna().all().all()
    assert found.mw.between(200, 800).all() and found.sa_score.between(1, 10).all() and found.qed.between(0, 1).all()


def test_only_what_is_asked_for() -> None:
    assert list(properties(["CCO"], ["tpsa", "mw"]).columns) == ["tpsa", "mw"]
    with pytest.raises(ConfigError, match="did you mean 'tpsa'"):
        properties(["CCO"], ["tspa"])


def test_every_property_names_its_source() -> None:
    assert all(each.source.startswith("https://") and each.about for each in PROPERTIES.values())
