from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.data.dataset import Dataset
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError, DataError
from molgraph.kinds import make
from molgraph.tune.goals import accuracy, goals, scales


def dataset(**columns: list[float]) -> Dataset:
    values = torch.tensor(list(columns.values())).T
    count = len(values)
    return Dataset({}, Targets.of(tuple(columns), values), np.arange(count), ("",) * count)


def test_the_usual_objective_is_the_main_metric_of_the_task():
    assert [(g.name, g.direction) for g in goals((), {"a": "regression"})] == [("rmse", "minimize")]
    assert [(g.name, g.direction) for g in goals((), {"a": "binary", "b": "binary"})] == [("auroc", "maximize")]
    assert goals((), {"a": "regression", "b": "regression"})[0].name == "error"  # their units differ
    assert goals((), {"a": "regression", "b": "binary"})[0].name == "error"


def test_errors_are_in_the_unit_of_the_target_and_what_has_none_is_not():
    found = goals(("rmse", "spearman", "mae", "latency"), {"a": "regression"}, "-log10(M)")
    assert [g.label for g in found[:3]] == ["RMSE (-log10(M))", "Spearman", "MAE (-log10(M))"]
    assert goals((), {"a": "regression", "b": "regression"}, "h")[0].label == "error in standard deviations"


@pytest.mark.parametrize(
    ("named", "words"),
    [(("rsme",), "did you mean 'rmse'"), (("latency", "rmse"), "an accuracy first"), (("rmse", "rmse"), "named twice"),
     (("auroc",), "unknown 'auroc'")],
)  # fmt: skip
def test_objectives_that_make_no_sense_are_refused(named: tuple[str, ...], words: str):
    with pytest.raises(ConfigError, match=words):
        goals(named, {"a": "regression"})


def test_an_accuracy_is_the_metric_and_its_standard_error():
    data = dataset(a=[1.0, 2.0, 3.0, 4.0])
    task = make({"a": "regression"}).adapt(data.targets)
    (rmse,) = goals((), {"a": "regression"})
    estimates = np.array([[1.0], [2.0], [3.0], [6.0]], dtype=np.float32)
    value, error = accuracy(rmse, task, data, estimates, scales(task, data), bootstrap=500)
    assert value == pytest.approx(1.0) and error is not None and 0.2 < error < 0.8
    assert accuracy(rmse, task, data, estimates, scales(task, data)) == (value, None)


def test_the_error_of_several_targets_has_no_unit():
    data = dataset(a=[1.0, 2.0, 3.0, 4.0], b=[100.0, 200.0, 300.0, 400.0])
    kinds = {"a": "regression", "b": "regression"}
    task = make(kinds).adapt(data.targets)
    estimates = (data.targets.values + torch.tensor([1.0, 100.0])).numpy()
    value, _ = accuracy(goals((), kinds)[0], task, data, estimates, scales(task, data))
    assert value == pytest.approx(1 / np.std([1, 2, 3, 4]))


def test_a_score_that_does_not_exist_is_said_with_the_remedy():
    data = dataset(a=[1.0, 1.0, 1.0])
    task = make({"a": "binary"})
    with pytest.raises(DataError, match=r"'a'.*AUROC.*only one class.*--split random"):
        accuracy(goals((), {"a": "binary"})[0], task, data, np.full((3, 1), 0.5, np.float32), {})
