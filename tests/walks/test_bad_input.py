"""What strangers hand in: each thing ends in a sentence that names the place and the remedy, and leaves nothing."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from walk import TINY, done, molgraph, no_leftovers, refused

NOBODY = 65534  # the user without rights on Linux and BSD
GOOD = "smiles,pAct\n" + "".join(f"{'C' * (i + 1)}O,{i}.5\n" for i in range(3))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", 3, ["bad.csv", "no rows", "empty"]),
        ("smiles,pAct\n", 3, ["bad.csv", "no rows", "only a header"]),
        ("compound,pAct\nA,1\n", 3, ["bad.csv", "no column is called smiles", "-s", "compound, pAct"]),
        ("smiles,pact\nCCO,1\n", 3, ["bad.csv", "no column 'pAct'", "did you mean 'pact'"]),
        ("smiles,pAct,pAct\nCCO,1,2\n", 3, ["bad.csv", "'pAct'", "rename"]),
        ("smiles,pAct\nCCO,1\n", 3, ["leaves no test rows", "give more rows"]),
        ("smiles,pAct\nxx,1\nyy,2\n", 3, ["bad.csv", "none of 2 rows", "row 1 'xx'"]),
        ("smiles,pAct\nCCO,nan\nCCC,inf\n", 3, ["bad.csv", "none of 2 rows", "row 1"]),
        ("smiles,pAct\nCCO,3 uM\nCCC,5 nM\nCCCC,1\n", 3, ["uM (row 1: '3 uM')", "nM (row 2", "--units pAct:"]),
        (b"PK\x03\x04\0\0", 3, ["bad.csv", "not a text file", ".xlsx"]),
        (b"\x89PNG\0\0\0", 3, ["bad.csv", "not a text file"]),
        ("\n".join(["CCO,1"] * 3), 3, ["bad.csv", "no header line"]),
    ],
)
def test_tables_that_cannot_train(tmp_path: Path, content: str | bytes, code: int, words: list[str]):
    bad = write(tmp_path / "bad.csv", content)
    refused(molgraph("train", bad, "--target", "pAct", *TINY, "--out", tmp_path / "model"), code, *words)
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["bad.csv", "no rows"]),
        ("smiles\n", ["bad.csv", "no rows"]),
        ("compound,pAct\nA,1\n", ["bad.csv", "no column is called smiles", "compound, pAct"]),
        (b"\x1f\x8b\x08broken", ["bad.csv", "damaged"]),
    ],
)
def test_tables_that_cannot_be_used(model: Path, tmp_path: Path, content: str | bytes, words: list[str]):
    bad = write(tmp_path / "bad.csv", content)
    for command in ("predict", "screen", "evaluate"):
        out = ("-o", tmp_path / "scores.csv") if command == "predict" else ("--out", tmp_path / "out")
        refused(molgraph(command, bad, "--model", model, *out), 3, *words)
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("nowhere.csv", 3, ["nowhere.csv: no such file", "did you mean"]),
        ("folder.csv", 3, ["folder.csv: this is not a file"]),
        ("folder", 3, ["folder: this is not a file"]),
        ("table.docx", 3, ["'.docx' is no table format", ".xlsx"]),
        ("nowhere.toml", 3, ["no such run file"]),
        ("bad.toml", 2, ["not a TOML file"]),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, code: int, words: list[str]):
    for other in ("nowhere_.csv", "table.docx"):
        write(tmp_path / other, GOOD)
    write(tmp_path / "bad.toml", "data = = 3")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.csv").mkdir()
    refused(molgraph("train", tmp_path / name, "--target", "pAct", "--out", tmp_path / "model"), code, *words)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_encodings_and_line_ends_do_not_matter(model: Path, tmp_path: Path, encoding: str, end: str):
    text = "smiles,naïve name\nCCO,Müller\nCCC,b\n".replace("\n", end)
    source = write(tmp_path / "in.csv", text.encode(encoding))
    done("predict", source, "--model", model, "-o", tmp_path / "out.csv", "--strict")
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["naïve name"].tolist() == ["Müller", "b"]
    assert found["pAct"].notna().all()


def test_a_ragged_row_keeps_its_place_and_takes_nobody_along(model: Path, tmp_path: Path):
    source = write(tmp_path / "in.csv", "smiles,name\nCCO,a\nCCC\nCCCC,b,c,d\nCCCCC,e\n")
    done("predict", source, "--model", model, "-o", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert found["status"].tolist() == ["ok", "ragged_row", "ragged_row", "ok"]
    assert "in.csv: line 3 has 1 cell where the header has 2" in found["message"][1]
    assert found["name"].tolist()[::3] == ["a", "e"]
    assert found["pAct"][1] == found["pAct"][2] == ""


def test_a_line_of_100_megabytes_is_one_bad_row(model: Path, tmp_path: Path):
    pytest.importorskip("resource")
    source, small = tmp_path / "in.csv", tmp_path / "small.csv"
    small.write_text("smiles,name\nCCO,a\nCCC,b\n", encoding="utf-8")
    with source.open("wb") as file:
        file.write(b"smiles,name\nCCO,a\n")
        for _ in range(100):
            file.write(b"C" * (1 << 20))
        file.write(b",long\nCCC,b\n")
    code = (
        "import resource, sys; from molgraph.cli import main; code = main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    unit = 1 if sys.platform == "darwin" else 1024  # what getrusage counts in

    def peak(table: Path) -> int:
        words = ["predict", table, "--model", model, "-o", tmp_path / "out.csv", "--workers", 1]
        command = [sys.executable, "-c", code, *map(str, words)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) * unit

    assert peak(small) - peak(source) > -(64 << 20)  # the line itself, decoded once, would be 100 MB
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert found["status"].tolist() == ["ok", "too_large", "ok"]
    assert (tmp_path / "out.csv").stat().st_size < 10_000


def test_bad_rows_are_left_out_of_a_training_and_listed(tmp_path: Path, series: pd.DataFrame):
    table = series.astype({"pAct": object})
    table.loc[[0, 1, 2], "pAct"] = ["nan", "inf", "7 or 8"]
    table.loc[[3, 4], "smiles"] = ["not_a_smiles", ""]
    table.to_csv(tmp_path / "in.csv", index=False)
    said = done("train", tmp_path / "in.csv", "--target", "pAct", *TINY, "--out", tmp_path / "m").err
    assert "68 rows, 63 used (1 not_measured, 2 invalid_target, 1 invalid_smiles, 1 empty)" in said
    rejects = pd.read_csv(tmp_path / "m" / "rejects.csv", keep_default_na=False)
    assert rejects["row"].tolist() == [1, 2, 3, 4, 5]
    assert rejects["text"][3] == "not_a_smiles"
    assert all(rejects["message"])


@pytest.mark.parametrize(
    ("column", "task", "words"),
    [
        ("same", "regression", ["'same'", "have the value 5", "nothing to learn"]),
        ("yes", "binary", ["'yes'", "one class only", "Add rows of the other class"]),
        ("yes", "multiclass", ["'yes'", "fewer than two classes", "Add rows"]),
        ("smiles", "regression", ["'smiles' is an input of the model and no target"]),
    ],
)
def test_nothing_to_learn(tmp_path: Path, series: pd.DataFrame, column: str, task: str, words: list[str]):
    series.assign(same=5, yes=1).to_csv(tmp_path / "in.csv", index=False)
    outcome = molgraph("train", tmp_path / "in.csv", "--target", column, "--task", task, *TINY, "--out", tmp_path / "m")
    refused(outcome, 2 if column == "smiles" else 3, *words)
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--model", "molecule/dmpn"], ["unknown model", "did you mean 'molecule/dmpnn'"]),
        (["--set", "encoder.hiden=3"], ["encoder.hiden", "did you mean 'hidden'"]),
        (["--set", "train.epoch=3"], ["train.epoch", "did you mean 'epochs'"]),
        (["--set", "traim.epochs=3"], ["traim", "did you mean 'train'"]),
        (["--set", "train.epochs"], ["KEY=VALUE"]),
        (["--set", "train.epochs=many"], ["train.epochs", "expected int"]),
        (["--set", "encoder.hidden=-3"], ["hidden = -3", "out of range"]),
        (["--set", "fractions=[0.5,0.5]"], ["give three"]),
        (["--set", "fractions=[0.5,0.1,0.1]"], ["add up to 1"]),
        (["--split", "scafold"], ["did you mean 'scaffold'"]),
        (["--split", "column"], ["column:NAME"]),
        (["--task", "regresion"], ["did you mean 'regression'"]),
        (["--ensemble", "0"], ["at least 1"]),
        (["--devices", "0"], ["--devices 0", "1 or more"]),
        (["--target", "pAct"], ["'pAct' more than once"]),
        (["--units", "pAct"], ["COLUMN:UNIT"]),
        (["--units", "pAct:parsec"], ["unknown unit 'parsec'"]),
        (["--set", "train.device=tpu"], ["train.device", "'auto' or 'cpu'"]),
    ],
)
def test_settings_that_are_wrong(data: Path, tmp_path: Path, words: list[str], says: list[str]):
    outcome = molgraph("train", data, "--target", "pAct", *TINY, *words, "--out", tmp_path / "m")
    refused(outcome, 2, *says)
    assert not (tmp_path / "m" / "recipe.json").exists()


def test_no_target_lists_the_columns(data: Path, tmp_path: Path):
    refused(molgraph("train", data, "--out", tmp_path / "m"), 2, "--target", "active, grade")
    refused(molgraph("train", data, "--target", "pAct"), 2, "--out DIR is missing")


def test_a_training_that_diverges_says_five_and_logs_it(data: Path, tmp_path: Path):
    outcome = molgraph("train", data, "--target", "pAct", *TINY, "--set", "train.lr=1e30", "--out", tmp_path / "m")
    refused(outcome, 5, "epoch 1", "loss is", "learning rate", "smaller train.lr")
    assert not (tmp_path / "m" / "recipe.json").exists()
    assert "smaller train.lr" in (tmp_path / "m" / "run.log").read_text(encoding="utf-8")
    refused(molgraph("predict", data, "--model", tmp_path / "m", "-o", tmp_path / "x.csv"), 4, "no finished model")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def other_format(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"format": 99}), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "harm", "words"),
    [
        ("weights-0.safetensors", flip, ["damaged", "Copy the folder again"]),
        ("weights-0.safetensors", Path.unlink, ["missing", "Copy the whole model folder"]),
        ("recipe.json", lambda p: p.write_bytes(p.read_bytes()[:500]), ["recipe.json: damaged"]),
        ("recipe.json", Path.unlink, ["no finished model (no recipe.json)"]),
        ("recipe.json", other_format, ["format 99", "Use the version that wrote it"]),
        ("domain.npz", lambda p: p.write_bytes(b"garbage"), ["domain.npz", "damaged"]),
        ("domain.npz", flip, ["domain.npz", "damaged"]),
        ("domain.npz", lambda p: p.write_bytes(p.read_bytes()[:900]), ["domain.npz", "damaged"]),
    ],
)
def test_damaged_model_folders(model: Path, data: Path, tmp_path: Path, name: str, harm, words: list[str]):
    shutil.copytree(model, tmp_path / "m")
    harm(tmp_path / "m" / name)
    for command, out in (("predict", "-o"), ("screen", "--out"), ("evaluate", "--out")):
        refused(molgraph(command, data, "--model", tmp_path / "m", out, tmp_path / "x.csv"), 4, *words)
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    ("name", "says"),
    [("nowhere", "no such model folder"), ("data", "not a model folder"), ("molecule/gin", "name of an architecture")],
)
def test_model_folders_that_are_none(data: Path, tmp_path: Path, name: str, says: str):
    folder = {"nowhere": tmp_path / "nowhere", "data": data}.get(name, Path(name))
    refused(molgraph("predict", data, "--model", folder, "-o", tmp_path / "x.csv"), 4, says)
    refused(molgraph("train", data, "--target", "pAct", "--init", folder, *TINY, "--out", tmp_path / "m"), 4, says)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        ("no/such/folder/x.csv", 6, ["the folder does not exist"]),
        ("x.docx", 2, ["'.docx'", ".xlsx", ".parquet"]),
        ("x", 2, ["no format", ".csv"]),
        ("folder.csv", 6, ["this is a folder"]),
    ],
)
def test_outputs_that_cannot_be_written(model: Path, data: Path, tmp_path: Path, output: str, code: int, words):
    (tmp_path / "folder.csv").mkdir()
    refused(molgraph("predict", data, "--model", model, "-o", tmp_path / output), code, *words)
    assert [p.name for p in tmp_path.rglob("*")] == ["folder.csv"]


def test_the_input_is_not_overwritten(model: Path, tmp_path: Path):
    source = write(tmp_path / "in.csv", GOOD)
    refused(molgraph("predict", source, "--model", model, "-o", source), 2, "the file that is read")
    assert source.read_text(encoding="utf-8") == GOOD


def test_a_file_where_a_folder_is_wanted(model: Path, data: Path, tmp_path: Path):
    there = write(tmp_path / "there", "x")
    refused(molgraph("train", data, "--target", "pAct", *TINY, "--out", there), 6, "there: cannot be written")
    refused(molgraph("screen", data, "--model", model, "--out", there, "--workers", 1), 6, "there: cannot be written")
    assert there.read_text(encoding="utf-8") == "x"


# --- disks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a small disk of its own (Linux, root)."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here: that takes Linux and root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk up to some bytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_frsize - leave))
    return ballast


@pytest.mark.parametrize("disk", ["size=4m"], indirect=True)
@pytest.mark.parametrize("leave", [0, 4096, 16384])
def test_training_onto_a_full_disk(data: Path, disk: Path, leave: int):
    ballast = fill(disk, leave)
    words = ("train", data, "--target", "pAct", *TINY, "--out", disk / "m")
    refused(molgraph(*words), 6, "no space is left")
    assert not (disk / "m" / "recipe.json").exists()
    no_leftovers(disk)
    ballast.unlink()
    done(*words)


@pytest.mark.parametrize("disk", ["size=4m"], indirect=True)
@pytest.mark.parametrize("name", ["x.csv", "x.xlsx", "x.parquet", "x.sdf", "x.csv.gz"])
def test_predicting_onto_a_full_disk(model: Path, data: Path, disk: Path, name: str):
    fill(disk, 0)
    refused(molgraph("predict", data, "--model", model, "-o", disk / name), 6, name, "no space is left")
    assert [p.name for p in disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize("disk", ["size=4m"], indirect=True)
@pytest.mark.parametrize("leave", [0, 4096, 24576])
def test_screening_onto_a_full_disk(model: Path, data: Path, disk: Path, leave: int):
    ballast = fill(disk, leave)
    words = ("screen", data, "--model", model, "--out", disk / "out", "--workers", 1, "--top", 5)
    refused(molgraph(*words), 6, "no space is left")
    no_leftovers(disk)
    ballast.unlink()
    done(*words, "--resume")
    assert (disk / "out" / "report.html").exists()


@pytest.mark.parametrize("disk", ["size=1m,ro"], indirect=True)
def test_a_disk_that_is_read_only(model: Path, data: Path, disk: Path):
    says = "the disk is read-only"
    refused(molgraph("train", data, "--target", "pAct", *TINY, "--out", disk / "m"), 6, says)
    refused(molgraph("predict", data, "--model", model, "-o", disk / "x.csv"), 6, says)
    refused(molgraph("screen", data, "--model", model, "--out", disk / "s", "--workers", 1), 6, says)
    refused(molgraph("evaluate", data, "--model", model, "--out", disk / "e"), 6, says)


@pytest.fixture
def nobody(model: Path) -> Iterator[Path]:
    """Become somebody without rights outside of a folder of his own, which holds a model."""
    folder = Path(tempfile.mkdtemp()).resolve()
    shutil.copytree(model, folder / "m")
    molgraph("predict", write(folder / "in.csv", GOOD), "--model", folder / "m", "-o", folder / "warm.csv")
    root = hasattr(os, "setresuid") and os.geteuid() == 0
    if root:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, 0)
    yield folder
    if root:
        os.setresuid(0, 0, 0)
    for path in folder.rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name == "nt", reason="permission bits are a matter of POSIX")
def test_files_that_nobody_may_read_or_write(nobody: Path):
    locked = write(nobody / "locked.csv", GOOD)
    locked.chmod(0)
    out = nobody / "closed"
    out.mkdir(mode=0o500)
    source, model = nobody / "in.csv", nobody / "m"
    refused(molgraph("predict", locked, "--model", model, "-o", nobody / "x.csv"), 6, "no permission to read")
    refused(molgraph("screen", locked, "--model", model, "--out", nobody / "s"), 6, "no permission to read")
    refused(molgraph("train", locked, "--target", "pAct", "--out", nobody / "t"), 6, "no permission to read")
    refused(molgraph("predict", source, "--model", model, "-o", locked), 6, "no permission to write")
    refused(molgraph("predict", source, "--model", model, "-o", out / "x.csv"), 6, "no permission to write")
    refused(molgraph("screen", source, "--model", model, "--out", out / "s", "--workers", 1), 6, "no permission")
    refused(molgraph("train", locked, "--target", "pAct", "--out", nobody / "t"), 6, "no permission to read")
    model_file = shutil.copytree(model, nobody / "m2") / "recipe.json"
    model_file.chmod(0)
    refused(molgraph("predict", source, "--model", nobody / "m2", "-o", nobody / "x.csv"), 6, "no permission to read")
    (nobody / "m2").chmod(0)
    refused(molgraph("predict", source, "--model", nobody / "m2", "-o", nobody / "x.csv"), 6, "no permission to read")
    (nobody / "m2").chmod(0o700)
    assert not (nobody / "x.csv").exists() and not (nobody / "t").exists()


def test_standard_input_that_is_empty(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Piped:
        buffer = io.BufferedReader(io.BytesIO(b""))

    monkeypatch.setattr("sys.stdin", Piped)
    refused(molgraph("predict", "-", "--model", model, "-o", tmp_path / "x.csv"), 3, "standard input: no rows")
    assert list(tmp_path.iterdir()) == []
