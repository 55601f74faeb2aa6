from __future__ import annotations

import numpy as np
import pytest
import torch

from molgraph.errors import ConfigError
from molgraph.rooms.protein.composition import COMPOSITION
from molgraph.rooms.protein.prepare import FEATURES, prepare
from molgraph.rooms.protein.residues import LETTERS

MKT, ODD = "MKTAYIAKQR", "XUOBZJMKTAYIA"
TEXTS = [MKT, "mkt-ayiakqr*", "", "MK#", ODD, f" {MKT}\n", "***"]
SEQUENCES = ("residues", "kmers", "composition")


def test_rows_and_rejects_are_the_texts() -> None:
    made = prepare(TEXTS, SEQUENCES)
    assert made.index.tolist() == [0, 0, -1, -1, 1, 0, -1]
    assert made.keys == (MKT, ODD)
    assert {at: reject.reason for at, reject in made.rejects.items()} == {2: "empty", 3: "invalid_sequence", 6: "empty"}
    reject = made.rejects[3]
    assert (reject.row, reject.text) == (4, "MK#") and "'#' at place 3" in reject.message


def test_without_standardising_only_capitals_are_a_sequence() -> None:
    made = prepare(TEXTS, SEQUENCES, standardise=False)
    assert made.keys == (MKT, ODD)
    assert made.index.tolist() == [0, -1, -1, -1, 1, 0, -1]
    assert prepare(made.keys, SEQUENCES, standardise=False).keys == made.keys


@pytest.mark.parametrize("standardise", [True, False])
def test_what_only_looks_like_a_protein_has_a_reason(standardise: bool) -> None:
    texts = {
        **dict.fromkeys(("nan", "NA", "None", "not determined", "-"), "empty"),
        **dict.fromkeys(("EGFR", "TXK", "AAK1", "P00533", "JAK2(JH1domain-catalytic)", "p38-alpha"), "gene_name"),
        **{"M": "too_short", "CYIQNCPLG": "gene_name", "MKT" + "X" * 40: "too_short"},
        **{"X" * 7: "no_residues", "ACGT": "gene_name", "ACGTTGCANN": "nucleotides", "AUGGCCAUGGCGCCC": "nucleotides"},
    }
    made = prepare(list(texts), SEQUENCES, standardise=standardise)
    assert {reject.text: reject.reason for reject in made.rejects.values()} == texts
    assert not prepare(["YYDPETGTWY", "ACGTTGCANH"], SEQUENCES, standardise=standardise).rejects  # chignolin, CLN025


def test_levels_and_schema() -> None:
    parts = prepare(TEXTS, SEQUENCES).parts
    assert parts.level == {"residues": "residue", "kmers": "kmer", "composition": "part"}
    assert "".join(LETTERS[code] for code in parts.values["residues"].tolist()) == MKT + ODD
    assert parts.values["residues"].dtype == torch.uint8 and parts.schema["residues"] == [26]
    assert parts.offsets["residue"].tolist() == [0, 10, 23]
    assert parts.values["composition"].shape == (2, len(COMPOSITION))
    assert parts.values["composition"].dtype == torch.float32


def test_only_what_is_needed_is_made() -> None:
    assert set(prepare(TEXTS, ("kmers",)).parts.values) == {"kmers"}
    assert len(prepare(TEXTS, ()).parts) == 2


def test_a_protein_does_not_depend_on_the_rest_of_the_file() -> None:
    alone, among = prepare([MKT], SEQUENCES).parts, prepare(TEXTS[::-1], SEQUENCES).parts
    mine = among.gather(torch.tensor([0]))
    assert all(torch.equal(mine.values[name], alone.values[name]) for name in SEQUENCES)


def test_nothing_to_prepare() -> None:
    for texts in ([], ["", "1"]):
        made = prepare(texts, SEQUENCES)
        assert len(made.parts) == 0 and made.keys == () and len(made.rejects) == len(texts)
        assert made.parts.offsets["residue"].tolist() == [0]


def test_titin_is_a_protein_as_any_other() -> None:
    giant = "ACDEFGHIKLMNPQRSTVWY" * 1750
    parts = prepare([giant, MKT], SEQUENCES).parts
    assert parts.offsets["residue"].tolist() == [0, 35_000, 35_010]


def test_kinases(kinases: object) -> None:
    made = prepare(list(kinases.sequence), ("residues",))  # type: ignore[attr-defined]
    assert not made.rejects and len(made.keys) == 379
    assert made.parts.offsets["residue"].diff().max() == 2549


@pytest.mark.parametrize("text", ["0.5, -1, 2e-3", "[0.5 -1 2e-3]", "0.5;-1;0.002", "(0.5,\t-1,0.002)"])
def test_a_vector_however_it_is_written(text: str) -> None:
    made = prepare([text], ("embedding",))
    assert made.keys == (text,)
    np.testing.assert_array_equal(made.parts.values["embedding"], np.float32([[0.5, -1, 0.002]]))
    assert made.parts.schema == {"embedding": [3]}


def test_vectors_that_cannot_be_read_say_why() -> None:
    made = prepare(["1 2", "", "1 two", "1 nan", "1 2 3", "3 4", "1 1e99"], ("embedding", "kmers", "composition"))
    assert made.index.tolist() == [0, -1, -1, -1, -1, 1, -1]
    assert [r.reason for r in made.rejects.values()] == ["empty", *["invalid_vector"] * 4]
    assert "3 numbers where the first vector has 2" in made.rejects[4].message
    assert "'two'" in made.rejects[2].message
    assert not made.parts.values["composition"].any()
    assert made.parts.offsets["kmer"].diff().tolist() == [512, 512]


def test_unknown_features_are_refused() -> None:
    assert set(SEQUENCES) | {"embedding"} == set(FEATURES)
    with pytest.raises(ConfigError, match="did you mean 'residues'"):
        prepare(TEXTS, ("residue",))
