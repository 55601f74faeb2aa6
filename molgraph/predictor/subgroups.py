"""How good a model is for the parts of the data that a column tells apart: sites, sexes, ages, series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.dataset import Dataset
from molgraph.data.labels import MISSING
from molgraph.data.table import is_usual
from molgraph.data.targets import EXACT
from molgraph.errors import DataError, did_you_mean
from molgraph.kinds import Kind
from molgraph.metrics import score
from molgraph.metrics.decisions import operating
from molgraph.metrics.figures import figures
from molgraph.predictor.decided import together
from molgraph.predictor.panel import Panel
from molgraph.predictor.predictor import Predictor
from molgraph.predictor.threshold import UNKNOWN

FEWEST = 10  # rows of a class (or patients): a share of 5 in 10 is known from 0.24 to 0.76 (Wilson), no better
WORDS = 10  # a column of numbers with more different ones is cut at its quartiles
MOST = 20  # groups of a column; what is left over makes one more
BLANK, TOO_FEW = "not given", "too few"
QUARTILES, VALUES = "quartiles", "values"
Bools = NDArray[np.bool_]


def columns_by(predictor: Predictor | Panel, frame: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """Return the columns that tell subgroups apart: those named, else those of a usual name of the rooms.

    Raises: DataError where a column that was named is missing.
    """
    columns = list(map(str, frame.columns))
    for name in by:
        if name not in columns:
            raise DataError(f"--by {name}: no column '{name}'{did_you_mean(name, columns)}")
    usual = [
        name for slot in predictor.inputs.slots for names in slot.room.reading.subgroups.values() for name in names
    ]
    return list(dict.fromkeys(by or (c for c in columns if is_usual(c, usual) and c not in predictor.targets)))


def subgroups(
    predictor: Predictor | Panel,
    data: Dataset,
    frame: pd.DataFrame,
    by: Sequence[str],
    *,
    bootstrap: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Return a line per target, column and group, as JSON values; `frame` has the user's cells of the rows of `data`.

    `{"target", "column", "cut": "values" or "quartiles", "group", "n": measured rows, "prevalence" of a target of two
    classes, "metric": the main one, "scores": {that, sensitivity, specificity: score}}`. Where a class has fewer than
    FEWEST rows (of numbers: all rows; where rows belong together, fewer such groups) the score is none and says so.
    Intervals are drawn as in `decided`.
    """
    estimates, _ = predictor.estimate(data)
    belong = next(iter(together(predictor, data).values()), None)
    lines = []
    for name in predictor.task.present(data.targets):
        kind = predictor.task.of(name)
        truth, observed, bound = kind.measured(data.targets)
        mine = kind.shaped(estimates[:, predictor.task.block(name)])
        threshold = predictor.thresholds.get(name, UNKNOWN).value
        for column in by:
            cut, parts = groups_of_column(frame[column])
            for group, rows in parts.items():
                seen = rows & observed & (bound == EXACT)
                drawn: dict[str, Any] = {"bootstrap": bootstrap, "seed": seed}
                drawn["groups"] = None if belong is None else belong[seen]
                head = {"target": name, "column": column, "cut": cut, "group": group, "n": int(seen.sum())}
                share = float(truth[seen].mean()) if kind.decides and seen.any() else None
                scores = _scores(kind, truth[seen], mine[seen], threshold, drawn)
                lines.append({**head, "prevalence": share, "metric": kind.family.main, "scores": scores})
    return lines


def groups_of_column(cells: pd.Series) -> tuple[str, dict[str, Bools]]:
    """Return how a column is cut and the rows of each of its groups: by its words, or at the quartiles of its numbers.

    >>> groups_of_column(pd.Series(["F", "M", "", "F"]))[1]["F"].tolist()
    [True, False, False, True]
    """
    texts = cells.astype(str).str.strip().to_numpy(dtype=object)
    blank = np.array([text.lower() in MISSING for text in texts], dtype=bool)
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(dtype=np.float64)
    rest = {BLANK: blank} if blank.any() else {}
    if np.isfinite(numbers[~blank]).all() and len(np.unique(numbers[~blank])) > WORDS:
        return QUARTILES, _quartiles(np.where(blank, np.nan, numbers)) | rest
    counts = pd.Series(texts[~blank]).value_counts()
    order = dict(zip(texts, np.nan_to_num(numbers, nan=np.inf), strict=True))
    largest = counts.index[:MOST] if len(counts) > MOST + 1 else counts.index
    names = sorted(largest, key=lambda text: (order[text], text))
    found = {name: texts == name for name in names}
    if len(names) < len(counts):
        left = ~blank & ~np.isin(texts.astype(str), names)
        rest = {f"{len(counts) - len(names)} others": left} | rest
    return VALUES, found | rest


def _quartiles(numbers: NDArray[np.float64]) -> dict[str, Bools]:
    """Return the rows of each quarter; a value that is an edge belongs to the lower one."""
    known = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(known, [0, 0.25, 0.5, 0.75, 1]))
    found = {}
    shown = figures(*edges.tolist(), digits=4)
    for at, (low, high) in enumerate(pairwise(edges)):
        above = numbers >= low if at == 0 else numbers > low
        found[f"{'' if at == 0 else '>'}{shown[at]} to {shown[at + 1]}"] = above & (numbers <= high)
    return found


def _scores(kind: Kind, truth: Any, estimate: Any, threshold: float | None, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return the main score, and of two classes what the threshold brings, each where enough rows were measured."""
    name = kind.family.main
    every = np.arange(len(truth)) if drawn["groups"] is None else drawn["groups"]
    sizes = [len(np.unique(every[rows])) for rows in kind.each_class(truth)]
    found = {name: _few(sizes, len(truth))}
    if found[name] is None:
        found[name] = score(kind.family, truth, estimate, metrics=[name], **drawn)[name].to_json()
    if kind.decides:
        at = {} if threshold is None else operating(truth, estimate, threshold, **drawn)
        for share, size in (("sensitivity", sizes[1]), ("specificity", sizes[0])):
            found[share] = _few([size], len(truth)) or (
                at[share].to_json() if at else _none("no threshold", len(truth))
            )
    return found


def _few(sizes: Sequence[int], n: int) -> dict[str, Any] | None:
    return _none(TOO_FEW, n) if min(sizes) < FEWEST else None


def _none(reason: str, n: int) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "reason": reason, "n": n}


def table(lines: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the lines as a flat table: value, low and high of each score, or its reason as `note`."""
    flat = []
    for line in lines:
        row = {key: value for key, value in line.items() if key != "scores"}
        for name, found in line["scores"].items():
            row |= {name: found["value"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
        why = [f"{name}: {found['reason']}" for name, found in line["scores"].items() if found["reason"]]
        flat.append(row | {"note": "; ".join(why)})
    found = pd.DataFrame(flat)
    found = found.astype(dict.fromkeys(found.select_dtypes(np.float64), np.float32))
    return found[[name for name in found if name != "note"] + ["note"]] if len(found) else found
