"""What becomes of each DICOM attribute when a picture is de-identified: the Basic Profile of PS3.15 as a table."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.tag import BaseTag

# See: DICOM PS3.15 2024b, Table E.1-1, https://dicom.nema.org/medical/dicom/2024b/output/chtml/part15/chapter_E.html
# actions.csv has its 617 single attributes; private ones, curves (50xx) and overlays (60xx) are groups, below.
EDITION = "2024b"
REMOVE, EMPTY, DUMMY, UID, WALK, KEEP = "X", "Z", "D", "U", "walk", "K"
_PATIENT = 0x0010
_WORDS = {"LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "UN"}  # types that hold whatever somebody types
_CURVES, _OVERLAYS = range(0x5000, 0x5020), range(0x6000, 0x6020)
# Of several actions the table leaves the choice to what the picture requires: a dummy is always allowed by that.
_CHOSEN = {"X/Z": EMPTY, "Z/D": DUMMY, "X/D": DUMMY, "X/Z/D": DUMMY, "X/Z/U*": WALK}
_CHOSEN_OF_SEQUENCES = {"D": EMPTY, "X/Z": EMPTY, "X/D": REMOVE, "X/Z/D": REMOVE}
# See: Table E.1-1, Retain Patient Characteristics Option: those it keeps (K).
CHARACTERISTICS = {
    *("PatientAge", "PatientSex", "PatientSexNeutered", "PatientSize", "PatientWeight"),
    *("EthnicGroup", "PregnancyStatus", "SmokingStatus"),
}


@cache
def table() -> dict[int, tuple[str, str]]:
    """Return the keyword and the action of every attribute of the table."""
    text = (files("molgraph.rooms.imaging") / "actions.csv").read_text(encoding="utf-8")
    return {int(row["tag"], 16): (row["keyword"], row["action"]) for row in csv.DictReader(text.splitlines())}


def action(tag: BaseTag, vr: str) -> str:
    """Return what becomes of an element: REMOVE, EMPTY, DUMMY, UID, WALK (into the sequence) or KEEP.

    What the table does not know is not kept where it could name somebody: persons, the group of the patient, what
    the dictionary does not know or knows as no text, are removed, dates emptied, and UIDs of things replaced.

    >>> from pydicom.tag import Tag
    >>> [action(Tag(name), vr) for name, vr in (("PatientName", "PN"), ("StudyInstanceUID", "UI"), ("Rows", "US"))]
    ['Z', 'U', 'K']
    """
    if tag.is_private or tag.group in _CURVES or tag.group in _OVERLAYS:
        return REMOVE
    if not dictionary_has_tag(tag) or (vr in _WORDS and dictionary_VR(tag) not in _WORDS):
        return REMOVE
    if tag not in table() and tag.group == _PATIENT:
        return REMOVE
    if tag not in table():
        return {"PN": REMOVE, "UN": REMOVE, "DA": EMPTY, "DT": EMPTY, "UI": UID, "SQ": WALK}.get(vr, KEEP)
    found = table()[tag][1]
    if vr == "SQ":
        found = _CHOSEN_OF_SEQUENCES.get(found, found)
    if vr == "UI" and found == DUMMY:
        return UID
    return _CHOSEN.get(found, found)
