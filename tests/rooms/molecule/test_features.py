from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from molgraph.rooms.molecule import features as module
from molgraph.rooms.molecule.features import FEATURES, featurise
from molgraph.rooms.molecule.standardise import Refusal


def test_workers_import_no_torch() -> None:
    code = "import sys, molgraph.rooms.molecule.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("standardise", [True, False])
def test_every_combination_refuses_the_same(nasty: list[str], standardise: bool) -> None:
    """What is refused hangs on the text alone, not on the features that are asked for."""
    texts = list(dict.fromkeys([*nasty, "CC junk", "Cé"]))
    expected = featurise(texts, ["fingerprint"], standardise, 500)
    for needs in (["graph"], ["graph", "ecfp"], []):
        made = featurise(texts, needs, standardise, 500)
        np.testing.assert_array_equal(made.index, expected.index)
        assert made.keys == expected.keys
        assert made.refused == expected.refused
    assert set(np.flatnonzero(expected.index < 0)) == set(expected.refused)


def test_shapes_agree(nci: list[str]) -> None:
    made = featurise(["junk", *nci[:20]], FEATURES, True, 500)
    count = len(made.keys)
    assert made.graphs is not None
    assert len(made.graphs.atoms) == len(made.graphs.bonds) == count
    assert made.graphs.atoms.sum() == len(made.graphs.atom)
    assert made.graphs.bonds.sum() == len(made.graphs.bond) == len(made.graphs.ends)
    for name, (_, (width,)) in module.WHOLE.items():
        assert made.whole[name].shape == (count, width)


def test_features_do_not_depend_on_the_writing() -> None:
    one = featurise(["OCC(F)c1ccc(C[C@@H](N)C(=O)O)cc1"], FEATURES, True, 500)
    two = featurise(["[O-]C(=O)[C@H]([NH3+])Cc1ccc(cc1)C(F)CO.[K+].[Cl-]"], FEATURES, True, 500)
    assert one.keys == two.keys
    assert one.graphs is not None
    assert two.graphs is not None
    np.testing.assert_array_equal(one.graphs.atom, two.graphs.atom)
    np.testing.assert_array_equal(one.graphs.ends, two.graphs.ends)
    for name in module.WHOLE:
        np.testing.assert_array_equal(one.whole[name], two.whole[name])


def test_a_graph_that_does_not_come_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a row without a reason, should the two parsers ever disagree."""
    nothing = module.from_texts(["junk"])
    monkeypatch.setattr(module, "from_texts", lambda texts: nothing)
    made = featurise(["CCO"], ["graph"], True, 500)
    assert made.index.tolist() == [-1]
    assert made.refused == {0: module.NO_GRAPH}
    assert isinstance(module.NO_GRAPH, Refusal)
