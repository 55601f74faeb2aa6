"""Gradient-boosted trees on counts of contacts and descriptors of the ligand."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.packed import Packed, owners
from molgraph.model.grower import Grower
from molgraph.rooms.binding.encoders.encoder import Complexes
from molgraph.rooms.binding.features import COMPLEX
from molgraph.rooms.binding.pocket import REACH
from molgraph.rooms.molecule.graphs import ATOM

_ELEMENTS = ATOM[0].values
OF_LIGAND = (6, 7, 8, 16, 15, 9, 17, 35, 53)  # the nine of RF-Score
OF_POCKET = (6, 7, 8, 16, 12, 20, 25, 30)  # its four, and the ions that bind most ligands: Mg, Ca, Mn, Zn
SHELLS = (0.0, 3.0, 4.0, 5.0, 6.0, REACH)  # angstrom, between which contacts are counted
CONTACTS = len(OF_LIGAND) * len(OF_POCKET) * (len(SHELLS) - 1)
AT_ONCE = 256  # complexes whose contacts are listed together: about 2 million pairs


class Forest(Grower):
    """Count contacts by the elements of both atoms and by shells of distance, and add RDKit descriptors of the ligand.

    See: Ballester and Mitchell 2010, doi 10.1093/bioinformatics/btq112 (RF-Score: counts by pairs of elements);
    Zheng et al. 2019, doi 10.1021/acsomega.9b01997 (OnionNet: shells).
    """

    needs: ClassVar[tuple[str, ...]] = (COMPLEX, "descriptors")

    def features(self, parts: Packed) -> NDArray[np.float32]:
        """Return one row per part, float32 [P, CONTACTS + descriptors]."""
        blocks = torch.arange(len(parts)).split(AT_ONCE) if len(parts) else ()
        counts = [contacts(parts.only(("atom", "xyz", "near", "ends")).gather(block)) for block in blocks]
        found = np.concatenate([np.zeros((0, CONTACTS), np.float32), *counts])
        return np.concatenate([found, parts.values["descriptors"].numpy()], axis=1)


def contacts(parts: Packed) -> NDArray[np.float32]:
    """Count contacts: float32 [P, CONTACTS], shells side by side for each ligand element and each pocket element."""
    made = Complexes.of(parts, REACH, waters=False, metals=True, dtype=torch.float32)
    first, second = made.contacts
    one, other = _numbers(OF_LIGAND)[made.atom[first, 0].long()], _numbers(OF_POCKET)[made.atom[second, 0].long()]
    shell = torch.bucketize(made.distances(made.contacts), torch.tensor(SHELLS[1:-1]), right=True)
    known = (one >= 0) & (other >= 0)
    part = owners(made.offsets)[first]
    cell = ((part * len(OF_LIGAND) + one) * len(OF_POCKET) + other) * (len(SHELLS) - 1) + shell
    counts = torch.bincount(cell[known], minlength=len(parts) * CONTACTS)
    return counts.view(len(parts), CONTACTS).numpy().astype(np.float32)


def _numbers(elements: tuple[int, ...]) -> torch.Tensor:
    """Return the place of each element code in `elements`, -1 where it is not among them."""
    table = torch.full((len(_ELEMENTS) + 1,), -1)
    table[[_ELEMENTS.index(element) for element in elements]] = torch.arange(len(elements))
    return table
