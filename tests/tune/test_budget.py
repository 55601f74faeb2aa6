from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from molgraph.errors import ConfigError
from molgraph.tune.budget import TRIALS, Budget, duration


def trials(*states: str, epochs: int = 0) -> list[Any]:
    return [SimpleNamespace(state=SimpleNamespace(name=s), user_attrs={"epochs": epochs}) for s in states]


@pytest.mark.parametrize("text", ["", "2 h", "h", "-3", "0", "1x", "2h 3", "inf", "nan"])
def test_what_is_no_time_is_refused(text: str):
    with pytest.raises(ConfigError, match="--timeout"):
        duration(text)


def test_days_hours_minutes_seconds():
    assert duration("1d2h3m4s") == 93784 and duration("0.5h") == 1800


def test_a_budget_of_nothing_said_is_so_many_trials():
    assert Budget.of(None, None, None) == Budget(TRIALS)
    assert Budget.of(None, "1m", None) == Budget(None, 60.0)
    with pytest.raises(ConfigError, match="--trials 0"):
        Budget.of(0, None, None)


def test_trials_count_whoever_runs_them_and_failed_ones_do_not():
    budget = Budget(3)
    assert budget.open(trials("COMPLETE", "PRUNED", "FAIL", "WAITING"), None)
    assert not budget.open(trials("COMPLETE", "PRUNED", "RUNNING"), None)


def test_the_first_trial_runs_to_its_end_whatever_the_budget():
    late = time.time() - 1
    budget = Budget(None, 1.0, 1)
    assert budget.open([], late) and not budget.over(trials("RUNNING"), late, 99)
    assert not budget.open(trials("COMPLETE"), late) and budget.over(trials("COMPLETE", "RUNNING"), late, 1)


def test_epochs_are_spent_by_all_trials():
    budget = Budget(None, None, 10)
    assert budget.open(trials("COMPLETE", epochs=9), None)
    assert not budget.open(trials("COMPLETE", epochs=10), None)
    assert not budget.open(trials(*["PRUNED"] * 10), None)  # that diverged in their first epoch: the budget ends too
    assert not budget.over(trials("COMPLETE", epochs=6), None, 4) and budget.over(trials("COMPLETE", epochs=6), None, 5)
