from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from molgraph.rooms.protein.draw import MOST_CELLS, draw

SVG = "{http://www.w3.org/2000/svg}"
UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


def cells(picture: str) -> int:
    """Count cells: runs of one colour are one shape."""
    shapes = [
        (float(r.get("width", 0)), float(r.get("height", 0)) + 0.5) for r in fromstring(picture).iter(f"{SVG}rect")
    ]
    return sum(round(width / side) for width, side in shapes)


@pytest.mark.parametrize("length", [1, 7, 60, 61, 789, MOST_CELLS, MOST_CELLS + 1, 35_000])
def test_every_residue_has_a_place_inside_the_picture(length: int) -> None:
    picture = draw((UBIQUITIN * 500)[:length], width=240, height=160)
    each = -(-length // MOST_CELLS)
    assert cells(picture) == -(-length // each)
    for shape in fromstring(picture).iter(f"{SVG}rect"):
        assert float(shape.get("x", 0)) + float(shape.get("width", 0)) <= 240
        assert float(shape.get("y", 0)) + float(shape.get("height", 0)) <= 160
    assert f"{length:,} residue" in picture
    assert len(picture) < 80_000


def test_short_ones_have_letters() -> None:
    assert ">MKTAY<" in draw("MKTAY")
    assert ">MQ" not in draw(UBIQUITIN)


def test_highlights_are_orange_above_and_blue_below_zero() -> None:
    picture = draw("MKTAY", highlight={0: 2.0, 3: -1.0})
    styles = [(r.get("fill"), r.get("fill-opacity")) for r in fromstring(picture).iter(f"{SVG}rect")]
    assert styles == [("#e67300", "1"), ("#eee", None), ("#3373cc", "0.5"), ("#eee", None)]
    assert draw("MKTAY", highlight={0: 0.0}).count("#eee") == 1


@pytest.mark.parametrize("key", ["", "0.1 0.2 <&>", "MK1"])
def test_what_is_no_sequence_is_said(key: str) -> None:
    picture = draw(key)
    fromstring(picture)
    assert "no sequence" in picture
