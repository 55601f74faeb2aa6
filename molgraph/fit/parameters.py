"""Which weights a training moves, and at which share of the learning rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from molgraph.config import FitSettings
from molgraph.errors import ConfigError, did_you_mean
from molgraph.model.learner import Learner

ENCODER = "encoder"


def frozen(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Return which of an encoder's names (`layers.0.weight`) patterns name: parts (`layers.0`), globs, or `encoder`.

    Raises: ConfigError for a pattern that names none.
    """
    every, found = list(names), dict[str, None]()
    for pattern in patterns:
        mine = [name for name in every if _within(name, pattern)]
        if not mine:
            parts = dict.fromkeys([ENCODER, *(name.partition(".")[0] for name in every)])
            raise ConfigError(f"train.freeze: the encoder has no part '{pattern}'{did_you_mean(pattern, parts)}")
        found |= dict.fromkeys(mine)
    return list(found)


def _within(name: str, pattern: str) -> bool:
    """Tell whether a pattern names a part of an encoder, or one that it is in."""
    if pattern == ENCODER:
        return True
    pieces, glob = name.split("."), pattern.removeprefix(f"{ENCODER}.")
    return any(fnmatchcase(".".join(pieces[:end]), glob) for end in range(1, len(pieces) + 1))


def groups(learner: Learner, settings: FitSettings) -> list[dict[str, Any]]:
    """Return the weights that are moved, by the share (`scale`) of the learning rate at which they are.

    A weight that lies n levels below the outputs has layer_decay^n.

    See: Howard & Ruder 2018, arXiv 1801.06146 (discriminative fine-tuning); Clark 2020, arXiv 2003.10555 and Bao 2022,
    arXiv 2106.08254 (as a power of the level)
    Raises: ConfigError as `frozen`.
    """
    still, heights = set(held(learner, settings.freeze)), learner.heights() if settings.layer_decay != 1 else {}
    found: dict[int, list[nn.Parameter]] = {}
    for name, parameter in learner.named_parameters():
        if name not in still:
            found.setdefault(heights.get(name, 0), []).append(parameter)
    return [{"params": each, "scale": settings.layer_decay**height} for height, each in found.items()]


def held(learner: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Return the names of a learner's weights that are not moved."""
    start = f"{ENCODER}."
    inside = [name.removeprefix(start) for name, _ in learner.named_parameters() if name.startswith(start)]
    return [start + name for name in frozen(inside, patterns)]


def norms(learner: nn.Module, patterns: Sequence[str]) -> list[nn.Module]:
    """Return the batch norms of frozen parts: they keep the statistics that they have."""
    start = f"{ENCODER}."
    return [
        module
        for name, module in learner.named_modules()
        if isinstance(module, _BatchNorm)
        and name.startswith(start)
        and any(_within(name.removeprefix(start), pattern) for pattern in patterns)
    ]
