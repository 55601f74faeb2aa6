"""The layers of PyTorch Geometric that encoders use, without the files that it leaves behind.

It writes the code of each kind of layer into the system's folder for temporary files, reads it, and leaves it there, a
file for each process. Once read, nothing looks at it again.

See: torch_geometric/template.py
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch_geometric.nn import GATv2Conv, GINEConv, GPSConv, NNConv, PNAConv
from torch_geometric.nn.conv import message_passing
from torch_geometric.nn.models import AttentiveFP

__all__ = ["AttentiveFP", "GATv2Conv", "GINEConv", "GPSConv", "NNConv", "PNAConv"]

_written = message_passing.module_from_template


def _read_and_removed(module_name: str, *args: Any, **options: Any) -> ModuleType:
    known = module_name in sys.modules
    module: ModuleType = _written(module_name, *args, **options)
    if not known and module.__file__:
        Path(module.__file__).unlink(missing_ok=True)
    return module


message_passing.module_from_template = _read_and_removed
