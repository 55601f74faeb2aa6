"""What is no single molecule is refused by name; no part of a CXSMILES is dropped without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from molgraph.rooms.molecule.prepare import prepare
from molgraph.rooms.molecule.read import read
from molgraph.rooms.molecule.standardise import Refusal, standardised


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("CC |Sg:n:0,1::ht|", "polymer", "a repeat unit (Sg:n)"),
        ("CC |Sg:n:0,1::ht:::,&1:0|", "polymer", "a repeat unit"),
        ("C=C |Sg:mon:0,1::|", "polymer", "a monomer"),
        ("CCCO |Sg:ran:0,1,2,3::|", "polymer", "a copolymer"),
        ("CCCO |Sg:xl:0,1::|", "polymer", "crosslinked"),
        ("CC1CCCCC1C |m:7:1.2.3|", "markush", "variable position"),
        ("CCCC |LN:1:1.3|", "markush", "a link node"),
        ("CCO |s:1:2,u:1|", "markush", "a query feature (s)"),
        ("c1ccccc1 |RG:_R1={C}|", "markush", "R-groups"),
        ("CCO |$_AP1;;$|", "dummy_atom", "atom 1 is an R-group or attachment point (_AP1)"),
        ("CCO* |$;;;_R1$|", "dummy_atom", "atom 4 is an R-group or attachment point (_R1)"),
        ("CCO |$;;Pol_p$|", "dummy_atom", "atom 3"),
        ("CC[C@H](F)O |&1:99|", "invalid_smiles", "'&1' names atom 99, the last is 4"),
        ("CC[C@H](F)O |o1:2,99|", "invalid_smiles", "'o1' names atom 99"),
        ("CC[C@H](F)O |a:5|", "invalid_smiles", "'a' names atom 5"),
        ("CC(F)O |w:9.0|", "invalid_smiles", "'w' names atom 9"),
        ("CC(F)O |wD:1.9|", "invalid_smiles", "'wD' names bond 9, the last is 2"),
        ("CC=CC |c:9|", "invalid_smiles", "'c' names bond 9"),
        ("CCO |^1:9|", "invalid_smiles", "'^1' names atom 9"),
        ("CCO |(0,0,0;1,1,0)|", "invalid_smiles", "coordinates of 2 atoms, the SMILES has 3"),
        ("CCO |(0,0,;1,1,;2,2,;3,3,)|", "invalid_smiles", "coordinates of 4 atoms"),
        ("CC(F)O |wU:1.0|", "invalid_smiles", "the wedge at atom 1 ('wU') means nothing without coordinates"),
        ("CCO |zzz|", "invalid_smiles", "the part 'zzz' of the CXSMILES is unknown"),
        ("CCO |&1:1,zzz|", "invalid_smiles", "the part 'zzz'"),
    ],
)
def test_a_cxsmiles_that_is_no_molecule_or_broken_is_refused(text: str, reason: str, words: str) -> None:
    for standardise in (True, False):
        (refused,) = prepare([text], ["graph"], standardise=standardise).rejects.values()
        assert refused.reason == reason and words in refused.message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("CCO |Sg:gen:0,1:|", "CCO"),
        ("CCO |SgD:2:pKa:15.9, in water:::|", "CCO"),
        ("CCO |$a;b;c$,atomProp:0.name.A|", "CCO"),
        ("CCO |lp:2:2|", "CCO"),
        ("CCO |^1:1|", "C[CH]O"),
        ("CC=CC |t:1|", "C/C=C/C"),
        ("CC=CC |ctu:1|", "CC=CC"),
        ("C[C@H](F)O |w:1.2|", "CC(F)O"),  # a wiggly bond: stereo that is not known
        ("C[C@H](F)O |wU:1.0|", "C[C@H](F)O"),
        ("CC(F)O |(0,0,;1,0,;2,0,;1,1,),wU:1.0|", "C[C@@H](O)F"),
        ("[H]C([H])(F)O |(0,0,;1,0,;2,0,;1,1,;1,2,),lp:3:3,4:2|", "OCF"),
        ("CC1=CC=CC=C1 |c:3,5,t:1|", "Cc1ccccc1"),
        ("CCCCCCO.Cl |f:0.1|", "CCCCCCO"),
    ],
)
def test_what_a_cxsmiles_says_is_kept(text: str, key: str) -> None:
    made = standardised(text)
    assert not isinstance(made, Refusal) and made.key == Chem.CanonSmiles(key)


@pytest.mark.parametrize(
    ("text", "key"), [("CC[C@H](F)O |r|", "CCC(O)F"), ("C[C@H](F)[C@H](O)CC |r|", "CC[C@@H](O)[C@H](C)F")]
)
def test_relative_stereo_of_the_whole_is_no_enantiomer(text: str, key: str) -> None:
    mirror = text.replace("@", "@@")
    made, other = standardised(text), standardised(mirror)
    assert not isinstance(made, Refusal) and not isinstance(other, Refusal)
    assert made.key == other.key and Chem.MolFromSmiles(key).HasSubstructMatch(Chem.MolFromSmiles(made.key))
    assert made.said.startswith("relative stereo (one isomer, not known which)")


CHAIN = """

  4  3  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.5000    0.0000    0.0000 C   0  0
    3.0000    0.0000    0.0000 O   0  0
    4.5000    0.0000    0.0000 C   0  0
  1  2  1  0
  2  3  1  0
  3  4  1  0
"""
S_GROUP = "M  STY  1   1 {}\nM  SLB  1   1   1\nM  SAL   1  2   2   3\nM  SBL   1  2   1   3\nM  SMT   1 2\n"
DATA = "M  SDT   1 pKa\nM  SDD   1     0.0000    0.0000    DR    ALL  1       6\nM  SED   1 4.2\n"
RING = """

  0  0  0     0  0            999 V3000
M  V30 BEGIN CTAB
M  V30 COUNTS 4 3 {groups} 0 0
M  V30 BEGIN ATOM
M  V30 1 C 0 0 0 0{atom}
M  V30 2 C 1.5 0 0 0
M  V30 3 O 3 0 0 0
M  V30 4 C 4.5 0 0 0
M  V30 END ATOM
M  V30 BEGIN BOND
M  V30 1 1 1 2
M  V30 2 1 2 3
M  V30 3 1 3 4{bond}
M  V30 END BOND
{more}M  V30 END CTAB
"""
S_GROUP_V3 = "M  V30 BEGIN SGROUP\nM  V30 1 {} 1 ATOMS=(2 2 3) XBONDS=(2 1 3) LABEL=n\nM  V30 END SGROUP\n"


def v3(atom: str = "", bond: str = "", more: str = "") -> str:
    return RING.format(groups=int("SGROUP" in more), atom=atom, bond=bond, more=more)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        *((CHAIN + S_GROUP.format(kind), "polymer") for kind in ("SRU", "MON", "COP", "ANY", "GRA")),
        (CHAIN + "M  APO  1   1   1\n", "dummy_atom"),
        *((v3(more=S_GROUP_V3.format(kind)), "polymer") for kind in ("SRU", "MON", "COP")),
        (v3(more="M  V30 LINKNODE 1 4 2 2 1 2 3\n"), "markush"),
        (v3(bond=" ENDPTS=(2 2 3) ATTACH=ANY"), "markush"),
        (v3(atom=" ATTCHPT=1"), "dummy_atom"),
        *((CHAIN + S_GROUP.format(kind), "") for kind in ("GEN", "SUP")),
        (CHAIN + S_GROUP.format("DAT") + DATA, ""),
        (v3(more=S_GROUP_V3.format("GEN")), ""),
    ],
)
def test_a_mol_block_that_is_no_molecule_is_refused(block: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sdf"
    path.write_text(f"one\n{block}M  END\n> <p>\n5\n\n$$$$\n", encoding="utf-8")
    (table,) = read(path)
    assert [broken.reason for broken in table.broken.values()] == ([reason] if reason else [])
    assert table.texts == ([""] if reason else ["CCOC"])


def test_a_polymer_in_memory_is_refused() -> None:
    (table,) = read(
        [Chem.MolFromSmiles("CC |Sg:n:0,1::ht|"), Chem.MolFromSmiles("CCCC |LN:1:1.3|"), Chem.MolFromSmiles("CC")]
    )
    assert [prepare([text], ["graph"]).rejects.get(0) is not None for text in table.texts] == [True, True, False]
