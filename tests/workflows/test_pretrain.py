"""Without labels: from scans in any form to weights that a training takes as they are; the held out stay unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from molgraph import registry
from molgraph.cli import main
from molgraph.config import FitSettings, HeadSettings, RunSettings
from molgraph.data.dataset import Dataset
from molgraph.errors import ConfigError, DataError
from molgraph.fit import Epoch
from molgraph.model.contrast import Contrast
from molgraph.rooms.imaging.brains import brains
from molgraph.rooms.imaging.encoders.weights import start_from
from molgraph.workflows import pretrain
from molgraph.workflows.pretrain import pretrain_folder, read_pictures

SIZE = {"size": 16, "hidden": 16, "depth": 2}
ENCODERS = [
    n for n in registry.own_models() if n.startswith("imaging/") and "weights" in registry.settings(registry.model(n))
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a table `scans.csv` of 24 phantom slices of 6 patients, a PNG each."""
    made = brains(0, patients=6, slices=4)
    for at, picture in enumerate((made.slices * 120).clip(0, 255).astype(np.uint8)):
        Image.fromarray(picture).save(tmp_path / f"{at:02}.png")
    names = [f"{at:02}.png" for at in range(24)]
    table = pd.DataFrame({"image": names, "patient": [f"p{at}" for at in made.patient], "label": made.label})
    table.to_csv(tmp_path / "scans.csv", index=False)
    return tmp_path


def run(data: Path, **given: Any) -> RunSettings:
    fit = FitSettings(epochs=3, batch_size=8, lr=0.003)
    return replace(RunSettings(str(data), "imaging/cnn", encoder=SIZE, train=fit), **given)


def reasons(out: Path) -> dict[str, str]:
    frame = pd.read_csv(out / "rejects.csv")
    return {Path(text).name: reason for text, reason in zip(frame["text"], frame["reason"], strict=True)}


def test_the_command_gives_weights_that_train_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "pre"
    words = ["--model", "imaging/cnn", "--set", "encoder.size=16", "--set", "encoder.hidden=16"]
    fit = ["--set", "train.epochs=2", "--set", "train.batch_size=8"]
    assert main(["pretrain", str(folder / "scans.csv"), *words, *fit, "--out", str(out)]) == 0
    assert "24 pictures, no label of them is read" in capsys.readouterr().err
    assert {file.name for file in out.iterdir()} == {
        "encoder.safetensors", "pretrained.json", "history.csv", "metrics.jsonl", "rejects.csv", "run.toml",
    }  # fmt: skip
    facts = json.loads((out / "pretrained.json").read_text(encoding="utf-8"))
    assert (facts["method"], facts["scans"], facts["pictures"], facts["epochs"]) == ("SimCLR", 24, 24, 2)
    given = f"encoder.weights={out / 'encoder.safetensors'}"
    train = ["train", str(folder / "scans.csv"), "--target", "label", *words, *fit, "--set", given]
    assert main([*train, "--set", "encoder.hidden=32", "--set", "comparator=none", "--out", str(folder / "wide")]) == 2
    assert "there and" in capsys.readouterr().err and not (folder / "wide" / "recipe.json").exists()
    assert main([*train, "--set", "comparator=none", "--out", str(folder / "model")]) == 0
    assert main(["pretrain", str(folder / "scans.csv"), *words, "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["pretrain", str(folder / "scans.csv"), *words, "--out", str(folder / "model")]) == 2
    assert main(["pretrain", str(out / "run.toml"), "--out", str(folder / "again")]) == 0
    assert (folder / "again" / "encoder.safetensors").read_bytes() == (out / "encoder.safetensors").read_bytes()


def test_it_learns_to_find_the_other_view(tmp_path: Path) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (24, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=coarse.repeat(4, 1).repeat(4, 2))
    longer = run(tmp_path / "set.npz", train=FitSettings(epochs=40, batch_size=24, lr=0.003))
    pretrain_folder(longer, tmp_path / "pre")
    losses = pd.read_csv(tmp_path / "pre" / "history.csv")["train_loss"]
    assert losses[:3].mean() == pytest.approx(np.log(47), abs=0.1), "at first every row is like every other"
    assert losses[-20:].mean() < np.log(47) - 0.1


@pytest.mark.parametrize("dims", [2, 3])
def test_each_slice_or_each_volume_is_a_picture(dims: int, folder: Path) -> None:
    draw = np.random.default_rng(0)
    for at in range(4):
        image = nib.Nifti1Image(draw.normal(size=(8, 8, 3)).astype(np.float32), np.eye(4))
        nib.save(image, folder / f"{at}.nii.gz")
    pd.DataFrame({"image": [f"{at}.nii.gz" for at in range(4)]}).to_csv(folder / "volumes.csv", index=False)
    encoder = SIZE | {"size": 8, "dims": dims}
    path = pretrain_folder(run(folder / "volumes.csv", encoder=encoder), folder / "out")
    facts = json.loads((folder / "out" / "pretrained.json").read_text(encoding="utf-8"))
    assert (facts["scans"], facts["pictures"]) == (4, 12 if dims == 2 else 4)
    fresh = registry.model("imaging/cnn")({}, **encoder)
    assert start_from(fresh.network, str(path)) == []


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoder_of_scans_can_be_pretrained(name: str, dims: int, tmp_path: Path) -> None:
    if name in ("imaging/resnet34", "imaging/resnet50"):
        pytest.skip("built as resnet18 is, only deeper")
    np.savez(tmp_path / "set.npz", images=np.random.default_rng(0).integers(0, 256, (3, 8, 8, 8), dtype=np.uint8))
    settings = run(tmp_path / "set.npz", model=name, encoder={"size": 8, "dims": dims, "slices": 2 if dims == 2 else 0})
    seen = read_pictures(settings)
    torch.manual_seed(0)
    model = Contrast(registry.model(name)({}, augment="views", **settings.encoder), HeadSettings())
    loss = model.losses(seen.data.batch(torch.arange(len(seen.data))))
    loss.sum.backward()
    weights = list(model.encoder.parameters())
    assert float(loss.weight) == 2 * (6 if dims == 2 else 3) and not loss.per_unit
    assert all(w.grad is not None and bool(w.grad.isfinite().all()) for w in weights)


def test_going_on_gives_the_weights_of_a_whole_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load_file(pretrain_folder(run(folder / "scans.csv"), folder / "whole"))

    class Stopping(pretrain.show.Epochs):
        def __call__(self, member: int, epoch: Epoch) -> None:
            super().__call__(member, epoch)
            if epoch.number == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(pretrain.show, "Epochs", Stopping)
        pretrain_folder(run(folder / "scans.csv"), folder / "parts")
    assert (folder / "parts" / "checkpoint.safetensors").exists()
    with pytest.raises(ConfigError, match="other settings or other data"):
        pretrain_folder(run(folder / "scans.csv", seed=1), folder / "parts")
    parts = load_file(pretrain_folder(run(folder / "scans.csv"), folder / "parts"))
    assert whole.keys() == parts.keys() and all(torch.equal(whole[k], parts[k]) for k in whole)
    assert pd.read_csv(folder / "parts" / "history.csv")["epoch"].tolist() == [1, 2, 3]


def test_labels_are_not_looked_at(folder: Path) -> None:
    table = pd.read_csv(folder / "scans.csv")
    first = load_file(pretrain_folder(run(folder / "scans.csv"), folder / "a"))
    table.assign(label="nonsense").to_csv(folder / "scans.csv", index=False)
    second = load_file(pretrain_folder(run(folder / "scans.csv", targets=["label"]), folder / "b"))
    assert all(torch.equal(first[k], second[k]) for k in first)


def test_a_damaged_scan_is_a_row_of_the_rejects(folder: Path) -> None:
    (folder / "03.png").write_bytes((folder / "03.png").read_bytes()[:50])
    (folder / "04.png").unlink()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(folder / "05.png")
    pretrain_folder(run(folder / "scans.csv"), folder / "out")
    found = reasons(folder / "out")
    assert set(found) == {"03.png", "04.png", "05.png"}
    assert (found["04.png"], found["05.png"]) == ("no_such_file", "uniform")
    for file in folder.glob("*.png"):
        file.write_text("no picture", encoding="utf-8")
    with pytest.raises(DataError, match="none of 24 rows can be used; the first"):
        pretrain_folder(run(folder / "scans.csv"), folder / "none")


def test_a_folder_of_scans_needs_no_table(folder: Path) -> None:
    seen = read_pictures(run(folder))
    assert (seen.read, seen.scans, len(seen.data)) == (25, 24, 24)
    assert [Path(reject.text).name for reject in seen.rejects] == ["scans.csv"]


def test_rows_that_test_are_left_out_by_picture_and_by_patient(folder: Path) -> None:
    table = pd.read_csv(folder / "scans.csv")
    Image.open(folder / "00.png").save(folder / "copy.tiff")
    pd.DataFrame({"image": ["copy.tiff"]}).to_csv(folder / "test.csv", index=False)
    table[table["patient"] == "p5"].head(1).assign(image="gone.png").to_csv(folder / "people.csv", index=False)
    seen = read_pictures(run(folder / "scans.csv"), [str(folder / "test.csv"), str(folder / "people.csv")])
    told = {Path(reject.text).name: reject.message for reject in seen.rejects}
    assert set(told) == {"00.png", *table["image"][table["patient"] == "p5"]}
    assert "the same picture stands in" in told["00.png"] and "patient p5 stands in" in told["20.png"]
    assert len(seen.data) == 24 - len(told) and not any("00.png" in key for key in _keys(seen.data))


def test_each_picture_of_rows_of_several_is_left_out(folder: Path) -> None:
    table = pd.read_csv(folder / "scans.csv").drop(columns="patient")
    table.to_csv(folder / "scans.csv", index=False)
    pd.DataFrame({"image": ["03.png;02.png;gone.png", "07.png"]}).to_csv(folder / "bags.csv", index=False)
    seen = read_pictures(run(folder / "scans.csv"), [str(folder / "bags.csv")])
    assert {Path(reject.text).name for reject in seen.rejects} == {"02.png", "03.png", "07.png"}
    pd.DataFrame({"image": ["01.png;02.png", "05.png;07.png", "07.png"]}).to_csv(folder / "few.csv", index=False)
    pd.DataFrame({"image": ["02.png"]}).to_csv(folder / "test.csv", index=False)
    seen = read_pictures(run(folder / "few.csv"), [str(folder / "test.csv")])
    assert [reject.row for reject in seen.rejects] == [1]
    assert seen.data.targets.values[:, 0].tolist() == [0, 0, 0], "two rows of one picture are not told apart"


def test_a_set_trains_on_its_own_training_rows(folder: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (9, 16, 16), dtype=np.uint8)
    pictures[3] = pictures[8]
    np.savez(folder / "set.npz", train_images=pictures[:5], val_images=pictures[5:7], test_images=pictures[7:])
    seen = read_pictures(run(folder / "set.npz"))
    assert len(seen.data) == 4, "a copy of a test picture stays unseen too"
    told = {reject.row: reject.message for reject in seen.rejects}
    assert (told[4], told[9]) == ("the same picture is row 9", "its fold is 'test'")


def test_pictures_of_a_patient_or_of_a_scan_have_one_number(folder: Path) -> None:
    by_patient = read_pictures(run(folder / "scans.csv")).data.targets.values[:, 0]
    assert torch.equal(by_patient, torch.arange(6.0).repeat_interleave(4))
    pd.DataFrame({"image": ["00.png;01.png", "02.png"]}).to_csv(folder / "bags.csv", index=False)
    assert read_pictures(run(folder / "bags.csv")).data.targets.values[:, 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("model", ["imaging/forest", "imaging/unet", "molecule/gin"])
def test_what_takes_no_initial_weights_is_refused(model: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be pretrained; .* imaging/cnn, imaging/resnet18"):
        pretrain_folder(run(folder / "scans.csv", model=model, encoder={}), folder / "out")


@pytest.mark.parametrize("fit", [{"mixup": 0.2}, {"batches": "balanced"}])
def test_settings_of_labels_are_refused(fit: dict[str, Any], folder: Path) -> None:
    with pytest.raises(ConfigError, match="reads no labels"):
        pretrain_folder(run(folder / "scans.csv", train=FitSettings(**fit)), folder / "out")


def _keys(data: Dataset) -> Iterator[str]:
    (given,) = data.inputs.values()
    return (given.key_of(row) for row in range(len(data)))
