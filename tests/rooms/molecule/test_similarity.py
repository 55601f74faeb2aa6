"""Tanimoto similarity, checked against RDKit's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem, DataStructs, rdBase
from rdkit.SimDivFilters.rdSimDivPickers import MaxMinPicker

from molgraph.data.packed import PART, Packed, pack
from molgraph.rooms.molecule.fingerprints import morgan_bits
from molgraph.rooms.molecule.similarity import QUERIES, ROWS, Bits, Nearest, diverse


def prints(smiles: list[str]) -> np.ndarray:
    with rdBase.BlockLogs():
        molecules = [m for m in map(Chem.MolFromSmiles, smiles) if m is not None]
    return morgan_bits(molecules)


def parts(packed: np.ndarray) -> Packed:
    return pack({"fingerprint": (PART, torch.from_numpy(packed))}, {}, {}, len(packed))


def vectors(packed: np.ndarray) -> list[DataStructs.ExplicitBitVect]:
    return [DataStructs.CreateFromBinaryText(row.tobytes()) for row in packed]


@pytest.fixture(scope="module")
def series(chembl_table: pd.DataFrame) -> np.ndarray:
    return prints(list(chembl_table.smiles))


@pytest.fixture(scope="module")
def library(nci: list[str]) -> np.ndarray:
    return prints(nci)


def test_nearest_is_what_rdkit_finds(series: np.ndarray, library: np.ndarray) -> None:
    position, similarity = Nearest(parts(library)).nearest(parts(series[:300]))
    assert len(library) > ROWS and QUERIES < 300  # several tiles each way
    known = vectors(library)
    for at, query in enumerate(vectors(series[:300])):
        truth = np.array(DataStructs.BulkTanimotoSimilarity(query, known))
        assert position[at] == truth.argmax()
        assert similarity[at] == np.float32(truth.max())


def test_nci_is_far_from_the_series(series: np.ndarray, library: np.ndarray) -> None:
    _, similarity = Nearest(parts(series)).nearest(parts(library))
    assert round(float(np.median(similarity)), 2) == 0.14


def test_alone_or_in_a_batch(series: np.ndarray, library: np.ndarray) -> None:
    index = Nearest(parts(series))
    together = index.nearest(parts(library[:700]))
    for at in (0, 1, QUERIES - 1, QUERIES, 699):
        alone = index.nearest(parts(library[at : at + 1]))
        assert alone[0][0] == together[0][at] and alone[1][0] == together[1][at]


def test_equals_are_settled_by_the_first(library: np.ndarray) -> None:
    twice = np.concatenate([library[:ROWS], library[:ROWS]])
    position, similarity = Nearest(parts(twice)).nearest(parts(library[:400]))
    assert (position < ROWS).all() and (similarity == 1).all()


def test_leave_one_out_ignores_only_the_part_itself(library: np.ndarray) -> None:
    known = np.concatenate([library[: ROWS + 5], library[:1]])
    found = Nearest(parts(known)).leave_one_out()
    truth = np.array([DataStructs.BulkTanimotoSimilarity(v, vectors(known)) for v in vectors(known[:40])])
    truth[np.arange(40), np.arange(40)] = 0
    np.testing.assert_array_equal(found[:40], truth.max(1).astype(np.float32))
    assert found[0] == found[-1] == 1  # the copy at the end is another part


def test_nothing_to_compare(library: np.ndarray) -> None:
    none = parts(np.zeros((0, 256), dtype=np.uint8))
    position, similarity = Nearest(none).nearest(parts(library[:3]))
    assert position.tolist() == [-1] * 3 and similarity.tolist() == [0] * 3
    assert [len(x) for x in Nearest(parts(library[:3])).nearest(none)] == [0, 0]
    assert Nearest(parts(library[:1])).leave_one_out().tolist() == [0]
    blank = np.zeros((1, 256), dtype=np.uint8)
    assert Bits(blank).similarity(blank[0]).tolist() == [0] == [DataStructs.TanimotoSimilarity(*vectors(blank) * 2)]


def test_many_bits_are_counted_without_overflow() -> None:
    full = np.full((1, 256), 255, dtype=np.uint8)
    half = np.concatenate([full[:, :128], np.zeros((1, 128), dtype=np.uint8)], axis=1)
    assert Bits(full).similarity(half[0]).tolist() == [0.5]


def test_diverse_is_maxmin(library: np.ndarray) -> None:
    pool = library[:1500]
    picked = diverse(parts(pool), 60)
    assert picked == list(MaxMinPicker().LazyBitVectorPick(vectors(pool), len(pool), 60, [0]))
    assert len(set(picked)) == 60


def test_diverse_at_its_ends(library: np.ndarray) -> None:
    assert diverse(parts(library[:5]), 9) == diverse(parts(library[:5]), 5)
    assert sorted(diverse(parts(library[:5]), 9)) == [0, 1, 2, 3, 4]
    assert diverse(parts(library[:5]), 0) == diverse(parts(library[:0]), 3) == []
    same = np.repeat(library[:1], 4, axis=0)
    assert diverse(parts(same), 3) == [0, 1, 2]


def test_the_nearest_of_each_group_is_that_of_the_group_alone(series: np.ndarray, library: np.ndarray) -> None:
    groups = np.zeros((4, len(library)), dtype=bool)
    groups[0], groups[1, ::3], groups[2, 1500:1510] = True, True, True  # all, some, few in one tile; the last has none
    position, similarity = Nearest(parts(library)).nearest_among(parts(series[:300]), groups)
    for at, group in enumerate(groups[:3]):
        alone, near = Nearest(parts(library[group])).nearest(parts(series[:300]))
        assert (position[at] == np.flatnonzero(group)[alone]).all() and (similarity[at] == near).all()
    assert (position[3] == -1).all() and (similarity[3] == 0).all()
