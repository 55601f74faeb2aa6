import numpy as np
import pytest
import torch

from molgraph.data.targets import ABOVE, BELOW, Targets
from molgraph.errors import ConfigError, DataError
from molgraph.kinds import make, restore, words

NAN = float("nan")


def some_targets(names=("a", "b")):
    values = torch.tensor([[1.0, 0.0], [2.0, 1.0], [NAN, 1.0], [4.0, NAN]])
    return Targets.of(names, values)


TASKS = {
    "regression": make({"a": "regression", "b": "regression"}),
    "binary": make({"b": "binary"}),
    "balanced": make({"b": "binary"}, balance=True, focal=2.0),
    "multiclass": make({"b": "multiclass"}, {"b": ("no", "yes")}, balance=True),
    "joint": make({"a": "regression", "b": "binary"}),
}


def of(task):
    return some_targets().columns([("a", "b").index(name) for name in task.names])


@pytest.mark.parametrize("name", TASKS)
def test_masked_targets_do_not_move_the_loss(name):
    targets = of(TASKS[name])
    task = TASKS[name].adapt(targets)
    raw = torch.randn(4, task.outputs, generator=torch.Generator().manual_seed(0))
    poisoned = Targets(
        targets.names,
        torch.where(targets.observed, targets.values, torch.ones(())),
        targets.observed,
        targets.bound,
        targets.weight,
    )
    sums = [float((loss * weight).sum()) for loss, weight in (task.loss(raw, targets), task.loss(raw, poisoned))]
    assert sums[0] == sums[1]
    assert sums[0] > 0


@pytest.mark.parametrize("name", TASKS)
def test_state_rebuilds_the_task(name):
    task = TASKS[name].adapt(of(TASKS[name]))
    assert restore(task.state()) == task


@pytest.mark.parametrize("name", TASKS)
def test_estimates_have_one_column_per_name(name):
    task = TASKS[name].adapt(of(TASKS[name]))
    assert task.predict(torch.randn(3, task.outputs)).shape == (3, len(task.columns))


def test_regression_units_round_trip_in_float32_even_under_bfloat16():
    targets = Targets.of(("mass",), torch.tensor([[312.437], [312.441], [312.447]]))
    task = make({"mass": "regression"}).adapt(targets)
    scaled = (targets.values - task.mean[0]) / task.std[0]
    back = task.predict(scaled.to(torch.bfloat16))
    np.testing.assert_allclose(back.numpy(), targets.values.numpy(), atol=1e-3)


def test_regression_loss_is_zero_at_the_truth_and_one_sided_at_bounds():
    values = torch.tensor([[1.0], [5.0], [5.0], [5.0], [5.0]])
    bound = torch.tensor([[0], [BELOW], [BELOW], [ABOVE], [ABOVE]], dtype=torch.int8)
    targets = Targets.of(("a",), values, bound)
    task = make({"a": "regression"}).adapt(targets)
    predicted = torch.tensor([[1.0], [4.0], [6.0], [6.0], [4.0]])
    raw = (predicted - task.mean[0]) / task.std[0]
    loss, weight = task.loss(raw, targets)
    assert weight.tolist() == [[1.0]] * 5
    wrong = (1 / task.std[0]) ** 2
    np.testing.assert_allclose(loss[:, 0].numpy(), [0, 0, wrong, 0, wrong], atol=1e-5)


def test_balance_makes_both_classes_weigh_the_same():
    targets = Targets.of(("b",), torch.tensor([[1.0]] + [[0.0]] * 9))
    task = make({"b": "binary"}, balance=True).adapt(targets)
    _, weight = task.loss(torch.zeros(10, 1), targets)
    assert float(weight[0]) == pytest.approx(float(weight[1:].sum()))


def test_focal_loss_counts_easy_rows_less():
    targets = Targets.of(("b",), torch.tensor([[1.0], [0.0]]))
    plain, focal = (make({"b": "binary"}, focal=gamma).adapt(targets) for gamma in (0.0, 2.0))
    raw = torch.tensor([[3.0], [3.0]])
    ratio = focal.loss(raw, targets)[0] / plain.loss(raw, targets)[0]
    share = torch.sigmoid(torch.tensor(3.0))
    np.testing.assert_allclose(ratio[:, 0].numpy(), [(1 - share) ** 2, share**2], rtol=1e-5)


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_loss_of_sure_rows_and_of_blanks_has_a_slope(kind, gamma):
    """A gamma below 1 has an infinite slope where a row is surely right, and 0 times that is no number."""
    targets = Targets.of(("b",), torch.tensor([[1.0], [0.0], [NAN]]))
    task = make({"b": kind}, {"b": ("no", "yes")} if kind == "multiclass" else {}, focal=gamma).adapt(targets)
    raw = torch.tensor([[40.0], [-40.0], [40.0]]) * torch.tensor([[-1.0, 1.0]])[:, 2 - task.outputs :]
    raw.requires_grad_(True)
    loss, weight = task.loss(raw, targets)
    (loss * weight).sum().backward()
    assert torch.isfinite(raw.grad).all() and raw.grad.abs().max() < 1e-3


@pytest.mark.parametrize("balance", [False, True])
def test_a_class_without_a_training_row_weighs_nothing(balance):
    task = make({"t": "multiclass"}, {"t": ("a", "b", "never")}, balance=balance)
    task = task.adapt(Targets.of(("t",), torch.tensor([[0.0], [0.0], [0.0], [1.0]])))
    _, weight = task.loss(torch.zeros(3, 3), Targets.of(("t",), torch.tensor([[0.0], [1.0], [2.0]])))
    expected = [4 / 3 / 3, 4 / 3, 0.0] if balance else [1.0, 1.0, 0.0]
    np.testing.assert_allclose(weight[:, 0].numpy(), expected, rtol=1e-6)


def test_joint_keeps_the_users_order_of_targets():
    kind_of = {"x": "binary", "y": "regression", "z": "binary"}
    values = torch.tensor([[0.0, 3.0, 1.0], [1.0, 4.0, 0.0]])
    targets = Targets.of(tuple(kind_of), values)
    task = make(kind_of).adapt(targets)
    assert task.columns == ("x", "z", "y")
    assert [task.block(name) for name in kind_of] == [slice(0, 1), slice(2, 3), slice(1, 2)]
    loss, _ = task.loss(torch.tensor([[0.0, 0.0, 0.0]] * 2), targets)
    np.testing.assert_allclose(loss[:, 1].numpy(), [1.0, 1.0])  # y is one standard deviation off, x and z log 2
    np.testing.assert_allclose(loss[:, [0, 2]].numpy(), np.log(2), rtol=1e-6)


def test_multiclass_names_and_blocks():
    task = make({"t": "multiclass", "u": "multiclass"}, {"t": ("a", "b", "c"), "u": ("x", "y")})
    assert task.columns == ("t=a", "t=b", "t=c", "u=x", "u=y")
    assert task.block("u") == slice(3, 5)
    assert task.of("t").class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("regression", [[3.0], [3.0]], "the value 3"),
        ("regression", [[NAN], [NAN]], "no training row"),
        ("binary", [[1.0], [1.0]], "one class only"),
        ("binary", [[1.0], [2.0]], "0 or 1, found 2"),
    ],
)
def test_targets_with_nothing_to_learn_are_refused(kind, values, says):
    with pytest.raises(DataError, match=says):
        make({"a": kind}).adapt(Targets.of(("a",), torch.tensor(values)))


def test_multiclass_with_one_class_is_refused():
    task = make({"a": "multiclass"}, {"a": ("x", "y")})
    with pytest.raises(DataError, match="fewer than two"):
        task.adapt(Targets.of(("a",), torch.tensor([[1.0], [1.0]])))


def test_kinds_of_targets():
    assert words("binary", ["a", "b"]) == {"a": "binary", "b": "binary"}
    with pytest.raises(ConfigError, match="did you mean 'binary'"):
        words("binray", ["a"])
    with pytest.raises(ConfigError, match="no task is given"):
        words({"a": "binary"}, ["a", "b"])
    with pytest.raises(ConfigError, match="names the target 'c'"):
        words({"c": "binary"}, ["a"])
