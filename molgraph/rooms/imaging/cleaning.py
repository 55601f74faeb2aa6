"""A DICOM picture without its patient: the profile carried out, element by element, sequences within sequences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID as Uid

import molgraph
from molgraph.rooms.imaging.dicom import PIXELS
from molgraph.rooms.imaging.profile import CHARACTERISTICS, DUMMY, EDITION, EMPTY, KEEP, REMOVE, UID, WALK, action
from molgraph.rooms.imaging.pseudonym import Pseudonyms
from molgraph.rooms.imaging.traces import Traces, elements, traces_of

STANDARD = "1.2.840.10008."  # UIDs of the standard itself name kinds, not things. See: DICOM PS3.5 section 9
# What stands where a value must: valid for its type and the same for everybody.
DUMMIES: dict[str, Any] = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), "REMOVED"),
    **dict.fromkeys(("DS", "IS"), "0"),
    **dict.fromkeys(("FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"), 0),
    **{"AS": "000Y", "DA": "19000101", "TM": "000000", "DT": "19000101000000", "UR": "https://removed.invalid"},
}
_DAYS, _TIMES = ("DA", "DT"), ("TM",)
# A date of birth stays out whatever becomes of other dates; See: Table E.1-1 (no action in the option for dates).
_BIRTH = {Tag("PatientBirthDate"), Tag("PatientBirthTime"), Tag("PatientBirthDateInAlternativeCalendar")}
_BYTES = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")
_TEXT = ("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT")
_NUMBERS, _LONG = ("DS", "IS"), 6  # whole numbers of so many digits can be an id; shorter ones are sizes and counts
# Values of these types are nothing but this, or nothing. See: DICOM PS3.5 Table 6.2-1
_TIME = r"\d\d(:?\d\d(:?\d\d(\.\d{1,6})?)?)?"
_FORMS = {"AS": r"\d{3}[DWMY]", "TM": rf"({_TIME})?-?({_TIME})?", "UI": r"[0-9.]+"}
# Terms that a name may equal and that tell nobody's. See: DICOM PS3.3 C.7.3.1.1.1, C.7.6.3.1.2
_TERMS = {"YES", "NO", "MR", "CT", "PT", "NM", "US", "XA", "RF", "CR", "DX", "MG", "IO", "RGB"}
# Codes of what was done. See: DICOM PS3.16 CID 7050
_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_PIXELS = ("113101", "Clean Pixel Data Option")
_CHARACTERISTICS = ("113108", "Retain Patient Characteristics Option")
_DATES = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")


@dataclass(frozen=True)
class Cleaner:
    """Hold how pictures are de-identified: new names, dates moved or removed, whether sex, age and size stay."""

    names: Pseudonyms
    shift: bool = True
    characteristics: bool = False

    def clean(self, ds: FileDataset, *, blanked: bool = False, inspected: bool = False) -> None:
        """De-identify a picture in place; regions of its pixels were `blanked`, or somebody `inspected` them."""
        patient = str(ds.get("PatientID") or ds.get("PatientName") or ds.get("StudyInstanceUID") or "")
        traces = traces_of(ds)
        self._walk(ds, patient)
        _search_bytes(ds, traces)
        for element in elements(ds):
            _search(element, traces)
        ds.PatientName, ds.PatientID = "", self.names.patient(patient)
        self._say(ds, blanked)
        if blanked or inspected:
            ds.BurnedInAnnotation = "NO"
        self._meta(ds)

    def _walk(self, ds: Dataset, patient: str) -> None:
        for element in list(ds):
            self._element(ds, element, patient)

    def _element(self, ds: Dataset, element: DataElement, patient: str) -> None:
        todo = action(element.tag, element.VR)
        if todo == KEEP or (self.characteristics and element.keyword in CHARACTERISTICS):
            return
        dated = element.VR in _DAYS + _TIMES and element.tag not in _BIRTH and not element.tag.is_private
        if dated and self.shift:
            if element.VR in _DAYS:
                element.value = _each(element.value, lambda value: self.names.moved(value, patient))
        elif todo == REMOVE:
            del ds[element.tag]
        elif todo == WALK:
            for item in element.value:
                self._walk(item, patient)
        elif todo == UID:
            element.value = _each(element.value, self._uid)
        elif todo == EMPTY:
            element.value = Sequence() if element.VR == "SQ" else None
        elif todo == DUMMY:
            element.value = DUMMIES.get(element.VR, b"\0\0")

    def _uid(self, uid: str) -> str:
        return uid if not uid or uid.startswith(STANDARD) else self.names.uid(uid)

    def _say(self, ds: FileDataset, blanked: bool) -> None:
        """Write into the picture what was done to it."""
        done = [_PROFILE, *([_PIXELS] if blanked else []), *([_CHARACTERISTICS] if self.characteristics else [])]
        done += [_DATES] if self.shift else []
        ds.PatientIdentityRemoved = "YES"
        ds.DeidentificationMethod = [
            f"molgraph {molgraph.__version__}, PS3.15 {EDITION} Basic Profile",
            "dates moved per patient" if self.shift else "dates removed",
        ]
        ds.DeidentificationMethodCodeSequence = Sequence([_code(value, meaning) for value, meaning in done])
        ds.LongitudinalTemporalInformationModified = "MODIFIED" if self.shift else "REMOVED"

    def _meta(self, ds: FileDataset) -> None:
        """Keep of the file's own header what is needed to read it."""
        ds.preamble = b"\0" * 128
        for element in list(ds.file_meta):
            if element.keyword != "TransferSyntaxUID":
                del ds.file_meta[element.tag]
        ds.file_meta.MediaStorageSOPClassUID = Uid(str(ds.get("SOPClassUID") or ""))
        ds.file_meta.MediaStorageSOPInstanceUID = Uid(str(ds.get("SOPInstanceUID") or ""))


def _each(value: Any, change: Any) -> Any:
    """Change one value or each of several."""
    if value is None or isinstance(value, str):
        return change(str(value or ""))
    return [change(str(one)) for one in value]


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _search(element: DataElement, traces: Traces) -> None:
    """Put a dummy in the place of each value that tells the patient, and nothing where a value is none of its type."""
    if element.VR in _FORMS:
        values = element.value if element.VM > 1 else [element.value or ""]
        if any(value and not re.fullmatch(_FORMS[element.VR], str(value).strip()) for value in values):
            element.value = None
    elif element.VR in _TEXT + _NUMBERS and element.VM:
        values = list(element.value) if element.VM > 1 else [element.value]
        told = [_tells(str(value), element.VR, traces) for value in values]
        if any(told):
            made = [DUMMIES[element.VR] if bad else value for value, bad in zip(values, told, strict=True)]
            element.value = made if element.VM > 1 else made[0]


def _search_bytes(ds: Dataset, traces: Traces) -> None:
    """Remove bytes that tell the patient, and those that stand where the dictionary has text or numbers."""
    for element in list(ds):
        if element.VR == "SQ":
            for item in element.value or ():
                _search_bytes(item, traces)
        elif element.VR in _BYTES and element.keyword not in PIXELS:
            content = element.value if isinstance(element.value, bytes) else b""
            if not _may_be_bytes(element) or traces.within_bytes(content):
                del ds[element.tag]


def _may_be_bytes(element: DataElement) -> bool:
    """Tell whether the dictionary says that the values of an element are bytes, or does not know it."""
    return not dictionary_has_tag(element.tag) or bool(set(dictionary_VR(element.tag).split(" or ")) & set(_BYTES))


def _tells(text: str, vr: str, traces: Traces) -> bool:
    if vr in _NUMBERS and not (text.strip().isdigit() and len(text.strip()) >= _LONG):
        return False
    return not (vr == "CS" and text.strip() in _TERMS) and traces.within(text)
