"""Rows out of tables, sets and files; paths count from the table; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from molgraph.data.table import Table
from molgraph.errors import DataError
from molgraph.rooms.imaging.read import read


def whole(tables: list[Table]) -> pd.DataFrame:
    return pd.concat([table.frame for table in tables], ignore_index=True)


def test_paths_count_from_the_table(tmp_path: Path) -> None:
    cells = ["a.png", "sub/b.png;c.png", "t1.nii|t2.nii", "set.npz#images/3", str(tmp_path / "d.png"), ""]
    pd.DataFrame({"id": range(6), "image": cells}).to_csv(tmp_path / "labels.csv", index=False)
    (table,) = read(tmp_path / "labels.csv")
    here = str(tmp_path.resolve())
    assert table.column == "scan" and table.frame["image"].tolist() == cells
    assert [text.replace(here, ".").replace("\\", "/") for text in table.texts] == [
        *("./a.png", "./sub/b.png;./c.png", "./t1.nii|./t2.nii", "./set.npz#images/3", "./d.png", ""),
    ]


def test_what_is_added_to_find_files_is_told_from_what_was_given(tmp_path: Path) -> None:
    pd.DataFrame({"image": ["a.png", "sub/b.png"]}).to_csv(tmp_path / "t.csv", index=False)
    np.savez(tmp_path / "set.npz", images=np.zeros((2, 4, 4), np.uint8))
    (tmp_path / "one.png").write_bytes(b"")
    for name, columns in (("t.csv", ["image"]), ("set.npz", ["picture"]), ("one.png", ["file"])):
        (table,) = read(tmp_path / name)
        assert (table.added, table.column) == (("scan",), "scan") and list(table.given) == columns
        assert table.in_their_words(f"{table.texts[-1]}: cut") in (
            "sub/b.png: cut",
            "set.npz#images/1: cut",
            "one.png: cut",
        )
    (table,) = read(["a.png"])
    assert table.given["scan"].tolist() == ["a.png"] and table.added == ("scan_",)


def test_columns_of_sequences_are_joined(tmp_path: Path) -> None:
    frame = pd.DataFrame({"flair": ["a.nii;b.nii", "c.nii", "d.nii"], "t1c": ["e.nii;f.nii", "", "g.nii;h.nii"]})
    frame.to_csv(tmp_path / "brains.csv", index=False)
    (table,) = read(tmp_path / "brains.csv", "flair|t1c")
    names = [Path(name).name for name in table.texts[0].replace("|", ";").split(";")]
    assert names == ["a.nii", "e.nii", "b.nii", "f.nii"]
    assert table.texts[0].count("|") == 2 and table.texts[0].count(";") == 1
    assert table.texts[1:] == ["", ""], "a sequence that is missing is no scan"


def test_a_set_brings_its_folds_and_labels(tmp_path: Path) -> None:
    arrays = {f"{fold}_images": np.zeros((n, 4, 4), np.uint8) for fold, n in (("train", 3), ("val", 1), ("test", 2))}
    arrays |= {f"{fold}_labels": np.ones((n, 1), np.int64) for fold, n in (("train", 3), ("val", 1), ("test", 2))}
    arrays |= {f"{fold}_patient": np.array(["p"] * n) for fold, n in (("train", 3), ("val", 1), ("test", 2))}
    np.savez(tmp_path / "set.npz", **arrays)
    tables = list(read(tmp_path / "set.npz", block=4))
    frame = whole(tables)
    assert [len(table) for table in tables] == [4, 2]
    assert frame["split"].tolist() == ["train"] * 3 + ["val"] + ["test"] * 2
    assert frame["scan"].str.rpartition("#")[2].tolist() == [
        *("train_images/0", "train_images/1", "train_images/2", "val_images/0", "test_images/0", "test_images/1")
    ]
    assert frame["label"].tolist() == ["1"] * 6 and frame["patient"].tolist() == ["p"] * 6
    assert all(table.split == "split" and table.targets == ("label",) for table in tables)


def test_a_set_without_folds_and_with_several_labels(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "set.h5", "w") as file:
        file["images"], file["labels"] = np.zeros((3, 1, 5, 5)), np.array([[0, 1], [1, 1], [0, 0]])
        file["masks"], file["names"] = np.zeros((3, 1, 5, 5)), np.array([b"a", b"b", b"c"])
    (table,) = read(tmp_path / "set.h5")
    assert table.split == "" and table.targets == ("label_0", "label_1")
    assert table.frame["label_1"].tolist() == ["1", "1", "0"] and table.frame["names"].tolist() == ["a", "b", "c"]
    assert "masks" not in table.frame and "split" not in table.frame


def test_a_scan_alone_and_a_list(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(b"")
    (alone,) = read(tmp_path / "x.dcm")
    assert alone.texts == [str((tmp_path / "x.dcm").resolve())]
    (listed,) = read([str(tmp_path / "x.dcm")])
    assert listed.texts == alone.texts


@pytest.mark.parametrize("broken", ["no such file", "no images", "damaged", "no column"])
def test_what_cannot_be_read_is_said(broken: str, tmp_path: Path) -> None:
    path = tmp_path / ("table.csv" if broken == "no column" else "set.npz")
    if broken == "no images":
        np.savez(path, pictures=np.zeros((2, 3, 3)))
    elif broken == "damaged":
        np.savez(path, images=np.zeros((2, 300, 300)))
        path.write_bytes(path.read_bytes()[:500])
    elif broken == "no column":
        path.write_text("who,what\n1,2\n", encoding="utf-8")
    told = {"no images": "pictures", "damaged": "damaged", "no column": "Columns: who, what", "no such file": "no such"}
    with pytest.raises(DataError, match=told[broken]):
        list(read(path))
