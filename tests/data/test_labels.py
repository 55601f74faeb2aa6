"""Two labels are two classes, whatever they are called; three are refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from molgraph.data.labels import positive_of, two_classes
from molgraph.errors import DataError
from molgraph.kinds.read import ParsedTargets, parse_targets


def binary(cells: list[str], **options: object) -> ParsedTargets:
    return parse_targets(pd.DataFrame({"y": cells}, dtype=object), ["y"], kinds={"y": "binary"}, **options)


@pytest.mark.parametrize(
    ("cells", "negative", "positive"),
    [
        (["-1", "1", "-1"], "-1", "1"),
        (["2", "1", "2.0"], "1", "2"),
        (["3", "10", ""], "3", "10"),
        (["toxic", "non-toxic"], "non-toxic", "toxic"),
        (["Nontoxic", "Toxic"], "Nontoxic", "Toxic"),
        (["permeable", "impermeable"], "impermeable", "permeable"),
        (["high", "low", "n.d."], "low", "high"),
        (["binder", "decoy"], "decoy", "binder"),
        (["benign", "tumour"], "benign", "tumour"),
    ],
)
def test_two_labels_are_two_classes(cells: list[str], negative: str, positive: str) -> None:
    parsed = binary(cells)
    assert parsed.classes["y"] == (negative, positive) and not parsed.rejects
    expected = [float("nan") if c in ("", "n.d.") else float(c.removesuffix(".0") == positive) for c in cells]
    np.testing.assert_array_equal(parsed.values[:, 0], expected)
    assert f"y: '{positive}' is the positive class, '{negative}' the negative" in parsed.notes[0]


def test_yes_and_no_in_any_words_need_no_word_and_are_remembered() -> None:
    for cells in (["active", "inactive"], ["Y", "N"], ["TRUE", "False"], ["+", "-"], ["yes", "0"]):
        parsed = binary(cells)
        assert (parsed.values[:, 0].tolist(), parsed.classes, parsed.notes) == (
            [1.0, 0.0],
            {"y": tuple(cells[::-1])},
            (),
        )
    assert binary(["1", "0.0"]).classes == {"y": ()}


def test_of_several_spellings_the_commonest_is_how_the_data_calls_a_class() -> None:
    parsed = binary(["Active", "yes", "Active", "ACTIVE", "0", "Inactive", "Inactive"])
    assert parsed.classes == {"y": ("Inactive", "Active")} and not parsed.rejects
    assert parsed.values[:, 0].tolist() == [1, 1, 1, 1, 0, 0, 0]


def test_a_model_of_yes_and_no_reads_other_words_for_them() -> None:
    for cells in (["1", "0"], ["ACTIVE", "no"], ["toxic", "nontoxic"]):
        frame, known = pd.DataFrame({"y": cells}), {"y": ("Inactive", "Active")}
        parsed = parse_targets(frame, ["y"], kinds={"y": "binary"}, classes=known)
        assert parsed.values[:, 0].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        (["0", "1", "2"] * 3, "found 3: 0, 1, 2"),
        (["1"] * 50 + ["0"] * 50 + ["2"], "found 3: 0, 1, 2"),
        (["-1", "0", "1"], "found 3: -1, 0, 1"),
        (["low", "medium", "high"] * 4, "found 3: high, low, medium"),
        (["active", "inactive", "activator"] * 4, "found 3: activator, active, inactive"),
    ],
)
def test_three_classes_are_refused_by_name(cells: list[str], named: str) -> None:
    with pytest.raises(DataError, match=f"y: a binary target has two classes, {named}; use --task multiclass"):
        binary(cells)


def test_a_word_that_stands_once_is_a_reject_and_undecided_is_not_measured() -> None:
    parsed = binary([*["active", "inactive"] * 5, "acitve", "inconclusive", "Inconclusive"])
    assert list(parsed.rejects) == [(10, 0)] and "neither yes nor no" in parsed.rejects[10, 0].message
    assert np.isnan(parsed.values[10:, 0]).all()
    assert parsed.notes == (
        "y: 2 cells ('inconclusive', 'Inconclusive') taken as not measured; call it otherwise where it is a class.",
    )


def test_positive_is_chosen_by_hand() -> None:
    assert binary(["A", "B"], positive={"y": "A"}).values[:, 0].tolist() == [1, 0]
    assert binary(["1", "0"], positive={"y": "0"}).values[:, 0].tolist() == [0, 1]
    assert binary(["agonist", "antagonist"], positive={"y": "Antagonist"}).classes["y"] == ("agonist", "antagonist")
    with pytest.raises(DataError, match="no row is 'C'"):
        two_classes("y", ["A", "B"], "C")
    with pytest.raises(DataError, match=r"classes are A and B, and neither says .* --positive A or --positive B"):
        binary(["A", "B"])


def test_one_label_alone_is_no_class() -> None:
    with pytest.raises(DataError, match="every measured row is '2'; there is nothing to tell apart"):
        binary(["2", "2.0", ""])


def test_a_model_reads_the_labels_that_it_learnt() -> None:
    parsed = binary(["2", "1", "0"], classes={"y": ("1", "2")})
    assert parsed.values[:2, 0].tolist() == [1, 0] and not parsed.notes
    assert "neither '1' nor '2'" in parsed.rejects[2, 0].message
    assert positive_of(["inactive", "active"]) == "active"
