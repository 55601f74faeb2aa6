"""What a page says about the models behind it."""

from __future__ import annotations

from collections.abc import Sequence

from molgraph.predictor.card import started
from molgraph.predictor.predictor import Predictor

FACTS = {
    "data": "trained on",
    "rows_used": "measured rows",
    "split": "split",
    "train": "training rows",
    "refitted": "then trained again on all rows",
    "calibration": "calibration rows",
    "test": "test rows",
    "members": "members",
    "size": "size",
    "trained": "trained",
}  # what a person asks first of a model, and how the page calls it


def model_facts(predictors: Sequence[Predictor]) -> dict[str, str]:
    """Return the facts of the models, numbered where there are several."""
    found = {}
    for number, each in enumerate(predictors, start=1):
        mark = f" {number}" if len(predictors) > 1 else ""
        found[f"model{mark}"] = each.recipe.run.model
        facts = {name: each.facts[key] for key, name in FACTS.items() if each.facts.get(key) not in (None, "")}
        with each.blamed():
            found |= {
                f"{name}{mark}": f"{value:,}" if isinstance(value, int) else str(value) for name, value in facts.items()
            }
            if each.recipe.start:
                found[f"started from{mark}"] = started(each.recipe.start)
        found[f"seed{mark}"] = str(each.recipe.run.seed)
        found[f"model sha256{mark}"] = each.digest
    return found
