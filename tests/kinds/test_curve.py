"""Quantiles of several horizons: never crossing, learnt by the pinball loss, stretched to what calibration rows say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm

from molgraph.data.targets import Targets
from molgraph.kinds import KINDS, NAMED, Curve, Normal, Number, make, restore
from molgraph.kinds.curve import HIGH, LEVELS, LOW, MIDDLE
from molgraph.kinds.read import parse_targets
from molgraph.metrics.quantiles import pinball

NAN = float("nan")


def targets(*rows: list[float]) -> Targets:
    return Targets.of(("y1", "y2"), torch.tensor(rows, dtype=torch.float64))


TRAIN = targets([0.0, 10.0], [2.0, NAN], [4.0, 30.0])


def kind() -> Curve:
    made = make({"y1": "curve", "y2": "curve"})
    assert isinstance(made, Curve)
    return made.adapt(TRAIN)


def one(mean: float = 0.0, std: float = 1.0) -> Curve:
    return Curve(("y",), (mean,), (std,))


def normal(centre: float, width: float) -> np.ndarray:
    return centre + width * norm.ppf(LEVELS)


def test_each_horizon_has_all_quantiles_of_its_own_scale() -> None:
    made = kind()
    assert len(LEVELS) == 23 and made.outputs == 46 and made.widths == (23, 23)
    assert made.columns[0] == "y1 at 0.01" and made.columns[-1] == "y2 at 0.99"
    said = made.predict(torch.zeros(1, 46))[0].numpy().reshape(2, 23)
    spread = np.std([0.0, 2.0, 4.0])
    assert said[0] == pytest.approx(normal(2.0, spread), abs=1e-5)  # untrained it says a normal distribution
    assert said[1] == pytest.approx(normal(20.0, 10.0), abs=1e-4)


def test_quantiles_never_cross() -> None:
    raw = torch.randn(200, 46, generator=torch.Generator().manual_seed(0)) * 20
    assert (kind().predict(raw).reshape(200, 2, 23).diff(dim=2) >= 0).all()


def test_the_loss_is_twice_the_mean_pinball_loss_in_deviations() -> None:
    made, raw = kind(), torch.randn(3, 46, generator=torch.Generator().manual_seed(1))
    loss, weight = made.loss(raw, TRAIN)
    said = made.predict(raw).numpy().reshape(3, 2, 23)
    expected = 2 * pinball(np.array([0.0, 2.0, 4.0]), said[:, 0], LEVELS).mean(1) / made.std[0]
    assert loss[:, 0].numpy() == pytest.approx(expected, rel=1e-4)
    assert weight.tolist() == [[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]  # a horizon that a row lacks costs nothing


def test_training_finds_the_quantiles_of_a_sample() -> None:
    random = np.random.default_rng(0)
    sample = np.sort(random.exponential(size=4000))
    made = one(1.0, 1.0)
    raw = torch.zeros(1, 23, requires_grad=True)
    known = Targets.of(("y",), torch.from_numpy(sample[:, None]))
    step = torch.optim.Adam([raw], lr=0.05)
    for _ in range(300):
        step.zero_grad()
        made.loss(raw.expand(4000, 23), known)[0].mean().backward()
        step.step()
    wanted = np.quantile(sample, LEVELS)
    assert made.predict(raw.detach())[0].numpy() == pytest.approx(wanted, abs=0.15)


def test_what_a_person_reads_is_the_median_and_the_calibrated_interval() -> None:
    made = one()
    estimates = np.stack([normal(1.0, 1.0)] * 99)
    truth = Targets.of(("y",), torch.from_numpy(1.0 + 2 * norm.ppf(np.arange(1, 100) / 100))[:, None])  # twice as wide
    interval, chance = made.calibrated(estimates, estimates, truth)
    assert chance is None and interval.kind == "curve" and made.fits(interval)
    said = made.said(estimates[:1], estimates[:1], interval)
    assert list(said) == ["y", "y_std", "y_lo90", "y_hi90"]
    assert said["y"][0] == pytest.approx(1.0) and said["y_std"][0] == pytest.approx(1.0)
    assert said["y_hi90"][0] == pytest.approx(1.0 + 2 * norm.ppf(0.95), abs=0.1)
    assert said["y_lo90"][0] == pytest.approx(1.0 - 2 * norm.ppf(0.95), abs=0.1)
    assert made.covered(interval, estimates, truth.values[:, 0].numpy(), None).value == pytest.approx(0.9, abs=0.02)
    assert [column.what for column in made.described(said)] == ["value", "deviation", "low", "high"]


def test_ends_need_not_be_alike() -> None:
    made, estimates = one(), np.tile(np.linspace(0, 1, 23) ** 2, (20, 1))
    truth = Targets.of(("y",), torch.from_numpy(np.tile(estimates[:1, [LOW, HIGH]], (10, 1)).reshape(-1, 1)))
    interval, _ = made.calibrated(estimates, estimates, truth)
    said = made.said(estimates[:1], estimates[:1], interval)
    assert interval.limits == (pytest.approx(1.0),)
    assert (said["y_lo90"][0], said["y_hi90"][0]) == (
        pytest.approx(estimates[0, LOW]),
        pytest.approx(estimates[0, HIGH]),
    )


def test_too_few_rows_give_no_interval() -> None:
    made, estimates = one(), np.stack([normal(0, 1)] * 5)
    interval, _ = made.calibrated(estimates, estimates, Targets.of(("y",), torch.zeros(5, 1, dtype=torch.float64)))
    assert not interval.limits and np.isnan(made.said(estimates, estimates, interval)["y_lo90"]).all()


def test_reliability_is_of_the_quantiles() -> None:
    made, estimates = one(), np.stack([normal(0, 1)] * 199)
    truth = norm.ppf(np.arange(1, 200) / 200)
    known = Targets.of(("y",), torch.from_numpy(truth[:, None]))
    interval, _ = made.calibrated(estimates, estimates, known)
    assert made.reliability(interval, None, estimates, truth, estimates[:, 0]).ece == pytest.approx(0, abs=0.02)
    assert made.reliability(interval, None, estimates, 3 * truth, estimates[:, 0]).ece > 0.2  # type: ignore[operator]


def test_who_says_the_last_value_again_says_how_far_values_stray() -> None:
    made = one()
    strays = made.strays(np.array([1.0, 1.0]), np.array([2.0, 1.0]))
    assert strays == pytest.approx([-each for each in reversed(strays)]) and strays[MIDDLE] == 0
    assert made.from_last(np.array([5.0]), strays)[0] == pytest.approx(5 + np.quantile([1, 0, -1, 0], LEVELS))
    assert Number(("y",), (0.0,), (1.0,)).from_last(np.array([5.0]), []).tolist() == [[5.0]]
    assert made.guess(np.arange(101.0), np.zeros(101, np.int8)) == pytest.approx([100 * level for level in LEVELS])
    assert made.guess_in_words(normal(2.0, 1.0)) == "the quantiles of the training rows, median 2"


def test_trees_say_quantiles_in_order() -> None:
    made = one(10.0, 2.0)
    assert made.trees_loss.startswith("MultiQuantile:alpha=0.01,0.025,0.05,0.1,") and made.fits_trees(23, np.zeros(0))
    assert made.of_trees(np.array([[3.0, 1.0, 2.0]]), np.zeros(0, np.int64)).tolist() == [[1.0, 2.0, 3.0]]
    straight = made.of_trees(np.array([[5.0, np.log(2.0)]]), np.zeros(0, np.int64))  # of a linear model
    assert straight[0] == pytest.approx(normal(5.0, 2.0)) and made.fits_trees(2, np.zeros(0))
    unit, move = made.units_of_trees(3)
    assert unit.tolist() == [2.0, 2.0, 2.0] and move.tolist() == [10.0, 10.0, 10.0]
    unit, move = Normal(("y",), (10.0,), (2.0,)).units_of_trees(2)
    assert unit.tolist() == [2.0, 1.0] and move.tolist() == [10.0, pytest.approx(np.log(2.0))]


def test_it_is_kept_and_read_as_any_kind() -> None:
    assert restore(kind().state()) == kind() and NAMED["curve"] is Curve and "curve" in KINDS
    assert kind().of("y2").mean == (20.0,) and kind().block("y2") == slice(23, 46)
    frame = pd.DataFrame({"y1": ["1.5", ">3", "", "NA", "lots"]})
    parsed = parse_targets(frame, ["y1"], kinds={"y1": "curve"})
    assert np.nan_to_num(parsed.values[:, 0], nan=-1).tolist() == [1.5, -1, -1, -1, -1]
    assert {row for row, _ in parsed.rejects} == {1, 4}
    assert parsed.rejects[1, 0].message == "y1: '>3' is a bound, and a curve is learnt from values"
