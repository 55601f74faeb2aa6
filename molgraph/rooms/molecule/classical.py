"""Classical descriptors: few enough to stand in an equation that a person can read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors

from molgraph.data.room import Descriptors
from molgraph.rooms.molecule.properties import PROPERTIES

# size, polarity, hydrogen bonds, flexibility and aromaticity, as in the equations of Delaney 2004 (solubility), doi
# 10.1021/ci034243x, Veber 2002 (bioavailability), doi 10.1021/jm020017n, Ritchie 2009, doi 10.1016/j.drudis.2009.07.014
_OF = {name: PROPERTIES[name].of for name in ("logp", "mw", "tpsa", "hbd", "hba", "rotatable_bonds")}
_OF["aromatic_rings"] = rdMolDescriptors.CalcNumAromaticRings


def classical(keys: Sequence[str]) -> NDArray[np.float64]:
    """Return the classical descriptors of molecules, NaN where there is no molecule.

    Shapes: float64 [n, 7].

    >>> classical(["c1ccccc1O"]).round(2).tolist()
    [[1.39, 94.11, 20.23, 1.0, 1.0, 0.0, 1.0]]
    """
    found = np.full((len(keys), len(_OF)), np.nan)
    with rdBase.BlockLogs():
        for at, key in enumerate(keys):
            molecule = Chem.MolFromSmiles(key) if key else None
            if molecule is not None:
                found[at] = [of(molecule) for of in _OF.values()]
    return found


CLASSICAL = Descriptors(
    ("logP", "weight", "TPSA", "donors", "acceptors", "rotatable bonds", "aromatic rings"), classical
)
