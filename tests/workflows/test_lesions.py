from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molgraph.cli import main
from molgraph.config import FitSettings, RunSettings
from molgraph.errors import CheckpointError, ConfigError, DataError
from molgraph.fit import Epoch
from molgraph.predictor import load
from molgraph.predictor.finder import Finder, Finding
from molgraph.rooms.imaging.geometry import to_world
from molgraph.rooms.imaging.phantom import chest
from molgraph.rooms.imaging.scan import read_scan
from molgraph.rooms.imaging.write import write_chests
from molgraph.workflows import show
from molgraph.workflows.lesions import find_file, train_finder

SMALL = {"spacing": 2.5, "hidden": 8, "depth": 2, "patch": 16, "each": 6, "foreground": 0.7}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of ten small chests with large solid nodules."""
    folder = tmp_path_factory.mktemp("phantoms")
    shape = {"field": (50.0, 90.0, 110.0), "spacing": (2.5, 1.6, 1.6), "nodules": 3}
    planted = {"diameters": (11.0, 16.0), "contrasts": ["solid"], "noise": 10.0}
    write_chests(folder, (chest(seed, **shape, **planted) for seed in range(10)))
    return folder


@pytest.fixture(scope="module")
def run(phantoms: Path) -> RunSettings:
    data = str(phantoms / "labels.csv")
    fit = FitSettings(epochs=16, lr=0.01, batch_size=6, warmup=1)
    return RunSettings(data, "imaging/unet", targets=["mask"], encoder=SMALL, train=fit, fractions=[0.6, 0.2, 0.2])


@pytest.fixture(scope="module")
def model(run: RunSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "m"
    train_finder(run, out)
    return out


def test_it_learns_to_find_nodules(model: Path) -> None:
    found = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    assert found["scans"] == 2 and found["lesions"] == 6
    assert found["dice"]["value"] > 0.4
    assert found["froc"]["sensitivity"]["4"]["value"] >= 0.5
    assert set(found["comparator"]["froc"]["sensitivity"]) == set(found["froc"]["sensitivity"])


def test_boxes_and_masks_lie_in_the_scans_own_space(model: Path, phantoms: Path, tmp_path: Path) -> None:
    assert find_file(str(phantoms / "labels.csv"), model, tmp_path) == {"ok": 10}
    scans, nodules = pd.read_csv(tmp_path / "scans.csv"), pd.read_csv(tmp_path / "nodules.csv")
    assert scans["patient"].tolist() == [f"phantom {i}" for i in range(10)]
    assert scans["lesions"].sum() == len(nodules) > 10
    truth = pd.read_csv(phantoms / "nodules.csv")
    assert "scan_" not in scans and set(nodules["scan"]) <= set(scans["scan"]), "as the user's cells have them"
    near = []
    for line in truth.itertuples():
        mine = nodules[nodules["scan"].str.endswith(line.scan)]
        away = np.linalg.norm(mine[["x", "y", "z"]] - [line.x, line.y, line.z], axis=1)
        near.append(away.min() < line.diameter / 2)
    assert np.mean(near) > 0.5
    scan, mask = (
        read_scan(phantoms / "scan-003.nii.gz", canonical=False),
        read_scan(tmp_path / scans["mask_file"][3], canonical=False, mask=True),
    )
    assert mask.voxels.shape == scan.voxels.shape and mask.affine == pytest.approx(scan.affine)
    assert mask.affine is not None
    boxes = nodules[nodules["row"] == 4]
    places = to_world(mask.affine, np.argwhere(mask.voxels[0] > 0)[:, ::-1])
    centre, half = boxes[["x", "y", "z"]].to_numpy(), boxes[["width", "depth", "height"]].to_numpy() / 2 + 1.0
    assert len(places) and (np.abs(places[:, None] - centre) <= half).all(2).any(1).all()


def test_the_same_scans_give_the_same_files(model: Path, phantoms: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        find_file(str(phantoms / "scan-001.nii.gz"), model, tmp_path / name)
    assert (tmp_path / "a" / "nodules.csv").read_bytes() == (tmp_path / "b" / "nodules.csv").read_bytes()
    assert (tmp_path / "a" / "mask-1.nii.gz").read_bytes() == (tmp_path / "b" / "mask-1.nii.gz").read_bytes()


def test_a_stopped_search_goes_on(model: Path, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = [phantoms / f"scan-00{i}.nii.gz" for i in range(4)]
    pd.DataFrame({"scan": [*scans, tmp_path / "gone.nii"]}).to_csv(tmp_path / "scans.csv", index=False)
    find_file(str(tmp_path / "scans.csv"), model, tmp_path / "whole")
    asked: list[str] = []
    find = Finder.find

    def stopped(finder: Finder, file: str) -> Finding:
        asked.append(Path(file).name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return find(finder, file)

    monkeypatch.setattr(Finder, "find", stopped)
    with pytest.raises(KeyboardInterrupt):
        find_file(str(tmp_path / "scans.csv"), model, tmp_path / "out")
    assert not (tmp_path / "out" / "scans.csv").exists()
    os.utime(scans[1])  # changed since: looked at again
    assert find_file(str(tmp_path / "scans.csv"), model, tmp_path / "out") == {"ok": 4, "no_such_file": 1}
    assert asked[3:] == ["scan-001.nii.gz", "scan-002.nii.gz", "scan-003.nii.gz", "gone.nii"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {path.name for path in (tmp_path / "whole").iterdir()} and "journal.jsonl" not in names
    assert (tmp_path / "out" / "nodules.csv").read_bytes() == (tmp_path / "whole" / "nodules.csv").read_bytes()


def test_a_scan_that_cannot_be_read_is_a_line_with_its_reason(model: Path, phantoms: Path, tmp_path: Path) -> None:
    whole = (phantoms / "scan-000.nii.gz").read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "words.nii").write_text("no scan", encoding="utf-8")
    np.savez(tmp_path / "set.npz", images=np.random.default_rng(0).random((2, 8, 8)))
    names = ["cut.nii.gz", "words.nii", "gone.nii", str(phantoms / "scan-000.nii.gz"), "set.npz#images/0"]
    pd.DataFrame({"scan": names, "note": list("abcde")}).to_csv(tmp_path / "scans.csv", index=False)
    find_file(str(tmp_path / "scans.csv"), model, tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "scans.csv")
    assert found["note"].tolist() == list("abcde")
    assert found["status"][3] == "ok" and found["status"][2] == "no_such_file"
    assert (found["status"] != "ok").sum() == 4 and found["message"][found["status"] != "ok"].str.len().min() > 20
    assert found["lesions"].isna().tolist() == [True, True, True, False, True]
    assert not found["message"].astype(str).str.contains(str(tmp_path), regex=False).any()


def test_other_channels_than_those_of_the_training_are_a_line_too(model: Path, phantoms: Path, tmp_path: Path) -> None:
    one = phantoms / "scan-000.nii.gz"
    pd.DataFrame({"scan": [f"{one}|{one}", str(one)]}).to_csv(tmp_path / "scans.csv", index=False)
    assert find_file(str(tmp_path / "scans.csv"), model, tmp_path / "out") == {"wrong_channels": 1, "ok": 1}
    line = pd.read_csv(tmp_path / "out" / "scans.csv").iloc[0]
    assert "has 2 channels, the model learnt from 1" in line["message"] and pd.isna(line["lesions"])


def test_training_keeps_rejects_apart_and_says_why(run: RunSettings, phantoms: Path, tmp_path: Path) -> None:
    table = pd.read_csv(phantoms / "labels.csv")
    for column in ("scan", "mask"):
        table[column] = [str(phantoms / name) for name in table[column]]
    table.loc[0, "mask"], table.loc[1, "mask"], table.loc[2, "scan"] = "", "gone.nii.gz", "gone.nii.gz"
    table.to_csv(tmp_path / "labels.csv", index=False)
    short = replace(run, data=str(tmp_path / "labels.csv"), train=replace(run.train, epochs=1))
    train_finder(short, tmp_path / "m")
    rejects = pd.read_csv(tmp_path / "m" / "rejects.csv")
    assert rejects["row"].tolist() == [1, 2, 3]
    assert rejects["reason"].tolist() == ["not_measured", "no_such_file", "no_such_file"]
    assert Finder.load(tmp_path / "m").recipe.facts["rows_used"] == 7


def test_patients_and_equal_scans_stay_on_one_side(run: RunSettings, phantoms: Path, tmp_path: Path) -> None:
    table = pd.read_csv(phantoms / "labels.csv")
    for column in ("scan", "mask"):
        table[column] = [str(phantoms / name) for name in table[column]]
    table["fold"] = ["train"] * 6 + ["valid"] * 2 + ["test"] * 2
    table.loc[9, ["scan", "mask"]] = table.loc[0, ["scan", "mask"]].tolist()  # the same scan under another patient
    table.loc[8, "patient"] = table.loc[1, "patient"]
    table.to_csv(tmp_path / "labels.csv", index=False)
    own = replace(run, data=str(tmp_path / "labels.csv"), split="column:fold")
    facts = train_finder(own, None, dry_run=True).recipe.facts
    assert facts["train"] == 4 and facts["test"] == 2
    assert "2 scans stand in a later fold" in facts["notes"][0]
    with pytest.raises(DataError, match="later fold"):
        train_finder(replace(own, leaks="refuse"), None, dry_run=True)


def test_a_stopped_training_is_kept_and_goes_on(
    run: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(run, train=replace(run.train, epochs=4))
    train_finder(short, tmp_path / "whole")
    seen = show.Epochs.__call__

    def stopped(watch: show.Epochs, member: int, epoch: Epoch) -> None:
        seen(watch, member, epoch)
        if epoch.number == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(show.Epochs, "__call__", stopped)
        with pytest.raises(KeyboardInterrupt):
            train_finder(short, tmp_path / "m")
    half = Finder.load(tmp_path / "m").recipe  # what was learnt so far can be used
    assert half.facts["interrupted"] and half.facts["epochs"] == 2 and half.metrics["scans"] == 2
    with pytest.raises(ConfigError, match="other settings or other data"):
        train_finder(replace(short, seed=1), tmp_path / "m")
    whole = train_finder(short, tmp_path / "m").recipe
    assert not whole.facts["interrupted"] and whole.facts["epochs"] == 4
    assert not (tmp_path / "m" / "checkpoint.safetensors").exists()
    weights = [(tmp_path / name / "weights-0.safetensors").read_bytes() for name in ("m", "whole")]
    assert weights[0] == weights[1]


def test_what_does_not_fit_is_refused(run: RunSettings, model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name one target"):
        train_finder(replace(run, targets=[]), tmp_path / "m")
    with pytest.raises(DataError, match="did you mean 'mask'"):
        train_finder(replace(run, targets=["masks"]), tmp_path / "m")
    with pytest.raises(ConfigError, match="no ensemble"):
        train_finder(replace(run, ensemble=2), tmp_path / "m")
    with pytest.raises(ConfigError, match="holds a trained model"):
        train_finder(run, model)
    with pytest.raises(CheckpointError, match="use `molgraph find`"):
        load([model])
    weights = bytearray((model / "weights-0.safetensors").read_bytes())
    (tmp_path / "broken").mkdir()
    for file in model.iterdir():
        (tmp_path / "broken" / file.name).write_bytes(file.read_bytes())
    weights[-1] ^= 1
    (tmp_path / "broken" / "weights-0.safetensors").write_bytes(bytes(weights))
    with pytest.raises(CheckpointError, match="damaged"):
        Finder.load(tmp_path / "broken")


def test_a_finder_of_an_earlier_version_names_no_opener(model: Path, phantoms: Path, tmp_path: Path) -> None:
    older = shutil.copytree(model, tmp_path / "older")
    recipe = json.loads((older / "recipe.json").read_text(encoding="utf-8"))
    assert recipe.pop("opener") == "finder" and recipe["task"] == {"kind": "segmentation", "names": ["mask"]}
    (older / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    found = [Finder.load(path).find(str(phantoms / "scan-000.nii.gz")).mask for path in (model, older)]
    assert np.array_equal(*found) and found[0].any()
    with pytest.raises(CheckpointError, match="use `molgraph find`"):
        load([older])


def test_the_commands(model: Path, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", str(phantoms / "scan-000.nii.gz"), "--model", str(model), "--out", str(tmp_path / "o")]) == 0
    assert re.search(r"1 scan, 0 not read", capsys.readouterr().err)
    words = [str(phantoms / "labels.csv"), "--model", "imaging/unet", "--target", "mask", "--out"]
    assert main(["tune", *words, str(tmp_path / "tuned"), "--trials", "1"]) == 2
    assert "molgraph find" in capsys.readouterr().err
    assert main(["train", *words, str(tmp_path / "trained"), "--devices", "2"]) == 2
    assert "one process" in capsys.readouterr().err
    assert main(["train", *words, str(tmp_path / "trained"), "--dry-run"]) == 0
    assert not (tmp_path / "trained").exists()
