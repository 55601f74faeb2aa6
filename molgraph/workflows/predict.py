"""Predict every row of a file: one row out per row in, in order, with the user's own columns kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from molgraph.data.files import sweep
from molgraph.data.interrupts import rearm
from molgraph.data.stream import name_of
from molgraph.data.table import nonempty
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError
from molgraph.predictor import load
from molgraph.predictor.columns import without_interval
from molgraph.predictor.scored import OK, beside
from molgraph.screen.pool import default_workers
from molgraph.workflows import show
from molgraph.workflows.show import say


@dataclass(frozen=True)
class Counts:
    """Count the rows of a prediction; `reasons` maps each status that is not ok to its rows."""

    rows: int
    rejected: int
    reasons: dict[str, int]


def predict_file(
    source: Any,
    folders: Sequence[str | Path],
    output: Path,
    *,
    column: str | None = None,
    workers: int = 1,
    given: Mapping[str, str] | None = None,
    join: Sequence[str] = (),
) -> Counts:
    """Predict the rows of a file and write them whole or not at all.

    Raises: ConfigError where the output is the input; DataError, CheckpointError, ResourceError as their messages say.
    """
    if workers < 0:
        raise ConfigError(f"--workers {workers}: give 1 or more, or 0 for all cores.")
    if isinstance(source, str | Path) and output.exists() and Path(source).exists() and output.samefile(source):
        raise ConfigError(f"{output}: this is the file that is read; give the output another name.")
    sweep(output.parent)
    scorer = load(folders).give(given or {}, join)
    statuses: Counter[str] = Counter()
    tables = nonempty(scorer.read(source, column), name_of(source))
    first = next(tables)
    for note in first.notes:
        say(note)
    with (
        open_writer(output, column=first.column) as writer,
        tqdm(unit=" rows", desc="predicting", ascii=True, delay=show.DELAY) as bar,
    ):
        for table, scored in scorer.score_all(chain([first], tables), workers or default_workers()):
            writer.write(beside(table, scored))
            statuses.update(scored.frame["status"])
            bar.update(len(table))
            rearm()
    counts = _counts(statuses, output, first.column)
    for why in without_interval([p.intervals for p in scorer.predictors]):
        say(f"note: {why}")
    return counts


def _counts(statuses: Counter[str], output: Path, column: str) -> Counts:
    reasons = {status: n for status, n in statuses.items() if status != OK}
    counts = Counts(statuses.total(), sum(reasons.values()), reasons)
    why = f" ({', '.join(f'{n} {reason}' for reason, n in reasons.items())})" if reasons else ""
    say(f"{counts.rows} rows written to {output}, {counts.rejected} without a prediction{why}")
    if counts.rejected == counts.rows:
        say(f"no row could be scored; '{column}' was read as the input column, -s names another")
    return counts
