from __future__ import annotations

import numpy as np

from molgraph.rooms.protein.forest import Forest
from molgraph.rooms.protein.prepare import prepare


def test_trees_see_what_a_protein_is_made_of() -> None:
    parts = prepare(["MKT", "ACD"], Forest.needs).parts
    np.testing.assert_array_equal(Forest(parts.schema).features(parts), parts.values["composition"])


def test_trees_see_the_vector_where_there_is_one() -> None:
    parts = prepare(["1 2", "3 4"], (*Forest.needs, "embedding")).parts
    assert Forest(parts.schema).features(parts).tolist() == [[1, 2], [3, 4]]
