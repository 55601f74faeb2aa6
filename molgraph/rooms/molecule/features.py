"""A chunk of texts to arrays: what one process does, without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molgraph.data.endable import step
from molgraph.rooms.molecule.descriptors import DESCRIPTORS, descriptors
from molgraph.rooms.molecule.fingerprints import BITS, COUNTS, ERG, avalon_counts, ecfp_counts, erg, morgan_bits
from molgraph.rooms.molecule.graphs import Graphs, from_texts
from molgraph.rooms.molecule.standardise import (
    Refusal,
    parse,
    refused_molecule,
    refused_unread,
    standardised,
    why_refused,
)
from molgraph.rooms.molecule.tokens import token_codes

GRAPH, TOKEN = "graph", "tokens"
NONE = -1
AT_ONCE = 64
NO_GRAPH = Refusal("invalid_smiles", "RDKit reads it, but no graph came of it")

# name -> (rows for molecules, what the schema says of them)
WHOLE: dict[str, tuple[Callable[[Sequence[Chem.Mol]], NDArray[Any]], list[int]]] = {
    "fingerprint": (morgan_bits, [BITS // 8]),
    "descriptors": (descriptors, [len(DESCRIPTORS)]),
    "ecfp": (ecfp_counts, [COUNTS]),
    "avalon": (avalon_counts, [COUNTS]),
    "erg": (erg, [ERG]),
}
FEATURES = (GRAPH, TOKEN, *WHOLE)


@dataclass(frozen=True)
class Featurised:
    """Hold what became of n texts.

    Shapes: `index` int64 [n], the number of a key or -1; `keys` P distinct keys; `refused` per text of -1; `said` of a
    text how it was read;
    `whole[name]` [P, D]; `graphs` of P molecules and `tokens`, uint8 [L] for each, where they were asked for.
    """

    index: NDArray[np.int64]
    keys: list[str]
    refused: dict[int, Refusal]
    whole: dict[str, NDArray[Any]]
    graphs: Graphs | None
    tokens: list[NDArray[np.uint8]] | None
    said: dict[int, str] = field(default_factory=dict)


def featurise(texts: Sequence[str], needs: Sequence[str], rules: int, max_atoms: int) -> Featurised:
    """Bring texts to keys by these rules (0: their own words) and make the features of every distinct key.

    Features are made from the key alone, so they depend neither on how a compound was written nor on what else is in
    the file. Graphs alone of texts as they are cost one parse each.
    """
    with rdBase.BlockLogs():
        keys = _Keys()
        for text in map(str.strip, texts):
            step("reading and standardising")
            if rules:
                keys.add_standardised(text, max_atoms, rules)
            else:
                keys.add_as_written(text, max_atoms)
        return _features(keys, needs, max_atoms)


@dataclass
class _Keys:
    """Collect distinct keys; `mols[i]` is the molecule read from the very text of key i, where there is one yet."""

    index: list[int] = field(default_factory=list)
    number: dict[str, int] = field(default_factory=dict)
    mols: list[Chem.Mol | None] = field(default_factory=list)
    refused: dict[int, Refusal] = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)

    def add_standardised(self, text: str, max_atoms: int, rules: int) -> None:
        made = standardised(text, max_atoms, rules)
        if isinstance(made, Refusal):
            self._refuse(made)
        else:
            if made.said:
                self.said[len(self.index)] = made.said
            self._add(made.key, made.mol if made.key == text else None)

    def add_as_written(self, text: str, max_atoms: int) -> None:
        refusal = refused_unread(text, max_atoms)
        if refusal:
            self._refuse(refusal)
        else:
            self._add(text, None)

    def _add(self, key: str, mol: Chem.Mol | None) -> None:
        number = self.number.setdefault(key, len(self.mols))
        if number == len(self.mols):
            self.mols.append(mol)
        elif mol is not None:
            self.mols[number] = mol
        self.index.append(number)

    def _refuse(self, refusal: Refusal) -> None:
        self.refused[len(self.index)] = refusal
        self.index.append(NONE)


def rows(name: str, mols: Sequence[Chem.Mol]) -> NDArray[Any]:
    """Return one of the features of whole molecules, a few at a time, so that it is seen that work goes on."""
    made = []
    for start in range(0, max(1, len(mols)), AT_ONCE):
        step(name)
        made.append(WHOLE[name][0](mols[start : start + AT_ONCE]))
    return made[0] if len(made) == 1 else np.concatenate(made)


def _features(keys: _Keys, needs: Sequence[str], max_atoms: int) -> Featurised:
    texts = list(keys.number)
    good = np.ones(len(texts), dtype=bool)
    made, mols = None, []
    if GRAPH in needs:
        step("graph")
        made = from_texts(texts)
        good &= (made.atoms > 0) & (made.atoms <= max_atoms) & ~made.placeholder
    names = [name for name in WHOLE if name in needs]
    if names or TOKEN in needs or not needs:
        mols = [parse(text) if mol is None else mol for text, mol in zip(texts, keys.mols, strict=True)]
        fine = (mol is not None and refused_molecule(mol, max_atoms) is None for mol in mols)
        good &= np.fromiter(fine, dtype=bool, count=len(mols))
    number = np.append(np.where(good, np.cumsum(good) - 1, NONE), NONE)
    index = np.array(keys.index, dtype=np.int64)
    for at in np.flatnonzero((index != NONE) & (number[index] == NONE)):
        keys.refused[int(at)] = why_refused(texts[index[at]], max_atoms) or NO_GRAPH
    mols = [mol for mol, fine in zip(mols, good, strict=False) if fine]
    texts = [text for text, fine in zip(texts, good, strict=True) if fine]
    return Featurised(
        number[index],
        texts,
        keys.refused,
        {name: rows(name, mols) for name in names},
        made.take(good) if made is not None else None,
        token_codes(texts) if TOKEN in needs else None,
        keys.said,
    )
