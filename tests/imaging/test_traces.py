"""Who a picture is of: the ways in which names, birth dates, numbers and addresses are written."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from molgraph.imaging.traces import traces_of


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
