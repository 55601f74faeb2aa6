"""Pictures that are small, valid and say what they cannot show."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pandas as pd
import pytest

from molgraph.rooms.molecule.draw import MOST_ATOMS, draw

ODD = [
    "C",
    "[Na+].[Cl-]",
    "C[C@H](N)C(=O)O",
    "F/C=C/F",
    "[2H]C([2H])([2H])O",
    "CC~CC",
    "*c1ccccc1",
    "[Cu+2].[O-]S([O-])(=O)=O",
    "C1CC1->[Pt]",
]


def test_pictures_of_a_series_are_small_and_valid(chembl: pd.DataFrame) -> None:
    pictures = [draw(key) for key in chembl.smiles[:100]]
    for picture in pictures:
        root = fromstring(picture)
        assert root.get("viewBox") == "0 0 240 160"
        assert {child.tag.rpartition("}")[2] for child in root} <= {"path", "g", "ellipse"}
    assert sum(map(len, pictures)) / len(pictures) < 3000


@pytest.mark.parametrize("key", ODD)
def test_odd_molecules_are_drawn(key: str) -> None:
    assert "no structure" not in draw(key) and len(list(fromstring(draw(key)).iter())) > 1


def test_letters_and_bonds_are_kept() -> None:
    root = fromstring(draw("CCO"))
    assert "".join(root.itertext()) == "OH"
    (path,) = (child for child in root if child.tag.endswith("path"))
    assert path.get("d", "").count("M") >= 2


@pytest.mark.parametrize(("key", "text"), [("", "no structure"), ("a<b>&c", "no structure"), ("C1CC", "no structure")])
def test_what_cannot_be_drawn_says_so(key: str, text: str) -> None:
    assert "".join(fromstring(draw(key)).itertext()) == text + key


def test_a_giant_is_not_laid_out() -> None:
    assert f"{MOST_ATOMS + 1} atoms" in draw("C" * (MOST_ATOMS + 1))
    assert "atoms" not in draw("C" * MOST_ATOMS)


def test_size_is_the_callers() -> None:
    root = fromstring(draw("CCO", width=100, height=50))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("100", "50", "0 0 100 50")


def test_highlight_colours_by_sign_and_strength() -> None:
    picture = draw("CCO", highlight={0: -0.5, 1: 0.0, 2: 1.0})
    blue, orange = (child.get("fill") for child in fromstring(picture) if child.tag.endswith("ellipse"))
    assert orange == "#E5720C" and blue == "#99B8E5"  # full colour for the largest, half mixed with white
    assert draw("CCO", highlight={0: 0.0}) == draw("CCO", highlight={}) == draw("CCO")
