from __future__ import annotations

import logging
from dataclasses import asdict, replace
from pathlib import Path

import optuna
import pytest

from molgraph import config
from molgraph.errors import ConfigError, ResourceError
from molgraph.tune.attempt import SEED
from molgraph.tune.budget import Budget
from molgraph.tune.goals import goals
from molgraph.tune.space import Space
from molgraph.tune.study import (
    FOLDS_TO_TEST,
    HYPERBAND_FROM,
    JOURNAL,
    RETRIES,
    WILCOXON,
    WORKER,
    Place,
    alive,
    doubtful,
    enqueue_starts,
    equip,
    methods,
    open_study,
    revive,
)
from molgraph.workflows.tune import _await_heartbeats

AIMS = goals((), {"a": "regression"})
MANY = goals(("rmse", "latency"), {"a": "regression"})
RUN = config.settings({"targets": ["a"], "model": "molecule/gin", "train": {"epochs": 27}})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "tune")


def states(study: optuna.Study) -> list[str]:
    return [t.state.name for t in study.trials]


def test_the_same_command_joins_and_another_is_refused(place: Place):
    study = open_study(place, AIMS, "one")
    study.ask()
    assert len(open_study(place, AIMS, "one").trials) == 1
    with pytest.raises(ConfigError, match=r"other data, settings or objectives.*--overwrite"):
        open_study(place, AIMS, "another")


def test_no_tuning_is_queued_first_and_once(place: Place):
    study, space = open_study(place, AIMS, "one"), Space.of(RUN)
    for _ in range(2):
        enqueue_starts(study, space)
    assert states(study) == ["WAITING"]
    assert space.suggest(study.ask()) == space.settle(space.starts()[0])
    enqueue_starts(study, space)
    assert states(study) == ["RUNNING"]


BEYOND = config.settings({**asdict(RUN), "encoder": {"hidden": 300}, "space": {"encoder": {"hidden": [8, 16]}}})


def test_a_study_that_began_with_the_nearest_of_its_space_tries_the_run_file_next(place: Place):
    study, space = open_study(place, AIMS, "one"), Space.of(BEYOND)
    clamped = {**space.enqueued()[0], "encoder.hidden": 16}
    study.enqueue_trial(clamped)
    assert space.suggest(study.ask()).encoder["hidden"] == 16
    enqueue_starts(study, space)
    assert states(study) == ["RUNNING", "WAITING"]
    trial = study.ask()
    assert space.suggest(trial).encoder["hidden"] == 300 and "encoder.hidden" not in trial.params
    assert space.suggest(study.ask()).encoder["hidden"] in (8, 16)


def test_a_start_whose_worker_died_is_the_run_file_again(place: Place):
    study, space = open_study(place, AIMS, "one"), Space.of(BEYOND)
    enqueue_starts(study, space)
    trial = study.ask()
    space.suggest(trial)
    trial.set_user_attr(SEED, 0)
    assert revive(study, place) == 1 and states(study) == ["FAIL", "WAITING"]
    assert space.suggest(study.ask()) == space.settle(space.starts()[0])


def test_a_trial_of_a_dead_worker_is_failed_and_queued_that_of_a_living_one_is_not(place: Place):
    study = open_study(place, AIMS, "one")
    with alive(place) as name:
        mine, orphan = study.ask(), study.ask()
        mine.set_user_attr(WORKER, name)
        orphan.set_user_attr(WORKER, "gone.lock")
        value = orphan.suggest_float("x", 0, 1)
        orphan.set_user_attr(SEED, 0)
        assert revive(study, place) == 1 and revive(study, place) == 0
        assert states(study) == ["RUNNING", "FAIL", "WAITING"]
        assert study.ask().suggest_float("x", 0, 1) == value
    assert not list(place.workers.iterdir())


def test_a_trial_that_died_before_all_was_chosen_is_chosen_anew(place: Place):
    study = open_study(place, AIMS, "one")
    study.ask().suggest_float("x", 0, 1)
    assert revive(study, place) == 1
    assert states(study) == ["FAIL", "WAITING"] and not study.trials[1].params


def test_a_database_leaves_our_loggers_alone(place: Place, tmp_path: Path):
    log = logging.getLogger("molgraph.model.strings")
    open_study(replace(place, url=f"sqlite:///{tmp_path / 'study.db'}"), AIMS, "one")
    assert not log.disabled


def database(tmp_path: Path, heartbeat: int = 60) -> Place:
    return Place(tmp_path, "tune", f"sqlite:///{tmp_path / 'study.db'}", heartbeat)


def test_a_worker_of_a_database_that_died_on_this_machine_is_known_at_once_another_is_not(tmp_path: Path):
    place = database(tmp_path)
    study = open_study(place, AIMS, "one")
    here, there = (study.ask() for _ in range(2))
    with alive(place) as name:
        here.set_user_attr(WORKER, name)
        there.set_user_attr(WORKER, "elsewhere-7-abc.lock")
        assert revive(study, place) == 0 and doubtful(study, place) == [there.number]
    (place.workers / name).touch()  # as a killed worker leaves it
    assert revive(study, place) == 1 and doubtful(study, place) == [there.number]
    assert states(study) == ["FAIL", "RUNNING", "WAITING"]


def test_a_database_tells_of_the_others_by_their_heartbeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    place = database(tmp_path, heartbeat=1)
    study = open_study(place, AIMS, "one")
    trial = study.ask()
    trial.set_user_attr(WORKER, "elsewhere-7-abc.lock")
    study._storage.record_heartbeat(trial._trial_id)
    _await_heartbeats(study, place, Budget(1), None)
    assert states(study) == ["FAIL", "WAITING"]
    assert "trial 0 runs elsewhere, or was killed: its heartbeat tells, in 4s" in capsys.readouterr().err
    _await_heartbeats(study, place, Budget(1), None)
    assert not capsys.readouterr().err  # nothing is left to wait for


@pytest.mark.parametrize("form", ["{}", "journal://{}"])
def test_a_journal_may_lie_elsewhere_with_its_locks(tmp_path: Path, form: str):
    kept = tmp_path / "shared" / "study.journal"
    one, other = (Place(tmp_path / name, "tune", form.format(kept)) for name in ("a", "b"))
    open_study(one, AIMS, "one").ask()
    study = open_study(other, AIMS, "one")
    assert states(study) == ["RUNNING"] and kept.is_file()
    assert one.gate.lock_file == other.gate.lock_file == str(kept.parent / "gate.lock")
    with pytest.raises(ConfigError, match="Use another --study"):
        open_study(one, AIMS, "another")


def test_a_storage_that_is_neither_is_refused_with_what_to_write(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"a file \*\.journal, or the URL of a database"):
        open_study(Place(tmp_path, "x", str(tmp_path / "study.db")), AIMS, "one")


def test_a_trial_that_kills_every_worker_is_given_up(place: Place):
    study = open_study(place, AIMS, "one")
    study.ask()
    for _ in range(RETRIES):
        assert revive(study, place) == 1
        study.ask()
    assert revive(study, place) == 1
    assert states(study) == ["FAIL"] * (RETRIES + 1)


def test_half_a_line_at_the_end_of_the_journal_costs_no_more_than_itself(place: Place):
    study = open_study(place, AIMS, "one")
    study.tell(study.ask(), 1.0)
    with (place.folder / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":4,"worker')
    again = open_study(place, AIMS, "one")
    again.tell(again.ask(), 2.0)
    assert [t.value for t in open_study(place, AIMS, "one").trials] == [1.0, 2.0]


def test_a_storage_that_does_not_answer_is_an_error_with_a_remedy(tmp_path: Path):
    with pytest.raises(ResourceError, match=r"--storage nonsense://.*driver"):
        open_study(Place(tmp_path, "x", "nonsense://user:secret@nowhere/db"), AIMS, "one")


def pruner(study: optuna.Study, aims=AIMS, folds: int = 1, planned: int | None = None) -> optuna.pruners.BasePruner:
    equip(study, RUN, Space.of(RUN), aims, folds, planned)
    return study.pruner


def test_pruners_by_what_there_is_to_prune(place: Place, tmp_path: Path):
    study = open_study(place, AIMS, "one")
    assert isinstance(pruner(study, planned=HYPERBAND_FROM - 1), optuna.pruners.MedianPruner)
    hyperband = pruner(study, planned=HYPERBAND_FROM)
    assert isinstance(hyperband, optuna.pruners.HyperbandPruner)
    hyperband._try_initialization(study)
    assert [p._min_resource for p in hyperband._pruners] == [3, 3, 3] and hyperband._n_brackets == 3
    assert isinstance(pruner(study, folds=5, planned=99), optuna.pruners.WilcoxonPruner)
    assert isinstance(pruner(study, folds=4, planned=99), optuna.pruners.NopPruner)
    assert isinstance(pruner(study), optuna.pruners.MedianPruner)  # only time is limited, and few trials ended
    for value in range(HYPERBAND_FROM):
        study.tell(study.ask(), float(value))
    assert isinstance(pruner(study), optuna.pruners.HyperbandPruner)
    many = open_study(Place(tmp_path, "many"), MANY, "one")
    assert isinstance(pruner(many, MANY, planned=99), optuna.pruners.NopPruner)


@pytest.mark.parametrize("folds", [4, 5])
def test_from_five_folds_on_a_test_can_end_a_trial_before_its_last_fold(place: Place, folds: int):
    study = open_study(place, AIMS, "one")
    study.pruner = optuna.pruners.WilcoxonPruner(p_threshold=WILCOXON)
    best, bad = study.ask(), study.ask()
    for fold in range(folds):
        best.report(0.0, fold)
    study.tell(best, 0.0)
    for fold in range(folds - 1):
        bad.report(1.0 + fold, fold)
    assert bad.should_prune() is (folds >= FOLDS_TO_TEST)


def test_the_sampler_is_multivariate_and_grouped_where_the_space_is_conditional(place: Place, tmp_path: Path):
    study = open_study(place, AIMS, "one")
    equip(study, RUN, Space.of(RUN), AIMS, 1, 9)
    assert (study.sampler._multivariate, study.sampler._group) == (True, False)
    both = Space.of(config.settings({"targets": ["a"], "space": {"model": ["molecule/gin", "molecule/forest"]}}))
    equip(study, RUN, both, AIMS, 1, 9)
    assert (study.sampler._multivariate, study.sampler._group) == (True, True)
    many = open_study(Place(tmp_path, "many"), MANY, "one")
    equip(many, RUN, both, MANY, 1, 9)
    assert (many.sampler._multivariate, many.sampler._group) == (False, False)


def test_the_methods_are_said():
    space = Space.of(RUN)
    assert "cannot prune" in methods(space, MANY, 1, 50)
    assert "Wilcoxon" in methods(space, AIMS, 5, 50)
    said = methods(Space.of(BEYOND), AIMS, 1, 50)
    assert "after the run file itself, whose encoder.hidden = 300 no other trial tries" in said
    assert "none is ended early: with 4 folds" in methods(space, AIMS, 4, 50)
    assert "Hyperband." in methods(space, AIMS, 1, HYPERBAND_FROM)
    assert "median" in methods(space, AIMS, 1, 5) and "median" in methods(space, AIMS, 1, None)
