import io
import json
import os
import random
import zipfile

import numpy as np
import pytest

from molgraph.data import untrusted
from molgraph.data.untrusted import damaged, read_arrays, read_json, refuse_odd_numbers
from molgraph.errors import CheckpointError, ConfigError, ResourceError


def header(shape, kind):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def archive(path, content, name="a.npy"):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return path


def test_arrays_come_as_they_were_written(tmp_path):
    given = {
        "prints": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "keys": np.array(["CCO", "", "x" * 3000, "ü"] * 500),
        "none": np.array([], dtype=np.str_),
        "threshold": np.array(0.3),
        "level": np.array("pocket"),
        "blank": np.full((4, 2), np.nan, dtype=np.float32),
    }
    np.savez_compressed(tmp_path / "a.npz", allow_pickle=False, **given)
    found = read_arrays(tmp_path / "a.npz")
    assert list(found) == list(given)
    for name, array in given.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    ("shape", "kind", "says"),
    [
        ((10**9,), "<f8", "more memory"),
        ((10**9, 10**9), "<f4", "larger than any"),
        ((-1,), "<f4", "none of ours"),
        ((3,), "|O", "none of ours"),
        ((3,), "<c16", "none of ours"),
        ((3,), "<U100000000", "larger than any"),
        ((10**7,), "<U500", "shorter than it says"),
        ((2, 2), "<f4", "shorter than it says"),
        ((0,), "<f4", "longer than it says"),
    ],
)
def test_a_header_is_believed_only_so_far_as_the_file_goes(tmp_path, shape, kind, says):
    path = archive(tmp_path / "a.npz", header(shape, kind) + b"\0" * 8)
    with pytest.raises(ValueError, match=says):
        read_arrays(path)


def test_what_unpacks_to_much_more_than_it_is_takes_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(untrusted, "ROOM", 2**20)
    zeros = archive(tmp_path / "zeros.npz", header((2**22,), "|u1") + bytes(2**22))
    texts = archive(tmp_path / "texts.npz", header((2**12,), "<U1024") + np.full(2**22, "A", "<U1").tobytes())
    blank = archive(tmp_path / "blank.npz", header((2**18,), "<U4") + bytes(2**22))
    for path in (zeros, texts, blank):
        assert path.stat().st_size < 2**16
        with pytest.raises(ValueError, match="more memory"):
            read_arrays(path)
    padded = archive(tmp_path / "padded.npz", header((2**8,), "<U16384") + bytes(2**24))
    assert read_arrays(padded)["a"].tolist() == [""] * 2**8  # long by its longest alone


def test_flipped_and_cut_archives_are_told_or_whole(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, keys=np.array(["CCO", "CCN"] * 20), values=np.arange(40.0))
    whole, chance, path = buffer.getvalue(), random.Random(0), tmp_path / "a.npz"
    told = 0
    for _ in range(300):
        content = bytearray(whole)
        if chance.random() < 0.3:
            content = content[: chance.randrange(len(whole))]
        else:
            content[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        try:
            with damaged(path):
                found = read_arrays(path)
        except CheckpointError as error:
            assert str(path) in str(error)
            told += 1
            continue
        assert sum(array.size for array in found.values()) <= 80
    assert told > 150


def test_json_of_a_stranger(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, null]}', encoding="utf-8")
    assert read_json(path) == {"a": [1, None]}
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(ValueError, match="lists within lists"):
        read_json(path)
    path.write_text(json.dumps("x" * 100), encoding="utf-8")
    with pytest.raises(ValueError, match="102 bytes, and none of ours has more than 99"):
        read_json(path, 99)
    with pytest.raises(ValueError, match="not a file"):
        read_json(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_what_never_ends_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (read_json, read_arrays):
        with pytest.raises(ValueError, match="not a file"):
            read(tmp_path / "pipe")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, 2**60])
def test_odd_numbers_are_refused_wherever_they_stand(value):
    refuse_odd_numbers({"a": [{"b": 1.5, "c": True, "d": None, "e": "NaN"}]}, "task")
    with pytest.raises(ValueError, match=r"'task\.a\.b' holds"):
        refuse_odd_numbers({"a": [{"b": value}]}, "task")


def test_what_goes_wrong_in_a_folder_is_the_folders_fault(tmp_path):
    for error in (RecursionError("deep"), ConfigError("size."), KeyError("x"), OverflowError("int"), MemoryError()):
        with pytest.raises(CheckpointError, match=rf"{tmp_path.name}: damaged: .*Copy the whole"), damaged(tmp_path):
            raise error
    with pytest.raises(ResourceError, match="no permission"), damaged(tmp_path):
        raise PermissionError
    with pytest.raises(KeyboardInterrupt), damaged(tmp_path):
        raise KeyboardInterrupt
