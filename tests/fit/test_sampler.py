from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from molgraph.config import FitSettings
from molgraph.data.dataset import ABSENT, Dataset, Input
from molgraph.data.packed import Packed
from molgraph.data.targets import Targets
from molgraph.errors import ConfigError
from molgraph.fit.sampler import SAMPLERS, Sampler, balanced, blocks, bounds, shuffled
from molgraph.kinds import Kind, make
from molgraph.model.learner import Learner
from molgraph.model.model import Model

NONE = Learner()  # of which blocks ask nothing


def pairs(drug: np.ndarray, target: np.ndarray) -> Dataset:
    inputs = {}
    for name, index in (("drug", drug), ("target", target)):
        count = int(index.max()) + 1
        parts = Packed({"value": torch.zeros(count, 1)}, {"value": "part"}, {}, {"value": [1]}, count)
        inputs[name] = Input(parts, torch.from_numpy(index.astype(np.int64)))
    return Dataset(inputs, Targets.none(len(drug)), np.arange(len(drug)), ("",) * len(drug))


class Sorting(Model):
    """A model of which nothing but its task is asked."""

    def __init__(self, task: Kind) -> None:
        Learner.__init__(self)
        self.task = task


def epoch(sampler: Sampler, data: Dataset, size: int, number: int = 1, rank: int = 0, world: int = 1) -> list[Tensor]:
    return list(sampler(len(data), size, seed=7, epoch=number, rank=rank, world=world))


def distinct(data: Dataset, batches: list[Tensor], name: str) -> float:
    """Return the mean number of parts that a batch encodes."""
    return float(np.mean([len(data.inputs[name].index[rows].unique()) for rows in batches]))


def random_pairs(n: int, drugs: int, targets: int) -> Dataset:
    draw = np.random.default_rng(0)
    cells = draw.choice(drugs * targets, n, replace=False)
    return pairs(cells // targets, cells % targets)


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize(("n", "drugs", "targets", "size"), [(600, 20, 30, 64), (97, 40, 60, 16), (5, 3, 2, 64)])
def test_every_row_comes_once_in_as_many_batches_as_at_random(
    n: int, drugs: int, targets: int, size: int, world: int
) -> None:
    data = random_pairs(n, drugs, targets)
    sampler = blocks(data, NONE)
    shares = [epoch(sampler, data, size, rank=rank, world=world) for rank in range(world)]
    assert sorted(torch.cat([rows for share in shares for rows in share]).tolist()) == list(range(n))
    assert {len(share) for share in shares} == {len(bounds(n, size, world))}
    assert all(len(rows) for share in shares for rows in share)
    whole = sorted(sum(len(share[i]) for share in shares) for i in range(len(shares[0])))
    assert whole == sorted(end - begin for begin, end in bounds(n, size, world))


def test_an_epoch_repeats_itself_and_no_other() -> None:
    data = random_pairs(600, 20, 30)
    first, again, second = (epoch(blocks(data, NONE), data, 64, number) for number in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(set(a.tolist()) == set(b.tolist()) for a in first for b in second)


def test_a_complete_table_is_cut_into_squares() -> None:
    drug, target = np.divmod(np.arange(64 * 64), 64)
    data = pairs(drug, target)
    batches = epoch(blocks(data, NONE), data, 256)
    assert {len(data.inputs[name].index[rows].unique()) for rows in batches for name in data.inputs} == {16}


def test_absent_inputs_are_sampled_too() -> None:
    drug = np.array([0, 1, ABSENT, 2, ABSENT, 0] * 10)
    data = pairs(drug, np.arange(60) % 7)
    assert sorted(torch.cat(epoch(blocks(data, NONE), data, 8)).tolist()) == list(range(60))


@pytest.mark.parametrize(
    ("name", "most"),
    [("davis", {"drug": 0.5, "target": 0.12}), ("kiba", {"drug": 0.25, "target": 0.4})],
)
def test_batches_of_real_pairs_hold_fewer_parts(name: str, most: dict[str, float], shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "dti" / f"{name}_pairs.csv.gz")
    table = table[table.fold != -1]
    data = pairs(*(pd.factorize(table[column])[0] for column in ("drug_id", "target_id")))
    at_random, in_blocks = epoch(shuffled, data, 512), epoch(blocks(data, NONE), data, 512)
    assert len(at_random) == len(in_blocks)
    for part, share in most.items():
        found = distinct(data, at_random, part), distinct(data, in_blocks, part)
        print(name, part, found)
        assert found[1] < share * found[0]


def test_balanced_batches_draw_every_class_alike() -> None:
    data = pairs(np.zeros(1000), np.arange(1000))
    values = torch.tensor([[1.0]] * 50 + [[0.0]] * 900 + [[2.0]] * 50)
    data = replace(data, targets=Targets.of(("y",), values))
    task = Sorting(make({"y": "multiclass"}, {"y": ("a", "b", "c")}))
    drawn = torch.cat(epoch(balanced(data, task), data, 64))
    assert len(drawn) == 1000
    shares = torch.bincount(values[drawn, 0].long()) / 1000
    assert shares.tolist() == pytest.approx([1 / 3] * 3, abs=0.05)
    assert torch.equal(drawn, torch.cat(epoch(balanced(data, task), data, 64)))
    assert not torch.equal(drawn, torch.cat(epoch(balanced(data, task), data, 64, number=2)))
    two = [torch.cat(epoch(balanced(data, task), data, 64, rank=rank, world=2)) for rank in (0, 1)]
    assert sorted(torch.cat(two).tolist()) == sorted(drawn.tolist())


def test_only_classes_of_rows_are_balanced() -> None:
    data = pairs(np.zeros(40), np.arange(40))
    whole = Targets.of(("y",), torch.arange(40.0)[:, None] // 10)
    marks = Targets.of(("y",), (torch.arange(400.0)[:, None] % 7 == 0).float())
    voxels = replace(marks, offsets=torch.arange(0, 401, 10))
    refused = [
        (whole, make({"y": "regression"})),
        (whole, make({"y": "regression"}, variance=True)),
        (voxels, make({"y": "binary"})),
        (Targets.none(40), make({"y": "binary"})),  # patches have their targets only when they are drawn
    ]
    for targets, task in refused:
        with pytest.raises(ConfigError, match="'y' does not sort rows into classes"):
            SAMPLERS["balanced"](replace(data, targets=targets), Sorting(task))
    both = make({"y": "ordinal", "z": "regression"}, {"y": ("0", "1", "2", "3")})
    two = Targets.of(("y", "z"), torch.cat([whole.values, torch.rand(40, 1)], 1))
    drawn = torch.cat(epoch(SAMPLERS["balanced"](replace(data, targets=two), Sorting(both)), data, 8))
    assert set(whole.values[drawn, 0].tolist()) == {0.0, 1.0, 2.0, 3.0}


def test_what_has_no_classes_at_all_says_so() -> None:
    with pytest.raises(ConfigError, match="what is trained does not sort rows into classes"):
        balanced(pairs(np.zeros(4), np.arange(4)), Learner())


def test_the_settings_name_every_sampler() -> None:
    assert get_args(get_type_hints(FitSettings)["batches"]) == tuple(SAMPLERS)
