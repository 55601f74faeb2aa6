"""What one wants to know about a scan besides its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.imaging.scan import Scan, ScanError
from molgraph.rooms.imaging.source import load


@dataclass(frozen=True)
class Property:
    """Describe one column: what it says of the scans of a row and the type of its cells."""

    of: Callable[[Sequence[Scan]], Any]
    dtype: str
    about: str


PROPERTIES: dict[str, Property] = {
    "width": Property(lambda scans: scans[0].voxels.shape[3], "Int64", "pixels along x"),
    "height": Property(lambda scans: scans[0].voxels.shape[2], "Int64", "pixels along y"),
    "slices": Property(lambda scans: sum(scan.voxels.shape[1] for scan in scans), "Int64", "slices of all scans"),
    "channels": Property(lambda scans: len(scans[0].voxels), "Int64", "sequences or colours"),
    "modality": Property(lambda scans: scans[0].modality or None, "object", "what made the scan: CR, CT, MR, ..."),
    "pixel_mm": Property(lambda scans: scans[0].spacing and scans[0].spacing[0], "Float64", "side of a pixel in mm"),
    "slice_mm": Property(
        lambda scans: scans[0].spacing[2] if scans[0].spacing and scans[0].voxels.shape[1] > 1 else None,
        "Float64",
        "distance of slices in mm",
    ),
    "mean": Property(lambda scans: _over(scans, "mean"), "Float64", "mean of the values as measured (CT: HU)"),
    "lowest": Property(lambda scans: min(float(s.voxels.min()) for s in scans), "Float64", "lowest value"),
    "highest": Property(lambda scans: max(float(s.voxels.max()) for s in scans), "Float64", "highest value"),
}


def _over(scans: Sequence[Scan], what: str) -> float:
    weights = [scan.voxels.size for scan in scans]
    values = [float(getattr(scan.voxels, what)(dtype="float64")) for scan in scans]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


def properties(keys: Sequence[str], names: Sequence[str] = tuple(PROPERTIES)) -> pd.DataFrame:
    """Compute the named properties of scans, one row per key; a cell is blank where it cannot be known.

    Raises: ConfigError for an unknown name.
    """
    for name in names:
        if name not in PROPERTIES:
            raise ConfigError(f"unknown property '{name}'{did_you_mean(name, PROPERTIES)}")
    rows = [_of(key, names) for key in keys]
    columns = zip(names, zip(*rows, strict=True), strict=True) if rows else ((name, ()) for name in names)
    return pd.DataFrame({name: pd.Series(list(cells), dtype=PROPERTIES[name].dtype) for name, cells in columns})


def _of(key: str, names: Sequence[str]) -> list[Any]:
    try:
        scans = load(key)
    except ScanError:
        return [None] * len(names)
    return [PROPERTIES[name].of(scans) for name in names]
