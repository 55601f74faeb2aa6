from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from molgraph.errors import ConfigError, DataError
from molgraph.rooms.protein.prepare import prepare
from molgraph.rooms.protein.residues import Refusal
from molgraph.rooms.protein.vectors import stored

UBIQUITIN = "MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG"


@pytest.fixture(params=["one array each", "names and vectors", "vectors and names"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "esm.npz"
    vectors = {"P62988": [1, 2], UBIQUITIN: [3, 4], "long": [5, 6], "gap": [7, np.nan]}
    if request.param == "one array each":
        np.savez(path, **{name: np.float16(values) for name, values in vectors.items()})
    else:
        arrays = {"names": np.array(list(vectors)), "vectors": np.float32(list(vectors.values()))}
        np.savez_compressed(
            path, **(arrays if request.param == "names and vectors" else dict(reversed(arrays.items())))
        )
    return path


def test_by_name_or_by_sequence(file: Path) -> None:
    texts = ["P62988", f" {UBIQUITIN.lower()}*", "P00533", "", "gap", "P62988 "]
    made = prepare(texts, (f"embedding:{file}", "kmers"))
    assert made.index.tolist() == [0, 1, -1, -1, -1, 0]
    assert made.parts.values["embedding"].tolist() == [[1, 2], [3, 4]]
    assert made.parts.schema["embedding"] == [2]
    assert [r.reason for r in made.rejects.values()] == ["unknown_protein", "empty", "invalid_vector"]
    assert made.rejects[2].message == f"'P00533' is none of the 4 proteins in {file}"


def test_an_array_per_residue_is_no_vector(tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", a=np.zeros((7, 2)), b=np.zeros(2), c=np.zeros(3))
    made = prepare(["b", "a", "c"], (f"embedding:{tmp_path / 'e.npz'}",))
    assert "7 x 2 numbers is no vector; take the mean" in made.rejects[1].message
    assert "3 numbers where the first vector has 2" in made.rejects[2].message


def test_long_names_are_shortened_in_messages(file: Path) -> None:
    with stored(str(file)) as find:
        refusal = find("A" * 1000)
    assert isinstance(refusal, Refusal) and len(refusal.message) < 100 + len(str(file))


def test_files_that_hold_no_vectors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no zip", encoding="utf-8")
    np.save(tmp_path / "single.npy", np.zeros(3))
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object), b=np.zeros(1), c=np.zeros(1))
    np.savez(tmp_path / "whole.npz", **{name: np.zeros(500) for name in "abc"})
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    for name, said in (
        ("missing.npz", "no such file"),
        ("text.npz", "not a readable .npz"),
        ("single.npy", "a single array has no names"),
        ("cut.npz", "not a readable .npz"),
        ("objects.npz", "not a readable .npz"),
    ):
        with pytest.raises(DataError, match=said):
            prepare(["a"], (f"embedding:{tmp_path / name}",))


def test_one_column_is_not_two_things(file: Path) -> None:
    with pytest.raises(ConfigError, match="sequences for one model and vectors for another"):
        prepare(["P62988"], (f"embedding:{file}", "residues"))
