"""When two molecules are the same thing."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem, rdBase

from molgraph.rooms.molecule.hard import within


def identity(keys: Sequence[str]) -> list[str]:
    """Return the InChIKey of each molecule: equal for one compound, however its SMILES was written.

    Standard InChI also merges mobile-hydrogen tautomers. Where InChI cannot name a molecule (1,024 atoms and
    more, odd valences) its canonical SMILES stands in; where RDKit cannot read it, the text itself.

    See: https://doi.org/10.1186/s13321-015-0068-4

    >>> identity(["OC(C)=O", "CC(O)=O", "nonsense"])
    ['QTBSBXVTEAMEQO-UHFFFAOYSA-N', 'QTBSBXVTEAMEQO-UHFFFAOYSA-N', 'nonsense']
    """
    with rdBase.BlockLogs():
        return [within(_identity, key, instead=key) for key in keys]


def _identity(key: str) -> str:
    molecule = Chem.MolFromSmiles(key)
    if molecule is None or not molecule.GetNumAtoms():
        return key
    return str(Chem.MolToInchiKey(molecule) or Chem.MolToSmiles(molecule))
