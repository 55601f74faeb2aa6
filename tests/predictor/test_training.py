import numpy as np
import pytest
import torch

from molgraph.data.dataset import Dataset
from molgraph.errors import ConfigError
from molgraph.fit import state as states
from molgraph.predictor.checkpoint import CHECKPOINT
from molgraph.predictor.training import member_seed

THREE_EPOCHS = {"encoder": {"hidden": 16, "depth": 2}, "ensemble": 2, "train": {"epochs": 3}}


@pytest.fixture(scope="module")
def made(series, plan_of):
    return plan_of(series, **THREE_EPOCHS)


@pytest.fixture(scope="module")
def whole(made, training_of):
    """Return a training of two members that nothing stopped."""
    done = training_of(made)
    list(done.epochs())
    return done


def kill_after(training, member, epoch):
    """Train until an epoch of a member was checkpointed, then let go as a killed process does."""
    for number, found in training.epochs():
        if (number, found.number) == (member, epoch):
            break


def weights(training):
    return [{k: v.clone() for k, v in m.model.state_dict().items()} for m in training.members]


def without_times(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history]


def assert_same(one, other):
    assert without_times(one.history) == without_times(other.history)
    for a, b in zip(weights(one), weights(other), strict=True):
        assert all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("at", [(0, 1), (0, 3), (1, 1), (1, 3)], ids=str)
def test_killed_in_any_member_and_resumed_it_is_equal_to_the_bit(made, whole, training_of, tmp_path, at):
    kill_after(training_of(made, tmp_path), *at)
    again = training_of(made, tmp_path)
    rest = [(number, epoch.number) for number, epoch in again.epochs()]
    assert rest == [pair for pair in [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)] if pair > at]
    assert_same(again, whole)
    data = made.rows.data
    assert again.finish().estimate(data)[0].tobytes() == whole.finish().estimate(data)[0].tobytes()


def test_killed_before_the_first_epoch_it_starts_anew(made, whole, training_of, tmp_path):
    training_of(made, tmp_path).epochs()
    again = training_of(made, tmp_path)
    list(again.epochs())
    assert_same(again, whole)


def test_killed_after_its_patience_ran_out_it_does_not_train_on(series, plan_of, training_of, tmp_path):
    settings = {"train": {"epochs": 12, "patience": 2, "lr": 0.3, "warmup": 0}, "seed": 1}
    made = plan_of(series, **settings)
    whole = training_of(made)
    *_, (_, last) = whole.epochs()
    assert last.stale == 2 and last.number < 12
    kill_after(training_of(made, tmp_path), 0, last.number)
    again = training_of(made, tmp_path)
    assert list(again.epochs()) == []
    assert again.members[0].ready
    assert_same(again, whole)


def test_trees_that_were_killed_leave_no_second_history(series, plan_of, training_of, tmp_path):
    kinds = {"pAct": "regression", "active": "binary"}
    forest = {"model": "molecule/forest", "encoder": {"rounds": 5, "depth": 2}}
    made = plan_of(series, targets=list(kinds), task=kinds, **forest)
    whole = training_of(made)
    list(whole.epochs())
    killed = training_of(made, tmp_path)
    kill_after(killed, 0, 1)
    assert not killed.members[0].ready
    again = training_of(made, tmp_path)
    list(again.epochs())
    assert without_times(again.history) == without_times(whole.history)
    assert len(again.history) == 2
    data = made.rows.data
    assert again.members[0].estimate(data).tobytes() == whole.members[0].estimate(data).tobytes()


def test_an_unfinished_training_of_other_settings_is_not_gone_on_with(made, training_of, series, plan_of, tmp_path):
    kill_after(training_of(made, tmp_path), 0, 1)
    other = training_of(plan_of(series, **{**THREE_EPOCHS, "seed": 5}), tmp_path)
    with pytest.raises(ConfigError, match="unfinished training with other settings or other data"):
        next(iter(other.epochs()))


def test_the_digest_is_of_all_that_decides_the_result(made, training_of, series, plan_of):
    digest = training_of(made).digest
    assert training_of(plan_of(series, **THREE_EPOCHS)).digest == digest
    assert training_of(plan_of(series.assign(extra="x"), **THREE_EPOCHS, data="elsewhere.csv")).digest == digest
    value, molecule = series.copy(), series.copy()
    value.loc[3, "pAct"] += 1
    molecule.loc[3, "smiles"] = "CCO"
    others = [
        plan_of(series, **{**THREE_EPOCHS, "seed": 1}),
        plan_of(series, **{**THREE_EPOCHS, "train": {"epochs": 4}}),
        plan_of(series, **{**THREE_EPOCHS, "encoder": {"hidden": 17, "depth": 2}}),
        plan_of(series.head(100), **THREE_EPOCHS),
        plan_of(series.assign(pAct=">" + series["pAct"].astype(str)), **THREE_EPOCHS),
        plan_of(value, **THREE_EPOCHS),
        plan_of(molecule, **THREE_EPOCHS),
    ]
    digests = [digest, *(training_of(other).digest for other in others)]
    assert len(set(digests)) == len(digests)


def test_members_start_from_other_weights(whole):
    first, second = weights(whole)
    assert any(not torch.equal(first[k], second[k]) for k in first)


def test_what_an_interrupt_left_untrained_is_left_out(made, training_of):
    stopped = training_of(made)
    kill_after(stopped, 0, 2)
    one = stopped.finish()
    assert one.recipe.members == len(one.members) == 1
    untrained = training_of(made)
    kill_after(untrained, 0, 3)
    untrained.members.append(untrained._make(1))  # drawn, but the first epoch never ended
    assert len(untrained.finish().members) == 1


def test_the_model_left_early_holds_its_best_weights(made, training_of, tmp_path):
    stopped = training_of(made, tmp_path)
    kill_after(stopped, 0, 2)
    state, meta = states.load(tmp_path / CHECKPOINT)
    assert meta["member"] == 0 and state.epoch == 2
    assert all(torch.equal(state.best[k], v) for k, v in weights(stopped)[0].items())


def test_scaling_is_learnt_from_training_rows_alone(series, plan_of, training_of):
    frame = series.assign(fold=["train"] * 80 + ["valid"] * 15 + ["test"] * 15)
    frame.loc[frame["fold"] != "train", "pAct"] += 100
    made = plan_of(frame, split="column:fold")
    task = training_of(made).task
    train = made.rows.data.subset(made.split.train).targets.values[:, 0].double()
    assert task.mean == pytest.approx((float(train.mean()),))
    assert task.std == pytest.approx((float(train.std(unbiased=False)),))


def test_starting_from_a_trained_model(series, plan_of, training_of, network, forest, tmp_path):
    made = plan_of(series.head(40), targets=["pAct"])
    start = training_of(plan_of(series, targets=["pAct"]))
    list(start.epochs())
    trained = start.finish()
    trained.save(tmp_path)
    tuned = training_of(made, start=trained)
    member = tuned._make(0)
    assert all(torch.equal(v, weights(start)[0][k]) for k, v in member.model.state_dict().items())
    assert training_of(made).digest != tuned.digest
    other_head = training_of(made, start=network[1])._make(0)
    assert other_head.start_from(network[1].members[0]) != []  # the encoder fits, the outputs do not
    theirs = network[1].members[0].model.encoder.state_dict()
    assert all(torch.equal(theirs[k], v) for k, v in other_head.model.encoder.state_dict().items())
    with pytest.raises(ConfigError, match="cannot start from the weights of another model"):
        training_of(made, start=forest[1])._make(0)


def test_the_intervals_are_learnt_on_the_calibration_rows(network):
    made, predictor = network
    held = made.rows.data.subset(made.split.calibration)
    assert predictor.intervals["pAct"].n == len(held) > 9
    estimates, _ = predictor.estimate(held)
    off = np.sort(np.abs(held.targets.arrays("pAct")[0] - estimates[:, 0]))
    rank = int(np.ceil((len(off) + 1) * 0.9 - 1e-9))
    assert predictor.intervals["pAct"].limits[0] == pytest.approx(off[rank - 1], abs=1e-6)


def test_the_rows_of_each_fold_are_apart(network):
    made, _ = network
    folds = [set(getattr(made.split, n).tolist()) for n in ("train", "valid", "calibration", "test")]
    assert sum(map(len, folds)) == len(set.union(*folds)) == len(made.rows.data)
    assert isinstance(made.rows.data, Dataset)


def test_no_two_runs_share_a_member():
    seeds = [member_seed(seed, number) for seed in range(50) for number in range(5)]
    assert len(set(seeds)) == len(seeds) and all(0 <= seed < 2**31 for seed in seeds)
    assert [member_seed(seed, 0) for seed in range(50)] == list(range(50)), "one model keeps the run's seed"
