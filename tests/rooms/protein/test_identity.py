from molgraph.rooms.protein.identity import identity


def test_one_sequence_is_one_thing() -> None:
    assert identity(["MKT", "MKV", "MKT"]) == ["MKT", "MKV", "MKT"]
