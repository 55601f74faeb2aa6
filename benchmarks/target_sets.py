"""Panels of targets as tables: who was measured on what, who tests; and DUD-E's InhA to transfer to."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molgraph import datasets
from molgraph.data.cells import Cells
from molgraph.errors import DataError
from molgraph.rooms.binding.ligand import molecule, pose_starts, read_poses
from molgraph.rooms.binding.structure import structure
from molgraph.rooms.molecule.room import ROOM as MOLECULES
from molgraph.rooms.molecule.standardise import Refusal
from molgraph.split import split

FOLDS = 5
DAVIS = tuple(f"davis.{fold}" for fold in range(FOLDS))
INHA = "inha"
DATA = (*DAVIS, INHA, "toxcast", "muv")
ACTIVE = 7.0  # pKd from which a molecule counts as a hit: 100 nM
PAIR = "pKd"
BINS = 2 * FOLDS  # of drugs: a fold tests two of them and stops the training by a third


@cache
def davis() -> pd.DataFrame:
    """Return Davis with a bin for each drug; of targets that share a sequence (mutants stand with that of the
    wild type) the one with the shortest name."""
    frame = datasets.load("davis")
    named = sorted(frame["target_id"].unique(), key=lambda name: (len(name), name))
    sequences = frame.drop_duplicates("target_id").set_index("target_id")["sequence"]
    frame = frame[frame["target_id"].isin(sequences[named].drop_duplicates().index)]
    drugs = frame["drug_id"].unique()
    bins = dict(zip(drugs, np.random.default_rng(0).permutation(len(drugs)) % BINS, strict=True))
    return frame.assign(bin=frame["drug_id"].map(bins))


def pairs(data: str) -> pd.DataFrame:
    """Return the pairs of a fold of Davis with a column `split`; one drug calibrates, which nothing here asks for."""
    frame, fold = davis(), int(data.partition(".")[2])
    tests = frame["bin"].isin([2 * fold, 2 * fold + 1])
    stops = frame["bin"] == (2 * fold + 2) % BINS
    spared = frame["drug_id"] == frame.loc[stops, "drug_id"].iloc[0]
    return frame.assign(split=np.select([tests, spared, stops], ["test", "calibration", "valid"], "train"))


@cache
def panel(data: str) -> pd.DataFrame:
    """Return a row per molecule and a column per target, beside `smiles` and `split`."""
    if data not in DAVIS:
        return with_scaffold_split(datasets.load(data))
    wide = pairs(data).pivot(index=["drug_id", "smiles", "split"], columns="target_id", values=PAIR)
    return wide.reset_index().rename_axis(columns=None).drop(columns="drug_id")


def with_scaffold_split(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the molecules that can be read, with a column `split` that keeps scaffolds together."""
    made = MOLECULES.reading.prepare(Cells.of(frame["smiles"].tolist()), ())
    read = made.index >= 0
    groups = MOLECULES.likeness.groupers["scaffold"]([made.keys[part] for part in made.index[read]])
    cut = split(int(read.sum()), method="group", groups=groups)
    labels = np.full(int(read.sum()), "train", dtype=object)
    labels[cut.valid], labels[cut.calibration], labels[cut.test] = "valid", "calibration", "test"
    return frame[read].reset_index(drop=True).assign(split=labels)


def targets(data: str) -> list[str]:
    """Return the targets of a panel."""
    return [name for name in panel(data) if name not in ("smiles", "split")]


def learnable(data: str) -> list[str]:
    """Return the targets whose training values differ: of the others there is nothing to learn."""
    train = panel(data).query("split == 'train'")
    return [name for name in targets(data) if train[name].nunique() > 1]


def hits(data: str) -> NDArray[np.float64]:
    """Return what hits what [molecules, targets]: 1, 0, NaN where not measured."""
    values = panel(data)[targets(data)].to_numpy(np.float64)
    return np.where(np.isnan(values), np.nan, values >= ACTIVE) if data in DAVIS else values


@cache
def inha() -> tuple[pd.DataFrame, str, str]:
    """Return DUD-E's InhA: the records (`id`, `smiles`, `active`), the receptor's sequence, the crystal ligand.

    Several records of an id are protonation states and tautomers of one ligand.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(Path(os.environ["MOLGRAPH_DATA"]) / "structures" / "dude_inha.zip") as archive:
            archive.extractall(folder)
        folder = folder / "inha"
        found = [
            (*record, active)
            for active, kind in ((1, "actives"), (0, "decoys"))
            for record in _molecules(folder / f"{kind}_final.mol2.gz")
        ]
        protein = structure(str(folder / "receptor.pdb"))
        if isinstance(protein, Refusal):
            raise DataError(protein.message)
        ((_, crystal),) = _molecules(folder / "crystal_ligand.mol2")
        return pd.DataFrame(found, columns=["id", "smiles", "active"]), protein.sequences[0], crystal


def _molecules(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the SMILES of every record of a MOL2 file."""
    with rdBase.BlockLogs():
        for number, record in enumerate(read_poses(str(path), range(1, len(pose_starts(str(path))))), start=1):
            made = record if isinstance(record, Refusal) else molecule(str(record), str(path))
            if isinstance(made, Refusal):
                raise DataError(f"{path.name}, record {number}: {made.message}")
            yield str(record).splitlines()[1].strip(), Chem.MolToSmiles(Chem.RemoveAllHs(made))
