"""What a chemist reads beside a number."""

from __future__ import annotations

import pytest

from molgraph.report.meaning import logarithm, meaning, natural


@pytest.mark.parametrize(
    ("value", "name", "units", "says"),
    [
        (9.0, "pKd", "-log10(M)", "1.0 nM"),
        (7.2, "pIC50", "-log10(M)", "63 nM"),
        (6.0, "pIC50", "", "1.0 µM"),
        (6.09, "pKi", "", "810 nM"),
        (3.0, "pEC50", "-log10(mol/L)", "1.0 mmol/L"),
        (-3.2, "Solubility_log_mol_L", "log10 of the solubility in water, in mol/L", "630 µmol/L"),
        (-5.0, "Caco2", "log10(cm/s)", "1.0e-05 cm/s"),
        (1.5, "Half_life_log_h", "log10 of the half-life in humans after intravenous dosing, in hours", "32 hours"),
        (2.0, "LogD_7_4", "log10 of the octanol/water distribution at pH 7.4", ""),
        (7.4, "pKa", "", ""),
        (7.4, "pAct", "", ""),
        (300.0, "IC50", "nM", ""),
        (None, "pIC50", "", ""),
        (float("nan"), "pIC50", "", ""),
    ],
)
def test_a_logarithm_is_written_as_what_was_measured(value: float | None, name: str, units: str, says: str) -> None:
    assert natural(value, name, units) == says


def test_a_bound_of_a_negative_logarithm_is_the_other_one() -> None:
    assert natural(5.0, "pIC50", "", "<") == ">10 µM" and natural(9.0, "pKd", "", ">") == "<1.0 nM"
    assert natural(-3.0, "logS", "log10(mol/L)", "<") == "<1.0 mmol/L"


def test_higher_is_said_in_plain_words() -> None:
    assert meaning("pIC50", "-log10(M)") == "one unit higher is ten times as potent: 7 is 100 nM, 8 is 10 nM"
    assert "ten times as much: 0 is 1.0 mol/L, 1 is 10 mol/L" in meaning("logS", "log10(mol/L)")
    assert meaning("active", "", chance=True) == "from 0 to 1, higher is likelier"
    assert meaning("y", "") == "higher is more, in the units of the training data"
    assert logarithm("catalog", "") is None
