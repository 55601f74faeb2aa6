"""SMILES as tokens: elements, bonds, brackets, ring numbers, each with a code that never changes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ELEMENTS = """
H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru
Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At
Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
_AROMATIC = "b c n o p s se as te si"
_SIGNS = r"- = # $ : / \ . ( ) [ ] + @ @@ * % ~ -> <- 0 1 2 3 4 5 6 7 8 9"
OTHER = 0  # the code of any other character

# What tokens mean: http://opensmiles.org/opensmiles.html
TOKENS = ("", *_ELEMENTS.split(), *_AROMATIC.split(), *_SIGNS.split())
_CODE = {token: code for code, token in enumerate(TOKENS)}
_INSIDE = re.compile(r"[A-Z][a-z]?|se|as|te|si|@@|.")
_TOKEN = re.compile(r"(\[[^\]]*\]?)|Cl|Br|->|<-|.")


def tokens_of(smiles: str) -> list[str]:
    """Cut a SMILES into tokens; in brackets and out of them an element is one token, and a digit always one.

    >>> tokens_of("[nH]1cc(Cl)c2[C@@H]1C2"), tokens_of("CN[Co]")
    (['[', 'n', 'H', ']', '1', 'c', 'c', '(', 'Cl', ')', 'c', '2', '[', 'C', '@@', 'H', ']', '1', 'C', '2'],
     ['C', 'N', '[', 'Co', ']'])
    """
    found: list[str] = []
    for match in _TOKEN.finditer(smiles):
        found += _INSIDE.findall(match[0]) if match[1] else [match[0]]
    return found


def token_codes(smiles: Sequence[str]) -> list[NDArray[np.uint8]]:
    """Return the codes of each SMILES, uint8 [L]; what follows a space (names, CXSMILES) is no SMILES."""
    return [
        np.array([_CODE.get(token, OTHER) for token in tokens_of(text.partition(" ")[0])], np.uint8) for text in smiles
    ]
