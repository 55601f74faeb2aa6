"""Ways to group pictures, so that the same one stays on one side of a split; and whose they are by their files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from molgraph.data.labels import MISSING
from molgraph.data.room import Owners
from molgraph.data.together import together
from molgraph.rooms.imaging.content import GZIP, content, quiet
from molgraph.rooms.imaging.identity import pictures
from molgraph.rooms.imaging.scan import ScanError, address, files_below, foreign
from molgraph.rooms.imaging.source import names_of

# What stands in PatientID where a patient was taken out, and so names nobody.
NOBODY = MISSING | {
    "anon", "anonym", "anonymous", "anonymized", "anonymised", "deidentified", "de-identified", "removed", "unknown",
    "no name", "0",
}  # fmt: skip
SAME = (
    "PatientID is the same in all DICOM files ({} rows): it tells no patients apart and is not used; scans of one "
    "study stay together."
)


class Owner(NamedTuple):
    """Hold what a DICOM file says of whose it is, "" where it does not."""

    patient: str
    study: str
    series: str


def picture(keys: Sequence[str]) -> NDArray[np.int64]:
    """Group rows that have a picture in common, also by way of others, numbered as they appear."""
    return together(pictures(keys))


def owners(texts: Sequence[str]) -> Owners:
    """Return the patients and studies that the DICOM files of each text name.

    Scans of one study are scans of one patient, whatever PatientID says. One that is blank or a word for nobody says
    nothing, and so does one that is the same in all files: of a single patient there is nothing to split.
    """
    known: dict[str, set[Owner]] = {}
    rows = [_told(text, known) for text in texts]
    patients = {owner.patient for row in rows for owner in row}
    having = sum(any(owner.patient for owner in row) for row in rows)
    useless = len(patients) == 1 and having > 1
    studies = [{("study", owner.study) for owner in row if owner.study} for row in rows]
    persons = [{("patient", owner.patient) for owner in row if owner.patient and not useless} for row in rows]
    whose = [person | study for person, study in zip(persons, studies, strict=True)]
    return Owners({"patient": whose, "study": studies}, (SAME.format(having),) if useless else ())


def _told(text: str, known: dict[str, set[Owner]]) -> set[Owner]:
    """Return the owners of the DICOM files that a text names; `known` has those of files that were read before."""
    for name in (name for scan in names_of(text) for name in scan if name not in known):
        try:
            with quiet(), foreign(name, "damaged", "its header cannot be read"):
                known[name] = _owners(name)
        except ScanError:  # why it cannot be read is said where its pixels are
            known[name] = set()
    return {owner for scan in names_of(text) for name in scan for owner in known[name]}


def _owners(name: str) -> set[Owner]:
    """Return whose a DICOM file is, or all files of a series: they may not be of one patient."""
    file, series = address(name)
    files = files_below(file) if file.is_dir() else [file]
    heads = (head for path in files if (head := _head(path)))
    return {head for head in heads if not (file.is_dir() and series) or head.series == series}


def _head(file: Path) -> Owner | None:
    """Return what the header of a file says, where it is DICOM."""
    from pydicom import dcmread  # slow to import, as is what builds on it

    from molgraph.rooms.imaging.dicom import MAGIC, PREAMBLE, is_bare, is_one

    with file.open("rb") as stream:
        begins = stream.read(PREAMBLE + len(MAGIC))
    packed = content(file, str(file)) if begins.startswith(GZIP) else b""
    begins = packed[: PREAMBLE + len(MAGIC)] or begins
    if not (is_one(begins) or is_bare(begins)):
        return None
    words = ["PatientID", "StudyInstanceUID", "SeriesInstanceUID"]
    source = io.BytesIO(packed) if packed else file
    ds = dcmread(source, stop_before_pixels=True, force=True, specific_tags=words)
    patient, study, series = (str(ds.get(word) or "").strip() for word in words)
    return Owner("" if patient.lower() in NOBODY else patient, study, series)
