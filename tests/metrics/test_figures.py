"""Numbers are written with the digits that say something, tiny and huge ones too."""

from __future__ import annotations

import pytest

from molgraph.kinds import Number
from molgraph.metrics import compare
from molgraph.metrics.figures import alike, decimal, figure, figures
from molgraph.metrics.levels import Level, level_sentence
from molgraph.metrics.scores import Score
from molgraph.predictor.card import interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1e-9, "1e-09"), (1.2345e-9, "1.23e-09"), (0.00012345, "0.000123"), (0.9996, "1"), (7.0, "7"),
        (999.6, "1000"), (1234.5, "1230"), (-91783.2, "-91800"), (999999.0, "1e+06"), (3.2e7, "3.2e+07"),
    ],
)  # fmt: skip
def test_three_digits_say_enough_of_one_number(value: float, text: str) -> None:
    assert figure(value) == text
    assert float(figure(value)) == pytest.approx(value, rel=0.006)


def test_numbers_beside_each_other_are_told_apart() -> None:
    assert figures(10000005.48, 10000002.0, 10000009.0) == ["10000005.5", "10000002", "10000009"]
    assert figures(0.9991, 0.9985, 0.9996) == ["0.9991", "0.9985", "0.9996"]
    assert figures(5.0, 5.0, 5.0) == ["5", "5", "5"]
    for scale in (1e-30, 1e-9, 1.0, 3.2e7, 1e30):
        low, high = (float(text) for text in figures(scale * 1.001, scale * 1.0015))
        assert low < high


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-3, 1.0, 3.2e7, 1e12])
def test_no_score_is_shown_as_nothing(scale: float) -> None:
    score = {"value": scale, "low": 0.9 * scale, "high": 1.2 * scale, "reason": None, "n": 9}
    text = interval(score)
    assert [float(part) for part in text.rstrip(")").replace("(", "to ").split(" to ")] == pytest.approx(
        [scale, 0.9 * scale, 1.2 * scale], rel=0.006
    )
    one = Score(scale, None, None, None, 9)
    said = level_sentence("RMSE", "patient", Level("rmse", one, one, one, scale / 9, None, None, 3, 0).to_json())
    assert " 0.000" not in said or scale == 1e-3


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1.0, 3.2e7])
def test_a_verdict_shows_what_it_is_by(scale: float) -> None:
    truth = [scale * each for each in range(30)]
    near = [value + scale * 0.1 * (-1) ** at for at, value in enumerate(truth)]
    far = [value + scale * 0.4 * (-1) ** at for at, value in enumerate(truth)]
    found = compare(Number.family, truth, near, far, "rmse")
    words = found.sentence.replace(",", " ").replace(")", " ").replace(".\n", " ").split()
    numbers = [float(words[words.index(word) + 1]) for word in ("RMSE", "against", "(difference", "interval", "to")]
    assert numbers == pytest.approx([0.1 * scale, 0.4 * scale, -0.3 * scale, -0.3 * scale, -0.3 * scale], rel=0.05)


def test_a_clear_difference_does_not_look_like_none() -> None:
    show = alike(0.8123, -0.0004, -0.0001)
    assert (show(-0.0004), show(-0.0001)) == ("-0.0004", "-0.0001")
    assert alike(0.8123, -0.0004, 0.0001)(0.0001) == "0.000", "an interval that holds 0 may show it"
    assert (decimal(0.0004), decimal(0.25), decimal(1.234e-12, 2)) == ("0.0004", "0.250", "1.23e-12")
