"""SDF out: one record per row, whatever stands in its cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from molgraph.data.write import open_writer
from molgraph.errors import DataError
from molgraph.rooms.molecule.read import read
from molgraph.rooms.molecule.write import mol_block


def written(path: Path, frame: pd.DataFrame, column: str = "smiles") -> Path:
    with open_writer(path, column=column) as writer:
        writer.write(frame.iloc[:2])
        writer.write(frame.iloc[2:])
    return path


FRAME = pd.DataFrame(
    {
        "_Name": ["ethanol", "two\nlines", "", ""],
        "smiles": ["OCC", "not a smiles", "", "C[C@H](N)C(=O)O |a:1|"],
        "<odd> name\n": ["a", "line\n\n$$$$\n> <x>", "", "=1+1"],
        "pIC50": np.array([5.1199999, np.nan, np.nan, 7], np.float32),
        "status": ["ok", "invalid_smiles", "empty", "ok"],
    }
)


@pytest.mark.parametrize("suffix", [".sdf", ".sdf.gz", ".sdf.zst"])
def test_every_row_is_a_record_with_its_columns(tmp_path: Path, suffix: str) -> None:
    (table,) = read(written(tmp_path / f"a{suffix}", FRAME))
    assert table.frame.to_dict("list") == {
        "smiles_": ["CCO", "", "", "C[C@H](N)C(=O)O"],
        "_Name": ["ethanol", "two lines", "", ""],
        "smiles": FRAME["smiles"].tolist(),
        "odd> name": ["a", "line\n $$$$\n > <x>", "", "=1+1"],
        "pIC50": ["5.12", "", "", "7"],
        "status": FRAME["status"].tolist(),
    }
    assert not table.broken


def test_rdkit_reads_our_sdf(tmp_path: Path) -> None:
    supplier = list(Chem.SDMolSupplier(str(written(tmp_path / "a.sdf", FRAME))))
    assert [m.GetNumAtoms() for m in supplier] == [3, 0, 0, 6]
    assert supplier[0].GetPropsAsDict() == {"smiles": "OCC", "odd> name": "a", "pIC50": 5.12, "status": "ok"}
    assert supplier[1].GetProp("status") == "invalid_smiles"


def test_molecules_are_drawn_and_large_ones_written() -> None:
    xy = Chem.MolFromMolBlock(mol_block("OCC")).GetConformer().GetPositions()
    assert len({tuple(p) for p in xy.round(3)}) == 3
    assert Chem.MolFromMolBlock(mol_block("C" * 1200)).GetNumAtoms() == 1200


def test_a_missing_smiles_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no SMILES column 'drug'"):
        written(tmp_path / "a.sdf", FRAME.rename(columns={"smiles": "name of it"}), "drug")
    assert not list(tmp_path.iterdir())


def test_poses_are_drawn_as_the_molecules_of_their_smiles(tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": ["CCO"], "pK": ["7.1"]})
    for column in ("", "complex"):  # what the rows of poses are called, in no table of the user's
        with open_writer(tmp_path / "o.sdf", column=column) as writer:
            writer.write(frame)
        (molecule,) = Chem.SDMolSupplier(str(tmp_path / "o.sdf"))
        assert Chem.MolToSmiles(molecule) == "CCO" and molecule.GetProp("pK") == "7.1"
