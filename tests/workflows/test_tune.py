"""A tuning from rows to models: what it may see, what it leaves, what it says."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest

from molgraph import config
from molgraph.errors import ConfigError, DataError, DivergedError
from molgraph.predictor import Predictor, load
from molgraph.predictor.training import Training
from molgraph.tune.attempt import BATCH
from molgraph.tune.budget import Budget, worked
from molgraph.tune.space import Space
from molgraph.tune.study import enqueue_starts
from molgraph.workflows import tune
from molgraph.workflows.nested import nested_folder
from molgraph.workflows.outcome import Outcome, Tuned, _smaller, _untuned, summary
from molgraph.workflows.study_page import study_page
from molgraph.workflows.tune import Request, every_model, tune_folder
from molgraph.workflows.watch import Trials

TINY: dict[str, Any] = {
    "targets": ["pAct"],
    "model": "molecule/gin",
    "comparator": "none",
    "encoder": {"hidden": 16, "depth": 2},
    "head": {"hidden": 16},
    "train": {"epochs": 2, "warmup": 0},
    "space": {
        "encoder": {"hidden": [8, 16], "depth": {"low": 1, "high": 2}, "descriptors": [False]},
        "head": {"hidden": [8, 16], "depth": [1], "pooling": ["mean"]},
        "train": {"lr": {"low": 1e-3, "high": 1e-2, "log": True}, "batch_size": [32, 64], "weight_decay": [0.0]},
        "molecule/forest": {"rounds": {"low": 5, "high": 20}, "depth": [2, 3]},
    },
}
Tune = Callable[..., Outcome]


@pytest.fixture(scope="module")
def series(chembl_table: pd.DataFrame) -> pd.DataFrame:
    return chembl_table.iloc[::6].sample(frac=1, random_state=0).reset_index(drop=True)


def tuned(out: Path, source: Any, trials: int = 3, overwrite: bool = False, **changes: Any) -> Outcome:
    asked = {key: changes.pop(key) for key in list(changes) if key in Request.__dataclass_fields__}
    run = config.settings({**TINY, **changes})
    return tune_folder(run, Request(out, Budget(trials), **asked), source=source, overwrite=overwrite)


@pytest.fixture(scope="module")
def whole(series: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return a tuning with its comparator, run once for all."""
    path = tmp_path_factory.mktemp("tuned") / "series.csv"
    series.to_csv(path, index=False)
    return tuned(path.parent / "out", None, trials=4, data=str(path), comparator="auto")


def table(out: Path, name: str = "trials.csv") -> list[dict[str, str]]:
    with (out / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_times(out: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k not in ("seconds", "worker")} for row in table(out)]


def test_all_that_it_leaves(whole: Outcome):
    names = {path.name for path in whole.out.iterdir()}
    assert {
        "study.journal",
        "trials.csv",
        "trials-comparator.csv",
        "study.json",
        "study.html",
        "best.toml",
        "best",
    } <= names
    rows = table(whole.out)
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[0]["encoder.hidden"] == "16" and rows[0]["seed"] == "0" and rows[0]["epochs"] == "2"
    found = json.loads((whole.out / "study.json").read_text(encoding="utf-8"))
    assert found["trials"] == {"tune": 4, "comparator": 4} and found["budget"] == "4 trials"
    assert found["best"]["values"][0] == min(float(row["rmse"]) for row in rows if row["state"] == "complete")
    assert not [p for p in whole.out.rglob("*") if p.name.startswith(".molgraph")]


def test_the_best_is_judged_beside_the_tuned_comparator_and_no_tuning(whole: Outcome):
    others = whole.assessment["others"]
    rival = next(iter(others))
    assert rival.startswith("molecule/forest, tuned (trial ") and rival.endswith(" of 4)")
    assert whole.best.number == 0 or "molecule/gin, not tuned" in others
    page = (whole.out / "study.html").read_text(encoding="utf-8")
    assert "tuned with the same budget (4 trials): 4 trials ended" in page
    assert whole.assessment["rows"] == len(whole.made.split.test) > 0


def test_values_of_its_page_have_the_unit_of_the_target(whole: Outcome, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(whole.predictor.recipe.units, "pAct", "-log10(M)")
    (found,) = study_page(whole, summary(whole)).quality
    assert found.units == "-log10(M)" and "RMSE (-log10(M))" in found.scores
    assert found.meaning.startswith("one unit higher is ten times as potent")


def test_best_toml_trains_to_the_very_same_model(whole: Outcome, tmp_path: Path):
    raw = config.override(config.read(whole.out / "best.toml"), ["comparator=none"])
    from molgraph.workflows.train import train_folder

    again = train_folder(config.settings(raw), tmp_path / "again")
    assert again is not None
    best = (whole.out / "best" / "weights-0.safetensors").read_bytes()
    assert (tmp_path / "again" / "weights-0.safetensors").read_bytes() == best
    seen = whole.readings[True]
    score, _ = whole.score(True, again.judged.estimate(seen.data.subset(seen.folds[0].score))[0])
    assert score == whole.best.values[0]
    assert again.facts["refitted"] == len(whole.made.rows.data), "the best is kept trained on all rows"


def test_no_tuning_is_the_run_file_to_the_last_bit_though_its_space_lacks_it(series: pd.DataFrame, tmp_path: Path):
    own: dict[str, Any] = {
        "encoder": {"hidden": 24, "depth": 3},
        "train": {**TINY["train"], "lr": 0.02},
        "split": "random",
    }
    made = tuned(tmp_path / "out", series, trials=2, ensemble=1, pick=1, **own)
    first, second = table(tmp_path / "out")
    assert (first["encoder.hidden"], first["encoder.depth"], first["train.lr"]) == ("24", "3", "0.02")
    assert second["encoder.hidden"] in ("8", "16") and float(second["train.lr"]) <= 1e-2
    name = "molecule/gin, not tuned"
    assert "encoder.hidden = 24" in made.methods
    from molgraph.workflows.train import train_folder

    plain = train_folder(config.settings({**TINY, **own, "space": {}}), tmp_path / "plain", source=series)
    assert plain is not None and plain.recipe.metrics["model"] == made.assessment["others"][name]
    scored = made.readings[True].data.subset(made.readings[True].folds[0].score)
    kept = np.load(made.main.estimates_of(made.main.study.trials[0]))
    assert plain.before is not None  # the model of the split, before it was trained again on all rows
    assert np.array_equal(plain.before.members[0].estimate(scored), kept)
    assert "<td>24</td>" in (tmp_path / "out" / "study.html").read_text(encoding="utf-8")
    alone = tuned(tmp_path / "out", series, trials=2, ensemble=1, pick=0, **own)
    assert alone.predictor is not None and alone.predictor.recipe.run.encoder["hidden"] == 24
    assert config.settings(config.read(tmp_path / "out" / "best.toml")).train.lr == 0.02


def test_the_ensemble_predicts_and_is_judged(whole: Outcome):
    folders = [whole.out / "best", *(path for _, path in whole.ensemble)]
    panel = load(folders)
    found = panel.predict(["CCO", "c1ccccc1O"])
    assert found["status"].tolist() == ["ok", "ok"] and found["pAct"].notna().all()
    if whole.ensemble:
        name = f"ensemble of {len(folders)} trials"
        test = whole.made.rows.data.subset(whole.made.split.test)
        unseen = np.mean([Predictor.load(folder).judged.estimate(test)[0] for folder in folders], axis=0)[:, 0]
        rmse = float(np.sqrt(np.mean((unseen - test.targets.arrays("pAct")[0]) ** 2)))
        assert whole.assessment["others"][name]["pAct"]["rmse"]["value"] == pytest.approx(rmse, rel=1e-5)
        assert f"the alternative ({name})" in whole.assessment["verdicts"]["pAct"][name]["sentence"]


def test_the_same_command_again_does_no_work_twice(whole: Outcome, capsys: pytest.CaptureFixture[str]):
    before = {p: p.stat().st_mtime_ns for p in whole.out.rglob("weights-*.safetensors")}
    asked = Request(whole.out, Budget(4))
    again = tune_folder(config.settings({**TINY, "data": whole.made.run.data, "comparator": "auto"}), asked)
    said = capsys.readouterr().err
    assert "going on after 4 trials" in said and "\ntraining" not in said
    assert {p: p.stat().st_mtime_ns for p in whole.out.rglob("weights-*.safetensors")} == before
    assert again.assessment == whole.assessment


def test_labels_of_the_test_rows_do_not_touch_the_study(whole: Outcome, series: pd.DataFrame, tmp_path: Path):
    poisoned = series.copy()
    hidden = whole.made.rows.data.rows[np.concatenate([whole.made.split.test, whole.made.split.calibration])]
    poisoned.loc[hidden - 1, "pAct"] = 1e6
    made = tuned(tmp_path / "poisoned", poisoned, trials=4, comparator="auto")
    assert without_times(made.out) == without_times(whole.out)
    for name in ("tune", "comparator"):
        for path in sorted((whole.out / "estimates" / name).iterdir()):
            assert path.read_bytes() == (made.out / "estimates" / name / path.name).read_bytes()
    shutil.rmtree(tmp_path / "poisoned")


def test_other_settings_need_another_folder(whole: Outcome, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"other data, settings or objectives.*--overwrite"):
        tune_folder(config.settings({**TINY, "data": whole.made.run.data, "seed": 1}), Request(whole.out, Budget(4)))
    with pytest.raises(ConfigError, match="--pick 99"):
        tune_folder(
            config.settings({**TINY, "data": whole.made.run.data, "comparator": "auto"}),
            Request(whole.out, Budget(4), pick=99),
        )


def test_of_several_objectives_the_front_is_shown_and_one_can_be_picked(series: pd.DataFrame, tmp_path: Path):
    ask: dict[str, Any] = {"objectives": ("rmse", "size"), "ensemble": 1}
    made = tuned(tmp_path / "out", series, trials=4, **ask)
    found = json.loads((tmp_path / "out" / "study.json").read_text(encoding="utf-8"))
    front = [each["trial"] for each in found["front"]]
    assert front and "cannot prune" in found["methods"]
    assert "Pareto front" in (tmp_path / "out" / "study.html").read_text(encoding="utf-8")
    smallest = min(found["front"], key=lambda each: each["values"][1])["trial"]
    again = tuned(tmp_path / "out", series, trials=4, pick=smallest, **ask)
    assert again.best.number == smallest
    assert config.settings(config.read(tmp_path / "out" / "best.toml")) == again.run_of(again.best)
    assert made.best.number == front[0]


def test_trials_over_folds(series: pd.DataFrame, tmp_path: Path):
    made = tuned(tmp_path / "out", series, trials=2, folds=3, ensemble=1)
    scores = made.best.user_attrs["fold_scores"]
    assert made.best.values[0] == pytest.approx(np.mean(scores))
    assert (tmp_path / "out" / "best" / "recipe.json").exists()


def test_nested_cross_validation_tests_every_row_once(series: pd.DataFrame, tmp_path: Path):
    run = config.settings({**TINY, "train": {"epochs": 1, "warmup": 0}})
    found = nested_folder(run, Request(tmp_path / "out", Budget(2), folds=2, ensemble=1), 2, source=series)
    tested = [outcome.made.rows.data.rows[outcome.made.split.test] for outcome in found]
    assert sorted(np.concatenate(tested).tolist()) == list(range(1, len(series) + 1))
    for outcome, rows in zip(found, tested, strict=True):
        assert not set(outcome.readings[True].data.rows.tolist()) & set(rows.tolist())
        assert len(outcome.readings[True].folds) == 2
    scores = json.loads((tmp_path / "out" / "nested.json").read_text(encoding="utf-8"))
    assert len(scores["pAct, rmse, tuned"]) == 2 and all(scores["pAct, rmse, tuned"])
    assert all(scores["pAct, rmse, molecule/gin, not tuned"]), "also where the best trial was no tuning"
    assert scores["pAct, rmse, ensemble"] == scores["pAct, rmse, tuned"], "of one"
    for outcome, tuned_score, plain in zip(
        found, scores["pAct, rmse, tuned"], scores["pAct, rmse, molecule/gin, not tuned"], strict=True
    ):
        assert (tuned_score == plain) == (outcome.best.number == 0)
    assert not (tmp_path / "out" / "fold-1" / "best" / "split").exists(), "what only judges is not trained again"
    assert not (tmp_path / "out" / "fold-1" / "best.toml").exists(), "it would train on rows that this fold tests"
    with pytest.raises(ConfigError, match="makes no folds"):
        nested_folder(replace(run, split="time:year"), Request(tmp_path / "new", Budget(2)), 2, source=series)


def test_folds_are_as_cold_as_the_split(pairs: pd.DataFrame, tmp_path: Path):
    inputs = {
        "drug": {"column": "smiles", "encoder": "molecule/feedforward", "hidden": 8},
        "target": {"column": "sequence", "encoder": "protein/feedforward", "hidden": 8},
    }
    train = {"train": {"epochs": 1, "warmup": 0, "batch_size": 32}, "head": {"hidden": 8}}
    raw = {"targets": ["pKd"], "split": "cold:all", "inputs": inputs, "comparator": "none", **train}
    run = config.settings({**raw, "space": {"train": {"lr": [1e-3, 2e-3]}}})
    (made, other) = nested_folder(run, Request(tmp_path / "out", Budget(1), folds=2, ensemble=1), 2, source=pairs)
    for outcome in (made, other):
        cut, data = outcome.made.split, outcome.made.rows.data
        (seen,) = outcome.readings.values()
        for name in ("drug", "target"):
            index = data.inputs[name].index.numpy()
            assert not set(index[cut.test]) & set(index[np.concatenate([cut.train, cut.valid, cut.calibration])])
            for fold in seen.folds:
                mine = seen.data.inputs[name].index.numpy()
                assert not set(mine[fold.score]) & set(mine[np.concatenate([fold.train, fold.stop])])


def test_other_data_in_the_same_storage_train_the_best_again(series: pd.DataFrame, tmp_path: Path):
    path, storage = tmp_path / "series.csv", str(tmp_path / "lab.journal")
    ask: dict[str, Any] = {"trials": 1, "ensemble": 1, "storage": storage, "data": str(path)}
    used = []
    for rows in (series.head(100), series):
        rows.to_csv(path, index=False)
        used.append(tuned(tmp_path / "out", None, **ask).predictor.facts["rows_used"])
    assert used == [100, len(series)]


def test_one_choice_stands_in_all_files_though_a_better_trial_ends_meanwhile(
    series: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def meanwhile(outcome: Outcome, most: int) -> None:
        plain(outcome, most)
        first = outcome.main.study.get_trials()[0]
        better = optuna.trial.create_trial(params=first.params, distributions=first.distributions, value=0.0)
        outcome.main.study.add_trial(better)

    plain = tune.conclude
    monkeypatch.setattr(tune, "conclude", meanwhile)
    made = tuned(tmp_path / "out", series, trials=1, ensemble=1)
    found = json.loads((tmp_path / "out" / "study.json").read_text(encoding="utf-8"))
    assert found["best"]["trial"] == made.best.number == 0 and found["looked"] == [0]


def test_what_time_is_left_evens_out_what_the_studies_have_had(series: pd.DataFrame, tmp_path: Path):
    made = tuned(tmp_path / "out", series, trials=1, ensemble=1, comparator="auto")
    searches = [
        tune._search(made, Request(tmp_path / "out", Budget(1)), which, "", found.space)
        for which, found in made.studies.items()
    ]
    mine, rival = (worked(found.study.get_trials()) for found in made.studies.values())
    for outer, left in ((None, 100.0), ((0, 2), 100.0 - mine - rival)):
        asked = Request(tmp_path / "out", Budget(seconds=100.0), outer=outer)
        half, end = tune._deadlines(made, asked, searches)
        assert end - time.time() == pytest.approx(left, abs=5)
        assert mine + left - (end - half) == pytest.approx(rival + (end - half), abs=1)


def test_the_page_says_how_often_the_test_rows_were_looked_at(series: pd.DataFrame, tmp_path: Path):
    for pick in (0, 1):
        made = tuned(tmp_path / "out", series, trials=3, ensemble=1, pick=pick, space={**TINY["space"]}, folds=2)
    page = (tmp_path / "out" / "study.html").read_text(encoding="utf-8")
    assert made.looked == [0, 1] and "looked at 2 times: trials 0, 1 were taken in turn" in page


def test_rows_read_in_two_ways_keep_their_folds(series: pd.DataFrame, tmp_path: Path):
    salts = series.assign(smiles=[f"{s}.Cl" if i % 5 == 0 else s for i, s in enumerate(series["smiles"])])
    space = {**TINY["space"], "standardize": [True, False]}
    made = tuned(tmp_path / "out", salts, trials=4, ensemble=1, space=space)
    assert set(made.plans) == {True, False}
    own, other = made.plans[True], made.plans[False]
    for fold in ("train", "valid", "test"):
        mine = own.rows.data.rows[getattr(own.split, fold)]
        assert mine.tolist() == other.rows.data.rows[getattr(other.split, fold)].tolist()
    assert {row["standardize"] for row in table(tmp_path / "out")} <= {"True", "False"}


def test_ctrl_c_leaves_everything_usable(series: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def stop(self: Trials, study: Any, *, last: bool = False) -> None:
        if sum(t.state.name == "COMPLETE" for t in study.trials) == 2 and not last:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trials, "__call__", stop)
        with pytest.raises(KeyboardInterrupt):
            tuned(tmp_path / "out", series, trials=3)
    assert len([row for row in table(tmp_path / "out") if row["state"] == "complete"]) == 2
    assert config.settings(config.read(tmp_path / "out" / "best.toml")).targets == ["pAct"]
    assert (tmp_path / "out" / "study.html").exists() and not (tmp_path / "out" / "best").exists()
    assert tuned(tmp_path / "out", series, trials=3).predictor is not None


def test_overwrite_forgets_only_what_is_ours(series: pd.DataFrame, tmp_path: Path):
    out = tmp_path / "out"
    tuned(out, series, trials=1, ensemble=1)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    (out / "ensemble" / "trial-99").mkdir(parents=True)  # as if chosen before more trials ran
    tuned(out, series, trials=2, ensemble=1)
    assert not (out / "ensemble" / "trial-99").exists()
    made = tuned(out, series, trials=1, ensemble=1, seed=5, overwrite=True)
    assert made.best.user_attrs["seed"] == 5 and (out / "notes.txt").exists()


def test_what_cannot_be_tuned_is_refused(series: pd.DataFrame, tmp_path: Path):
    with pytest.raises(ConfigError, match="leave init out"):
        tuned(tmp_path / "out", series, init="somewhere")
    with pytest.raises(ConfigError, match="--folds 0"):
        tuned(tmp_path / "out", series, folds=0)
    with pytest.raises(ConfigError, match="--top 0"):
        tuned(tmp_path / "out", series, ensemble=0)
    with pytest.raises(ConfigError, match="did you mean 'rmse'"):  # before any data is read
        tuned(tmp_path / "out", None, data="nowhere.csv", objectives=("rsme",))
    with pytest.raises(DataError, match="no column"):
        tuned(tmp_path / "out", series, targets=["pact"])


def test_no_tuning_that_cannot_be_trained_is_a_line_and_not_the_end(
    series: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    space = {**TINY["space"], "train": {**TINY["space"]["train"], "lr": [1e-3, 1e25]}}
    ask: dict[str, Any] = {"train": {**TINY["train"], "lr": 1e25}, "space": space, "trials": 4, "ensemble": 1}
    made = tuned(tmp_path / "out", series, **ask)
    assert made.predictor is not None and made.best.params["train.lr"] == 1e-3
    assert "nan" in made.assessment["left_out"]["molecule/gin, not tuned"]
    assert "molecule/gin, not tuned could not be trained" in (tmp_path / "out" / "study.html").read_text("utf-8")
    capsys.readouterr()
    tuned(tmp_path / "out", series, **ask)
    assert "training trial" not in capsys.readouterr().err


def test_no_tuning_is_judged_with_the_batch_that_fitted(tmp_path: Path):
    space = Space.of(config.settings(TINY))
    study = optuna.create_study()
    whole = _untuned(Tuned("", space, study, tmp_path))
    study.enqueue_trial(space.enqueued()[0])
    trial = study.ask()
    space.suggest(trial)
    trial.set_user_attr(BATCH, 8)
    found = _untuned(Tuned("", space, study, tmp_path))
    assert (whole.train.batch_size, found.train.batch_size) == (64, 8)
    assert replace(found, train=whole.train) == whole
    study = optuna.create_study()
    enqueue_starts(study, space)
    trial = study.ask()
    space.suggest(trial)
    trial.set_user_attr(BATCH, 4)
    halved = _untuned(Tuned("", space, study, tmp_path))
    assert halved.train.batch_size == 4
    said = _smaller(SimpleNamespace(main=Tuned("", space, study, tmp_path)), halved)
    assert said == " (in batches of 4, as 64 did not fit into the memory)"


def test_the_page_names_the_model_that_was_taken(series: pd.DataFrame, tmp_path: Path):
    space = {**TINY["space"], "model": ["molecule/gin", "molecule/forest"]}
    made = tuned(tmp_path / "out", series, trials=3, ensemble=1, space=space, pick=1)  # trial 1: trees, untuned
    page = (tmp_path / "out" / "study.html").read_text(encoding="utf-8")
    assert made.predictor is not None and made.predictor.recipe.run.model == "molecule/forest"
    assert "<h1>Tuning of models</h1>" in page and "<dt>was taken</dt><dd>molecule/forest</dd>" in page
    assert "molecule/forest (this model)" in page and "molecule/gin (this model)" not in page


def test_all_models_are_those_of_the_room_that_can_read_the_data(series: pd.DataFrame, tmp_path: Path):
    series.to_csv(tmp_path / "series.csv", index=False)
    pictures = {f"{fold}_images": np.zeros((4, 28, 28), np.uint8) for fold in ("train", "val", "test")}
    labels = {f"{fold}_labels": np.array([[0], [1], [0], [1]], np.uint8) for fold in ("train", "val", "test")}
    np.savez(tmp_path / "pictures.npz", **pictures, **labels)
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")

    def model(name: str, room: str = "") -> str:
        return every_model(config.settings({"data": str(tmp_path / name)}), room).model

    assert model("series.csv") == "molecule/dmpnn" and model("pictures.npz") == "imaging/cnn"
    assert model("series.csv", "imaging") == "imaging/cnn"  # who names a room gets it
    with pytest.raises(ConfigError, match=r"no room can read .*notes\.csv; name the room: --model molecule/all"):
        model("notes.csv")
    with pytest.raises(ConfigError, match="unknown room 'imagin'; did you mean 'imaging'"):
        model("series.csv", "imagin")


def test_no_trial_that_ended_is_told_with_one_full_stop(
    series: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def diverges(self: Training) -> Any:
        raise DivergedError("epoch 1: the loss is nan. Lower train.lr.")
        yield

    monkeypatch.setattr(Training, "epochs", diverges)
    with pytest.raises(DataError, match=r"because: epoch 1: the loss is nan\. Lower train\.lr\. Give more time"):
        tuned(tmp_path / "out", series, trials=1)


def test_what_any_trial_may_read_is_guarded_before_the_first(series: pd.DataFrame, tmp_path: Path):
    from rdkit import Chem
    from rdkit.Chem import Crippen

    table = series.assign(pAct=[2 * Crippen.MolLogP(Chem.MolFromSmiles(s)) + 1 for s in series["smiles"]])
    reading = {**TINY["space"], "encoder": {**TINY["space"]["encoder"], "descriptors": [False, True]}}
    for space in (reading, {**TINY["space"], "model": ["molecule/gin", "molecule/forest"]}):
        with pytest.raises(DataError, match=r"'pAct' is given away by number [0-9]+ of 'descriptors'"):
            tuned(tmp_path / "out", table, space=space)
    assert not (tmp_path / "out" / "study.journal").exists()
    made = tuned(tmp_path / "out", table, trials=1, ensemble=1, comparator="auto")  # a graph sees no logP
    assert made.made.leaks.columns == {}


def test_a_study_in_a_storage_is_joined_from_another_folder(
    series: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    ask: dict[str, Any] = {"storage": f"sqlite:///{tmp_path / 'study.db'}", "trials": 2, "ensemble": 2}
    one = tuned(tmp_path / "here", series, **ask)
    assert "in the storage is begun" in capsys.readouterr().err
    other = tuned(tmp_path / "there", series, **ask)
    said = capsys.readouterr().err
    assert "in the storage is joined" in said and len(other.main.study.trials) == 2
    assert "1 of 2 completed trials ran in another folder" in said and "its standard error is 0" in said
    assert other.best.number == one.best.number and other.predictor is not None
    kept = [each.main.estimates_of(each.best).read_bytes() for each in (one, other)]
    assert kept[0] == kept[1]  # made again by the same training
    folded = {**ask, "folds": 2}
    tuned(tmp_path / "here", series, **folded, study="folds", overwrite=True)
    assert "the study in the --storage stays as it is" in capsys.readouterr().err
    tuned(tmp_path / "there", series, **folded, study="folds")  # the best trained whole has no estimates by fold
    assert "2 of 2 completed trials ran in another folder" in (said := capsys.readouterr().err)
    assert "no ensemble is chosen without them" in said and "the study folds in" in said
    with pytest.raises(ConfigError, match="without one --out keeps the study"):
        tuned(tmp_path / "there", series, study="mine")


def test_two_inputs_and_their_comparator(chembl_table: pd.DataFrame, tmp_path: Path):
    some = chembl_table.iloc[::10].reset_index(drop=True)
    some["sequence"] = ["MKTAYIAKQRQISFVKSHFSRQ", "MSHHWGYGKHNGPEHWHKDF"][0]
    some.loc[::2, "sequence"] = "MSHHWGYGKHNGPEHWHKDF"
    inputs = {
        "drug": {"encoder": "molecule/gin", "column": "smiles", "hidden": 8, "depth": 1},
        "target": {"encoder": "protein/cnn", "column": "sequence"},
    }
    made = tuned(
        tmp_path / "out",
        some,
        trials=2,
        ensemble=1,
        model="fusion/concat",
        inputs=inputs,
        encoder={},
        space={},
        split="random",
    )
    assert made.predictor is not None and made.predictor.recipe.run.model == "fusion/concat"
    assert any(key.startswith("inputs.drug.") for key in table(tmp_path / "out")[0])
