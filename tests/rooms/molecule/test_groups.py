"""Scaffolds and clusters of molecules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.ML.Cluster import Butina

from molgraph.rooms.molecule.fingerprints import morgan_bits
from molgraph.rooms.molecule.groups import butina, cluster, scaffold, scaffold_of


def test_one_scaffold_one_group() -> None:
    keys = ["Cc1ccccc1", "CCO", "Oc1ccccc1", "C1CCCCC1", "c1ccccc1CCc1ccccc1", "Clc1ccc(CCc2ccccc2)cc1"]
    assert scaffold(keys).tolist() == [0, 1, 0, 2, 3, 3]


def test_acyclic_molecules_are_groups_of_their_own() -> None:
    acyclic = ["CCO", "CCN", "CCCCCC", "[Na+].[Cl-]", "O"]
    assert len(set(scaffold(acyclic).tolist())) == len(acyclic)


def test_enantiomers_and_isotopes_share_a_group() -> None:
    keys = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "[13CH3]C(N)C(=O)O", "C[C@H]1CCCNC1", "C[C@@H]1CCCNC1"]
    assert scaffold(keys).tolist() == [0, 0, 0, 1, 1]


def test_exocyclic_double_bonds_belong_to_the_scaffold() -> None:
    assert scaffold_of("CN1CCCC1=O") == "O=C1CCCN1" != scaffold_of("CN1CCCC1")


def test_unreadable_texts_stay_apart() -> None:
    assert scaffold(["nonsense", "C1CC", "CC"]).tolist() == [0, 1, 2]
    assert cluster(["nonsense", "CCO", "C1CC", "CCO"]).tolist() == [0, 1, 2, 1]
    assert len(scaffold([])) == len(cluster([])) == 0


def test_groups_do_not_depend_on_the_order(chembl: pd.DataFrame) -> None:
    keys = [Chem.CanonSmiles(s) for s in chembl.smiles]
    order = np.random.default_rng(0).permutation(len(keys))
    groups, shuffled = scaffold(keys), scaffold([keys[i] for i in order])
    pairs = {(a, b) for a, b in zip(groups[order].tolist(), shuffled.tolist(), strict=True)}
    assert len(pairs) == groups.max() + 1 == shuffled.max() + 1
    assert 200 < len(pairs) < 1017  # a series shares many scaffolds, and no single one


@pytest.mark.parametrize("cutoff", [0.2, 0.4, 0.65])
def test_butina_is_rdkits(nci: list[str], cutoff: float) -> None:
    """RDKit settles equal counts by the last molecule and we by the first: it gets the list the other way round."""
    molecules = [m for m in map(Chem.MolFromSmiles, nci[:1300]) if m is not None]
    packed = morgan_bits(molecules)
    vectors = [DataStructs.CreateFromBinaryText(row.tobytes()) for row in packed[::-1]]
    last = len(vectors) - 1
    rows = (DataStructs.BulkTanimotoSimilarity(vectors[i], vectors[:i]) for i in range(1, last + 1))
    distances = [1 - similarity for row in rows for similarity in row]
    expected = np.empty(len(vectors), dtype=np.int64)
    for members in Butina.ClusterData(distances, len(vectors), cutoff, isDistData=True):
        expected[[last - m for m in members]] = last - members[0]
    np.testing.assert_array_equal(butina(packed, cutoff), expected)


def test_cluster_members_are_near_their_centre(chembl: pd.DataFrame) -> None:
    groups = cluster(list(chembl.smiles))
    assert groups[0] == 0 and len(np.unique(groups)) == groups.max() + 1
    tight, loose = cluster(list(chembl.smiles), cutoff=0.1), cluster(list(chembl.smiles), cutoff=0.8)
    assert tight.max() > groups.max() > loose.max()
