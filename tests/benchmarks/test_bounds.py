"""The measure of intervals that trees have after learning from bounds: what is a bound, what is held, what is said."""

from __future__ import annotations

import pandas as pd


def test_the_lowest_values_become_bounds_and_test_rows_keep_what_they_are(chembl: pd.DataFrame) -> None:
    import bounds

    cells, limit = bounds.censored(chembl["pAct"], 0.3)
    below = cells.str.startswith("<")
    assert (below == (chembl["pAct"] < limit)).all() and 0.25 < below.mean() < 0.32
    found = bounds.measured(
        chembl.iloc[::6].reset_index(drop=True), "pAct", 0.3, 0, encoder={"rounds": 5, "depth": 2}, split="random"
    )
    assert len(found["exact"]) == len(found["split"]) == len(found["refitted"]) == 17
    assert 0 < found["exact"].sum() < 17 and found["width"] > 0
    said = bounds.line([found, found])
    assert said.startswith(f"34 rows, {2 * found['exact'].sum()} above the limit; {found['split'].mean():.2f} of all")
