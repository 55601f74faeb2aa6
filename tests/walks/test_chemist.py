"""From a workbook of measured ligands to predictions and a ranked library, as a medicinal chemist goes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rdkit import Chem
from walk import TINY, done, molgraph, no_leftovers, refused

ASPIRIN, SODIUM_ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]"
LIBRARY = pd.DataFrame(
    {
        "Who": ["a", "b", "c", "d", "e", "f", "g"],
        "Structure": [ASPIRIN, SODIUM_ASPIRIN, "not_a_smiles", "", "[Na+].[Cl-]", "C" * 1000, "N[Pt](N)(Cl)Cl"],
        "pAct": ["7", "8", "", "", "", "", ""],
        "note": ["=2+5", '=HYPERLINK("http://x")', "@SUM(A1)", "+1+2", "-3", "plain, with comma", 'a "quote"'],
        "status": ["ordered"] * 7,
    }
)
NEAR = ["nn_id", "nn_smiles", "nn_similarity", "pAct_nn"]
OURS = ["pAct_predicted", "pAct_std", "pAct_lo90", "pAct_hi90", *NEAR, "in_domain"]
SAID = ["status_predicted", "message"]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "library.csv"
    LIBRARY.to_csv(path, index=False)
    return path


def table(path: Path) -> pd.DataFrame:
    """Read a table back as text, as far as its format allows."""
    text = {"dtype": str, "keep_default_na": False}
    if path.suffix == ".xlsx":
        return pd.read_excel(path, **text)
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if ".tsv" in path.name else ",", **text)


def test_a_model_folder_holds_what_it_should(model: Path):
    names = {p.name for p in model.iterdir()}
    assert names == {
        *("recipe.json", "weights-0.safetensors", "domain.npz", "history.csv", "rejects.csv", "card.md"),
        *("metrics.json", "metrics.jsonl", "run.toml", "run.log", "split"),
    }
    assert {p.name for p in (model / "split").iterdir()} == {
        *("recipe.json", "weights-0.safetensors", "domain.npz", "card.md"),
    }
    metrics = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    assert {"value", "low", "high"} <= metrics["model"]["pAct"]["rmse"].keys()
    assert {"value", "low", "high"} <= metrics["comparator"]["pAct"]["rmse"].keys()
    lines = [json.loads(line) for line in (model / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["member"], line["epoch"]) for line in lines][:3] == [(0, 1), (0, 2), (1, 1)]
    card = (model / "card.md").read_text(encoding="utf-8")
    assert "90 % intervals" in card and "nearest neighbour" in card
    assert "split scaffold" in (model / "run.log").read_text(encoding="utf-8")


def test_the_terminal_says_what_happened(data: Path, tmp_path: Path):
    said = done("train", data, "--target", "pAct", *TINY, "--out", tmp_path / "m").err
    assert "68 rows, 68 used" in said
    assert "split scaffold:" in said
    assert "training 1/1" in said
    assert "rmse" in said and "nearest neighbour" in said and "lie in their 90 % intervals" in said
    assert f"model written to {tmp_path / 'm'}" in said


@pytest.mark.parametrize("name", ["scores.csv", "scores.tsv.gz", "scores.xlsx", "scores.parquet"])
def test_predict_keeps_every_row_and_column(model: Path, library: Path, tmp_path: Path, name: str):
    said = done("predict", library, "--model", model, "-o", tmp_path / name).err
    assert (
        "7 rows written" in said
        and "4 without a prediction (1 invalid_smiles, 1 empty, 1 no_compound, 1 too_large)" in said
    )
    found = table(tmp_path / name)
    assert list(found.columns) == [*LIBRARY.columns, *OURS, *SAID]
    assert found["Who"].tolist() == LIBRARY["Who"].tolist()
    assert found["Structure"].tolist() == LIBRARY["Structure"].tolist()
    assert found["status_predicted"].tolist() == [
        "ok",
        "ok",
        "invalid_smiles",
        "empty",
        "no_compound",
        "too_large",
        "ok",
    ]
    for row, status in enumerate(found["status_predicted"]):
        number, message = found["pAct_predicted"][row], found["message"][row]
        known = number == number and number not in ("", None)
        assert known == (status == "ok") and (known or message)
    assert found["message"][1].startswith(f"scored {ASPIRIN}; left out sodium")
    assert found["pAct_predicted"][0] == found["pAct_predicted"][1]  # aspirin and its sodium salt
    assert found["nn_similarity"][0] == found["nn_similarity"][1]
    no_leftovers(tmp_path)


def test_formula_cells_stay_text(model: Path, library: Path, tmp_path: Path):
    done("predict", library, "--model", model, "-o", tmp_path / "scores.csv")
    notes = table(tmp_path / "scores.csv")["note"].tolist()
    assert notes[:4] == ["'=2+5", '\'=HYPERLINK("http://x")', "'@SUM(A1)", "'+1+2"]
    assert notes[4:] == LIBRARY["note"].tolist()[4:]
    done("predict", library, "--model", model, "-o", tmp_path / "scores.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "scores.xlsx").active
    cells = [row[3] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells[:2]] == LIBRARY["note"].tolist()[:2]
    assert all(cell.data_type != "f" for cell in cells)


def test_sdf_out_and_in_keeps_tags(model: Path, library: Path, tmp_path: Path):
    done("predict", library, "--model", model, "-o", tmp_path / "scores.sdf")
    records = list(Chem.SDMolSupplier(str(tmp_path / "scores.sdf"), sanitize=False))
    assert len(records) == len(LIBRARY)
    assert [m.GetProp("Who") for m in records] == LIBRARY["Who"].tolist()
    done("predict", tmp_path / "scores.sdf", "--model", model, "-o", tmp_path / "again.csv")
    again, first = table(tmp_path / "again.csv"), LIBRARY
    assert again["Who"].tolist() == first["Who"].tolist()
    assert again["pAct_predicted"][0] == again["pAct_predicted_predicted"][0] != ""


def test_standard_input(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Piped:
        buffer = io.BufferedReader(io.BytesIO(b"CCO ethanol\nc1ccccc1 benzene\nnonsense x\n"))

    monkeypatch.setattr("sys.stdin", Piped)
    done("predict", "-", "--model", model, "-o", tmp_path / "scores.csv")
    found = table(tmp_path / "scores.csv")
    assert found["name"].tolist() == ["ethanol", "benzene", "x"]
    assert found["status"].tolist() == ["ok", "ok", "invalid_smiles"]


def test_strict_writes_the_file_and_says_three(model: Path, library: Path, tmp_path: Path):
    outcome = molgraph("predict", library, "--model", model, "-o", tmp_path / "scores.csv", "--strict")
    assert outcome.code == 3
    assert len(table(tmp_path / "scores.csv")) == len(LIBRARY)
    clean = tmp_path / "clean.smi"
    clean.write_text("CCO\nCCC\n", encoding="utf-8")
    done("predict", clean, "--model", model, "-o", tmp_path / "clean.csv", "--strict")


def test_several_models_are_one_ensemble(model: Path, second: Path, library: Path, tmp_path: Path):
    each = []
    for i, folder in enumerate((model, second)):
        done("predict", library, "--model", folder, "-o", tmp_path / f"{i}.parquet")
        each.append(table(tmp_path / f"{i}.parquet")["pAct_predicted"])
    done("predict", library, "--model", model, second, "-o", tmp_path / "both.parquet")
    both = table(tmp_path / "both.parquet")
    assert both["pAct_predicted"].to_numpy() == pytest.approx((each[0] + each[1]).to_numpy() / 2, rel=1e-6, nan_ok=True)
    wanted = pd.concat(each, axis=1).std(axis=1, ddof=1).to_numpy()
    assert both["pAct_std"].to_numpy() == pytest.approx(wanted, rel=1e-3, nan_ok=True)


def test_evaluate_counts_what_was_seen(model: Path, data: Path, tmp_path: Path):
    said = done("evaluate", data, "--model", model, "--out", tmp_path / "eval").err
    assert "68 rows read, 68 judged" in said and "seen in training" in said
    assert {p.name for p in (tmp_path / "eval").iterdir()} == {
        *("metrics.json", "scores-first.csv", "report-first.html"),
    }
    scores = table(tmp_path / "eval" / "scores-first.csv")
    assert len(scores) == 68 and {"pAct_measured", "pAct_lo90"} <= set(scores.columns)
    assert "rmse" in done("evaluate", data, "--model", model).err


def test_screen_ranks_and_reports(model: Path, library: Path, tmp_path: Path):
    out = tmp_path / "screen"
    said = done("screen", library, "--model", model, "--out", out, "--top", 3, "--workers", 1).err
    assert "7 rows, 3 scored" in said and str(out / "report.html") in said
    assert {p.name for p in out.iterdir()} == {"manifest.json", "report.html", "scores.parquet", "top.csv"}
    assert pq.read_metadata(out / "scores.parquet").num_rows == len(LIBRARY)
    top = table(out / "top.csv")
    assert len(top) == 3
    numbers = top["pAct_predicted"].astype(float)
    assert numbers.is_monotonic_decreasing
    assert {"QED", "MW"} <= {name.upper() for name in top.columns}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page and 'src="http' not in page
    refused(molgraph("screen", library, "--model", model, "--out", out), 2, "already holds a screen")
    done("screen", library, "--model", model, "--out", out, "--top", 3, "--workers", 1, "--resume")


def test_screen_with_properties_for_all_as_csv(model: Path, library: Path, tmp_path: Path):
    words = ("--out", tmp_path, "--filters", "all", "--format", "csv", "--low", "pAct", "--workers", 1)
    done("screen", library, "--model", model, *words)
    scores = table(tmp_path / "scores.csv")
    assert scores["Who"].tolist() == LIBRARY["Who"].tolist()
    assert table(tmp_path / "top.csv")["pAct_predicted"].astype(float).is_monotonic_increasing


def test_sharing_hides_the_training_rows(model: Path, series: pd.DataFrame, library: Path, tmp_path: Path):
    done("share", model, "--out", tmp_path / "shared")
    text = b"".join(p.read_bytes() for p in (tmp_path / "shared").iterdir())
    assert not any(smiles.encode() in text for smiles in series["smiles"])
    done("predict", library, "--model", tmp_path / "shared", "-o", tmp_path / "scores.csv")
    done("predict", library, "--model", model, "-o", tmp_path / "with.csv")
    without, with_rows = table(tmp_path / "scores.csv"), table(tmp_path / "with.csv")
    assert without["pAct_predicted"].tolist() == with_rows["pAct_predicted"].tolist()
    assert "nn_id" not in without.columns
