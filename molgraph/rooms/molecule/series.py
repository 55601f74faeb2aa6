"""New molecules from a measured series: its R-groups, put together as nobody has measured them yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from random import Random

from rdkit import Chem, rdBase
from rdkit.Chem import Mol, rdRGroupDecomposition
from rdkit.Chem.Scaffolds import MurckoScaffold, rdScaffoldNetwork

from molgraph.errors import ConfigError, DataError, many
from molgraph.rooms.molecule.identity import identity

MOST = 1_000_000  # combinations tried without a limit: about ten minutes
CHUNK = 2  # molecules whose alignments on a symmetric core are tried together; with RDKit's 5 it takes minutes
SHARE = 1 / 3  # of a series; a larger share would leave a core of one or two rings
TRIES = 50  # draws per wanted molecule before the series counts as exhausted

Positions = list[list[str]]  # per position (the core is the first) the group of each molecule, as SMILES


def recombine(
    smiles: Sequence[str], core: str | Mol | None = None, *, limit: int | None = None, seed: int = 0
) -> list[str]:
    """Build the unmeasured recombinations of a series' R-groups around its core, as canonical SMILES.

    `core` is a molecule or SMILES, with or without R labels (`[*:1]`): every substituted position counts; None
    takes the largest scaffold that a third of the molecules share. Without `limit` all combinations come,
    in a fixed order; with it, that many at most are drawn by `seed`, each position taking the group of a random
    molecule, so that what is common in the series is common in the library. Nothing comes twice, nothing that was
    measured comes (by InChIKey), and molecules that do not hold the core, or whose groups close a ring, give none.

    Raises: ConfigError for a core RDKit cannot read, or too many combinations without a limit; DataError where
    the core is in no molecule.

    See: R-group decomposition, https://doi.org/10.1021/jm00334a001 (Free and Wilson)

    >>> recombine(["Cc1ccccc1F", "CCc1ccccc1Cl"], "c1ccccc1")
    ['CCc1ccccc1F', 'Cc1ccccc1Cl']
    """
    with rdBase.BlockLogs():
        measured = _canonical(smiles)
        molecules = [Chem.MolFromSmiles(key) for key in measured]
        positions = _decompose(molecules, _core(core, molecules))
        seen = set(identity(measured))
        made: list[str] = []
        for groups in _all(positions) if limit is None else _drawn(positions, limit, seed):
            if len(made) == limit:
                break
            joined = _join(groups)
            if joined and (name := identity([joined])[0]) not in seen:
                seen.add(name)
                made.append(joined)
    return made


def shared_scaffold(molecules: Sequence[Mol]) -> Mol:
    """Return the largest scaffold, whole or in part, that at least a third of the molecules share.

    Raises: DataError where there is none.

    See: scaffold networks, https://doi.org/10.1021/acs.jcim.0c00296
    """
    settings = rdScaffoldNetwork.ScaffoldNetworkParams()
    settings.includeGenericScaffolds = False
    settings.includeScaffoldsWithAttachments = False
    rings = [MurckoScaffold.GetScaffoldForMol(m) for m in molecules if m.GetRingInfo().NumRings()]
    network = rdScaffoldNetwork.CreateScaffoldNetwork(rings, settings)
    shared = [
        (Chem.MolFromSmiles(node), count, node)
        for node, count in zip(network.nodes, network.molCounts, strict=True)
        if count >= SHARE * len(molecules)
    ]
    if not shared:
        raise DataError(f"no scaffold is shared by a third of {many(len(molecules), 'molecule')}: name the core")
    return max(shared, key=lambda found: (found[0].GetNumHeavyAtoms(), *found[1:]))[0]


def _canonical(smiles: Sequence[str]) -> list[str]:
    """Return the readable ones in a fixed order, because the alignment of a symmetric core depends on the order.

    Raises: DataError where none is readable.
    """
    readable = [molecule for molecule in map(Chem.MolFromSmiles, smiles) if molecule is not None]
    if not readable:
        raise DataError(f"none of {many(len(smiles), 'text')} is a molecule that could be recombined")
    return sorted({str(Chem.MolToSmiles(molecule)) for molecule in readable})


def _core(given: str | Mol | None, molecules: Sequence[Mol]) -> Mol:
    if given is None:
        return shared_scaffold(molecules)
    core = Chem.MolFromSmiles(given) if isinstance(given, str) else given
    if core is None or not core.GetNumAtoms():
        raise ConfigError(f"RDKit cannot read the core '{given}': give SMILES with R labels such as [*:1]")
    return core


def _decompose(molecules: Sequence[Mol], core: Mol) -> Positions:
    settings = rdRGroupDecomposition.RGroupDecompositionParameters()
    settings.chunkSize = CHUNK
    rows, _ = rdRGroupDecomposition.RGroupDecompose([core], list(molecules), asSmiles=True, options=settings)
    kept = [row for row in rows if all(label == "Core" or group.count("*") == 1 for label, group in row.items())]
    if not kept:
        raise DataError(f"the core {Chem.MolToSmiles(core)} is in none of {many(len(molecules), 'molecule')}")
    return [[row[label] for row in kept] for label in kept[0]]


def _all(positions: Positions) -> Iterator[Sequence[str]]:
    choices = [sorted(set(groups)) for groups in positions]
    if (count := prod(map(len, choices))) > MOST:
        raise ConfigError(f"the series has {count:,} combinations: set a limit")
    return product(*choices)


def _drawn(positions: Positions, limit: int, seed: int) -> Iterator[Sequence[str]]:
    random = Random(seed)
    drawn: set[tuple[str, ...]] = set()
    for _ in range(TRIES * limit):
        groups = tuple(random.choice(choices) for choices in positions)
        if groups not in drawn:
            drawn.add(groups)
            yield groups


def _join(groups: Sequence[str]) -> str:
    """Return the canonical SMILES of a core and its groups, joined where their labels agree; "" where it is invalid."""
    loose = Chem.MolFromSmiles(".".join(groups), sanitize=False)
    try:
        whole = Chem.RemoveHs(Chem.molzip(loose))
    except ValueError:  # a valence or an aromatic ring that does not come out
        return ""
    return "" if any(atom.GetAtomicNum() == 0 for atom in whole.GetAtoms()) else str(Chem.MolToSmiles(whole))
