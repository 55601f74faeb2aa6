import json
import math
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch

from molgraph.errors import CheckpointError, ConfigError, DivergedError
from molgraph.fit import estimate, fit
from molgraph.fit import state as states
from molgraph.fit.device import Place, choose
from molgraph.fit.sampler import bounds, mix, shuffled
from molgraph.fit.steps import plain


def trained(train, valid, seed=0, **given):
    model = tiny.model(train)
    epochs = list(fit(model, train, valid, tiny.settings(**given), seed=seed))
    return model, epochs


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_it_learns():
    train, valid = tiny.data(400), tiny.data(50, seed=1)
    _, epochs = trained(train, valid, epochs=40)
    assert epochs[-1].valid_loss < 0.05 < 0.5 < epochs[0].valid_loss


def test_two_runs_of_one_seed_are_bit_equal_and_of_another_are_not():
    train, valid = tiny.data(), tiny.data(20, seed=1)
    first, second, other = (trained(train, valid, seed=seed)[0].state_dict() for seed in (3, 3, 4))
    assert same(first, second)
    assert not same(first, other)


def test_training_leaves_the_callers_random_numbers_alone():
    train = tiny.data()
    torch.manual_seed(5)
    expected = torch.rand(3)
    model = tiny.model(train)
    torch.manual_seed(5)
    list(fit(model, train, train, tiny.settings(epochs=1)))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_resumed_from_a_file_is_bit_equal_to_uninterrupted(tmp_path, ema):
    train, valid = tiny.data(), tiny.data(20, seed=1)
    whole, epochs = trained(train, valid, ema=ema)
    model = tiny.model(train)
    for epoch in fit(model, train, valid, tiny.settings(ema=ema)):
        epoch.state().save(tmp_path / "c.safetensors", run="x")
        if epoch.number == 3:
            break
    state, meta = states.load(tmp_path / "c.safetensors")
    assert meta == {"run": "x"}
    again = tiny.model(train, seed=99)
    rest = list(fit(again, train, valid, tiny.settings(ema=ema), state=state))
    assert [e.number for e in rest] == [4, 5, 6]
    assert [e.valid_loss for e in rest] == [e.valid_loss for e in epochs[3:]]
    assert same(again.state_dict(), whole.state_dict())


def test_the_average_forgets_the_untrained_weights_and_counts_steps_over_epochs():
    train = tiny.data()
    model = tiny.model(train)
    expected = {name: value.clone() for name, value in model.state_dict().items()}
    decays = []

    def step(model, *given):
        sums = plain(model, *given)
        decays.append(min(0.5, (1 + len(decays)) / (10 + len(decays))))
        for name, value in model.state_dict().items():
            expected[name] = decays[-1] * expected[name] + (1 - decays[-1]) * value
        return sums

    for epoch in fit(model, train, train, tiny.settings(epochs=3, ema=0.5), step=step):
        torch.testing.assert_close(epoch.state().average, expected)
    assert decays[0] == 0.1 and decays[-1] == decays[-2] == 0.5


def test_a_slow_average_of_a_short_training_is_a_trained_network():
    train, valid = tiny.data(400), tiny.data(50, seed=1)
    _, epochs = trained(train, valid, epochs=40, ema=0.9999)
    assert epochs[-1].valid_loss < 0.05


@pytest.mark.parametrize("fused", [True, False])
def test_a_fused_optimiser_goes_on_with_its_steps_where_the_weights_are(fused):
    layer, far = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2, device="meta")  # as a card that is not there
    made = torch.optim.AdamW(layer.parameters(), fused=fused)
    layer(torch.ones(1, 3)).sum().backward()
    made.step()
    saved = states.copy(states.moments(made, layer))
    for target in (layer, far):
        again = torch.optim.AdamW(target.parameters(), fused=fused)
        states.set_moments(again, target, saved)
        found = states.moments(again, target)
        assert found.keys() == saved.keys()
        for name, value in found.items():
            there = target.weight.device if fused or not name.endswith("/step") else torch.device("cpu")
            assert value.device == there and value is not saved[name]
            assert target is far or torch.equal(value, saved[name])


def test_damaged_checkpoint_is_said(tmp_path):
    (tmp_path / "c.safetensors").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="damaged"):
        states.load(tmp_path / "c.safetensors")


def test_the_model_holds_the_best_weights_when_it_ends_or_is_left():
    train, valid = tiny.data(), tiny.data(20, seed=1)
    model = tiny.model(train)
    best, seen = None, math.inf
    for epoch in fit(model, train, valid, tiny.settings(epochs=20, lr=0.3)):
        if epoch.improved:
            best, seen = epoch.state().best, epoch.valid_loss
        elif epoch.stale == 3:
            break
    assert same(model.state_dict(), best)
    task = model.task
    error = (estimate(model, valid) - valid.targets.values) / task.std[0]
    assert float(error.square().mean()) == pytest.approx(seen, rel=1e-4)


def test_stop_ends_the_training():
    train = tiny.data()
    model = tiny.model(train)
    done = []
    for epoch in fit(model, train, train, tiny.settings()):
        done.append(epoch.number)
        if epoch.number == 2:
            epoch.stop()
    assert done == [1, 2]


def test_without_validation_the_last_epoch_is_best():
    train = tiny.data()
    _, epochs = trained(train, train.subset(torch.arange(0)))
    assert [e.valid_loss for e in epochs] == [None] * 6
    assert all(e.improved for e in epochs)


def test_divergence_names_epoch_loss_and_rate():
    train = tiny.data()
    model = tiny.model(train)
    with torch.no_grad():
        model.head[0].weight[0, 0] = math.nan
    with pytest.raises(DivergedError, match=r"epoch 1: the training loss is nan at learning rate"):
        list(fit(model, train, train, tiny.settings()))


def test_rate_warms_up_then_falls():
    train = tiny.data()
    _, epochs = trained(train, train, epochs=8, warmup=2)
    rates = [e.lr for e in epochs]
    assert rates[1] > rates[0]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] < 0.05 * max(rates)


def test_unknown_device_is_refused():
    with pytest.raises(ConfigError, match="is not there"):
        choose("cuda:99" if torch.cuda.is_available() else "cuda")


@pytest.mark.parametrize(("rows", "size", "world"), [(97, 16, 1), (97, 16, 2), (97, 16, 3), (3, 16, 2), (33, 32, 1)])
def test_every_row_is_seen_once_and_every_process_steps_as_often(rows, size, world):
    shares = [list(shuffled(rows, size, seed=1, epoch=2, rank=rank, world=world)) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    assert all(len(batch) for share in shares for batch in share)
    assert sorted(torch.cat([b for share in shares for b in share]).tolist()) == list(range(rows))


def test_a_last_batch_of_one_row_joins_the_one_before():
    assert bounds(33, 16, 1) == [(0, 16), (16, 33)]
    assert bounds(1, 16, 1) == [(0, 1)]


def test_seeds_of_neighbouring_epochs_differ():
    assert len({mix(seed, epoch, rank) for seed in range(20) for epoch in range(20) for rank in range(3)}) == 1200


def test_estimates_do_not_depend_on_batch_mates():
    train = tiny.data(600)
    model = tiny.model(train)
    alone = torch.cat([estimate(model, train.subset([i])) for i in (0, 300, 599)])
    assert torch.allclose(alone, estimate(model, train)[[0, 300, 599]], rtol=1e-6)
    assert estimate(model, train.subset([])).shape == (0, 1)


def test_estimates_in_bfloat16_tell_rows_apart():
    train = tiny.data(2000)
    model = tiny.model(train)
    exact = estimate(model, train, Place(torch.device("cpu"), bfloat16=False))
    rounded = estimate(model, train, Place(torch.device("cpu"), bfloat16=True))
    torch.testing.assert_close(rounded, exact, rtol=0.02, atol=0.1)
    assert not torch.equal(rounded, exact)
    assert len(rounded.unique()) > 0.95 * len(exact.unique())


def test_two_processes_agree_with_each_other_and_with_one(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("ranked.py")
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    running = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / f"{rank}.json")],
            env={**os.environ, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first == second
    train, valid = tiny.data(), tiny.data(20, seed=1)
    alone = tiny.model(train, dropout=0.0)
    list(fit(alone, train, valid, replace(tiny.settings(), epochs=3)))
    ours = torch.cat([v.flatten() for v in alone.state_dict().values()])
    assert torch.allclose(torch.tensor(first["weights"]), ours, atol=2e-4)
