from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from molgraph.metrics import froc
from molgraph.metrics.froc import RATES

Boxes = list[list[float]]


def ball(x: float, y: float, z: float, side: float = 4.0) -> list[float]:
    return [x - side / 2, y - side / 2, z - side / 2, x + side / 2, y + side / 2, z + side / 2]


TRUTH: list[Boxes] = [[ball(0, 0, 0), ball(20, 0, 0)], [ball(0, 0, 0, 10)], []]
FOUND: list[Boxes] = [[ball(1, 0, 0), ball(50, 0, 0), ball(1, 1, 0)], [ball(0, 0, 6), ball(0, 0, 4)], [ball(9, 9, 9)]]
SCORES = [[0.9, 0.8, 0.95], [0.85, 0.3], [0.1]]


def test_a_curve_by_hand() -> None:
    # from the top: 0.95 hits, 0.9 hits the same lesion, 0.85 is 6 mm off a radius of 5, 0.8 false, 0.3 hits, 0.1 false
    found = froc(TRUTH, FOUND, SCORES, bootstrap=0)
    assert found.false_positives.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 2 / 3, 1])
    assert found.found.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3])
    values = [found.sensitivity[rate].value for rate in RATES]
    assert values == pytest.approx([1 / 3, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 2 / 3, 2 / 3])
    assert found.mean.value == pytest.approx(np.mean(values)) and found.mean.n == 3


def test_between_thresholds_the_curve_is_a_line() -> None:
    truth: list[Boxes] = [[ball(0, 0, 0)], [ball(0, 0, 0)]]
    boxes = [[ball(0, 0, 0), ball(9, 9, 9)], [ball(0, 0, 0)]]
    scores = [[0.5, 0.5], [0.5]]  # one threshold: both lesions and one false positive at once
    found = froc(truth, boxes, scores, rates=[0.25, 0.5, 8], bootstrap=0)
    assert [s.value for s in found.sensitivity.values()] == pytest.approx([0.5, 1.0, 1.0])


def test_the_order_of_scans_and_boxes_does_not_matter() -> None:
    turned = froc(TRUTH[::-1], [boxes[::-1] for boxes in FOUND[::-1]], [s[::-1] for s in SCORES[::-1]], bootstrap=0)
    assert turned.to_json() == froc(TRUTH, FOUND, SCORES, bootstrap=0).to_json()


def test_overlap_can_decide_instead_of_the_centre() -> None:
    truth: list[Boxes] = [[ball(0, 0, 0)]]
    beside = [[ball(3, 0, 0)]]  # the centre lies outside; a quarter overlaps: 16 / (64 + 64 - 16)
    assert froc(truth, beside, [[1.0]], bootstrap=0).mean.value == 0.0
    assert froc(truth, beside, [[1.0]], rule="iou", iou=0.14, bootstrap=0).mean.value == 1.0
    assert froc(truth, beside, [[1.0]], rule="iou", iou=0.15, bootstrap=0).mean.value == 0.0


def test_lesions_that_do_not_count_are_neither_found_nor_missed() -> None:
    counted = [[False, True], [True], []]
    found = froc(TRUTH, FOUND, SCORES, counted=counted, bootstrap=0)
    assert found.mean.n == 2
    assert found.false_positives[-1] == 1.0 and found.found[-1] == 0.5  # hits on the other are no false positives


def test_the_interval_is_that_of_a_share() -> None:
    random = np.random.default_rng(0)
    hit = random.random(600) < 0.7
    boxes: list[Any] = [[ball(0, 0, 0)] if h else [] for h in hit]
    found = froc([[ball(0, 0, 0)]] * 600, boxes, [[1.0] * len(b) for b in boxes]).sensitivity[1.0]
    half = 1.96 * np.sqrt(hit.mean() * (1 - hit.mean()) / 600)
    assert found.value == pytest.approx(hit.mean())
    assert (found.low, found.high) == pytest.approx((hit.mean() - half, hit.mean() + half), abs=0.2 * half)


def test_nothing_found_and_nothing_to_find() -> None:
    assert froc(TRUTH, [[], [], []], [[], [], []]).mean.value == 0.0
    none = froc([[], []], [[ball(0, 0, 0)], []], [[1.0], []]).mean
    assert none.value is None and none.reason == "there is no lesion to find"


@pytest.mark.parametrize(
    ("box", "scores", "said"),
    [
        (ball(0, 0, 0), [], "1 boxes, 0 scores"),
        (ball(0, 0, 0), [np.nan], "finite"),
        ([0, 0, 0, 1, -1, 1], [1.0], "ends before"),
    ],
)
def test_what_does_not_fit_is_refused(box: list[float], scores: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        froc([[ball(0, 0, 0)]], [[box]], [scores])
