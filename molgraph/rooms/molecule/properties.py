"""What a medicinal chemist wants to know about a molecule besides its score."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, FilterCatalog, Mol, rdMolDescriptors

from molgraph.data.endable import step
from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.molecule.hard import within


@dataclass(frozen=True)
class Property:
    """Describe one column: what it says, the type of its cells ("Float64", "Int64", "string"), where it comes from."""

    of: Callable[[Mol], Any]
    dtype: str
    about: str
    source: str


def lipinski_violations(molecule: Mol) -> int:
    """Count which of Lipinski's four limits a molecule breaks.

    Weight above 500, logP above 5, more than 5 N-H and O-H, more than 10 N and O, as first published: the last
    two are not the `hbd` and `hba` columns, which leave out atoms that are no real donors or acceptors.

    See: https://doi.org/10.1016/S0169-409X(96)00423-1
    """
    broken = (
        Descriptors.MolWt(molecule) > 500,
        Crippen.MolLogP(molecule) > 5,
        rdMolDescriptors.CalcNumLipinskiHBD(molecule) > 5,
        rdMolDescriptors.CalcNumLipinskiHBA(molecule) > 10,
    )
    return sum(broken)


def sa_score(molecule: Mol) -> float:
    """Return the synthetic accessibility score, from 1 (easy) to 10 (hard).

    See: https://doi.org/10.1186/1758-2946-1-8
    """
    return float(_sascorer().calculateScore(molecule))


def alerts(molecule: Mol, name: str) -> str:
    """Name the structural alerts that a molecule sets off in a filter set of RDKit ("PAINS"), joined by "; "."""
    return "; ".join(entry.GetDescription() for entry in _catalogue(name).GetMatches(molecule))


_RDKIT = "https://www.rdkit.org/docs/source/rdkit.Chem.rdMolDescriptors.html"
_GOBBI = "https://doi.org/10.1002/(SICI)1097-0290(199824)61:1<47::AID-BIT9>3.0.CO;2-Z"

PROPERTIES: dict[str, Property] = {
    "mw": Property(Descriptors.MolWt, "Float64", "molecular weight, g/mol", _RDKIT),
    "logp": Property(
        Crippen.MolLogP,
        "Float64",
        "octanol/water logP by Crippen's atom contributions",
        "https://doi.org/10.1021/ci990307l",
    ),
    "tpsa": Property(
        rdMolDescriptors.CalcTPSA,
        "Float64",
        "topological polar surface area, square angstrom, N and O only",
        "https://doi.org/10.1021/jm000942e",
    ),
    "hbd": Property(rdMolDescriptors.CalcNumHBD, "Int64", "hydrogen-bond donors", _GOBBI),
    "hba": Property(rdMolDescriptors.CalcNumHBA, "Int64", "hydrogen-bond acceptors", _GOBBI),
    "rotatable_bonds": Property(
        rdMolDescriptors.CalcNumRotatableBonds, "Int64", "rotatable bonds, amides not counted", _RDKIT
    ),
    "lipinski_violations": Property(
        lipinski_violations,
        "Int64",
        "broken limits of Lipinski's rule of five, 0 to 4",
        "https://doi.org/10.1016/S0169-409X(96)00423-1",
    ),
    "qed": Property(
        QED.qed, "Float64", "quantitative estimate of drug-likeness, 0 to 1", "https://doi.org/10.1038/nchem.1243"
    ),
    "sa_score": Property(
        sa_score, "Float64", "synthetic accessibility, 1 (easy) to 10 (hard)", "https://doi.org/10.1186/1758-2946-1-8"
    ),
    "pains": Property(
        partial(alerts, name="PAINS"),
        "string",
        "pan-assay interference alerts, empty where none",
        "https://doi.org/10.1021/jm901137j",
    ),
    "brenk": Property(
        partial(alerts, name="BRENK"),
        "string",
        "unwanted reactive or toxic groups, empty where none",
        "https://doi.org/10.1002/cmdc.200700139",
    ),
}


def properties(keys: Sequence[str], names: Sequence[str] = tuple(PROPERTIES)) -> pd.DataFrame:
    """Compute the named properties of molecules, one row per key.

    A cell is blank (missing) where RDKit cannot read the molecule or cannot compute the property. Per molecule
    `pains` costs about 7 ms, `qed` 3, `brenk` 2, all others together 2.

    Raises: ConfigError for an unknown name.

    >>> properties(["CCO", "nonsense"], ["mw", "hbd"])
           mw   hbd
    0  46.069     1
    1    <NA>  <NA>
    """
    for name in names:
        if name not in PROPERTIES:
            raise ConfigError(f"unknown property '{name}'{did_you_mean(name, PROPERTIES)}")
    wanted = {name: PROPERTIES[name] for name in names}
    with rdBase.BlockLogs():
        rows = []
        for key in keys:
            step("properties")
            rows.append(within(_row, key, tuple(names), instead=[None] * len(names)))
    columns = zip(*rows, strict=True) if rows else [()] * len(wanted)
    cells = dict(zip(wanted, columns, strict=True))
    return pd.DataFrame({name: pd.Series(cells[name], dtype=of.dtype) for name, of in wanted.items()})


def _row(key: str, names: Iterable[str]) -> list[Any]:
    molecule = Chem.MolFromSmiles(key) if key else None
    return [_cell(PROPERTIES[name], molecule) for name in names]


def _cell(wanted: Property, molecule: Mol | None) -> Any:
    if molecule is None:
        return None
    try:
        return wanted.of(molecule)
    except (ArithmeticError, LookupError, RuntimeError, ValueError):
        return None  # one property of one odd molecule: a blank is the honest answer, and the rest still counts


@cache
def _catalogue(name: str) -> FilterCatalog.FilterCatalog:
    chosen = FilterCatalog.FilterCatalogParams()
    chosen.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name))
    return FilterCatalog.FilterCatalog(chosen)


@cache
def _sascorer() -> ModuleType:
    """Import the scorer that RDKit ships beside its package; its fragment table is as trusted as its code."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("sascorer", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"this RDKit has no {path}: leave out 'sa_score' or install RDKit's own wheel")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
