"""A made-up complex for all tests of this room, and real ones; also make `pockets` importable."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from rdkit import Chem

sys.path.insert(0, str(Path(__file__).parent))

from pockets import LIGAND, SEQUENCE, Made, Unzip, beside, embedded


@pytest.fixture(scope="session")
def complex_made() -> Made:
    peptide, ligand = embedded(Chem.MolFromSequence(SEQUENCE)), embedded(Chem.MolFromSmiles(LIGAND))
    return Made(peptide, beside(peptide, ligand))


@pytest.fixture
def files(complex_made: Made, tmp_path: Path) -> Path:
    """Return a folder with `receptor.pdb` and `ligand.sdf`."""
    (tmp_path / "receptor.pdb").write_text(complex_made.pdb, encoding="utf-8")
    (tmp_path / "ligand.sdf").write_text(complex_made.sdf, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def unzipped(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Unzip:
    """Return what unpacks an archive of structures, or the named members of it, once."""
    done: dict[tuple[str, ...], Path] = {}

    def unzip(name: str, members: Sequence[str] | None = None) -> Path:
        key = (name, *(members or ()))
        if key not in done:
            done[key] = tmp_path_factory.mktemp(name)
            with zipfile.ZipFile(shared_data / "structures" / f"{name}.zip") as archive:
                archive.extractall(done[key], members)
        return done[key]

    return unzip
