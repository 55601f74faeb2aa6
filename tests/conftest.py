"""What all tests share: one torch thread, and real data."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import pandas as pd

# Two cores and many small tensors: threads cost more than they give. Read when torch and numpy are first imported.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

NO_DATA = "MOLGRAPH_DATA names no folder of data sets"


@pytest.fixture(autouse=True)
def _our_loggers_speak() -> None:
    """Give each test our loggers as they are made: a library that configures logging disables all that it finds."""
    for name, logger in logging.Logger.manager.loggerDict.items():
        if name.startswith("molgraph") and isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of big data sets that MOLGRAPH_DATA names."""
    folder = os.environ.get("MOLGRAPH_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip(NO_DATA)
    return Path(folder)


@pytest.fixture(scope="session")
def chembl_table() -> pd.DataFrame:
    """Read the 1,017 measured ligands of CHEMBL2321810 that come inside RDKit's wheel."""
    import pandas as pd
    from rdkit import RDConfig

    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    names = {"names": ["smiles", "name"], "dtype": {"name": str}}
    ligands = pd.read_csv(folder / "CHEMBL2321810.smi", sep=r"\s+", header=None, **names)
    activity = pd.read_csv(folder / "CHEMBL2321810_act.csv", dtype={"Name": str})
    activity = activity.rename(columns={"Name": "name", "Act": "pAct"})
    return ligands.merge(activity, on="name", how="inner", validate="one_to_one")


@pytest.fixture
def chembl(chembl_table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of its own to each test: columns smiles, name, pAct; 1,017 rows."""
    return chembl_table.copy()


# Made up; the first two are alike, as kinases of one family are.
PROTEINS = {
    "kinA": "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEK",
    "kinB": "MKTAYIAKQRQISFVKSHFSRQLDERLGLIEVQAPILSRVGDGTQDNLSGWEK",
    "ins": "GIVEQCCTSICSLYQLENYCNFVNQHLCGSHLVEALYLVCGERGFFYTPKT",
    "ubi": "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDG",
}


@pytest.fixture(scope="session")
def pairs_table(chembl_table: pd.DataFrame) -> pd.DataFrame:
    """Pair 20 of the ligands with 4 proteins: columns smiles, drug_id, target_id, sequence, pKd; 80 rows, mixed."""
    import pandas as pd

    ligands = chembl_table.iloc[::50].head(20).rename(columns={"name": "drug_id"})
    found = ligands.merge(pd.DataFrame({"target_id": list(PROTEINS), "sequence": list(PROTEINS.values())}), how="cross")
    shift = found["target_id"].map({name: 0.5 * at for at, name in enumerate(PROTEINS)})
    found["pKd"] = (found.pop("pAct") + shift).round(3)
    return found.sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.fixture
def pairs(pairs_table: pd.DataFrame) -> pd.DataFrame:
    """Return the 80 pairs of a ligand and a protein, a table of its own to each test."""
    return pairs_table.copy()


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for smina on the path, alone; return the file that has a line for each ligand it was given."""
    monkeypatch.setenv("PATH", str(_on_path("smina", "standin.py", tmp_path / "programs")))
    monkeypatch.setenv("STANDIN_LOG", str(tmp_path / "standin.log"))
    return tmp_path / "standin.log"


@pytest.fixture
def boltz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for boltz on the path, alone; return the file that will hold its command and its input."""
    monkeypatch.setenv("PATH", str(_on_path("boltz", "standin_boltz.py", tmp_path / "programs")))
    monkeypatch.setenv("STANDIN_LOG", str(tmp_path / "boltz.json"))
    return tmp_path / "boltz.json"


def _on_path(name: str, script: str, folder: Path) -> Path:
    path = Path(__file__).parent / "rooms" / "binding" / script
    folder.mkdir()
    if os.name == "nt":
        (folder / f"{name}.bat").write_text(f'@"{sys.executable}" "{path}" %*\n', encoding="utf-8")
    else:
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{path}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def nci() -> list[str]:
    """Return the 4,999 SMILES of the NCI file that comes inside RDKit's wheel."""
    from rdkit import RDConfig

    text = (Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi").read_text(encoding="utf-8")
    return [line.split("\t")[0] for line in text.splitlines()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests did not run for want of data."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if NO_DATA in str(report.longrepr)]
    terminalreporter.write_line(f"{len(skipped)} tests skipped without MOLGRAPH_DATA")
