"""Data of an SDF: nothing is lost, no column is invented; relative stereo stays relative."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem

from molgraph.rooms.molecule.read import read
from molgraph.rooms.molecule.sdf import record
from molgraph.rooms.molecule.standardise import Refusal, standardised
from molgraph.rooms.molecule.write import SDF

ETHANOL = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))


def data(text: str) -> dict[str, str]:
    return record(ETHANOL + text).tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("> <foo>\ndocked\n\ndocked again\n\n> <p>\n5\n\n", {"foo": "docked\n\ndocked again", "p": "5"}),
        ("> <note>\nline\n\n> 90 % at 10 uM\n\n> <p>\n5\n", {"note": "line\n\n> 90 % at 10 uM", "p": "5"}),
        ("> <note>\n> 50 % inhibition\nmore\n\n", {"note": "> 50 % inhibition\nmore"}),
        ("> <note>\nx\n\n>5 uM\n\n>10 < 20 uM\n\n> <p>\n6\n\n", {"note": "x\n\n>5 uM\n\n>10 < 20 uM", "p": "6"}),
        ("> <a>\n1\n> <b>\n2\n>  <c>  (7)\n3\n", {"a": "1", "b": "2", "c": "3"}),
        (">  <a>\n1\n\n>  <>\n2\n\n>  <c>\n3\n\n", {"a": "1", "unnamed": "2", "c": "3"}),
        ("> <a>\n\n> <b>\n\n\n\n> <c>\nlast", {"a": "", "b": "", "c": "last"}),
        ("> DT12\n7\n\n> 55 (MD-08974) <BOILING.POINT> DT12\n281\n\n", {"DT12": "7", "BOILING.POINT": "281"}),
        ("> <a>\n1\n\n> <a>\n2\n\n", {"a": "1\n2"}),
        ("> <x > y>\n1\n\n> <ID\n2\n\n", {"x > y": "1", "ID": "2"}),
        ("> <a>\n  two  \n \n\n\n", {"a": "  two  "}),
    ],
)
def test_data_items(text: str, tags: dict[str, str]) -> None:
    assert data(text) == tags
    assert data(text.replace("\n", "\r\n")) == tags


@pytest.mark.parametrize("end", [" M  END\n", "M  END  \n", "\nM  END\n", "\tM END\n", "\n \nM  END\n"])
def test_the_end_of_a_mol_block_may_be_untidy(end: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sdf"
    text = ETHANOL.replace("M  END\n", end) + "> <p>\n5\n\n$$$$  \n" + ETHANOL + "$$$$\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    (table,) = read(path)
    assert (table.texts, table.frame["p"].tolist(), table.broken) == (["CCO", "CCO"], ["5", ""], {})


RELATIVE = "C[C@H](F)[C@H](O)c1ccccc1 |o1:3,&1:1|"


def test_relative_stereo_stays_relative_through_files(tmp_path: Path) -> None:
    path = tmp_path / "a.sdf"
    handle = io.BytesIO()
    SDF(handle, column="smiles").write(pd.DataFrame({"smiles": [RELATIVE, "C[C@@H](O)F"]}))
    path.write_bytes(handle.getvalue())
    (table,) = read(path)
    assert table.texts == [RELATIVE, "C[C@@H](O)F"]
    assert "MDLV30/STERAC1" in path.read_text(encoding="utf-8") and "V2000" in path.read_text(encoding="utf-8")
    (memory,) = read([Chem.MolFromSmiles(RELATIVE)])
    assert memory.texts == [RELATIVE]


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        (RELATIVE, "CC(F)C(O)c1ccccc1", "relative stereo (one isomer, not known which and racemic)"),
        ("C[C@H](F)O |&1:1|", "CC(O)F", "relative stereo (racemic): scored without the stereo of these centres"),
        ("C[C@@H](F)O |o1:1|", "CC(O)F", "relative stereo (one isomer, not known which)"),
        ("C[C@H](F)[C@@H](C)O |&1:1,3|", "C[C@H](F)[C@@H](C)O", "scored as one of the mirror images"),
        ("C[C@@H](F)[C@H](C)O |&1:1,3|", "C[C@H](F)[C@@H](C)O", "scored as one of the mirror images"),
        ("C[C@H](F)O |a:1|", "C[C@@H](O)F", ""),
        ("CCC(C)F.Cl |&1:0|", "CCC(C)F", "left out hydrogen chloride"),
    ],
)
def test_relative_stereo_is_no_enantiomer(text: str, key: str, said: str) -> None:
    made = standardised(text)
    assert not isinstance(made, Refusal)
    assert made.key == Chem.CanonSmiles(key) and (said in made.said if said else not made.said)


def test_a_tag_given_twice_and_once_empty_begins_with_no_blank_line() -> None:
    assert data("> <ID> (2)\n\n> <ID>\n8\n") == {"ID": "8"}
    assert data("> <ID>\n8\n\n> <ID>\n\n") == {"ID": "8"}
