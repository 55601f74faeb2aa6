"""Stand in for a docking program: move the ligand to the middle of the box, or misbehave as one atom of it asks.

Chlorine: never end, and start a child that does not either. Bromine: fail. Iodine: write garbage. Sulfur: write no
score. Phosphorus: write nothing. Boron: give back another molecule. It needs no package, so that it starts at once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

OTHER = """
  made up

  1  0  0  0  0  0  0  0  0  0999 V2000
    1.0000    2.0000    3.0000 C   0  0
M  END
"""


def main() -> int:
    """Dock."""
    parser = argparse.ArgumentParser()
    for name in ("receptor", "ligand", "out", "exhaustiveness", "num_modes", "seed", "cpu"):
        parser.add_argument(f"--{name}")
    for axis in "xyz":
        parser.add_argument(f"--center_{axis}", type=float)
        parser.add_argument(f"--size_{axis}", type=float)
    given = parser.parse_args()
    if not Path(given.receptor).is_file():
        print("no receptor")
        return 3
    lines = Path(given.ligand).read_text(encoding="utf-8").splitlines()
    atoms = int(lines[3][:3])
    elements = {line[31:34].strip() for line in lines[4 : 4 + atoms]}
    with Path(os.environ["STANDIN_LOG"]).open("a", encoding="utf-8") as log:
        log.write(f"{''.join(sorted(elements))} {given.exhaustiveness} {given.seed}\n")
    if "Br" in elements:
        print("the grid is out of memory")
        return 7
    if "Cl" in elements:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        time.sleep(120)
    time.sleep(float(os.environ.get("STANDIN_SECONDS", "0")))
    if "P" not in elements:
        Path(given.out).write_text(poses(lines, atoms, elements, given), encoding="utf-8")
    return 0


def poses(lines: list[str], atoms: int, elements: set[str], given: argparse.Namespace) -> str:
    """Return what the program writes."""
    if "I" in elements:
        return "\0\0 not an SDF\n$$$$\n"
    tag = ">  <minimizedAffinity>\n{}\n\n"
    if "B" in elements:
        return f"{OTHER}{tag.format(-5)}$$$$\n"
    places = [[float(line[at : at + 10]) for at in (0, 10, 20)] for line in lines[4 : 4 + atoms]]
    shift = [
        c - sum(p[i] for p in places) / atoms for i, c in enumerate((given.center_x, given.center_y, given.center_z))
    ]
    made = ""
    for number in range(int(given.num_modes)):
        moved = ["".join(f"{x + s + number:10.4f}" for x, s in zip(place, shift, strict=True)) for place in places]
        block = [*lines[:4], *(m + line[30:] for m, line in zip(moved, lines[4 : 4 + atoms], strict=True))]
        block += lines[4 + atoms : lines.index("M  END") + 1]
        score = "" if "S" in elements else tag.format(number - 7.25)
        made += "\n".join(block) + f"\n{score}$$$$\n"
    return made


if __name__ == "__main__":
    sys.exit(main())
