from __future__ import annotations

import numpy as np
import pytest

from molgraph.rooms.protein.composition import COMPOSITION, CTD_GROUPS, TRIAD_CLASSES, composition
from molgraph.rooms.protein.residues import STANDARD, codes_of


def of(sequence: str) -> dict[str, float]:
    (row,) = composition([codes_of(sequence)])
    return dict(zip(COMPOSITION, row.tolist(), strict=True))


def test_names_are_as_many_as_columns_and_distinct() -> None:
    assert len(COMPOSITION) == len(set(COMPOSITION)) == 1 + 20 + 400 + 343 + 147
    for groups in (TRIAD_CLASSES, *CTD_GROUPS.values()):
        assert sorted("".join(groups)) == sorted(STANDARD)


def test_shares_of_residues_pairs_and_triads() -> None:
    found = of("AAKD")
    assert found["log_length"] == pytest.approx(np.log10(4))
    assert (found["A"], found["K"], found["D"]) == (0.5, 0.25, 0.25)
    assert (found["AA"], found["AK"], found["KD"], found["KA"]) == pytest.approx((1 / 3, 1 / 3, 1 / 3, 0))
    assert (found["triad_115"], found["triad_156"], found["triad_111"]) == (0.5, 0.5, 0)
    assert sum(found[name] for name in STANDARD) == pytest.approx(1)


def test_groups_transitions_and_places() -> None:
    """Charge of KAADEA: + 0 0 - - 0."""
    found = of("KAADEA")
    assert [found[f"charge_{group}"] for group in (1, 2, 3)] == pytest.approx([1 / 6, 3 / 6, 2 / 6])
    assert [found[f"charge_{pair}"] for pair in ("1_to_2", "1_to_3", "2_to_3")] == pytest.approx([0.2, 0, 0.4])
    assert [found[f"charge_2_at_{q}"] for q in ("0", "0.25", "0.5", "0.75", "1")] == pytest.approx(
        [2 / 6, 2 / 6, 3 / 6, 6 / 6, 6 / 6]
    )


def test_ambiguous_letters_count_for_nothing() -> None:
    found = of("AXXK")
    assert (found["A"], found["K"], found["AK"]) == (0.5, 0.5, 0)
    assert found["log_length"] == pytest.approx(np.log10(4))
    assert of("AU")["C"] == 0.5


def test_no_sequence_is_zeros() -> None:
    (row,) = composition([codes_of("")])
    assert not row.any() and row.dtype == np.float32
    assert composition([]).shape == (0, len(COMPOSITION))
    assert np.isfinite(composition([codes_of("X"), codes_of("A"), codes_of("AC")])).all()
