"""Which elements a molecule holds: of one that no training molecule has, a model has learnt nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

# an atom in brackets (isotope, then the symbol, lower case where it is aromatic), or one of the organic subset
ATOM = re.compile(r"\[\d*([A-Z][a-z]?|[a-z][a-z]?)[^\]]*\]|(Cl|Br|[BCNOPSFI]|[bcnops])")
AROMATIC = {"b", "c", "n", "o", "p", "s", "se", "as", "te", "si"}


def elements(keys: Sequence[str]) -> list[frozenset[str]]:
    """Return the symbols of the elements in each SMILES; hydrogen, which most leave out, is left out.

    See: OpenSMILES, http://opensmiles.org/opensmiles.html (3.1 atoms)

    >>> sorted(elements(["N[Pt](N)(Cl)Cl"])[0]), sorted(elements(["c1c[nH]cc1[Si](C)(C)C"])[0])
    (['Cl', 'N', 'Pt'], ['C', 'N', 'Si'])
    """
    return [frozenset(_symbol(*atom) for atom in set(ATOM.findall(key))) - {"H"} for key in keys]


def _symbol(bracket: str, organic: str) -> str:
    symbol = organic or bracket
    if symbol[0].islower() and symbol not in AROMATIC:  # the hydrogens of [nH] are upper case: a letter too many
        symbol = symbol[0]
    return symbol.capitalize()
