"""Tag by tag: each of the table's 617 attributes in a picture, and what is left of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from molgraph.rooms.imaging.cleaning import DUMMIES, Cleaner
from molgraph.rooms.imaging.profile import CHARACTERISTICS, action, table
from molgraph.rooms.imaging.pseudonym import Pseudonyms

NAMES = Pseudonyms(b"k" * 32)
KEEPS, DROPS = Cleaner(NAMES), Cleaner(NAMES, shift=False)
VALUES: dict[str, Any] = {
    **dict.fromkeys(("LO", "LT", "ST", "UC", "UT", "PN"), "Zeppelin^Ada"),
    **{"SH": "Zeppelin", "AE": "ZEPPELIN", "CS": "ZEPPELIN", "AS": "042Y", "UR": "http://zeppelin.example"},
    **{"DA": "20240210", "TM": "101112", "DT": "20240210101112", "UI": "1.2.3.4.5", "DS": "4.2", "IS": "42"},
    **{"US": 42, "OB": b"zeppelin", "UN": b"zeppelin"},
}
SECRETS = (b"zeppelin", b"ZEPPELIN", b"Zeppelin", b"Ada")


def picture(**elements: Any) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds = FileDataset("x.dcm", {}, file_meta=meta, preamble=b"secret".ljust(128))
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.1", "1.2.2"
    ds.PatientID, ds.PatientName, ds.Modality = "4711", "Zeppelin^Ada", "CT"
    ds.Rows = ds.Columns = 4
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelData = np.arange(16, dtype=np.uint16).tobytes()
    for name, value in elements.items():
        setattr(ds, name, value)
    return ds


def written(ds: FileDataset) -> tuple[Dataset, bytes]:
    """Write and read a picture, as whoever gets it does."""
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return pydicom.dcmread(io.BytesIO(stream.getvalue())), stream.getvalue()


def filled(vr: str) -> Any:
    if vr != "SQ":
        return VALUES[vr]
    item = Dataset()
    item.PatientName, item.StudyDate, item.ReferencedSOPInstanceUID = "Zeppelin^Ada", "20240210", "1.2.3.4.5"
    item.ReferencedSOPClassUID, item.TextValue = "1.2.840.10008.5.1.4.1.1.2", "about Zeppelin"
    return Sequence([item])


# Groups 0000 to 0004 stand in messages and directories, never in a picture.
TAGS = [tag for tag in table() if tag >> 16 > 4]


CASES = [(tag, KEEPS) for tag in TAGS] + [(tag, DROPS) for tag in TAGS if dictionary_VR(tag) in ("DA", "DT", "TM")]


@pytest.mark.parametrize(
    ("tag", "cleaner"), CASES, ids=[f"{table()[tag][0]}{'' if c is KEEPS else ' removed'}" for tag, c in CASES]
)
def test_an_attribute_of_the_table(tag: int, cleaner: Cleaner):
    vr = dictionary_VR(tag)
    ds = picture()
    ds[tag] = pydicom.DataElement(tag, vr, filled(vr))
    # The same within a sequence within a sequence.
    inner, outer = Dataset(), Dataset()
    inner[tag] = pydicom.DataElement(tag, vr, filled(vr))
    outer.PurposeOfReferenceCodeSequence = Sequence([inner])
    ds.DerivationCodeSequence = Sequence([outer])
    cleaner.clean(ds)
    found, raw = written(ds)
    nested = found.DerivationCodeSequence[0].PurposeOfReferenceCodeSequence[0]
    assert not [secret for secret in SECRETS if secret in raw]
    assert b"1.2.3.4.5" not in raw
    birth = table()[tag][0] in ("PatientBirthDate", "PatientBirthTime")
    for place in (found, nested):
        _as_the_profile_says(place, tag, vr, moved=cleaner.shift and vr in ("DA", "DT", "TM") and not birth)


def _as_the_profile_says(place: Dataset, tag: int, vr: str, moved: bool) -> None:
    todo = action(Tag(tag), vr)
    keyword = table()[tag][0]
    if keyword == "PatientID" and place.get("Rows"):
        assert place[tag].value == NAMES.patient(VALUES["LO"])
    elif keyword == "PatientName":
        assert not place[tag].value
    elif moved:
        right = VALUES[vr] if vr == "TM" else NAMES.moved(VALUES[vr], "4711")
        assert place[tag].value == right and (vr == "TM" or right != VALUES[vr])
    elif todo == "X":
        assert tag not in place
    elif todo == "Z":
        assert not place[tag].value
    elif todo == "U":
        assert place[tag].value == NAMES.uid(VALUES["UI"])
    elif todo == "walk":
        item = place[tag].value[0]
        assert item.ReferencedSOPInstanceUID == NAMES.uid("1.2.3.4.5")
        assert item.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2" and not item.PatientName
    else:
        assert todo == "D"
        value = place[tag].value
        assert value == DUMMIES.get(vr, b"\0\0") or str(value) == DUMMIES[vr] or not value


def test_a_picture_says_what_was_done_to_it():
    for cleaner, dates, code in ((KEEPS, "MODIFIED", "113107"), (DROPS, "REMOVED", None)):
        ds = picture()
        cleaner.clean(ds)
        found, _ = written(ds)
        assert found.PatientIdentityRemoved == "YES"
        assert found.LongitudinalTemporalInformationModified == dates
        assert (
            found.DeidentificationMethod[0].startswith("molgraph") and "PS3.15 2024b" in found.DeidentificationMethod[0]
        )
        codes = [item.CodeValue for item in found.DeidentificationMethodCodeSequence]
        assert codes == ["113100"] + ([code] if code else [])
        assert "BurnedInAnnotation" not in found
    ds = picture(BurnedInAnnotation="YES")
    Cleaner(NAMES, characteristics=True).clean(ds, blanked=True)
    assert [item.CodeValue for item in ds.DeidentificationMethodCodeSequence] == [
        "113100",
        "113101",
        "113108",
        "113107",
    ]
    assert ds.BurnedInAnnotation == "NO"


def test_the_files_own_header_agrees_and_says_nothing():
    ds = picture()
    ds.file_meta.SourceApplicationEntityTitle = "ZEPPELIN"
    ds.file_meta.PrivateInformationCreatorUID, ds.file_meta.PrivateInformation = "1.2.3.4.5", b"zeppelin"
    KEEPS.clean(ds)
    found, raw = written(ds)
    assert raw[:128] == b"\0" * 128
    assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID == NAMES.uid("1.2.3.4")
    assert found.file_meta.MediaStorageSOPClassUID == found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert not [secret for secret in SECRETS if secret in raw]


def test_pixels_and_what_is_needed_to_read_them_stay():
    ds = picture(PixelSpacing=[1, 2], ImagePositionPatient=[1, 2, 3], RescaleSlope=2, RescaleIntercept=-1024, KVP=120)
    before = {e.tag: e.value for e in ds if e.tag.group in (0x28, 0x7FE0)}
    KEEPS.clean(ds)
    found, _ = written(ds)
    for tag, value in before.items():
        assert found[tag].value == value
    assert found.ImagePositionPatient == [1, 2, 3] and found.KVP == 120


def test_private_elements_curves_and_overlays_go_at_every_depth():
    ds = picture()
    item = Dataset()
    for place in (ds, item):
        block = place.private_block(0x0009, "ZEPPELIN WORKS", create=True)
        block.add_new(0x01, "LO", "Zeppelin")
        block.add_new(0x02, "SQ", Sequence([Dataset()]))
        place.add_new(0x60003000, "OW", b"zeppelin")
        place.add_new(0x60100022, "LO", "Zeppelin")
        place.add_new(0x50003000, "OW", b"zeppelin")
    ds.DerivationCodeSequence = Sequence([item])
    KEEPS.clean(ds)
    found, raw = written(ds)
    assert not [secret for secret in SECRETS if secret in raw]
    assert not [e for e in found.iterall() if e.tag.is_private or e.tag.group in (0x5000, 0x6000, 0x6010)]


def test_what_the_table_does_not_know_is_not_trusted():
    ds = picture()
    ds.add_new(0x00189999, "LO", "Patient lives Bahnhofstr 1")
    ds[0x00280103] = pydicom.DataElement(0x00280103, "LT", "she lives in Bahnhofstr")  # a number by the dictionary
    ds.PatientDeathDateInAlternativeCalendar = "Zeppelin"
    ds.add_new(0x00187FFE, "PN", "Zeppelin")
    ds.add_new(0x00187FFC, "DA", "20240210")
    ds.add_new(0x00187FFA, "UI", "1.2.3.4.5")
    ds.add_new(0x00187FF8, "UN", b"zeppelin")
    ds.ContributingEquipmentSequence = Sequence([Dataset()])
    ds.ContributingEquipmentSequence[0].Manufacturer = "made for Ada"
    DROPS.clean(ds)
    _, raw = written(ds)
    assert not [secret for secret in (*SECRETS, b"1.2.3.4.5", b"20240210", b"Bahnhof") if secret in raw]


def test_a_name_is_found_wherever_it_was_typed():
    ds = picture(ManufacturerModelName="Scanner of Zeppelin", SoftwareVersions=["v1", "4711"], ContentLabel="PLAIN")
    KEEPS.clean(ds)
    assert ds.ManufacturerModelName == "REMOVED" and ds.ContentLabel == "PLAIN"
    assert list(ds.SoftwareVersions) == ["v1", "REMOVED"]


def test_uids_of_the_standard_stay_and_others_agree_across_pictures():
    first, second = picture(SOPInstanceUID="1.2.3.1"), picture(SOPInstanceUID="1.2.3.2")
    link = Dataset()
    link.ReferencedSOPClassUID, link.ReferencedSOPInstanceUID = first.SOPClassUID, first.SOPInstanceUID
    second.SourceImageSequence = Sequence([link])
    second.add_new("FailedSOPInstanceUIDList", "UI", ["1.2.3.1", "1.2.3.2"])
    for ds in (first, second):
        KEEPS.clean(ds)
    assert second.SourceImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.SourceImageSequence[0].ReferencedSOPClassUID == first.SOPClassUID
    assert list(second.FailedSOPInstanceUIDList) == [first.SOPInstanceUID, second.SOPInstanceUID]
    assert first.StudyInstanceUID == second.StudyInstanceUID and first.PatientID == second.PatientID


def test_sex_and_age_stay_where_they_are_wanted():
    values = {"PatientSex": "F", "PatientAge": "042Y", "PatientWeight": "71", "PatientSize": "1.7", "EthnicGroup": "x"}
    ds = picture(**values)
    Cleaner(NAMES, characteristics=True).clean(ds)
    assert {name: str(ds[name].value) for name in values} == values
    assert set(values) <= CHARACTERISTICS
    ds = picture(**values)
    KEEPS.clean(ds)
    assert ds.PatientSex is None or ds.PatientSex == ""
    assert not [name for name in values if ds.get(name)]


def test_cleaning_twice_changes_nothing_it_should_not():
    ds = picture(StudyDate="20240210")
    DROPS.clean(ds)
    again, _ = written(ds)
    DROPS.clean(again)
    assert again.PatientIdentityRemoved == "YES" and len(again.DeidentificationMethodCodeSequence) == 1


@pytest.mark.parametrize(
    ("keyword", "value", "right"),
    [
        ("ImageType", ["ORIGINAL", "PRIMARY", "ZEPPELIN"], ["ORIGINAL", "PRIMARY", "REMOVED"]),
        ("BodyPartExamined", "ZEPPELIN", "REMOVED"),
        ("LossyImageCompressionMethod", "ZEPPELIN", "REMOVED"),
        ("BodyPartExamined", "CHEST", "CHEST"),
        ("ReferencedFrameNumber", [1, 19500403], [1, 0]),
        ("Rows", 4711, 4711),
        ("SoftwareVersions", "ZeppelinAda2", "REMOVED"),
    ],
)
def test_a_name_is_found_in_every_type_of_text(keyword: str, value: Any, right: Any):
    ds = picture(PatientBirthDate="19500403")
    setattr(ds, keyword, value)
    KEEPS.clean(ds)
    found = ds[keyword].value
    assert (list(found) if isinstance(value, list) else found) == right


def test_terms_that_readers_need_stay_whatever_the_patient_is_called():
    ds = picture(PatientName="No^Mary^^Mr^CT", BurnedInAnnotation="NO", ImageType=["ORIGINAL", "PRIMARY"])
    KEEPS.clean(ds)
    assert ds.Modality == "CT" and ds.PhotometricInterpretation == "MONOCHROME2" and ds.BurnedInAnnotation == "NO"
    assert list(ds.ImageType) == ["ORIGINAL", "PRIMARY"]


@pytest.mark.parametrize(
    ("keyword", "value"), [("StudyTime", "Zeppelin"), ("PatientAge", "Zeppelin"), ("SOPClassUID", "1.2.840.10008.Ada")]
)
def test_what_is_no_value_of_its_type_goes(keyword: str, value: str):
    ds = picture()
    ds[keyword] = pydicom.DataElement(keyword, dictionary_VR(keyword), value, validation_mode=0)
    Cleaner(NAMES, characteristics=True).clean(ds)
    assert not ds[keyword].value


def test_what_the_header_knows_of_a_patient_is_found_in_text_that_stays():
    ds = picture(PatientBirthDate="19500403", PatientTelephoneNumbers="+41 79 123 45 67", AccessionNumber="A-0815")
    ds.PatientAddress, ds.OtherPatientIDsSequence = "Bahnhofstrasse 1, 8000 Zürich", Sequence([Dataset()])
    ds.OtherPatientIDsSequence[0].PatientID = "H-77-21-9"
    texts = [
        "born 03.04.1950",
        "tel 079/1234567",
        "order A0815",
        "id H77219",
        "lives in ZUERICH",
        "Bahnhofstr. 1",
        "T1",
    ]
    ds.ViewCodeSequence = Sequence([Dataset() for _ in texts])
    for item, text in zip(ds.ViewCodeSequence, texts, strict=True):
        item.CodeMeaning = text
    KEEPS.clean(ds)
    assert [item.CodeMeaning for item in ds.ViewCodeSequence] == ["REMOVED"] * 6 + ["T1"]


@pytest.mark.parametrize("keyword", ["StudyDate", "AcquisitionDateTime"])
def test_both_dates_of_a_range_are_moved(keyword: str):
    first, second = "20200115", "20200120"
    ds = picture()
    ds[keyword] = pydicom.DataElement(keyword, dictionary_VR(keyword), f"{first}-{second}", validation_mode=0)
    KEEPS.clean(ds)
    assert ds[keyword].value == f"{NAMES.moved(first, '4711')}-{NAMES.moved(second, '4711')}"
    assert first not in ds[keyword].value and second not in ds[keyword].value


@pytest.mark.parametrize("vr", ["OB", "OW", "OF"])
def test_text_written_as_bytes_is_removed(vr: str):
    """Whatever it says: a manufacturer is no bytes by the dictionary, at any depth."""
    ds = picture()
    ds[Tag("Manufacturer")] = pydicom.DataElement(Tag("Manufacturer"), vr, b"of Mrs. Somebody")
    item = Dataset()
    item[Tag("CodeMeaning")] = pydicom.DataElement(Tag("CodeMeaning"), vr, b"Somebody")
    ds.ViewCodeSequence = Sequence([item])
    KEEPS.clean(ds)
    found, whole = written(ds)
    assert "Manufacturer" not in found and b"Somebody" not in whole and len(found.ViewCodeSequence) == 1


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "kept"),
    [
        ("LUTData", "OW", np.arange(64, dtype="<u2").tobytes() + b"ZEPPELIN", False),
        ("LUTData", "OW", np.arange(1 << 14, dtype="<u2").tobytes(), True),
        ("VectorGridData", "OF", b"Ada Zeppelin" + b"\0" * 4, False),
        ("VectorGridData", "OF", np.linspace(0, 1, 99, dtype="<f4").tobytes(), True),
        ("ICCProfile", "OB", b"\0\1acsp by 4711 for 4711\0", True),  # an id of four digits is told by text alone
        ("ICCProfile", "OB", b"by 4711", False),
    ],
)
def test_bytes_that_may_stay_are_read_as_text(keyword: str, vr: str, value: bytes, kept: bool):
    ds = picture()
    ds[Tag(keyword)] = pydicom.DataElement(Tag(keyword), vr, value)
    KEEPS.clean(ds)
    found, _ = written(ds)
    assert (keyword in found) == kept
    assert found.pixel_array[3, 3] == 15
