"""The harnesses of lesions and slices: phantoms as said, volumes cut into slices, two levels and their gap."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from molgraph.rooms.imaging.boxes import Found
from molgraph.rooms.imaging.write import save_nifti


@pytest.fixture(scope="module")
def bench() -> SimpleNamespace:
    """Import the harnesses."""
    import lesions
    import slice_scores
    import slice_sets

    return SimpleNamespace(lesions=lesions, sets=slice_sets, scores=slice_scores)


def test_a_group_of_nodules_is_scored_without_the_others(bench: SimpleNamespace) -> None:
    columns = {"x": [0.0, 50.0], "y": 0.0, "z": 0.0, "width": 8.0, "depth": 8.0, "height": 8.0}
    planted = [pd.DataFrame(columns)] * 3
    first = [[Found((1.0, 0.0, 0.0), (9.0, 9.0, 9.0), 0.9, 300.0)]] * 3
    one, both = [np.array([True, False])] * 3, [np.array([True, True])] * 3
    assert bench.lesions._froc(planted, first, one).mean.value == 1.0
    whole = bench.lesions._froc(planted, first, both)
    assert whole.mean.value == 0.5
    gap = bench.lesions._difference(whole, bench.lesions._froc(planted, [[], [], []], both))
    assert (gap.value, gap.low, gap.high) == (0.5, 0.5, 0.5)


def test_phantoms_differ_in_protocol(bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.lesions, "chest", lambda seed, **settings: (seed, settings))
    made = list(bench.lesions.phantoms(40, 7))
    assert [seed for seed, _ in made] == list(range(7, 47))
    assert {settings["spacing"][0] for _, settings in made} == {1.25, 2.0, 2.5}
    assert {settings["kernel"] for _, settings in made} == {"soft", "sharp"}
    assert made == list(bench.lesions.phantoms(40, 7))


def test_volumes_become_slices_with_labels_and_patients(bench: SimpleNamespace, tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        volume, mask = np.random.default_rng(0).random((12, 9, 8)).astype(np.float32), np.zeros((12, 9, 8), np.uint8)
        volume[0], mask[4:6] = 0, 1  # the first slice shows nothing
        (tmp_path / name).mkdir()
        for file, values in (("flair.nii", volume), ("seg.nii", mask)):
            save_nifti(tmp_path / name / file, values, np.eye(4))
    made = bench.sets.volumes(tmp_path, tmp_path, Namespace(image="flair.nii", mask="seg.nii", every=2))
    assert made.frame["label"].tolist() == ["0", "1", "0", "0", "0"] * 2
    assert made.frame["patient"].tolist() == ["ann"] * 5 + ["bob"] * 5
    file, _, at = made.frame["scan"].iloc[1].partition("#images/")
    with np.load(file) as stored:
        assert stored["images"].shape == (5, 9, 8) and at == "1"
    assert not made.rejects


def test_two_levels_and_their_gap(bench: SimpleNamespace) -> None:
    patient = np.repeat(["a", "b", "c", "d"], 5)
    truth = np.repeat([0.0, 1.0, 0.0, 1.0], 5)
    estimate = np.array([1, 1, 1, 1, 6, 9, 9, 9, 9, 1, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4]) / 10
    made = bench.scores.levels(truth, estimate, patient, np.arange(20))
    assert made["patients"]["auroc"]["value"] == 1.0 and made["patients"]["auroc"]["n"] == 4
    above = sum((b > a) + 0.5 * (b == a) for a in estimate[truth == 0] for b in estimate[truth == 1]) / 100
    assert made["slices"]["auroc"]["value"] == pytest.approx(above)
    assert made["gap"]["auroc"] == pytest.approx(above - 1.0)


def test_patients_of_one_class_have_no_score(bench: SimpleNamespace) -> None:
    truth = np.tile([0.0, 1.0, 1.0], 4)  # every patient has positive slices
    made = bench.scores.levels(truth, truth * 0.6 + 0.2, np.repeat(list("abcd"), 3), np.arange(12))
    assert made["slices"]["auroc"]["value"] == 1.0
    assert made["patients"]["auroc"]["reason"] == "only one class was measured" and made["gap"]["auroc"] is None
    some = bench.scores.levels(
        truth, np.array([0.2, 0.2, 0.8, 0.8]), np.repeat(list("abcd"), 3), np.array([0, 3, 4, 5])
    )
    assert some["patients"]["auroc"]["value"] is None  # of patient a only a negative slice is asked
    found = {"brains": {"slices": 12, "resnet18": {"patients apart": made, "cpu_seconds": 1.0}}}
    assert "| 1.000 (1.000 to 1.000) | none (only one class was measured) |" in bench.scores.table(found)
