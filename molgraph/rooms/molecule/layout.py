"""Places for the atoms of a picture, so that a ring system is not drawn over itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rdkit.Chem import Mol, rdDepictor
from rdkit.Chem.rdMolDescriptors import CalcNumBridgeheadAtoms

LARGE = 9  # atoms from which a ring is laid out by rules of its own
NEAR = 0.35  # of a bond: atoms, or an atom and a bond that is not its own, nearer than this look like one


def laid_out(molecule: Mol) -> Mol:
    """Return a molecule with the places of its atoms where they need a choice: bridges, cages and large rings.

    RDKit's own places, those with its templates of rings, and CoordGen's are tried until one has nothing on top of
    anything; else the best stands. Others are returned as they are, for RDKit to lay out while it draws.

    See: CoordGen, Schrodinger, https://github.com/schrodinger/coordgenlibs
    """
    if not _needs_choice(molecule):
        return molecule
    tried: list[tuple[int, Mol]] = []
    for way in WAYS:
        copy = Mol(molecule)
        way(copy)
        tried.append((crowding(copy), copy))
        if not tried[-1][0]:
            break
    _, best = min(tried, key=lambda each: each[0])
    rdDepictor.NormalizeDepiction(best, canonicalize=0)  # to bonds of one length, whoever laid it out
    return best


def _needs_choice(molecule: Mol) -> bool:
    rings = molecule.GetRingInfo()
    caged = any(rings.NumAtomRings(at) > 2 for at in range(molecule.GetNumAtoms()))
    large = max(map(len, rings.AtomRings()), default=0) >= LARGE
    return caged or large or CalcNumBridgeheadAtoms(molecule) > 0


def crowding(molecule: Mol) -> int:
    """Count the bonds that cross, the atoms on top of others and those on bonds that are not theirs."""
    places = molecule.GetConformer().GetPositions()[:, :2]
    ends = np.array([(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()])
    if not len(ends):
        return 0
    start, way = places[ends[:, 0]], places[ends[:, 1]] - places[ends[:, 0]]
    near = NEAR * float(np.median(np.linalg.norm(way, axis=1)))
    apart = ~(ends[:, None, :, None] == ends[None, :, None, :]).any((2, 3))
    between = start[None] - start[:, None]
    area = _cross(way[:, None], way[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        along, across = _cross(between, way[None]) / area, _cross(between, way[:, None]) / area
    crossing = apart & (along > 0) & (along < 1) & (across > 0) & (across < 1)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    close = int((distance < near).sum() - len(places)) // 2
    foreign = ~(np.arange(len(places))[:, None, None] == ends[None]).any(2)
    share = ((places[:, None] - start[None]) * way[None]).sum(2) / np.maximum((way**2).sum(1), 1e-9)
    foot = start[None] + np.clip(share, 0, 1)[..., None] * way[None]
    on_bond = foreign & (np.linalg.norm(places[:, None] - foot, axis=2) < near) & (share > 0) & (share < 1)
    return int(crossing.sum()) // 2 + close + int(on_bond.sum())


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product: np.ndarray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _plain(molecule: Mol) -> None:
    rdDepictor.Compute2DCoords(molecule)


def _by_templates(molecule: Mol) -> None:
    rdDepictor.Compute2DCoords(molecule, useRingTemplates=True)


def _by_coordgen(molecule: Mol) -> None:
    before = rdDepictor.GetPreferCoordGen()
    rdDepictor.SetPreferCoordGen(True)
    try:
        rdDepictor.Compute2DCoords(molecule)
    finally:
        rdDepictor.SetPreferCoordGen(before)


WAYS: tuple[Callable[[Mol], None], ...] = (_plain, _by_templates, _by_coordgen)
