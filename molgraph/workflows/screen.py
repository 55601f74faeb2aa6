"""Rank a library: scores, the top, and the page a chemist opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tqdm import tqdm

from molgraph.data.room import Room
from molgraph.data.stream import suffixes
from molgraph.data.table import is_file
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, many
from molgraph.predictor import load
from molgraph.report import write_screen_report
from molgraph.screen import ScreenResult, screen
from molgraph.screen.shard import KEY
from molgraph.workflows import show
from molgraph.workflows.show import say

SHOWN = 40  # characters of a sequence in a report


def screen_file(
    library: Any,
    folders: Sequence[str | Path],
    out: Path,
    *,
    column: str | None = None,
    top: int = 1000,
    by: str | None = None,
    low: Sequence[str] = (),
    domain: str = "first",
    filters: str = "top",
    fmt: str = "parquet",
    resume: bool = False,
    workers: int = 0,
    shard: tuple[int, int] | None = None,
    given: Mapping[str, str] | None = None,
    against: Sequence[str] = (),
    join: Sequence[str] = (),
    hits: Sequence[Path] = (),
) -> ScreenResult:
    """Screen a library into a folder; `low` names the targets that are better when lower, 0 workers means all cores;
    the best rows are written to `hits`, too: a workbook with pictures, an SDF.

    Raises: as `molgraph.screen.screen`.
    """
    if workers < 0:
        raise ConfigError(f"--workers {workers}: give 1 or more, or 0 for all cores.")
    facts = {**_against(given or {}, against), "screened": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    with tqdm(unit=" rows", desc="screening", ascii=True, delay=show.DELAY) as bar:
        result = screen(
            library,
            folders,
            out,
            column=column,
            top=top,
            by=by,
            direction=dict.fromkeys(low, "min"),
            domain=domain,
            filters=filters,
            fmt=fmt,
            resume=resume,
            workers=workers or None,
            shard=shard,
            given=given,
            against=against,
            join=join,
            facts=facts,
            progress=bar.update,
            report=write_screen_report,
        )
    _say(result, shard)
    if result.finished:
        _write_hits(result, load(folders).room, hits)
    return result


def _write_hits(result: ScreenResult, room: Room, hits: Sequence[Path]) -> None:
    column = result.names.get(KEY, "")
    for path in hits:
        picture = room.face.picture if suffixes(path)[0] == ".xlsx" else None
        with open_writer(path, column=column, picture=picture) as writer:
            writer.write(result.top)
        say(f"best {many(len(result.top), 'row')} written to {path}")


def _against(given: Mapping[str, str], against: Sequence[str]) -> dict[str, str]:
    """Say what a library was screened against: names of files and targets, texts cut short."""
    avoided = {"to avoid": ", ".join(map(_short, against))} if against else {}
    return {**{name: _short(value) for name, value in given.items()}, **avoided}


def _short(value: str) -> str:
    if is_file(value):
        return Path(value).name
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}... ({many(len(value), 'character')})"


def _say(result: ScreenResult, shard: tuple[int, int] | None) -> None:
    if result.damaged:
        say(f"{len(result.damaged)} finished shards were damaged on the disk, and were scored again")
    if not result.finished:
        number = shard[0] if shard else 0
        say(f"shard {number} done in {result.out}; when all are, the same command without --shard merges")
        return
    summary = result.summary
    left = ", ".join(f"{n} {reason}" for reason, n in summary.rejected.items())
    rejected = f" ({left})" if left else ""
    say(f"{many(summary.rows, 'row')}, {summary.scored:,} scored{rejected}; best {len(result.top):,} in top.csv")
    if len(result.ranking.targets) > 1:
        say(f"ranked by {result.ranking.by}, one of {len(result.ranking.targets)} columns; --by names another")
    if summary.in_domain is not None:
        say(f"{summary.in_domain:,} of them lie in the model's domain; treat the others as guesses")
    say(f"open {result.out / 'report.html'}")
