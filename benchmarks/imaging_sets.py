"""The pictures of the imaging benchmark: which files, which question, which patient."""

from __future__ import annotations

import atexit
import os
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from molgraph.rooms.imaging import listing

DATA = ("pneumoniamnist", "lung_ct", "covid_cxr")
FOLDS = {"lung_ct": 4, "covid_cxr": 4}  # of patients; each picture is tested once
EACH = 10  # patches of a patient, one patient after the other


def folder() -> Path:
    """Return where the files lie."""
    return Path(os.environ["MOLGRAPH_DATA"]) / "imaging"


def source(data: str) -> str | pd.DataFrame:
    """Return what the room of imaging reads."""
    return str(folder() / "pneumoniamnist.npz") if data == "pneumoniamnist" else table(data)


@cache
def table(data: str) -> pd.DataFrame:
    """Return the rows of a data set, in the order of their record numbers."""
    if data == "pneumoniamnist":
        return listing.rows(folder() / "pneumoniamnist.npz").frame
    return {"lung_ct": lung_ct, "covid_cxr": covid_cxr}[data]()


def lung_ct() -> pd.DataFrame:
    """Return the patches, a tumour or none by their masks.

    The file tells no patients: 130 patches of 13. They are taken as blocks of ten in the order of the file, which is
    what the pictures show (one chest wall, one noise, ten times) and all that is known.
    """
    file = folder() / "lung_ct_patches.h5"
    with h5py.File(file) as packed:
        marked = np.asarray(packed["labels"]).any(axis=(1, 2, 3))
    rows = np.arange(len(marked))
    images = [f"{file.resolve()}#images/{row}" for row in rows]
    return pd.DataFrame({"image": images, "patient": rows // EACH, "tumour": marked.astype(int)})


def covid_cxr() -> pd.DataFrame:
    """Return the X-rays of which intensive care is told (`went_icu` Y or N); the pictures are unpacked for this run."""
    frame = pd.read_csv(folder() / "covid_cxr_256.csv")
    frame = frame[frame["went_icu"].isin(["Y", "N"])].reset_index(drop=True)
    unpacked = tempfile.TemporaryDirectory()
    atexit.register(unpacked.cleanup)
    with zipfile.ZipFile(folder() / "covid_cxr_256.zip") as packed:
        packed.extractall(unpacked.name)
    where = {path.name: str(path) for path in Path(unpacked.name).rglob("*.*")}
    icu = (frame["went_icu"] == "Y").astype(int)
    return pd.DataFrame({"image": frame["image"].map(where), "patient": frame["patientid"].astype(str), "icu": icu})
