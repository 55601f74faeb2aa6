"""Measure how many poses a second a screen scores, file to file, with default models (`python benchmarks/poses.py`).

The poses are those of one series of the free-energy benchmark, over and over, each in a place of its own (moved by up
to 0.2 angstrom, so that none is a copy of another). A screen of few poses and one of many run as the command does, in
processes of their own: what the many cost more is the rate. So starting Python, and the pictures and alerts of the
best thousand, count for none; reading the file counts. The structures are found through the variable MOLGRAPH_DATA.
Results go to results/poses-DATE.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import circumstances
from memory import command
from rdkit import Chem
from rdkit.Geometry import Point3D
from structure_sets import TARGET, read_set

HERE = Path(__file__).resolve().parent
SERIES = "merck__syk_4puz_fullmap"  # 53 ligands of a kinase
MOVED = 0.2  # angstrom at most along each axis
MODELS = ("interaction", "egnn", "cnn3d", "forest")


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS), metavar="A,B", help="contestants")
    parser.add_argument("--poses", default="1000,4000", help="of the small and of the large screen (1000,4000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="processes that score (2)")
    given = parser.parse_args()
    about: dict[str, Any] = circumstances() | {"series": SERIES, "poses": given.poses, "workers": given.workers}
    few, many = (int(count) for count in given.poses.split(","))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table, receptor, ligands = series(folder)
        files = {count: written(folder / f"poses-{count}.sdf", ligands, count) for count in (few, many)}
        found = {}
        for name in given.models.split(","):
            model = trained(folder, name, table)
            rates = [rate(folder, model, receptor, files, given.workers) for _ in range(given.rounds)]
            found[name] = {"median": statistics.median(rates), "low": min(rates), "high": max(rates)}
            print(
                f"binding/{name:12}{statistics.median(rates):8.0f} poses/s ({min(rates):.0f} to {max(rates):.0f})",
                flush=True,
            )
    path = HERE / "results" / f"poses-{about['date']}.json"
    path.write_text(json.dumps({"about": about, "poses_per_second": found}, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return 0


def series(folder: Path) -> tuple[Path, Path, list[Chem.Mol]]:
    """Write the series as a table to train on; return it, the receptor and the ligands in their places."""
    frame = read_set("fep", folder).frame.query("series == @SERIES")
    table = folder / "series.csv"
    frame[["protein", "ligand", "pose", TARGET]].to_csv(table, index=False)
    first = frame.iloc[0]
    return table, Path(first["protein"]), [m for m in Chem.SDMolSupplier(first["ligand"]) if m is not None]


def written(path: Path, ligands: list[Chem.Mol], count: int) -> Path:
    """Write so many poses, each moved a little."""
    random = np.random.default_rng(0)
    with Chem.SDWriter(str(path)) as writer:
        for number in range(count):
            pose = Chem.Mol(ligands[number % len(ligands)])
            pose.SetProp("_Name", f"pose {number + 1}")
            places = pose.GetConformer()
            for atom, place in enumerate(places.GetPositions() + random.uniform(-MOVED, MOVED, 3)):
                places.SetAtomPosition(atom, Point3D(*place.tolist()))
            writer.write(pose)
    return path


def trained(folder: Path, name: str, table: Path) -> Path:
    """Train a default model for one epoch: how good it is counts for none here."""
    out = folder / name
    words = ["train", str(table), "--model", f"binding/{name}", "--target", TARGET, "--units", f"{TARGET}:pK"]
    epochs = [] if name == "forest" else ["--set", "train.epochs=1"]
    command(folder, *words, "--split", "random", "--set", "comparator=none", *epochs, "--out", str(out))
    return out


def rate(folder: Path, model: Path, receptor: Path, files: dict[int, Path], workers: int) -> float:
    """Return how many more poses a second the large screen scored."""
    seconds = {}
    for count, poses in files.items():
        out = Path(tempfile.mkdtemp(dir=folder))
        words = ["screen", str(poses), "--protein", str(receptor), "--model", str(model), "--workers", str(workers)]
        _, seconds[count], *_ = command(folder, *words, "--out", str(out / "screen"))
    (few, less), (many, more) = sorted(seconds.items())
    return (many - few) / (more - less)


if __name__ == "__main__":
    sys.exit(main())
