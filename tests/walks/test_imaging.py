"""Pictures through the commands that were made for molecules: train, evaluate, predict, screen, tune."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from walk import done, molgraph, no_leftovers, refused

from molgraph import config
from molgraph.workflows.plan import plan

TINY = tuple(
    word
    for setting in ("train.epochs=3", "encoder.size=16", "encoder.hidden=16", "head.hidden=16", "comparator=none")
    for word in ("--set", setting)
)
PATIENTS, EACH = 40, 3


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw noise, with a bright spot where the label is 1."""
    random = np.random.default_rng(seed)
    made, labels = random.normal(90, 15, (count, 20, 20)), random.integers(0, 2, count)
    for one, label in zip(made, labels, strict=True):
        y, x = random.integers(2, 14, 2)
        one[y : y + 5, x : x + 5] += 90 * label
    return made.clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a table of pictures of 40 patients, and rows that are no pictures."""
    path = tmp_path_factory.mktemp("scans")
    pixels, labels = pictures(PATIENTS, 0)
    rows = []
    for patient in range(PATIENTS):
        for number in range(EACH):
            name = f"{patient}_{number}.png"
            Image.fromarray(pixels[patient] + np.uint8(number)).save(path / name)
            rows.append((name, labels[patient], f"p{patient}"))
    (path / "cut.png").write_bytes((path / "0_0.png").read_bytes()[:80])
    rows += [("cut.png", 1, "x"), ("gone.png", 0, "y"), ("", 0, "z"), ("1_0.png", "perhaps", "p1")]
    pd.DataFrame(rows, columns=["image", "spot", "patient_id"]).to_csv(path / "labels.csv", index=False)
    return path


@pytest.fixture(scope="module")
def model(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "cnn"
    done("train", folder / "labels.csv", "--model", "imaging/cnn", "--target", "spot", *TINY, "--out", out)
    return out


@pytest.fixture(scope="module")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set laid out as MedMNIST, two validation pictures of which also train."""
    arrays = {}
    for seed, (fold, count) in enumerate({"train": 80, "val": 30, "test": 40}.items()):
        pixels, labels = pictures(count, seed + 1)
        arrays |= {f"{fold}_images": pixels, f"{fold}_labels": labels[:, None]}
    arrays["train_images"][:2], arrays["train_labels"][:2] = arrays["val_images"][:2], arrays["val_labels"][:2]
    path = tmp_path_factory.mktemp("set") / "spots.npz"
    np.savez(path, **arrays)
    return path


def test_patients_stay_on_one_side(folder: Path) -> None:
    run = config.settings({"model": "imaging/cnn", "targets": ["spot"], "comparator": "none"})
    made = plan(run, folder / "labels.csv")
    assert made.run.split == "patient" and made.run.task == "binary"
    patients = made.rows.data.groups["patient"]
    seen = [set(patients[fold].tolist()) for fold in (made.split.train, made.split.valid, made.split.test)]
    assert all(seen) and not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_a_split_that_parts_a_patient_is_refused_or_mended(folder: Path) -> None:
    words = ("--model", "imaging/cnn", "--target", "spot", "--split", "random", *TINY, "--dry-run")
    outcome = molgraph("train", folder / "labels.csv", *words, "--leaks", "refuse")
    refused(outcome, 3, "share a patient with a later fold")
    assert "they were left out of the training" in done("train", folder / "labels.csv", *words).err


def test_what_is_no_picture_is_left_out_and_said(model: Path) -> None:
    rejects = pd.read_csv(model / "rejects.csv", keep_default_na=False)
    assert rejects["reason"].tolist() == ["truncated", "no_such_file", "empty", "invalid_target"]
    no_leftovers(model)


def test_one_row_out_per_row_in(model: Path, folder: Path, tmp_path: Path) -> None:
    done("predict", folder / "labels.csv", "--model", model, "--out", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert found["image"].tolist() == pd.read_csv(folder / "labels.csv", keep_default_na=False)["image"].tolist()
    assert found["status"].tolist() == ["ok"] * (PATIENTS * EACH) + ["truncated", "no_such_file", "empty", "ok"]
    assert (found["spot_predicted"][found["status"] == "ok"] != "").all()
    done("predict", folder / "7_1.png", "--model", model, "--out", tmp_path / "one.csv")
    alone, row = pd.read_csv(tmp_path / "one.csv")["spot"][0], float(found["spot_predicted"][7 * EACH + 1])
    assert alone == pytest.approx(row, abs=1e-6)


def test_rows_and_patients_are_both_judged_and_subgroups_apart(model: Path, folder: Path, tmp_path: Path) -> None:
    trained = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    level = trained["levels"]["spot"]["patient"]["auroc"]
    assert level["rows"]["n"] == EACH * level["groups"] and level["disagree"] == 0
    pixels, labels = pictures(60, 9)
    rows = []
    for at, label in enumerate(labels):
        for number in range(2):
            Image.fromarray(pixels[at] + np.uint8(number)).save(tmp_path / f"{at}_{number}.png")
            rows.append((f"{at}_{number}.png", label, f"new{at}", "FM"[at % 2]))
    pd.DataFrame(rows, columns=["image", "spot", "patient", "sex"]).to_csv(tmp_path / "new.csv", index=False)
    done("evaluate", tmp_path / "new.csv", "--model", model, "--out", tmp_path / "judged")
    (found,) = json.loads((tmp_path / "judged" / "metrics.json").read_text(encoding="utf-8")).values()
    assert found["levels"]["spot"]["patient"]["auroc"]["whole"]["n"] == 60
    assert found["decisions"]["spot"]["drawn"] == "patient"
    assert [(line["column"], line["group"], line["n"]) for line in found["subgroups"]] == [
        ("sex", "F", 60),
        ("sex", "M", 60),
    ]
    assert "Decision curve of spot" in (tmp_path / "judged" / "report-cnn.html").read_text(encoding="utf-8")


def test_two_sequences_train_beside_trees_that_see_both(tmp_path: Path) -> None:
    rows = []
    for at in range(40):
        names = [f"{at}_{name}.nii" for name in ("flair", "t1")]
        for seed, name in enumerate(names):
            voxels = np.random.default_rng(2 * at + seed).normal(100, 20, (8, 8, 3)).astype(np.float32)
            nib.save(nib.Nifti1Image(voxels + 50 * seed * (at % 2), np.eye(4)), tmp_path / name)
        rows.append((*names, at % 2))
    pd.DataFrame(rows, columns=["flair", "t1", "label"]).to_csv(tmp_path / "nii.csv", index=False)
    words = ["train", tmp_path / "nii.csv", "-s", "flair|t1", "--model", "imaging/cnn", "--target", "label"]
    words += [word for word in TINY if word not in ("comparator=none",)][:-1]
    refused(molgraph(*words, "--out", tmp_path / "one"), 3, "--set encoder.channels=2")
    done(*words, "--set", "encoder.channels=2", "--out", tmp_path / "two")
    found = json.loads((tmp_path / "two" / "metrics.json").read_text(encoding="utf-8"))
    assert found["comparator_name"] == "imaging/forest" and "auroc" in found["comparator"]["label"]


def test_the_page_of_a_screen_shows_the_pictures(model: Path, folder: Path, tmp_path: Path) -> None:
    done("screen", folder / "labels.csv", "--model", model, "--out", tmp_path / "s", "--top", 5, "--workers", 1)
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64") >= 5
    assert pd.read_csv(tmp_path / "s" / "top.csv")["width"].tolist() == [20] * 5


def test_no_output_says_where_the_files_lie(model: Path, folder: Path, tmp_path: Path) -> None:
    """Tables, rejects, pages, ranked rows: they hold what the user's cells say, never the folder of this machine."""
    table, out = folder / "labels.csv", tmp_path / "out"
    out.mkdir()
    done("predict", table, "--model", model, "--out", out / "p.csv")
    done("predict", table, "--model", model, "--out", out / "p.parquet")
    done("evaluate", table, "--model", model, "--out", out / "judged")
    words = ("screen", table, "--model", model, "--out", out / "ranked", "--workers", 1)
    done(*words, "--hits", out / "hits.csv")
    first = pd.read_csv(out / "ranked" / "top.csv", keep_default_na=False)
    done(*words, "--top", 3, "--resume", "--hits", out / "again.csv")  # ranked again, without scoring again
    again = pd.read_csv(out / "ranked" / "top.csv", keep_default_na=False)
    assert again["image"].tolist() == first["image"].tolist()[:3]
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) >= 10
    for path in written:
        text = pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
        assert str(folder) not in text.replace(str(table), "the table as it was named"), path
    found = pd.read_csv(out / "p.csv", keep_default_na=False)
    assert list(found)[:4] == ["image", "spot", "patient_id", "spot_predicted"]
    assert found["message"].tolist()[-3].startswith("gone.png: no such file")
    rejects = pd.read_csv(out / "judged" / "rejects.csv", keep_default_na=False)
    assert rejects["text"].tolist()[:2] == ["cut.png", "gone.png"]


def test_a_set_with_its_own_folds(small_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "forest"
    words = ("--model", "imaging/forest", "--set", "encoder.rounds=40", "--set", "comparator=none")
    done("train", small_set, *words, "--out", out)
    recipe = json.loads((out / "recipe.json").read_text(encoding="utf-8"))
    assert (recipe["run"]["split"], recipe["run"]["targets"], recipe["run"]["task"]) == (
        "column:split",
        ["label"],
        "binary",
    )
    assert recipe["facts"]["test"] == 40 and recipe["facts"]["train"] == 78, "two pictures return in validation"
    done("evaluate", small_set, "--model", out, "--out", tmp_path / "judged")
    assert json.loads((out / "metrics.json").read_text(encoding="utf-8"))["model"]["label"]["auroc"]["value"] > 0.8


def test_a_linear_model_of_pixels(small_set: Path, tmp_path: Path) -> None:
    words = ("--model", "imaging/linear", "--set", "comparator=none", "--set", "refit=no")
    done("train", small_set, *words, "--out", tmp_path / "linear")
    metrics = json.loads((tmp_path / "linear" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["model"]["label"]["auroc"]["value"] > 0.8


def test_bags_grades_and_a_volume(folder: Path, tmp_path: Path) -> None:
    """A patient is all of its pictures; gated attention weighs them; grades are ordered."""
    frame = pd.read_csv(folder / "labels.csv").head(PATIENTS * EACH)
    bags = frame.groupby("patient_id", sort=False).agg(
        image=("image", lambda names: ";".join(names)), spot=("spot", "first")
    )
    bags["grade"] = bags["spot"].astype(int) + np.arange(len(bags)) % 2
    bags["image"] = [";".join(str(folder / name) for name in cell.split(";")) for cell in bags["image"]]
    bags.reset_index().to_csv(tmp_path / "bags.csv", index=False)
    gated = (
        "--set",
        "head.pooling=gated",
        "--task",
        "ordinal",
        "--set",
        "train.mixup=0.2",
        "--set",
        "train.batches=balanced",
    )
    words = ("--model", "imaging/cnn", "--target", "grade", *TINY, *gated)
    done("train", tmp_path / "bags.csv", *words, "--out", tmp_path / "m")
    done("predict", tmp_path / "bags.csv", "--model", tmp_path / "m", "--out", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert len(found) == PATIENTS and (found["status"] == "ok").all()
    assert found[["grade_p_0", "grade_p_1", "grade_p_2"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)


def test_tuned_as_a_molecule_model_is(small_set: Path, tmp_path: Path) -> None:
    tiny = ("--set", "train.epochs=1", "--set", "encoder.size=16", "--set", "comparator=none", "--set", "ensemble=1")
    done("tune", small_set, "--model", "imaging/cnn", *tiny, "--trials", 2, "--out", tmp_path / "study")
    assert "imaging/cnn" in (tmp_path / "study" / "best.toml").read_text(encoding="utf-8")


def test_the_pictures_that_return_in_validation_are_caught(shared_data: Path) -> None:
    """PneumoniaMNIST as it is shared here: ten training rows show pictures that stand in a later fold, too."""
    run = config.settings({"model": "imaging/cnn", "comparator": "none", "encoder": {"size": 8}})
    made = plan(run, shared_data / "imaging" / "pneumoniamnist.npz")
    assert made.leaks.across["identity"][0] == 10
    assert len(made.split.test) == 624, "three test pictures repeat another, and are judged"
    assert len(made.rows.data) + len(made.rows.data.rejects) == 5856
