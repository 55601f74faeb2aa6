"""The score of rows beside the score of what the rows belong to: slices and patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from molgraph.data.targets import EXACT
from molgraph.metrics.figures import decimal
from molgraph.metrics.formulas import Floats, Sample
from molgraph.metrics.scores import METRICS, Columns, Family, Score, draws, interval, summary, values_of


@dataclass(frozen=True)
class Level:
    """Hold one metric of rows and of the groups they belong to; the gap is rows less groups, with its 95 % interval.

    All intervals come from drawing groups. Of `groups` groups, the measured rows of `disagree` have not one label, so
    that these have no score as a whole: `rows` is of all rows, `same` of the rows of the other groups, and the gap is
    `same` less `whole`, of one set of groups.
    """

    metric: str
    rows: Score
    same: Score
    whole: Score
    gap: float | None
    low: float | None
    high: float | None
    groups: int
    disagree: int

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        scores = {"rows": self.rows.to_json(), "same": self.same.to_json(), "whole": self.whole.to_json()}
        return {**vars(self), **scores}


def levels(
    family: Family,
    truth: ArrayLike,
    estimate: ArrayLike,
    groups: ArrayLike,
    *,
    observed: ArrayLike | None = None,
    bound: ArrayLike | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Level]:
    """Score rows, and groups by the mean of their rows' estimates; `{metric: Level}`.

    A group has a label where its measured rows agree on it; else it is left out of the level of groups, and where
    none is left there is no score, and the reason says so. The gap compares the groups with the rows of the same
    groups. Rows known by a bound are left out.

    Shapes: as in `score`, one target; `groups` [n].
    See: rows of a group are no independent evidence: Saeb 2017, doi 10.1093/gigascience/gix019
    """
    columns = Columns.of(family, family.beside, truth, estimate, observed, bound)
    (sample,), (seen,) = columns.samples, columns.rows
    exact = sample.bound == EXACT
    sample, of = sample.take(exact), np.asarray(groups)[seen][exact]
    member = np.unique(of, return_inverse=True)[1]
    whole, agree = _whole(sample, member)
    shared = agree[member]
    kept = {
        "rows": (sample, member),
        "same": (sample.take(shared), member[shared]),
        "whole": (whole, np.nonzero(agree)[0]),
    }
    values: dict[tuple[str, str], list[Floats]] = {(name, level): [] for name in family.beside for level in kept}
    for drawn in draws(len(agree), bootstrap, seed, None):
        for (name, level), parts in values.items():
            those, at = kept[level]
            parts.append(values_of(METRICS[name], those, drawn[:, at]))
    found = {}
    for name in family.beside:
        made = {level: np.concatenate(values[name, level]) for level in kept}
        rows, same, wholes = (_score(name, kept[level][0], made[level]) for level in kept)
        gap = made["same"] - made["whole"]
        low, high = interval(gap[1:]) or (None, None)
        known = None if np.isnan(gap[0]) else float(gap[0])
        left = int((~agree).sum())
        found[name] = Level(name, rows, same, _said(wholes, len(agree), left), known, low, high, len(agree), left)
    return found


def _whole(sample: Sample, member: Any) -> tuple[Sample, Any]:
    """Return the groups whose rows have one label, with the mean of their estimates; and which groups those are."""
    size = np.bincount(member).astype(np.float64)
    wide = sample.estimate if sample.estimate.ndim == 2 else sample.estimate[:, None]
    mean = np.stack([np.bincount(member, column) / size for column in wide.T], axis=1)
    lowest, highest = np.full(len(size), np.inf), np.full(len(size), -np.inf)
    np.minimum.at(lowest, member, sample.truth)
    np.maximum.at(highest, member, sample.truth)
    agree = lowest == highest
    shaped = mean.reshape(len(size), *sample.estimate.shape[1:])
    return Sample(lowest[agree], shaped[agree], np.full(int(agree.sum()), EXACT, dtype=np.int8)), agree


def _score(name: str, sample: Sample, values: Floats) -> Score:
    return summary(METRICS[name], Columns((sample,), (np.ones(len(sample), dtype=bool),), False), values[:, None])


def _said(score: Score, groups: int, disagree: int) -> Score:
    """Say why groups were left out, beside why there is no score."""
    if not disagree:
        return score
    why = f"the rows of {disagree} of {groups} groups have different labels, so these have none"
    return replace(score, reason="; ".join(filter(None, [why, score.reason])))


def level_sentence(name: str, group: str, found: Mapping[str, Any]) -> str:
    """Say what a `Level` holds, as JSON values, in one line.

    >>> one, two = Score(0.9, 0.8, 1.0, None, 40), Score(0.7, 0.5, 0.9, None, 8)
    >>> level_sentence("AUROC", "patient", Level("auroc", one, one, two, 0.2, 0.05, 0.35, 8, 0).to_json())
    'AUROC of rows 0.900, by patient (mean over its rows) 0.700: a gap of 0.200 (0.050 to 0.350)'
    """
    whole = found["whole"]
    first = f"{name} of rows {_shown(found['rows'])}"
    if whole["value"] is None:
        return f"{first}; by {group} it is undefined: {whole['reason']}"
    if found["disagree"] and "same" in found:  # an earlier version judged without
        kept = found["groups"] - found["disagree"]
        first += f", of the {found['same']['n']} rows of the {kept} groups of one label {_shown(found['same'])}"
    gap = "" if found["gap"] is None else f": a gap of {_with_ends(found['gap'], found['low'], found['high'])}"
    note = f"; {whole['reason']}" if whole["reason"] else ""
    return f"{first}, by {group} (mean over its rows) {_shown(whole)}{gap}{note}"


def _shown(score: Mapping[str, Any]) -> str:
    return "none" if score["value"] is None else decimal(score["value"])


def _with_ends(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return decimal(value)
    return f"{decimal(value)} ({decimal(low)} to {decimal(high)})"
