"""Train the tiny network as one of several processes and write its weights: run by test_fit."""

import json
import sys
from pathlib import Path

import tiny
import torch

from molgraph.fit import fit, processes

if __name__ == "__main__":
    torch.set_num_threads(1)
    processes.join()
    train, valid = tiny.data(), tiny.data(20, seed=1)
    model = tiny.model(train, seed=processes.rank(), dropout=0.0)
    losses = [epoch.valid_loss for epoch in fit(model, train, valid, tiny.settings(epochs=3))]
    weights = torch.cat([v.flatten() for v in model.state_dict().values()]).tolist()
    Path(sys.argv[1]).write_text(json.dumps({"weights": weights, "losses": losses}), encoding="utf-8")
    processes.leave()
