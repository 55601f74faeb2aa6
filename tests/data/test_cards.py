from __future__ import annotations

import pytest

from molgraph.data.cards import Target, card, parse, show
from molgraph.errors import ConfigError, DataError

TEXT = """
title = "T"
room = "molecule"
task = "regression"
split = "scaffold"
metric = "rmse"
licence = "CC0"
citation = "Someone 2020, doi:10.1/2"
page = "https://example.org"
rows = 3

[columns]
id = "id"
smiles = "molecule"

[[targets]]
names = ["a", "b"]
kind = "regression"
unit = "mol/L"

[[files]]
at = "mirror:x/y.csv"

[[files]]
at = "https://example.org/y.csv.gz?download=1"
rename = { Drug = "smiles" }
"""


def test_a_card_says_what_the_table_holds_and_where_it_lies() -> None:
    made = parse(TEXT, "mine")
    assert made.names == ("id", "smiles", "a", "b")
    assert made.inputs == ("smiles",)
    assert made.targets == (Target("a", "regression", "mol/L"), Target("b", "regression", "mol/L"))
    assert [[file.filename for file in source] for source in made.sources] == [["y.csv"], ["y.csv.gz"]]
    assert [file.scheme for file in made.files] == ["mirror", "https"]


def test_a_card_prints_what_a_person_asks_of_it() -> None:
    text = str(parse(TEXT, "mine"))
    for part in ("mine: T", "rows      3", "a (regression, mol/L)", "CC0", "doi:10.1/2", "mirror:x/y.csv"):
        assert part in text
    assert "and 605 more" in show("toxcast")


def test_an_unknown_dataset_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"unknown dataset 'esoll'; did you mean 'esol'\?"):
        card("esoll")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (TEXT.replace("licence", "license"), "unknown key 'license'; did you mean 'licence'"),
        (TEXT.replace('title = "T"\n', ""), "missing 1 required positional argument: 'title'"),
        (TEXT.replace('unit = "mol/L"', 'units = "mol/L"'), "unknown key 'units'; did you mean 'unit'"),
        (TEXT.replace('at = "mirror', 'att = "mirror'), "unknown key 'att'; did you mean 'at'"),
        (TEXT + "\n]", "no valid TOML"),
    ],
)
def test_a_faulty_card_names_itself_and_the_key(wrong: str, message: str) -> None:
    with pytest.raises(DataError, match="card 'mine'") as caught:
        parse(wrong, "mine")
    assert message in str(caught.value)
