"""How good a model is inside the domain of its training rows, and how good outside."""

from __future__ import annotations

from typing import Any

from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.metrics import score
from molgraph.metrics.comparison import FEWEST
from molgraph.predictor.neighbours import neighbours
from molgraph.predictor.panel import Panel
from molgraph.predictor.predictor import Predictor

SIDES = ("inside", "outside")


def by_domain(scorer: Predictor | Panel, data: Dataset, *, seed: int = 0) -> dict[str, Any]:
    """Return for each target how many measured rows lie inside its domain and how many outside, and where both are at
    least FEWEST the main score and the coverage of each, as JSON values; nothing where no model knows its domain.

    `{target: {"inside": n, "outside": n, "of": {"inside": {"score", "coverage"}, "outside": the same}}}`
    """
    near = neighbours(scorer.predictors, data) if len(data) else None
    if near is None:
        return {}
    estimates, spread = scorer.estimate(data)
    found: dict[str, Any] = {}
    for name in scorer.task.present(data.targets):
        if name not in near.measured:
            continue
        kind = scorer.task.of(name)
        truth, observed, bound = kind.measured(data.targets)
        within = near.measured[name].within
        sides = dict(zip(SIDES, (observed & within, observed & ~within), strict=True))
        counts = {side: int(rows.sum()) for side, rows in sides.items()}
        found[name] = {**counts, "of": {}}
        if min(counts.values()) < FEWEST:
            continue
        main, unit = kind.family.main, scorer.unit(name, data, estimates, spread)
        mine = kind.shaped(estimates[:, scorer.task.block(name)])
        for side, rows in sides.items():
            made = score(kind.family, truth[rows], mine[rows], bound=bound[rows], metrics=[main], seed=seed)[main]
            sure = rows & (bound == EXACT)
            spread_of = None if unit is None else unit[sure]
            held = kind.covered(scorer.intervals[name], mine[sure], truth[sure], spread_of)
            found[name]["of"][side] = {"score": made.to_json(), "coverage": held.to_json()}
    return found
