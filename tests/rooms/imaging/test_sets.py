"""One array out of many in a file."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from molgraph.rooms.imaging.scan import ScanError, read_scan

RNG = np.random.default_rng(0)
ITEMS = {
    "grey": (5, 9, 7),
    "colour": (5, 9, 7, 3),
    "first": (5, 1, 9, 7),
    "volume": (5, 6, 9, 7),
    "sequences": (5, 2, 6, 9, 7),
    "five": (5, 2, 2, 6, 9, 7),
}
SHAPES = {"grey": (1, 1, 9, 7), "colour": (3, 1, 9, 7), "first": (1, 1, 9, 7), "volume": (1, 6, 9, 7)}
SHAPES |= {"sequences": (2, 6, 9, 7)}


@pytest.fixture(params=["npz", "h5"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    arrays = {name: RNG.integers(0, 256, shape, dtype=np.uint8) for name, shape in ITEMS.items()}
    arrays["deep"] = RNG.integers(0, 65536, (3, 4, 5)).astype(np.uint16)
    arrays["words"] = np.array(["a", "b"]).astype("S1")
    path = tmp_path / "set.dat"  # by what it holds
    if request.param == "npz":
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)
    else:
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[f"{'group/' if name == 'volume' else ''}{name}"] = array
    return path, arrays


def reason_of(path: str) -> str:
    with pytest.raises(ScanError) as caught:
        read_scan(path)
    return caught.value.reason


def test_items_of_every_shape(made: tuple[Path, dict[str, np.ndarray]]):
    path, arrays = made
    for name, shape in SHAPES.items():
        key = "group/volume" if name == "volume" and h5py.is_hdf5(path) else name
        scan = read_scan(f"{path}#{key}/3")
        assert scan.voxels.shape == shape and scan.bits == 8
        item = np.moveaxis(arrays[name][3], -1, 0) if name == "colour" else arrays[name][3]
        assert np.array_equal(scan.voxels.ravel(), item.ravel())
    assert read_scan(f"{path}#deep/0").bits == 16
    assert reason_of(f"{path}#five/0") == "too_many_dimensions"


def test_what_is_not_there(made: tuple[Path, dict[str, np.ndarray]]):
    path, _ = made
    assert reason_of(str(path)) == reason_of(f"{path}#grey/5") == reason_of(f"{path}#gray/0") == "no_such_member"
    assert reason_of(f"{path}#words/0") == "not_an_image"
    with pytest.raises(ScanError, match="did you mean 'grey'"):
        read_scan(f"{path}#gry/0")


def test_a_whole_array_is_one_scan(tmp_path: Path):
    volume = RNG.normal(size=(4, 5, 6)).astype(np.float32)
    np.savez(tmp_path / "one.npz", scan=volume)
    assert np.array_equal(read_scan(f"{tmp_path / 'one.npz'}#scan").voxels[0], volume)


def test_nothing_is_unpickled(tmp_path: Path):
    np.savez(tmp_path / "x.npz", images=np.array([{"a": 1}], dtype=object))
    assert reason_of(f"{tmp_path / 'x.npz'}#images/0") == "damaged"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_cut_set_is_refused(share: float, made: tuple[Path, dict[str, np.ndarray]]):
    path, _ = made
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert reason_of(f"{path}#sequences/4") == "damaged"


def test_a_set_that_was_written_anew_is_read_anew(tmp_path: Path):
    for value in (1, 2):
        images = np.full((2, 3, 3), value)
        images[:, 0, 0] = 9
        np.savez(tmp_path / "x.npz", images=images, more=np.zeros(value))
        assert read_scan(f"{tmp_path / 'x.npz'}#images/0").voxels[0, 0, 1, 1] == value


def test_the_sets_of_the_house(shared_data: Path):
    x_rays = shared_data / "imaging" / "pneumoniamnist.npz"
    with np.load(x_rays) as arrays:
        assert np.array_equal(read_scan(f"{x_rays}#val_images/523").voxels[0, 0], arrays["val_images"][523].squeeze())
    patches = shared_data / "imaging" / "lung_ct_patches.h5"
    with h5py.File(patches) as arrays:
        assert np.allclose(read_scan(f"{patches}#images/129").voxels[0, 0], arrays["images"][129, 0])
