import pytest

from molgraph.errors import CheckpointError
from molgraph.predictor.threshold import Threshold


def test_a_threshold_is_chosen_on_the_observed_rows_and_kept():
    made = Threshold.fit([0.1, 0.4, 0.6, 0.9, 0.99], [0, 0, 1, 1, 0], [True] * 4 + [False])
    assert made == Threshold(0.5, "Youden's J", 4)
    assert Threshold.from_json(made.to_json()) == made


def test_a_fixed_specificity_is_named():
    made = Threshold.fit([0.1, 0.4, 0.6, 0.9], [0, 1, 0, 1], [True] * 4, 0.5)
    assert (made.value, made.chosen) == (0.25, "specificity of at least 0.5")


def test_without_two_classes_there_is_a_reason():
    assert Threshold.fit([0.1, 0.4], [1, 1], [True] * 2).reason == "the 2 validation rows have one class"
    assert Threshold.fit([], [], []).reason == "there were no validation rows"


def test_a_damaged_threshold_is_refused():
    with pytest.raises(CheckpointError, match="threshold in the model folder is damaged"):
        Threshold.from_json({"value": "high", "chosen": "", "n": 3, "reason": None})
