"""Ranking: desirability against numbers worked out by hand, ties, directions."""

import numpy as np
import pytest

from molgraph.errors import ConfigError
from molgraph.screen.rank import Goal, best, directions, overall, ranked_by


def test_desirability_is_linear_between_the_bounds_and_flat_beyond() -> None:
    goal = Goal("a", "max", 4.0, 8.0)
    assert goal.desirability(np.array([3.0, 4.0, 5.0, 8.0, 9.0])).tolist() == [0.0, 0.0, 0.25, 1.0, 1.0]
    assert Goal("a", "min", 4.0, 8.0).desirability(np.array([3.0, 5.0, 9.0])).tolist() == [1.0, 0.75, 0.0]


def test_desirability_of_equal_bounds_is_a_step() -> None:
    assert Goal("a", "max", 4.0, 4.0).desirability(np.array([3.9, 4.0])).tolist() == [0.0, 1.0]
    assert Goal("a", "min", 4.0, 4.0).desirability(np.array([3.9, 4.0])).tolist() == [1.0, 0.0]


def test_overall_is_the_geometric_mean_and_one_zero_spoils_it() -> None:
    goals = [Goal("a", "max", 0.0, 1.0), Goal("b", "min", 0.0, 1.0)]
    values = {"a": np.array([0.25, 0.0, 0.5, np.nan]), "b": np.array([0.0, 0.0, 0.5, 0.0])}
    np.testing.assert_allclose(overall(goals, values), [0.5, 0.0, 0.5, np.nan])


def test_best_breaks_ties_by_position_and_leaves_out_what_has_no_value() -> None:
    merit = np.array([[2.0], [np.nan], [5.0], [2.0], [5.0], [-np.inf]])
    assert best(merit, 3).tolist() == [2, 4, 0]
    assert best(merit, 99).tolist() == [2, 4, 0, 3, 5]
    assert best(np.empty((0, 2)), 3).tolist() == []


def test_directions_are_for_all_targets_or_by_target() -> None:
    assert directions(("a", "b"), "min") == {"a": "min", "b": "min"}
    assert directions(("a", "b"), {"b": "min"}) == {"a": "max", "b": "min"}
    with pytest.raises(ConfigError, match="'up'"):
        directions(("a",), "up")
    with pytest.raises(ConfigError, match="unknown target 'c'"):
        directions(("a",), {"c": "min"})


def test_rows_are_ranked_by_the_first_target_unless_told() -> None:
    assert ranked_by(("a", "b"), None) == "a"
    assert ranked_by(("a", "b"), "desirability") == "desirability"
    with pytest.raises(ConfigError, match="cannot rank by 'desire'; did you mean 'desirability'"):
        ranked_by(("a", "b"), "desire")
