"""A folder in, a folder without patients out: a file or a reason for every file, the same for one key, resumable."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont

from molgraph.cli import main
from molgraph.errors import ConfigError, DataError, ResourceError
from molgraph.rooms.imaging.scan import read_scan
from molgraph.workflows import deidentify
from molgraph.workflows.deidentify import deidentify_folder

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
SERIES = FILES / "dicomdirtests" / "98892001" / "CT5N"


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """Return a folder as it comes from a hospital, names of patients in its paths too."""
    folder = tmp_path / "hospital"
    shutil.copytree(SERIES, folder / "DOE^JANE" / "CT5N")
    for name in ("MR_small.dcm", "examples_rgb_color.dcm", "reportsi.dcm", "MR_truncated.dcm", "rtplan.dcm"):
        shutil.copy(FILES / name, folder / name)
    image = nib.Nifti1Image(np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32), np.eye(4))
    image.header["descrip"] = b"DOE^JANE"
    nib.save(image, folder / "DOE^JANE" / "brain.nii.gz")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(folder / "xray.jpg")
    (folder / "notes.txt").write_text("Jane Doe, 1970", encoding="utf-8")
    return folder


def lines(out: Path) -> pd.DataFrame:
    return pd.read_csv(out.with_name(f"{out.name}_deidentified.csv"), dtype=str).fillna("").set_index("file")


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_file_is_written_or_has_a_reason(hospital: Path, tmp_path: Path):
    counts = deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "key")
    table = lines(tmp_path / "out")
    assert len(table) == counts.files == sum(1 for p in hospital.rglob("*") if p.is_file())
    assert counts.written == 8
    assert counts.reasons == {"burned_in_text": 1, "report": 1, "truncated": 1, "no_pixels": 1, "not_an_image": 1}
    assert table.loc["MR_truncated.dcm", "reason"] == "truncated" and not table.loc["MR_truncated.dcm", "output"]
    written = tree(tmp_path / "out")
    assert set(written) == {*table["output"][table["output"] != ""], "deidentified.json"}
    everything = b"".join(name.encode() + data for name, data in written.items()).lower()
    for secret in (b"doe", b"jane", b"cls", b"98.892.001", b"4mr1", b"compressedsamples"):
        assert secret not in everything


def test_what_is_written_reads_as_before(hospital: Path, tmp_path: Path):
    deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "key")
    table = lines(tmp_path / "out")
    for name in table.index[table["reason"] == "ok"]:
        before, after = read_scan(hospital / name), read_scan(tmp_path / "out" / table.loc[name, "output"])
        assert np.array_equal(before.voxels, after.voxels)
        assert (before.affine is None) == (after.affine is None)
        assert before.affine is None or np.array_equal(before.affine, after.affine)
    slices = [table.loc[f"DOE^JANE/CT5N/{n}", "output"] for n in ("2062", "2392", "2693", "3023", "3353")]
    folders = {Path(name).parent for name in slices}
    assert len(folders) == 1  # a series stays one
    series, right = read_scan(tmp_path / "out" / folders.pop()), read_scan(hospital / "DOE^JANE" / "CT5N")
    assert np.array_equal(series.voxels, right.voxels) and series.patient.startswith("p-")


def test_one_key_gives_one_result_and_another_key_another(hospital: Path, tmp_path: Path):
    for out, key in (("a", "k1"), ("b", "k1"), ("c", "k2")):
        deidentify_folder(hospital, tmp_path / out, key=tmp_path / key)
    a, b, c = (tree(tmp_path / out) for out in "abc")
    assert a == b
    assert not {name for name in a if name.endswith(("dcm", "gz", "png"))} & set(c)


def test_a_call_that_was_stopped_goes_on(hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    deidentify_folder(hospital, tmp_path / "whole", key=tmp_path / "key")
    taken = []
    real = deidentify.Desk.take

    def stopped(self: deidentify.Desk, file: Path, name: str) -> deidentify.Line:
        taken.append(name)
        if len(taken) == 5:
            raise KeyboardInterrupt
        return real(self, file, name)

    monkeypatch.setattr(deidentify.Desk, "take", stopped)
    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "key")
    assert not (tmp_path / "out_deidentified.csv").exists()
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.dcm")}
    assert stamps
    monkeypatch.undo()
    deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "key")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps  # not written again
    assert lines(tmp_path / "out").equals(lines(tmp_path / "whole"))


def test_other_settings_in_the_same_folder_are_refused(hospital: Path, tmp_path: Path):
    deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "key")
    with pytest.raises(ConfigError, match="another dates"):
        deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "key", dates="remove")
    with pytest.raises(ConfigError, match="another key_check; name"):
        deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "other")
    with pytest.raises(ConfigError, match="without --key"):
        deidentify_folder(hospital, tmp_path / "out")


def test_dates_are_moved_together_or_removed(hospital: Path, tmp_path: Path):
    before = [pydicom.dcmread(p) for p in sorted((hospital / "DOE^JANE" / "CT5N").iterdir())]
    for dates in ("shift", "remove"):
        deidentify_folder(hospital, tmp_path / dates, key=tmp_path / "key", dates=dates)
    table = lines(tmp_path / "shift")
    moved = [
        pydicom.dcmread(tmp_path / "shift" / table.loc[f"DOE^JANE/CT5N/{Path(d.filename).name}", "output"])
        for d in before
    ]
    days = {
        (pd.Timestamp(str(new.StudyDate)) - pd.Timestamp(str(old.StudyDate))).days
        for old, new in zip(before, moved, strict=True)
    }
    assert len(days) == 1 and days.pop() < 0 and not moved[0].PatientBirthDate
    gone = pydicom.dcmread(next((tmp_path / "remove").rglob("*.dcm")))
    assert not gone.StudyDate and not gone.StudyTime


def test_text_in_pixels_is_painted_over_or_looked_at(hospital: Path, tmp_path: Path):
    shutil.rmtree(hospital / "DOE^JANE")
    deidentify_folder(hospital, tmp_path / "a", blanks=["0,0,60,20"], inspected=True)
    table = lines(tmp_path / "a")
    clean = pydicom.dcmread(tmp_path / "a" / table.loc["examples_rgb_color.dcm", "output"])
    assert (clean.pixel_array[:20, :60] == 0).all() and clean.BurnedInAnnotation == "NO"
    assert (read_scan(tmp_path / "a" / table.loc["xray.jpg", "output"]).voxels[0, 0, :20, :60] == 0).all()
    deidentify_folder(hospital, tmp_path / "b", inspected=True)
    looked = pydicom.dcmread(tmp_path / "b" / lines(tmp_path / "b").loc["examples_rgb_color.dcm", "output"])
    assert np.array_equal(looked.pixel_array, pydicom.dcmread(FILES / "examples_rgb_color.dcm").pixel_array)
    deidentify_folder(hospital, tmp_path / "c", blanks=["0,0,64,64"])
    assert lines(tmp_path / "c").loc["xray.jpg", "reason"] == "ok"
    deidentify_folder(hospital, tmp_path / "d", blanks=["0,0,65,64"], inspected=True)
    assert lines(tmp_path / "d").loc["xray.jpg", "reason"] == "blank_outside"


def _written_on(pixels: np.ndarray) -> np.ndarray:
    """Return grey pixels with a patient's name on them, as bright as they are."""
    page = Image.new("L", pixels.shape[::-1])
    ImageDraw.Draw(page).text((8, 20), "MUSTER ANNA 1950", font=ImageFont.load_default(13), fill=1)
    return np.where(np.asarray(page) > 0, pixels.max(), pixels)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_picture_that_shows_text_is_refused_until_it_is_painted_over(suffix: str, tmp_path: Path):
    plain = Image.fromarray(np.uint8(pydicom.dcmread(FILES / "CT_small.dcm").pixel_array // 10)).resize((256, 256))
    (tmp_path / "in").mkdir()
    Image.fromarray(_written_on(np.asarray(plain))).save(tmp_path / "in" / f"x{suffix}")
    plain.save(tmp_path / "in" / f"plain{suffix}")
    deidentify_folder(tmp_path / "in", tmp_path / "a")
    table = lines(tmp_path / "a")
    assert list(table["reason"]) == ["ok", "burned_in_text"] and "no proof" in table.loc[f"plain{suffix}", "message"]
    said = table.loc[f"x{suffix}", "message"]
    assert "looks like text (x " in said and "--inspected" in said
    deidentify_folder(tmp_path / "in", tmp_path / "b", blanks=re.findall(r"--blank ([\d,]+\d)", said))
    deidentify_folder(tmp_path / "in", tmp_path / "c", inspected=True)
    assert set(lines(tmp_path / "b")["reason"]) == set(lines(tmp_path / "c")["reason"]) == {"ok"}
    deidentify_folder(tmp_path / "in", tmp_path / "d", blanks=["200,200,20,20"])  # elsewhere
    assert lines(tmp_path / "d").loc[f"x{suffix}", "reason"] == "burned_in_text"


@pytest.mark.parametrize("modality", ["CT", "CR", "DX", "MR", "PT", ""])
def test_text_is_looked_for_in_dicom_of_every_kind(modality: str, tmp_path: Path):
    ds = pydicom.dcmread(FILES / "CT_small.dcm")
    ds.Modality = modality
    ds.PixelData = _written_on(ds.pixel_array).tobytes()
    ds.save_as(tmp_path / "x.dcm")
    with pytest.raises(DataError, match="looks like text"):
        deidentify_folder(tmp_path / "x.dcm", tmp_path / "out")
    assert deidentify_folder(tmp_path / "x.dcm", tmp_path / "b", inspected=True).written == 1


def test_nothing_rides_behind_or_above_the_pixels(tmp_path: Path):
    ds = pydicom.dcmread(FILES / "MR_small.dcm")
    before, stored = ds.pixel_array.copy(), np.frombuffer(ds.PixelData, np.uint16)
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, 0
    ds.PixelData = (stored | 0xA000).tobytes() + b"MUSTER ANNA PADDING BYTES!"
    ds.save_as(tmp_path / "x.dcm")
    deidentify_folder(tmp_path / "x.dcm", tmp_path / "out")
    clean = pydicom.dcmread(next((tmp_path / "out").rglob("*.dcm")))
    assert clean.PixelData == stored.tobytes() and np.array_equal(clean.pixel_array, before)


def test_two_files_of_one_uid_are_told_apart(tmp_path: Path):
    (tmp_path / "in").mkdir()
    for name in ("a.dcm", "b.dcm"):
        shutil.copy(FILES / "CT_small.dcm", tmp_path / "in" / name)
    deidentify_folder(tmp_path / "in", tmp_path / "out")
    table = lines(tmp_path / "out")
    assert list(table["reason"]) == ["ok", "duplicate"] and "a.dcm" in table.loc["b.dcm", "message"]


def test_places_within_each_other_are_refused(hospital: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match="lies in"):
        deidentify_folder(hospital, hospital / "out")
    with pytest.raises(ConfigError, match="lies in"):
        deidentify_folder(hospital, tmp_path)
    with pytest.raises(ConfigError, match="shared"):
        deidentify_folder(hospital, tmp_path / "out", key=tmp_path / "out" / "key")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="holds files"):
        deidentify_folder(hospital, tmp_path / "full")


def test_nothing_to_write_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="no such"):
        deidentify_folder(tmp_path / "nothing", tmp_path / "out")
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="no file"):
        deidentify_folder(tmp_path / "in", tmp_path / "out")
    shutil.copy(FILES / "rtplan.dcm", tmp_path / "in")
    with pytest.raises(DataError, match="without a picture"):
        deidentify_folder(tmp_path / "in", tmp_path / "out2")
    assert len(lines(tmp_path / "out2")) == 1


def test_the_command(hospital: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = ["deidentify", str(hospital), str(tmp_path / "out"), "--key", str(tmp_path / "key")]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "8 of 13 files written" in said and "1 burned_in_text" in said and "keep it private" in said
    assert "Warning" not in said
    assert main([*words, "--strict"]) == 3
    settings = json.loads((tmp_path / "out" / "deidentified.json").read_text(encoding="utf-8"))
    assert settings["profile"].startswith("DICOM PS3.15 2024b")
    assert main(["deidentify", str(hospital), str(tmp_path / "x"), "--blank", "1,2"]) == 2
    assert main(["deidentify", str(FILES / "CT_small.dcm"), str(tmp_path / "one")]) == 0
    assert len(list((tmp_path / "one").rglob("*.dcm"))) == 1


def test_a_full_disk_is_no_damaged_file(hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise ResourceError("no space is left on the disk")

    monkeypatch.setattr(deidentify, "atomic", full)
    with pytest.raises(ResourceError, match="no space"):
        deidentify_folder(hospital, tmp_path / "out")
