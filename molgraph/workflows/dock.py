"""Dock a library with a program of others, resumably: poses in an SDF, a reason for every ligand without one."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from tqdm import tqdm

from molgraph.data.files import atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.stream import name_of
from molgraph.data.table import nonempty
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, DataError, Reject, many
from molgraph.rooms.binding.cofolding import Cofolding
from molgraph.rooms.binding.docking import Docking, box_around, tagged
from molgraph.rooms.binding.programs import find_program
from molgraph.rooms.molecule import read as molecules
from molgraph.rooms.molecule.standardise import Refusal
from molgraph.workflows import show
from molgraph.workflows.show import say

SETTINGS = "settings.json"
NAMES = ("id", "name", "_name", "compound id", "drug_id", "cid")  # columns that name a molecule, as in training
_FREE = ("limit", "cores", "receptor")  # what may change between two calls; the receptor is told by its bytes


class Row(NamedTuple):
    """Hold one ligand of the library; `broken` says why its record could not be read."""

    number: int
    text: str
    name: str
    broken: Reject | None


@dataclass(frozen=True)
class Counts:
    """Count ligands and poses; `reasons` maps each reason to the ligands that have no pose for it."""

    ligands: int
    poses: int
    reasons: dict[str, int]


def dock_file(
    library: Any,
    protein: str | Path,
    around: str,
    out: Path,
    *,
    program: str | None = None,
    column: str | None = None,
    size: float = 20.0,
    top: int | None = None,
    poses: int = 1,
    exhaustiveness: int = 8,
    seed: int = 1,
    limit: float = 600.0,
    cores: int = 0,
    msa: str = "",
) -> Counts:
    """Dock the ligands of a library (the first `top` of them) into a box and write their poses as SDF.

    Tags: `id`, `library_row`, `pose` (1 is the program's best), `program`, `score` (kcal/mol, lower is better) and
    `open_stereo` (centres and double bonds that the SMILES leaves open: one isomer was docked). Ligands are docked as
    written, charges too, their largest fragment. boltz folds the receptor anew, with the alignment `msa` (see
    `binding.cofolding`): its `score` is the affinity of the molecule, the same for all its poses, which `pocket_rmsd`
    (angstrom, to the receptor) and `confidence` tell apart. A call that was stopped goes on where it was;
    `_rejects.csv` beside the poses has a line for each ligand without one.

    Raises: ConfigError for a setting, a program that is not there, or poses that are; DataError where the library or
    the protein cannot be read or no ligand could be docked.
    """
    least = {"--top": top, "--poses": poses, "--exhaustiveness": exhaustiveness, "--seed": seed, "--limit": limit}
    for word, value in least.items():
        if value is not None and not value >= 1:
            raise ConfigError(f"{word} {value:g}: give 1 or more.")
    if out.suffix.lower() != ".sdf":
        raise ConfigError(f"--out {out}: poses are written as .sdf.")
    if out.exists():
        raise ConfigError(f"--out {out}: is there already; give another name, or delete it to dock anew.")
    found = find_program(program)
    box = box_around(around, size)
    if found.cofolds:
        docking: Docking | Cofolding = Cofolding(found, Path(protein), box, poses, seed, limit, msa)
    elif msa:
        raise ConfigError(f"--msa {msa}: is for boltz; {found.name} folds nothing.")
    else:
        docking = Docking(found, Path(protein), box, poses, exhaustiveness, seed, limit, cores)
    rows = islice(_rows(library, column), top)
    parts = Parts.open(out, docking)
    done = []
    with tqdm(unit=" ligands", desc=f"docking with {found.name}", ascii=True, delay=show.DELAY, total=top) as bar:
        for row in rows:
            done.append(parts.of(row) or parts.keep(row, _docked(docking, row)))
            rearm()
            bar.update()
    return _finish(parts, done, out, docking)


def _rows(library: Any, column: str | None) -> Iterator[Row]:
    for table in nonempty(molecules.read(library, column), name_of(library)):
        usual = {str(name).lower(): name for name in table.frame.columns}
        named = next((usual[name] for name in NAMES if name in usual), None)
        names = table.frame[named] if named else [""] * len(table)
        for at, (number, text, name) in enumerate(zip(table.rows.tolist(), table.texts, names, strict=True)):
            yield Row(number, text, str(name) or f"row {number}", table.broken.get(at))


def _docked(docking: Docking | Cofolding, row: Row) -> str | Reject:
    """Return the SDF records of a ligand, or why there is none."""
    if row.broken:
        return row.broken
    made = docking.dock(row.text)
    if isinstance(made, Refusal):
        return Reject(row.number, row.text, made.reason, made.message)
    tags = {"id": row.name, "library_row": str(row.number), "program": docking.program.name}
    if made[0].open_stereo:
        tags["open_stereo"] = str(made[0].open_stereo)
    return "".join(
        tagged(pose, row.name, {**tags, "pose": str(at), **dict(pose.tags)}) for at, pose in enumerate(made, start=1)
    )


@dataclass(frozen=True)
class Parts:
    """Keep finished ligands in a folder, a file each, until all are: `.sdf` has poses, `.json` a reason."""

    folder: Path

    @classmethod
    def open(cls, out: Path, docking: Docking | Cofolding) -> Parts:
        """Return the parts of a call, also of one that was stopped.

        Raises: ConfigError where that one had other settings.
        """
        made = cls(out.with_name(f"{out.name}.parts"))
        settings = {k: v for k, v in asdict(docking).items() if k not in _FREE}
        settings["receptor_sha256"] = hashlib.sha256(docking.receptor.read_bytes()).hexdigest()
        settings = json.loads(json.dumps(settings))
        path = made.folder / SETTINGS
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            other = [name for name in settings if settings[name] != before.get(name)]
            if other:
                raise ConfigError(
                    f"{made.folder} holds poses of a stopped call with another {', '.join(other)}: give the settings "
                    f"it had, another --out, or delete that folder."
                )
            say(f"going on after {len(list(made.folder.iterdir())) - 1} ligands")
            return made
        with os_errors(made.folder):
            made.folder.mkdir(exist_ok=True)
        with atomic(path, "w") as file:
            file.write(json.dumps(settings, indent=1))
        return made

    def of(self, row: Row) -> Path | None:
        """Return the part of a ligand that is finished; one that has changed is not."""
        return next((path for path in self._paths(row) if path.exists()), None)

    def keep(self, row: Row, made: str | Reject) -> Path:
        """Write the part of a ligand and return its path."""
        poses, reason = self._paths(row)
        path = poses if isinstance(made, str) else reason
        with atomic(path, "w") as file:
            file.write(made if isinstance(made, str) else json.dumps(asdict(made)))
        return path

    def _paths(self, row: Row) -> tuple[Path, Path]:
        text = hashlib.sha256(f"{row.text}\n{row.name}".encode("utf-8", "replace")).hexdigest()[:16]
        stem = f"{row.number}-{text}"
        return self.folder / f"{stem}.sdf", self.folder / f"{stem}.json"


def _finish(parts: Parts, done: list[Path], out: Path, docking: Docking | Cofolding) -> Counts:
    """Join the parts in the order of the library."""
    poses = [path for path in done if path.suffix == ".sdf"]
    rejects = [Reject(**json.loads(p.read_text(encoding="utf-8"))) for p in done if p.suffix == ".json"]
    if not poses:
        shutil.rmtree(parts.folder)  # once what is wrong is mended, all are to be tried again
        first = rejects[0]
        raise DataError(f"no ligand could be docked; row {first.row} '{first.text[:60]}': {first.message}.")
    written = 0
    with atomic(out, "w") as file:
        for path in poses:
            text = path.read_text(encoding="utf-8")
            written += text.count("\n$$$$\n")
            file.write(text)
    beside = out.with_name(f"{out.stem}_rejects.csv")
    if rejects:
        with open_writer(beside) as writer:
            writer.write(pd.DataFrame([asdict(reject) for reject in rejects]))
    shutil.rmtree(parts.folder)
    counts = Counts(len(done), written, dict(Counter(reject.reason for reject in rejects)))
    why = ", ".join(f"{n} {reason}" for reason, n in counts.reasons.items())
    say(f"{len(poses)} of {len(done)} ligands docked with {docking.program.name}, {many(written, 'pose')} in {out}")
    if rejects:
        say(f"{len(rejects)} have none ({why}): {beside}")
    say(f"next: molgraph screen {out} --protein {docking.receptor} --model DIR --out ranked")
    return counts
