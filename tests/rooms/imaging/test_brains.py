from __future__ import annotations

import numpy as np

from molgraph.rooms.imaging.brains import SIZE, brains


def test_slices_come_with_patient_class_and_scanner() -> None:
    made = brains(0, 6, 5)
    assert made.slices.shape == made.tumour.shape == (30, SIZE, SIZE)
    assert made.patient.tolist() == np.repeat(np.arange(6), 5).tolist()
    labels = made.label.reshape(6, 5)
    assert (labels == labels[:, :1]).all() and labels[:, 0].sum() == 3
    again = brains(0, 6, 5)
    assert np.array_equal(made.slices, again.slices) and np.array_equal(made.site, again.site)


def test_the_texture_of_the_tumour_tells_the_class_where_there_is_a_signal() -> None:
    told, untold = (brains(1, 20, 6, signal=signal, noise=0.0) for signal in (1.0, 0.0))
    assert _gap(told) > 1.5 and abs(_gap(untold)) < 0.6


def _gap(made) -> float:  # type: ignore[no-untyped-def]
    """Return how far the classes lie apart in the grain of the tumour, in standard deviations between patients."""
    grain = []
    for patient in range(20):
        mine = made.patient == patient
        steps = np.diff(made.slices[mine], axis=2)[made.tumour[mine][:, :, 1:] > 0]
        grain.append(steps.std() / made.slices[mine][made.tumour[mine] > 0].std())
    values, labels = np.array(grain), made.label[::6]
    return float((values[labels == 0].mean() - values[labels == 1].mean()) / values[labels == 0].std())


def test_the_shortcut_ties_the_scanner_to_the_class() -> None:
    tied, free = brains(2, 200, 1, shortcut=1.0), brains(2, 200, 1, shortcut=0.0)
    assert (tied.site == tied.label).all()
    assert 0.35 < (free.site == free.label).mean() < 0.65
    mark = tied.slices[:, 2:5, 2:8].mean((1, 2))
    assert mark[tied.site == 1].min() > mark[tied.site == 0].max()


def test_a_core_darkens_the_middle_of_one_class_only() -> None:
    plain, cored = brains(3, 8, 4, signal=0.0, noise=0.0), brains(3, 8, 4, signal=0.0, core=0.5, noise=0.0)
    darker = plain.slices - cored.slices
    assert not darker[cored.label == 0].any()
    spots = darker[cored.label == 1].max((1, 2))
    assert spots.min() > 0.45 and spots.max() < 0.65, "half of white matter, times the scanner's brightness"
    assert not (darker > 0.25)[cored.tumour == 0].any()
