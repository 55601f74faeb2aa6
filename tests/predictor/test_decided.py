import dataclasses
import json

import numpy as np
import pytest

from molgraph.metrics.decisions import operating
from molgraph.predictor.assess import assess
from molgraph.predictor.decided import decided, lines, together
from molgraph.predictor.threshold import UNKNOWN, Threshold

TRUTH, ESTIMATE = np.array([0, 0, 1, 1.0]), np.array([0.1, 0.6, 0.4, 0.9])


def test_training_keeps_a_threshold_chosen_on_validation_rows(trained):
    made, predictor = trained
    assert set(predictor.thresholds) == {"active"}
    held = made.rows.data.subset(np.concatenate([made.split.valid, made.split.calibration]))
    truth, observed, _ = held.targets.arrays("active")
    expected = Threshold.fit(predictor.estimate(held)[0][:, 1], truth, observed)
    assert predictor.thresholds["active"] == expected
    assert predictor.recipe.thresholds == {"active": expected.to_json()}


def test_an_assessment_says_what_the_threshold_brings(trained):
    made, predictor = trained
    test = made.rows.data.subset(made.split.test)
    found = assess(predictor, test, {}, bootstrap=20)
    truth, observed, _ = test.targets.arrays("active")
    at = predictor.thresholds["active"].value
    expected = operating(truth, predictor.estimate(test)[0][:, 1], at, observed=observed)
    mine = found["decisions"]["active"]["scores"]
    assert {name: each["value"] for name, each in mine.items()} == {name: s.value for name, s in expected.items()}
    assert set(found["decisions"]) == {"active"} and found["levels"]["active"] == {}
    json.dumps(found, allow_nan=False)
    said = lines(found, "active")
    assert said[0].startswith(f"threshold {at:.3g} (Youden's J, ") and "at specificity 0.9, " in said[1]
    assert lines(found, "pAct") == [] == lines({"model": {}}, "pAct")


def test_a_model_without_a_threshold_still_has_its_curves():
    found = decided(UNKNOWN, TRUTH, ESTIMATE, np.ones(4, bool), {}, bootstrap=20)
    assert found["scores"] == {} and found["drawn"] == "row"
    assert found["sensitivity_at"]["0.9"]["value"] == pytest.approx(0.5) and len(found["net_benefit"]["model"]) == 99
    said = lines({"decisions": {"y": found}}, "y")
    assert said[0] == "no threshold: the model was trained by a version that chose none"


def test_one_class_has_no_curve_and_says_so():
    found = decided(Threshold(0.5, "Youden's J", 9), np.ones(4), ESTIMATE, np.ones(4, bool), {}, bootstrap=20)
    said = lines({"decisions": {"y": found}}, "y")
    assert "specificity none (no row is in truth negative)" in said[0]
    assert said[-1] == "no decision curve: fewer than two rows or one class was measured"


def test_groups_are_drawn_where_a_room_says_that_rows_belong_together(trained, monkeypatch):
    made, predictor = trained
    data = made.rows.data
    patient = np.arange(len(data)) // 2
    data = dataclasses.replace(data, groups=data.groups | {"patient": patient})
    assert together(predictor, data) == {}  # molecules have no patients
    (slot,) = predictor.inputs.slots
    reading = dataclasses.replace(slot.room.reading, belongs={"patient": ("patient",)})
    room = dataclasses.replace(slot.room, reading=reading)
    monkeypatch.setattr(type(slot), "room", room)
    assert list(together(predictor, data)) == ["patient"]
    found = assess(predictor, data, {}, bootstrap=20)
    assert found["decisions"]["active"]["drawn"] == "patient"
    level = found["levels"]["active"]["patient"]["auroc"]
    assert level["rows"]["value"] == found["model"]["active"]["auroc"]["value"]
    assert any("by patient (mean over its rows)" in line for line in lines(found, "active"))
    assert together(predictor, data.subset(np.arange(0, len(data), 2))) == {}  # one row of each
