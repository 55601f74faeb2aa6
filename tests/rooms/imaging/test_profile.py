"""The action table is the standard's, as far as others know it."""

from __future__ import annotations

from pydicom.datadict import DicomDictionary, dictionary_VR, keyword_for_tag
from pydicom.tag import Tag

from molgraph.rooms.imaging import profile
from molgraph.rooms.imaging.profile import action, table


def test_every_line_is_an_attribute_that_pydicom_knows():
    assert len(table()) == 617
    for tag, (keyword, code) in table().items():
        assert keyword_for_tag(tag) == keyword
        assert code in {"X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}


def test_no_person_and_nothing_of_the_patient_is_kept():
    for tag, (vr, *_) in DicomDictionary.items():
        if vr == "PN" or tag >> 16 == 0x0010:
            assert action(Tag(tag), vr) != profile.KEEP, keyword_for_tag(tag)


def test_well_known_actions():
    right = {
        **{"PatientName": "Z", "PatientID": "D", "PatientBirthDate": "Z", "PatientSex": "Z", "PatientAge": "X"},
        **{"AccessionNumber": "Z", "StudyDate": "Z", "SeriesDate": "D", "AcquisitionDate": "Z", "ContentDate": "D"},
        **{"InstitutionName": "D", "InstitutionAddress": "X", "StationName": "D", "DeviceSerialNumber": "D"},
        **{
            "ReferringPhysicianName": "Z",
            "OperatorsName": "D",
            "PerformingPhysicianName": "X",
            "StudyDescription": "X",
        },
        **{"SeriesDescription": "X", "ProtocolName": "D", "StudyInstanceUID": "U", "FrameOfReferenceUID": "U"},
        **{"SOPInstanceUID": "U", "ReferencedSOPInstanceUID": "U", "PatientComments": "X", "ImageComments": "X"},
        **{"OtherPatientIDsSequence": "X", "RequestAttributesSequence": "X", "ReferencedImageSequence": "walk"},
        **{"Rows": "K", "PixelData": "K", "Modality": "K", "PixelSpacing": "K", "Manufacturer": "K", "KVP": "K"},
    }
    for keyword, wanted in right.items():
        assert action(Tag(keyword), dictionary_VR(keyword)) == wanted, keyword


def test_groups_that_are_no_lines():
    for tag, vr in ((0x60003000, "OW"), (0x60104000, "LT"), (0x50003000, "OW"), (0x00091010, "LO"), (0x00090010, "LO")):
        assert action(Tag(tag), vr) == profile.REMOVE
