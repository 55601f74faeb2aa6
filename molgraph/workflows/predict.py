"""Predict every row of a file: one row out per row in, in order, with the user's own columns kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from molgraph.data.files import sweep
from molgraph.data.interrupts import rearm
from molgraph.data.regular import is_there
from molgraph.data.spreadsheet import MOST_PICTURES
from molgraph.data.stream import STDIN, file_and_sheet, name_of, suffixes
from molgraph.data.table import Table, nonempty, readable
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, many
from molgraph.kinds.column import Column
from molgraph.predictor import load
from molgraph.predictor.card import units
from molgraph.predictor.doubts import doubts
from molgraph.predictor.scored import OK, Scored, Scorer, beside
from molgraph.screen.pool import default_workers
from molgraph.workflows import show
from molgraph.workflows.glance import lines
from molgraph.workflows.natural import concentrations, logarithms, unit_of, with_units
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
    output: Path | None,
    *,
    column: str | None = None,
    workers: int = 1,
    given: Mapping[str, str] | None = None,
    join: Sequence[str] = (),
    unit: str = "",
    excel: bool = False,
    pictures: bool = False,
) -> Counts:
    """Predict the rows of a file, or one text (a SMILES), and write them whole or not at all; without an output the
    first rows are shown in the terminal.

    With `unit` (nM) predicted logarithms of concentrations stand there as concentrations, too; `excel` marks a CSV as
    UTF-8 for Excel, `pictures` draws the structures in a workbook.

    Raises: ConfigError where the output is the input, and for units and pictures that cannot be; DataError,
    CheckpointError, ResourceError as their messages say.
    """
    if workers < 0:
        raise ConfigError(f"--workers {workers}: give 1 or more, or 0 for all cores.")
    if output is not None:
        _refuse_input(source, output)
        sweep(output.parent)
    elif excel or pictures:
        raise ConfigError("name the file to write: -o FILE.")
    scorer = load(folders).give(given or {}, join)
    made = Made(scorer, unit_of(unit, scorer) if unit else "")
    tables = nonempty(scorer.read(_meant(source), column), name_of(source))
    first = next(tables)
    for note in first.notes:
        say(note)
    blocks = scorer.score_all(chain([first], tables), workers or default_workers())
    if output is None:
        return _shown(made, blocks)
    statuses: Counter[str] = Counter()
    picture = _picture(scorer) if pictures else None
    with (
        open_writer(output, column=first.column, mark=excel, picture=picture) as writer,
        tqdm(unit=" rows", desc="predicting", ascii=True, delay=show.DELAY) as bar,
    ):
        for table, scored in blocks:
            writer.write(made.table(table, scored))
            statuses.update(scored.frame["status"])
            bar.update(len(table))
            rearm()
    counts = _counts(statuses, output, first.column)
    if writer.guarded:
        say(f"cells that a spreadsheet would run as formulas, and that begin with an apostrophe now: {writer.guarded}")
    if pictures and counts.rows > MOST_PICTURES:
        say(f"the first {MOST_PICTURES:,} rows have pictures")
    for why in doubts(scorer.predictors):
        say(f"note: {why}")
    return counts


@dataclass(frozen=True)
class Made:
    """Put predictions beside the user's own columns, with concentrations in a unit where one is asked for."""

    scorer: Scorer
    unit: str = ""

    def table(self, table: Table, scored: Scored) -> pd.DataFrame:
        own = replace(table, frame=table.given)
        if not self.unit:
            return beside(own, scored)
        frame = with_units(scored.frame, logarithms(self.scorer), self.unit)
        return beside(own, replace(scored, frame=frame))

    def targets(self, columns: Iterable[str]) -> dict[str, tuple[Column, ...]]:
        """Return what is shown as a target, with its columns described."""
        found: dict[str, tuple[Column, ...]] = {}
        turned = logarithms(self.scorer) if self.unit else {}
        for name in dict.fromkeys(name for p in self.scorer.predictors for name in p.targets):
            found[name] = self.scorer.task.of(name).described(columns)
            if name in turned:
                called = f"{turned[name]}_{self.unit}"
                found[called] = tuple(concentrations(found[name], name, called).values())
        return found


def _refuse_input(source: Any, output: Path) -> None:
    if isinstance(source, str | Path) and output.exists() and is_there(Path(source)) and output.samefile(source):
        raise ConfigError(f"{output}: this is the file that is read; give the output another name.")


def _meant(source: Any) -> Any:
    """Return a list of one text where a source is no file and is not called as one."""
    if not isinstance(source, str) or source == STDIN or is_there(Path(file_and_sheet(source)[0])):
        return source
    return source if suffixes(source)[0] in readable() or len(source.split()) != 1 else [source]


def _picture(scorer: Scorer) -> Any:
    if scorer.room.face.picture is None:
        raise ConfigError(f"--pictures: there are none of {scorer.room.noun.many}.")
    return scorer.room.face.picture


def _shown(made: Made, blocks: Iterator[tuple[Table, Scored]]) -> Counts:
    """Print the first rows."""
    found = [(table, scored) for table, scored in blocks]
    whole = pd.concat([made.table(table, scored) for table, scored in found], ignore_index=True)
    column = found[0][0].column
    column = column if column in whole else str(whole.columns[0])
    known = units(*(p.recipe for p in made.scorer.predictors))  # type: ignore[attr-defined]
    for line in lines(whole, column, made.targets(list(whole.columns)), known):
        print(line)
    statuses = Counter(status for _, scored in found for status in scored.frame["status"])
    reasons = {status: n for status, n in statuses.items() if status != OK}
    return Counts(statuses.total(), sum(reasons.values()), reasons)


def _counts(statuses: Counter[str], output: Path, column: str) -> Counts:
    reasons = {status: n for status, n in statuses.items() if status != OK}
    counts = Counts(statuses.total(), sum(reasons.values()), reasons)
    why = f" ({', '.join(f'{n} {reason}' for reason, n in reasons.items())})" if reasons else ""
    say(f"{many(counts.rows, 'row')} written to {output}, {counts.rejected} without a prediction{why}")
    if counts.rejected == counts.rows:
        named = f"; '{column}' was read as the input column, -s names another" if column else ""
        say(f"no row could be scored{named}")
    return counts
