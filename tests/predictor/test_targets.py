"""Targets of a molecule: their order, their chances and their evidence, against counting by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from molgraph.calibrate import Platt
from molgraph.data.cells import Cells
from molgraph.data.dataset import Dataset
from molgraph.errors import ConfigError, DataError
from molgraph.predictor import Predictor
from molgraph.predictor.inputs import Slot, of_pairs
from molgraph.predictor.targets import COLUMNS, known_proteins, protein_slot, rank_targets, read_proteins
from molgraph.rooms.molecule.room import ROOM
from molgraph.rooms.protein.room import AFFINITY
from molgraph.rooms.protein.room import ROOM as PROTEIN
from molgraph.workflows.train import train_rows

KINDS = {"kinase": "regression", "channel": "regression", "toxic": "binary"}
ACTIVE = 7.0


@pytest.fixture(scope="module")
def panel(series, plan_of):
    """Return a model of three targets, each measured for a part of the ligands only."""
    shown = series["pAct"].astype(object)
    frame = pd.DataFrame({
        "smiles": series["smiles"], "name": series["name"],
        "kinase": ["" if i % 3 == 0 else v for i, v in enumerate(shown)],
        "channel": ["" if i % 4 == 1 else 12 - v for i, v in enumerate(shown)],
        "toxic": ["" if i % 5 == 2 else int(v > 7) for i, v in enumerate(shown)],
    })  # fmt: skip
    made = plan_of(frame, targets=list(KINDS), task=KINDS, split="random", fractions=[0.6, 0.3, 0.1])
    return made, train_rows(made)


def ranked(predictor: Predictor, source, **settings) -> pd.DataFrame:
    (table,) = predictor.read(source)
    return rank_targets(predictor, table, **{"active": ACTIVE, **settings})


def tanimoto(room, mine: list[str], theirs: list[str]) -> np.ndarray:
    asked, known = (room.reading.prepare(Cells.of(texts), (room.likeness.fingerprint,)) for texts in (mine, theirs))
    return room.likeness.index(known.parts).similarity(asked.parts)[asked.index][:, known.index]


# --- a model of many targets -----------------------------------------------------------------------------------------


def test_targets_come_by_their_chance(panel, nci):
    predictor = panel[1]
    found = ranked(predictor, nci[:10])
    assert list(found.columns) == list(COLUMNS)
    said = predictor.predict(nci[:10])
    for row, lines in found.groupby("row"):
        assert lines["rank"].tolist() == [1, 2, 3] and sorted(lines["target"]) == sorted(KINDS)
        assert lines["probability"].is_monotonic_decreasing
        for line in lines.to_dict("records"):
            name, at = line["target"], row - 1
            chance = predictor.chances[name].of([said[name][at]], ACTIVE)[0]
            assert line["probability"] == pytest.approx(chance, abs=1e-6)
            assert line["value"] == pytest.approx(said[name][at], abs=1e-5)
            if name == "toxic":  # a yes or no has a set in words, and a number has ends
                word, likely = line["set90"], line["probability"] > 0.5
                assert word in (said["toxic_set90"][at], "undecided") and word != ("no" if likely else "yes")
                assert np.isnan([line["lo90"], line["hi90"]]).all()
            else:
                ends = [said[f"{name}_{end}"][at] for end in ("lo90", "hi90")]
                assert [line["lo90"], line["hi90"]] == pytest.approx(ends, abs=1e-5, nan_ok=True) and pd.isna(
                    line["set90"]
                )
            assert line["in_domain"] == said["in_domain"][at] and line["status"] == "ok"


def test_a_binary_target_is_calibrated_and_needs_no_border(series, plan_of, nci):
    trees = {"model": "molecule/forest", "encoder": {"rounds": 15, "depth": 3}}
    made = plan_of(series, targets=["active"], task="binary", split="random", fractions=[0.4, 0.5, 0.1], **trees)
    predictor = train_rows(made)
    held = made.rows.data.subset(made.split.calibration)
    truth, observed, bound = held.targets.arrays("active")
    estimates = predictor.estimate(held)[0][:, 0]
    assert predictor.chances["active"] == Platt.fit("binary", estimates, truth, observed=observed, bound=bound)
    assert predictor.chances["active"].values != (1.0, 0.0)
    found = ranked(predictor, nci[:5], active=None)
    wanted = predictor.chances["active"].of(predictor.predict(nci[:5])["active"], None)
    np.testing.assert_allclose(found["probability"].to_numpy(float), wanted, atol=1e-6)


def test_the_evidence_is_the_most_similar_active_of_each_target(panel, nci):
    made, predictor = panel
    train: Dataset = made.rows.data.subset(made.split.train)
    keys = [train.inputs["input"].key_of(i) for i in range(len(train))]
    asked = [*nci[:6], made.rows.frame["smiles"][0]]
    similar = tanimoto(ROOM, asked, keys)
    for line in ranked(predictor, asked).to_dict("records"):
        values, observed, _ = train.targets.arrays(line["target"])
        hit = observed & (values >= (1 if line["target"] == "toxic" else ACTIVE))
        mine = np.where(hit, similar[line["row"] - 1], -1)
        assert line["known_similarity"] == pytest.approx(mine.max())
        at = train.ids.index(line["known_id"])
        assert mine[at] == mine.max() and line["known"] == keys[at] and line["known_target"] == line["target"]
        assert line["known_value"] == pytest.approx(values[at])


def test_what_was_measured_of_the_molecule_itself_comes_before_what_is_estimated(panel):
    made, predictor = panel
    train = made.rows.data.subset(made.split.train)
    asked = [train.inputs["input"].key_of(i) for i in range(12)]
    ranks = ranked(predictor, [*asked, "CCO"])
    for row, lines in ranks.groupby("row"):
        if row == 13:
            assert (lines["measured"] == "").all()
            continue
        order = []
        for line in lines.to_dict("records"):
            values, observed, _ = (each[row - 1] for each in train.targets.arrays(line["target"]))
            border = 1 if line["target"] == "toxic" else ACTIVE
            assert line["measured"] == (str(values).removesuffix(".0") if observed else "")
            order.append(0 if observed and values >= border else 2 if observed else 1)
        assert order == sorted(order), "hit first, then what is not known, then what is known not to be hit"
    assert {"", *ranks["measured"]} != {""}


@pytest.mark.parametrize("active", [3.0, 9.9])
def test_measured_targets_come_by_what_was_measured_of_them(panel, active):
    made, predictor = panel
    train = made.rows.data.subset(made.split.train)
    asked = [train.inputs["input"].key_of(i) for i in range(len(train))]
    found = ranked(predictor, asked, active=active)
    both, against = 0, 0
    for _, lines in found[found["target"].isin(["kinase", "channel"]) & (found["measured"] != "")].groupby("row"):
        seen = lines["measured"].astype(float)
        assert seen.is_monotonic_decreasing
        both += len(lines) == 2
        against += not lines["value"].is_monotonic_decreasing
    assert both > against > 0, "and not by the estimate"


def test_no_active_is_no_evidence(panel):
    found = ranked(panel[1], ["CCO"], active=99.0).set_index("target")
    for name in ("kinase", "channel"):
        assert found.loc[name, ["known_id", "known", "known_similarity", "known_value"]].isna().all()
        assert found.loc[name, "probability"] < 0.1
    assert found.loc["toxic", "known_value"] == 1


def test_what_is_only_known_to_lie_below_a_value_is_no_active(series, plan_of):
    frame = series.assign(Ki=[f">{10 ** (9 - v):.6f}" if i % 2 else f"{10 ** (9 - v):.6f}" for i, v in
                              enumerate(series["pAct"])]).drop(columns="pAct")  # fmt: skip
    made = plan_of(frame, targets=["Ki"], units={"Ki": "nM"})
    asked = series["smiles"].tolist()[1:20:2]  # measured as weaker than ...
    found = ranked(train_rows(made), asked, active=4.0)
    exact = series[series.index % 2 == 0].set_index("name")["pAct"]
    assert len(found) == len(asked) and found["known_id"].isin(exact.index).all()
    assert found["measured"].str.startswith("<").sum() == found["measured"].ne("").sum() > 0  # a pKi below
    assert found["known_value"].to_numpy(float) == pytest.approx(exact[found["known_id"]].to_numpy(), abs=1e-4)


def test_rows_that_cannot_be_read_have_one_line_that_says_why(panel):
    found = ranked(panel[1], ["CCO", "xx", "", "OCC"], top=2)
    assert found["row"].tolist() == [1, 1, 2, 3, 4, 4]
    assert found["status"].tolist() == ["ok", "ok", "invalid_smiles", "empty", "ok", "ok"]
    bad = found[found["status"] != "ok"]
    assert bad["target"].isna().all() and bad["probability"].isna().all() and (bad["message"] != "").all()
    one, other = (found[found["row"] == row].drop(columns=["row", "query"]) for row in (1, 4))
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))


def test_no_row_can_be_read(panel):
    found = ranked(panel[1], ["xx", ""])
    assert found["status"].tolist() == ["invalid_smiles", "empty"]


def test_only_the_top_is_said(panel):
    assert ranked(panel[1], ["CCO"], top=1)["rank"].tolist() == [1]
    assert len(ranked(panel[1], ["CCO"], top=50)) == 3


def test_a_number_needs_to_know_from_where_on_it_is_active(panel):
    with pytest.raises(ConfigError, match="--active"):
        ranked(panel[1], ["CCO"], active=None)


def test_a_model_shared_without_its_rows_has_chances_and_no_evidence(panel):
    whole = panel[1]
    mute = Predictor(whole.recipe, whole.members, None)
    found, full = ranked(mute, ["CCO"]), ranked(whole, ["CCO"])
    said = ["target", "probability", "value", "lo90", "hi90"]
    pd.testing.assert_frame_equal(found[said], full[said])
    assert found[["in_domain", "known_id", "known_similarity", "known_value"]].isna().all(axis=None)


def test_classes_are_not_ranked_and_the_other_targets_are(network, series, plan_of):
    assert ranked(network[1], ["CCO"])["target"].isin(["pAct", "active"]).all()
    only = train_rows(plan_of(series, targets=["level"], task="multiclass"))
    with pytest.raises(ConfigError, match="no target that is a number or a yes or no"):
        ranked(only, ["CCO"])


def test_proteins_cannot_be_asked_of_a_model_of_molecules(panel, tmp_path):
    (tmp_path / "some.fasta").write_text(">a\nMKT\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="a molecule and a protein; this one has 1 input"):
        read_proteins(panel[1], tmp_path / "some.fasta")


@pytest.mark.parametrize("models", [("molecule/gin", "molecule/gin"), ("protein/cnn", "molecule/gin")])
def test_a_second_input_that_nothing_hits_is_not_ranked(models):
    slots = tuple(Slot(name, name, model, {}) for name, model in zip(("one", "other"), models, strict=True))
    with pytest.raises(ConfigError, match=r"in this order; .* are one \(\w+\) and other \(molecule\)"):
        protein_slot(SimpleNamespace(inputs=SimpleNamespace(slots=slots)))


def test_a_room_says_what_is_shown_of_pairs():
    molecule, protein = (Slot(room, room, f"{room}/forest", {}) for room in ("molecule", "protein"))
    assert of_pairs([molecule, protein]) == of_pairs([protein, molecule]) == AFFINITY
    assert of_pairs([molecule, molecule]) == of_pairs([protein]) == ()


# --- a model of a molecule and a protein -----------------------------------------------------------------------------


def test_the_proteins_of_the_training_by_their_names(pair, pairs):
    found = known_proteins(pair[1])
    names = dict(zip(pairs["target_id"], pairs["sequence"], strict=True))
    keys = [found.given.key_of(at) for at in range(len(found.names))]
    assert set(found.names) == set(names) and keys == [names[name] for name in found.names]


def test_every_molecule_is_asked_with_every_protein(pair, pairs, nci):
    predictor, asked = pair[1], [*nci[:4], pairs["smiles"][0]]
    found = ranked(predictor, asked, top=9)
    assert found.groupby("row")["target"].nunique().tolist() == [4] * 5
    names = dict(zip(pairs["target_id"], pairs["sequence"], strict=True))
    table = pd.DataFrame({"smiles": found["query"], "sequence": found["target"].map(names)})
    said = predictor.predict(table)
    np.testing.assert_allclose(found["value"].to_numpy(float), said["pKd"], atol=1e-5)
    np.testing.assert_allclose(found["lo90"].to_numpy(float), said["pKd_lo90"], atol=1e-5)
    assert found["in_domain"].tolist() == said["in_domain"].tolist()
    chances = predictor.chances["pKd"].of(said["pKd"], ACTIVE)
    np.testing.assert_allclose(found["probability"].to_numpy(float), chances, atol=1e-6)
    guessed = found[found["measured"] == ""].groupby("row")
    assert guessed["probability"].apply(lambda p: p.is_monotonic_decreasing).all()
    assert guessed["value"].apply(lambda p: p.is_monotonic_decreasing).all()  # equal chances: by value
    assert (found["measured"] != "").groupby(found["row"]).any().tolist() == [False] * 4 + [True]
    measured = found[found["measured"] != ""].set_index("target")["measured"].astype(float)
    rows = pairs[pairs["smiles"] == pairs["smiles"][0]].set_index("target_id")["pKd"]
    assert measured.to_numpy() == pytest.approx(rows[measured.index].to_numpy())


def test_the_evidence_is_an_active_on_the_same_or_a_similar_protein(pair, pairs, nci):
    made, predictor = pair
    train, side = made.rows.data.subset(made.split.train), predictor.domain.sides["target"]
    drugs, targets = ([train.inputs[n].key_of(i) for i in range(len(train))] for n in ("drug", "target"))
    names = dict(zip(pairs["target_id"], pairs["sequence"], strict=True))
    values = train.targets.arrays("pKd")[0]
    asked = [*nci[:3], pairs["smiles"][0]]
    similar = tanimoto(ROOM, asked, drugs)
    for line in ranked(predictor, asked).to_dict("records"):
        alike = tanimoto(PROTEIN, [names[line["target"]]], targets)[0] >= side.threshold
        mine = np.where(alike & (values >= ACTIVE), similar[line["row"] - 1], -1)
        assert line["known_similarity"] == pytest.approx(mine.max())
        at = train.ids.index(line["known_id"])
        assert mine[at] == mine.max() and line["known_value"] == pytest.approx(values[at])
        assert names[line["known_target"]] == targets[at]


def test_a_word_in_common_makes_no_relative(pair, pairs, tmp_path):
    """A protein that shares one word of six with ubiquitin, and is of another family."""
    random = np.random.default_rng(1)
    stranger = "MQIFVK" + "".join(random.choice(list("ACDEFGHIKLMNPQRSTVWY"), 200))
    (tmp_path / "some.fasta").write_text(f">stranger\n{stranger}\n", encoding="utf-8")
    asked = read_proteins(pair[1], tmp_path / "some.fasta")
    similar = pair[1].domain.sides["target"].index.similarity(asked.given.parts)
    assert 0 < similar.max() < PROTEIN.likeness.related
    (line,) = ranked(pair[1], [pairs["smiles"][0]], proteins=asked, active=0.0).to_dict("records")
    assert line["in_domain"] is False and pd.isna(line["known_id"])


def test_proteins_out_of_a_file(pair, pairs, tmp_path):
    predictor, known = pair[1], dict(zip(pairs["target_id"], pairs["sequence"], strict=True))
    fasta, table = tmp_path / "some.fasta", tmp_path / "some.csv"
    fasta.write_text(f">ubi of man\n{known['ubi']}\n>new\nWWWWHHHHWWWWHHHH\n", encoding="utf-8")
    pd.DataFrame({"gene": ["ubi", ""], "aa_sequence": [known["ubi"], "WWWWHHHHWWWWHHHH"]}).to_csv(table, index=False)
    both = [read_proteins(predictor, path) for path in (fasta, table)]
    assert [found.names for found in both] == [("ubi", "new"), ("ubi", "row 2")]
    lines = [ranked(predictor, ["CCO"], proteins=found).set_index("target") for found in both]
    full = ranked(predictor, ["CCO"]).set_index("target")
    for found in lines:
        assert found.loc["ubi", "value"] == pytest.approx(full.loc["ubi", "value"], abs=1e-6)
    assert lines[0].loc["new", "value"] == pytest.approx(lines[1].loc["row 2", "value"], abs=1e-6)
    assert not lines[0].loc["new", "in_domain"] and pd.isna(lines[0].loc["new", "known_id"])


@pytest.mark.parametrize(
    ("text", "says"), [(">a\nMKTAYIAKQR\n>b\nM#\n", "protein b: .*'#' at place 2"), ("", "no rows")]
)
def test_proteins_that_cannot_be_read(pair, tmp_path, text, says):
    path = tmp_path / "some.fasta"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        read_proteins(pair[1], path)


def test_shared_without_its_rows_a_model_of_pairs_must_be_told_the_proteins(pair, pairs, tmp_path):
    mute = Predictor(pair[1].recipe, pair[1].members, None)
    with pytest.raises(ConfigError, match="shared without its training rows: name the targets with --proteins FILE"):
        ranked(mute, ["CCO"])
    (tmp_path / "some.fasta").write_text(f">x\n{pairs['sequence'][0]}\n", encoding="utf-8")
    found = ranked(mute, ["CCO"], proteins=read_proteins(mute, tmp_path / "some.fasta"))
    assert found["target"].tolist() == ["x"] and found["known_id"].isna().all() and found["in_domain"].isna().all()


def test_pairs_of_several_targets_or_classes_are_not_ranked(pairs, plan_of, pair_settings):
    several = train_rows(
        plan_of(pairs.assign(other=1.5 * pairs["pKd"]), **{**pair_settings, "targets": ["pKd", "other"]})
    )
    with pytest.raises(ConfigError, match="this one predicts several"):
        ranked(several, ["CCO"])
    classes = pairs.assign(level=pd.qcut(pairs["pKd"], 3, labels=["low", "mid", "high"]).astype(str))
    with pytest.raises(ConfigError, match="'level' is one of several classes"):
        ranked(train_rows(plan_of(classes, **{**pair_settings, "targets": ["level"], "task": "multiclass"})), ["CCO"])
