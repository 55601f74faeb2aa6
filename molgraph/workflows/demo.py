"""The whole way on the data inside RDKit's wheel: train, judge, make a library, rank it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from molgraph import config, datasets
from molgraph.data.write import open_writer
from molgraph.errors import many
from molgraph.rooms.molecule.series import recombine
from molgraph.workflows.screen import screen_file
from molgraph.workflows.show import say
from molgraph.workflows.train import train_folder

SERIES, LIBRARY = "chembl2321810", "nci_5k"
TARGET = "pAct"
CORE = "[*:1]S(=O)(=O)c1cc([*:2])c(O[*:3])c(C#N)c1"  # CHEMBL2321810_scaffold.mol, beside the ligands in RDKit's wheel
RECOMBINED = 4000
RUN = {
    "model": "molecule/dmpnn",
    "targets": [TARGET],
    "ensemble": 3,
    "train": {"epochs": 60, "patience": 20},
}


def demo_folder(out: Path, assignments: Sequence[str] = ()) -> None:
    """Train on 1,017 measured ligands, then rank their unmeasured recombinations and a library far from them.

    Leaves `series.csv`, `model/`, `library.csv` and `screen/` with scores, top.csv and report.html.
    """
    out.mkdir(parents=True, exist_ok=True)
    series = datasets.load(SERIES)
    measured = out / "series.csv"
    with open_writer(measured) as writer:
        writer.write(series)
    run = config.settings(config.override({**RUN, "data": str(measured)}, list(assignments)))
    say(f"1. train on {len(series)} measured ligands and judge on scaffolds the model has not seen")
    train_folder(run, out / "model", overwrite=True)
    say("\n2. make a library: R-group recombinations of the series, and RDKit's NCI molecules, which are far from it")
    library = _library(series)
    with open_writer(out / "library.csv", column="smiles") as writer:
        writer.write(library)
    say(f"{many(len(library), 'molecule')} in {out / 'library.csv'}")
    say("\n3. rank it")
    screen_file(out / "library.csv", [out / "model"], out / "screen", top=500)


def _library(series: pd.DataFrame) -> pd.DataFrame:
    made = recombine(series["smiles"].tolist(), CORE, limit=RECOMBINED)
    far = datasets.load(LIBRARY)
    parts = [
        pd.DataFrame({"smiles": made, "id": [f"new-{i}" for i in range(1, len(made) + 1)], "source": "recombined"}),
        pd.DataFrame({"smiles": far["smiles"], "id": [f"nci-{i}" for i in far.iloc[:, -1]], "source": "NCI"}),
    ]
    return pd.concat(parts, ignore_index=True)
