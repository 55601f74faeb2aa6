"""Train a finder of lesions on scans with masks, judge it beside a method without learning; find lesions in scans."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molgraph import registry
from molgraph import split as splits
from molgraph.config import RunSettings, dump
from molgraph.data.files import alone, atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.stream import name_of
from molgraph.data.table import Table, free_names, nonempty
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, DataError, Reject, did_you_mean, many
from molgraph.fit.device import memory_errors
from molgraph.metrics import average, dice, froc
from molgraph.predictor.auto import groups_of, settled
from molgraph.predictor.card import interval
from molgraph.predictor.checkpoint import CHECKPOINT, refuse_finished
from molgraph.predictor.finder import KIND, Finder
from molgraph.predictor.folder import clear, save_history, save_rejects
from molgraph.predictor.records import whole
from molgraph.predictor.scored import OK
from molgraph.rooms.imaging.blobs import blobs
from molgraph.rooms.imaging.boxes import SURE, Found, lesions
from molgraph.rooms.imaging.cases import shelved
from molgraph.rooms.imaging.patches import LEVELS, Case
from molgraph.rooms.imaging.phantom import PLACE
from molgraph.rooms.imaging.scan import ScanError
from molgraph.rooms.imaging.write import save_nifti
from molgraph.split import Split
from molgraph.workflows import show
from molgraph.workflows.journal import Journal

BLOBS = "bright blobs (Laplacian of a Gaussian)"
NODULES, SCANS, JOURNAL = "nodules.csv", "scans.csv", "journal.jsonl"
COLUMNS = ("scan", "row", *PLACE, "score", "volume", "mask")


@dataclasses.dataclass(frozen=True)
class Cases:
    """Hold the scans of a table whose masks could be read; `table` has their rows only."""

    cases: list[Case]
    table: Table
    rejects: list[Reject]
    read: int


def train_finder(run: RunSettings, out: Path | None, *, dry_run: bool = False, overwrite: bool = False) -> Finder:
    """Train on a table with a column of scans and one of masks, and write a model folder.

    Goes on where a stopped training of the same run ended. Ctrl-C ends it early: the best weights so far are judged and
    written, and the checkpoint stays.

    Raises: ConfigError for settings that mean nothing to a finder; DataError where no scan can be used;
    KeyboardInterrupt after a stopped training was saved.
    """
    with alone(out) if out is not None and not dry_run else contextlib.nullcontext():
        return _train_finder(run, out, dry_run, overwrite)


def _train_finder(run: RunSettings, out: Path | None, dry_run: bool, overwrite: bool) -> Finder:
    if out is not None and not overwrite:
        refuse_finished(out)
    began = time.perf_counter()
    room = registry.room(run.model)
    table = whole(list(nonempty(room.reading.read(run.data, run.column or None), name_of(run.data))))
    run = dataclasses.replace(settled(run, table, room), task=KIND, refit="no")  # folds of cases only
    finder, found = read_cases(run, table)
    cut = _split(run, found, finder)
    folds = {name: [found.cases[at] for at in getattr(cut, name)] for name in ("train", "valid", "calibration", "test")}
    finder.recipe.facts = _facts(run, found, folds)
    for line in (f"{run.data}: {many(found.read, 'scan')}, {len(found.cases)} used", *finder.recipe.facts["notes"]):
        show.say(line)
    show.say(f"split {run.split}: " + ", ".join(f"{len(cases)} {name}" for name, cases in folds.items()))
    if dry_run or out is None:
        show.say("nothing was trained (--dry-run)")
        return finder
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        if overwrite:
            clear(out)
        interrupted = _train(finder, folds, out)
    finder.recipe.columns = {"scan": table.column, "mask": run.targets[0]}
    finder.recipe.metrics = judge(finder, folds["test"], seed=run.seed)
    finder.recipe.facts |= {"epochs": len(finder.learning.history), "interrupted": interrupted}
    finder.recipe.facts["seconds"] = round(time.perf_counter() - began, 1)
    finder.recipe.facts["trained"] = datetime.now(UTC).isoformat(timespec="seconds")
    with os_errors(out):
        _write(finder, out, found.rejects)
    _say(finder, out)
    if interrupted:
        so_far = "the model so far (best weights yet), scored above"
        raise KeyboardInterrupt(f"stopped in training. {out} holds {so_far}; the same command goes on from there.")
    (out / CHECKPOINT).unlink(missing_ok=True)
    return finder


def _train(finder: Finder, folds: dict[str, list[Case]], out: Path) -> bool:
    """Train; return whether Ctrl-C ended it. The calibration fold, of no use here, stops it too."""
    run, held = finder.recipe.run, folds["valid"] + folds["calibration"]
    rearm()
    with show.Epochs(run, out, tensorboard=False) as watch:
        try:
            with contextlib.closing(finder.epochs(folds["train"], held, out, _digest(run, folds))) as epochs:
                for epoch in epochs:
                    watch(0, epoch)
        except KeyboardInterrupt:
            if not finder.learning.ready:
                raise
            return True
    return False


def _digest(run: RunSettings, folds: dict[str, list[Case]]) -> str:
    """Return the sha256 of all that decides the result: settings and scans."""
    found = hashlib.sha256(json.dumps({**dataclasses.asdict(run), "data": ""}).encode())
    for case in (*folds["train"], *folds["valid"], *folds["calibration"]):
        for voxels in (case.voxels, case.mask):
            found.update(voxels.numpy().data)
    return found.hexdigest()


def _write(finder: Finder, out: Path, rejects: Sequence[Reject]) -> None:
    finder.save(out)
    save_history(out, finder.learning.history)
    save_rejects(out, rejects)
    for name, text in (
        ("run.toml", dump(finder.recipe.run)),
        ("metrics.json", json.dumps(finder.recipe.metrics, indent=1)),
    ):
        with atomic(out / name) as file:
            file.write(text.encode())


def read_cases(run: RunSettings, table: Table) -> tuple[Finder, Cases]:
    """Read the scans and masks of a table; a row that cannot be used is a reject with its reason.

    Raises: ConfigError where not one target is named; DataError where its column is missing or no row can be used.
    """
    if len(run.targets) != 1:
        raise ConfigError(
            f"name one target: the column of the masks, as in --target mask; named: {run.targets or 'none'}."
        )
    (target,) = run.targets
    columns = [c for c in table.frame.columns if c != table.column]
    if target not in columns:
        raise DataError(f"{table.origin}: no column '{target}'{did_you_mean(target, columns)}")
    finder = Finder.untrained(run, 1, target)
    kept: list[int] = []
    rejects: list[Reject] = []
    cases = shelved(
        _readable(finder, table, target, Path() if run.data == "-" else Path(run.data).parent, kept, rejects)
    )
    if not cases:
        first = f"; the first: {rejects[0].message}" if rejects else ""
        raise DataError(f"{table.origin}: none of {len(table)} scans can be used{first}")
    channels = len(cases[0].voxels)
    if channels != 1:
        finder = Finder.untrained(run, channels, target)
    used = dataclasses.replace(
        table, frame=table.frame.iloc[kept].reset_index(drop=True), rows=table.rows[kept], broken={}
    )
    return finder, Cases(cases, used, rejects, len(table))


def _readable(
    finder: Finder, table: Table, target: str, folder: Path, kept: list[int], rejects: list[Reject]
) -> Iterator[Case]:
    """Yield the scans that can be used, with their rows in `kept`; the others go to `rejects`."""
    channels = 0
    for at, (scan, mask) in enumerate(zip(table.texts, table.frame[target].astype(str), strict=True)):
        try:
            if not mask.strip():
                raise ScanError("not_measured", f"{scan}: no mask is named; a healthy scan has one without a mark.")
            with memory_errors(f"reading {scan}"):
                case = finder.read_case(scan, str((folder / mask.strip()).resolve()))
            channels = channels or len(case.voxels)
            if len(case.voxels) != channels:
                told = f"{scan}: {len(case.voxels)} channels, the scans before it {channels}."
                raise ScanError("wrong_channels", told)
        except ScanError as error:
            said, text = table.in_their_words(error.message), table.in_their_words(scan)
            rejects.append(Reject(int(table.rows[at]), text, error.reason, said))
            continue
        kept.append(at)
        yield case


def _split(run: RunSettings, found: Cases, finder: Finder) -> Split:
    """Cut the scans as the run says; patients, and scans of the same voxels, stay on one side."""
    table, room = found.table, registry.room(run.model)
    named, of = splits.named(run.split)
    belongs, notes = groups_of(table, run, [(room, table.texts)])
    for note in notes:
        show.say(f"note: {note}")
    number: dict[bytes, int] = {}
    digests = [hashlib.sha256(case.voxels.numpy().data).digest() for case in found.cases]
    same = np.array([number.setdefault(digest, len(number)) for digest in digests])
    together = {"the same scan": same, **belongs}
    labels = None
    if named.method in ("column", "time"):
        if of not in table.frame:
            raise DataError(f"{table.origin}: no column '{of}'{did_you_mean(str(of), table.frame.columns)}")
        labels = [str(cell) for cell in table.frame[of]]
    cut = splits.split(
        len(found.cases),
        method=named.method,
        groups=belongs.get(str(of) if named.grouper == splits.GROUP else named.grouper, same),
        column=labels if named.method == "column" else None,
        time=labels if named.method == "time" else None,
        fractions=(run.fractions[0], run.fractions[1], run.fractions[2]),
        seed=run.seed,
        rows=table.rows,
    )
    for what, groups in together.items():
        leaks = splits.check(cut, groups)
        if len(leaks) and run.leaks == "refuse":
            those = f"{many(len(leaks), 'row')} share{'s' * (len(leaks) == 1)}"
            raise DataError(f"{table.origin}: {those} {what} with a later fold; use --leaks drop.")
        if len(leaks) and run.leaks == "drop":
            cut = splits.drop(cut, leaks)
    return cut


def _facts(run: RunSettings, found: Cases, folds: dict[str, list[Case]]) -> dict[str, Any]:
    counts = Counter(reject.reason for reject in found.rejects)
    kept = sum(map(len, folds.values()))
    notes = [f"{len(found.rejects)} scans cannot be used: {dict(counts)}."] if counts else []
    notes += [f"{len(found.cases) - kept} scans stand in a later fold too and were left out."] * (
        kept < len(found.cases)
    )
    return {
        "data": run.data,
        "rows_read": found.read,
        "rows_used": len(found.cases),
        "rejected": dict(counts),
        "split": run.split,
        **{name: len(cases) for name, cases in folds.items()},
        "lesions": {name: sum(len(case.lesions) for case in cases) for name, cases in folds.items()},
        "notes": notes,
    }


def judge(finder: Finder, cases: Sequence[Case], *, bootstrap: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Return Dice and FROC on held-out scans, and the FROC of the method to beat, as JSON values."""
    truth, mine, theirs, overlaps = [], [], [], []
    for case in cases:
        chance = finder.chance(case.voxels)
        truth.append(lesions(case.mask.numpy().astype(np.float32), case.affine, threshold=1.0, smallest=0.0))
        mine.append(lesions(chance, case.affine))
        theirs.append(blobs((case.voxels[0] / LEVELS).numpy(), case.affine))
        overlaps.append(dice(case.mask.numpy(), chance >= SURE))
    return {
        "scans": len(cases),
        "lesions": sum(map(len, truth)),
        "dice": average(overlaps, bootstrap=bootstrap, seed=seed).to_json(),
        "froc": _froc(truth, mine, bootstrap, seed),
        "comparator_name": BLOBS,
        "comparator": {"froc": _froc(truth, theirs, bootstrap, seed)},
    }


def _froc(truth: Sequence[list[Found]], found: Sequence[list[Found]], bootstrap: int, seed: int) -> dict[str, Any]:
    boxes = [[[lesion.box for lesion in scan] for scan in scans] for scans in (truth, found)]
    scores = [[lesion.score for lesion in scan] for scan in found]
    return froc(boxes[0], boxes[1], scores, bootstrap=bootstrap, seed=seed).to_json()


def _say(finder: Finder, out: Path) -> None:
    found = finder.recipe.metrics
    show.say(f"\n{found['scans']} test scans with {found['lesions']} lesions, 95 % intervals in brackets")
    show.say(f"  Dice {interval(found['dice'])}")
    for name, froc_of in (("the model", found["froc"]), (found["comparator_name"], found["comparator"]["froc"])):
        at_one = froc_of["sensitivity"]["1"]
        show.say(
            f"  {name}: finds {interval(at_one)} at 1 false positive per scan, FROC mean {interval(froc_of['mean'])}"
        )
    if not finder.recipe.facts["interrupted"]:
        show.say(f"\nmodel written to {out}")


def find_file(source: str, model: str | Path, out: Path, *, column: str | None = None) -> Counter[str]:
    """Find lesions in scans; return how many rows of the source have which status.

    Written are `nodules.csv` (a line per lesion), `scans.csv` (a line per row, with the user's own columns) and a mask
    for each scan. A scan that cannot be read is a line with its reason. A stopped search goes on where it ended.
    """
    finder = Finder.load(model)
    tables = nonempty(registry.room(finder.recipe.run.model).reading.read(source, column), source)
    statuses: Counter[str] = Counter()
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    with (
        Journal(out / JOURNAL, finder.digest) as journal,
        open_writer(out / NODULES) as nodules,
        open_writer(out / SCANS) as scans,
    ):
        nodules.write(pd.DataFrame(columns=list(COLUMNS)))
        if journal.done:
            show.say(f"going on: {len(journal.done)} scans are done")
        for table in tables:
            for at, file in enumerate(table.texts):
                rearm()
                line, found = _once(finder, file, int(table.rows[at]), out, journal)
                statuses[line["status"]] += 1
                called = [{**each, "scan": table.in_their_words(each["scan"])} for each in found]
                nodules.write(pd.DataFrame(called, columns=list(COLUMNS)))
                given = table.given.iloc[[at]].reset_index(drop=True)
                names = free_names(list(given.columns), list(line))
                line = {**line, "message": table.in_their_words(line["message"])}
                ours = pd.DataFrame([{names[name]: value for name, value in line.items()}])
                scans.write(pd.concat([given, ours], axis="columns"))
    show.say(f"{many(statuses.total(), 'scan')}, {statuses.total() - statuses[OK]} not read; written to {out}")
    return statuses


def _once(
    finder: Finder, file: str, row: int, out: Path, journal: Journal
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the line of a scan and the lines of its lesions: from the journal where its mask was written before."""
    known = journal.get(row, file)
    if known is not None and (not known[0]["mask_file"] or (out / known[0]["mask_file"]).is_file()):
        return known[0], known[1]
    line, found = _found(finder, file, row, out)
    journal.add(row, file, [line, found])
    show.say(f"{file}: {line['message'] or str(line['lesions']) + ' found'}")
    return line, found


def _found(finder: Finder, file: str, row: int, out: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the line of a scan and the lines of its lesions, with its mask written."""
    began = time.perf_counter()
    try:
        with memory_errors(f"finding lesions in {file}"):
            finding = finder.find(file)
    except ScanError as error:
        return _line(0, None, "", 0.0, error.reason, error.message), []
    mask = f"mask-{row}.nii.gz"
    assert finding.scan.affine is not None  # else it had not been read
    save_nifti(out / mask, finding.mask, finding.scan.affine)
    found = []
    for lesion in finding.lesions:
        place = {k: round(v, 2) for k, v in zip(PLACE, (*lesion.centre, *lesion.size), strict=True)}
        numbers = {"score": round(lesion.score, 4), "volume": round(lesion.volume, 1)}
        found.append({"scan": file, "row": row, **place, **numbers, "mask": mask})
    highest = found[0]["score"] if found else None
    return _line(len(found), highest, mask, time.perf_counter() - began, OK, ""), found


def _line(count: int, score: Any, mask: str, seconds: float, status: str, message: str) -> dict[str, Any]:
    return {
        "lesions": count if status == OK else None,
        "highest_score": score,
        "mask_file": mask,
        "seconds": round(seconds, 2),
        "status": status,
        "message": message,
    }
