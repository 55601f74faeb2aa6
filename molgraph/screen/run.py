"""Screen a library: stream it, score it in shards, merge them; stop and go on at any moment."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from molgraph.data.endable import limit
from molgraph.data.files import os_errors, sweep
from molgraph.data.stream import read_errors
from molgraph.data.table import is_file, nonempty
from molgraph.data.untrusted import damaged
from molgraph.data.write import open_writer
from molgraph.errors import CheckpointError, ConfigError, did_you_mean
from molgraph.screen import pool
from molgraph.screen.again import restored, with_keys
from molgraph.screen.manifest import NAME, Manifest, digest_of_file
from molgraph.screen.merge import Bounds, Ranking, Shards, merge
from molgraph.screen.rank import DOMAINS, Goal, directions, ranked_by
from molgraph.screen.shard import ADDED, DAMAGED, KEY, LOADER, WHOLE, Job, Models, opened, state_of
from molgraph.screen.summary import Summary
from molgraph.screen.top import RESERVED, complete, read_top

SHARD_ROWS = 2048
FORMATS = ("parquet", "csv")
FILTERS = ("top", "all")
SHARDS, TOP = "shards", "top.csv"
STDIN = "-"


@dataclass(frozen=True)
class ScreenResult:
    """Hold what a screen left behind.

    `finished` is False after a call that made only its own shards. `damaged` are the shards of an earlier call that
    were not as written, and were scored again. `names` maps our columns (`rank`, `row`,
    the targets, `nn_id`, ...) to their names in `top`, which differ where the user's own column had that name.
    """

    out: Path
    scores: Path
    finished: bool
    manifest: Manifest
    ranking: Ranking
    summary: Summary = field(default_factory=Summary)
    top: pd.DataFrame = field(default_factory=pd.DataFrame)
    names: dict[str, str] = field(default_factory=dict)
    damaged: tuple[int, ...] = ()


Progress = Callable[[int], None]
Report = Callable[[ScreenResult, Any], None]


def screen(
    library: Any,
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    top: int = 1000,
    by: str | None = None,
    direction: str | Mapping[str, str] = "max",
    bounds: Bounds | None = None,
    domain: str = "first",
    filters: str = "top",
    diverse: int = 50,
    resume: bool = False,
    workers: int | None = None,
    shard: tuple[int, int] | None = None,
    shard_rows: int = SHARD_ROWS,
    fmt: str = "parquet",
    column: str | None = None,
    facts: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    report: Report | None = None,
    loader: str = LOADER,
    given: Mapping[str, str] | None = None,
    against: Sequence[str] = (),
    join: Sequence[str] = (),
) -> ScreenResult:
    """Score every row of a library and rank the best.

    - `by` is a target (the first, if none is named) or `desirability`; `direction` is "max" or "min", for all
      targets or by target; `bounds` states the values between which a target's desirability runs from 0 to 1. Either
      adds the column `desirability`.
    - `domain` ranks molecules in the model's domain "first", "only" those (of a model that knows its domain), or "any"
      alike.
    - `filters="all"` adds the room's properties to every row, "top" to the best only.
    - `shard=(i, n)` scores the i-th of n parts (from 1) and leaves; the last call, without it, merges.
    - `given` holds inputs that are the same for every row: `{"target": "MKV..."}` (see `given.resolve`).
    - `against` names the targets to avoid, or a file of proteins: adds `selectivity` (see `predictor.selective`).
    - `join` names files whose columns are added to the library's, FILE:COLUMN (see `predictor.join`).
    - `facts` (title, date) go into the manifest at the first call and into the report; the clock is not read.
    - `progress` is told the number of rows just finished; `report` is called when the final files are there.

    Raises: ConfigError for settings out of range or an output folder that holds another screen; DataError for a
    library that cannot be read; CheckpointError where files of a finished screen are gone or changed; ResourceError for
    a full disk or a worker that died; KeyboardInterrupt with a message that says how to go on.
    """
    opened.cache_clear()
    models = Models(
        loader, tuple(str(folder) for folder in folders), tuple((given or {}).items()), tuple(against), tuple(join)
    )
    try:
        predictor = opened(models)
        targets = tuple(predictor.numbers)
        ranking = Ranking(
            targets, ranked_by(targets, by), directions(targets, direction), top, domain, dict(bounds or {})
        )
        settings = {
            **asdict(ranking),
            "filters": filters,
            "diverse": diverse,
            "shard_rows": shard_rows,
            "format": fmt,
            "column": column,
            "given": {name: _content(value) for name, value in (given or {}).items()},
            "against": [_content(value) for value in against],
            "join": [_joined(word) for word in join],
            "limit": limit(),
        }
        _check(settings, shard, workers)
        _check_domain(domain, predictor)
        source = Source(library, predictor, column, shard_rows)
        versions = {**predictor.versions, "pandas": pd.__version__, "pyarrow": pa.__version__}
        manifest = Manifest({"digest": predictor.digest}, source.facts(), _plain(settings), versions, dict(facts or {}))
        task = _Screen(Path(out), source, predictor, manifest, ranking, models)
        return task.run(resume, shard, workers or pool.default_workers(), progress or _quiet, report)
    finally:
        opened.cache_clear()


@dataclass(frozen=True)
class Source:
    """Stream a library as tables, each one shard."""

    library: Any
    predictor: Any
    column: str | None
    shard_rows: int

    @property
    def in_memory(self) -> bool:
        return not isinstance(self.library, str | Path)

    @property
    def once(self) -> bool:
        return str(self.library) == STDIN

    @property
    def name(self) -> str:
        if self.in_memory:
            return "table in memory"
        return "standard input" if self.once else Path(self.library).name

    def tables(self) -> Generator[Any]:
        """Read the library from its start."""
        yield from nonempty(self.predictor.read(self.library, self.column, block=self.shard_rows), self.name)

    def facts(self) -> dict[str, Any]:
        """Return name, size and sha256; standard input, which cannot be read twice, has a name only."""
        if self.in_memory:
            digest = hashlib.sha256()
            for table in self.tables():
                digest.update(table.frame.to_csv(index=False).encode())
            return {"name": self.name, "bytes": None, "sha256": digest.hexdigest()}
        if self.once:
            return {"name": self.name, "bytes": None, "sha256": None}
        path = Path(self.library)
        with read_errors(str(path)):
            return {"name": self.name, "bytes": path.stat().st_size, "sha256": digest_of_file(path)}


@dataclass(frozen=True)
class _Screen:
    """Hold one call's library, model and output folder."""

    out: Path
    source: Source
    predictor: Any
    manifest: Manifest
    ranking: Ranking
    models: Models

    def run(
        self, resume: bool, shard: tuple[int, int] | None, workers: int, progress: Progress, report: Report | None
    ) -> ScreenResult:
        if self.source.once and (resume or shard):
            raise ConfigError("standard input cannot be read twice; save the library in a file to resume or shard it")
        with closing(self.source.tables()) as tables:
            first = next(tables)  # a library that cannot be read leaves no folder behind
            return self._run(chain([first], tables), resume, shard, workers, progress, report)

    def _run(
        self,
        tables: Iterator[Any],
        resume: bool,
        shard: tuple[int, int] | None,
        workers: int,
        progress: Progress,
        report: Report | None,
    ) -> ScreenResult:
        found = self._claim(resume)
        asked = replace(found, settings=self.manifest.settings) if found else self.manifest
        unfinished = ScreenResult(self.out, self._scores, False, asked, self.ranking)
        if found and found.result:
            harmed = found.harmed(self.out)
            if not harmed and found.settings == asked.settings:
                return self._again(unfinished, found.result)
            if not harmed:  # ranked in another way
                tables = restored(self._scores, found.result["names"], tables, self.out / SHARDS)
            elif not _holds(self.out / SHARDS):
                raise CheckpointError(
                    f"{'; '.join(harmed)}, and what it was merged from is gone. Remedy: put the file back as it was, "
                    f"or remove {self.out} and screen again."
                )
            unfinished = replace(unfinished, manifest=replace(asked, result=None))  # merge once more
        only_merge = found is not None and not resume and shard is None
        paths, missing, damaged = self._score(tables, shard, only_merge, workers, progress)
        if only_merge and missing:
            spoilt = f", or damaged ({_some(damaged)})" if damaged else ""
            raise ConfigError(
                f"{self.out} holds an unfinished screen: {len(missing)} of {len(paths)} shards are not there yet "
                f"({_some(missing)}){spoilt}. Remedy: wait for or repeat the --shard calls that make them, or go on "
                "here with --resume."
            )
        unfinished = replace(unfinished, damaged=tuple(damaged))
        return unfinished if shard else self._finish(paths, unfinished, report)

    @property
    def _scores(self) -> Path:
        return self.out / f"scores.{self.manifest.settings['format']}"

    def _claim(self, resume: bool) -> Manifest | None:
        """Return the manifest of the same screen begun before; make the folder and write ours if there is none."""
        # Looked for before the manifest, which every screen writes first: another call may be beginning this one.
        left = [path for path in (self._scores, self.out / TOP, self.out / SHARDS) if _holds(path)]
        found = Manifest.load(self.out)
        if found is not None:
            if self.source.once or (found.result and not resume):
                raise ConfigError(f"{self.out} already holds a screen; give another output folder or remove this one")
            found.refuse_changes(self.manifest, self.out)
            return found
        if left:
            raise ConfigError(
                f"{left[0]} is there, made by something else: no {NAME} says from what. Remedy: remove it, or give "
                "another output folder."
            )
        with os_errors(self.out):
            (self.out / SHARDS).mkdir(parents=True, exist_ok=True)
        self.manifest.save(self.out)
        return None

    def _score(
        self, tables: Iterator[Any], shard: tuple[int, int] | None, only_merge: bool, workers: int, progress: Progress
    ) -> tuple[list[Path], list[int], list[int]]:
        """Score what is wanted and not whole; return all shards' paths, the numbers of those left out, and those of the
        damaged."""
        paths: list[Path] = []
        missing: list[int] = []
        damaged: list[int] = []

        def jobs() -> Iterator[Job]:
            for number, table in enumerate(tables):
                paths.append(self.out / SHARDS / f"{number:08d}.parquet")
                state = state_of(paths[-1], len(table))
                if state == WHOLE:
                    progress(len(table))
                    continue
                if state == DAMAGED:
                    damaged.append(number)
                if only_merge or (shard and number % shard[1] != shard[0] - 1):
                    missing.append(number)
                else:
                    properties = self.manifest.settings["filters"] == "all"
                    yield Job(number, table, paths[-1], self.models, properties)

        try:
            with closing(pool.run(jobs(), workers)) as finished:
                for rows in finished:
                    progress(rows)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"stopped; finished shards are kept in {self.out}: go on with --resume") from None
        return paths, missing, damaged

    def _finish(self, paths: Sequence[Path], unfinished: ScreenResult, report: Report | None) -> ScreenResult:
        """Merge, write the final files, mark the manifest and only then remove the shards."""
        sweep(self.out)
        shards = Shards.open(paths)
        best, summary = merge(shards, self.ranking, self._scores)
        best = with_keys(best, shards.names, self.predictor)
        goals = [Goal(**goal) for goal in summary.goals]
        diverse = self.manifest.settings["diverse"]
        top, names = complete(best, shards.names, self.predictor.room, self.ranking, goals, diverse)
        private = [names[KEY], names[ADDED]] if ADDED in names else []  # paths of this machine: no file holds them
        shown = top.drop(columns=private)
        with open_writer(self.out / TOP) as writer:
            writer.write(shown)
        types = {name: shown[name].dtype.kind for name in shown.columns}
        shown = read_top(self.out / TOP, types)  # what the file says, so that a later call says the same
        whole = pd.concat([shown, top[private].reset_index(drop=True)], axis=1)
        result = replace(unfinished, finished=True, summary=summary, top=whole, names=names)
        if report is not None:
            report(result, self.predictor)
        names = {ours: name for ours, name in names.items() if name not in private}
        result = replace(result, top=shown, names=names)
        files = {path.name: digest_of_file(path) for path in (self._scores, self.out / TOP)}
        found = {"summary": asdict(summary), "names": names, "types": types, "sha256": files}
        manifest = replace(unfinished.manifest, result=found)
        manifest.save(self.out)
        shutil.rmtree(self.out / SHARDS, ignore_errors=True)
        return replace(result, manifest=manifest)

    def _again(self, unfinished: ScreenResult, result: Mapping[str, Any]) -> ScreenResult:
        """Return a screen that was finished before."""
        shutil.rmtree(self.out / SHARDS, ignore_errors=True)
        with damaged(self.out / NAME):
            top = read_top(self.out / TOP, result["types"])
            summary = Summary.load(result["summary"])
            return replace(unfinished, finished=True, summary=summary, top=top, names=dict(result["names"]))


def _content(value: str) -> str:
    """Return what must stay the same for a screen to go on: the sha256 of a file, else the words themselves."""
    return f"sha256:{digest_of_file(Path(value))}" if is_file(value) else value


def _joined(word: str) -> str:
    """Return FILE:COLUMN with the content for the file's name; what has no such form is refused where it is read."""
    path, sign, column = word.rpartition(":")
    return f"{_content(path)}{sign}{column}"


def _holds(path: Path) -> bool:
    """Tell whether a file is there, or a folder with anything in it."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def _check_domain(domain: str, predictor: Any) -> None:
    """Refuse to rank the domain alone where no model knows one: every row would be ranked, as if all were in it."""
    if domain == "only" and all(each.domain is None for each in predictor.predictors):
        raise ConfigError(
            "domain 'only': what lies in the domain is not known, as the model comes without its training rows (it was "
            "shared) or its room does not say what is alike. Remedy: rank all rows alike with domain 'any', or screen "
            "with a model that knows its domain."
        )


def _check(settings: Mapping[str, Any], shard: tuple[int, int] | None, workers: int | None) -> None:
    for target in RESERVED.intersection(settings["targets"]):
        raise ConfigError(f"a screen has a column '{target}' of its own; train with the target under another name")
    for name, known in (("format", FORMATS), ("filters", FILTERS), ("domain", DOMAINS)):
        if settings[name] not in known:
            raise ConfigError(f"{name} '{settings[name]}' is unknown{did_you_mean(settings[name], known)}")
    for name, least in (("top", 1), ("shard_rows", 1), ("diverse", 0)):
        if settings[name] < least:
            raise ConfigError(f"{name} must be at least {least}, not {settings[name]}")
    for target, (low, high) in settings["bounds"].items():
        if target not in settings["targets"]:
            hint = did_you_mean(target, settings["targets"])
            raise ConfigError(f"bounds are given for an unknown target '{target}'{hint}")
        if not low < high:
            raise ConfigError(f"bounds of '{target}' must rise, not {low} to {high}")
    if workers is not None and workers < 1:
        raise ConfigError(f"workers must be at least 1, not {workers}")
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise ConfigError(f"shard must be i/n with 1 <= i <= n, not {shard[0]}/{shard[1]}")


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON gives them back, so that they compare equal."""
    return dict(json.loads(json.dumps(settings)))


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(n) for n in numbers[:10])
    return shown if len(numbers) <= 10 else f"{shown}, ..."


def _quiet(rows: int) -> None:
    """Show nothing."""
