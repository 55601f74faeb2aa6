"""All that can be set: of one run as a run file that is the same run, and of all as a page that is true."""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from molgraph import config, registry
from molgraph.cli import main
from molgraph.tune.space import Space
from molgraph.workflows.rivals import rivals
from molgraph.workflows.run_file import SECTIONS, in_full, page

PAIRS = {"drug": {"encoder": "molecule/gin", "column": "smiles", "hidden": 50}, "target": {"encoder": "protein/cnn"}}
RUNS: list[dict[str, Any]] = [
    {},
    {"model": "molecule/gin", "encoder": {"hidden": 77}, "train": {"lr": 0.5}, "targets": ["a b", "ü"]},
    {"model": "molecule/forest"},
    {"model": "molecule/gin", "space": {"encoder": {"hidden": [8, 16]}, "train": {"lr": {"low": 1e-3, "high": 2e-3}}}},
    {"model": "molecule/gin", "space": {"model": ["molecule/gin", "molecule/forest"], "balance": [True, False]}},
    {"model": "protein/cnn", "space": {"model": "all"}},
    {"inputs": PAIRS},
    {"inputs": PAIRS, "space": {"inputs": {"drug": {"encoder": ["molecule/gin", "molecule/dmpnn"]}}}},
    {"space": {"molecule/forest": {"depth": [3, 4]}}},
    {"model": "imaging/unet"},
]


@pytest.mark.parametrize("raw", RUNS, ids=str)
def test_what_is_printed_is_the_same_run_with_all_that_can_be_set(raw: dict[str, Any]) -> None:
    run = config.settings({"targets": ["a"], **raw})
    again = config.settings(tomllib.loads(config.dump(in_full(run))))
    assert in_full(again) == again, "nothing is left to say"
    known = registry.settings(registry.model(run.model))
    assert {key for key, p in known.items() if p.default is not None} <= set(again.encoder)
    assert again.encoder.items() >= run.encoder.items()
    assert replace(again, encoder={}, inputs={}, space={}) == replace(run, encoder={}, inputs={}, space={})
    for name, section in run.inputs.items():
        theirs = registry.settings(registry.model(section["encoder"]))
        assert again.inputs[name] == {key: p.default for key, p in theirs.items()} | section
    if registry.model(run.model).opener != registry.PREDICTOR:
        return
    one, other = Space.of(run), Space.of(again)
    assert {each.name: (each.choices, each.low, each.high, each.log, each.start) for each in one.dimensions} == {
        each.name: (each.choices, each.low, each.high, each.log, each.start) for each in other.dimensions
    }
    for rival in [each for each in rivals(run).values() if each.inputs.keys() == run.inputs.keys()][:1]:
        mine = Space.of_rival(rival, run.space).dimensions
        assert [(each.name, each.ends) for each in mine] == [
            (each.name, each.ends) for each in Space.of_rival(rival, again.space).dimensions
        ]


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "a.csv", "--target", "y", "--model", "molecule/gin", "--print-config"]) == 0
    found = tomllib.loads(capsys.readouterr().out)
    assert set(registry.settings(registry.model("molecule/gin"))) == set(found["encoder"])
    assert found["space"]["train"]["lr"] == {"low": 1e-4, "high": 1e-2, "log": True}
    assert found["space"]["encoder"]["hidden"] and found["space"]["molecule/forest"]["rounds"]
    assert main(["train", "a.csv", "--target", "y", "--set", "encoder.hidden=abc", "--print-config"]) == 2


def test_the_page_of_all_keys_is_up_to_date() -> None:
    kept = Path(inspect.getfile(config)).parents[1] / "docs" / "run-file.md"
    assert kept.read_text(encoding="utf-8") == page(), "run: molgraph list keys > docs/run-file.md"


def test_every_key_and_every_model_is_on_the_page() -> None:
    text = page()
    for kind in SECTIONS.values():
        for each in fields(kind):
            (row,) = [
                line for line in text.split("## [encoder]")[0].splitlines() if line.startswith(f"| `{each.name}` |")
            ][:1]
            assert len(row.rsplit("|", 2)[1].strip()) > 3, f"{each.name}: say behind it in config.py what it is"
    assert all(f"### {name}\n" in text for name in registry.own_models())
    assert "| `hidden` | whole number | 300 | 150, 300, 600 |" in text
    assert "| `lr` | number | 0.05 | 0.01 to 0.2 (log) |" in text
