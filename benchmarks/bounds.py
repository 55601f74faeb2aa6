#!/usr/bin/env python
"""Measure what intervals of trees hold that learnt from bounds: those of the split's model, and carried over to the
refitted one.

    python benchmarks/bounds.py [--data esol,lipophilicity] [--seeds 0,1,2]     print a line for each, and their means

Values below a limit become bounds of it (`<`), as an assay that detects no less would report them, but not in the test
rows of the set's own split: those are put away first, and what they are is known. See docs/decisions/0023.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from molgraph import config, datasets
from molgraph.workflows.plan import plan
from molgraph.workflows.train import train_rows

RUN = {"model": "molecule/forest", "encoder": {"rounds": 150, "lr": 0.2, "depth": 4}, "comparator": "none"}
SHARES = (0.3, 0.6)  # of the user's values that are bounds
ROWS = 700
WAYS = ("split", "refitted")


def censored(values: pd.Series, share: float) -> tuple[pd.Series, float]:
    """Return values as the cells of a table, the lowest of them as bounds of the limit, and that limit."""
    limit = float(values.quantile(share))
    return values.map(lambda value: f"<{limit:.6g}" if value < limit else f"{value:.6g}"), limit


def measured(frame: pd.DataFrame, target: str, share: float, seed: int, **changes: Any) -> dict[str, Any]:
    """Train on a file with bounds, and return which of the test rows each model's intervals hold."""
    run = config.settings({**RUN, **changes, "targets": [target], "seed": seed, "refit": "all"})
    whole = plan(run, frame)
    held = whole.rows.data.subset(whole.split.test)
    rest = frame.drop(index=frame.index[held.rows - 1])
    cells, limit = censored(rest[target], share)
    kept = train_rows(plan(replace(run, split="scaffold"), rest.assign(**{target: cells})))
    truth = held.targets.arrays(target)[0].astype(np.float64)
    found: dict[str, Any] = {"exact": truth >= limit, "width": None, "limit": limit}
    for way, model in zip(WAYS, (kept.judged, kept), strict=True):
        estimate = model.estimate(held)[0][:, 0].astype(np.float64)
        low, high = kept.intervals[target].apply(estimate)
        found[way], found["width"] = (low <= truth) & (truth <= high), float(np.mean(high - low))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="esol,lipophilicity", metavar="A,B")
    parser.add_argument("--seeds", default="0,1,2", metavar="0,1")
    given = parser.parse_args(arguments)
    held: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for seed in map(int, given.seeds.split(",")):
        for name in given.data.split(","):
            frame = datasets.load(name).sample(frac=1, random_state=seed).head(ROWS).reset_index(drop=True)
            target = datasets.card(name).targets[0].name
            for share in SHARES:
                found = measured(frame, target, share, seed, split="scaffold")
                held.setdefault((name, share), []).append(found)
                print(f"seed {seed}, {name}, {share:.0%} bounds: {line([found])}", flush=True)
    for (name, share), each in held.items():
        print(f"| {name}, {share:.0%} `<` | {line(each).replace('; ', ' | ')} |")
    return 0


def line(found: Sequence[dict[str, Any]]) -> str:
    """Say of how many rows, and which share of all and of those above the limit each way holds, and how wide it is."""
    exact = np.concatenate([each["exact"] for each in found])
    said = [f"{len(exact)} rows, {exact.sum()} above the limit"]
    for way in WAYS:
        inside = np.concatenate([each[way] for each in found])
        said.append(f"{inside.mean():.2f} of all, {inside[exact].mean():.2f} above")
    return "; ".join([*said, f"{np.mean([each['width'] for each in found]):.2f} wide"])


if __name__ == "__main__":
    sys.exit(main())
