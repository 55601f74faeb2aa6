"""Probabilities mapped by calibration rows, and models that predict how far off they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.special import softmax

from molgraph.calibrate import Sloped, Tempered
from molgraph.calibrate.tempered import notes
from molgraph.errors import CheckpointError, ConfigError
from molgraph.metrics.reliability import of_classes
from molgraph.predictor import Predictor
from molgraph.predictor.assess import assess
from molgraph.predictor.panel import Panel
from molgraph.workflows.train import train_rows

FOREST = {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}}


def drawn(n, temperature, seed=0):
    """Return probabilities that are too sure by a temperature, and classes drawn from what they should be."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, 3)) * 1.5
    label = np.array([random.choice(3, p=p) for p in softmax(logits, axis=1)])
    return softmax(logits * temperature, axis=1), label.astype(np.float32)


def test_the_temperature_that_made_them_too_sure_is_found():
    said, label = drawn(5000, 3.0)
    found = Tempered.fit("multiclass", said, label, np.ones(5000, dtype=bool))
    assert found.values[0] == pytest.approx(3.0, rel=0.1)
    before, after = (of_classes(p, label, np.ones(1)).ece for p in (said, found.apply(said)))
    assert before > 0.1 > 0.03 > after
    assert (found.apply(said).argmax(axis=1) == said.argmax(axis=1)).all()
    np.testing.assert_allclose(found.apply(said).sum(axis=1), 1, rtol=1e-5)


def test_two_classes_by_slope_and_offset():
    said, label = drawn(4000, 3.0)
    said, label = said[:, :1], (label == 0).astype(np.float32)
    found = Sloped.fit("binary", said, label, np.ones(4000, dtype=bool))
    assert (
        of_classes(found.apply(said)[:, 0], label, np.ones(1)).ece < of_classes(said[:, 0], label, np.ones(1)).ece / 3
    )


def test_few_rows_teach_nothing():
    said, label = drawn(10, 3.0)
    found = Tempered.fit("multiclass", said, label, np.ones(10, dtype=bool))
    np.testing.assert_allclose(found.apply(said), said, rtol=1e-5)
    assert found.reason == "10 calibration rows, and at least 20 are needed"


def test_a_temperature_beyond_its_range_is_not_taken():
    said, _ = drawn(200, 1.0)
    wrong = (said.argmax(axis=1) + 1) % 3  # never the likeliest class: the hottest would be best
    found = Tempered.fit("multiclass", said, wrong.astype(np.float32), np.ones(200, dtype=bool))
    assert found.values == (1.0,) and "temperature that 200 calibration rows ask for lies beyond" in found.reason


def test_where_calibrate_changes_nothing_it_is_said():
    few = Sloped("binary", 13, (1.0, 0.0), "13 calibration rows")
    assert notes(["pAct", "active", "level"], {"active": few, "level": Tempered("multiclass", 50, (1.4,))}) == [
        "calibrate: maps probabilities; pAct is a number, whose intervals are calibrated in any case.",
        "calibrate: the probabilities of active stay as they are: 13 calibration rows.",
    ]


@pytest.mark.parametrize("damage", [{"values": []}, {"values": [-1.0]}, {"n": "x"}, {}])
def test_a_damaged_one_is_told(damage):
    whole = {"kind": "multiclass", "n": 30, "values": [1.5], "reason": None}
    assert Tempered.from_json(whole).to_json() == whole
    with pytest.raises(CheckpointError, match="calibration in the model folder is damaged"):
        Tempered.from_json({**whole, **damage} if damage else {})


@pytest.fixture(scope="module")
def sure(series, plan_of):
    """Return a model of three kinds of targets that is calibrated and predicts deviations."""
    kinds = {"pAct": "regression", "active": "binary", "level": "multiclass"}
    settings = {"targets": list(kinds), "task": kinds, "fractions": [0.4, 0.5, 0.1]}
    made = plan_of(series, **settings, variance=True, calibrate=True, ensemble=2)
    return made, train_rows(made)


def test_a_calibrated_model_is_kept_whole(sure, tmp_path):
    made, predictor = sure
    assert set(predictor.tempered) == {"active", "level"} and predictor.intervals["pAct"].scaled
    assert any(note.startswith("calibrate: maps probabilities; pAct") for note in predictor.facts["notes"])
    predictor.save(tmp_path)
    again, test = Predictor.load(tmp_path), made.rows.data.subset(made.split.test)
    np.testing.assert_array_equal(again.estimate(test)[0], predictor.estimate(test)[0])
    columns, expected = again.columns_of(test), predictor.columns_of(test)
    assert columns.equals(expected)


def test_wider_where_the_model_is_less_sure(sure):
    made, predictor = sure
    data = made.rows.data
    columns = predictor.columns_of(data)
    width = columns["pAct_hi90"] - columns["pAct_lo90"]
    assert (columns["pAct_std"] > 0).all() and columns["pAct_std"].nunique() > 50
    limit = predictor.intervals["pAct"].limits[0]
    np.testing.assert_allclose(width, 2 * limit * columns["pAct_std"], rtol=1e-4)
    estimates, among = predictor.estimate(data)
    np.testing.assert_allclose(columns["pAct_std"], np.hypot(estimates[:, 1], among[:, 0]), rtol=1e-5)


def test_the_probabilities_are_those_of_the_map(sure):
    made, predictor = sure
    data = made.rows.data
    plain = Predictor(dataclasses.replace(predictor.recipe, tempered={}), predictor.members, predictor.domain)
    raw = plain.estimate(data)[0]
    np.testing.assert_allclose(predictor.estimate(data)[0][:, 3:], predictor.tempered["level"].apply(raw[:, 3:]))
    np.testing.assert_array_equal(predictor.estimate(data)[0][:, :2], raw[:, :2])


def test_the_assessment_says_how_reliable_it_is(sure):
    made, predictor = sure
    found = assess(predictor, made.rows.data.subset(made.split.test), {}, bootstrap=10)["reliability"]
    assert set(found) == {"pAct", "active", "level"}
    assert found["pAct"]["spearman"] is not None and 1 <= found["level"]["width"] <= 3
    few = {name: each["few"] for name, each in found.items()}  # of so few test rows nothing is said of calibration
    assert all(each["ece"] is None and not each["curve"] for each in found.values()), few
    whole = assess(predictor, made.rows.data, {}, bootstrap=10)["reliability"]
    assert 0 <= whole["active"]["ece"] <= 1 and 0 <= whole["level"]["ece"] <= 1 and len(whole["pAct"]["curve"]) == 9


def test_trees_predict_deviations_too(series, plan_of, tmp_path):
    predictor = train_rows(plan_of(series, **FOREST, variance=True))
    columns = predictor.predict(series)
    assert (columns["pAct_std"] > 0).all() and columns["pAct_std"].nunique() > 10
    predictor.save(tmp_path)
    np.testing.assert_array_equal(Predictor.load(tmp_path).predict(series)["pAct_std"], columns["pAct_std"])


def test_with_a_deviation_and_without_make_no_ensemble(series, plan_of):
    few = series.head(40)
    with_it, without = (train_rows(plan_of(few, **FOREST, variance=v)) for v in (True, False))
    with pytest.raises(ConfigError, match="one model predicts how far off 'pAct' may be and another does not"):
        Panel([with_it, without])
    both = Panel([with_it, with_it]).columns_of(with_it_rows(with_it, few))
    np.testing.assert_allclose(both["pAct_std"], with_it.predict(few)["pAct_std"], rtol=1e-5)


def with_it_rows(predictor, frame):
    from molgraph.predictor.rows import read_rows

    return read_rows(frame, predictor.recipe.run, predictor.inputs).data
