from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from molgraph.errors import ConfigError
from molgraph.rooms.protein.properties import HYDROPATHY, MASS, PROPERTIES, properties
from molgraph.rooms.protein.residues import STANDARD


def of(key: str, name: str) -> float:
    return float(properties([key], [name])[name][0])


@pytest.mark.parametrize("sequence", [*STANDARD, STANDARD, "GIVEQCCTSICSLYQLENYCN"])
def test_weight_is_that_of_the_molecule(sequence: str) -> None:
    sulphur = sequence.count("C") + sequence.count("M")  # 32.067 in RDKit, 32.060 in the table
    expected = Descriptors.MolWt(Chem.MolFromSequence(sequence)) - 0.007 * sulphur
    assert of(sequence, "mw") == pytest.approx(expected, rel=1e-5)


def test_weight_of_rare_and_ambiguous_residues() -> None:
    selenocysteine = Descriptors.MolWt(Chem.MolFromSmiles("N[C@@H](C[SeH])C(=O)O"))
    pyrrolysine = Descriptors.MolWt(Chem.MolFromSmiles("C[C@@H]1CC=N[C@H]1C(=O)NCCCC[C@H](N)C(=O)O"))
    assert of("U", "mw") == pytest.approx(selenocysteine, abs=0.03)
    assert of("O", "mw") == pytest.approx(pyrrolysine, abs=0.03)
    assert of("B", "mw") == pytest.approx((of("D", "mw") + of("N", "mw")) / 2)


def test_tables_hold_every_residue() -> None:
    assert set(HYDROPATHY) == set(STANDARD)
    assert set(MASS) == set(STANDARD + "UO")


def test_known_values() -> None:
    """INGAR: 9.75 in Bio.SeqUtils; the neuraminidase of its ProtParam tests: 5.72 there, 5.71 at Expasy."""
    assert of("INGAR", "pi") == pytest.approx(9.75, abs=0.01)
    assert of("PETER", "pi") == pytest.approx(4.53, abs=0.01)
    assert of("AAAA", "gravy") == pytest.approx(1.8)
    assert of("MKTAY", "gravy") == pytest.approx((1.9 - 3.9 - 0.7 + 1.8 - 1.3) / 5)
    assert of("MKTAY", "aromaticity") == pytest.approx(0.2)
    assert of("KKKK", "charge") == pytest.approx(4, abs=0.6) and of("DDDD", "charge") == pytest.approx(-5, abs=0.6)


def test_an_unknown_residue_leaves_blank_what_depends_on_it() -> None:
    row = properties(["MKX"]).iloc[0]
    assert row["length"] == 3
    assert row[["mw", "pi", "charge"]].isna().all()
    assert row["gravy"] == pytest.approx((1.9 - 3.9) / 2)
    assert properties(["X"])["gravy"].isna().all()


def test_what_is_no_sequence_is_blank() -> None:
    frame = properties(["", "M1", "0.1 0.2", "mk"])
    assert frame.isna().all().all() and list(frame.columns) == list(PROPERTIES)
    assert [str(t) for t in frame.dtypes] == [p.dtype for p in PROPERTIES.values()]
    assert properties([]).shape == (0, len(PROPERTIES))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'gravy'"):
        properties(["MKT"], ["gravi"])
