#!/usr/bin/env python
"""Measure prediction sets of two classes on the boards: how often they hold the truth of each class, how many decide.

    python benchmarks/sets.py            print the table
    python benchmarks/sets.py --table    write it into README.md

Nothing is trained: the ledgers of ADMET and of reliability hold what their contestants say of test rows. They hold no
calibration rows, so some of the test rows, drawn many times, calibrate here and the others are judged. That measures
what sets promise, for rows like those that calibrated; it says nothing of new scaffolds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "admet"), str(HERE)]

from endpoints import ENDPOINTS, SHARES, kind, rows  # noqa: E402
from ledger import Cell, Ledger  # noqa: E402
from scores import estimates  # noqa: E402
from table import replace_block  # noqa: E402

from molgraph.calibrate import Sets  # noqa: E402
from molgraph.kinds import YesNo  # noqa: E402
from molgraph.metrics.coverage import set_coverage  # noqa: E402

DRAWS = 40  # of each seed's test rows
ADMET, BACE = ("multi", "ensemble"), "forest"
OWN = SHARES[1] / 2  # of the rows that train or stop: what a run's own calibration fold has
HALF_OF = "half of the test rows"
Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """Hold what one contestant said of test rows, seed by seed, and the rows its own calibration fold would have."""

    data: str
    model: str
    own: int
    said: list[tuple[Floats, Floats]]


def judged(results: Path = HERE / "results") -> Iterator[Judged]:
    """Yield what the ledgers hold of targets of two classes."""
    for name in (each for each in ENDPOINTS if kind(each) == YesNo.word):
        truth, of = rows(name)[ENDPOINTS[name].column].to_numpy(np.float64), rows(name)["split"]
        for model in ADMET:
            made = estimates(Ledger(results / "admet"), name, model).values()
            if made:
                yield Judged(name, model, int(OWN * (of != "test").sum()), [(truth[at], said) for at, said in made])
    ledger = Ledger(results / "reliability")
    for data in ("bace-scaffold", "bace-random"):
        entries = [ledger.read(Cell(data, BACE, seed)) for seed in range(3) if ledger.has(Cell(data, BACE, seed))]
        tables = [dict(zip(entry.targets, np.array(entry.estimates).T, strict=True)) for entry in entries]
        if tables:
            yield Judged(
                data, BACE, len(tables[0]["truth"]) // 2, [(each["truth"], each["estimate"]) for each in tables]
            )


def measured(given: Judged, calibrate: int, draws: int = DRAWS) -> dict[str, float]:
    """Return means over draws: `calibrate` rows calibrate, the others are judged, by both levels where both are shown.

    Raises: ValueError where no row is left to judge.
    """
    random, found = np.random.default_rng(0), []
    for truth, said in given.said:
        if calibrate >= len(truth):
            raise ValueError(f"{given.data}: {calibrate} of {len(truth)} rows calibrate and none is left to judge")
        for _ in range(draws):
            order = random.permutation(len(truth))
            here, there = order[:calibrate], order[calibrate:]
            made = Sets.fit(YesNo.word, said[here], truth[here])
            found.append(
                _judge(made, said[there], truth[there])
                | {f"lower {k}": v for k, v in _judge(made.lower, said[there], truth[there]).items()}
            )
    with np.errstate(all="ignore"):
        return {key: _mean([each[key] for each in found]) for key in found[0]}


def _judge(made: Sets | None, said: Floats, truth: Floats) -> dict[str, float]:
    if made is None or not made.limits:
        return {"shown": 0.0} | dict.fromkeys(("0", "1", "decided", "yes", "no"), np.nan)
    inside = made.sets(said)
    kept: Any = set_coverage(inside, truth, level=made.level).to_json()
    yes, no = inside[:, 1] & ~inside[:, 0], inside[:, 0] & ~inside[:, 1]
    each = {name: one["value"] if one["n"] else np.nan for name, one in kept["classes"].items()}
    return {
        "shown": 1.0,
        **each,
        "decided": kept["decided"],
        "yes": _mean(truth[yes] == 1),
        "no": _mean(truth[no] == 0),
    }


def _mean(values: Any) -> float:
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")


@cache
def table() -> str:
    """Return all that the ledgers hold as Markdown."""
    cells = ("rows that are 0", "that are 1", "decided", "yes is right", "no is right")
    head = ["data", "rows", "of them 1", "contestant", "calibrated on", *cells, "80 % beside", *cells]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for each in judged():
        n, share = len(each.said[0][0]), np.mean([truth.mean() for truth, _ in each.said])
        for calibrate in (each.own, n // 2) if each.own < n // 2 else (n // 2,):
            found = measured(each, calibrate)
            said = [found[key] for key in ("0", "1", "decided", "yes", "no")]
            below = [found[f"lower {key}"] for key in ("shown", "0", "1", "decided", "yes", "no")]
            known = [f"{n:,}", f"{share:.2f}", each.model, f"{calibrate:,}{' (half)' if calibrate == n // 2 else ''}"]
            lines.append(f"| {' | '.join([each.data, *known, *map(_shown, said), *map(_shown, below)])} |")
    return "\n".join(lines)


def _shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="write the table into README.md")
    if parser.parse_args(arguments).table:
        replace_block(HERE / "README.md", "sets", table())
    else:
        print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
