"""A small trained model of the ligands in RDKit's wheel."""

from pathlib import Path

import pandas as pd
import pytest
from rdkit import RDConfig

from molgraph.predictor import Predictor


@pytest.fixture(scope="session")
def ligands() -> pd.DataFrame:
    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    smiles = pd.read_csv(folder / "CHEMBL2321810.smi", sep=r"\s+", names=["smiles", "id"], dtype=str)
    measured = pd.read_csv(folder / "CHEMBL2321810_act.csv", dtype=str).rename(columns={"Name": "id", "Act": "pAct"})
    return smiles.merge(measured, on="id").head(200)


@pytest.fixture(scope="session")
def model(ligands: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Predictor]:
    from molgraph.workflows.notebook import train

    folder = tmp_path_factory.mktemp("models") / "pact"
    return folder, train(ligands, "pAct", out=folder, train={"epochs": 1}, comparator="none")
