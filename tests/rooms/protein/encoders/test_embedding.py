from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.errors import DataError
from molgraph.rooms.protein.encoders.embedding import Embedding
from molgraph.rooms.protein.prepare import prepare


def dataset(texts: list[str]) -> Dataset:
    parts = prepare(texts, ("embedding",)).parts
    n = len(parts)
    return Dataset({"it": Input(parts, torch.arange(n))}, Targets.none(n), np.arange(n), ("",) * n)


def test_numbers_are_scaled_by_the_training_rows_only() -> None:
    data = dataset(["1 10", "3 30", "100 5"])
    encoder = Embedding({"embedding": [2]}, hidden=4)
    encoder.adapt(data.subset(torch.tensor([0, 1])))
    scale = encoder.scales["embedding"]
    assert scale.mean.tolist() == [2, 20] and scale.rate.tolist() == pytest.approx([1, 0.1])


def test_what_it_asks_of_the_room() -> None:
    assert Embedding.asks({}) == ("embedding",)
    assert Embedding.asks({"file": "esm.npz"}) == ("embedding:esm.npz",)


def test_vectors_of_another_model_are_refused() -> None:
    encoder = Embedding({"embedding": [2]})
    with pytest.raises(DataError, match="'embedding' has 3 numbers, in training it had 2"):
        encoder(dataset(["1 2 3"]).batch(torch.tensor([0])))
