"""What is written over a scan lies where it belongs: pictures, volumes in their own space, masks, several scans."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from molgraph.data.room import Shown
from molgraph.errors import Reject
from molgraph.rooms.imaging.overlay import SIDE, show
from molgraph.rooms.imaging.scan import read_scan
from molgraph.rooms.imaging.view import LARGEST, View

BRIGHT = (slice(2, 5), slice(7, 10), slice(6, 9))  # x, y, z as the file has them
AFFINES = {
    "turned": [[0, -2.0, 0, 30], [0, 0, 1.5, -20], [1.0, 0, 0, 5], [0, 0, 0, 1]],
    "mirrored": [[-1.0, 0, 0, 10], [0, -1.0, 0, 20], [0, 0, 3.0, -50], [0, 0, 0, 1]],
    "oblique": [[0.98, 0.17, 0, 1], [-0.17, 0.98, 0, 2], [0, 0, 2.0, 3], [0, 0, 0, 1]],
}


def volume(path: Path, affine: object) -> Path:
    """Write a volume of noise with a bright block."""
    values = np.random.default_rng(0).normal(100, 5, (10, 12, 14)).astype(np.float32)
    values[BRIGHT] += 200
    nibabel.save(nibabel.Nifti1Image(values, np.array(affine)), path)
    return path


@pytest.mark.parametrize("name", ["voxels/1x16x16x16", "voxels/1x20x24x20/spacing=1.2", "pixels/1x24x24"])
@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_volume_keeps_its_affine_and_its_places(tmp_path: Path, affine: object, name: str) -> None:
    file = volume(tmp_path / "v.nii.gz", affine)
    view = View.parse(name)
    seen = view.of(read_scan(file), "")[:, 0].astype(np.float32) / LARGEST  # the brightest is what counts most
    shown = show(str(file), name, seen, tmp_path / "row-1")
    assert isinstance(shown, Shown) and shown.files == ("row-1.png", "row-1.nii.gz")
    found, given = nibabel.load(tmp_path / "row-1.nii.gz"), nibabel.load(file)
    assert found.shape == given.shape
    assert np.allclose(found.affine, given.affine, atol=1e-5)
    values = found.get_fdata()
    inside = np.zeros(found.shape, dtype=bool)
    inside[BRIGHT] = True
    assert inside[np.unravel_index(values.argmax(), values.shape)]
    assert values[inside].mean() > 1.8 * values[~inside].mean()


def picture(path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 90, (30, 40), dtype=np.uint8)).save(path)
    return path


def spot() -> np.ndarray:
    maps = np.zeros((1, 20, 20), np.float32)
    maps[0, 8, 15] = 2.0
    return maps


def test_a_picture_is_coloured_where_the_model_looked(tmp_path: Path) -> None:
    shown = show(str(picture(tmp_path / "p.png")), "pixels/1x20x20", spot(), tmp_path / "row-7")
    assert isinstance(shown, Shown) and shown.files == ("row-7.png",) and np.isnan(shown.pointing)
    colours = np.asarray(Image.open(tmp_path / "row-7.png")).astype(int)
    assert colours.shape == (30 * (SIDE // 40), 40 * (SIDE // 40), 3)
    coloured = np.argwhere((colours[..., 0] - colours[..., 2]).reshape(30, 6, 40, 6).max((1, 3)) > 60)
    # 40 columns are seen in 20, and 30 rows in the middle 15 of 20: row 8 shows rows 12 and 13, column 15 30 and 31
    assert {12, 13} <= set(coloured[:, 0]) and {30, 31} <= set(coloured[:, 1])
    assert np.ptp(coloured, axis=0).max() <= 4


def test_what_speaks_against_is_not_coloured(tmp_path: Path) -> None:
    show(str(picture(tmp_path / "p.png")), "pixels/1x20x20", -spot(), tmp_path / "row-1")
    colours = np.asarray(Image.open(tmp_path / "row-1.png"))
    assert (colours[..., 0] == colours[..., 2]).all()


@pytest.mark.parametrize(("place", "hit"), [((12, 30), 1.0), ((2, 2), 0.0)])
def test_a_mask_says_whether_it_looked_there(tmp_path: Path, place: tuple[int, int], hit: float) -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[place[0] - 2 : place[0] + 2, place[1] - 2 : place[1] + 2] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    text = str(picture(tmp_path / "p.png"))
    shown = show(text, "pixels/1x20x20", spot(), tmp_path / "row-1", str(tmp_path / "m.png"))
    assert isinstance(shown, Shown) and shown.pointing == hit and shown.share == 16 / 1200


def test_several_scans_of_a_row_have_a_file_each(tmp_path: Path) -> None:
    text = f"{picture(tmp_path / 'p.png')};{volume(tmp_path / 'v.nii', np.eye(4))}"
    shown = show(text, "pixels/1x20x20", np.concatenate([spot()] * 15), tmp_path / "row-1")
    assert isinstance(shown, Shown) and shown.files == ("row-1.png", "row-1-2.png", "row-1-2.nii.gz")


def test_slices_that_were_not_seen_have_nothing(tmp_path: Path) -> None:
    file = volume(tmp_path / "v.nii", np.eye(4))
    show(str(file), "pixels/1x20x20/slices=2", np.ones((2, 20, 20), np.float32), tmp_path / "row-1")
    values = nibabel.load(tmp_path / "row-1.nii.gz").get_fdata()
    assert np.flatnonzero(values.any((0, 1))).tolist() == [3, 10]


@pytest.mark.parametrize(
    ("text", "mask", "reason"),
    [
        ("gone.png", "", "no_such_file"),
        ("p.png", "gone.png", "no_such_file"),
        ("p.png", "p.png;p.png", "mask_elsewhere"),
    ],
)
def test_what_cannot_be_shown_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, mask: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "p.png")
    refused = show(text, "pixels/1x20x20", spot(), tmp_path / "row-1", mask)
    assert isinstance(refused, Reject) and refused.reason == reason
    assert not (tmp_path / "row-1.png").exists()


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((5, 5), 255, np.uint8)).save(tmp_path / "m.png")
    text = str(picture(tmp_path / "p.png"))
    refused = show(text, "pixels/1x20x20", spot(), tmp_path / "row-1", str(tmp_path / "m.png"))
    assert isinstance(refused, Reject) and refused.reason == "mask_elsewhere" and "1x5x5" in refused.message
