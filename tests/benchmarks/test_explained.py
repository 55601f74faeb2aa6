"""The script behind docs/explained.png: its figure and its table."""

from __future__ import annotations

from PIL import Image

from molgraph.workflows.explain import Explained


def test_the_figure_has_a_column_for_each_method() -> None:
    from explained import GAP, HEAD, METHODS, SIDE, figure

    shades = {name: [Image.new("RGB", (28 * at, 28), (0, 0, 80 * at)) for at in (1, 2)] for name in METHODS}
    made = figure({"chest X-ray": [Image.new("L", (28, 28), 200)], **shades})
    assert made.size == (4 * SIDE + 3 * GAP, HEAD + 2 * SIDE + GAP)
    assert made.getpixel((SIDE // 2, HEAD + 5)) == (200, 200, 200)
    assert made.getpixel((SIDE // 2, HEAD + SIDE + GAP + 5)) == (255, 255, 255), "there is no second X-ray"
    assert made.getpixel((SIDE + GAP + 5, HEAD + SIDE + GAP + 5)) == (0, 0, 160)


def test_the_table_says_what_has_no_mean() -> None:
    from explained import table

    means = {"correlation_with_random_weights": None, "deletion": 0.4599, "deletion_in_random_order": 0.885}
    assert table({"gradcam": Explained(6, 6, means, ())}).endswith("| `gradcam` | none | 0.460 | 0.885 |")
