"""Folders of slices: in order whatever they are called, refused where slices are missing, mixed or uneven."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from molgraph.rooms.imaging import series
from molgraph.rooms.imaging.geometry import TURN, to_voxel, to_world
from molgraph.rooms.imaging.scan import Scan, ScanError, read_scan

SIZES = (6, 5, 7)
Make = Callable[[np.ndarray, tuple[int, int, int]], np.ndarray]
Write = Callable[..., Path]
AXIAL = np.array([[0.8, 0, 0, -10.0], [0, 0.8, 0, -20.0], [0, 0, 2.5, 30.0], [0, 0, 0, 1]])


def volume(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2000, SIZES[::-1]).astype(np.int16)


def reason_of(path: Path | str) -> str:
    with pytest.raises(ScanError) as caught:
        read_scan(path)
    return caught.value.reason


def places(scan: Scan) -> np.ndarray:
    index = np.stack(np.meshgrid(*map(np.arange, scan.voxels.shape[:0:-1]), indexing="ij"), axis=-1)
    return np.moveaxis(to_world(scan.affine, index), -1, 0).transpose(0, 3, 2, 1)


def test_every_voxel_stays_at_its_place_in_every_orientation(
    orientation: np.ndarray, world: Make, write_series: Write, tmp_path: Path
):
    """Scan a patient in whom each place has a value of its own."""
    lps = TURN @ orientation
    stored = np.rint(unlike(world(orientation, SIZES)) * 10).astype(np.int16)
    scan = read_scan(write_series(tmp_path / "s", stored, lps))
    assert np.abs(scan.voxels[0] / 10 - unlike(places(scan))).max() < 0.051
    raw = read_scan(tmp_path / "s", canonical=False)
    flipped = np.linalg.det(lps[:3, :3]) < 0  # DICOM's slices run along rows x columns; a mirrored stack is turned
    assert np.array_equal(raw.voxels[0], stored[::-1] if flipped else stored)


def unlike(place: np.ndarray) -> np.ndarray:
    """Return a number in which no axis can be taken for another, nor for its mirror image."""
    return place[0] + 1.37 * place[1] - 0.71 * place[2]


def test_ids_modality_and_values(write_series: Write, tmp_path: Path):
    stored = volume()
    folder = write_series(
        tmp_path / "s", stored, AXIAL, Modality="CT", RescaleSlope="2", RescaleIntercept="-1024", StudyInstanceUID="1.9"
    )
    scan = read_scan(folder, canonical=False)
    assert np.array_equal(scan.voxels[0], stored * 2.0 - 1024)
    assert (scan.modality, scan.patient, scan.study, scan.series, scan.bits) == ("CT", "p1", "1.9", "1.2.3", 16)
    assert np.allclose(scan.spacing, (0.8, 0.8, 2.5))


def test_each_slice_is_rescaled_by_its_own_slope(write_series: Write, write_slice: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL, RescaleSlope="1", RescaleIntercept="0")
    shutil.rmtree(tmp_path / "s")
    folder.mkdir()
    for z, stored in enumerate(volume()):
        place = {"ImagePositionPatient": [-10, -20, 30 + 2.5 * z], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        write_slice(
            folder / f"{9 - z}.dcm", stored, PixelSpacing=[0.8, 0.8], RescaleSlope=z + 1, RescaleIntercept=-z, **place
        )
    scan = read_scan(folder, canonical=False)
    right = volume() * (np.arange(7) + 1)[:, None, None] - np.arange(7)[:, None, None]
    assert np.array_equal(scan.voxels[0], right)


@pytest.mark.parametrize("gone", [(3,), (1, 2), (2, 4)], ids=str)
def test_slices_that_are_missing_are_counted(gone: tuple[int, ...], write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL, skip=gone)
    with pytest.raises(ScanError) as caught:
        read_scan(folder)
    count = f"{len(gone)} slices are missing" if len(gone) > 1 else "1 slice is missing"
    assert caught.value.reason == "missing_slices" and count in caught.value.message
    assert len(re.findall(r"IM\d{3}", caught.value.message)) == 2, "the slices on both sides of the gap are named"


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"SliceThickness": 2.5}, False),
        ({"SliceThickness": 2.5, "SpacingBetweenSlices": 2.5}, False),
        ({"SpacingBetweenSlices": 2.5}, False),
        ({"SliceThickness": 1, "SpacingBetweenSlices": 2.5}, False),
        ({"SliceThickness": 2.5, "SpacingBetweenSlices": 5}, True),  # gaps that are meant
        ({"SliceThickness": 4, "SpacingBetweenSlices": 1}, True),  # the gap itself, as some scanners write it
        ({"SliceThickness": 5}, True),
        ({"SliceThickness": 4}, True),
        ({"SliceThickness": 8}, True),  # overlapping
        ({}, True),
    ],
    ids=str,
)
def test_each_second_slice_missing_is_refused_and_gaps_that_are_meant_are_not(
    told: dict[str, float], read: bool, write_series: Write, tmp_path: Path
):
    folder = write_series(tmp_path / "s", volume(), AXIAL, skip=(1, 3, 5), **told)
    if read:
        assert read_scan(folder).voxels.shape == (1, 4, 5, 6)
    else:
        assert reason_of(folder) == "missing_slices"


def test_uneven_steps_are_refused_rounding_is_not(write_series: Write, write_slice: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    by_z = {float(read_scan(f, canonical=False).affine[2, 3]): f for f in folder.iterdir()}
    file = by_z[30 + 2.5 * 3]
    for off, wanted in ((0.004, None), (0.4, "uneven_slices"), (1.2, "uneven_slices")):
        place = {"ImagePositionPatient": [-10, -20, 37.5 + off], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        write_slice(file, volume()[3], PixelSpacing=[0.8, 0.8], **place)
        if wanted:
            assert reason_of(folder) == wanted
        else:
            assert read_scan(folder).voxels.shape == (1, 7, 5, 6)


def test_a_tilted_gantry_is_read_at_right_angles(write_series: Write, world: Make, tmp_path: Path):
    """Each voxel holds its own place, and still does at right angles; what no slice fills is the least value."""
    tilted = AXIAL.copy()
    tilted[:3, 2] = [0, 0.7, 2.5]
    stored = np.rint(world(TURN @ tilted, SIZES)[1] * 10).astype(np.int16)
    folder = write_series(tmp_path / "s", stored, tilted)
    as_stored, scan = read_scan(folder, canonical=False), read_scan(folder)
    assert np.abs(as_stored.voxels[0] / 10 - places(as_stored)[1]).max() < 0.051, (
        "the affine is sheared, not the patient"
    )
    cosines = scan.affine[:3, :3] / np.linalg.norm(scan.affine[:3, :3], axis=0)
    np.testing.assert_allclose(cosines.T @ cosines, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(scan.spacing, [0.8, 0.8, 2.5])
    filled = scan.voxels[0] != as_stored.voxels.min()
    assert filled.sum() > 0.75 * as_stored.voxels.size and scan.voxels.shape[1:] == (7, 5 + 5, 6)
    assert np.abs(scan.voxels[0] / 10 - places(scan)[1])[filled].max() < 0.1


LINEAR = np.array([1.3, -0.7, 0.4])  # of a value that grows along every axis


@pytest.mark.parametrize("shift", [(0, 0.7, 2.5), (0.9, 0, 2.5), (0, -1.02606, 2.81908), (-0.5, 0.8, 2.0)], ids=str)
def test_values_of_a_tilted_scan_are_right_to_interpolation(
    shift: tuple[float, float, float], write_series: Write, world: Make, tmp_path: Path
):
    """A linear function of the place is what it was at every place that lies between slices; all others are said."""
    tilted = AXIAL.copy()
    tilted[:3, 2] = shift
    stored = np.rint(np.tensordot(LINEAR, world(TURN @ tilted, SIZES), 1) * 100 + 12_000).astype(np.int16)
    folder = write_series(tmp_path / "s", stored, tilted)
    as_stored, scan = read_scan(folder, canonical=False), read_scan(folder)
    among = to_voxel(as_stored.affine, np.moveaxis(places(scan), 0, -1))
    inside = ((among > -1e-3) & (among < np.array(SIZES) - 1 + 1e-3)).all(axis=-1)
    right = np.tensordot(LINEAR, places(scan), 1) * 100 + 12_000
    assert inside.sum() > 0.8 * stored.size, "no border plane is lost to rounding"
    assert np.abs(scan.voxels[0] - right)[inside].max() < 0.6
    assert (scan.voxels[0][~inside] == stored.min()).all()
    told = re.search(r"by (\S+) degrees.* (\d+)% of the voxels .* least value, (\S+)", scan.said)
    flat, along = np.array(shift), np.linalg.norm(shift)
    assert float(told[1]) == pytest.approx(np.degrees(np.arcsin(np.abs(flat[:2]).max() / along)), abs=0.06)
    assert float(told[2]) / 100 == pytest.approx((~inside).mean(), abs=0.12)
    assert float(told[3]) == stored.min()
    assert as_stored.said == ""


def test_padding_of_a_tilted_ct_becomes_air_and_so_does_what_no_slice_fills(write_series: Write, tmp_path: Path):
    tilted = AXIAL.copy()
    tilted[:3, 2] = [0, 0.8, 2.5]  # one pixel: nothing lies between two
    stored = np.full((7, 5, 6), 1100, np.int16)
    stored[:, 0] = -2000
    words = {"Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, "PixelPaddingValue": -2000}
    scan = read_scan(write_series(tmp_path / "s", stored, tilted, **words))
    assert set(np.unique(scan.voxels)) == {-1000, 76} and (scan.voxels == 76).sum() == 7 * 4 * 6
    assert "least value, -1000" in scan.said


def test_a_mask_of_a_tilted_scan_lies_on_it(write_series: Write, tmp_path: Path):
    tilted = AXIAL.copy()
    tilted[:3, 2] = [0, 0.56, 2.5]  # 0.7 of a pixel: no slice lies half way
    marked = np.zeros((7, 5, 6), np.int16)
    marked[2:5, 1:4, 2:4] = 300
    folder = write_series(tmp_path / "s", marked, tilted)
    scan, mask = read_scan(folder), read_scan(folder, mask=True)
    assert scan.voxels.shape == mask.voxels.shape and set(np.unique(mask.voxels)) == {0, 300}
    assert np.array_equal(mask.voxels > 0, scan.voxels > 149)


CHANGING = [0, 2.5, 5, 7.5, 15, 22.5]


def changing(folder: Path, write_slice: Write, depths: list[float], **told: list[object]) -> Path:
    """Write slices at these depths whose every value is ten times its depth."""
    folder.mkdir()
    for n, depth in enumerate(depths):
        elements = {name: values[n] for name, values in told.items() if values[n] is not None}
        place = {"ImagePositionPatient": [0, 0, depth], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        stored = np.full((4, 5), round(10 * depth), np.int16) + np.arange(5, dtype=np.int16)
        write_slice(folder / f"{n}.dcm", stored, PixelSpacing=[1, 1], **place, **elements)
    return folder


@pytest.mark.parametrize(
    ("depths", "told", "slices"),
    [
        (CHANGING, {"InstanceNumber": [1, 2, 3, 4, 5, 6], "SliceThickness": [3] * 6}, 10),
        (CHANGING, {"InstanceNumber": [6, 5, 4, 3, 2, 1]}, 10),
        (CHANGING, {"SliceThickness": [2.5, 2.5, 2.5, 2.5, 7.5, 7.5]}, 10),
        ([0, 5, 10, 17.5, 27.5, 37.5], {"SliceThickness": [5, 5, 5, 10, 10, 10]}, 9),  # the base of a skull, then above
        ([0, 10, 20, 25, 30], {"InstanceNumber": [1, 2, 3, 4, 5]}, 7),
        ([0, 3, 6, 10, 14], {"InstanceNumber": [1, 2, 3, 4, 5]}, 6),
    ],
    ids=str,
)
def test_slices_that_become_thicker_are_read_at_even_steps(
    depths: list[float], told: dict[str, list[object]], slices: int, write_slice: Write, tmp_path: Path
):
    """What lies between thick slices is linear between them, and here so are the values."""
    scan = read_scan(changing(tmp_path / "s", write_slice, depths, **told))
    assert scan.voxels.shape == (1, slices, 4, 5)
    assert scan.spacing is not None and scan.spacing[2] == pytest.approx(max(depths) / (slices - 1))
    np.testing.assert_allclose(scan.voxels[0, :, 0].min(axis=1), 10 * places(scan)[2][:, 0, 0], atol=0.51)
    at = next(n for n in range(1, len(depths)) if not np.isclose(np.diff(depths)[n], np.diff(depths)[0]))
    why = "as their thickness does" if len(set(told.get("SliceThickness", [0]))) > 1 else "which their numbers"
    assert f"first at {at}.dcm, {why}" in scan.said


def test_a_mask_of_slices_that_become_thicker_keeps_its_labels(write_slice: Write, tmp_path: Path):
    folder = changing(tmp_path / "s", write_slice, CHANGING, SliceThickness=[2.5, 2.5, 2.5, 2.5, 7.5, 7.5])
    mask = read_scan(folder, mask=True)
    stored = {int(value) for depth in CHANGING for value in round(10 * depth) + np.arange(5)}
    assert set(np.unique(mask.voxels)) <= stored and mask.voxels.shape == (1, 10, 4, 5)


@pytest.mark.parametrize(
    ("depths", "told", "reason"),
    [
        (CHANGING, {"InstanceNumber": [1, 2, 3, 4, 7, 10]}, "missing_slices"),
        (CHANGING, {}, "missing_slices"),
        (CHANGING, {"SliceThickness": [2.5] * 6}, "missing_slices"),
        ([0, 2.5, 5, 7.5, 12.5, 15], {"InstanceNumber": [1, 2, 3, 4, 5, 6]}, "missing_slices"),
        ([0, 2.5, 5, 7.5, 12.5, 15], {"SliceThickness": [5] * 6}, "missing_slices"),  # thick, overlapping, one gone
        ([0, 2.5, 5.4, 7.5, 10], {"InstanceNumber": [1, 2, 3, 4, 5]}, "uneven_slices"),
        ([0, 0.1, 0.2, 5, 10], {"InstanceNumber": [1, 2, 3, 4, 5]}, "uneven_slices"),
        ([0, 0.02, 2, 2.02, 4, 4.02], {"SliceThickness": [2] * 6}, "uneven_slices"),  # twice, shifted
        # two gaps side by side, renumbered; and again where steps come back
        ([0, 2.5, 5, 10, 15, 17.5, 20], {"InstanceNumber": [1, 2, 3, 4, 5, 6, 7]}, "missing_slices"),
        ([0, 5, 10, 12.5, 15, 20, 25], {"InstanceNumber": [1, 2, 3, 4, 5, 6, 7]}, "missing_slices"),
        # overlapping, with one gap and one thickness that differs
        ([0, 2.5, 5, 7.5, 12.5], {"SliceThickness": [5, 5, 5, 5, 6]}, "missing_slices"),
        ([0, 2.5, 5, 10, 12.5, 15], {"SliceThickness": [5, 5, 5, 10, 5, 5]}, "missing_slices"),
        ([0, 2.5, 5, 10, 12.5, 15], {"SliceThickness": [5, 5, 5.02, 5, 5, 5]}, "missing_slices"),
        ([0, 2.5, 5, 7.5, 12.5, 17.5], {"SliceThickness": [5, 5, 5, 5, 5.5, 5.5]}, "missing_slices"),
        # thicker, as it says, and yet a slice of the thin ones is gone
        ([0, 2.5, 7.5, 10, 15, 20, 25], {"SliceThickness": [2.5, 2.5, 2.5, 2.5, 5, 5, 5]}, "missing_slices"),
        (CHANGING, {"SliceThickness": [2.5] * 4 + [7.5] * 2, "InstanceNumber": [1, 2, 3, 4, 6, 7]}, "missing_slices"),
    ],
    ids=str,
)
def test_slices_are_missing_where_nothing_explains_the_distance(
    depths: list[float], told: dict[str, list[object]], reason: str, write_slice: Write, tmp_path: Path
):
    assert reason_of(changing(tmp_path / "s", write_slice, depths, **told)) == reason


def test_several_series_in_a_folder_are_told_apart(write_series: Write, tmp_path: Path):
    write_series(tmp_path / "a", volume(1), AXIAL, SeriesInstanceUID="1.2.3.1", SeriesDescription="T1")
    write_series(tmp_path / "a" / "b", volume(2), AXIAL, SeriesInstanceUID="1.2.3.2", SeriesDescription="T2")
    with pytest.raises(ScanError) as caught:
        read_scan(tmp_path / "a")
    assert caught.value.reason == "mixed_series" and "1.2.3.1: 7 files" in caught.value.message
    for uid, seed in (("1.2.3.1", 1), ("1.2.3.2", 2)):
        scan = read_scan(f"{tmp_path / 'a'}#{uid}", canonical=False)
        assert scan.series == uid and np.array_equal(scan.voxels[0], volume(seed))
    found = series.find(tmp_path / "a")
    assert [(s.uid, s.description, s.patient, len(s.files)) for s in found] == [
        ("1.2.3.1", "T1", "p1", 7),
        ("1.2.3.2", "T2", "p1", 7),
    ]
    assert reason_of(f"{tmp_path / 'a'}#1.2.3.4") == "no_such_member"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PatientID", "p2", "mixed_patients"),
        ("StudyInstanceUID", "1.7", "mixed_studies"),
        ("FrameOfReferenceUID", "1.8", "mixed_spaces"),
    ],
)
def test_one_series_of_two_patients_is_refused(name: str, value: str, reason: str, write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL, FrameOfReferenceUID="1.9")
    others = write_series(tmp_path / "t", volume(), AXIAL, **{"FrameOfReferenceUID": "1.9", name: value})
    for file in sorted(others.iterdir())[:3]:
        shutil.copy(file, folder / file.name)
    assert reason_of(folder) == reason


def test_a_localizer_in_the_series_is_refused(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    coronal = np.array([[0.8, 0, 0, 0], [0, 0, 1, 0], [0, -0.8, 0, 0], [0, 0, 0, 1.0]])
    write_series(tmp_path / "t", volume()[:1], coronal)
    shutil.copy(next((tmp_path / "t").iterdir()), folder / "localizer")
    assert reason_of(folder) == "mixed_orientations"


def test_slices_of_another_size_are_refused(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    moved = AXIAL.copy()
    moved[2, 3] += 17.5
    write_series(tmp_path / "t", volume()[:1, :4], moved)
    shutil.copy(next((tmp_path / "t").iterdir()), folder / "other")
    assert reason_of(folder) == "mixed_sizes"


def test_a_slice_that_was_exported_again_counts_once(write_series: Write, tmp_path: Path):
    """As the same file under another name, or as the same pixels at the same place under another UID."""
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    alone = read_scan(folder).voxels
    shutil.copy(next(folder.iterdir()), folder / "copy of it")
    assert np.array_equal(read_scan(folder).voxels, alone)
    write_series(tmp_path / "t", volume(), AXIAL)
    again = sorted((tmp_path / "t").iterdir())
    shutil.copy(again[0], folder / "double")
    assert np.array_equal(read_scan(folder).voxels, alone)
    for file in again:
        shutil.copy(file, folder / f"all again {file.name}")
    assert np.array_equal(read_scan(folder).voxels, alone), "no second channel"


def test_two_different_slices_of_one_place_are_named(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    write_series(tmp_path / "t", volume()[:1] + 1, AXIAL)
    shutil.copy(next((tmp_path / "t").iterdir()), folder / "double")
    with pytest.raises(ScanError, match="double") as caught:
        read_scan(folder)
    assert caught.value.reason == "duplicate_slices" and "2 different pictures" in caught.value.message


def test_a_series_that_was_exported_twice_with_one_slice_changed_is_refused(
    write_series: Write, write_slice: Write, tmp_path: Path
):
    folder = write_series(tmp_path / "s", volume(), AXIAL, EchoTime=20)
    other = volume()
    other[3, 2, 2] += 1
    again = write_series(folder / "again", other, AXIAL, EchoTime="20.000")
    with pytest.raises(ScanError, match="2 different pictures of one place") as caught:
        read_scan(folder)
    named = next(file for file in again.iterdir() if read_scan(file, canonical=False).affine[2, 3] == 37.5)
    assert caught.value.reason == "duplicate_slices" and str(named) in caught.value.message


def test_times_of_the_export_make_no_second_channel(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL, AcquisitionTime="101500")
    alone = read_scan(folder).voxels
    again = write_series(folder / "a", volume(), AXIAL, AcquisitionTime="120000", AcquisitionNumber=2)
    assert np.array_equal(read_scan(folder).voxels, alone)
    for changed in (3, 5):  # one that is looked at, and one that is not
        other = volume()
        other[changed, 0, 0] += 1
        shutil.rmtree(again)
        write_series(folder / "a", other, AXIAL, AcquisitionTime="120000", AcquisitionNumber=2)
        assert reason_of(folder) == "duplicate_slices", "one slice was changed: it is no second acquisition"


def renumbered(folder: Path, by: int) -> None:
    for file in folder.iterdir():
        ds = dcmread(file)
        ds.InstanceNumber += by
        ds.save_as(file)


@pytest.mark.parametrize("by", [0, 7])
def test_a_series_that_was_exported_twice_is_read_once(by: int, write_series: Write, tmp_path: Path):
    """Shifted by less than positions are rounded, over the border of a rounded number, its rescale values written
    otherwise, or as other stored numbers of the same Hounsfield units; also numbered on."""
    moved = AXIAL.copy()
    moved[:3, 3] += [0.0005, -0.004, 0.004]
    words = {"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "-1024"}
    folder = write_series(tmp_path / "s", volume(), AXIAL, **words)
    alone = read_scan(folder).voxels
    write_series(folder / "a", volume(), moved, **words)
    write_series(folder / "b", volume(), AXIAL, **words | {"RescaleSlope": "1.0", "RescaleIntercept": "-1024.000"})
    write_series(folder / "c", volume() - np.int16(1000), AXIAL, **words | {"RescaleIntercept": "-24"})
    for n, name in enumerate("abc", start=1):
        renumbered(folder / name, n * by)
    assert np.array_equal(read_scan(folder).voxels, alone)


def test_pictures_of_one_place_that_nothing_tells_apart_are_two_only_where_they_are_numbered_so(
    write_series: Write, tmp_path: Path
):
    folder = write_series(tmp_path / "s", volume(1), AXIAL)
    again = write_series(folder / "t", volume(2), AXIAL)
    with pytest.raises(ScanError, match="do not say by what they differ") as caught:
        read_scan(folder)
    assert caught.value.reason == "duplicate_slices"
    renumbered(again, 7)
    assert np.array_equal(read_scan(folder, canonical=False).voxels, [volume(1), volume(2)])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("TriggerTime", (0.0, 40.0)),
        ("AcquisitionTime", ("101500.10", "101500.2")),
        ("AcquisitionDateTime", ("20200101101500", "20200101101501")),
        ("FlipAngle", (5, 25)),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
        ("DiffusionGradientOrientation", ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])),
    ],
)
def test_pictures_of_one_place_that_headers_tell_apart_are_channels(
    name: str, values: tuple[object, object], write_series: Write, tmp_path: Path
):
    (tmp_path / "s").mkdir()
    for n, value in enumerate(values):
        write_series(tmp_path / "s" / str(n), volume(n), AXIAL, **{name: value})
    assert read_scan(tmp_path / "s").voxels.shape == (2, 7, 5, 6)


def test_the_same_uid_written_twice_is_one_where_its_picture_is(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    alone = read_scan(folder).voxels
    file = next(folder.iterdir())
    ds = dcmread(file)
    ds.SeriesDescription = "exported again"
    ds.save_as(folder / "again")
    assert np.array_equal(read_scan(folder).voxels, alone)
    ds.PixelData = bytes(len(ds.PixelData))
    ds.save_as(folder / "again")
    assert reason_of(folder) == "duplicate_slices"


def test_echoes_that_agree_in_some_slices_only_stay_two(write_series: Write, tmp_path: Path):
    """Air above the head looks the same in both."""
    (tmp_path / "s").mkdir()
    for echo in (1, 2):
        made = volume(echo)
        made[0] = 7
        write_series(tmp_path / "s" / str(echo), made, AXIAL, EchoTime=10.0 * echo)
    assert read_scan(tmp_path / "s").voxels.shape == (2, 7, 5, 6)


def test_echoes_at_one_place_are_channels(write_series: Write, tmp_path: Path):
    (tmp_path / "s").mkdir()
    for echo in (2, 0, 1):
        write_series(tmp_path / "s" / str(echo), volume(echo), AXIAL, EchoTime=10.0 * (echo + 1))
    scan = read_scan(tmp_path / "s", canonical=False)
    assert scan.voxels.shape == (3, 7, 5, 6)
    assert all(np.array_equal(scan.voxels[echo], volume(echo)) for echo in range(3))


def test_a_truncated_slice_names_its_file(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    last = sorted(folder.iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-20])
    with pytest.raises(ScanError) as caught:
        read_scan(folder)
    assert caught.value.reason == "truncated" and last.name in caught.value.message


@pytest.mark.parametrize("share", [0, 0.3, 0.8])
def test_a_damaged_slice_is_not_passed_over(share: float, write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    last = sorted(folder.iterdir())[-1].rename(folder / "last.dcm")
    data = last.read_bytes()
    last.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ScanError) as caught:
        read_scan(folder)
    assert "last.dcm" in caught.value.message


def test_what_lies_beside_the_slices_does_not_matter(write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL)
    (folder / "README.txt").write_text("hello", encoding="utf-8")
    (folder / ".DS_Store").write_bytes(b"x" * 600)
    assert read_scan(folder).voxels.shape == (1, 7, 5, 6)


def test_pictures_without_a_place_make_no_volume(write_slice: Write, tmp_path: Path):
    for n, stored in enumerate(volume()[:3]):
        write_slice(tmp_path / f"{n}.dcm", stored)
    assert reason_of(tmp_path) == "no_positions"
    (tmp_path / "empty").mkdir()
    assert reason_of(tmp_path / "empty") == "no_dicom"


def test_one_file_is_a_series_too(write_slice: Write, tmp_path: Path):
    write_slice(tmp_path / "only.dcm", volume()[0])
    assert np.array_equal(read_scan(tmp_path).voxels[0, 0], volume()[0])


def item(**elements: object) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def enhanced(order: list[int], slopes: list[int] | None = None) -> dict[str, object]:
    """Return the functional groups of frames that lie at the places `order` names."""
    shared = item(
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]),
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.8, 0.8], SliceThickness=2.5)]),
    )
    frames = []
    for at, z in enumerate(order):
        frame = item(PlanePositionSequence=Sequence([item(ImagePositionPatient=[-10, -20, 30 + 2.5 * z])]))
        if slopes:
            rule = item(RescaleSlope=slopes[at], RescaleIntercept=at)
            frame.PixelValueTransformationSequence = Sequence([rule])
        frames.append(frame)
    return {
        "NumberOfFrames": len(order),
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
    }


def test_frames_of_an_enhanced_file_are_put_in_order(write_slice: Write, tmp_path: Path):
    order = [3, 0, 6, 1, 5, 2, 4]
    groups = enhanced(order, slopes=list(range(1, 8)))
    scan = read_scan(write_slice(tmp_path / "x.dcm", volume()[order], **groups), canonical=False)
    for frame, z in enumerate(order):
        assert np.array_equal(scan.voxels[0, z], volume()[z] * (frame + 1.0) + frame)
    assert np.allclose(scan.affine, TURN @ AXIAL)


def test_frames_that_share_their_places_are_channels(write_slice: Write, tmp_path: Path):
    stored = np.concatenate([volume(1), volume(2)])
    scan = read_scan(write_slice(tmp_path / "x.dcm", stored, **enhanced([*range(7)] * 2)), canonical=False)
    assert np.array_equal(scan.voxels, [volume(1), volume(2)])
    assert reason_of(write_slice(tmp_path / "y.dcm", stored[:9], **enhanced([*range(7), 0, 1]))) == "duplicate_slices"
    assert reason_of(write_slice(tmp_path / "z.dcm", stored[:4], **enhanced([0, 1, 2, 4]))) == "missing_slices"


def test_frames_without_a_place_stand_along_z(write_slice: Write, tmp_path: Path):
    scan = read_scan(write_slice(tmp_path / "x.dcm", volume(), NumberOfFrames=7))
    assert scan.affine is None and np.array_equal(scan.voxels[0], volume())


@pytest.mark.parametrize("edge", [[0, 1], [-1, 1], [1, 0]], ids=str)
def test_absurd_spacing_in_a_header(edge: list[float], write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL, PixelSpacing=edge)
    assert reason_of(next(folder.iterdir())) == reason_of(folder) == "bad_spacing"


@pytest.mark.parametrize("cosines", [[1, 0, 0, 1, 0, 0], [0] * 6, [2, 0, 0, 0, 1, 0]], ids=str)
def test_an_orientation_that_is_none(cosines: list[float], write_series: Write, tmp_path: Path):
    folder = write_series(tmp_path / "s", volume(), AXIAL, ImageOrientationPatient=cosines)
    assert reason_of(folder) == "bad_orientation"
