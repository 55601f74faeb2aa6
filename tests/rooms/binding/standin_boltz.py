"""Stand in for boltz: write the receptor of STANDIN_RECEPTOR, turned and numbered anew, with a ligand beside it.

Bromine: fail. Sulfur: write no affinity. Phosphorus: write nothing. Iodine: fold the protein otherwise. Fluorine: write
the mirror image of the ligand. The files are those of boltz 2, in its places and columns.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import rdDistGeom

ATOM = "{:<6}{:>5} {:<4} {:>3} {:>1}{:>4}    {:8.3f}{:8.3f}{:8.3f}{:6.2f}{:6.2f}          {:>2}  "


def main() -> int:
    """Fold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["predict"])
    parser.add_argument("data", type=Path)
    for name in ("out_dir", "output_format", "diffusion_samples", "seed", "accelerator"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--use_msa_server", action="store_true")
    given = parser.parse_args()
    asked = json.loads(given.data.read_text(encoding="utf-8"))
    Path(os.environ["STANDIN_LOG"]).write_text(json.dumps({"words": sys.argv[1:], "asked": asked}), encoding="utf-8")
    ligand = Chem.MolFromSmiles(asked["sequences"][-1]["ligand"]["smiles"])
    elements = {atom.GetSymbol() for atom in ligand.GetAtoms()}
    if "Br" in elements:
        print("CUDA out of memory")
        return 1
    stem = given.data.stem
    folder = Path(given.out_dir) / f"boltz_results_{stem}" / "predictions" / stem
    folder.mkdir(parents=True)
    if "P" in elements:
        return 0  # as boltz does where the memory did not suffice
    for number in range(int(given.diffusion_samples)):
        text = fold(asked["sequences"][0]["protein"], ligand, elements)
        (folder / f"{stem}_model_{number}.pdb").write_text(text, encoding="utf-8")
        sure = json.dumps({"confidence_score": 0.9 - 0.1 * number, "ptm": 0.8})
        (folder / f"confidence_{stem}_model_{number}.json").write_text(sure, encoding="utf-8")
    if "S" not in elements:
        found = json.dumps({"affinity_pred_value": -1.0, "affinity_probability_binary": 0.8})
        (folder / f"affinity_{stem}.json").write_text(found, encoding="utf-8")
    return 0


def turned(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return a place a quarter turn on, and elsewhere."""
    return -y + 40.0, x - 7.0, z + 11.0


def fold(protein: dict[str, object], ligand: Chem.Mol, elements: set[str]) -> str:
    """Return the file of a complex."""
    lines: list[str] = []
    places: list[tuple[float, float, float]] = []
    before, number = "", 0
    for line in Path(os.environ["STANDIN_RECEPTOR"]).read_text(encoding="utf-8").splitlines():
        if not line.startswith("ATOM") or line[76:78].strip() == "H":
            continue
        if line[21:27] != before:
            before, number = line[21:27], number + 1
        x, y, z = turned(*(float(line[at : at + 8]) for at in (30, 38, 46)))
        if "I" in elements:
            x *= 1 if number % 2 else -1
        places.append((x, y, z))
        cells = ("ATOM", len(lines) + 1, line[12:16], line[17:20], "A", number, x, y, z, 1.0, 90.0, line[76:78].strip())
        lines.append(ATOM.format(*cells))
    assert number == len(str(protein["sequence"])), "as many residues as the sequence has"
    middle = [sum(each) / len(places) for each in zip(*places, strict=True)]
    mol = Chem.AddHs(ligand)
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    xyz = Chem.RemoveHs(mol).GetConformer().GetPositions()
    for atom, (x, y, z) in zip(ligand.GetAtoms(), (xyz - xyz.mean(axis=0)).tolist(), strict=True):
        z = -z if "F" in elements else z
        place = (x + middle[0] + 6, y + middle[1], z + middle[2])
        name = f" {atom.GetSymbol()}{atom.GetIdx() + 1}"
        lines.append(ATOM.format("HETATM", len(lines) + 1, name, "LIG", "L", 1, *place, 1.0, 90.0, atom.GetSymbol()))
    return "\n".join([*lines, "END"]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
