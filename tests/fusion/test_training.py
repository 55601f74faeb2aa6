"""A fusion goes through the training core as any encoder does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from molgraph.config import FitSettings
from molgraph.data.dataset import Dataset, Input
from molgraph.data.targets import Targets
from molgraph.fit import estimate, fit
from molgraph.fusion.bilinear import Bilinear
from molgraph.kinds.number import Number
from molgraph.model.model import Model
from molgraph.rooms.molecule import prepare as molecule
from molgraph.rooms.molecule.encoders.gin import GIN
from molgraph.rooms.protein import prepare as protein
from molgraph.rooms.protein.encoders.cnn import CNN


@pytest.fixture(scope="module")
def davis(shared_data: Path) -> Dataset:
    """Return every drug of Davis against every 30th of its kinases."""
    folder = shared_data / "dti"
    drugs, targets = pd.read_csv(folder / "davis_ligands.csv"), pd.read_csv(folder / "davis_targets.csv.gz")[::30]
    table = pd.read_csv(folder / "davis_pairs.csv.gz")
    table = table[table.target_id.isin(targets.target_id)]
    made = {
        "drug": (molecule.prepare(list(drugs.smiles), ("graph",)), pd.Index(drugs.drug_id), table.drug_id),
        "target": (
            protein.prepare(list(targets.sequence), ("residues",)),
            pd.Index(targets.target_id),
            table.target_id,
        ),
    }
    inputs = {
        name: Input(prepared.parts, torch.from_numpy(prepared.index[names.get_indexer(column)]))
        for name, (prepared, names, column) in made.items()
    }
    measured = Targets.of(("pKd",), torch.tensor(table.pKd.to_numpy())[:, None])
    return Dataset(inputs, measured, np.arange(len(table)), ("",) * len(table))


@pytest.mark.parametrize("batches", ["random", "blocks"])
def test_pairs_are_learnt_and_blocks_encode_each_protein_less_often(
    davis: Dataset, batches: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    encoders = {
        "drug": GIN(davis.inputs["drug"].parts.schema, hidden=32, depth=2),
        "target": CNN(davis.inputs["target"].parts.schema, embedding=8, filters=4, depth=2),
    }
    encoded = []
    forward = CNN.forward
    monkeypatch.setattr(
        CNN, "forward", lambda self, batch: encoded.append(len(batch.parts["target"])) or forward(self, batch)
    )
    model = Model(Bilinear(encoders, hidden=16), Number(("pKd",)).adapt(davis.targets), hidden=32)
    settings = FitSettings(epochs=12, lr=1e-2, batch_size=64, batches=batches, device="cpu")  # type: ignore[arg-type]
    nothing = davis.subset(np.zeros(0, dtype=np.int64))
    losses = [epoch.train_loss for epoch in fit(model, davis, nothing, settings)]
    targets = len(davis.inputs["target"].parts)
    per_batch = sum(encoded) / len(encoded)
    assert per_batch > 0.9 * targets if batches == "random" else per_batch < 0.75 * targets

    assert losses[-1] < 0.85 * losses[0]
    found = estimate(model, davis)[:, 0]
    assert float(torch.corrcoef(torch.stack([found, davis.targets.values[:, 0]]))[0, 1]) > 0.4
