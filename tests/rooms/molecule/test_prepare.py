from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from molgraph.data import pool
from molgraph.data.room import Prepared
from molgraph.errors import ConfigError
from molgraph.rooms.molecule import prepare as module
from molgraph.rooms.molecule.features import FEATURES
from molgraph.rooms.molecule.graphs import ATOM_CODES, BOND_CODES
from molgraph.rooms.molecule.prepare import prepare
from molgraph.rooms.molecule.tokens import TOKENS

ASPIRIN = ["CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1ccccc1C(=O)[O-].[Na+]", " OC(=O)c1ccccc1OC(C)=O"]


def assert_same(one: Prepared, two: Prepared) -> None:
    assert one.keys == two.keys
    assert one.rejects == two.rejects
    np.testing.assert_array_equal(one.index, two.index)
    assert one.parts.schema == two.parts.schema
    assert one.parts.values.keys() == two.parts.values.keys()
    for name, value in one.parts.values.items():
        assert value.numpy().tobytes() == two.parts.values[name].numpy().tobytes(), name
    for name, offsets in one.parts.offsets.items():
        assert torch.equal(offsets, two.parts.offsets[name])


def test_one_part_per_compound() -> None:
    made = prepare([*ASPIRIN, "CCO", "junk", "CCO", ""], ["graph"])
    assert made.index.tolist() == [0, 0, 0, 1, -1, 1, -1]
    assert made.keys == ("CC(=O)Oc1ccccc1C(=O)O", "CCO")
    assert len(made.parts) == 2
    assert made.parts.offsets["atom"].tolist() == [0, 13, 16]
    assert made.parts.offsets["bond"].tolist() == [0, 13, 15]
    assert {i: (r.row, r.text, r.reason) for i, r in made.rejects.items()} == {
        4: (5, "junk", "invalid_smiles"),
        6: (7, "", "empty"),
    }


def test_as_written() -> None:
    made = prepare([*ASPIRIN, "CCO", "OCC", "CCO "], ["graph"], standardise=False)
    assert made.index.tolist() == [0, 1, 2, 3, 4, 3]
    assert made.keys[1] == ASPIRIN[1]
    assert made.parts.offsets["atom"].diff().tolist() == [13, 14, 13, 3, 3]


def test_schema_and_levels() -> None:
    made = prepare(["CCO"], FEATURES)
    widths = {"fingerprint": 256, "descriptors": 215, "ecfp": 1024, "avalon": 1024, "erg": 315}
    codes = {"atom": ATOM_CODES, "bond": BOND_CODES, "tokens": [len(TOKENS)]}
    levels = {"atom": "atom", "bond": "bond", "ends": "bond", "tokens": "token"}
    assert made.parts.schema == codes | {n: [w] for n, w in widths.items()}
    assert made.parts.level == levels | dict.fromkeys(widths, "part")
    assert [TOKENS[code] for code in made.parts.values["tokens"].tolist()] == ["C", "C", "O"]
    assert made.parts.values["ends"].tolist() == [[0, 1], [1, 2]]
    assert made.parts.values["ends"].dtype == torch.int32
    assert made.parts.values["atom"].dtype == torch.uint8


def test_a_compound_in_two_chunks_is_one_part(nci: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*nci[:40], *ASPIRIN, *nci[40:60], "OC(=O)c1c(OC(C)=O)cccc1", "junk", *nci[:5]]
    whole = prepare(texts, ["graph", "fingerprint"])
    monkeypatch.setattr(module, "CHUNK", 7)
    assert_same(prepare(texts, ["graph", "fingerprint"]), whole)


def test_any_number_of_workers_gives_the_same(
    nci: list[str], nasty: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [*nci[:400], *nasty, *ASPIRIN]
    alone = prepare(texts, ["graph", "fingerprint", "erg"])
    monkeypatch.setattr(module, "CHUNK", 100)
    monkeypatch.setattr(module, "WORTH_STARTING", 0.0)
    assert_same(prepare(texts, ["graph", "fingerprint", "erg"], workers=2), alone)


def test_few_texts_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(pool, "as_finished", fail)
    assert len(prepare(["C", "CC"], ["graph"], workers=2).parts) == 2


def test_nothing() -> None:
    made = prepare([], FEATURES)
    assert len(made.parts) == 0
    assert made.keys == ()
    assert made.rejects == {}
    assert made.parts.schema == prepare(["C"], FEATURES).parts.schema
    only_bad = prepare(["junk", ""], ["graph"])
    assert only_bad.index.tolist() == [-1, -1]
    assert len(only_bad.parts) == 0


def test_unknown_feature() -> None:
    with pytest.raises(ConfigError, match="'graphs'; did you mean 'graph'"):
        prepare(["C"], ["graphs"])


def test_limit() -> None:
    made = prepare(["CCC", "CCCC"], ["graph"], max_atoms=3)
    assert made.index.tolist() == [0, -1]
    assert made.rejects[1].reason == "too_large"


def test_real_libraries(real: Any) -> None:
    """Every text gives a part or a reason, the reasons are few, and every bond joins atoms of its own molecule."""
    texts = real(40)
    made = prepare(texts, ["graph"])
    assert set(np.flatnonzero(made.index < 0)) == set(made.rejects)
    assert len(made.rejects) < 0.01 * len(texts)
    known = {"invalid_smiles", "dummy_atom", "too_large", "no_compound", "organometallic"}
    assert {r.reason for r in made.rejects.values()} <= known
    atoms = made.parts.offsets["atom"].diff()
    of_bond = torch.repeat_interleave(torch.arange(len(made.parts)), made.parts.offsets["bond"].diff())
    assert (made.parts.values["ends"] < atoms[of_bond][:, None]).all()
    assert len(set(made.keys)) == len(made.keys) == len(made.parts)
