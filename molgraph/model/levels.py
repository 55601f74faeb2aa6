"""The levels of an encoder, from its input up: by them a start is fine-tuned, the lower the slower."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

Levels = list[list[str]]  # names of parameters
NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)


def ordered(module: nn.Module, order: Sequence[str]) -> Levels:
    """Return the levels of a module whose parts stand in this order, each word a part (or a glob) and those of one text
    side by side; without an order, as they were made. Parameters of its own belong to the lowest.
    """
    parts = {name: child for name, child in module.named_children() if _has_weights(child)}
    sides = [[name for name in parts if any(fnmatchcase(name, word) for word in text.split())] for text in order]
    found: Levels = []
    for names in sides or [[name] for name in parts]:
        found += beside(under(name, _inside(parts[name])) for name in names)
    own = [name for name, _ in module.named_parameters(recurse=False)]
    if own:
        found[:1] = [[*own, *(found[0] if found else [])]]
    return found


def beside(stacks: Iterable[Levels]) -> Levels:
    """Return stacks side by side as one, the last level of each at the top."""
    every = list(stacks)
    most = max(map(len, every), default=0)
    padded: list[Levels] = [[[]] * (most - len(each)) + each for each in every]
    return [[name for names in level for name in names] for level in zip(*padded, strict=True)]


def under(part: str, levels: Levels) -> Levels:
    """Return levels with the name of the part that they are in."""
    return [[f"{part}.{name}" for name in names] for names in levels]


def _inside(module: nn.Module) -> Levels:
    """Return the levels of a list or a sequence, one after the other, a norm with what it follows; else one."""
    own = any(True for _ in module.parameters(recurse=False))
    parts = [(name, child) for name, child in module.named_children() if _has_weights(child)]
    if own or not parts or not (len(parts) == 1 or isinstance(module, nn.ModuleList | nn.Sequential)):
        return [[name for name, _ in module.named_parameters()]]
    found: Levels = []
    for name, child in parts:
        levels = under(name, _inside(child))
        if isinstance(child, NORMS) and found and not isinstance(module, nn.ModuleList):
            found[-1] += levels[0]
        else:
            found += levels
    return found


def _has_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())
