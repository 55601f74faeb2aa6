"""Nothing that a command writes says where on a machine it was run: paths are those that the user wrote.

Not meant is the `domain.npz` of a model of scans, which knows its training rows, and which `share` leaves out.
"""

from __future__ import annotations

import getpass
import gzip
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from walk import TINY, done

import molgraph
from molgraph.rooms.imaging.phantom import chest
from molgraph.rooms.imaging.write import write_chests

COMPLEXES = 24
SMALL = (*TINY, "--set", "encoder.size=16")


def pieces(path: Path) -> Iterator[bytes]:
    """Yield what a file holds, unpacked."""
    raw = path.read_bytes()
    yield gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())
    if path.suffix == ".parquet":
        yield pd.read_parquet(path).to_csv().encode()


def nowhere(folder: Path, *more: Path) -> int:
    """Check that no file below names the folder, that of the program, of Python or of the user; return how many."""
    places = [folder, *more, Path(molgraph.__file__).parent.parent, Path(sys.prefix), Path.home() / "."]
    known = {str(place).encode() for place in places if len(str(place)) > 5} | {b"/home/" + getpass.getuser().encode()}
    files = [path for out in folder.glob("out*") for path in ([out] if out.is_file() else out.rglob("*"))]
    files = [path for path in files if path.is_file() and path.name != "domain.npz"]
    for path in files:
        for piece in pieces(path):
            assert not [place for place in known if place in piece], path
    return len(files)


def test_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    (tmp_path / "xrays").mkdir()
    labels = random.integers(0, 2, 60)
    for at, label in enumerate(labels):
        pixels = random.normal(90, 15, (20, 20))
        pixels[5:10, 5:10] += 90 * label
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "xrays" / f"{at}.png")
    table = pd.DataFrame({"image": [f"xrays/{at}.png" for at in range(60)], "spot": labels})
    table.loc[len(table)] = ["xrays/gone.png", 1]
    table.to_csv(tmp_path / "labels.csv", index=False)
    monkeypatch.chdir(tmp_path)
    done("train", "labels.csv", "--model", "imaging/cnn", "--target", "spot", *SMALL, "--out", "out_model")
    done("predict", "labels.csv", "--model", "out_model", "-o", "out.xlsx")
    done("evaluate", "labels.csv", "--model", "out_model", "--out", "out_judged")
    done("screen", "labels.csv", "--model", "out_model", "--out", "out_screen", "--workers", "1")
    done("explain", "labels.csv", "--model", "out_model", "--out", "out_explained", "--top", "2")
    assert nowhere(tmp_path) > 20


def test_lesions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = {"field": (50.0, 90.0, 110.0), "spacing": (2.5, 1.6, 1.6), "nodules": 3}
    write_chests(tmp_path, (chest(seed, **shape, diameters=(11.0, 16.0)) for seed in range(6)))
    table = pd.read_csv(tmp_path / "labels.csv")
    table.loc[len(table)] = table.iloc[0].where(table.columns != "scan", "gone.nii.gz")
    table.to_csv(tmp_path / "labels.csv", index=False)
    small = {"train.epochs": 1, "encoder.spacing": 2.5, "encoder.hidden": 8, "encoder.depth": 2, "encoder.patch": 16}
    settings = [word for name, value in small.items() for word in ("--set", f"{name}={value}")]
    monkeypatch.chdir(tmp_path)
    done("train", "labels.csv", "--model", "imaging/unet", "--target", "mask", *settings, "--out", "out_finder")
    done("find", "labels.csv", "--model", "out_finder", "--out", "out_found")
    assert nowhere(tmp_path) > 12
    scans = pd.read_csv("out_found/scans.csv")
    assert scans["status"].tolist() == ["ok"] * 6 + ["no_such_file"] and "gone.nii.gz" in scans["message"][6]


def test_complexes_and_poses(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pdbbind_mini", "dude_xiap"):
        with zipfile.ZipFile(shared_data / "structures" / f"{name}.zip") as archive:
            archive.extractall(tmp_path)
    index = pd.read_csv(shared_data / "structures" / "pdbbind_mini_index.csv").head(COMPLEXES)
    table = pd.DataFrame(
        {
            "protein": [f"{i}/{i}_pocket.pdb" for i in index["pdb_id"]],
            "ligand": [f"{i}/{i}_ligand.sdf" for i in index["pdb_id"]],
            "pK": index["pK"],
        }
    )
    table.loc[3, "ligand"] = "nowhere.sdf"
    table.to_csv(tmp_path / "complexes.csv", index=False)
    monkeypatch.chdir(tmp_path)
    model = ("--model", "binding/interaction", "--target", "pK", "--split", "random")
    done("train", "complexes.csv", *model, *TINY, "--out", "out_model")
    done("predict", "complexes.csv", "--model", "out_model", "-o", "out.csv")
    done("evaluate", "complexes.csv", "--model", "out_model", "--out", "out_judged")
    poses = ("xiap/actives_docked.sdf", "--protein", "xiap/receptor_rdkit.pdb", "--model", "out_model")
    done("screen", *poses, "--out", "out_screen", "--hits", "out_hits.sdf", "--top", 10, "--workers", "1")
    done("predict", *poses, "-o", "out_poses.sdf")
    assert nowhere(tmp_path, shared_data) > 20
