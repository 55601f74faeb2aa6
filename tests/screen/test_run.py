"""A screen from library to files: order, ties, rejects, collisions, resume, shards, and what is refused."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molgraph.data import endable, pool
from molgraph.errors import CheckpointError, ConfigError, DataError, ResourceError
from molgraph.screen import Manifest, ScreenResult, screen, shard

LOADER = "fake_predictor:load"


def run(library: Any, out: Path, models: tuple[str, ...] = ("m/pAct",), **settings: Any) -> ScreenResult:
    return screen(library, models, out, **{"loader": LOADER, "workers": 1, "shard_rows": 50, "top": 50} | settings)


def digests(out: Path) -> dict[str, str]:
    files = (path for path in out.iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


@pytest.fixture(scope="module")
def library(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("short") / "library.csv"
    path.write_text("".join(library.read_text(encoding="utf-8").splitlines(keepends=True)[:2001]), encoding="utf-8")
    return path


def few(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"smiles": list(texts)})


def test_every_row_is_in_the_scores_in_input_order_with_its_own_columns(library: Path, tmp_path: Path) -> None:
    result = run(library, tmp_path / "out")
    given, scores = pd.read_csv(library), pd.read_parquet(tmp_path / "out" / "scores.parquet")
    assert scores["id"].tolist() == given["id"].tolist()
    assert list(scores.columns)[:3] == ["smiles", "id", "pAct"]
    assert not {"row", "standard"} & set(scores.columns)
    bad = scores["smiles"] == "bad"
    assert scores.loc[bad, "pAct"].isna().all() and (scores.loc[bad, "status"] == "invalid_smiles").all()
    assert scores.loc[~bad, "pAct"].notna().all()
    assert result.summary.rows == 2_000 and result.summary.rejected == {"invalid_smiles": int(bad.sum())}
    assert result.summary.in_domain == int(scores["in_domain"].fillna(False).sum())
    assert not (tmp_path / "out" / "shards").exists()


@pytest.mark.parametrize("direction", ["max", "min"])
def test_top_is_what_sorting_all_scores_gives(library: Path, tmp_path: Path, direction: str) -> None:
    result = run(library, tmp_path / "out", direction=direction, domain="any")
    scores = pd.read_parquet(tmp_path / "out" / "scores.parquet").dropna(subset="pAct")
    want = scores.sort_values("pAct", ascending=direction == "min", kind="stable").head(50)
    assert result.top["id"].tolist() == want["id"].tolist()
    assert result.top["row"].tolist() == (want.index + 1).tolist()
    top = pd.read_csv(tmp_path / "out" / "top.csv")
    assert top["rank"].tolist() == list(range(1, 51))
    assert {"weight", "alerts", "standard_smiles"} <= set(top.columns)
    assert top["diverse"].tolist() == top["in_domain"].tolist()


def test_bytes_depend_neither_on_workers_nor_on_the_way(library: Path, tmp_path: Path) -> None:
    run(library, tmp_path / "one", fmt="csv")
    run(library, tmp_path / "two", fmt="csv", workers=2)
    for i in (2, 3, 1):
        part = run(library, tmp_path / "parts", fmt="csv", shard=(i, 3))
        assert not part.finished and not (tmp_path / "parts" / "scores.csv").exists()
    run(library, tmp_path / "parts", fmt="csv")
    assert digests(tmp_path / "one") == digests(tmp_path / "two") == digests(tmp_path / "parts")


def test_merging_too_early_says_which_shards_are_missing(library: Path, tmp_path: Path) -> None:
    run(library, tmp_path, shard=(1, 8), shard_rows=500)
    with pytest.raises(ConfigError, match=r"3 of 4 shards are not there yet \(1, 2, 3\).*--resume"):
        run(library, tmp_path, shard_rows=500)
    assert run(library, tmp_path, shard_rows=500, resume=True).finished


def test_resume_scores_only_what_is_missing(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(library, tmp_path / "whole")
    run(library, tmp_path / "out", shard=(1, 2))
    (tmp_path / "out" / "shards" / "00000002.parquet").write_bytes(b"torn")
    (tmp_path / "out" / "shards" / "00000004.sha256").unlink()  # killed before it was written
    done = []

    def noted(job: shard.Job) -> int:
        done.append(job.number)
        return shard.score_shard(job)

    monkeypatch.setattr("molgraph.screen.pool.score_shard", noted)
    seen: list[int] = []
    result = run(library, tmp_path / "out", resume=True, progress=seen.append)
    assert done == sorted([*range(1, 40, 2), 2, 4])
    assert result.damaged == (2,)
    assert sum(seen) == 2_000
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_a_finished_screen_is_returned_on_resume_and_refused_otherwise(library: Path, tmp_path: Path) -> None:
    first = run(library, tmp_path)
    again = run(library, tmp_path, resume=True)
    assert again.finished and again.summary == first.summary and again.names == first.names
    pd.testing.assert_frame_equal(again.top, first.top)
    with pytest.raises(ConfigError, match="already holds a screen"):
        run(library, tmp_path)


def test_another_model_library_or_setting_is_refused_by_name(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, tmp_path, shard=(1, 2))
    with pytest.raises(ConfigError, match=r"model digest was .* is .*Remedy"):
        run(library, tmp_path, ("other/pAct",), resume=True)
    with pytest.raises(ConfigError, match=r"settings filters was top, is all\. Remedy"):
        run(library, tmp_path, resume=True, filters="all", top=60)
    with (
        monkeypatch.context() as later,
        pytest.raises(ConfigError, match=r"settings limit was 20\.0, is 60\.0\. Remedy"),
    ):
        later.setenv(endable.VARIABLE, "60")
        run(library, tmp_path, resume=True)
    other = tmp_path / "library.csv"
    other.write_text(library.read_text(encoding="utf-8") + "CC,last\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"library bytes was .*library sha256 was"):
        run(other, tmp_path, resume=True)
    saved = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    saved["versions"]["fake"] = "0.9"
    (tmp_path / "manifest.json").write_text(json.dumps(saved), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"versions fake was 0\.9, is 1\.0"):
        run(library, tmp_path, resume=True)


def test_another_content_of_a_joined_file_is_refused_and_another_place_is_not(library: Path, tmp_path: Path) -> None:
    first, moved, out = tmp_path / "targets.csv", tmp_path / "moved.csv", tmp_path / "out"
    first.write_text("id,sequence\nA,MKT\n", encoding="utf-8")
    run(library, out, shard=(1, 2), join=[f"{first}:id"])
    first.rename(moved)
    run(library, out, shard=(2, 2), join=[f"{moved}:id"])
    with pytest.raises(ConfigError, match=r"settings join was .*sha256:.* is .*sha256:.*Remedy"):
        run(library, out, resume=True, join=[f"{moved}:name"])
    moved.write_text("id,sequence\nA,GSH\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"settings join was .*sha256:.* is .*sha256:.*Remedy"):
        run(library, out, resume=True, join=[f"{moved}:id"])
    moved.write_text("id,sequence\nA,MKT\n", encoding="utf-8")
    assert run(library, out, resume=True, join=[f"{moved}:id"]).finished


@pytest.mark.parametrize("resume", [False, True])
def test_shards_that_no_manifest_speaks_for_are_refused(library: Path, tmp_path: Path, resume: bool) -> None:
    run(library, tmp_path, shard=(1, 2))
    (tmp_path / "manifest.json").unlink()
    other = pd.read_csv(library, dtype=str).iloc[::-1]  # as many rows, others
    before = sorted((tmp_path / "shards").iterdir())
    with pytest.raises(ConfigError, match=r"shards is there, made by something else: no manifest\.json.*Remedy"):
        run(other, tmp_path, resume=resume)
    assert sorted((tmp_path / "shards").iterdir()) == before and not (tmp_path / "manifest.json").exists()


def test_a_first_call_that_was_killed_at_once_is_begun_again(library: Path, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()  # made, and killed before the manifest was written
    assert run(library, tmp_path, resume=True).finished


def test_another_call_that_begins_the_same_screen_meanwhile_is_no_stranger(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Manifest.load

    def late(folder: Path) -> Manifest | None:
        monkeypatch.setattr(Manifest, "load", load)
        run(library, tmp_path, shard=(1, 2))
        return load(folder)

    monkeypatch.setattr(Manifest, "load", late)
    assert not run(library, tmp_path, shard=(2, 2)).finished
    assert run(library, tmp_path).finished


@pytest.mark.parametrize("name", ["scores.parquet", "top.csv"])
@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_finished_screen_without_its_files_is_refused(library: Path, tmp_path: Path, name: str, harm: str) -> None:
    out = tmp_path / "out"
    run(library, out)
    whole = (out / name).read_bytes()
    if harm == "missing":
        (out / name).unlink()
    else:
        (out / name).write_bytes(whole[:-1])
    left = digests(out)
    with pytest.raises(CheckpointError, match=rf"{name}: {harm} since the screen was finished.*Remedy: put the file"):
        run(library, out, resume=True)
    assert digests(out) == left
    (out / name).write_bytes(whole)
    assert run(library, out, resume=True).finished


@pytest.mark.parametrize("name", ["scores.parquet", "top.csv"])
def test_a_finished_screen_is_merged_again_where_its_shards_are_there(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patch:  # killed after the manifest, before the shards were removed
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        run(library, tmp_path)
    first = digests(tmp_path)
    (tmp_path / name).unlink()
    monkeypatch.setattr("molgraph.screen.pool.score_shard", None)  # nothing is scored again
    again = run(library, tmp_path, resume=True)
    assert again.finished and len(again.top) == 50 and again.manifest.result
    assert digests(tmp_path) == first and not (tmp_path / "shards").exists()


@pytest.mark.parametrize(
    "other", [{"top": 60}, {"top": 7, "direction": "min"}, {"domain": "only", "diverse": 3}], ids=str
)
def test_ranked_in_another_way_a_finished_screen_is_merged_again(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    wanted = run(library, tmp_path / "whole", **other)
    run(library, tmp_path / "out")
    monkeypatch.setattr("molgraph.screen.pool.score_shard", None)  # no shard is scored again
    again = run(library, tmp_path / "out", resume=True, **other)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole") and again.summary == wanted.summary
    pd.testing.assert_frame_equal(again.top, wanted.top)
    assert again.manifest.settings == wanted.manifest.settings and not (tmp_path / "out" / "shards").exists()
    first = run(library, tmp_path / "out", resume=True)  # and back
    assert len(first.top) == 50 and first.manifest.settings["top"] == 50


def test_ranked_in_another_way_an_unfinished_screen_goes_on(library: Path, tmp_path: Path) -> None:
    run(library, tmp_path / "out", shard=(1, 2))
    run(library, tmp_path / "out", resume=True, top=60)
    run(library, tmp_path / "whole", top=60)
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")


def test_scores_without_types_are_not_ranked_again(tmp_path: Path) -> None:
    run(few("c1", "c2"), tmp_path, fmt="csv")
    with pytest.raises(ConfigError, match=r"scores\.csv: to rank in another way it takes scores in Parquet"):
        run(few("c1", "c2"), tmp_path, fmt="csv", resume=True, top=1)


def test_a_damaged_manifest_is_refused(library: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"manifest\.json: not a readable manifest"):
        run(library, tmp_path, resume=True)
    (tmp_path / "manifest.json").write_text(
        '{"model": {}, "library": {}, "settings": {}, "versions": {}, "format": 99}', encoding="utf-8"
    )
    with pytest.raises(CheckpointError, match="another version"):
        run(library, tmp_path, resume=True)


def test_files_of_somebody_else_are_not_overwritten(library: Path, tmp_path: Path) -> None:
    (tmp_path / "top.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="made by something else"):
        run(library, tmp_path)
    assert (tmp_path / "top.csv").read_text(encoding="utf-8") == "mine"


def test_the_users_columns_keep_their_names(tmp_path: Path) -> None:
    frame = few("CC", "CCC", "bad").assign(pAct=["1", "2", "3"], rank="x", status="mine", row="r", standard_smiles="s")
    result = run(frame, tmp_path)
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert scores["pAct"].tolist() == ["1", "2", "3"] and scores["status"].tolist() == ["mine"] * 3
    assert scores["status_predicted"].tolist() == ["ok", "ok", "invalid_smiles"]
    assert pd.api.types.is_float_dtype(scores["pAct_predicted"]) and "pAct_std" in scores
    assert result.top["rank_predicted"].tolist() == [1, 2] and set(result.top["rank"]) == {"x"}
    assert result.top["standard_smiles"].tolist() == ["s", "s"]
    assert set(result.top[result.names["standard"]]) == {"CC", "CCC"}
    assert result.names["pAct"] == "pAct_predicted" and result.names["row"] == "row_predicted"


@pytest.mark.parametrize("target", ["-dG", "@id", "+ctl", "=x", "-log(IC50)", "'=x"])
def test_names_that_a_spreadsheet_would_run_are_read_back(tmp_path: Path, target: str) -> None:
    own = {"=log(IC50)": ["1", "2", "3"], "'=log(IC50)": ["a", "b", "c"]}
    result = run(few("CC", "CCC", "bad").assign(**own), tmp_path, (f"m/{target}",))
    header = (tmp_path / "top.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header.count("'=log(IC50)") == 2, "harmless in a spreadsheet, and no names to read the file by"
    assert len(result.top) == 2 and result.names[target] == target
    scores = pd.read_parquet(tmp_path / "scores.parquet").set_index("smiles").loc[result.top["smiles"]]
    np.testing.assert_allclose(result.top[target], scores[target], rtol=1e-6)
    for name in own:
        assert result.top[name].tolist() == scores[name].tolist()
    again = run(few("CC", "CCC", "bad").assign(**own), tmp_path, (f"m/{target}",), resume=True)
    pd.testing.assert_frame_equal(again.top, result.top)


def test_desirability_ranks_over_several_targets(library: Path, tmp_path: Path) -> None:
    models = ("m/pAct", "m/sol")
    bounds = {"pAct": (2.0, 8.0)}
    result = run(library, tmp_path, models, by="desirability", direction={"sol": "min"}, bounds=bounds, domain="any")
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    low, high = np.nanquantile(scores["sol"], [0.05, 0.95])
    wanted = np.sqrt(
        np.clip((scores["pAct"] - 2) / 6, 0, 1) * (1 - np.clip((scores["sol"] - low) / (high - low), 0, 1))
    )
    order = np.argsort(-wanted.fillna(-1), kind="stable")[:50]
    assert (result.top["row"] - 1).tolist() == order.tolist()
    np.testing.assert_allclose(result.top["desirability"], wanted[order], rtol=1e-6)
    assert [goal["source"] for goal in result.summary.goals] == ["given", "5 % and 95 % points of the scores"]
    unasked = run(library, tmp_path / "unasked", models)
    assert "desirability" not in unasked.top, "nobody said what is wanted of the targets"


def test_domain_comes_first_alone_or_makes_no_difference(library: Path, tmp_path: Path) -> None:
    everything = 20_000
    tops = {d: run(library, tmp_path / d, domain=d, top=everything).top for d in ("first", "only", "any")}
    first = tops["first"]
    inside = int(first["in_domain"].sum())
    assert 0 < inside < len(first)
    assert first["in_domain"].iloc[:inside].all()
    assert first["row"].iloc[:inside].tolist() == tops["only"]["row"].tolist()
    assert not tops["any"]["in_domain"].iloc[:inside].all()
    assert sorted(first["row"]) == sorted(tops["any"]["row"])


def test_all_rows_get_properties_on_request(tmp_path: Path) -> None:
    result = run(few("CC", "bad", "cccccccccccc"), tmp_path, filters="all", shard_rows=2)
    scores = pd.read_parquet(tmp_path / "scores.parquet")
    assert scores["weight"].fillna(-1).tolist() == [2.0, -1.0, 12.0] and scores["alerts"].tolist()[2] == "long"
    assert list(result.top.columns).count("weight") == 1


def test_equal_inputs_are_one_diverse_pick(tmp_path: Path) -> None:
    result = run(few("CC", "CC", "CCC"), tmp_path, diverse=3)
    assert result.top.groupby("smiles")["diverse"].sum().to_dict() == {"CC": 1, "CCC": 1}


def test_a_library_of_rejects_gives_scores_and_an_empty_top(tmp_path: Path) -> None:
    result = run(few("bad", "bad2"), tmp_path, fmt="csv")
    assert len(result.top) == 0 and result.summary.rejected == {"invalid_smiles": 2}
    assert (tmp_path / "scores.csv").read_text(encoding="utf-8").count("invalid_smiles") == 2
    assert (tmp_path / "top.csv").read_text(encoding="utf-8").startswith("rank,row,smiles,pAct")
    assert result.summary.messages == {"invalid_smiles": "cannot be read"}


def test_shards_of_blanks_and_of_values_are_merged(tmp_path: Path) -> None:
    run(few("bad", "bad", "CC", "bad"), tmp_path, shard_rows=2)
    assert pd.read_parquet(tmp_path / "scores.parquet")["nn_id"].tolist() == ["", "", "train-2", ""]


def test_nothing_to_score_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows"):
        run(few(), tmp_path / "out")
    with pytest.raises(DataError, match=r"nowhere.csv: no such file"):
        run(tmp_path / "nowhere.csv", tmp_path / "out2")


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"fmt": "xml"}, "format 'xml'"),
        ({"filters": "tops"}, "did you mean 'top'"),
        ({"top": 0}, "top must be at least 1"),
        ({"workers": 0}, "workers must be at least 1"),
        ({"shard": (3, 2)}, "1 <= i <= n"),
        ({"shard": (0, 2)}, "1 <= i <= n"),
        ({"by": "pact"}, "did you mean 'pAct'"),
        ({"bounds": {"x": (0.0, 1.0)}}, "unknown target 'x'"),
        ({"bounds": {"pAct": (1.0, 0.0)}}, "must rise"),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        run(few("CC"), tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_standard_input_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read twice"):
        run("-", tmp_path / "out", resume=True)


def test_the_report_is_written_before_the_shards_go(tmp_path: Path) -> None:
    seen = []

    def report(result: ScreenResult, predictor: Any) -> None:
        seen.append((predictor.targets, len(result.top), (tmp_path / "shards").exists()))

    run(few("CC"), tmp_path, report=report, facts={"date": "2026-01-01"})
    assert seen == [(("pAct",), 1, True)]
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["facts"] == {"date": "2026-01-01"}


def test_a_worker_that_dies_is_an_error_not_a_hang(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"a worker process died.*--resume"):
        run(few(*["CC"] * 9, "die-here"), tmp_path, workers=2, shard_rows=1)


def test_rows_that_hang_or_break_a_library_down_cost_themselves_alone(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(endable.VARIABLE, "0.5")
    monkeypatch.setattr(pool, "FIRST", 2.0)
    given = pd.read_csv(library, dtype=str)[:15]
    harmless, harmful = given.copy(), given.copy()
    harmless.loc[[6, 7], "smiles"] = "bad"
    harmful.loc[[6, 7], "smiles"] = "hangs", "breaks"
    run(harmless, tmp_path / "undisturbed", shard_rows=5)
    result = run(harmful, tmp_path / "out", shard_rows=5, workers=2)
    ours = ["smiles", "status", "message"]
    found, wanted = (pd.read_parquet(tmp_path / name / "scores.parquet") for name in ("out", "undisturbed"))
    pd.testing.assert_frame_equal(found.drop(columns=ours), wanted.drop(columns=ours))
    assert found["smiles"].tolist() == harmful["smiles"].tolist()
    assert found.loc[[6, 7], "status"].tolist() == ["timeout", "crashed"]
    assert found["message"][6] == "not done within 0.5 s (looking for ever); --limit gives it more time"
    assert found["message"][7] == "a library broke down over this row"
    assert result.summary.statuses == {"ok": 12, "invalid_smiles": 1, "timeout": 1, "crashed": 1}


@pytest.mark.parametrize("workers", [1, 2])
def test_too_little_memory_is_named(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ResourceError, match="shard 1: out of memory"):
        run(few("CC", "too-much"), tmp_path, workers=workers, shard_rows=1)


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    with pytest.raises(ResourceError, match=r"00000000\.parquet: cannot be written: no space"):
        run(few("CC"), tmp_path)
    assert list((tmp_path / "shards").iterdir()) == []


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def progress(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="go on with --resume"):
        run(few("CC", "CCC", "CCCC"), tmp_path, workers=2, shard_rows=1, progress=progress)
    assert run(few("CC", "CCC", "CCCC"), tmp_path, shard_rows=1, resume=True).summary.rows == 3


def test_the_library_is_read_no_faster_than_it_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fake_predictor

    read, done, ahead = [0], [0], [0]

    def counting(*args: Any, **options: Any) -> Iterator[Any]:
        for table in fake_predictor.read(*args, **options):
            read[0] += 1
            ahead[0] = max(ahead[0], read[0] - done[0])
            yield table

    library = tmp_path / "library.csv"
    few(*["CC"] * 40).to_csv(library, index=False)
    monkeypatch.setattr(fake_predictor.ROOM.reading, "read", counting)
    run(library, tmp_path / "out", workers=2, shard_rows=1, progress=lambda rows: done.__setitem__(0, done[0] + 1))
    assert read[0] == 40 and ahead[0] <= 5


def test_a_model_without_training_rows_ranks_without_a_domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fake_predictor

    score = fake_predictor.Predictor.score

    def without(self: Any, table: Any) -> Any:
        scored = score(self, table)
        scored.frame = scored.frame.drop(columns=["nn_id", "nn_similarity", "in_domain"])
        return scored

    monkeypatch.setattr(fake_predictor.Predictor, "score", without)
    result = run(few("CC", "o", "bad"), tmp_path)
    assert result.summary.in_domain is None and len(result.top) == 2
    assert sum(result.summary.histograms["pAct"].inside) == 2


def test_the_domain_alone_is_refused_where_no_model_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fake_predictor

    one, other = fake_predictor.Predictor(["m/a"]), fake_predictor.Predictor(["m/b"])
    one.domain = None
    monkeypatch.setattr(fake_predictor.Predictor, "predictors", property(lambda self: [one, other]))
    assert run(few("CC", "o"), tmp_path / "some", domain="only").top["smiles"].tolist() == ["CC"]
    other.domain = None
    with pytest.raises(ConfigError, match=r"domain 'only': .*without its training rows .it was shared.*'any'"):
        run(few("CC", "o"), tmp_path / "none", domain="only")
    assert not (tmp_path / "none").exists()
    assert len(run(few("CC", "o"), tmp_path / "none").top) == 2


def test_a_target_with_the_name_of_our_own_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="column 'rank' of its own"):
        run(few("CC"), tmp_path / "out", ("m/rank",))


@pytest.mark.parametrize(
    "change",
    [
        lambda found: "[" * 200_000,
        lambda found: json.dumps({**found, "settings": []}),
        lambda found: json.dumps({**found, "result": {"sha256": {"../x": ""}}}),
        lambda found: json.dumps({**found, "result": {**found["result"], "types": 7}}),
        lambda found: json.dumps({**found, "result": {**found["result"], "summary": {"histograms": [1]}}}),
        lambda found: json.dumps({**found, "result": {**found["result"], "names": 10**400}}),
        lambda found: json.dumps({**found, "strange": 1}),
    ],
)
def test_a_manifest_that_is_none_is_told(tmp_path: Path, change: Any) -> None:
    run(few("CC", "CCC"), tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(change(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"manifest\.json"):
        run(few("CC", "CCC"), tmp_path, resume=True)


@pytest.mark.parametrize("name", ["00000001.parquet", "00000001.sha256"])
def test_a_shard_in_which_any_byte_is_another_is_scored_again(library: Path, tmp_path: Path, name: str) -> None:
    run(library, tmp_path / "whole", shard_rows=500)
    first = digests(tmp_path / "whole")
    run(library, tmp_path / "out", shard_rows=500, shard=(1, 1))
    path = tmp_path / "out" / "shards" / name
    whole = path.read_bytes()
    for at in range(0, len(whole), len(whole) // 7 + 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(
            ConfigError, match=r"1 of 4 shards are not there yet \(1\), or damaged \(1\)\. Remedy: .*--resume"
        ):
            run(library, tmp_path / "out", shard_rows=500)
    assert run(library, tmp_path / "out", shard_rows=500, resume=True).damaged == (1,)
    assert digests(tmp_path / "out") == first


def test_a_shard_that_is_damaged_while_others_are_scored_is_not_merged(tmp_path: Path) -> None:
    def harm(rows: int) -> None:
        path = tmp_path / "shards" / "00000000.parquet"
        path.write_bytes(path.read_bytes()[:-1] + b"\0")

    with pytest.raises(
        CheckpointError, match=r"00000000\.parquet: was damaged since it was scored\. Go on with --resume"
    ):
        run(few("CC", "CCC"), tmp_path, shard_rows=1, progress=harm)
    assert run(few("CC", "CCC"), tmp_path, shard_rows=1, resume=True).damaged == (0,)
