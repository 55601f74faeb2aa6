"""Real and nasty texts for the tests of molecules."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from rdkit import Chem, rdBase

# Texts that are no molecules, or odd ones; each broke some featuriser.
NASTY = [
    *("junk", "C(C)(C)(C)(C)C", "c1cccc1", "C1CC", "C(", "CC>>C", "[R1]C", "[999C]", "*C", "[#0]C", "C~C", "C$C"),
    *("[NH3]->[Co](<-[NH3])<-[NH3]", "[Pt](Cl)(Cl)(N)N", "[Co@OH5](F)(Cl)(Br)(I)(N)S", "[Fe+6]", "[O-4]", "[Og]"),
    *("[H][H]", "[H+]", "[2H]O[2H]", "[13CH4]", "[Na+].[Cl-]", "S(F)(F)(F)(F)(F)F", "P(F)(F)(F)(F)F", "C=C=C"),
    *(
        "F/C=C/F",
        "F/C=C\\F",
        "C/C=C=C/C",
        "[CH3:2][OH:1]",
        "[OH:0][CH3:1]",
        "CC |$a;b$|",
        "CC |zzz|",
        "C1CC1C1CCCCCCCCC1",
    ),
    *(
        "C" * 1200,
        "C(C" * 200,
        "",
        "C" + "(C)" * 3,
        "[U+4]",
        "B1234C5C1C2C3C45",
        "c1ccc2c(c1)[nH]c1ccccc12",
        "N#[N+][O-]",
    ),
]


def _first_words(file: Path, step: int) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") as text:
        return [line.split()[0] for line in text if line.strip()][::step]


@pytest.fixture(scope="session")
def nasty() -> list[str]:
    """Return texts that are no molecules, or odd ones."""
    return list(NASTY)


@pytest.fixture(scope="session")
def real(shared_data: Path) -> Callable[[int], list[str]]:
    """Return a function that takes every n-th molecule of three libraries: messy, charged, chiral."""
    names = ("pubchem_100k", "zinc_np_50k", "chembl20_chiral_10k")
    files = [shared_data / "library" / f"{name}.smi.gz" for name in names]
    return lambda step: [text for file in files for text in _first_words(file, step)]


@pytest.fixture(scope="session")
def rdkit_nasty(shared_data: Path) -> list[str]:
    """Return the SMILES, and SMILES of the molecules, in RDKit's own files of edge cases."""
    found = []
    with zipfile.ZipFile(shared_data / "robustness" / "rdkit_nasty_files.zip") as files, rdBase.BlockLogs():
        for name in files.namelist():
            content = files.read(name)
            if name.endswith(".smi"):
                found += [line.split()[0] for line in content.decode("latin-1").splitlines() if line.strip()]
            elif name.endswith((".mol", ".sdf")):
                supplier = Chem.SDMolSupplier()
                supplier.SetData(content, sanitize=False)
                found += [Chem.MolToSmiles(mol) for mol in supplier if mol is not None]
    return found
