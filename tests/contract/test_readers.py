"""What reading promises whatever the format: each record is a row or a reject, and groups never straddle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molgraph import config, registry
from molgraph.data.write import open_writer
from molgraph.rooms.molecule.room import ROOM
from molgraph.workflows.plan import plan

BAD = {3: "not a molecule", 8: "", 13: "C" * 1100}
FORMATS = ("csv", "tsv", "xlsx", "parquet", "csv.gz", "csv.zst", "parquet_again", "frame")
SIZE = 60


@pytest.fixture(scope="module")
def table(chembl_table: pd.DataFrame) -> pd.DataFrame:
    """Return 60 rows, some of them no molecule, one repeated, one not measured."""
    frame = chembl_table.iloc[::16].head(SIZE).reset_index(drop=True).astype({"pAct": str})
    for at, text in BAD.items():
        frame.loc[at, "smiles"] = text
    frame.loc[20, "smiles"] = frame.loc[19, "smiles"]
    frame.loc[30, "pAct"] = ""
    return frame


@pytest.fixture(params=FORMATS)
def source(request: pytest.FixtureRequest, table: pd.DataFrame, tmp_path: Path) -> object:
    if request.param == "frame":
        return table
    path = tmp_path / f"table.{request.param.removesuffix('_again')}"
    if request.param.startswith("csv"):
        table.to_csv(path, index=False, compression={"csv.gz": "gzip", "csv.zst": "zstd"}.get(request.param))
    elif request.param == "parquet_again":
        table.to_parquet(path)
    else:
        with open_writer(path, column="smiles") as writer:
            writer.write(table)
    return path


@pytest.mark.parametrize("name", ["molecule", "protein"])  # a row of `binding` names files: tests/rooms/binding
@pytest.mark.parametrize("block", [1, 7, 4096])
def test_every_record_is_one_row_in_order(source: object, table: pd.DataFrame, name: str, block: int) -> None:
    blocks = list(registry.room(f"{name}/any").reading.read(source, "smiles", block=block))
    assert [len(b) for b in blocks[:-1]] == [block] * (len(blocks) - 1)
    rows = np.concatenate([b.rows for b in blocks])
    assert rows.tolist() == list(range(1, SIZE + 1))
    assert [text for b in blocks for text in b.texts] == table["smiles"].tolist()
    cells = pd.concat([b.frame for b in blocks], ignore_index=True)
    assert cells["name"].tolist() == table["name"].tolist()


def test_rows_and_rejects_are_the_rows_of_the_file(source: object) -> None:
    made = plan(config.settings({"targets": ["pAct"], "comparator": "none"}), source)
    data = made.rows.data
    assert made.rows.read == SIZE == len(data) + len(data.rejects)
    assert sorted([*data.rows.tolist(), *(r.row for r in data.rejects)]) == list(range(1, SIZE + 1))
    reasons = {r.row: r.reason for r in made.rejects}
    assert made.facts["rows_used"] == SIZE - len(reasons)
    assert reasons == {4: "invalid_smiles", 9: "empty", 14: "too_large", 21: "duplicate", 31: "not_measured"}


@pytest.mark.parametrize("split", ["scaffold", "scaffold_random", "cluster", "random"])
@pytest.mark.parametrize("seed", [0, 1])
def test_groups_never_straddle(table: pd.DataFrame, split: str, seed: int) -> None:
    made = plan(config.settings({"targets": ["pAct"], "split": split, "seed": seed, "comparator": "none"}), table)
    (given,) = made.rows.data.inputs.values()
    keys = [given.key_of(i) for i in range(len(made.rows.data))]
    grouper = (
        ROOM.likeness.identity
        if split == "random"
        else ROOM.likeness.groupers["cluster" if split == "cluster" else "scaffold"]
    )
    groups = np.asarray(grouper(keys))
    folds = [getattr(made.split, fold) for fold in ("train", "valid", "calibration", "test")]
    seen = [set(groups[fold].tolist()) for fold in folds]
    assert sum(map(len, folds)) == len(keys)
    assert sum(map(len, seen)) == len(set.union(*seen)), "a group stands in two folds"
