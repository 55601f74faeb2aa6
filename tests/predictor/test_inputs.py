"""Several inputs in one table: which column is which, what a row is, what is given for all rows."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from molgraph import config
from molgraph.config import RunSettings
from molgraph.data.dataset import ABSENT
from molgraph.data.room import ROW
from molgraph.errors import ConfigError, DataError
from molgraph.predictor import load
from molgraph.predictor.given import resolve
from molgraph.predictor.inputs import INPUT, Inputs, Slot, slots
from molgraph.predictor.member import needs
from molgraph.predictor.parts import lacked, with_prints
from molgraph.predictor.things import identity, with_things
from molgraph.workflows.train import train_rows

DRUG = {"encoder": "molecule/gin", "hidden": 8}
TARGET = {"encoder": "protein/feedforward", "hidden": 8}
MKT, GIV = "MKTAYIAKQR", "GIVEQCCTSICSLYQ"


def run_of(drug=None, target=None, **settings) -> RunSettings:
    inputs = {"drug": DRUG | (drug or {}), "target": TARGET | (target or {})}
    return config.settings({"inputs": inputs, "targets": ["y"], **settings})


def inputs_of(run) -> Inputs:
    prints = {slot.name: (slot.room.likeness.fingerprint,) for slot in slots(run)}
    return Inputs(slots(run), prints, run.standardize)


def ready_of(frame, run=None, **given):
    inputs = inputs_of(run or run_of())
    if given:
        inputs = replace(inputs, given=resolve(inputs.slots, given))
    (table,) = inputs.read(pd.DataFrame(frame))
    return inputs.prepare(table)


# --- slots -----------------------------------------------------------------------------------------------------------


def test_the_inputs_of_a_run():
    run = run_of({"column": "mol", "id": "cid"}, {"column": "seq", "optional": True})
    drug, target = slots(run)
    assert (drug.name, drug.column, drug.model, drug.id, drug.optional) == ("drug", "mol", "molecule/gin", "cid", False)
    assert (target.column, target.optional, target.settings) == ("seq", True, {"hidden": 8})
    assert (drug.room.name, target.room.name) == ("molecule", "protein")
    assert run.model == "fusion/concat"


def test_one_input_has_no_name():
    (slot,) = slots(config.settings({"model": "molecule/gin", "column": "mol", "encoder": {"depth": 2}}))
    assert slot == Slot(INPUT, "mol", "molecule/gin", {"depth": 2})
    single = config.settings({"inputs": {"drug": {"encoder": "molecule/gin", "column": "mol", "depth": 2}}})
    assert slots(single) == (slot,) and not single.inputs


def test_a_row_is_called_what_its_room_holds_and_of_several_inputs_a_row():
    assert inputs_of(run_of()).noun == ROW
    alone = {name: inputs_of(config.settings({"model": name})).noun.many for name in ("imaging/cnn", "protein/cnn")}
    assert alone == {"imaging/cnn": "scans", "protein/cnn": "proteins"}


def test_a_column_named_for_all_is_that_of_the_first():
    drug, target = slots(run_of({"column": "mol"}, {"column": "seq"}, column="Structure"))
    assert (drug.column, target.column) == ("Structure", "seq")


def test_what_the_models_of_several_runs_read():
    trees = {"drug": {"encoder": "molecule/forest"}, "target": {"encoder": "protein/forest"}}
    forest = config.settings({"model": "fusion/forest", "inputs": trees})
    found = with_prints(run_of(), forest)
    assert list(found) == ["drug", "target"]
    assert {"graph", "fingerprint", "ecfp"} <= set(found["drug"]) and {"composition", "kmers"} <= set(found["target"])
    assert all(len(set(names)) == len(names) for names in found.values())


@pytest.mark.parametrize(
    ("drug", "target", "settings", "says"),
    [
        ({}, {"hiden": 8}, {}, "unknown key 'inputs.target.hiden' for model 'protein/feedforward'; did you mean"),
        ({}, {}, {"encoder": {"rank": 8}}, "unknown key 'encoder.rank' for model 'fusion/concat'"),
        ({"encoder": "molecule/gim"}, {}, {}, "unknown model 'molecule/gim'; did you mean 'molecule/gin'"),
        ({}, {"optional": "no"}, {}, "inputs.target.optional = 'no' has the wrong type: write true or false"),
        ({}, {"encoder": "protein/forest"}, {}, "'fusion/concat' joins networks, and 'protein/forest' is none of them"),
        ({}, {}, {"model": "fusion/forest"}, "'fusion/forest' joins what trees see .* 'molecule/gin' is none of them"),
        ({}, {}, {"model": "molecule/gin"}, "'molecule/gin' reads one input; several are joined by a fusion"),
    ],
)
def test_what_no_model_can_read_is_refused(drug, target, settings, says):
    with pytest.raises(ConfigError, match=says):
        needs(run_of(drug, target, **settings))


def test_a_fusion_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="'fusion/concat' joins several inputs: name them, as in --inputs"):
        needs(config.settings({"model": "fusion/concat"}))


def test_an_input_without_encoder_is_refused():
    with pytest.raises(ConfigError, match=r"\[inputs.target\]: name its encoder"):
        config.settings({"inputs": {"drug": DRUG, "target": {"column": "seq"}}})


# --- rows to things --------------------------------------------------------------------------------------------------


def test_distinct_combinations_in_the_order_in_which_they_come():
    ready = ready_of({"smiles": ["CCO", "CC", "OCC", "xx", "CC", "CC"], "sequence": [GIV, MKT, GIV, MKT, GIV, MKT]})
    things, index = ready.things()
    assert index.tolist() == [0, 1, 0, -1, 2, 1]
    assert [(things.inputs["drug"].key_of(i), things.inputs["target"].key_of(i)) for i in range(len(things))] == [
        ("CCO", GIV), ("CC", MKT), ("CC", GIV)
    ]  # fmt: skip
    assert ready.keys() == ["CCO", "CC", "CCO", "", "CC", "CC"]
    assert ready.columns == {"drug": "smiles", "target": "sequence"}


def test_each_part_is_prepared_once():
    ready = ready_of({"smiles": ["CCO", "OCC", "CC"] * 5, "sequence": [MKT, MKT.lower(), MKT + "*"] * 5})
    assert [len(given.parts) for given in ready.inputs.values()] == [2, 1]
    assert len(ready.things()[0]) == 2


def test_a_reason_names_its_row_and_its_input():
    ready = ready_of({"smiles": ["CCO", "xx", "", "CC"], "sequence": ["", "M#", MKT, MKT]})
    found = [ready.rejects[at] for at in (0, 1, 2)]
    assert [(r.row, r.reason) for r in found] == [(1, "empty"), (2, "invalid_smiles"), (3, "empty")]
    assert [r.message.partition(":")[0] for r in found] == ["target", "drug", "drug"]
    assert ready.things()[1].tolist() == [-1, -1, -1, 0]


def test_a_column_of_names_is_no_column_of_sequences():
    frame = {"smiles": ["CCO"] * 4, "gene": ["EGFR", "AAK1", MKT, "KIT"]}
    ready = ready_of(frame, run_of(target={"column": "gene"}))
    (why,) = ready.misread
    assert "column 'gene' holds no proteins: 3 of 4 cells are none, as that of row 1: too short for a sequence" in why
    assert "--join targets.fasta:gene" in why and "--join targets.fasta:gene" in ready.messages()[1]
    assert not ready_of(frame | {"gene": ["EGFR", "AAK1", MKT, MKT]}, run_of(target={"column": "gene"})).misread


def test_names_where_vectors_should_be():
    run = run_of(target={"column": "gene", "encoder": "protein/embedding"})
    (table,) = Inputs(slots(run), with_prints(run), True).read(pd.DataFrame({"smiles": ["CC"], "gene": ["AKT1"]}))
    ready = Inputs(slots(run), with_prints(run), True).prepare(table)
    assert "'AKT1' is no vector; where cells name proteins" in ready.messages()[0]
    assert "inputs.target.file=vectors.npz" in ready.messages()[0] and ready.misread


def test_no_row_can_be_used():
    things, index = ready_of({"smiles": ["xx", ""], "sequence": [MKT, ""]}).things()
    assert len(things) == 0 and index.tolist() == [-1, -1]


def test_an_optional_input_may_be_absent_and_not_wrong():
    run = run_of(target={"optional": True})
    ready = ready_of({"smiles": ["CCO", "CCO", "CCO", "CCO"], "sequence": [MKT, "", " NA", "M#"]}, run)
    assert {at: r.reason for at, r in ready.rejects.items()} == {3: "invalid_sequence"}
    things, index = ready.things()
    assert index.tolist() == [0, 1, 1, -1]
    assert things.inputs["target"].index.tolist() == [0, ABSENT]


def test_a_row_without_any_input_is_no_thing():
    run = run_of({"optional": True}, {"optional": True})
    ready = ready_of({"smiles": ["CCO", "", ""], "sequence": ["", "", MKT]}, run)
    assert {at: (r.row, r.reason) for at, r in ready.rejects.items()} == {1: (2, "empty")}
    assert ready.things()[1].tolist() == [0, -1, 1]
    assert ready.keys() == ["CCO", "", ""]


def test_broken_records_keep_their_place(tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text(f"smiles,sequence\nCCO,{MKT}\nCC,{MKT},3\nCN,{GIV}\n", encoding="utf-8")
    inputs = inputs_of(run_of())
    (table,) = inputs.read(path)
    ready = inputs.prepare(table)
    assert {at: (r.row, r.reason) for at, r in ready.rejects.items()} == {1: (2, "ragged_row")}
    assert ready.things()[1].tolist() == [0, -1, 1]


# --- rows that lack an input -----------------------------------------------------------------------------------------


def lacking(frame, lacked):
    inputs = replace(inputs_of(run_of(target={"optional": True})), lacked=lacked)
    (table,) = inputs.read(pd.DataFrame(frame))
    return inputs.prepare(table)


def test_what_was_never_lacking_in_training_may_not_lack():
    frame = {"smiles": ["CCF", "CC", "xx"], "sequence": [MKT, "", ""]}
    ready = lacking(frame, ())
    assert {at: r.reason for at, r in ready.rejects.items()} == {1: "absent_untrained", 2: "invalid_smiles"}
    assert ready.messages()[1].startswith("target: is blank, and no training row lacked it")
    ready = lacking(frame, ("target",))
    assert list(ready.rejects) == [2] and ready.messages()[:2] == ["", "scored without target"]


def test_a_file_may_lack_the_column_of_an_optional_input():
    ready = lacking({"smiles": ["CCC", "CC"]}, ("target",))
    assert not ready.rejects and ready.messages() == ["scored without target"] * 2 and ready.columns["target"] == ""
    for learnt in (None, ()):
        with pytest.raises(DataError, match="no column 'sequence' for the input 'target'"):
            lacking({"smiles": ["CCO", "CC"]}, learnt)


def test_inputs_that_training_lacks_are_learnt():
    run = run_of({"optional": True}, {"optional": True})
    index = np.array([[0, 0], [1, ABSENT]])
    assert lacked(run, index) == ["target"] and lacked(run, index[:1]) == lacked(run_of(), index) == []
    hidden = replace(run, encoder={"modality_dropout": 0.1})
    assert lacked(hidden, index[:1]) == ["drug", "target"]


# --- columns and names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        (["SMILES", "Target Sequence"], {}),
        (["mol", "seq"], {}),
        (["Ligand SMILES", "protein sequence"], {}),
        (["a", "b"], {"drug": "a", "target": "b"}),
        (["drug", "target"], {}),
    ],
    ids=str,
)
def test_columns_are_found(columns, wanted):
    run = run_of(*({"column": wanted[name]} if wanted else {} for name in ("drug", "target")))
    ready = ready_of(dict(zip(columns, (["CCO"], [MKT]), strict=True)), run)
    assert list(ready.columns.values()) == columns and not ready.rejects


def test_a_column_called_as_the_input_comes_before_the_usual_names():
    assert ready_of({"smiles": ["CCO"], "target": [GIV], "sequence": [MKT]}).columns["target"] == "target"


@pytest.mark.parametrize("wanted", ["", "sequnce"])
def test_a_column_that_is_not_there(wanted):
    frame = {"smiles": ["CCO"], "sequence" if wanted else "aminos": [MKT]}
    with pytest.raises(DataError) as error:
        ready_of(frame, run_of(target={"column": wanted}))
    assert f"no column '{wanted or 'sequence'}' for the input 'target'" in str(error.value)
    assert "--protein X (a file, or a sequence), or --given target=X" in str(error.value)


def test_the_column_of_the_first_input_is_the_readers_business():
    with pytest.raises(DataError, match="no column 'mol'"):
        ready_of({"smiles": ["CCO"], "sequence": [MKT]}, run_of({"column": "mol"}))


def test_parts_are_called_by_the_users_names():
    frame = {
        "smiles": ["CCO", "CC", "CCO"], "sequence": [MKT, MKT, GIV], "drug_id": ["d1", "d2", "d1"],
        "Gene": ["", "ABL1", "INS"], "id": ["1", "2", "3"],
    }  # fmt: skip
    ready = ready_of(frame)
    assert ready.inputs["drug"].names == ("d1", "d2")
    assert ready.inputs["target"].names == ("ABL1", "INS")


def test_a_column_called_id_names_the_rows_and_not_the_proteins():
    ready = ready_of({"smiles": ["CCO", "CC"], "sequence": [MKT, MKT], "id": ["1", "2"]})
    assert ready.inputs["target"].names == ()


def test_the_run_says_which_column_names_the_parts():
    frame = {"smiles": ["CCO"], "sequence": [MKT], "uniprot": ["P1"], "mine": ["ABL1"]}
    assert ready_of(frame, run_of(target={"id": "mine"})).inputs["target"].names == ("ABL1",)
    assert ready_of({"smiles": ["CCO"], "sequence": [MKT]}, run_of(target={"id": "mine"})).inputs["target"].names == ()


# --- given for all rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["target", "protein"])
def test_one_protein_for_all_rows(name):
    ready = ready_of({"smiles": ["CCO", "CC", "xx"]}, **{name: MKT.lower()})
    target = ready.inputs["target"]
    assert target.keys == (MKT,) and target.index.tolist() == [0, 0, 0]
    assert ready.columns == {"drug": "smiles", "target": ""}
    assert list(ready.rejects) == [2] and ready.things()[1].tolist() == [0, 1, -1]


def test_a_protein_longer_than_the_name_of_a_file():
    assert ready_of({"smiles": ["CCO"]}, target=MKT * 500).inputs["target"].keys == (MKT * 500,)


def test_what_is_given_is_prepared_once_for_all_blocks():
    inputs = inputs_of(run_of())
    inputs = replace(inputs, given={"target": MKT})
    tables = list(inputs.read(pd.DataFrame({"smiles": ["CCO", "CC", "CN"]}), block=2))
    first, second = (inputs.prepare(table).inputs["target"].parts for table in tables)
    assert first is second


def test_a_column_of_the_file_does_not_count_where_one_is_given():
    ready = ready_of({"smiles": ["CCO"], "sequence": [GIV], "gene": ["INS"]}, target=MKT)
    assert ready.inputs["target"].keys == (MKT,) and ready.inputs["target"].names == ()


@pytest.mark.parametrize("column", ["", "sequence", "target_sequence"])
def test_a_protein_out_of_fasta(tmp_path, column):
    path = tmp_path / "one.fasta"
    path.write_text(f">P1 a protein\n{MKT}\n{GIV}\n", encoding="utf-8")
    run = run_of(target={"column": column})
    assert ready_of({"smiles": ["CCO"]}, run, target=str(path)).inputs["target"].keys == (MKT + GIV,)


def test_a_protein_out_of_a_table_by_the_column_of_the_training(tmp_path):
    pd.DataFrame({"aminos": [MKT], "note": ["x"]}).to_csv(tmp_path / "one.csv", index=False)
    run = run_of(target={"column": "aminos"})
    assert ready_of({"smiles": ["CCO"]}, run, target=str(tmp_path / "one.csv")).inputs["target"].keys == (MKT,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f">a\n{MKT}\n>b\n{MKT}\n", "holds 2 rows; for all rows alike give a file with one"),
        ("", "no rows"),
        (">a\n", "the target given: there is no sequence"),
        (">a\nM#\n", "the target given: character '#' at place 2"),
    ],
)
def test_files_that_do_not_hold_one_protein(tmp_path, text, says):
    path = tmp_path / "some.fasta"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        ready_of({"smiles": ["CCO"]}, target=str(path))


def test_a_file_that_is_not_there_is_no_sequence(tmp_path):
    with pytest.raises(DataError, match=r"none.fasta: no such file"):
        ready_of({"smiles": ["CCO"]}, target=str(tmp_path / "none.fasta"))


@pytest.mark.parametrize("text", ["M5", "", "   "])
def test_what_is_no_sequence_cannot_be_given(text):
    with pytest.raises(DataError, match="the target given: "):
        ready_of({"smiles": ["CCO"]}, target=text)


def test_the_name_of_a_gene_is_no_sequence():
    with pytest.raises(DataError, match=r"no file of that name, and too short for a sequence: .* looks like the name"):
        ready_of({"smiles": ["CCO"]}, protein="EGFR")


def test_an_input_that_the_model_has_not():
    found = slots(run_of())
    with pytest.raises(ConfigError, match="no input 'tarjet' to give; did you mean 'target'"):
        resolve(found, {"tarjet": MKT})
    for name in ("drug", "molecule"):
        with pytest.raises(ConfigError, match=f"'{name}' is what the rows hold, and cannot be given; known: target"):
            resolve(found, {name: "CCO"})
    with pytest.raises(ConfigError, match="the input 'target' is given twice"):
        resolve(found, {"target": MKT, "protein": MKT})
    with pytest.raises(ConfigError, match="no input 'protein' to give"):
        resolve(slots(config.settings({"model": "molecule/gin"})), {"protein": MKT})


def test_a_room_that_two_inputs_stand_in_names_neither():
    run = config.settings({"inputs": {"drug": DRUG, "on": TARGET, "off": TARGET}, "model": "fusion/concat"})
    with pytest.raises(ConfigError, match="'protein' may be any of on, off: name the input"):
        resolve(slots(run), {"protein": MKT})
    assert resolve(slots(run), {"off": MKT, "on": GIV}) == {"off": MKT, "on": GIV}


# --- what a row is ---------------------------------------------------------------------------------------------------


def test_identity_is_that_of_all_inputs_together():
    run = run_of(target={"optional": True})
    ready = ready_of(
        {"smiles": ["O=c1cccc[nH]1", "Oc1ccccn1", "O=c1cccc[nH]1", "CCO"], "sequence": [MKT, MKT, GIV, ""]}, run
    )
    found = identity(with_things(slots(run), ready.inputs))
    assert found[0] == found[1] and len(set(found)) == 3  # tautomers are one compound
    assert found[3][1] == "" and found[0][1] == MKT


# --- a trained model of pairs ----------------------------------------------------------------------------------------


def test_a_prediction_depends_on_both_inputs_and_not_on_its_batch_mates(pair, pairs):
    predictor = pair[1]
    whole = predictor.predict(pairs)
    assert (whole["status"] == "ok").all()
    single = pd.concat([predictor.predict(pairs.iloc[[at]]) for at in (0, 7, 30)])
    np.testing.assert_allclose(single["pKd_predicted"], whole["pKd_predicted"].iloc[[0, 7, 30]], atol=1e-5)
    assert whole.groupby("drug_id")["pKd_predicted"].nunique().min() == 4
    assert whole.groupby("target_id")["pKd_predicted"].nunique().min() == 20


def test_a_protein_given_is_the_column_of_that_protein(pair, pairs):
    predictor, mine = pair[1], pairs[pairs["target_id"] == "ins"]
    by_column = predictor.predict(mine)
    given = predictor.predict(mine[["smiles"]], given={"protein": mine["sequence"].iloc[0]})
    for name, theirs in (("pKd", "pKd_predicted"), ("nn_similarity", "nn_similarity"), ("nn_id", "nn_id")):
        assert given[name].tolist() == by_column[theirs].tolist()


def test_what_is_given_counts_for_one_call_only(pair, pairs):
    predictor, mine = pair[1], pairs[pairs["target_id"] == "ins"]
    before = predictor.predict(pairs.head(8))
    predictor.predict(mine[["smiles"]], given={"target": mine["sequence"].iloc[0]})
    pd.testing.assert_frame_equal(predictor.predict(pairs.head(8)), before)
    with pytest.raises(DataError, match="for the input 'target'"):
        predictor.predict(mine[["smiles"]])


def test_saved_and_loaded_it_says_the_same_to_the_bit(pair, pairs, tmp_path):
    pair[1].save(tmp_path)
    pd.testing.assert_frame_equal(load([tmp_path]).predict(pairs), pair[1].predict(pairs), check_exact=True)


def test_a_bad_row_keeps_its_place_and_says_why(pair, pairs):
    some = pairs.head(5).reset_index(drop=True)
    whole = pair[1].predict(some)
    some.loc[1, "sequence"], some.loc[3, "smiles"] = "M#", "xx"
    found = pair[1].predict(some)
    assert found["status"].tolist() == ["ok", "invalid_sequence", "ok", "invalid_smiles", "ok"]
    assert found["message"][1].startswith("target: ") and found["message"][3].startswith("drug: ")
    assert found["pKd_predicted"].isna().tolist() == [False, True, False, True, False]
    kept = [0, 2, 4]
    np.testing.assert_allclose(found["pKd_predicted"][kept].astype(float), whole["pKd_predicted"][kept], atol=1e-6)


def test_the_neighbour_is_called_by_both_names(pair, pairs):
    made, predictor = pair
    train = made.rows.frame.iloc[made.split.train]
    found = predictor.predict(train)
    wanted = (train["drug_id"] + " on " + train["target_id"]).tolist()
    assert found["nn_id"].tolist() == wanted and (found["nn_similarity"] == 1).all()


@pytest.mark.parametrize(("hidden", "earlier"), [(0.0, False), (0.2, False), (0.2, True)])
def test_a_model_scores_without_an_input_only_where_training_taught_it(
    pairs, plan_of, pair_settings, hidden, earlier, tmp_path
):
    target = {**pair_settings["inputs"]["target"], "optional": True}
    inputs = {**pair_settings["inputs"], "target": target}
    made = plan_of(pairs, **{**pair_settings, "inputs": inputs, "encoder": {"modality_dropout": hidden}})
    train_rows(made).save(tmp_path)
    if earlier:
        recipe = tmp_path / "recipe.json"
        raw = json.loads(recipe.read_text(encoding="utf-8"))
        del raw["lacked"]
        recipe.write_text(json.dumps(raw), encoding="utf-8")
    model, some = load([tmp_path]), pairs.head(4).assign(sequence=lambda f: ["", "nan", *f["sequence"][2:]])
    found = model.predict(some)
    assert found["status"].tolist() == ["ok" if hidden else "absent_untrained"] * 2 + ["ok"] * 2
    assert found["pKd_predicted"].notna().tolist() == [bool(hidden)] * 2 + [True] * 2
    if hidden:
        assert found["message"].tolist() == ["scored without target"] * 2 + [""] * 2
        assert (found["nn_similarity"][:2] > 0.99).all() and found["nn_similarity_target"].isna()[:2].all()
        assert (model.predict(pairs.head(4)[["smiles"]])["message"] == "scored without target").all()
