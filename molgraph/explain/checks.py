"""Whether an attribution can be believed: does it depend on what was learnt, and does the estimate depend on it?"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from molgraph.explain.subject import Subject
from molgraph.model.model import Model

STEPS = 20  # shares of the pixels that are taken away, one after the other

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Checks:
    """Hold the checks of one attribution.

    `correlation` is the rank correlation with the map of the same network with random weights, near 0 where the map
    shows what was learnt; NaN where a map is flat. `deletion` is the mean estimate while pixels are taken away, the
    most important ones first, and `shuffled` in random order: the lower the first, the more the map found.
    """

    correlation: float
    deletion: float
    shuffled: float


def randomised(model: Model, seed: int) -> Model:
    """Return a copy with all weights drawn anew; the scale of its pictures stays.

    See: Adebayo et al. 2018, arXiv 1810.03292
    """
    fresh = copy.deepcopy(model).cpu()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in fresh.modules():
            draw = getattr(module, "reset_parameters", None)
            if draw is not None:
                draw()
    return fresh.to(next(model.parameters()).device).eval()


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's correlation of two maps' magnitudes, NaN where one is flat."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of what is NaN
        return float(spearmanr(np.abs(first).ravel(), np.abs(second).ravel()).statistic)


@torch.no_grad()
def deletion(subject: Subject, pictures: Tensor, order: NDArray[np.int64]) -> float:
    """Return the mean estimate while pixels become mean grey in the order given (positions in [M, (Z,) Y, X], flat).

    See: Petsiuk, Das and Saenko 2018 (the deletion curve), arXiv 1806.07421
    """
    left = pictures.clone()
    flat = left.movedim(1, -1).reshape(-1, pictures.shape[1])
    shape = (len(left), *left.shape[2:], left.shape[1])
    curve = [subject.estimate(subject.vectors(left)[None])]
    for gone in np.array_split(order, STEPS):
        flat[torch.from_numpy(gone).to(flat.device)] = 0
        curve.append(subject.estimate(subject.vectors(flat.view(shape).movedim(-1, 1))[None]))
    return float(torch.trapezoid(torch.cat(curve).double()) / STEPS)


def orders(found: Floats, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels from the most important on, ties at random, and in random order."""
    shuffled = np.random.default_rng(seed).permutation(found.size)
    ranked = shuffled[np.argsort(-found.ravel()[shuffled], kind="stable")]
    return ranked, shuffled
