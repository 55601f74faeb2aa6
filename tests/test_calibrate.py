"""Conformal intervals: the promised coverage on exchangeable rows, the reasons where there is none, JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from molgraph.calibrate import Chance, Interval, Platt, Sets, merge
from molgraph.calibrate.chance import ERRORS, PLATT_ROWS, POWER_ROWS, SLOPES
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.metrics.coverage import coverage


def numbers(n: int, random: np.random.Generator):
    """Return estimates and truths with skewed errors that grow with the estimate: nothing normal about them."""
    estimate = random.normal(6, 1, n)
    return estimate, estimate + (random.exponential(1, n) - 1) * np.abs(estimate)


def binary(n: int, random: np.random.Generator, positives: float = 0.2):
    """Return probabilities that are far from calibrated, and labels."""
    truth = (random.random(n) < positives).astype(float)
    return 1 / (1 + np.exp(-random.normal(2 * truth - 3, 1.5))), truth


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("n", [19, 50, 200])
def test_numbers_are_covered_as_promised(n: int, level: float) -> None:
    """Over 3,000 calibration sets, one new row each: coverage ceil((n + 1) level) / (n + 1), 4 standard errors."""
    random, tries, inside = np.random.default_rng(n), 3000, 0
    for _ in range(tries):
        estimate, truth = numbers(n + 1, random)
        low, high = Interval.fit("regression", estimate[:n], truth[:n], level=level).apply(estimate[n:])
        inside += bool(low[0] <= truth[n] <= high[0])
    promised = math.ceil(round((n + 1) * level, 6)) / (n + 1)
    assert promised >= level
    assert abs(inside / tries - promised) < 4 * math.sqrt(promised * (1 - promised) / tries)


@pytest.mark.parametrize("label", [0, 1])
def test_each_class_is_covered_as_promised(label: int) -> None:
    """Over 2,000 calibration sets of 60 to 70 rows, new rows of the rare class are covered like the others.

    At least 90 % less 4 standard errors; a set that holds no class is a miss.
    """
    random, tries, inside = np.random.default_rng(label), 2000, 0
    for _ in range(tries):
        estimate, truth = binary(66, random)
        new, labels = binary(40, random, positives=0.5)
        first = np.flatnonzero(labels == label)[0]
        inside += Sets.fit("binary", estimate, truth).sets(new)[first, label]
    assert inside / tries > 0.9 - 4 * math.sqrt(0.9 * 0.1 / tries)


def test_several_classes_are_covered_as_promised() -> None:
    random, tries, inside = np.random.default_rng(0), 1000, np.zeros(3)
    for _ in range(tries):
        truth = np.r_[random.integers(0, 3, 80), 0, 1, 2]
        given = np.exp(random.normal(0, 1, (83, 3)) + 1.5 * np.eye(3)[truth])
        given /= given.sum(1, keepdims=True)
        fitted = Sets.fit("multiclass", given[:80], truth[:80])
        inside += fitted.sets(given[80:])[range(3), range(3)]
    assert (inside / tries > 0.9 - 4 * math.sqrt(0.9 * 0.1 / tries)).all()


def test_the_half_width_is_the_residual_of_the_promised_rank() -> None:
    """Of 19 residuals 1..19, rank ceil(20 * 0.9) = 18."""
    residual = np.random.default_rng(0).permutation(np.arange(1.0, 20))
    fitted = Interval.fit("regression", np.zeros(19), residual * np.resize([1, -1], 19))
    assert fitted.limits == (18.0,) and fitted.n == 19
    low, high = fitted.apply([1.0, 2.0])
    assert low.tolist() == [-17, -16] and high.tolist() == [19, 20]


@pytest.mark.parametrize(("level", "least"), [(0.8, 4), (0.9, 9), (0.95, 19)])
def test_too_few_rows_have_a_reason_and_no_interval(level: float, least: int) -> None:
    truth = np.arange(float(least))
    assert Interval.fit("regression", np.zeros(least), truth, level=level).limits == (least - 1.0,)
    short = Interval.fit("regression", np.zeros(least - 1), truth[1:], level=level)
    assert short.limits == ()
    assert short.reason == (f"{least - 1} calibration rows, and a {100 * level:g} % interval needs at least {least}")
    low, high = short.apply([1.0, 2.0])
    assert np.isnan(low).all() and np.isnan(high).all()


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_no_rows_at_all(kind: str) -> None:
    estimate = np.zeros((0, 3)) if kind == "multiclass" else np.zeros(0)
    fitted = (Interval if kind == "regression" else Sets).fit(kind, estimate, np.zeros(0))
    assert fitted.n == 0 and fitted.limits == () and fitted.reason.startswith("0 calibration rows")


def test_only_exact_observed_rows_calibrate() -> None:
    estimate, truth = np.zeros(14), np.arange(14.0)
    bound, observed = np.zeros(14, int), np.ones(14, bool)
    bound[12:], observed[11] = [-1, 1], False
    truth[10] = np.nan
    fitted = Interval.fit("regression", estimate, truth, bound=bound, observed=observed)
    assert fitted.n == 10 and fitted.limits == (9.0,)


def test_sets_of_two_classes() -> None:
    """0 is possible up to .3, 1 from .4 on; between them the row is unlike either. The ends are for numbers alone."""
    fitted = Sets("binary", 0.9, 100, (0.3, 0.6))
    assert fitted.sets([0.1, 0.31, 0.39, 0.45, 0.9]).tolist() == [
        [True, False], [False, False], [False, False], [True, True], [False, True],
    ]  # fmt: skip
    wide = Sets("binary", 0.9, 100, (0.7, 0.9))
    assert wide.sets([0.05, 0.5, 0.75]).tolist() == [[True, False], [True, True], [False, True]]
    low, high = wide.apply([0.05, 0.5, 0.75])
    assert np.isnan(low).all() and np.isnan(high).all()


@pytest.mark.parametrize("limits", [(0.9986, 0.114), (0.99, 0.02), (0.05, 0.97), (None, 0.3), (0.2, None), (0.6, 0.7)])
def test_no_set_contradicts_the_probability(limits: tuple[float | None, ...]) -> None:
    """A row of p = 0.77 may be unlike the calibration rows of 1. That is no reason to call it a 0."""
    p = np.linspace(0, 1, 401)
    found = Sets("binary", 0.9, 76, limits).sets(p)
    only_no, only_yes = found[:, 0] & ~found[:, 1], found[:, 1] & ~found[:, 0]
    assert not only_no[p > 0.5].any() and not only_yes[p < 0.5].any()
    raw = np.stack([p, 1 - p], axis=1) <= [np.inf if limit is None else limit for limit in limits]
    assert (found | ~raw).all()  # sets only grow, so the promise holds
    assert (found == raw)[~raw.any(axis=1)].all()  # and an empty one stays empty


def test_the_likeliest_of_several_classes_is_in_every_set_that_holds_one() -> None:
    random = np.random.default_rng(0)
    given = random.dirichlet([0.7] * 4, 500)
    found = Sets("multiclass", 0.9, 50, (0.9, 0.1, 0.5, 0.05)).sets(given)
    some = found.any(axis=1)
    assert some.any() and not some.all() and found[some, given.argmax(axis=1)[some]].all()


def sharp_and_blurred(positives: int, blur: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(positives)
    truth = np.r_[np.ones(positives), np.zeros(n - positives)]
    return 1 / (1 + np.exp(-random.normal(3 * truth - 1.5, blur))), truth


def test_a_lower_level_is_shown_where_sets_of_90_percent_decide_too_little() -> None:
    sharp = Sets.fit("binary", *sharp_and_blurred(200, 0.8))
    assert sharp.lower is None and sharp.counts == (200, 200)
    estimate, truth = sharp_and_blurred(200, 2.6)
    blurred = Sets.fit("binary", estimate, truth)
    wide, narrow = (made.sets(estimate).sum(axis=1) == 1 for made in (blurred, blurred.lower))
    assert wide.mean() < 0.5 <= narrow.mean()
    assert blurred.lower == Sets.fit("binary", estimate, truth, level=0.8) and blurred.lower.lower is None
    few = Sets.fit("binary", *sharp_and_blurred(5, 1.0, 12))  # five and seven rows: none at 90 %, sets at 80 %
    assert few.limits == () and few.lower.level == 0.8 and few.lower.counts == (7, 5)
    assert Sets.from_json(json.loads(json.dumps(few.to_json(), allow_nan=False))) == few
    assert Interval.fit("regression", np.zeros(40), np.arange(40.0)).lower is None


def test_of_a_model_that_knows_nothing_no_level_decides_half() -> None:
    """At 80 % a coin decides 40 % of the rows; at 70 % it would be 60 %, which is why there is no such level."""
    random = np.random.default_rng(0)
    fitted = Sets.fit("binary", random.random(4000), random.integers(0, 2, 4000))
    assert fitted.limits == (pytest.approx(0.9, abs=0.02),) * 2
    assert (fitted.lower.sets(random.random(4000)).sum(axis=1) == 1).mean() == pytest.approx(0.4, abs=0.03)


def test_the_lower_level_holds_on_new_rows() -> None:
    """1,000 sets of 30 calibration rows, weak model: of each class 80 % less 4 standard errors where 80 % is shown."""
    random, inside, asked = np.random.default_rng(0), np.zeros(2), np.zeros(2)
    for _ in range(1000):
        truth = (random.random(32) < 0.5).astype(int)
        truth[-2:] = [0, 1]
        estimate = 1 / (1 + np.exp(-random.normal(2 * truth - 1, 1.2)))
        lower = Sets.fit("binary", estimate[:30], truth[:30]).lower
        if lower is not None:
            inside += lower.sets(estimate[30:])[[0, 1], [0, 1]]
            asked += 1
    assert asked[0] > 200
    assert (inside / asked > 0.8 - 4 * np.sqrt(0.8 * 0.2 / asked)).all()


def test_a_rare_class_is_never_left_out() -> None:
    """Five positives cannot say what a 90 % of positives look like, so a positive stays possible everywhere."""
    random = np.random.default_rng(0)
    estimate, truth = binary(60, random, positives=0)
    truth[:5] = 1
    fitted = Sets.fit("binary", estimate, truth)
    assert fitted.limits[0] is not None and fitted.limits[1] is None
    assert fitted.sets(random.random(50))[:, 1].all()
    assert json.loads(json.dumps(fitted.to_json(), allow_nan=False))["limits"][1] is None
    few = Sets.fit("binary", estimate[:12], np.repeat([0, 1], 6))
    assert few.reason == "6 calibration rows of the commonest class, and a 90 % set needs at least 9"


def test_json_gives_back_the_same_interval() -> None:
    random = np.random.default_rng(0)
    for fitted in (
        Interval.fit("regression", *numbers(40, random)),
        Sets.fit("binary", *binary(200, random), level=0.8),
        Interval.fit("regression", [1.0], [1.0]),
    ):
        assert type(fitted).from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False))) == fitted
    for damaged in ({}, {"kind": "binary"}, {"kind": "binary", "level": "x", "n": 1, "limits": [], "reason": None}):
        with pytest.raises(CheckpointError, match="calibration in the model folder is damaged"):
            Interval.from_json(damaged)
    told = {"kind": "regression", "level": 0.9, "n": 9, "reason": None}
    for limits in ([None], [], [1.0, 2.0], ["x"], [float("nan")], [-1.0]):  # one of no width, and one without a reason
        with pytest.raises(CheckpointError, match="calibration in the model folder is damaged"):
            Interval.from_json({**told, "limits": limits})
    assert Interval.from_json({**told, "limits": [], "reason": "too few rows"}).limits == ()
    with pytest.raises(CheckpointError, match="calibration in the model folder is damaged"):
        Sets.from_json({**told, "limits": [0.5, 2.0**31]})


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError, match="level 90"):
        Interval.fit("regression", [1.0], [1.0], level=90)
    with pytest.raises(DataError, match="no finite estimate"):
        Interval.fit("regression", [1.0, np.nan], [1.0, 2.0])


def test_merged_half_widths_are_averaged() -> None:
    a, b = Interval("regression", 0.9, 40, (1.0,)), Interval("regression", 0.9, 30, (2.0,))
    assert merge([a, b]) == Interval("regression", 0.9, 30, (1.5,))
    assert merge([a]) == a
    classes = merge([Sets("binary", 0.9, 40, (0.2, None)), Sets("binary", 0.9, 40, (0.4, 0.5))])
    assert classes.limits == (pytest.approx(0.3), None)
    at80 = [Sets("binary", 0.8, 40, (limit, 0.5), counts=(30 - at, 10 + at)) for at, limit in enumerate((0.2, 0.4))]
    both = merge([Sets("binary", 0.9, 40, (0.6, 0.7), lower=each) for each in at80])
    assert both.lower == Sets("binary", 0.8, 40, (pytest.approx(0.3), 0.5), counts=(29, 10))
    assert (
        merge([Sets("binary", 0.9, 40, (0.6, 0.7), lower=at80[0]), Sets("binary", 0.9, 40, (0.6, 0.7))]).lower is None
    )
    lacking = merge([a, Interval("regression", 0.9, 3, (), "3 calibration rows")])
    assert lacking.limits == () and lacking.reason == "one member has no interval: 3 calibration rows"
    with pytest.raises(ConfigError, match="different kinds"):
        merge([a, Sets("binary", 0.9, 40, (0.2, 0.3))])
    with pytest.raises(ConfigError, match="different kinds"):
        merge([a, Interval("regression", 0.8, 40, (1.0,))])
    with pytest.raises(ConfigError, match="numbers of classes"):
        merge([Sets("multiclass", 0.9, 40, (0.2,) * 3), Sets("multiclass", 0.9, 40, (0.2,) * 4)])


def test_inside_every_interval_is_inside_the_merged_one() -> None:
    """What the approximation does promise: the averaged interval holds whatever all single ones hold."""
    random = np.random.default_rng(0)
    truth = random.normal(0, 1, 500)
    given = [truth + random.normal(0, s, 500) for s in (0.5, 1.0, 2.0)]
    fits = [Interval.fit("regression", e, truth) for e in given]
    ends = [f.apply(e) for f, e in zip(fits, given, strict=True)]
    low, high = merge(fits).apply(np.mean(given, axis=0))
    everywhere = np.all([(a <= truth) & (truth <= b) for a, b in ends], axis=0)
    assert everywhere.any() and ((low <= truth) & (truth <= high))[everywhere].all()


# --- how probable a value is -----------------------------------------------------------------------------------------


def counted(errors: list[float], estimate: float, threshold: float) -> float:
    """Return the share of the errors that carry the estimate to the threshold, with half a count for either side."""
    return (sum(estimate + error >= threshold for error in errors) + 0.5) / (len(errors) + 1)


def test_the_chance_of_a_number_is_the_share_of_errors_that_reach_it() -> None:
    errors = [-1.5, -0.5, 0.0, 0.25, 2.0]
    fitted = Chance.fit("regression", np.full(5, 6.0), 6.0 + np.array(errors))
    assert fitted.n == 5 and fitted.values == tuple(errors)
    for threshold in (4.0, 6.0, 6.25, 7.5, 9.0):
        found = fitted.of([4.0, 5.75, 6.0, 7.0, 8.5], threshold)
        assert found.tolist() == [counted(errors, e, threshold) for e in (4.0, 5.75, 6.0, 7.0, 8.5)]
    assert fitted.of([0.0, 20.0], 6.0).tolist() == [0.5 / 6, 5.5 / 6]  # never 0, never 1


def test_many_errors_are_kept_as_so_many() -> None:
    random = np.random.default_rng(0)
    errors = random.standard_t(3, 5000)
    fitted = Chance.fit("regression", np.zeros(5000), errors)
    assert fitted.n == 5000 and len(fitted.values) == ERRORS and list(fitted.values) == sorted(fitted.values)
    asked = np.linspace(-3, 3, 25)
    whole = [(errors >= -e).mean() for e in asked]
    np.testing.assert_allclose(fitted.of(asked, 0.0), whole, atol=1 / ERRORS)


def test_chances_are_as_frequent_as_they_say() -> None:
    """New rows with errors like those of 4,000 calibration rows: within 4 standard errors of both, and 1 / ERRORS."""
    random = np.random.default_rng(0)
    errors = random.exponential(1, 24_000) - 1
    fitted = Chance.fit("regression", np.zeros(4000), errors[:4000])
    for estimate in (-0.5, 0.0, 0.8):
        active = (estimate + errors[4000:] >= 0).mean()
        off = 4 * math.sqrt(active * (1 - active) * (1 / 4000 + 1 / 20_000)) + 1 / ERRORS
        assert abs(fitted.of([estimate], 0.0)[0] - active) < off


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_a_higher_estimate_is_never_less_probable(kind: str) -> None:
    random = np.random.default_rng(1)
    estimate, truth = numbers(60, random) if kind == "regression" else binary(200, random)
    fitted = (Chance if kind == "regression" else Platt).fit(kind, estimate, truth)
    asked = np.linspace(0, 1, 101) if kind == "binary" else np.linspace(0, 12, 101)
    found = fitted.of(asked, None if kind == "binary" else 6.0)
    assert (np.diff(found) >= 0).all() and ((found > 0) & (found < 1)).all()
    if kind == "regression":
        by_threshold = [fitted.of([6.0], threshold)[0] for threshold in asked]
        assert (np.diff(by_threshold) <= 0).all()


@pytest.mark.parametrize(("slope", "offset"), [(0.5, -1.0), (1.0, 0.0), (2.0, 0.7)])
def test_platt_finds_the_slope_that_made_the_labels(slope: float, offset: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, 40_000)
    truth = (random.random(40_000) < 1 / (1 + np.exp(-(slope * logits + offset)))).astype(float)
    fitted = Platt.fit("binary", 1 / (1 + np.exp(-logits)), truth)
    assert fitted.values == (pytest.approx(slope, rel=0.05), pytest.approx(offset, abs=0.05))
    wanted = 1 / (1 + np.exp(-(slope * logits + offset)))
    np.testing.assert_allclose(fitted.of(1 / (1 + np.exp(-logits)), None), wanted, atol=0.03)


def test_a_ranking_that_is_wrong_teaches_no_map() -> None:
    """A slope at its bound would make all probabilities alike."""
    random = np.random.default_rng(0)
    estimate, truth = binary(400, random, positives=0.5)
    fitted = Platt.fit("binary", 1 - estimate, truth)
    assert fitted.values == (1.0, 0.0)
    assert fitted.reason == "the slope that 400 calibration rows ask for lies beyond 0.05 to 20"


@pytest.mark.parametrize("positives", [0, POWER_ROWS - 1, 50 - POWER_ROWS + 1, 50])
def test_too_few_rows_of_a_class_leave_the_probability_as_it_is(positives: int) -> None:
    truth = np.r_[np.ones(positives), np.zeros(50 - positives)]
    fitted = Platt.fit("binary", np.linspace(0.1, 0.9, 50), truth)
    assert fitted.values == (1.0, 0.0) and fitted.n == 50
    assert fitted.reason.startswith(f"{positives} calibration rows of class 1 and {50 - positives} of class 0, and at")
    np.testing.assert_allclose(fitted.of([0.0, 0.2, 0.9, 1.0], None), [1e-6, 0.2, 0.9, 1 - 1e-6], atol=1e-9)
    assert Platt.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


@pytest.mark.parametrize("positives", [POWER_ROWS, PLATT_ROWS - 1, PLATT_ROWS])
def test_few_rows_of_a_class_teach_a_slope_and_no_offset(positives: int) -> None:
    random = np.random.default_rng(1)
    truth = np.r_[np.ones(positives), np.zeros(60)]
    fitted = Platt.fit("binary", 1 / (1 + np.exp(-random.normal(3 * truth - 2, 2))), truth)
    slope, offset = fitted.values
    assert fitted.reason is None and SLOPES[0] < slope < SLOPES[1] and slope != 1
    assert (offset == 0) == (positives < PLATT_ROWS)


def test_no_set_of_thirteen_rows_makes_all_probabilities_alike() -> None:
    for seed in range(200):
        random = np.random.default_rng(seed)
        fitted = Platt.fit("binary", random.uniform(0.2, 0.8, 13), np.r_[np.ones(6), np.zeros(7)])
        assert fitted.values == (1.0, 0.0) and "20 in all are needed" in fitted.reason


def test_a_map_moves_no_set() -> None:
    """Whatever temperature, or slope and offset, the same rows taught: the sets are those of no map."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 120)
    logits = random.normal(0, 1, (120, 3)) + 1.5 * np.eye(3)[truth]

    def chances(power: float) -> np.ndarray:
        return np.exp(logits * power) / np.exp(logits * power).sum(1, keepdims=True)

    plain = Sets.fit("multiclass", chances(1.0)[:60], truth[:60]).sets(chances(1.0)[60:])
    assert len({tuple(row) for row in plain}) > 2
    for power in (0.3, 3.0):
        mapped = Sets.fit("multiclass", chances(power)[:60], truth[:60]).sets(chances(power)[60:])
        assert (mapped == plain).all()
    labels = (random.uniform(size=600) < 0.3).astype(float)
    logit = random.normal(4 * labels - 2, 1)  # so far apart that some rows lie beyond the limits of both classes
    apart = []
    for slope, offset in ((1.0, 0.0), (0.4, 0.3), (1.2, 1.9), (2.0, -3.0)):
        estimate = 1 / (1 + np.exp(-(slope * logit + offset)))
        apart.append((estimate[200:] > 0.5, Sets.fit("binary", estimate[:200], labels[:200]).sets(estimate[200:])))
    likely, first = apart[0]
    assert (~first.any(axis=1)).sum() >= 10
    for here, found in apart[1:]:  # but where a map makes the other class the likelier one, which is then in the set
        assert (found == first)[here == likely].all() and (found.any(axis=1) == first.any(axis=1)).all()


def test_a_chance_comes_from_exact_rows_only_and_from_none_there_is_none() -> None:
    observed, bound = np.array([1, 1, 0, 1], bool), np.array([0, 0, 0, 1])
    fitted = Chance.fit("regression", np.zeros(4), np.array([1.0, 2.0, 3.0, 4.0]), observed=observed, bound=bound)
    assert fitted.values == (1.0, 2.0)
    none = Chance.fit("regression", np.zeros(4), np.full(4, np.nan))
    assert none.n == 0 and np.isnan(none.of([1.0, 2.0], 0.0)).all()


def test_of_a_number_it_must_be_said_what_counts_as_active() -> None:
    with pytest.raises(ConfigError, match="--active"):
        Chance.fit("regression", [1.0, 2.0], [1.0, 2.0]).of([1.0], None)


def test_json_gives_back_the_same_chance() -> None:
    random = np.random.default_rng(0)
    for fitted in (
        Chance.fit("regression", *numbers(1000, random)),
        Platt.fit("binary", *binary(200, random)),
        Chance.fit("regression", [1.0], [np.nan]),
    ):
        assert type(fitted).from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False))) == fitted
    for damaged in (
        {},
        {"kind": "binary"},
        {"kind": "regression", "n": 2, "values": ["x"]},
        {"kind": "binary", "n": 9, "values": [1.0]},
    ):
        with pytest.raises(CheckpointError, match="calibration in the model folder is damaged"):
            Platt.from_json(damaged)


# --- scaled by a predicted deviation ---------------------------------------------------------------------------------


def test_scaled_intervals_hold_their_level_and_are_wide_only_where_they_must_be():
    random = np.random.default_rng(0)
    spread = random.uniform(0.2, 2.0, size=6000)
    truth = random.normal(size=6000) * spread
    half, rest = slice(0, 3000), slice(3000, None)
    made = Interval.fit("regression", np.zeros(3000), truth[half], spread=spread[half])
    plain = Interval.fit("regression", np.zeros(3000), truth[half])
    low, high = made.apply(np.zeros(3000), spread[rest])
    flat = plain.apply(np.zeros(3000))
    assert made.scaled and not plain.scaled
    assert coverage(low, high, truth[rest]).value == pytest.approx(0.9, abs=0.02)
    assert np.mean(high - low) < np.mean(flat[1] - flat[0])
    for sure in (spread[rest] < 0.5, spread[rest] > 1.5):
        assert coverage(low[sure], high[sure], truth[rest][sure]).value == pytest.approx(0.9, abs=0.04)
    assert coverage(flat[0], flat[1], truth[rest]).value == pytest.approx(0.9, abs=0.02)


def test_scaled_limits_are_quantiles_of_scaled_errors_and_survive_json():
    truth, spread = np.arange(1.0, 20.0), np.tile([1.0, 2.0], 10)[:19]
    made = Interval.fit("regression", np.zeros(19), truth, spread=spread)
    assert made.limits == (np.sort(truth / spread)[17],)
    assert Interval.from_json(made.to_json()) == made
    old = {k: v for k, v in made.to_json().items() if k != "scaled"}
    assert Interval.from_json(old).scaled is False
    chance = Chance.fit("regression", np.zeros(19), truth, spread=spread)
    assert Chance.from_json(chance.to_json()) == chance and chance.scaled
    assert chance.of([0.0], 5.0, [1.0])[0] == pytest.approx((np.sum(truth / spread >= 5) + 0.5) / 20)
    assert chance.of([0.0], 5.0, [2.0])[0] > chance.of([0.0], 5.0, [1.0])[0]


def test_scaled_and_plain_intervals_are_not_averaged():
    truth = np.arange(1.0, 20.0)
    scaled = Interval.fit("regression", np.zeros(19), truth, spread=np.ones(19))
    assert merge([scaled, scaled]) == scaled
    with pytest.raises(ConfigError):
        merge([scaled, Interval.fit("regression", np.zeros(19), truth)])


def test_rows_of_one_group_weigh_as_one():
    off, groups = [1.0] * 100 + list(range(2, 21)), [0] * 100 + list(range(1, 20))
    alone = Interval.fit("regression", np.zeros(119), off)
    together = Interval.fit("regression", np.zeros(119), off, groups=groups)
    assert alone.limits == (9.0,)  # rank 108 of 119
    assert together.limits == (19.0,)  # each of 20 groups weighs 1/21: 0.9 of it is reached by the nineteenth
    few = Interval.fit("regression", np.zeros(50), range(50), groups=[at // 10 for at in range(50)])
    assert few.reason == "5 independent calibration rows, and a 90 % interval needs at least 9"
    same = Interval.fit("regression", np.zeros(19), off[100:], groups=range(19))
    assert same == Interval.fit("regression", np.zeros(19), off[100:])
