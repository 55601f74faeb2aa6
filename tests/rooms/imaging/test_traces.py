"""Who a picture is of: the ways in which names, birth dates, numbers and addresses are written."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from pydicom.dataset import Dataset

from molgraph.rooms.imaging.traces import traces_of


def patient(**elements: str) -> Dataset:
    ds = Dataset()
    for name, value in elements.items():
        setattr(ds, name, value)
    return ds


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        *(("Li^Wu", text, True) for text in ("LiWuScanner", "wuli", "WU", "room of Li", "li_wu", "Li2")),
        *(("Li^Wu", text, False) for text in ("Liver", "Wurzburg", "Philips", "ALIAS")),
        *(("Muster^Anna", text, True) for text in ("ANNA", "MUSTERANNA", "annamuster", "Mustermodell", "M U S T E R")),
        *(("Muster^Anna", text, False) for text in ("Savanna", "SIEMENS", "must")),
        *(("Müller^Jürg", text, True) for text in ("MUELLER", "Muller", "müller", "Juerg", "Jurg")),
        *(("Mueller^Jo", text, True) for text in ("Müller", "MUELLER", "jo")),
        *(("Wang^XiaoDong=王^小东", text, True) for text in ("王小东", "王 先生", "xiaodong", "Xiao-Dong")),
        *(("Smith^J^^Dr^MD", text, False) for text in ("Dr", "J", "MD 3")),
        *(("O'Neill^Sinéad", text, True) for text in ("ONEILL", "O'Neill", "Sinead")),
        *(("McDonald^Al", text, True) for text in ("MCDONALD", "McDonald", "Mc Donald")),
        *(
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", text, True)
            for text in ("山田様", "太郎用", "やまださん", "ヤマダ", "ﾔﾏﾀﾞ様")
        ),
        *(("Yamada^Tarou=山田^太郎=やまだ^たろう", text, False) for text in ("山", "大田区", "キヤノン", "たけだ")),
        *(("Kim^Cheolsu=김^철수", text, True) for text in ("김철수님", "철수의", "김 님")),
        *(("王^芳", text, True) for text in ("王女士", "芳")),
        *(("สมชาย^ใจดี", text, True) for text in ("คุณสมชาย", "สมชายใจดี")),
    ],
)
def test_names(name: str, text: str, told: bool):
    assert traces_of(patient(PatientName=name)).within(text) == told


@pytest.mark.parametrize(
    "text",
    [
        *("19500403", "03.04.1950", "1950-04-03", "03/04/1950", "04/03/1950", "3.4.1950", "3.4.50", "500403", "030450"),
        *("3 April 1950", "April 3rd, 1950", "3. Apr. 50", "the 3rd of April 1950", "3 avril 1950", "03-APR-1950"),
        *("born19500403", "1950.4.3", "(3/4/1950)", "DOB:4/3/50", "3 abril 1950", "1950 April 3"),
    ],
)
def test_birth_dates(text: str):
    traces = traces_of(patient(PatientBirthDate="19500403"))
    assert traces.within(text) and traces.within(f"patient {text}, seen twice")


@pytest.mark.parametrize("text", ["1950", "04.05.1950", "April 1950", "1.3.4", "syngo 3.4", "20240403", "Mar 3, 1950"])
def test_other_numbers_are_no_birth_dates(text: str):
    assert not traces_of(patient(PatientBirthDate="19500403")).within(text)


def test_german_months():
    traces = traces_of(patient(PatientBirthDate="19500307"))
    assert traces.within("7. März 1950") and traces.within("7. Maerz 1950") and not traces.within("7. Mai 1950")


@pytest.mark.parametrize("text", ["079 123 45 67", "0791234567", "+41 79 123 45 67", "tel. (079) 123-45-67"])
def test_telephone_numbers(text: str):
    assert traces_of(patient(PatientTelephoneNumbers="+41 79 1234567")).within(text)
    assert not traces_of(patient(PatientTelephoneNumbers="+41 79 1234568")).within(text)


def test_places_orders_and_other_ids():
    ds = patient(PatientAddress="Bahnhofstraße 12, 8000 Zürich", AccessionNumber="ACC.17", OtherPatientIDs="")
    ds.OtherPatientIDs = ["X1Y2Z3", "ab-12-cd"]
    traces = traces_of(ds)
    for text in ("Bahnhofstr.", "bahnhofstrasse", "Zurich", "ZUERICH", "8000", "ACC17", "x1y2z3", "AB12CD"):
        assert traces.within(text), text
    assert not traces.within("12") and not traces.within("17 mm") and not traces.within("CHEST")


def test_a_header_that_says_nothing_finds_nothing():
    traces = traces_of(patient(PatientName="", PatientBirthDate="", Manufacturer="SIEMENS"))
    assert not traces.words and not traces.runs and not traces.within("SIEMENS 1950")


@pytest.mark.parametrize(
    ("number", "text", "told"),
    [
        *(("MRN774411", text, True) for text in ("774411", "scan 774411", "MRN774411", "x774411y", "mrn-774411")),
        *(("MRN774411", text, False) for text in ("7744", "77441", "774412", "7 mm")),
        *(("A-0012345", text, True) for text in ("12345", "0012345", "no. 12345")),
        *(("P12", text, False) for text in ("12", "12 mm")),
        *(("X1234", text, True) for text in ("1234", "kernel 1234")),
        ("X1234", "12345", False),
    ],
)
def test_the_number_of_an_id_alone(number: str, text: str, told: bool):
    assert traces_of(patient(PatientID=number)).within(text) == told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "shift_jis", "euc_jp"])
def test_bytes_that_are_text_tell_the_patient(encoding: str):
    traces = traces_of(patient(PatientName="Li^Wu=山田^太郎", PatientID="MRN774411", PatientBirthDate="19500403"))
    for text in ("of 山田様", "room of Li", "774411", "born 1950-04-03"):
        assert traces.within_bytes(text.encode(encoding) + b"\0\0"), text
    assert not traces.within_bytes("CHEST 80 kV".encode(encoding))


def test_bytes_of_numbers_tell_nobody_by_chance():
    """A ramp of 16 bits holds every sign once; noise holds short words."""
    traces = traces_of(patient(PatientName="Li^Wu=王^五", PatientID="12", PatientBirthDate="19500403"))
    ramp = np.arange(1 << 16, dtype="<u2").tobytes()
    noise = np.random.default_rng(0).integers(0, 256, 1 << 17, dtype=np.uint8).tobytes()
    assert not traces.within_bytes(ramp) and not traces.within_bytes(noise)
    named = traces_of(patient(PatientName="Mustermann^Erika"))
    assert not named.within_bytes(ramp + noise) and named.within_bytes(noise + b"MUSTERMANN" + noise)


@pytest.mark.parametrize("name", ["Muster^Anna", "Müller^Jürg"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16-le"])
@pytest.mark.parametrize("before", ["", "a", "img/", "\x01\x02 "])
def test_a_name_in_base64_or_hexadecimal_digits_is_told(name: str, encoding: str, before: str) -> None:
    traces = traces_of(patient(PatientName=name, PatientID="4711-0815"))
    for told in (name.replace("^", " "), '{"id": "47110815"}'):
        content = told.encode(encoding)
        for coded in (
            base64.b64encode(content).decode(),
            base64.urlsafe_b64encode(content).decode().rstrip("="),
            base64.encodebytes(content * 8).decode(),
            content.hex(),
        ):
            assert traces.within(f"{before}{coded} "), coded
            assert traces.within_bytes(f"{before}{coded}\0".encode()), coded


def test_words_that_look_like_base64_are_none() -> None:
    traces = traces_of(patient(PatientName="Li^Wu", PatientID="4711"))
    for text in ("AXIAL_T1_MPRAGE", "SIEMENS/Skyra", "1.2.840.10008.5.1.4.1.1.2", "ORIGINAL\\PRIMARY\\AXIAL"):
        assert not traces.within(text)
    noise = base64.b64encode(np.random.default_rng(0).bytes(200_000))
    assert not traces_of(patient(PatientName="Muster^Anna")).within_bytes(noise)
