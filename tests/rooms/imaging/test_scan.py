"""All DICOM and NIfTI files of pydicom and nibabel: read right, or refused with a reason; and bad input."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image
from pydicom.pixels.decoders.base import get_decoder

from molgraph.errors import DataError
from molgraph.rooms.imaging.geometry import TURN, to_world
from molgraph.rooms.imaging.scan import Scan, ScanError, read_scan

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # "highly experimental"
    from nibabel.nicom.dicomwrappers import WrapperPrecisionError, wrapper_from_data

PYDICOM = Path(pydicom.__file__).parent / "data"
NIBABEL = Path(nib.__file__).parent
NOT_DICOM = {".txt", ".json", ".dump", ".icc", ".py", ".pyc", ".md"}
# Why each file of pydicom that has no picture here has none.
REFUSED = {
    "JPEG-lossy.dcm": "no_decoder",
    "JPGExtended.dcm": "no_decoder",
    "JPEG2000-embedded-sequence-delimiter.dcm": "damaged_pixels",
    "MR_truncated.dcm": "truncated",
    "badVR.dcm": "damaged",
    "meta_missing_tsyntax.dcm": "damaged_pixels",
    "nested_priv_SQ.dcm": "damaged_pixels",
    "no_meta.dcm": "not_an_image",
}
NO_PIXELS = {
    *("ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "UN_sequence.dcm", "empty_charset_LEI.dcm"),
    *("no_meta_group_length.dcm", "priv_SQ.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm", "rtplan.dcm"),
    *("rtplan_truncated.dcm", "rtstruct.dcm", "test-SR.dcm", "waveform_ecg.dcm", "DICOMDIR-empty.dcm"),
}


def files_in(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


DICOMS = [path for path in files_in(PYDICOM / "test_files") if path.suffix not in NOT_DICOM and path.name != "README"]
NIFTIS = [
    p for p in files_in(NIBABEL) if p.name.endswith((".nii", ".nii.gz")) or p.name in ("nifti1.hdr", "nifti2.hdr")
]
DICOMS_OF_NIBABEL = [p for p in files_in(NIBABEL) if p.name.endswith((".dcm", ".dcm.gz"))]


def refusal(path: Path | str) -> ScanError:
    with pytest.raises(ScanError) as caught:
        read_scan(path)
    assert Path(str(path)).name.partition("#")[0][:20] in caught.value.message
    return caught.value


def dataset(path: Path) -> pydicom.FileDataset:
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data), force=True)


def same_as_pydicom(path: Path, scan: Scan) -> None:
    """Compare values with what pydicom makes of them, and places with what nibabel makes of the header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = dataset(path)
        right = ds.pixel_array
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            right = pydicom.pixels.apply_color_lut(right, ds)
        right = pydicom.pixels.apply_modality_lut(right, ds) * float(ds.get("DoseGridScaling", 1))
    if right.ndim > 2 and right.shape[-1] == 3:
        right = np.moveaxis(right.reshape(-1, *right.shape[-3:]), -1, 0)
    else:
        right = right.reshape(1, -1, *right.shape[-2:])
    if ds.PhotometricInterpretation == "MONOCHROME1":  # inverted over all values that the bits can hold
        right = float(ds.RescaleSlope) * (2**ds.BitsStored - 1) + 2 * float(ds.RescaleIntercept) - right
    padding = ds.get("PixelPaddingValue")
    if padding is not None:
        measured = right != padding + float(ds.get("RescaleIntercept", 0))
        assert (scan.voxels[~measured] == -1000).all()
        right, found = right[measured], scan.voxels[measured]
    else:
        found = scan.voxels
    assert np.allclose(found, right, rtol=1e-6)
    if scan.affine is not None and "PerFrameFunctionalGroupsSequence" not in ds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at = (3, 5)  # column, row; nibabel counts rows first
            try:
                lps = wrapper_from_data(ds).affine @ [at[1], at[0], 0, 1]
            except WrapperPrecisionError:  # it asks for more decimals than three headers have
                assert path.parent.name == "MR700"
                turn, edges = np.array(ds.ImageOrientationPatient, float), np.array(ds.PixelSpacing, float)
                lps = ds.ImagePositionPatient + at[0] * edges[1] * turn[:3] + at[1] * edges[0] * turn[3:]
                lps = [*lps, 1]
        assert np.allclose(to_world(scan.affine, [*at, 0]), (TURN @ lps)[:3], atol=1e-3)


@pytest.mark.parametrize("path", DICOMS, ids=lambda p: p.name)
def test_every_dicom_file_of_pydicom(path: Path, capfd: pytest.CaptureFixture[str]):
    if path.name in REFUSED:
        assert refusal(path).reason == REFUSED[path.name]
    elif path.name in NO_PIXELS or path.name.startswith("DICOMDIR") or "TINY_ALPHA" in path.parts:
        assert refusal(path).reason == "no_pixels"
    else:
        same_as_pydicom(path, read_scan(path, canonical=False))
    said = capfd.readouterr()
    assert said.out == said.err == ""


@pytest.mark.parametrize("path", DICOMS_OF_NIBABEL, ids=lambda p: p.name)
def test_every_dicom_file_of_nibabel(path: Path):
    reasons = {
        "csa_slice_norm.dcm": "no_pixels",
        "decimal_rescale.dcm": "uniform",
        "philips_mprage.dcm.gz": "uniform",
    }
    if path.name in reasons:
        assert refusal(path).reason == reasons[path.name]
        if reasons[path.name] == "uniform":
            same_as_pydicom(path, read_scan(path, canonical=False, mask=True))
    elif "MOSAIC" in dataset(path).get("ImageType", ()):
        error = refusal(path)
        assert error.reason == "mosaic" and "dcm2niix" in error.message
    else:
        same_as_pydicom(path, read_scan(path, canonical=False))


def same_as_nibabel(path: Path, scan: Scan) -> None:
    """Compare a canonical scan with what nibabel reads."""
    image = nib.load(path)
    if image.header["sform_code"] or image.header["qform_code"]:
        image = nib.as_closest_canonical(image)
        assert np.allclose(scan.affine, image.affine, atol=1e-4)
    else:
        assert scan.affine is None
        assert np.allclose(scan.spacing, image.header.get_zooms()[:3])
    right = image.get_fdata(dtype=np.float32)
    right = right.reshape(*(*right.shape, 1, 1)[:3], -1).T
    assert np.allclose(scan.voxels, right, rtol=1e-6)


@pytest.mark.parametrize("path", NIFTIS, ids=lambda p: p.name)
def test_every_nifti_file_of_nibabel(path: Path):
    reasons = {
        "nifti1.hdr": "missing_file",
        "nifti2.hdr": "missing_file",
        "resampled_anat_moved.nii": "not_finite",
        "row_major.dconn.nii": "too_many_dimensions",
    }
    if path.name in reasons:
        assert refusal(path).reason == reasons[path.name]
    else:
        same_as_nibabel(path, read_scan(path))


def test_other_files_beside_them_are_no_images():
    for path in [*files_in(NIBABEL / "tests" / "data"), *files_in(PYDICOM)]:
        if path.suffix in NOT_DICOM | {".trk", ".tck", ".PAR", ".REC", ".BRIK", ".HEAD", ".m", ".v", ".mgz", ".rst"}:
            assert refusal(path).reason == "not_an_image", path


def test_the_dicom_samples(shared_data: Path, tmp_path: Path):
    with zipfile.ZipFile(shared_data / "imaging" / "dicom_samples.zip") as archive:
        archive.extractall(tmp_path)
    index = pd.read_csv(shared_data / "imaging" / "dicom_samples_index.csv", dtype=str).fillna("")
    found = {path.name: path for path in files_in(tmp_path)}
    for line in index.itertuples():
        path = found[line.file]
        if path.name in REFUSED:
            assert refusal(path).reason == REFUSED[path.name]
        elif path.name in NO_PIXELS:
            assert refusal(path).reason == "no_pixels"
        else:
            scan = read_scan(path, canonical=False)
            same_as_pydicom(path, scan)
            assert scan.modality == line.modality


def test_the_nifti_samples(shared_data: Path, tmp_path: Path):
    with zipfile.ZipFile(shared_data / "imaging" / "nifti_samples.zip") as archive:
        archive.extractall(tmp_path)
    read, reasons = 0, {}
    for path in files_in(tmp_path):
        try:
            scan = read_scan(path)
        except ScanError as error:
            reasons[path.name] = error.reason
        else:
            same_as_nibabel(path, scan)
            read += 1
    assert read == 8
    assert reasons.pop("resampled_anat_moved.nii") == "not_finite"
    assert {reasons.pop(name) for name in ("0.dcm", "1.dcm")} == {"mosaic"}
    assert reasons.pop("small.mnc") == "no_such_member"  # MINC 2 is HDF5
    assert len(reasons) == 7 and set(reasons.values()) == {"not_an_image"}


def png(path: Path, array: np.ndarray) -> Path:
    Image.fromarray(array).save(path, format="PNG")
    return path


def test_without_the_plugin_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch):
    for name in ("SC_rgb_jpeg_gdcm.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"):
        path = PYDICOM / "test_files" / name
        decoder = get_decoder(dataset(path).file_meta.TransferSyntaxUID)
        monkeypatch.setattr(decoder, "_available", {})
        error = refusal(path)
        assert error.reason == "no_decoder" and "molgraph[dicom]" in error.message


def test_what_a_file_is_called_does_not_matter(tmp_path: Path):
    ramp = np.arange(64, dtype=np.uint8).reshape(8, 8)
    nib.save(nib.Nifti1Image(ramp[None], np.eye(4)), tmp_path / "scan.nii.gz")
    (tmp_path / "scan.nii.gz").rename(tmp_path / "a.dcm")
    (tmp_path / "b.nii").write_bytes((PYDICOM / "test_files" / "CT_small.dcm").read_bytes())
    png(tmp_path / "c.gz", ramp)
    assert read_scan(tmp_path / "a.dcm").voxels.shape == (1, 8, 8, 1)
    assert read_scan(tmp_path / "b.nii").modality == "CT"
    assert np.array_equal(read_scan(tmp_path / "c.gz").voxels[0, 0], ramp)


def test_text_that_is_called_a_picture(tmp_path: Path):
    (tmp_path / "x.png").write_text("no picture at all, only text " * 20, encoding="utf-8")
    assert refusal(tmp_path / "x.png").reason == "not_an_image"


@pytest.mark.parametrize("name", ["nothing.png", "no/where.nii", "x.npz#images/3", "a" * 5000, "zero\0byte"], ids=len)
def test_a_path_that_leads_nowhere(name: str, tmp_path: Path):
    with pytest.raises(ScanError) as caught:
        read_scan(tmp_path / name)
    assert caught.value.reason == "no_such_file"


@pytest.mark.parametrize(
    "source", ["CT_small.dcm", "examples_palette.dcm", "SC_rgb_jpeg_dcmtk.dcm", "MR_small_RLE.dcm"]
)
def test_cut_anywhere_it_is_refused_and_nothing_breaks(source: str, tmp_path: Path):
    data = (PYDICOM / "test_files" / source).read_bytes()
    whole = read_scan(PYDICOM / "test_files" / source).voxels
    for share in np.linspace(0, 0.95, 24):
        path = tmp_path / "cut.dcm"
        path.write_bytes(data[: int(share * len(data))])
        try:
            found = read_scan(path).voxels
        except ScanError as error:
            assert error.reason in {"empty", "truncated", "no_pixels", "damaged", "damaged_pixels", "not_an_image"}
        else:  # what was cut off came after the pixels
            assert np.array_equal(found, whole)


@pytest.mark.parametrize("name", ["standard.nii.gz", "anatomical.nii", "example_nifti2.nii.gz"])
def test_a_nifti_cut_anywhere_is_refused(name: str, tmp_path: Path):
    data = (NIBABEL / "tests" / "data" / name).read_bytes()
    for share in np.linspace(0, 0.95, 20):
        (tmp_path / "cut.nii").write_bytes(data[: int(share * len(data))])
        assert refusal(tmp_path / "cut.nii").reason in {"empty", "truncated", "damaged", "not_an_image"}


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_implicit.dcm", "SC_rgb_rle.dcm", "liver_1frame.dcm", "rtdose.dcm"]
)
def test_bytes_changed_at_random_never_break_it(name: str, tmp_path: Path):
    data = np.frombuffer((PYDICOM / "test_files" / name).read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(25):
        changed = data.copy()
        changed[rng.integers(0, min(len(data), 3000), 40)] = rng.integers(0, 256, 40)
        (tmp_path / "x.dcm").write_bytes(changed.tobytes())
        try:
            assert np.isfinite(read_scan(tmp_path / "x.dcm").voxels).all()
        except ScanError as error:
            assert error.reason and error.message


@pytest.mark.parametrize("value", [0, 7])
def test_a_scan_of_one_value_says_nothing_but_a_mask_may(value: int, tmp_path: Path):
    path = png(tmp_path / "black.png", np.full((8, 8), value, np.uint8))
    error = refusal(path)
    assert error.reason == "uniform" and str(value) in error.message
    assert (read_scan(path, mask=True).voxels == value).all()


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_number(odd: float, tmp_path: Path):
    volume = np.random.default_rng(0).normal(size=(4, 4, 4)).astype(np.float32)
    volume[1, 2, 3] = odd
    nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / "x.nii")
    error = refusal(tmp_path / "x.nii")
    assert error.reason == "not_finite" and "1 of 64" in error.message


def test_a_window_a_spacing_and_channels_in_one_go(tmp_path: Path):
    scan = read_scan(PYDICOM / "test_files" / "CT_small.dcm", window="lung", spacing=2.0, channels=3)
    assert scan.voxels.shape == (3, 1, 42, 42)
    assert 0 <= scan.voxels.min() < scan.voxels.max() <= 1
    assert scan.spacing[:2] == (2.0, 2.0) and scan.modality == "CT" and scan.patient == "1CT1"


def test_a_modality_may_be_told(tmp_path: Path):
    volume = np.random.default_rng(0).normal(0, 300, (6, 6, 6)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, np.eye(4)), tmp_path / "ct.nii")
    told = read_scan(tmp_path / "ct.nii", modality="CT", window="auto")
    assert np.allclose(told.voxels, read_scan(tmp_path / "ct.nii", window="soft_tissue").voxels)


def test_the_error_is_one_of_the_house_and_survives_a_process():
    error = ScanError("truncated", "x.dcm: is cut short.")
    assert isinstance(error, DataError) and str(error) == "x.dcm: is cut short."
    back = pickle.loads(pickle.dumps(error))
    assert (back.reason, back.message) == (error.reason, error.message)


def test_reading_leaves_the_users_warnings_alone():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        read_scan(PYDICOM / "test_files" / "MR_small_RLE.dcm")
        assert not seen
        warnings.warn("mine", UserWarning, stacklevel=1)
        assert len(seen) == 1


READERS = [
    *("scan", "content", "dicom", "series", "planes", "steps", "copies", "shades", "nifti", "picture", "sets"),
    *("geometry", "intensity"),
]


def test_every_reason_is_documented():
    root = Path(__file__).parents[3]
    files = [root / "molgraph" / "rooms" / "imaging" / f"{name}.py" for name in READERS]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    reasons = set(re.findall(r'ScanError\(\s*"(\w+)"', text)) | set(re.findall(r'foreign\(\w+, "(\w+)"', text))
    documented = (root / "docs" / "scans.md").read_text(encoding="utf-8")
    assert len(reasons) > 40
    assert not [reason for reason in reasons if f"`{reason}`" not in documented]
