"""Running a trained model over rows: fixed batches, so the same rows give the same numbers whoever asks."""

from __future__ import annotations

import torch
from torch import Tensor

from molgraph.data.dataset import Dataset
from molgraph.data.endable import step
from molgraph.fit.device import Place, choose, memory_errors
from molgraph.model.learner import Learner
from molgraph.model.model import Model


@torch.no_grad()
def estimate(model: Model, data: Dataset, place: Place | None = None) -> Tensor:
    """Return the estimates of every row, float64 [N, columns of the task], on the CPU."""
    where = place or choose("cpu")
    model.to(where.device).eval()
    found = []
    for rows in torch.arange(len(data)).split(model.at_once):  # of no rows, one batch without any
        step("estimating")
        with memory_errors("predicting"), where.autocast():
            estimates = model.estimates(data.batch(rows.to(data.device)).to(where.device))
        found.append(estimates.cpu().double())
    return torch.cat(found)


@torch.no_grad()
def embed(model: Model, data: Dataset, place: Place | None = None) -> Tensor:
    """Return the vector of every row as the head takes it, float32 [N, D], on the CPU."""
    where = place or choose("cpu")
    model.to(where.device).eval()
    found = []
    for rows in torch.arange(len(data)).split(model.at_once):
        step("embedding")
        with memory_errors("embedding"), where.autocast():
            vectors = model.embeddings(data.batch(rows.to(data.device)).to(where.device))
        found.append(vectors.float().cpu())
    return torch.cat(found)


@torch.no_grad()
def mean_loss(learner: Learner, data: Dataset, place: Place) -> float | None:
    """Return the weighted mean loss over all rows, or None where nothing was measured."""
    learner.eval()
    loss_sum = weight_sum = 0.0
    for rows in torch.arange(len(data)).split(learner.at_once):
        batch = data.batch(rows.to(data.device)).to(place.device)
        with place.autocast():
            loss = learner.losses(batch)
        loss_sum += float(loss.sum)
        weight_sum += float(loss.weight)
    return loss_sum / weight_sum if weight_sum else None
