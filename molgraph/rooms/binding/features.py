"""A chunk of texts to arrays: what one process does, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from molgraph.data import endable
from molgraph.rooms.binding.ligand import Ligand, ligand, read_poses
from molgraph.rooms.binding.pocket import cut
from molgraph.rooms.binding.pose import Pose
from molgraph.rooms.binding.residues import LIGAND
from molgraph.rooms.binding.structure import Structure, structure
from molgraph.rooms.molecule.features import WHOLE, rows
from molgraph.rooms.molecule.graphs import ATOM, from_mols
from molgraph.rooms.molecule.hard import hard, why
from molgraph.rooms.molecule.standardise import Refusal

COMPLEX = "complex"
FEATURES = (COMPLEX, *WHOLE)
NONE = -1


class Complex(NamedTuple):
    """Hold one ligand in its pocket, ligand atoms first (in the order of its SMILES).

    Shapes: `smiles` of the ligand; `atom` uint8 [N, 9], the columns of `molecule.graphs.ATOM` and the kind of residue
    (`residues.KINDS`); `xyz` float32 [N, 3] in angstrom from the ligand's centroid; `near` float32 [N], how near the
    atom's residue comes to the ligand (0 for the ligand itself); `ends` int32 [M, 2], the covalent bonds.
    """

    smiles: str
    atom: NDArray[np.uint8]
    xyz: NDArray[np.float32]
    near: NDArray[np.float32]
    ends: NDArray[np.int32]


@dataclass
class Featurised:
    """Hold what became of n texts.

    Shapes: `index` int64 [n], the number of a key or -1; `keys` P distinct keys; `refused` per text of -1;
    `complexes` P of them where asked for; `whole[name]` [P, D], features of the ligands.
    """

    index: NDArray[np.int64]
    keys: list[str] = field(default_factory=list)
    refused: dict[int, Refusal] = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)
    complexes: list[Complex] = field(default_factory=list)
    whole: dict[str, NDArray[Any]] = field(default_factory=dict)


def featurise(texts: Sequence[str], needs: Sequence[str]) -> Featurised:
    """Read the poses that texts name and make the features of each; every file is read once and forward."""
    done = Featurised(np.full(len(texts), NONE, dtype=np.int64))
    number: dict[str, int] = {}
    graphs: dict[str, tuple[Chem.Mol, NDArray[np.uint8], NDArray[np.int32]]] = {}
    names = [name for name in needs if name in WHOLE]
    apart: dict[str, dict[str, NDArray[Any]] | Refusal] = {}
    smiles: list[str] = []
    with rdBase.BlockLogs():
        endable.step("reading")
        for at, pose, given in read_all(texts):
            endable.step("looking for what is near")
            made = given if isinstance(given, Refusal) else _complex(pose, given, graphs)
            if not isinstance(made, Refusal) and names and hard(made.smiles):
                if made.smiles not in apart:
                    apart[made.smiles] = _ended(made.smiles, names)
                found = apart[made.smiles]
                made = found if isinstance(found, Refusal) else made
            if isinstance(made, Refusal):
                done.refused[at] = made
                continue
            key = replace(pose, smiles=made.smiles).text
            if key not in number:
                number[key] = len(number)
                smiles.append(made.smiles)
                if COMPLEX in needs:
                    done.complexes.append(made)
            done.index[at] = number[key]
            if isinstance(given, Ligand) and given.said:
                done.said[at] = given.said
        done.keys = list(number)
        done.whole = _whole(smiles, graphs, names, apart)
    return done


def _ended(smiles: str, names: Sequence[str]) -> dict[str, NDArray[Any]] | Refusal:
    """Return the features of one ligand that native code may not come to an end with, or say that it did not."""
    try:
        found: dict[str, NDArray[Any]] = endable.call(_of_one, smiles, names)
        return found
    except endable.TooLong as error:
        return Refusal(*why(error))


def _of_one(smiles: str, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    found = {}
    for name in names:
        found[name] = rows(name, [Chem.MolFromSmiles(smiles)])
    return found


def _whole(
    smiles: list[str], graphs: dict[str, Any], names: Sequence[str], apart: Mapping[str, Any]
) -> dict[str, NDArray[Any]]:
    """Return features of whole ligands, each distinct ligand computed once, and those that were computed apart."""
    distinct = dict.fromkeys(smiles)
    here = [text for text in distinct if text not in apart]
    order = {text: at for at, text in enumerate([*here, *(text for text in distinct if text in apart)])}
    places = [order[text] for text in smiles]
    return {
        name: np.concatenate(
            [rows(name, [graphs[text][0] for text in here]), *(apart[t][name] for t in distinct if t in apart)]
        )[places]
        for name in names
    }


def read_all(texts: Sequence[str]) -> Iterator[tuple[int, Pose, Ligand | Refusal]]:
    """Yield (position, pose, ligand) file by file."""
    files: dict[str, list[tuple[int, Pose]]] = {}
    for at, text in enumerate(texts):
        pose = Pose.parse(text)
        if isinstance(pose, Refusal):
            yield at, Pose("", ""), pose
        else:
            files.setdefault(pose.ligand, []).append((at, pose))
    for path, wanted in files.items():
        wanted.sort(key=lambda each: each[1].number)
        records = read_poses(path, [pose.number for _, pose in wanted])
        for (at, pose), record in zip(wanted, records, strict=True):
            yield at, pose, record if isinstance(record, Refusal) else ligand(record, path, pose.smiles)


def _complex(pose: Pose, given: Ligand, graphs: dict[str, Any]) -> Complex | Refusal:
    protein = structure(pose.protein)
    if isinstance(protein, Refusal):
        return protein
    if given.smiles not in graphs:
        graph = _graph(given)
        if isinstance(graph, Refusal):
            return graph
        graphs[given.smiles] = graph
    _, atom, ends = graphs[given.smiles]
    return join(protein, given, atom, ends)


def _graph(given: Ligand) -> tuple[Chem.Mol, NDArray[np.uint8], NDArray[np.int32]] | Refusal:
    """Read the ligand's own SMILES, so that features do not depend on how the file drew it."""
    mol = Chem.MolFromSmiles(given.smiles)
    if mol is None or mol.GetNumAtoms() != len(given.xyz):
        return Refusal("invalid_ligand", f"RDKit does not read its own SMILES of the ligand, {given.smiles[:60]}")
    graph = from_mols([mol])
    return mol, graph.atom, graph.ends


def join(protein: Structure, given: Ligand, atom: NDArray[np.uint8], ends: NDArray[np.int32]) -> Complex | Refusal:
    """Put a ligand (codes [L, 8], bonds [M, 2]) into its pocket of a protein."""
    pocket = cut(protein, given.xyz, numbers=given.numbers)
    if isinstance(pocket, Refusal):
        return pocket
    count, kept = len(atom), pocket.atoms
    number = np.full(len(protein), NONE)
    number[kept] = np.arange(count, count + len(kept))
    bonds = number[protein.bonds]
    bonds = bonds[(bonds != NONE).all(axis=1)]
    codes = np.empty((count + len(kept), len(ATOM) + 1), dtype=np.uint8)
    codes[:count, :-1], codes[count:, :-1] = atom, protein.codes[kept]
    codes[:count, -1], codes[count:, -1] = LIGAND, protein.kind[protein.residue[kept]]
    centre = given.xyz.mean(axis=0)  # subtracted in double precision, so that float32 keeps a shift exactly
    return Complex(
        given.smiles,
        codes,
        (np.concatenate([given.xyz, protein.xyz[kept]]) - centre).astype(np.float32),
        np.concatenate([np.zeros(count), pocket.near]).astype(np.float32),
        np.concatenate([ends, bonds]).astype(np.int32),
    )
