"""The picture of a record: its fields in words."""

from __future__ import annotations

from xml.etree import ElementTree

from molgraph.rooms.disease.draw import draw


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


def test_fields_stand_below_each_other() -> None:
    assert words(draw("age = 63; sex = <f>")) == ["age = 63", "sex = <f>"]


def test_what_there_is_no_room_for_is_counted() -> None:
    svg = words(draw("; ".join(f"field {at} = {at}" for at in range(30)), height=76))
    assert len(svg) == 5 and svg[-1] == "and 26 more"


def test_a_long_line_is_cut() -> None:
    (line,) = words(draw("a" * 100, width=100))
    assert line.endswith("…") and len(line) == 14
