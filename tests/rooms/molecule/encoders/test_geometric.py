from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_no_code_is_left_in_the_folder_for_temporary_files(tmp_path: Path) -> None:
    """In a process of its own: here the layers have been made before."""
    lines = (
        "from molgraph.rooms.molecule.encoders import geometric as g",
        "g.GINEConv(g.NNConv(4, 4, None)), g.GATv2Conv(4, 4), g.AttentiveFP(4, 4, 4, 4, 2, 2)",
        "assert '_propagate' in g.GINEConv.propagate.__module__",  # still the faster code that was written
    )
    there = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", "\n".join(lines)], env=there, check=True, timeout=300)
    assert not list(tmp_path.rglob("*.py"))
