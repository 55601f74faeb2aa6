import pandas as pd
import pytest

from molgraph import config
from molgraph.errors import ConfigError, DataError
from molgraph.predictor.join import joined
from molgraph.rooms.molecule.room import ROOM as MOLECULES
from molgraph.rooms.protein.room import ROOM as PROTEINS
from molgraph.workflows.plan import plan

ROOMS = [PROTEINS, MOLECULES]


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "targets.fasta"
    path.write_text(">A first one\nMKTAYI\nAKQR\n>B second\nGSHMLEDPVK\n", encoding="utf-8")
    return path


def read(frame, words, block=2):
    tables = joined(MOLECULES.reading.read(frame, None, block=block), words, ROOMS)
    return pd.concat([table.frame for table in tables], ignore_index=True)


def test_sequences_are_found_by_id_block_after_block(fasta):
    frame = pd.DataFrame({"smiles": ["C", "CC", "CCC", "CCCC"], "target": ["B", "A", "?", "A"]})
    found = read(frame, [f"{fasta}:target"])
    assert found["sequence"].tolist() == ["GSHMLEDPVK", "MKTAYIAKQR", "", "MKTAYIAKQR"]
    assert found["smiles"].tolist() == frame["smiles"].tolist()


def test_a_table_is_joined_by_its_column_of_that_name_and_own_columns_stay(tmp_path):
    path = tmp_path / "targets.csv"
    path.write_text("target,sequence,family\nA,MKT,x\nB,GSH,y\n", encoding="utf-8")
    frame = pd.DataFrame({"smiles": ["C", "CC"], "target": ["B", "A"], "family": ["mine", "mine"]})
    found = read(frame, [f"{path}:target"])
    assert found["sequence"].tolist() == ["GSH", "MKT"]
    assert found["family"].tolist() == ["mine", "mine"]


def test_what_cannot_be_joined_is_said(fasta, tmp_path):
    frame = pd.DataFrame({"smiles": ["C"], "target": ["A"]})
    with pytest.raises(ConfigError, match="FILE:COLUMN"):
        read(frame, ["targets"])
    with pytest.raises(DataError, match="no column 'tarhet' to join by"):
        read(frame, [f"{fasta}:tarhet"])
    with pytest.raises(DataError, match=r"absent\.fasta"):
        read(frame, [f"{tmp_path / 'absent.fasta'}:target"])
    (tmp_path / "twice.fasta").write_text(">A\nMK\n>A\nMKT\n", encoding="utf-8")
    with pytest.raises(DataError, match="'A' stands more than once"):
        read(frame, [f"{tmp_path / 'twice.fasta'}:target"])
    (tmp_path / "nameless.csv").write_text("sequence\nMKT\n", encoding="utf-8")
    with pytest.raises(DataError, match="none called 'id'"):
        read(frame, [f"{tmp_path / 'nameless.csv'}:target"])


def test_a_run_reads_sequences_by_id(fasta, series):
    frame = series[["smiles", "pAct"]].head(40).assign(target=["A", "B", "A", "C"] * 10)
    raw = {
        "targets": ["pAct"],
        "split": "random",
        "join": [f"{fasta}:target"],
        "inputs": {
            "drug": {"encoder": "molecule/feedforward", "column": "smiles"},
            "protein": {"encoder": "protein/feedforward", "column": "sequence"},
        },
    }
    made = plan(config.settings(raw), frame)
    assert len(made.rows.data) == 30
    assert made.rows.data.rejects[0].message == f"protein: there is no sequence; is its id in {fasta}?"
    assert made.rows.data.inputs["protein"].keys == ("MKTAYIAKQR", "GSHMLEDPVK")
    assert {reject.reason for reject in made.rows.data.rejects} == {"empty"}
    assert made.rows.data.rejects[0].row == 4
