"""Pictures of numbers: places, ticks, and data that leave nothing to draw."""

import re

import pytest

from molgraph.report.contents import Distribution, Estimate, Parity, Quality
from molgraph.report.plots import POINTS, Decades, Scale, by_similarity, calibration, histogram, parity, short, whiskers
from molgraph.screen import Histogram

NAN = float("nan")


def test_scale_maps_ends_to_ends_and_keeps_inside() -> None:
    scale = Scale(6.0, 8.0, 100.0, 0.0)
    assert [scale(v) for v in (6.0, 7.0, 8.0, 99.0)] == [100.0, 50.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "low, high, labels",
    [
        (5.9, 8.1, ["6.0", "6.5", "7.0", "7.5", "8.0"]),
        (0.0, 4200.0, ["0", "1,000", "2,000", "3,000", "4,000"]),
        (-0.02, 0.02, ["-0.02", "-0.01", "0.00", "0.01", "0.02"]),
        (3.0, 3.0, ["3.00"]),
    ],
)
def test_ticks_are_round(low: float, high: float, labels: list[str]) -> None:
    assert [label for _, label in Scale(low, high, 0, 1).ticks(5)] == labels


def test_bars_are_as_high_as_their_counts() -> None:
    text = histogram(Distribution("pAct", Histogram([0.0, 1.0, 2.0], [10, 0], [10, 5])), "scans")
    assert text.count('class="inside"') == 1 and text.count('class="outside"') == 2
    assert "0.00 to 1.00: 10" in text and "cutoff" not in text


def test_nothing_scored_is_an_empty_histogram() -> None:
    assert "<rect" not in histogram(Distribution("pAct", Histogram([0.0, 1.0])), "scans")


def test_scores_without_a_value_are_not_drawn() -> None:
    both = (Estimate(0.5, 0.4, 0.6), Estimate(None, reason="one class only"))
    assert whiskers(("a", "b"), both, "AUROC").count("<circle") == 1
    assert whiskers(("a",), (Estimate(None),), "AUROC") == ""
    assert "<circle" in whiskers(("a",), (Estimate(0.0),), "R2")
    named = whiskers(("molecule/feedforward (this model)", "molecule/forest, tuned (trial 12 of 40)"), both, "R2")
    assert "molecule/feedforward (this model)" in named and "molecule/forest, tuned (trial 12 of 40)" in named
    long = whiskers(("imaging/densenet121 beside molecule/attentivefp (this model)",), (Estimate(0.5),), "R2")
    assert "…" in long and "(this model)" in long


def test_decades_are_evenly_apart() -> None:
    scale = Decades(0.005, 5000.0, 0.0, 600.0)
    assert [scale(v) for v in (0.005, 0.5, 5000.0)] == [0.0, 200.0, 600.0]
    assert scale(0.0) == 0.0, "below the lowest there is no place"
    assert scale.ticks(9) == [(0.01, "0.01"), (0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100"), (1000.0, "1,000")]
    assert [label for _, label in Decades(1e-12, 1.0, 0, 1).ticks(4)] == ["1e-12", "1e-08", "0.0001", "1"]


def test_a_target_learnt_on_its_logarithm_is_drawn_on_decades() -> None:
    values = (0.01, 1.0, 100.0, 0.0)  # nothing is no power of ten
    shown = Parity("CL", values, values, (NAN,) * 4, (NAN,) * 4, (NAN,) * 4, (True,) * 4, "mL/min", decades=True)
    found = [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', parity(shown))]
    assert len(found) == 3 and found[1] - found[0] == pytest.approx(found[2] - found[1], abs=0.2)


def test_parity_shows_measured_rows_only_and_not_too_many() -> None:
    measured = (*(float(k) for k in range(3 * POINTS)), NAN)
    count = len(measured)
    shown = Parity("y", measured, measured, (NAN,) * count, (NAN,) * count, (0.5,) * count, (True,) * count)
    assert parity(shown).count("<circle") == POINTS
    assert parity(Parity("y", (NAN,), (1.0,), (NAN,), (NAN,), (NAN,), (True,))) == ""


def test_errors_are_told_by_similarity() -> None:
    shown = Parity(
        "y", (1.0, 2.0, 3.0, NAN), (1.5, 2.5, 3.0, 4.0), (1.0, 2.1, NAN, 3.0), (2.0, 3.0, NAN, 5.0),
        (0.3, 0.35, 1.0, 0.3), (True,) * 4,
    )  # fmt: skip
    assert by_similarity(shown) == [("0.3 to 0.4", 2, 0.5, 0.5), ("0.9 to 1.0", 1, 0.0, None)]


def test_numbers_keep_three_digits() -> None:
    assert [short(v) for v in (0.5, 12.0, 120.0, -0.0123)] == ["0.500", "12.0", "120", "-0.0123"]


def test_calibration_lies_on_the_diagonal_where_all_came_true_as_said() -> None:
    curve = ((0.1, 0.1, 20), (0.5, 0.5, 30), (0.9, 0.9, 50))
    drawn = calibration(Quality("active", 100, (), {}, "", curve=curve, classes=True))
    places = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    assert len(places) == 3 and "share of hits" in drawn and "0.90 said, 0.90 came true, 50 rows" in drawn
    x, y = Scale(0, 1, 56, 308), Scale(0, 1, 272, 30)
    assert [(float(a), float(b)) for a, b in places] == [(x(v), y(v)) for v in (0.1, 0.5, 0.9)]
    assert "share inside" in calibration(Quality("pAct", 100, (), {}, "", curve=curve))
