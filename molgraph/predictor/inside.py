"""How good a model is inside the domain of its training rows, and how good outside."""

from __future__ import annotations

from typing import Any

from molgraph.data.dataset import Dataset
from molgraph.data.targets import EXACT
from molgraph.kinds import block
from molgraph.metrics import main, score
from molgraph.metrics.comparison import FEWEST
from molgraph.predictor.assess import covered, shaped
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
    for name in data.targets.names:
        if name not in near.measured:
            continue
        truth, observed, bound = data.targets.arrays(name)
        within = near.measured[name].within
        sides = dict(zip(SIDES, (observed & within, observed & ~within), strict=True))
        counts = {side: int(rows.sum()) for side, rows in sides.items()}
        found[name] = {**counts, "of": {}}
        if min(counts.values()) < FEWEST:
            continue
        kind, unit = scorer.task.kind(name), scorer.unit(name, data, estimates, spread)
        mine = shaped(kind, estimates[:, block(scorer.task, name)])
        for side, rows in sides.items():
            made = score(kind, truth[rows], mine[rows], bound=bound[rows], metrics=[main(kind)], seed=seed)[main(kind)]
            sure = rows & (bound == EXACT)
            held = covered(scorer, name, mine[sure], truth[sure], None if unit is None else unit[sure])
            found[name]["of"][side] = {"score": made.to_json(), "coverage": held.to_json()}
    return found
