"""Models that ship: found by name, behind a folder of the user's own, offline, without their training rows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import molgraph
from molgraph import shipped
from molgraph.cli import main
from molgraph.errors import CheckpointError
from molgraph.predictor import Predictor
from molgraph.predictor.folder import find

OFFLINE = """
import socket, sys
def refuse(*_): raise OSError("no network here")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from molgraph.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_is_the_model_that_ships_unless_a_model_of_the_user_stands_there(inside: Path) -> None:
    assert find("admet") == shipped.FOLDER / "admet"
    (inside / "admet").mkdir()
    (inside / "admet" / "report.html").touch()
    assert find("admet") == shipped.FOLDER / "admet", "the results of a screen are no model"
    (inside / "admet" / "checkpoint.safetensors").touch()
    assert find("admet") == Path("admet")
    with pytest.raises(CheckpointError, match="no finished model"):
        Predictor.load("admet")


def test_a_wrong_name_is_answered_with_the_nearest(inside: Path) -> None:
    with pytest.raises(CheckpointError, match="did you mean 'admet'"):
        molgraph.load("amdet")


def test_it_is_listed_and_small_and_has_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "models"]) == 0
    assert "admet " in capsys.readouterr().out
    files = {path.name: path.stat().st_size for path in (shipped.FOLDER / "admet").iterdir() if path.is_file()}
    assert "domain.npz" not in files and "rejects.csv" not in files and sum(files.values()) < 10_000_000
    card = (shipped.FOLDER / "admet" / "card.md").read_text(encoding="utf-8")
    assert card.count("CC BY 4.0") == 12 and "## Limits" in card


def test_known_drugs_come_out_as_they_are_known(inside: Path) -> None:
    found = molgraph.load("admet").predict(["CCO", "CCCCCCCCCCCCCCCC", "O=C(O)c1ccccc1OC(C)=O", "nonsense"])
    assert found["status"].tolist() == ["ok", "ok", "ok", "invalid_smiles"]
    assert found["Solubility_log_mol_L"][0] > 0 > -4 > found["Solubility_log_mol_L"][1], "ethanol mixes, hexadecane not"
    assert found["LogD_7_4"][0] < found["LogD_7_4"][1]
    chances = found.loc[:2, [name for name in found if str(name).endswith("_p")]]
    assert chances.shape == (3, 8) and ((chances >= 0) & (chances <= 1)).all().all()
    assert found["BBB_p"][2] > 0.5 and found["BBB_p_set90"][2] in ("undecided", "yes"), "aspirin passes, as it is said"


def test_no_word_contradicts_a_probability(inside: Path, nci: list[str]) -> None:
    found = molgraph.load("admet").predict(nci[:300])
    found = found[found["status"] == "ok"]
    sets = [str(name) for name in found if "_p_set" in str(name)]
    assert len(sets) >= 8 and not [name for name in found if "_p_lo" in str(name) or "_p_hi" in str(name)]
    for column in sets:
        words, chance = found[column], found[column.rpartition("_set")[0]]
        assert set(words) <= {"yes", "no", "undecided", "unlike either"}
        assert (chance[words == "yes"] >= 0.5).all() and (chance[words == "no"] <= 0.5).all()


def test_salts_and_writings_of_one_compound_have_its_number(inside: Path) -> None:
    tafamidis, meglumine = "c1cc2c(cc1C(=O)O)oc(n2)c3cc(cc(c3)Cl)Cl", "CNC[C@@H]([C@H]([C@@H]([C@@H](CO)O)O)O)O"
    texts = [tafamidis, f"{meglumine}.{tafamidis}", "[Na]OC(=O)c1ccccc1O", "OC(=O)c1ccccc1O", "[Na+].[Cl-]"]
    found = molgraph.load("admet").predict([*texts, "C1CC[S+2](C1)([O-])[O-]", "C1CCS(=O)(=O)C1"])
    numbers = found["LogD_7_4"].tolist()
    assert numbers[0] == numbers[1] and numbers[2] == numbers[3] and numbers[5] == numbers[6]
    assert found["status"].tolist() == ["ok"] * 4 + ["no_compound"] + ["ok"] * 2
    assert found["message"][1] == "scored O=C(O)c1ccc2nc(-c3cc(Cl)cc(Cl)c3)oc2c1; left out meglumine"


def test_a_chemist_without_data_screens_offline(inside: Path, chembl: pd.DataFrame) -> None:
    chembl.iloc[:20][["smiles", "name"]].to_csv("library.csv", index=False)
    words = ["screen", "library.csv", "--model", "admet", "--by", "LogD_7_4", "--out", "admet", "--format", "csv"]
    words += ["--hits", "hits.xlsx", "--hits", "hits.sdf"]
    line = [sys.executable, "-c", OFFLINE, *words]
    done = subprocess.run(line, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ranked by LogD_7_4, one of 12 columns; --by names another" in done.stdout + done.stderr
    hits = openpyxl.load_workbook("hits.xlsx").active
    assert hits.max_row == 21 and len(hits._images) == 20 and hits.freeze_panes == "B2"
    assert Path("hits.sdf").read_text(encoding="utf-8").count("$$$$") == 20
    top = pd.read_csv("admet/top.csv")
    assert len(top) == 20 and top["LogD_7_4"].is_monotonic_decreasing
    assert {"hERG_p", "Caco2_log_cm_s", "Caco2_log_cm_s_lo90"} <= set(top) and "nn_id" not in top
    page = (inside / "admet" / "report.html").read_text(encoding="utf-8")
    assert "shared without its training molecules" in page
    assert "90 % set: " in page and not re.search(r"(either )?label( [01])? at 90 %", page)
    shutil.rmtree("admet")
