from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import rdFingerprintGenerator, rdReducedGraphs

from molgraph.rooms.molecule.descriptors import descriptors
from molgraph.rooms.molecule.fingerprints import avalon_counts, ecfp_counts, erg, morgan_bits


@pytest.fixture(scope="module")
def mols(nci: list[str]) -> list[Chem.Mol]:
    return [Chem.MolFromSmiles(text) for text in [*nci[::50], "[Fe]", "[H][H]", "C" * 300]]


def test_bits_are_those_of_rdkit(mols: list[Chem.Mol]) -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    expected = np.stack([generator.GetFingerprintAsNumPy(mol) for mol in mols])
    made = morgan_bits(mols)
    assert made.shape == (len(mols), 256)
    np.testing.assert_array_equal(np.unpackbits(made, axis=1, bitorder="little"), expected)


def test_tanimoto_of_packed_bits(mols: list[Chem.Mol]) -> None:
    one, two = np.unpackbits(morgan_bits(mols[:2]), axis=1).astype(int)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    expected = DataStructs.TanimotoSimilarity(*(generator.GetFingerprint(mol) for mol in mols[:2]))
    assert (one & two).sum() / (one | two).sum() == pytest.approx(expected)


def test_counts_are_those_of_rdkit_up_to_255(mols: list[Chem.Mol]) -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    for made, count in (
        (ecfp_counts(mols), generator.GetCountFingerprint),
        (avalon_counts(mols), lambda mol: pyAvalonTools.GetAvalonCountFP(mol, 1024)),
    ):
        assert made.dtype == np.uint8
        for row, mol in zip(made, mols, strict=True):
            expected = {bit: min(number, 255) for bit, number in count(mol).GetNonzeroElements().items()}
            assert {int(bit): int(row[bit]) for bit in np.flatnonzero(row)} == expected
    assert ecfp_counts(mols).max() == 255  # the chain of 300 carbons


def test_erg_is_that_of_rdkit(mols: list[Chem.Mol]) -> None:
    made = erg(mols)
    assert made.shape == (len(mols), 315)
    for row, mol in zip(made, mols, strict=True):
        np.testing.assert_array_equal(row, rdReducedGraphs.GetErGFingerprint(mol).astype(np.float32))


def test_no_molecules() -> None:
    shapes = [f([]).shape for f in (morgan_bits, ecfp_counts, avalon_counts, erg)]
    assert shapes == [(0, 256), (0, 1024), (0, 1024), (0, 315)]


def test_reduced_graphs_do_not_depend_on_what_was_computed_before() -> None:
    texts = [
        *("ClC1=C(Cl)C(Cl)(C2(Cl)C(Cl)=C(Cl)C(Cl)=C2Cl)C(Cl)=C1Cl", "CCCCc1c(C)nc(N(C)C)nc1O"),
        *("OCC1OC(OCC2OC(OC3(CO)OC(CO)C(O)C3O)C(O)C(O)C2O)C(O)C(O)C1O", "COc1nc(NC(C)C)nc(NC(C)C)n1"),
    ]
    fresh = erg([Chem.MolFromSmiles(text) for text in texts])
    used = [Chem.MolFromSmiles(text) for text in texts]
    descriptors(used)
    np.testing.assert_array_equal(erg(used), fresh)
