"""Every card that is shipped: complete, and true where its table can be looked at here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from molgraph import datasets
from molgraph.data.cards import MIRROR, PACKAGE

NAMES = datasets.names()
KINDS = {"regression", "binary", "multiclass", "ordinal"}
TASKS = KINDS | {"screen", "none"}
METRICS = {"", "rmse", "mae", "mse", "spearman", "auroc", "auprc"}
SPLITS = re.compile(r"|scaffold|random|column:(?P<column>\w+)")
WHEEL = [name for name in NAMES if any(file.scheme == PACKAGE for file in datasets.card(name).files)]
ON_MIRROR = [name for name in NAMES if any(file.scheme == MIRROR for file in datasets.card(name).files)]
MOLECULENET = [
    "esol",
    "freesolv",
    "lipophilicity",
    "bace",
    "bace_regression",
    "bbbp",
    "tox21",
    "toxcast",
    "sider",
    "clintox",
    "hiv",
    "muv",
]
TDC = [
    "caco2_wang",
    "hia_hou",
    "pgp_broccatelli",
    "bioavailability_ma",
    "lipophilicity_astrazeneca",
    "solubility_aqsoldb",
    "bbb_martins",
    "ppbr_az",
    "vdss_lombardo",
    "cyp2c9_veith",
    "cyp2d6_veith",
    "cyp3a4_veith",
    "cyp2c9_substrate_carbonmangels",
    "cyp2d6_substrate_carbonmangels",
    "cyp3a4_substrate_carbonmangels",
    "half_life_obach",
    "clearance_hepatocyte_az",
    "clearance_microsome_az",
    "herg",
    "ames",
    "dili",
    "ld50_zhu",
]


def test_what_was_promised_is_there() -> None:
    others = [
        "davis",
        "kiba",
        "pdbbind",
        "pneumoniamnist",
        "chembl2321810",
        "nci_5k",
        "cmet",
        "breast_cancer",
        "diabetes",
    ]
    assert set(MOLECULENET + TDC + others) <= set(NAMES)
    assert len(TDC) == 22


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_complete(name: str) -> None:
    card = datasets.card(name)
    for text in (card.title, card.licence, card.citation):
        assert text.strip()
    assert re.search(r"doi:10\.\d{4,}/\S+|https://", card.citation)
    assert card.page.startswith("https://")
    assert card.room in {"molecule", "binding", "imaging", "disease"}
    assert card.task in TASKS
    assert card.metric in METRICS
    assert {target.kind for target in card.targets} <= KINDS
    assert len(set(card.names)) == len(card.names)
    assert (split := SPLITS.fullmatch(card.split)) and (split["column"] is None or split["column"] in card.columns)
    if card.files:
        assert card.inputs
        assert card.targets or card.task == "screen"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_a_card_says_where_it_lies_and_how_it_is_known(name: str) -> None:
    card = datasets.card(name)
    for file in card.files:
        assert file.scheme in {MIRROR, PACKAGE, "https"}
        assert re.fullmatch(r"[0-9a-f]{64}" if file.scheme == MIRROR else r"[0-9a-f]{64}|", file.sha256)
        assert re.fullmatch(r"[0-9a-f]{32}|", file.md5)
        assert set(file.rename.values()) | set(file.add) <= set(card.names)
        assert file.join in {"", "row", *card.columns}
        if file.scheme != MIRROR:
            assert re.search(r"\.(csv|tab|smi|sdf|npz)(\.gz)?$", file.member or file.filename)
    assert {file.scheme for file in card.files} & {MIRROR, PACKAGE} == set() or card.rows > 0


def test_one_name_in_the_cache_is_one_address() -> None:
    online = {
        (file.filename, file.at) for name in NAMES for file in datasets.card(name).files if file.scheme == "https"
    }
    assert len({filename for filename, _ in online}) == len(online)


def check(name: str) -> None:
    card, table = datasets.card(name), datasets.load(name, download=False)
    assert tuple(table.columns) == card.names
    assert len(table) == card.rows
    for target in card.targets:
        column = table[target.name]
        assert column.dtype == float
        assert column.notna().any()
        if target.kind == "binary":
            assert set(column.dropna().unique()) <= {0.0, 1.0}
    for column in card.inputs:
        assert table[column].notna().all()
    if card.room in {"molecule", "binding"}:
        assert (table["smiles"].str.len() > 0).all()
    if card.split.startswith("column:"):
        assert table[card.split.removeprefix("column:")].nunique() >= 2


@pytest.mark.parametrize("name", WHEEL)
def test_a_table_inside_a_wheel_is_as_its_card_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOLGRAPH_DATA", raising=False)
    check(name)


@pytest.mark.parametrize("name", ON_MIRROR)
def test_a_table_of_the_mirror_is_as_its_card_says(name: str, shared_data: Path) -> None:
    assert datasets.path(name, download=False).is_relative_to(shared_data)
    check(name)


def test_the_official_test_split_of_tdc_shares_no_molecule(shared_data: Path) -> None:
    table = datasets.load("herg", download=False)
    assert table["split"].value_counts().to_dict() == {"train_val": 523, "test": 132}
    parts = [set(part["smiles"]) for _, part in table.groupby("split")]
    assert not parts[0] & parts[1]


def test_davis_is_mostly_a_floor(shared_data: Path) -> None:
    table = datasets.load("davis", download=False)
    assert 0.69 < (table["pKd"] == 5).mean() < 0.70
    assert table.groupby("drug_id")["smiles"].nunique().max() == 1
    assert (table["fold"] == "-1").sum() == 5010
