"""Whose scans are: by the pixels, by PatientID and StudyInstanceUID of DICOM files; what says nothing is not used."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from molgraph import config
from molgraph.errors import DataError
from molgraph.predictor.inputs import Inputs, slots
from molgraph.predictor.parts import with_prints
from molgraph.predictor.rows import read_rows
from molgraph.rooms.imaging.groups import NOBODY, owners, picture
from molgraph.workflows.plan import plan


@pytest.fixture(scope="module")
def ct() -> FileDataset:
    return dcmread(get_testdata_file("CT_small.dcm", download=False))


def written(ct: FileDataset, path: Path, patient: str | None, study: str = "", *, shade: int = 0) -> str:
    """Write the CT slice of pydicom's wheel for a patient, with one pixel of its own, and return its path."""
    pixels = ct.pixel_array.copy()
    pixels[0, 0] = shade
    ct.PixelData = pixels.tobytes()
    ct.SOPInstanceUID = ct.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    ct.SeriesInstanceUID = generate_uid(entropy_srcs=[path.name, "series"])
    ct.StudyInstanceUID = study or generate_uid(entropy_srcs=[path.name, "study"])
    ct.PatientID = patient or ""
    if patient is None:
        del ct.PatientID
    path.parent.mkdir(parents=True, exist_ok=True)
    ct.save_as(path)
    return str(path)


def table(ct: FileDataset, folder: Path, patients: list[str], studies: list[str] | None = None) -> pd.DataFrame:
    named = zip(patients, studies or [""] * len(patients), strict=True)
    scans = [written(ct, folder / f"{at}.dcm", who, what, shade=at) for at, (who, what) in enumerate(named)]
    return pd.DataFrame({"scan": scans, "y": [str(at % 2) for at in range(len(scans))]})


def settings(**given: object) -> config.RunSettings:
    usual = {"model": "imaging/cnn", "targets": ["y"], "encoder": {"size": 16}, "comparator": "none"}
    return config.settings({**usual, **given})


def groups(frame: pd.DataFrame, **given: object) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    run = settings(**given)
    rows = read_rows(frame, run, Inputs(slots(run), with_prints(run), True))
    return {name: labels.tolist() for name, labels in rows.data.groups.items() if name != "identity"}, rows.notes


def test_equal_pixels_are_one_picture(ct: FileDataset, tmp_path: Path) -> None:
    scans = [written(ct, tmp_path / f"{at}.dcm", "p", shade=at % 2) for at in range(3)]
    assert picture(scans).tolist() == [0, 1, 0]


def test_files_name_their_patients(ct: FileDataset, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(grey)
    one, two = (written(ct, tmp_path / f"{name}.dcm", f" {name} ", name) for name in ("1.1", "1.2"))
    packed = tmp_path / "packed.dcm.gz"
    packed.write_bytes(gzip.compress(Path(one).read_bytes()))
    bare = tmp_path / "bare"
    bare.write_bytes(Path(two).read_bytes()[132:])
    gone = str(tmp_path / "gone.dcm")
    found = owners([one, str(packed), str(bare), str(grey), f"{one};{two}", gone, ""])
    both = [{"1.1"}, {"1.1"}, {"1.2"}, set(), {"1.1", "1.2"}, set(), set()]
    assert [{word for kind, word in row if kind == "patient"} for row in found.words["patient"]] == both
    assert found.words["study"] == [{("study", word) for word in row} for row in both] and not found.notes


def test_a_folder_is_a_series_of_its_patient(ct: FileDataset, tmp_path: Path) -> None:
    for at, who in enumerate("ab"):
        written(ct, tmp_path / "two" / f"{at}.dcm", who, f"1.{at}")
    (tmp_path / "two" / "notes.txt").write_text("not a scan", encoding="utf-8")
    last = str(ct.SeriesInstanceUID)
    found = owners([f"{tmp_path / 'two'}#{last}", str(tmp_path / "two" / "0.dcm")])
    assert found.words["patient"] == [{("patient", "b"), ("study", "1.1")}, {("patient", "a"), ("study", "1.0")}]


def test_every_file_of_a_series_says_whose_it_is(ct: FileDataset, tmp_path: Path) -> None:
    for at, who in enumerate("aab"):
        written(ct, tmp_path / "one" / f"{at}.dcm", who, "1.1")
        ds = dcmread(tmp_path / "one" / f"{at}.dcm")
        ds.SeriesInstanceUID = "1.5"
        ds.save_as(tmp_path / "one" / f"{at}.dcm")
    (found,) = owners([str(tmp_path / "one")]).words["patient"]
    assert found == {("patient", "a"), ("patient", "b"), ("study", "1.1")}


def test_a_patient_is_a_group_of_rows(ct: FileDataset, tmp_path: Path) -> None:
    found, notes = groups(table(ct, tmp_path, ["p", "q", "p", "r"], ["1", "2", "3", "2"]))
    assert found == {"patient": [0, 1, 0, 1], "study": [0, 1, 2, 1]}, "q and r share a study, so they are one"
    assert notes == (
        "The headers of the files say which rows belong together: 2 groups by patient, 3 groups by study.",
    )


def test_a_column_goes_before_the_files(ct: FileDataset, tmp_path: Path) -> None:
    frame = table(ct, tmp_path, ["p", "p", "q"], ["1", "1", "2"]).assign(patient=["a", "b", "b"])
    assert groups(frame)[0] == {"study": [0, 0, 1], "patient": [0, 1, 1]}
    assert groups(frame.assign(study=["x", "y", "z"])) == ({"patient": [0, 1, 1], "study": [0, 1, 2]}, ())


@pytest.mark.parametrize("who", ["ANONYMOUS", "4711", "", None])
def test_what_is_the_same_everywhere_tells_no_patients_apart(ct: FileDataset, tmp_path: Path, who: str | None) -> None:
    frame = table(ct, tmp_path, [who] * 4, ["1", "1", "2", "3"])
    found, notes = groups(frame)
    assert found == {"patient": [0, 0, 1, 2]}, "a study is one patient in any case"
    assert any("same in all DICOM files (4 rows)" in note for note in notes) == (who == "4711")


def test_words_for_nobody_make_no_group(ct: FileDataset, tmp_path: Path) -> None:
    assert "anonymous" in NOBODY and "" in NOBODY
    assert groups(table(ct, tmp_path, ["Anonymous", "p", "ANONYMOUS", "p"]))[0]["patient"] == [0, 1, 2, 1]


def test_pictures_have_no_patients(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for at in range(3):
        Image.fromarray(random.integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / f"{at}.png")
    frame = pd.DataFrame({"scan": [str(tmp_path / f"{at}.png") for at in range(3)], "y": list("010")})
    assert groups(frame) == ({}, ())


def test_a_patient_never_stands_on_two_sides(ct: FileDataset, tmp_path: Path) -> None:
    patients = [f"p{at // 2}" for at in range(24)]
    frame = table(ct, tmp_path, patients)
    frame["y"] = [str(at // 2 % 2) for at in range(24)]
    made = plan(settings(), frame)
    sides = [{patients[at] for at in rows} for rows in (made.split.train, made.split.test)]
    assert all(sides) and not sides[0] & sides[1]
    assert not made.leaks.across and any("12 groups by patient" in note for note in made.notes)
    fold = frame.assign(fold=["train", "test"] * 12)
    with pytest.raises(DataError, match="12 rows share a patient with a later fold"):
        plan(settings(split="column:fold", leaks="refuse"), fold)
    fold["fold"] = [*["train", "test"] * 4, *["train"] * 16]
    dropped = plan(settings(split="column:fold"), fold)
    assert dropped.leaks.across["patient"][0] >= 4 and "share a patient" in dropped.leaks.sentence
    assert not {patients[at] for at in dropped.split.train} & {patients[at] for at in dropped.split.test}


def test_one_study_cannot_be_split(ct: FileDataset, tmp_path: Path) -> None:
    frame = table(ct, tmp_path, ["p"] * 24, ["1"] * 24)
    with pytest.raises(DataError, match="1 group"):
        plan(settings(), frame)
    with pytest.raises(DataError, match="leaks report"):
        plan(settings(split="random"), frame)
    assert plan(settings(split="random", leaks="report"), frame).leaks.across["patient"][0] > 0


def bags(folder: Path, cells: list[str]) -> pd.DataFrame:
    """Return a table of pictures named by letters, all of them different."""
    for letter in sorted(set("".join(cells))):
        noise = np.random.default_rng(ord(letter)).integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{letter}.png")
    texts = [";".join(str(folder / f"{letter}.png") for letter in cell) for cell in cells]
    return pd.DataFrame({"scan": texts, "y": [str(at % 2) for at in range(len(cells))]})


def test_training_rows_that_have_a_picture_of_a_later_fold_are_left_out(tmp_path: Path) -> None:
    test, valid, train = ["ba", "c", "gh"], ["ij", "kl"], ["ab", "cd", "de", "ef", "mn", "op", "q", "r"]
    frame = bags(tmp_path, train + valid + test)
    frame["fold"] = ["train"] * len(train) + ["valid"] * len(valid) + ["test"] * len(test)
    made = plan(settings(split="column:fold", duplicates="keep"), frame)
    left = {"".join(Path(name).stem for name in frame["scan"][at].split(";")) for at in made.split.train}
    assert left == {"mn", "op", "q", "r"}, "cd has c, and de and ef hang on it"
    assert len(made.split.test) == 3 and made.leaks.across == {"identity": (1, 1), "picture": (3, 2)}
    with pytest.raises(DataError, match="share a picture with a later fold"):
        plan(settings(split="column:fold", leaks="refuse"), frame.iloc[1:])


@pytest.mark.parametrize("split", ["random", "patient"])
def test_what_has_a_picture_in_common_stays_on_one_side(split: str, tmp_path: Path) -> None:
    for at in range(52):
        Image.fromarray(np.random.default_rng(at).integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / f"{at}.png")
    names = [str(tmp_path / f"{at}.png") for at in range(52)]
    texts = [text for at in range(0, 52, 2) for text in (f"{names[at]};{names[at + 1]}", names[at + 1])]
    frame = pd.DataFrame({"scan": texts, "y": [str(at // 2 % 2) for at in range(52)]})
    if split == "patient":
        frame["patient"] = [f"p{at}" for at in range(52)]
    made = plan(settings(split=split), frame)
    assert not made.leaks.across and all(len(getattr(made.split, fold)) for fold in ("train", "valid", "test"))
    assert len(made.rows.data) == 52
