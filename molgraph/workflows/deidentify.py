"""Take the patients out of a folder of scans: a clean file for each, or the reason why there is none."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from molgraph.data.files import atomic, is_empty, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.write import open_writer
from molgraph.errors import ConfigError, DataError
from molgraph.rooms.imaging import dicom, nifti, picture
from molgraph.rooms.imaging.burned import Region, blank, hides_overlay, region, shown, suspicion
from molgraph.rooms.imaging.cleaning import Cleaner
from molgraph.rooms.imaging.content import content, quiet
from molgraph.rooms.imaging.lettering import refuse_lettering
from molgraph.rooms.imaging.profile import EDITION
from molgraph.rooms.imaging.pseudonym import Pseudonyms, key_of
from molgraph.rooms.imaging.scan import ScanError, foreign
from molgraph.rooms.imaging.spare import empty_spare
from molgraph.rooms.imaging.stripped import stripped_nifti, stripped_picture
from molgraph.workflows import show
from molgraph.workflows.show import say

SETTINGS = "deidentified.json"
OK = "ok"
# Structured reports and encapsulated documents. See: DICOM PS3.4 Table B.5-1
_DOCUMENTS = ("1.2.840.10008.5.1.4.1.1.88.", "1.2.840.10008.5.1.4.1.1.104.")


@dataclass(frozen=True)
class Line:
    """Tell what became of one file: `output` is its new name in the folder, or `reason` and `message` say why none."""

    file: str
    reason: str
    message: str
    output: str


@dataclass(frozen=True)
class Counts:
    """Count files; `reasons` maps each reason to the files that were refused for it."""

    files: int
    written: int
    reasons: dict[str, int]


@dataclass
class Desk:
    """Hold how files are taken in: the names, what is painted over, and what was written so far."""

    out: Path
    names: Pseudonyms
    cleaner: Cleaner
    regions: list[Region]
    inspected: bool
    written: dict[str, str] = field(default_factory=dict)

    def take(self, file: Path, name: str) -> Line:
        """De-identify one file."""
        try:
            with quiet(), foreign(name, "damaged", "it cannot be read and written anew"):
                output, note = self._write(file, name)
        except ScanError as error:
            return Line(name, error.reason, error.message, "")
        return Line(name, OK, note, output)

    def _write(self, file: Path, name: str) -> tuple[str, str]:
        data = content(file, name)
        if nifti.is_one(data):
            return self._nifti(data, file, name)
        if dicom.is_one(data) or (dicom.is_bare(data) and not picture.is_one(data)):
            return self._dicom(data, name)
        if picture.is_one(data):
            return self._picture(data, name)
        if file.suffix.lower() == ".img" and file.with_suffix(".hdr").exists():
            raise ScanError("part_of_pair", f"{name}: goes with its header, {file.with_suffix('.hdr').name}.")
        raise ScanError("not_an_image", f"{name}: is no DICOM, NIfTI, PNG, JPEG or TIFF; look at it yourself.")

    def _dicom(self, data: bytes, name: str) -> tuple[str, str]:
        ds = dicom.parse(data, name)
        _only_pictures(ds, name, dicom.PIXELS)
        why = suspicion(ds)
        if why and not (self.regions or self.inspected):
            raise ScanError(
                "burned_in_text",
                f"{name}: may have text in its pixels: {why}. Look at it; paint over with --blank, or say --inspected.",
            )
        if not (ds.get("SOPClassUID") and ds.get("SOPInstanceUID")):
            raise ScanError(
                "damaged", f"{name}: does not say what it is (SOP Class and Instance UID); export it again."
            )
        empty_spare(ds)
        packed = ds.file_meta.TransferSyntaxUID.is_compressed
        if self.regions or (packed and hides_overlay(ds)):
            blank(ds, self.regions, name)
        frames, colour = shown(ds, name)  # what cannot be read is not handed on
        if not self.inspected:
            refuse_lettering(frames, name, colour=colour)
        self.cleaner.clean(ds, blanked=bool(self.regions), inspected=self.inspected)
        stream = io.BytesIO()
        ds.save_as(stream, enforce_file_format=True)
        output = f"{ds.PatientID}/{ds.get('SeriesInstanceUID') or 'no-series'}/{ds.SOPInstanceUID}.dcm"
        return self._put(stream.getvalue(), output, name), ""

    def _nifti(self, data: bytes, file: Path, name: str) -> tuple[str, str]:
        return self._put(stripped_nifti(data, file), f"{self.names.file(name)}.nii.gz", name), ""

    def _picture(self, data: bytes, name: str) -> tuple[str, str]:
        made, suffix = stripped_picture(data, name, self.regions, inspected=self.inspected)
        note = "" if self.inspected else "no text was seen in it, which is no proof that there is none; look at it"
        return self._put(made, f"{self.names.file(name)}{suffix}", name), note

    def _put(self, data: bytes, output: str, name: str) -> str:
        """Write a file unless an earlier call has.

        Raises: ScanError where another file of this call became that one.
        """
        if output in self.written:
            raise ScanError("duplicate", f"{name}: has the same UID as {self.written[output]}; only that was written.")
        self.written[output] = name
        goal = self.out / output
        if not goal.exists():
            with os_errors(goal.parent):
                goal.parent.mkdir(parents=True, exist_ok=True)
            with atomic(goal) as stream:
                stream.write(data)
        return output


def deidentify_folder(
    source: Path,
    out: Path,
    *,
    key: Path | None = None,
    dates: str = "shift",
    characteristics: bool = False,
    blanks: Sequence[str] = (),
    inspected: bool = False,
) -> Counts:
    """Write every scan of a folder (or one file) without its patient, after the Basic Profile of DICOM PS3.15.

    With a key file, patients, dates and UIDs become the same in every call, and a call that was stopped goes on.
    `OUT_deidentified.csv`, beside the folder, has a line for every file, with its old and new name: keep it as safe
    as the key.

    Raises: ConfigError for settings that do not fit; DataError where no file could be written.
    """
    regions = [region(text) for text in blanks]
    _apart(source, out, key)
    files = list(_files(source))
    if not files:
        raise DataError(f"{source}: holds no file.")
    names = key_of(key)
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    if key is None:
        say("without --key the new names are others in every call, and a call that is stopped starts anew")
    desk = Desk(out, names, Cleaner(names, dates == "shift", characteristics), regions, inspected)
    _settle(out, desk, key)
    lines = []
    with tqdm(files, unit=" files", desc="de-identifying", ascii=True, delay=show.DELAY) as bar:
        for file, name in bar:
            lines.append(desk.take(file, name))
            rearm()
    return _report(lines, out)


def _files(source: Path) -> Iterator[tuple[Path, str]]:
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; check the path.")
    if source.is_file():
        yield source, source.name
        return
    for path in sorted(source.rglob("*")):
        if path.is_file():
            yield path, path.relative_to(source).as_posix()


def _apart(source: Path, out: Path, key: Path | None) -> None:
    """Refuse places that lie within each other: what is shared must hold neither key nor patient."""
    places = {"IN": source.resolve(), "OUT": out.resolve()}
    for inner, outer in (("IN", "OUT"), ("OUT", "IN")):
        if places[inner] == places[outer] or places[outer] in places[inner].parents:
            raise ConfigError(f"{inner} {places[inner]} lies in {outer}; name another folder for what is written.")
    if key is not None and places["OUT"] in key.resolve().parents:
        raise ConfigError(f"--key {key}: lies in the folder that is to be shared; keep it elsewhere.")


def _settle(out: Path, desk: Desk, key: Path | None) -> None:
    """Write the settings of this call, or see that an earlier one had the same.

    Raises: ConfigError where it had others, or nobody knows its key any more.
    """
    settings = {
        "profile": f"DICOM PS3.15 {EDITION} Basic Application Level Confidentiality Profile",
        "dates": "moved per patient" if desk.cleaner.shift else "removed",
        "patient_characteristics": "kept" if desk.cleaner.characteristics else "removed",
        "blanked": [list(one) for one in desk.regions],
        "inspected": desk.inspected,
        "key_check": desk.names.check,
    }
    path = out / SETTINGS
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in settings if settings[name] != before.get(name)]
        if other:
            hint = "" if key else " (without --key every call has a new one)"
            raise ConfigError(f"{out} was made with another {', '.join(other)}{hint}; name another folder.")
        say(f"going on in {out}")
        return
    if not is_empty(out):
        raise ConfigError(f"{out} holds files already; name a new folder.")
    with atomic(path, "w") as file:
        file.write(json.dumps(settings, indent=1))


def _report(lines: list[Line], out: Path) -> Counts:
    beside = out.with_name(f"{out.name}_deidentified.csv")
    with open_writer(beside) as writer:
        writer.write(pd.DataFrame([asdict(line) for line in lines]))
    refused = [line for line in lines if line.reason != OK]
    counts = Counts(len(lines), len(lines) - len(refused), dict(Counter(line.reason for line in refused)))
    why = ", ".join(f"{n} {reason}" for reason, n in counts.reasons.items())
    say(f"{counts.written} of {counts.files} files written to {out}{f' (not: {why})' if why else ''}")
    say(f"old and new names, and why some are missing: {beside} (keep it private)")
    say("what the pixels show stays: a face can be made out in a scan of the head")
    if not counts.written:
        raise DataError(f"no file could be written; the first: {refused[0].message}")
    return counts


def _only_pictures(ds: Any, name: str, pixels: tuple[str, ...]) -> None:
    """Refuse reports and documents, whose text no rule can clean, and what has no pixels."""
    kind = str(ds.get("SOPClassUID") or "")
    if kind.startswith(_DOCUMENTS) or "EncapsulatedDocument" in ds or "ContentSequence" in ds:
        raise ScanError("report", f"{name}: is a report or a document; its text must be read by a person.")
    if not any(word in ds for word in pixels):
        raise ScanError("no_pixels", f"{name}: is DICOM without a picture; it is not needed to read scans.")
