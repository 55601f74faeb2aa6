"""Slices of MRI, a row each, out of phantoms, folders of patients and tables; and who was left out, and why."""

from __future__ import annotations

import zipfile
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.labels import MISSING, labels_of
from molgraph.data.table import nonempty
from molgraph.errors import ConfigError, DataError, did_you_mean
from molgraph.predictor.records import whole
from molgraph.rooms.imaging.brains import brains
from molgraph.rooms.imaging.geometry import resample, to_voxel, to_world
from molgraph.rooms.imaging.read import read
from molgraph.rooms.imaging.scan import Scan, ScanError, foreign, read_scan
from molgraph.rooms.imaging.source import load

PHANTOMS = {  # signal, core, shortcut
    "core": (0.0, 0.8, 0.0),
    "texture": (1.0, 0.0, 0.0),
    "nothing": (0.0, 0.0, 0.0),
    "scanner": (0.0, 0.0, 1.0),
}
NEW = "new"  # the cohort that never trains
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Cohort:
    """Hold slices as a table that the room of imaging reads, and what was left out of it.

    `frame` has columns scan, patient, label ("1" or "0") and, where some patients never train, cohort.
    """

    name: str
    frame: pd.DataFrame
    rejects: list[dict[str, Any]] = field(default_factory=list)


def cohorts(given: Namespace, folder: Path) -> Iterator[Cohort]:
    """Yield the cohorts of a command line; what they are made of is written to a folder.

    Raises: ConfigError for an unknown phantom and a folder without a mask; DataError where nothing can be used.
    """
    source = Path(given.source or "")
    if given.source == "phantoms":
        for name in given.phantoms.split(","):
            yield phantom(name, folder, given)
    elif given.mask:
        yield volumes(source, folder, given)
    elif source.is_dir() or source.suffix == ".zip":
        raise ConfigError(f"{source}: of a folder of patients, say which file is what: --image FILE --mask FILE")
    else:
        yield tabled(source, folder, given)


def phantom(name: str, folder: Path, given: Namespace) -> Cohort:
    """Make phantom patients, and new ones whose scanner says nothing."""
    if name not in PHANTOMS:
        raise ConfigError(f"no phantom '{name}'{did_you_mean(name, PHANTOMS)}")
    signal, core, shortcut = PHANTOMS[name]
    old = brains(given.seed, given.patients, 8, signal=signal, core=core, shortcut=shortcut)
    new = brains(given.seed + 1, given.patients, 8, signal=signal, core=core)
    patient = np.concatenate([old.patient, new.patient + given.patients])
    label, side = np.concatenate([old.label, new.label]), np.repeat(["old", NEW], [len(old.slices), len(new.slices)])
    scans = stored(folder / f"{name}.npz", [*old.slices, *new.slices])
    frame = pd.DataFrame({"scan": scans, "patient": patient, "label": label, "cohort": side}).astype(str)
    return Cohort(name, frame)


def stored(file: Path, slices: Sequence[NDArray[Any]]) -> list[str]:
    """Write slices of one size to a set; return the text that names each."""
    np.savez(file, images=np.stack(slices))
    return [f"{file.resolve()}#images/{at}" for at in range(len(slices))]


def volumes(source: Path, folder: Path, given: Namespace) -> Cohort:
    """Take slices of the volumes of all patients, each with what its mask says of it.

    Raises: DataError where no patient can be used.
    """
    rows, rejects = [], []
    for at, patient in enumerate(people(unpacked(source, folder), given.image, given.mask)):
        try:
            rows += _patient(patient, folder / f"patient{at}", given)
        except ScanError as error:
            rejects.append({"patient": patient.name, "reason": error.reason, "message": error.message})
    if not rows:
        raise DataError(f"{source}: none of {len(rejects)} patients can be used; the first: {rejects[0]['message']}")
    return Cohort(source.stem, pd.DataFrame(rows, columns=["scan", "patient", "label"], dtype=object), rejects)


def _patient(patient: Path, file: Path, given: Namespace) -> list[tuple[str, str, str]]:
    """Return the slices of one patient as rows of a cohort."""
    rows = []
    for n, (image, mask) in enumerate(pairs(patient, given.image, given.mask)):
        scan = read_scan(image)
        label = marks(scan, read_scan(mask, mask=True), str(mask))
        shown = showing(scan, given.every, str(image))
        scans = stored(file.with_name(f"{file.name}-{n}.npz"), [scan.voxels[0, z] for z in shown])
        rows += [(text, patient.name, str(int(label[z]))) for text, z in zip(scans, shown, strict=True)]
    return rows


def unpacked(source: Path, folder: Path) -> Path:
    """Return a folder of patients, out of its .zip where it is one.

    Raises: DataError where there is none, or it is damaged.
    """
    if source.is_dir():
        return source
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; check the path.")
    what = "is no folder, and no .zip that can be unpacked"
    with foreign(str(source), "damaged", what), zipfile.ZipFile(source) as packed:
        packed.extractall(folder / "volumes")
    return folder / "volumes"


def people(source: Path, image: str, mask: str) -> list[Path]:
    """Return the folder of each patient: from which a volume or a mask is named, and the folders beside it.

    Raises: DataError where there is none, or where folders of one name stand in several (sessions are no patients).
    """
    named = {folder for pattern in (image, mask) for folder in _bases(source, pattern)} - {source}
    beside = {each for parent in {folder.parent for folder in named} for each in parent.iterdir() if each.is_dir()}
    found = sorted(folder for folder in named | beside if not folder.name.startswith((".", "__")))
    if not found:
        raise DataError(f"{source}: no folder in it holds a file '{image}' or '{mask}'; patients have a folder each.")
    double = [name for name, count in Counter(folder.name for folder in found).items() if count > 1]
    if double:
        raise DataError(
            f"{source}: {len(double)} folders stand in several others, as '{double[0]}' does; are they visits of one "
            f"patient, name the volume from the patient's folder (--image '*/{image}'), else rename them."
        )
    return found


def _bases(folder: Path, pattern: str) -> Iterable[Path]:
    """Return the folders from which a pattern names a file below a folder."""
    return (file.parents[len(Path(pattern).parts) - 1] for file in folder.rglob(pattern))


def pairs(patient: Path, image: str, mask: str) -> list[tuple[Path, Path]]:
    """Return the volumes of a patient, each with its mask.

    Raises: ScanError where a file is missing, or it is not known which mask is whose.
    """
    images, masks = sorted(patient.glob(image)), sorted(patient.glob(mask))
    for found, pattern, what in ((images, image, "image"), (masks, mask, "mask")):
        if not found:
            raise ScanError(f"no_{what}", f"{patient}: has no file '{pattern}'.")
    if len(images) == len(masks) == 1:
        return [(images[0], masks[0])]
    whose = [[each for each in masks if each.parent == file.parent] for file in images]
    if any(len(mine) != 1 for mine in whose) or len({file.parent for file in images}) < len(images):
        raise ScanError("several_masks", f"{patient}: has {len(images)} '{image}' and {len(masks)} '{mask}'.")
    return list(zip(images, [mine[0] for mine in whose], strict=True))


def marks(scan: Scan, mask: Scan, where: str) -> Bools:
    """Tell of each slice of a scan whether a mask, on whatever grid in the same space, marks any of it.

    Every marked voxel is looked up in the scan, so that a fine mask loses nothing; a coarse one is made finer before.

    Raises: ScanError where the mask lies elsewhere, or it is not known where it lies.
    """
    marked, sizes = mask.voxels.max(0) > 0, scan.voxels.shape[1:]
    found = np.zeros(sizes[0], dtype=bool)
    if scan.affine is None or mask.affine is None or scan.spacing is None or mask.spacing is None:
        if scan.affine is not None or mask.affine is not None or marked.shape != sizes:
            raise ScanError("no_affine", f"{where}: it or its scan does not say where its voxels lie.")
        return np.asarray(marked.any((1, 2)))
    x, y, z = (min(edges) for edges in zip(scan.spacing, mask.spacing, strict=True))
    fine = resample(mask, (x, y, z), where, nearest=True)
    assert fine.affine is not None  # as it had one before
    places = np.argwhere(fine.voxels.max(0) > 0)[:, ::-1]
    at = np.floor(to_voxel(scan.affine, to_world(fine.affine, places)).round(6) + 0.5).astype(int)  # rint splits ties
    inside = ((at >= 0) & (at < sizes[::-1])).all(1)
    if not _meet(scan, mask) or (len(at) and not inside.any()):
        raise ScanError("mask_elsewhere", f"{where}: nothing of it lies in its scan; are both in one space?")
    found[at[inside, 2]] = True
    return found


def _meet(scan: Scan, mask: Scan) -> bool:
    """Tell whether the box of a mask, turned as the scan lies, reaches into the scan's."""
    assert scan.affine is not None and mask.affine is not None  # `marks` has looked
    sizes = np.array(mask.voxels.shape[:0:-1])
    corners = np.stack(np.meshgrid(*([-0.5, size - 0.5] for size in sizes)), -1).reshape(-1, 3)
    seen = to_voxel(scan.affine, to_world(mask.affine, corners))
    return bool((seen.max(0) > -0.5).all() and (seen.min(0) < np.array(scan.voxels.shape[:0:-1]) - 0.5).all())


def showing(scan: Scan, every: int, where: str) -> list[int]:
    """Return every N-th slice, of those the ones that show anything.

    Raises: ScanError where none does.
    """
    found = [z for z in range(0, scan.voxels.shape[1], every) if np.ptp(scan.voxels[0, z]) > 0]
    if not found:
        raise ScanError("all_black", f"{where}: none of its slices that are kept (one in {every}) shows anything.")
    return found


def tabled(source: Path, folder: Path, given: Namespace) -> Cohort:
    """Take the pictures of a table, and slices of its volumes, each with the patient and the label of its row.

    Raises: DataError where a column is missing, no label is positive, or no row can be used.
    """
    table = whole(list(nonempty(read(source, given.image or None), str(source))))
    for option, column in (("patient", given.patient), ("target", given.target)):
        if column not in table.frame:
            known = [str(name) for name in table.frame.columns]
            raise DataError(f"{source}: no column '{column}' (--{option}){did_you_mean(column, known)}")
    labels = positives([str(cell) for cell in table.frame[given.target]], given.target, given.positive)
    sides = table.frame["cohort"] if "cohort" in table.frame else [""] * len(table)
    people = [str(cell).strip() for cell in table.frame[given.patient]]
    rows, rejects = [], []
    for at, (text, patient, label, side) in enumerate(zip(table.texts, people, labels, sides, strict=True)):
        try:
            if at in table.broken:
                raise ScanError(table.broken[at].reason, table.broken[at].message)
            _complete(patient, label, given)
            scans = pictures(text, folder / f"row{at}", given.every)
            rows += [(scan, patient, label, side) for scan in scans]
        except ScanError as error:
            who = {"patient": patient, "row": int(table.rows[at])}
            rejects.append({**who, "reason": error.reason, "message": error.message})
    if not rows:
        raise DataError(f"{source}: none of {len(table)} rows can be used; the first: {rejects[0]['message']}")
    frame = pd.DataFrame(rows, columns=["scan", "patient", "label", "cohort"], dtype=object)
    return Cohort(source.stem, frame, rejects)


def _complete(patient: str, label: str, given: Namespace) -> None:
    if patient.lower() in MISSING:
        raise ScanError("no_patient", f"column '{given.patient}' is blank, so it is not known whose it is.")
    if not label:
        raise ScanError("not_measured", f"column '{given.target}' is blank.")


def positives(cells: Sequence[str], target: str, positive: str) -> list[str]:
    """Return "1" for the positive label, "0" for any other, "" for a blank.

    Raises: DataError where no label is positive.
    """
    words = [cell.strip() for cell in cells]
    classes = set(labels_of(words))
    known = Counter(word for word in words if word in classes)
    if not any(_alike(word, positive) for word in known):
        shown = ", ".join(f"{word} ({count})" for word, count in known.most_common(8)) or "blank"
        raise DataError(
            f"{target}: no label is '{positive}'; they are {shown}. Name the positive one: --positive LABEL."
        )
    return ["" if word not in known else "1" if _alike(word, positive) else "0" for word in words]


def _alike(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one.casefold() == other.strip().casefold()


def pictures(text: str, file: Path, every: int) -> list[str]:
    """Return a picture as it is, else every N-th slice of each volume (of several sequences: of the first)."""
    scans = load(text)
    if len(scans) == 1 and scans[0].voxels.shape[1] == 1:
        return [text]
    found = []
    for n, scan in enumerate(scans):
        shown = showing(scan, every, text)
        found += stored(file.with_name(f"{file.name}-{n}.npz"), [scan.voxels[0, z] for z in shown])
    return found
