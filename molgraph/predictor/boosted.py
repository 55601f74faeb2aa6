"""Boosted trees as plain arrays: what is left of CatBoost after training, so that no stranger's file reaches it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.files import os_errors, scratch
from molgraph.data.untrusted import damaged, read_json
from molgraph.errors import CheckpointError, ResourceError
from molgraph.predictor import tensors

Floats = NDArray[np.float64]
DEPTH = 16  # CatBoost grows none deeper
MOST = 2**30  # bytes of the JSON of earlier versions
ROWS, TREES = 1024, 64  # a tile stays in the cache: the fastest of the sizes tried
KINDS = {
    "width": torch.int64, "feature": torch.int64, "border": torch.float32, "depth": torch.int64,
    "asked": torch.int64, "leaf": torch.float64, "scale": torch.float64, "bias": torch.float64,
    "classes": torch.int64,
}  # fmt: skip


@dataclass(frozen=True)
class Boosted:
    """Hold symmetric trees: all nodes of a level ask the same question, whether a feature is above a border.

    The answers of a tree, the first as the lowest bit, are the number of its leaf; a blank is above nothing. Rows are
    `scale` times the sum of their leaves, and `bias`.

    Shapes: `feature` and `border` [Q], the distinct questions, by rising feature; `depth` [T]; `asked` [sum of depth],
    numbers of questions, tree after tree; `leaf` [sum of 2^depth, O]; `bias` [O]; `classes` [O] or [0], the class that
    an output stands for.

    See: Prokhorenkova 2018, arXiv 1706.09516, section 5 (oblivious trees)
    """

    width: int
    feature: NDArray[np.int64]
    border: NDArray[np.float32]
    depth: NDArray[np.int64]
    asked: NDArray[np.int64]
    leaf: Floats
    scale: float
    bias: Floats
    classes: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check that every number that is used as a place points to something.

        Raises: ValueError where one does not.
        """
        outputs, questions = len(self.bias), len(self.feature)
        leaves = np.exp2(np.minimum(self.depth, DEPTH)).sum()
        true = {
            "there is no tree": len(self.depth) > 0 and outputs > 0,
            f"a tree is deeper than {DEPTH}": bool(((self.depth >= 0) & (self.depth <= DEPTH)).all()),
            "questions and borders do not fit": self.border.shape == (questions,),
            "a question is about a feature that is not there": _all_within(self.feature, self.width),
            "the questions are not in order": bool((np.diff(self.feature) >= 0).all()),
            "a tree asks what is not there": _all_within(self.asked, questions),
            "depths and questions do not fit": len(self.asked) == self.depth.sum(),
            "depths and leaves do not fit": self.leaf.shape == (leaves, outputs),
            "classes and outputs do not fit": len(self.classes) in (0, outputs),
            "the classes are not in order": bool((np.diff(self.classes) > 0).all()) and (self.classes >= 0).all(),
            "a number is not finite": all(
                np.isfinite(a).all() for a in (self.border, self.leaf, self.scale, self.bias)
            ),
        }
        wrong = [what for what, right in true.items() if not right]
        if wrong:
            raise ValueError(wrong[0])

    @property
    def outputs(self) -> int:
        return len(self.bias)

    def __len__(self) -> int:
        return len(self.depth)

    def raw(self, features: NDArray[np.float32]) -> Floats:
        """Return the outputs of every row.

        Shapes: `features` [N, width]; returns [N, O].
        Raises: CheckpointError where rows have more or fewer features than the trees have seen.
        """
        if features.shape[1] != self.width:
            raise CheckpointError(
                f"the trees were grown on {self.width} features, and this version of molgraph makes "
                f"{features.shape[1]}. Use the version that trained the model, or train again."
            )
        out = np.empty((len(features), len(self.bias)))
        for start in range(0, len(features), ROWS):
            out[start : start + ROWS] = self._tile(features[start : start + ROWS])
        return self.scale * out + self.bias

    def in_units(self, unit: Floats, move: Floats) -> Self:
        """Return trees whose outputs are multiplied by `unit` and then moved, both [O]."""
        return replace(self, leaf=self.leaf * unit, bias=self.bias * unit + move)

    def _tile(self, features: NDArray[np.float32]) -> Floats:
        """Return the sums of the leaves of some rows; eight answers stand in one word of 64 bits."""
        asked, base = self._padded
        rows = len(features)
        words = self._answers(features).view(np.uint64)
        found = np.zeros((rows, len(self.bias)))
        for start in range(0, len(asked), TREES):
            some = slice(start, start + TREES)
            found += self._sum(words, asked[some], base[some])[:rows]
        return found

    def _sum(self, words: NDArray[np.uint64], asked: NDArray[np.int64], base: NDArray[np.int64]) -> Floats:
        """Return the sum of the leaves of some trees for each row of a tile."""
        place = np.repeat(base[:, None], words.shape[1] * 8, axis=1)
        for low in range(0, asked.shape[1], 8):  # a byte holds eight answers
            digits = words[asked[:, low]]
            for bit in range(1, min(8, asked.shape[1] - low)):
                digits |= words[asked[:, low + bit]] << np.uint64(bit)
            place += digits.view(np.uint8).astype(np.int64) << low
        return np.stack([values.take(place).sum(axis=0) for values in self._leaf_of], axis=1)

    def _answers(self, features: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return whether each row is above each border, and below a last one that nothing is above: [Q + 1, rows]."""
        first = np.flatnonzero(np.diff(self.feature, prepend=-1))
        columns = np.ascontiguousarray(features.T[self.feature[first]])
        found = np.zeros((len(self.feature) + 1, -(-len(features) // 8) * 8), dtype=np.uint8)
        for values, begin, end in zip(columns, first, np.append(first[1:], len(self.feature)), strict=True):
            np.greater(values, self.border[begin:end, None], out=found[begin:end, : len(features)].view(np.bool_))
        return found

    @cached_property
    def _padded(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the questions of every tree, [T, greatest depth], shallow ones filled up, and its first leaf [T]."""
        asked = np.full((len(self.depth), int(self.depth.max())), len(self.feature))
        asked[np.arange(asked.shape[1]) < self.depth[:, None]] = self.asked
        leaves = np.exp2(self.depth).astype(np.int64)
        return asked, np.cumsum(leaves) - leaves

    @cached_property
    def _leaf_of(self) -> list[Floats]:
        return [np.ascontiguousarray(values) for values in self.leaf.T]

    def save(self, path: Path) -> None:
        """Write the arrays as safetensors."""
        tensors.write(path, {name: torch.as_tensor(getattr(self, name), dtype=kind) for name, kind in KINDS.items()})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises: CheckpointError where it is missing, damaged or no trees.
        """
        found = tensors.read(path, KINDS)
        with damaged(path):
            made: dict[str, Any] = {name: values.numpy() for name, values in found.items()}
            return cls(**made | {name: made[name].item() for name in ("width", "scale")})

    @classmethod
    def of_catboost(cls, model: Any) -> Self:
        """Take over a model that was just trained, by the JSON that CatBoost documents.

        Raises: ResourceError where the system's temporary folder is full or closed to the user.
        """
        from catboost import CatBoostError

        with scratch() as folder, os_errors(folder):
            path = folder / "trees.json"
            try:
                model.save_model(str(path), format="json")
            except CatBoostError as error:
                raise ResourceError(f"{path}: cannot be written: {str(error).splitlines()[0]}") from error
            return cls.of_json(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def load_json(cls, path: Path) -> Self:
        """Read the file in which earlier versions kept trees.

        Raises: CheckpointError where it is missing, damaged or no trees.
        """
        with damaged(path, "the trees cannot be read"):
            return cls.of_json(read_json(path, MOST))

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Self:
        """Build the trees that CatBoost's JSON describes.

        Raises: KeyError, TypeError or ValueError where it is not of that form.
        See: https://catboost.ai/docs/en/concepts/python-reference_apply_catboost_model
        """
        borders = _borders(found["features_info"])
        scale, bias = found["scale_and_bias"]
        known = [(feature, border) for feature, mine in enumerate(borders) for border in mine]
        splits = [[_question(split, known) for split in tree["splits"] or ()] for tree in found["oblivious_trees"]]
        leaves = [_leaves(tree["leaf_values"], len(asked), len(bias)) for tree, asked in
                  zip(found["oblivious_trees"], splits, strict=True)]  # fmt: skip
        questions = sorted({question for asked in splits for question in asked})
        number = {question: at for at, question in enumerate(questions)}
        classes = found["model_info"].get("class_params", {}).get("class_names", [])
        return cls(
            len(borders),
            np.array([feature for feature, _ in questions], dtype=np.int64),
            np.array([border for _, border in questions], dtype=np.float32),
            np.array([len(asked) for asked in splits], dtype=np.int64),
            np.array([number[question] for asked in splits for question in asked], dtype=np.int64),
            np.concatenate([*leaves, np.zeros((0, len(bias)))]),
            _number(scale),
            np.array([_number(value) for value in bias], dtype=np.float64),
            np.array([_whole(name) for name in classes] if len(bias) > 1 else [], dtype=np.int64),
        )


def _all_within(numbers: NDArray[np.int64], end: int) -> bool:
    return bool(((numbers >= 0) & (numbers < end)).all())


def _borders(info: Mapping[str, Any]) -> list[list[float]]:
    """Return the borders of every feature: all are numbers, and a blank is above no border."""
    others = [name for name, there in info.items() if there and name != "float_features"]
    if others:
        raise ValueError(f"only numbers are features here, and there are {others[0]}")
    found = []
    for at, each in enumerate(info["float_features"]):
        if (each["flat_feature_index"], each["feature_index"]) != (at, at):
            raise ValueError(f"feature {at} is not in its place")
        if each["nan_value_treatment"] not in ("AsIs", "AsFalse"):
            raise ValueError(f"feature {at} treats blanks as '{each['nan_value_treatment']}'")
        found.append([_number(border) for border in each["borders"]])
    return found


def _question(split: Mapping[str, Any], known: Sequence[tuple[int, float]]) -> tuple[int, float]:
    """Return feature and border of a split, which must be the one of all that its number says."""
    question = _whole(split["float_feature_index"]), _number(split["border"])
    number = _whole(split["split_index"])
    if split["split_type"] != "FloatFeature" or not 0 <= number < len(known) or known[number] != question:
        raise ValueError(f"a tree asks what is not there: {str(dict(split))[:150]}")
    return question


def _leaves(values: Sequence[Any], depth: int, outputs: int) -> Floats:
    if len(values) != 2 ** min(depth, DEPTH) * outputs:
        raise ValueError(
            f"a tree of depth {depth} has {len(values)} leaf values, not {2 ** min(depth, DEPTH) * outputs}"
        )
    return np.array([_number(value) for value in values], dtype=np.float64).reshape(-1, outputs)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _whole(value: Any) -> int:
    if _number(value) != int(value):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)
