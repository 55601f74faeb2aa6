"""A library made of a measured series' own parts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem, RDConfig
from rdkit.Chem import Mol

from molgraph.errors import ConfigError, DataError
from molgraph.rooms.molecule.identity import identity
from molgraph.rooms.molecule.series import recombine, shared_scaffold

METHYL_ETHYL = ["Cc1ccccc1F", "CCc1ccccc1Cl"]


@pytest.fixture(scope="module")
def core() -> Mol:
    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    return Chem.MolFromMolFile(str(folder / "CHEMBL2321810_scaffold.mol"))


@pytest.fixture(scope="module")
def library(chembl_table: pd.DataFrame, core: Mol) -> list[str]:
    return recombine(list(chembl_table.smiles), core, limit=400)


def test_groups_change_places() -> None:
    assert recombine(METHYL_ETHYL, "c1ccccc1") == ["CCc1ccccc1F", "Cc1ccccc1Cl"]
    assert set(recombine(METHYL_ETHYL, "[*:1]c1ccccc1[*:2]")) == {"CCc1ccccc1F", "Cc1ccccc1Cl"}


def test_library_is_valid_new_and_without_repeats(chembl_table: pd.DataFrame, library: list[str]) -> None:
    assert len(library) == 400
    names = identity(library)
    assert len(set(names)) == 400
    assert not set(names) & set(identity(list(chembl_table.smiles)))
    framework = Chem.MolFromSmarts("[#8]=[#16](=[#8])c1ccc(O)c(C#N)c1")
    for smiles in library:
        molecule = Chem.MolFromSmiles(smiles)
        assert molecule is not None and molecule.HasSubstructMatch(framework)
        assert "." not in smiles and "*" not in smiles


def test_library_depends_on_the_seed_and_not_on_the_order(chembl_table: pd.DataFrame, core: Mol) -> None:
    smiles = list(chembl_table.smiles[:200])
    made = recombine(smiles, core, limit=30)
    assert recombine(smiles[::-1] + smiles[:5], core, limit=50)[:30] == made
    assert recombine(smiles, core, limit=30, seed=1) != made


def test_what_is_common_in_the_series_is_common_in_the_library(chembl_table: pd.DataFrame, library: list[str]) -> None:
    thiadiazole = Chem.MolFromSmarts("Nc1ncns1")
    measured = [Chem.MolFromSmiles(s) for s in chembl_table.smiles]
    share = sum(m.HasSubstructMatch(thiadiazole) for m in measured) / len(measured)
    drawn = sum(Chem.MolFromSmiles(s).HasSubstructMatch(thiadiazole) for s in library) / len(library)
    assert abs(share - drawn) < 0.1


def test_all_combinations_of_a_small_series_are_all() -> None:
    series = ["Cc1cc(F)ncn1", "CCc1cc(Cl)ncn1", "CCCc1cc(Br)ncn1"]
    everything = recombine(series, "[*:1]c1cc([*:2])ncn1")
    assert len(everything) == 3 * 3 - 3
    assert set(recombine(series, "[*:1]c1cc([*:2])ncn1", limit=100)) == set(everything)
    assert recombine(series, "[*:1]c1cc([*:2])ncn1", limit=0) == []


def test_stereo_centres_survive() -> None:
    made = recombine(["C[C@H](O)c1ccc(F)cc1", "CCc1ccc(Cl)cc1"], "[*:1]c1ccc([*:2])cc1")
    assert "C[C@H](O)c1ccc(Cl)cc1" in made


def test_a_core_is_found(chembl_table: pd.DataFrame) -> None:
    smiles = list(chembl_table.smiles[:60])
    assert Chem.MolToSmiles(shared_scaffold([Chem.MolFromSmiles(s) for s in METHYL_ETHYL])) == "c1ccccc1"
    assert len(recombine(smiles, limit=20)) == 20
    with pytest.raises(DataError, match="name the core"):
        recombine(["CCO", "CCN"])


def test_too_much_or_too_little_is_refused(chembl_table: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="cannot read the core"):
        recombine(METHYL_ETHYL, "C1CC")
    with pytest.raises(DataError, match="in none of 2 molecules"):
        recombine(METHYL_ETHYL, "c1ccncc1")
    with pytest.raises(DataError, match="none of 1 text is a molecule"):
        recombine(["nonsense"], "c1ccccc1")
    with pytest.raises(ConfigError, match="set a limit"):
        recombine(list(chembl_table.smiles[:60]), "c1ccc(Oc2ccccc2)cc1")
