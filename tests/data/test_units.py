"""Targets out of text: what was measured, how exactly, in which unit; never a guess."""

from __future__ import annotations

import math
import re
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from molgraph.data.numbers import reader
from molgraph.data.table import read_tables
from molgraph.data.targets import ABOVE, BELOW, EXACT, Targets
from molgraph.data.units import CONCENTRATIONS, target_name, told_elsewhere
from molgraph.errors import ConfigError, DataError
from molgraph.kinds.read import ParsedTargets, parse_targets


def one(cells: list[str], *, unit: str = "", kind: str = "regression", **options: object) -> ParsedTargets:
    frame = pd.DataFrame({"y": cells}, dtype=object)
    return parse_targets(frame, ["y"], units={"y": unit} if unit else {}, kinds={"y": kind}, **options)


@pytest.mark.parametrize(
    "cell", ["", " ", "NA", "n/a", "nan", "NaN", "None", "-", ".", "?", "n.d.", "#N/A", "<NA>", "not tested"]
)
def test_blanks_are_not_measured(cell: str) -> None:
    parsed = one(["1", cell])
    assert parsed.values[:, 0].tolist()[0] == 1 and math.isnan(parsed.values[1, 0])
    assert not parsed.rejects
    assert Targets.of(parsed.names, torch.from_numpy(parsed.values)).observed[:, 0].tolist() == [True, False]


@pytest.mark.parametrize(
    ("cell", "value", "bound"),
    [
        ("5.3", 5.3, EXACT),
        (" -3.2 ", -3.2, EXACT),
        ("\N{MINUS SIGN}3.2", -3.2, EXACT),
        ("+1e-3", 1e-3, EXACT),
        (".5", 0.5, EXACT),
        ("=7", 7, EXACT),
        ("~7", 7, EXACT),
        (">10", 10, ABOVE),
        (">= 10", 10, ABOVE),
        ("≥10", 10, ABOVE),
        ("< 5", 5, BELOW),
        ("<=5", 5, BELOW),
        ("≤5", 5, BELOW),
        ("<<5", 5, BELOW),
    ],
)
def test_numbers_and_bounds(cell: str, value: float, bound: int) -> None:
    parsed = one([cell])
    assert (parsed.values[0, 0], parsed.bound[0, 0]) == (value, bound)


@pytest.mark.parametrize(
    "cell", ["inf", "-inf", "1e999", "1e39", "10-20", "abc", "1 2", "5 %", "0x10", "1_000", "><5", "=1+1"]
)
def test_what_is_no_number_is_rejected_with_its_row(cell: str) -> None:
    parsed = one(["1", cell, "2"])
    assert np.isnan(parsed.values[1, 0]) and parsed.values[2, 0] == 2
    reject = parsed.rejects[1, 0]
    assert (reject.row, reject.text, reject.reason) == (2, cell, "invalid_target")
    assert reject.message.startswith(f"y: '{cell}' ")


def test_decimal_commas_are_read_where_they_cannot_be_thousands() -> None:
    assert one(["5,3", "1,234", "7", "<0,5", ""]).values[:4, 0].tolist() == [5.3, 1.234, 7, 0.5]


@pytest.mark.parametrize("cells", [["1,234", "5,678"], ["1,5", "1.5"], ["1,234,567", "0,5"]])
def test_commas_of_two_meanings_are_rejected(cells: list[str]) -> None:
    parsed = one(cells)
    assert {(i, 0) for i, cell in enumerate(cells) if "," in cell} == set(parsed.rejects)
    assert "thousands or decimals" in parsed.rejects[0, 0].message


@pytest.mark.parametrize(("unit", "power"), CONCENTRATIONS.items())
def test_concentrations_become_negative_logarithms(unit: str, power: int) -> None:
    parsed = one(["1", ">1", "<1"], unit=unit)
    assert parsed.names == ("py",)
    assert parsed.values[:, 0].tolist() == [-power] * 3
    assert parsed.bound[:, 0].tolist() == [EXACT, BELOW, ABOVE]


def test_davis_in_nanomolar() -> None:
    """Kd 10,000 nM is pKd 5, the floor of that set (Davis 2011)."""
    frame = pd.DataFrame({"Kd_nM": ["10000", "0.016"]})
    parsed = parse_targets(frame, ["Kd_nM"], units={"Kd_nM": "nM"})
    assert parsed.names == ("pKd",)
    assert parsed.values[:, 0] == pytest.approx([5.0, 10.79588])


@pytest.mark.parametrize("micro", ["uM", "\N{MICRO SIGN}M", "\N{GREEK SMALL LETTER MU}M"])
def test_a_cell_with_its_own_unit_is_read_in_it_where_one_is_declared(micro: str) -> None:
    assert one([f"3 {micro}", "3000", "3000nM"], unit="nM").values[:, 0] == pytest.approx([5.522879] * 3)
    assert one(["3"], unit=micro).values[0, 0] == pytest.approx(5.522879)


def test_undeclared_units_are_refused_with_both_and_their_rows() -> None:
    with pytest.raises(
        DataError, match=r"y: cells are in nM \(row 1: '12 nM'\) and uM \(row 3: '>3 µM'\).*--units y:nM"
    ):
        one(["12 nM", "5", ">3 µM"])


@pytest.mark.parametrize("cell", ["0", "-5", "<0"])
def test_no_concentration_has_no_logarithm(cell: str) -> None:
    assert "no concentration" in one([cell], unit="nM").rejects[0, 0].message


def test_unknown_units_and_targets() -> None:
    with pytest.raises(ConfigError, match=r"unknown unit 'nm' for 'y'; did you mean 'nM'.* as in 'y \(nm\)'"):
        one(["1"], unit="nm")
    with pytest.raises(ConfigError, match=r"'z', which is no target\. Known: y\."):
        parse_targets(pd.DataFrame({"y": ["1"]}), ["y"], units={"z": "nM"})
    with pytest.raises(DataError, match=r"no target column 'pic50'; did you mean 'pIC50'\? Known: pIC50, smiles"):
        parse_targets(pd.DataFrame({"smiles": ["C"], "pIC50": ["1"]}), ["pic50"])


@pytest.mark.parametrize(
    ("name", "made"), [("IC50", "pIC50"), ("Ki_nM", "pKi"), ("EC50 (µM)", "pEC50"), ("Ki [M]", "pKi"), ("nM", "pnM")]
)
def test_names_of_logarithms(name: str, made: str) -> None:
    assert target_name(name) == made


def test_binary_labels() -> None:
    yes, no = ["1", "1.0", "True", "yes", "ACTIVE", "+"], ["0", "0.00", "false", "No", "inactive", "-"]
    assert one(yes + no, kind="binary").values[:, 0].tolist() == [1.0] * 6 + [0.0] * 6
    parsed = one(["1", "-", "", "yess", "maybe"], kind="binary")
    assert np.isnan(parsed.values[1:, 0]).all()
    assert set(parsed.rejects) == {(3, 0), (4, 0)}
    assert "write 1 or 0" in parsed.rejects[3, 0].message


def test_classes_are_a_sorted_vocabulary() -> None:
    parsed = one(["low", "", "high", "mid", "low"], kind="multiclass")
    assert parsed.classes == {"y": ("high", "low", "mid")}
    assert parsed.values[[0, 2, 3, 4], 0].tolist() == [1, 0, 2, 1]
    assert one(["10", "9", "1"], kind="multiclass").classes["y"] == ("1", "9", "10")


@pytest.mark.parametrize("cells", [["none", "mild", "severe", "", "NA", "null"], ["tumour", "none", "", "nan"]])
def test_none_is_a_class_among_words_and_is_said(cells: list[str]) -> None:
    parsed = one(cells, kind="multiclass")
    words = sorted(cell for cell in cells if cell not in ("", "NA", "null", "nan"))
    assert parsed.classes["y"] == tuple(words) and not parsed.rejects
    assert [cell for cell, v in zip(cells, parsed.values[:, 0], strict=True) if not np.isnan(v)] == [
        cell for cell in cells if cell in words
    ]
    assert parsed.notes == ("y: 1 cell ('none') taken as a class; leave blank what was not measured.",)


def test_none_is_not_measured_among_numbers_and_yes_or_no() -> None:
    for kind, cells in (("multiclass", ["2", "1"]), ("ordinal", ["2", "1"]), ("binary", ["yes", "no"])):
        parsed = one([*cells, "None", "none", "nd"], kind=kind)
        assert np.isnan(parsed.values[2:, 0]).all() and not parsed.rejects
        assert parsed.notes == (
            "y: 3 cells ('None', 'none', 'nd') taken as not measured; call it otherwise where it is a class.",
        )
    assert one(["1", "none"]).notes == () and np.isnan(one(["1", "none"]).values[1, 0])


def test_none_is_a_class_where_the_model_knows_it() -> None:
    known = one(["none", "mild"], kind="multiclass", classes={"y": ("mild", "none")})
    assert known.values[:, 0].tolist() == [1, 0]
    unknown = one(["none", "mild"], kind="multiclass", classes={"y": ("mild", "severe")})
    assert np.isnan(unknown.values[0, 0]) and not unknown.rejects and "not measured" in unknown.notes[0]


def test_a_class_unknown_in_training_is_rejected() -> None:
    parsed = one(["low", "odd"], kind="multiclass", classes={"y": ("high", "low")})
    assert parsed.values[0, 0] == 1
    assert "none of the classes high, low" in parsed.rejects[1, 0].message


def test_several_targets_of_several_kinds() -> None:
    frame = pd.DataFrame({"a": ["1", "", "x"], "b": ["yes", "no", ""], "c": [">5", "6", ""]})
    parsed = parse_targets(frame, ["c", "a", "b"], kinds={"b": "binary"})
    assert parsed.names == ("c", "a", "b")
    np.testing.assert_array_equal(parsed.values, [[5, 1, 1], [6, np.nan, 0], [np.nan] * 3])
    assert parsed.bound[:, 0].tolist() == [ABOVE, EXACT, EXACT]
    assert list(parsed.rejects) == [(2, 1)]


def test_free_energies_become_pk_at_room_temperature() -> None:
    """RT ln 10 is 1.364 kcal/mol at 298.15 K, so a tenfold affinity costs that much."""
    parsed = parse_targets(
        pd.DataFrame({"dG": ["-12.277", ">-1.3642", "", "-5.708 kJ/mol", "1 nM"]}), ["dG"], units={"dG": "kcal/mol"}
    )
    assert parsed.names == ("pK_dG",)
    assert parsed.values[[0, 1, 3, 4], 0] == pytest.approx([9.0, 1.0, 1.0, 9.0], abs=1e-3)
    assert parsed.bound[:2, 0].tolist() == [EXACT, BELOW]
    assert one(["-51.37"], unit="kJ/mol").values[0, 0] == pytest.approx(9.0, abs=1e-3)


def test_free_energies_agree_with_the_pk_of_the_fep_benchmark(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "structures" / "fep_benchmark_index.csv.gz", dtype=str).fillna("")
    frame = frame[(frame["pK"] != "") & (frame["dG_is_relative"] == "False")]
    parsed = parse_targets(frame, ["exp_dG_kcal"], units={"exp_dG_kcal": "kcal/mol"})
    assert parsed.names == ("pK_exp_dG",) and len(frame) > 700 and not parsed.rejects
    np.testing.assert_allclose(parsed.values[:, 0], frame["pK"].astype(float), atol=2e-3)


def test_a_logarithm_stays_as_it_is() -> None:
    parsed = parse_targets(pd.DataFrame({"pKd": ["7.5", ">9"]}), ["pKd"], units={"pKd": "pK"})
    assert (parsed.names, parsed.values[:, 0].tolist(), parsed.bound[1, 0]) == (("pKd",), [7.5, 9.0], ABOVE)


@pytest.mark.parametrize("cells", [["9.1", "7.3"], ["0", "1.2", "x"], ["-0.4", "0.3", "1.1"]])
def test_free_energies_of_which_most_are_not_below_zero_are_refused(cells: list[str]) -> None:
    with pytest.raises(DataError, match="most free energies are not below 0"):
        one(cells, unit="kcal/mol")


@pytest.mark.parametrize("unit", ["kcal", "KJ", "mol", "log", "nm", "%", "kcal/mol/K"])
def test_ambiguous_units_are_refused(unit: str) -> None:
    with pytest.raises(ConfigError, match="unknown unit"):
        one(["-9"], unit=unit)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *(("Kd", "nM"), ("ic50", "nM"), ("Ki_uM", "uM"), ("EC50 (µM)", "uM"), ("EGFR_IC50_nM", "nM"), ("ki_nm", "nM")),
        *(("affinity_nM", "nM"), ("binding (uM)", "uM"), ("y [nM]", "nM"), ("affinity (M)", "M"), ("analog-pM", "pM")),
    ],
)
def test_a_concentration_without_a_unit_is_refused(name: str, unit: str) -> None:
    with pytest.raises(
        DataError, match=rf"no unit is declared; add --units {re.escape(quote(f'{name}:{unit}'))} .*{name[:2]}.*:pK"
    ):
        parse_targets(pd.DataFrame({name: ["10000", "3"]}), [name])


@pytest.mark.parametrize(
    "name",
    [
        *("pIC50", "pKd", "p_Ki", "log_IC50", "logKd", "Kinase", "Kd_rank", "IC50_active"),
        *("height_M", "wavelength_nm", "ATOM", "log_affinity_nM", "GM"),
    ],
)
def test_what_only_looks_like_a_concentration_is_a_number(name: str) -> None:
    assert parse_targets(pd.DataFrame({name: ["7", "5"]}), [name]).values[:, 0].tolist() == [7.0, 5.0]


def test_yes_and_no_may_be_called_as_a_concentration() -> None:
    parsed = parse_targets(pd.DataFrame({"IC50": ["1", "0"]}), ["IC50"], kinds={"IC50": "binary"})
    assert parsed.values[:, 0].tolist() == [1.0, 0.0]


def test_concentrations_in_another_unit_than_declared_are_refused() -> None:
    says = (
        r"half of the values or more are weaker than 1 M, so the unit is hardly M; .*in nM the middle one is a pK of 5"
    )
    with pytest.raises(DataError, match=says):
        one(["10000", ">10000", "10000", "3", "0.016"], unit="M")
    with pytest.raises(DataError, match=r"stronger than 1 fM, .* hardly nM; .*in M the middle one is a pK of 7"):
        one(["1e-7", "<1e-8", "3e-7"], unit="nM")
    assert one(["10000", ">10000", "0.016"], unit="nM").values[0, 0] == pytest.approx(5.0)
    assert one(["<1", "<1", "3 M"], unit="M").values[0, 0] == 0  # a bound may be of anything stronger
    assert one(["10000", "3"], unit="nM").values[0, 0] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("name", "unit", "named"),
    [("affinity_nM", "M", "nM"), ("Kd [uM]", "nM", "uM"), ("dG_kcal", "kJ/mol", "kcal/mol"), ("Ki (µM)", "mM", "uM")],
)
def test_a_unit_that_the_name_contradicts_is_refused(name: str, unit: str, named: str) -> None:
    says = re.escape(f"is called as in {named}, and declared in {unit}; add --units {quote(f'{name}:{named}')}")
    with pytest.raises(DataError, match=says):
        parse_targets(pd.DataFrame({name: ["-3", "-5"]}), [name], units={name: unit})


@pytest.mark.parametrize("name", ["pKd", "p_Ki", "pIC50_mean", "EGFR_pEC50", "log_Kd", "PKI", "pkd"])
def test_a_logarithm_is_not_taken_twice(name: str) -> None:
    with pytest.raises(DataError, match=rf"is called as a logarithm already, .*--units {name}:pK"):
        parse_targets(pd.DataFrame({name: ["5", "7.2", ""]}), [name], units={name: "nM"})


@pytest.mark.parametrize("name", ["PKI", "PKC_Kd", "analog_Kd", "map_Kd"])
def test_names_that_only_look_like_logarithms(name: str) -> None:
    found = parse_targets(pd.DataFrame({name: ["5", "10000"]}), [name], units={name: "nM"})
    assert found.values[:, 0].tolist() == pytest.approx([8.301, 5.0], abs=1e-3)


def test_an_undeclared_energy_is_refused() -> None:
    with pytest.raises(DataError, match=r"kcal/mol \(row 1: '-9 kcal/mol'\).*--units y:kcal/mol"):
        one(["-9 kcal/mol", "-8"])


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        ([12.5, 0.75, ">1,234"], None),  # numbers of the workbook: a German Excel shows them as 12,5 and 0,75
        ([12.5, 0.75, "<0,125", ">1,234"], 1.234),
        ([12.5, ">0.5", ">1,234"], 1234),  # a point that somebody wrote
        ([12.5, ">10,000"], 10_000),
    ],
    ids=str,
)
@pytest.mark.parametrize("how", ["workbook", "frame"])
def test_points_of_a_workbook_do_not_tell_what_a_comma_is(
    cells: list[float | str], value: float | None, how: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"y": pd.Series(cells, dtype=object)})
    source: Any = frame
    if how == "workbook":
        source = tmp_path / "t.xlsx"
        frame.to_excel(source, index=False)
    (table,) = read_tables(source)
    texts = [str(cell) for cell in table.frame["y"]]
    read = reader(texts, told_elsewhere(table.frame, "y", texts, table.delimiter))
    if value is None:
        with pytest.raises(ValueError, match="thousands or decimals"):
            read(texts[-1])
    else:
        assert read(texts[-1]).value == value
    assert read(texts[0]).value == 12.5
