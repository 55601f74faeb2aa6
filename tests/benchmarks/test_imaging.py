"""The harness of the imaging benchmark: official folds and patients kept apart, scores tabled; and that of slices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from molgraph.errors import MolgraphError
from molgraph.rooms.imaging.brains import brains
from molgraph.rooms.imaging.scan import Scan, ScanError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """Import the harness."""
    import imaging
    import imaging_scores
    import imaging_sets
    import ledger
    import slice_sets
    import slices

    found = {"imaging": imaging, "ledger": ledger, "scores": imaging_scores, "sets": imaging_sets}
    yield SimpleNamespace(**found, slices=slices, sets_of_slices=slice_sets)
    imaging_sets.table.cache_clear()


@pytest.fixture
def small(bench: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Let few phantom slices, one of which returns in validation, stand for PneumoniaMNIST."""
    (tmp_path / "imaging").mkdir()
    made = brains(0, patients=9, slices=4)
    pictures = (made.slices[:, ::2, ::2] * 120).clip(0, 255).astype(np.uint8)
    pictures[20] = pictures[0]
    cut = {"train": slice(0, 20), "val": slice(20, 28), "test": slice(28, 36)}
    labels = made.label.copy()
    labels[20] = labels[0]
    arrays = {f"{n}_images": pictures[c] for n, c in cut.items()} | {
        f"{n}_labels": labels[c, None] for n, c in cut.items()
    }
    np.savez(tmp_path / "imaging" / "pneumoniamnist.npz", **arrays)
    monkeypatch.setenv("MOLGRAPH_DATA", str(tmp_path))
    bench.sets.table.cache_clear()
    return bench


def test_contestants_keep_the_folds_of_the_file(small: SimpleNamespace, tmp_path: Path) -> None:
    ledger = small.ledger.Ledger(tmp_path)
    cells = [small.ledger.Cell("pneumoniamnist", model, 0) for model in ("forest", "neighbour", "cnn")]
    assert ledger.fill(cells, small.imaging.contests(cells, 1), (MolgraphError,)) == 0
    contest = small.imaging.Contest.of("pneumoniamnist", ["cnn"], 1)
    (cut,) = contest.cuts
    assert 0 not in cut.train and len(cut.train) == 19, "a training picture that returns in validation does not train"
    for cell in cells:
        entry = ledger.read(cell)
        assert entry.rows == list(range(29, 37)) and np.shape(entry.estimates) == (8, 1)
        assert entry.epochs == (1 if cell.model == "cnn" else 0)
    text = small.scores.section(ledger, "pneumoniamnist")
    assert "8 test rows" in text and "| 0.948 | 0.854 |" in text and text.count("\n| ") == 1 + 3 + 4
    assert small.scores.section(ledger, "lung_ct") == ""


def test_networks_of_a_card_wait_for_one(small: SimpleNamespace, capsys: Any, monkeypatch: Any) -> None:
    for card, first in ((False, "resnet18_cpu"), (True, "resnet50")):
        monkeypatch.setattr(small.imaging.torch.cuda, "is_available", lambda card=card: card)
        assert small.imaging.main(["--left", "--data", "pneumoniamnist", "--ledger", "none"]) == 0
        left = capsys.readouterr().out
        assert first in left and ("resnet18_cpu" in left) != card and ("seed 4" in left) == card
        assert "neighbour seed 1" not in left
    run = small.imaging.settings("pneumoniamnist", "resnet18")
    assert (run.encoder["size"], run.encoder["stem"]) == (28, "small")


def test_every_patch_of_a_patient_is_tested_in_one_fold(
    bench: SimpleNamespace, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(shared_data))
    bench.sets.table.cache_clear()
    frame = bench.sets.table("lung_ct")
    assert len(frame) == 130 and frame["patient"].nunique() == 13 and frame["tumour"].sum() == 111
    contest = bench.imaging.Contest.of("lung_ct", ["cnn"], 1)
    tested = np.concatenate([cut.test for cut in contest.cuts])
    assert sorted(tested) == list(range(130))
    patient = frame["patient"].to_numpy()
    for cut in contest.cuts:
        assert not set(patient[cut.test]) & set(patient[np.concatenate([cut.train, cut.valid, cut.calibration])])
    bench.sets.table.cache_clear()


def test_intensive_care_is_asked_of_those_of_whom_it_is_told(
    bench: SimpleNamespace, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGRAPH_DATA", str(shared_data))
    bench.sets.table.cache_clear()
    frame = bench.sets.table("covid_cxr")
    assert len(frame) == 129 and frame["icu"].sum() == 97 and all(Path(path).exists() for path in frame["image"])
    bench.sets.table.cache_clear()


def volume(file: Path, voxels: Any, spacing: tuple[float, float, float], at: tuple[float, ...] = (0, 0, 0)) -> None:
    """Write NIfTI of voxels [X, Y, Z] whose outer corner lies `at`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = np.array(at) + np.array(spacing) / 2
    nib.save(nib.Nifti1Image(np.asarray(voxels, dtype=np.float32), affine), file)


def patient(folder: Path, seed: int, size: int = 20, fine: int = 1) -> None:
    """Write a volume of 8 slices of 2 mm and a mask, `fine` times as many, that marks what is above 8 mm."""
    random = np.random.default_rng(seed)
    scan = random.random((size, size, 8)) + (np.arange(8) >= 4)
    volume(folder / "flair.nii.gz", scan, (1, 1, 2))
    mask = np.zeros((size, size, 8 * fine))
    mask[5:9, 5:9, 4 * fine :] = 1
    volume(folder / "seg.nii.gz", mask, (1, 1, 2 / fine))


@pytest.fixture
def slices(bench: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the command over slices, with networks that take a second; its results go to a folder of the test."""
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(bench.slices, "HERE", tmp_path)
    monkeypatch.setattr(bench.slices, "FOLDS", 2)
    small = ("--models", "resnet18", "--size", "8", "--epochs", "1", "--every", "1")
    return lambda *argv: bench.slices.main([*map(str, argv), *small])


def results(tmp_path: Path) -> dict[str, Any]:
    (file,) = (tmp_path / "results").glob("slices-*.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["cohorts"]
    return found


@pytest.mark.parametrize("slices_of_mask", [4, 8, 16, 24])
def test_a_mask_on_another_grid_marks_the_slices_where_it_lies(bench: SimpleNamespace, slices_of_mask: int) -> None:
    scan = Scan(np.ones((1, 8, 6, 6), np.float32), np.diag([1.0, 1, 2, 1]), (1, 1, 2))
    thick = 16 / slices_of_mask
    affine = np.diag([1.0, 1, thick, 1])
    affine[2, 3] = (thick - 2) / 2  # both begin 1 mm below the middle of the scan's first slice
    mask = np.zeros((1, slices_of_mask, 6, 6), np.float32)
    mask[0, slices_of_mask // 2 :, 2, 2] = 3  # above 8 mm
    found = bench.sets_of_slices.marks(scan, Scan(mask, affine, (1, 1, thick)), "mask")
    assert found.tolist() == [False] * 4 + [True] * 4


def test_one_fine_voxel_marks_its_slice(bench: SimpleNamespace) -> None:
    scan = Scan(np.ones((1, 4, 6, 6), np.float32), np.diag([2.0, 2, 2, 1]), (2, 2, 2))
    mask = np.zeros((1, 8, 12, 12), np.float32)
    mask[0, 3, 3, 3] = 1
    placed = np.array([[1, 0, 0, -0.5], [0, 1, 0, -0.5], [0, 0, 1, -0.5], [0, 0, 0, 1]], float)
    assert bench.sets_of_slices.marks(scan, Scan(mask, placed, (1, 1, 1)), "m").tolist() == [False, True, False, False]


@pytest.mark.parametrize("marked", [0, 1])
def test_a_mask_that_lies_elsewhere_is_refused(bench: SimpleNamespace, marked: int) -> None:
    scan = Scan(np.ones((1, 4, 6, 6), np.float32), np.eye(4), (1, 1, 1))
    away = np.eye(4)
    away[0, 3] = 100
    mask = np.full((1, 4, 6, 6), marked, np.float32)
    with pytest.raises(ScanError, match="in one space") as caught:
        bench.sets_of_slices.marks(scan, Scan(mask, away, (1, 1, 1)), "mask")
    assert caught.value.reason == "mask_elsewhere"
    with pytest.raises(ScanError, match="does not say where"):
        bench.sets_of_slices.marks(scan, Scan(mask), "mask")
    assert bench.sets_of_slices.marks(Scan(scan.voxels), Scan(mask), "mask").tolist() == [bool(marked)] * 4


def test_a_folder_of_patients_of_two_sizes_with_bad_ones_among_them(
    slices: Any, bench: SimpleNamespace, tmp_path: Path, capsys: Any
) -> None:
    home = tmp_path / "cohort"
    patient(home / "anna", 0)
    patient(home / "ben", 1, size=24, fine=2)
    patient(home / "cut", 2)
    (home / "cut" / "flair.nii.gz").write_bytes(b"no scan")
    patient(home / "maskless", 3)
    (home / "maskless" / "seg.nii.gz").unlink()
    (home / "empty").mkdir()
    assert slices(home, "--image", "flair.nii.gz", "--mask", "seg.nii.gz") == 0
    found = results(tmp_path)["cohort"]
    assert (found["slices"], found["patients"], found["positive"]) == (16, 2, 0.5)
    assert {(each["patient"], each["reason"]) for each in found["rejects"]} == {
        ("cut", "not_an_image"),
        ("maskless", "no_mask"),
        ("empty", "no_image"),
    }
    said = capsys.readouterr().out
    assert "3 left out: cut (not_an_image)" in said and "maskless: has no file 'seg.nii.gz'" in said
    made = found["resnet18"]["patients apart"]
    assert made["slices"]["auroc"]["n"] == 16 and made["patients"]["accuracy"]["n"] == 2


def test_visits_are_no_patients(slices: Any, tmp_path: Path, capsys: Any) -> None:
    for name in ("anna/1", "anna/2", "ben/1", "ben/2"):
        patient(tmp_path / "cohort" / name, len(name))
    files = ("--image", "flair.nii.gz", "--mask", "seg.nii.gz")
    assert slices(tmp_path / "cohort", *files) == 3
    assert "--image '*/flair.nii.gz'" in capsys.readouterr().err
    assert slices(tmp_path / "cohort", "--image", "*/flair.nii.gz", "--mask", "*/seg.nii.gz") == 0
    found = results(tmp_path)["cohort"]
    assert (found["slices"], found["patients"], found["rejects"]) == (32, 2, [])


def test_a_table_names_its_own_columns_and_words(slices: Any, tmp_path: Path, capsys: Any) -> None:
    random = np.random.default_rng(0)
    for name in "abcd":
        Image.fromarray(random.integers(0, 255, (9, 8 + ord(name) % 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
    volume(tmp_path / "e.nii.gz", random.random((7, 9, 3)), (1, 1, 1))
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    rows = ["a.png,p1,tumour", "b.png,p2,none", "c.png,p3,tumour", "d.png,p4,None", "e.nii.gz,p5,none"]
    rows += ["bad.png,p6,none", "a.png,,none", "a.png,p7,"]
    file = tmp_path / "scans.csv"
    file.write_text("\n".join(["image,subject,mgmt", *rows]), encoding="utf-8")
    named = (file, "--patient", "subject", "--target", "mgmt", "--positive", "Tumour")
    assert slices(*named) == 0
    found = results(tmp_path)["scans"]
    assert (found["slices"], found["patients"]) == (7, 5) and found["positive"] == pytest.approx(2 / 7)
    told = [(each["patient"], each["row"], each["reason"]) for each in found["rejects"]]
    assert told == [("p6", 6, "damaged"), ("", 7, "no_patient"), ("p7", 8, "not_measured")]
    for argv, code, words in (
        ((file,), 3, "no column 'patient' (--patient)"),
        ((file, "--patient", "subject"), 3, "no column 'label' (--target)"),
        (named[:5], 3, "no label is '1'; they are none (4), tumour (2)"),
        ((tmp_path / "nowhere.csv",), 3, "no such file"),
        ((tmp_path / "results",), 2, "--image FILE --mask FILE"),
        (("phantoms", "--phantoms", "cor"), 2, "did you mean 'core'"),
    ):
        assert slices(*argv) == code
        said = capsys.readouterr().err
        assert words in said and said.startswith("slices: ") and said.count("\n") == 1


def test_a_positive_label_is_one_of_those_there(bench: SimpleNamespace) -> None:
    positives = bench.sets_of_slices.positives
    assert positives(["1.0", "0", "", "NA"], "y", "1") == ["1", "0", "", ""]
    assert positives(["1", "0", "None"], "y", "1") == ["1", "0", ""], "among numbers none is no label"
    assert positives(["Yes", "none", "n.d."], "y", "yes") == ["1", "0", ""]


def test_the_newest_results_become_tables(slices: Any, bench: SimpleNamespace, tmp_path: Path, capsys: Any) -> None:
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- slices: begin -->\n<!-- slices: end -->\nb\n", encoding="utf-8")
    assert slices("--table") == 3 and "run the benchmark before" in capsys.readouterr().err
    for file in (ROOT / "benchmarks" / "results").glob("slices-*.json"):
        shutil.copy(file, tmp_path / "results")
    old = next((tmp_path / "results").glob("slices-phantoms-*.json"))
    made = json.loads(old.read_text(encoding="utf-8"))
    made["cohorts"] = {"newer": made["cohorts"].popitem()[1] | {"rejects": [{"patient": "p9", "reason": "damaged"}]}}
    made["about"]["date"] = "2999-01-01"
    (tmp_path / "results" / "slices-phantoms-2999-01-01.json").write_text(json.dumps(made), encoding="utf-8")
    assert slices("--table") == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("a\n<!-- slices: begin -->") and text.endswith("<!-- slices: end -->\nb\n")
    assert "| newer | resnet18 | patients apart | " in text and "| scanner |" not in text
    assert "**brain_mri_tumour_4** (" in text and "newer: 1 left out: p9 (damaged)." in text
    assert {line.count("|") for line in text.splitlines() if line.startswith("|")} == {9}
