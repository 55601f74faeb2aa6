"""The sets of complexes: a row per complex, and the folds that test them."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from molgraph.data.units import ENERGIES
from molgraph.rooms.binding.structure import Structure, structure
from molgraph.rooms.molecule.groups import scaffold
from molgraph.rooms.protein.groups import family
from molgraph.split import Split

FOLDS = 5
VALID = 0.1  # of the training groups, to stop early
SETS = {"family": "pdbbind_mini", "scaffold": "pdbbind_mini", "fep": "fep_benchmark"}
TARGET = "pK"
DATA = tuple(f"{name}.{fold}" for name in SETS for fold in range(FOLDS))


@dataclass(frozen=True)
class Complexes:
    """Hold one set: a row per complex, and which fold tests it.

    `frame` has `id`, `protein`, `ligand`, `pose`, `smiles`, `sequence`, `pK`, `group` (what folds keep together),
    `series` (what is ranked among itself), `one` (which rows are states of one ligand) and `physics` (pK by published
    free-energy calculations, where there are any).
    """

    name: str
    frame: pd.DataFrame
    folds: dict[str, NDArray[np.bool_]]

    def split(self, fold: str) -> Split:
        """Return training, validation (whole groups, drawn by the fold's name) and test rows."""
        test = self.folds[fold]
        groups = sorted(set(self.frame["group"][~test]))
        draw = np.random.default_rng(sum(map(ord, fold)))
        held = set(draw.permutation(groups)[: max(1, round(VALID * len(groups)))])
        valid = ~test & self.frame["group"].isin(held).to_numpy()
        rows = [np.flatnonzero(mask) for mask in (~test & ~valid, valid, test)]
        return Split(rows[0], rows[1], np.zeros(0, dtype=np.int64), rows[2])


def read_set(name: str, folder: Path) -> Complexes:
    """Read a set from the archives, unpacked into `folder`."""
    data = Path(os.environ["MOLGRAPH_DATA"]) / "structures"
    with zipfile.ZipFile(data / f"{SETS[name]}.zip") as archive:
        archive.extractall(folder)
    if name == "fep":
        return _series(pd.read_csv(data / "fep_benchmark_index.csv.gz"), folder)
    frame = pd.read_csv(data / "pdbbind_mini_index.csv")
    frame = frame[frame["relation"].isin(["=", "~"])].reset_index(drop=True)
    paths = [str(folder / name / name) for name in frame["pdb_id"]]
    made = pd.DataFrame(
        {
            "id": frame["pdb_id"],
            "protein": [f"{path}_pocket.pdb" for path in paths],
            "ligand": [f"{path}_ligand.sdf" for path in paths],
            "pose": "",
            "smiles": frame["smiles"],
            "sequence": frame["sequence"].str.replace("|", "X"),
            TARGET: frame["pK"].astype(str),
            "group": frame["cluster"] if name == "family" else scaffold(frame["smiles"].tolist()).astype(str),
            "series": name,
            "one": frame["pdb_id"],
            "physics": np.nan,
        }
    )
    return Complexes(name, made, _grouped(made["group"]))


def _series(frame: pd.DataFrame, folder: Path) -> Complexes:
    """Return the ligand series with absolute affinities, in folds of whole protein families."""
    frame = frame[frame["pK"].notna() & ~frame["dG_is_relative"]].reset_index(drop=True)
    parts = [str(folder / system / system.partition("__")[2]) for system in frame["system"]]
    receptors = {path: structure(f"{path}_protein.pdb") for path in dict.fromkeys(parts)}
    sequences = {path: "X".join(s.sequences) for path, s in receptors.items() if isinstance(s, Structure)}
    made = pd.DataFrame(
        {
            "id": frame["system"] + " " + frame["ligand"].astype(str),
            "protein": [f"{path}_protein.pdb" for path in parts],
            "ligand": [f"{path}_ligands.sdf" for path in parts],
            "pose": (frame["sdf_index"] + 1).astype(str),
            "smiles": frame["smiles"],
            "sequence": [sequences[path] for path in parts],
            TARGET: frame["pK"].astype(str),
            "group": family([sequences[path] for path in parts]).astype(str),
            "series": frame["system"],
            "one": frame["system"] + frame["inchikey14_neutral"],
            "physics": -frame["fepplus_dG_kcal"] * ENERGIES["kcal/mol"],
        }
    )
    return Complexes("fep", made, _grouped(made["group"]))


def _grouped(groups: pd.Series) -> dict[str, NDArray[np.bool_]]:
    """Return folds of about equal size that keep groups whole, the largest groups placed first."""
    sizes = groups.value_counts()
    load = np.zeros(FOLDS)
    fold_of: dict[str, int] = {}
    for group in sorted(sizes.index, key=lambda g: (-sizes[g], str(g))):
        fold_of[group] = int(load.argmin())
        load[fold_of[group]] += sizes[group]
    return {str(fold): (groups.map(fold_of) == fold).to_numpy() for fold in range(FOLDS)}
