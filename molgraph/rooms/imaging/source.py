"""The text that names what is on a row: files of scans, several for a patient, several sequences for a scan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from molgraph.rooms.imaging import geometry
from molgraph.rooms.imaging.scan import Scan, ScanError, read_scan

BAG, SEQUENCES = ";", "|"
SET = "#"  # before the place of a picture in a set: x-rays.npz#train_images/12
NEAR = 0.1  # of a voxel: what headers round stays far below, and a step of one voxel far above
_DIGEST = re.compile(r"@([0-9a-f]{32}(?:[;|][0-9a-f]{32})*)$")


def names_of(text: str) -> list[list[str]]:
    """Return the scans that a text names, each as the files of its sequences.

    >>> names_of("a_t1.nii|a_t2.nii; b_t1.nii|b_t2.nii")
    [['a_t1.nii', 'a_t2.nii'], ['b_t1.nii', 'b_t2.nii']]
    """
    scans = (_DIGEST.sub("", text).strip().split(BAG)) if text.strip() else []
    return [[name.strip() for name in scan.split(SEQUENCES)] for scan in scans if scan.strip()]


def load(text: str, *, canonical: bool = True) -> list[Scan]:
    """Read the scans that a text names; the sequences of one become its channels, those not canonical as they lie.

    Raises: ScanError where a file cannot be read or sequences differ in size or place.
    """
    return joined(files_of(text, canonical=canonical), text)


def files_of(text: str, *, canonical: bool = True) -> list[list[Scan]]:
    """Read each file that a text names: of each of its scans the sequences.

    Raises: ScanError where one cannot be read.
    """
    found = [[read_scan(name, canonical=canonical) for name in names] for names in names_of(text)]
    if not found:
        raise ScanError("empty", "no file is named")
    return found


def joined(files: Sequence[Sequence[Scan]], text: str) -> list[Scan]:
    """Return the scans that a text names, of the files it names.

    Raises: ScanError where sequences differ in size or place.
    """
    return [_side_by_side(scans, names) for scans, names in zip(files, names_of(text), strict=True)]


def _side_by_side(scans: Sequence[Scan], names: Sequence[str]) -> Scan:
    first = scans[0]
    for scan, name in zip(scans, names, strict=True):
        if scan.voxels.shape[1:] != first.voxels.shape[1:]:
            size, other = ("x".join(map(str, s.voxels.shape[1:])) for s in (first, scan))
            raise ScanError("shape_mismatch", f"sequences differ in size: {names[0]} is {size}, {name} is {other}")
        far = geometry.apart(first, scan)
        if far > NEAR:
            raise ScanError(
                "place_mismatch",
                f"sequences lie up to {far:.3g} voxels apart: {names[0]} and {name}; register and resample one to the "
                "other.",
            )
    return first if len(scans) == 1 else replace(first, voxels=np.concatenate([scan.voxels for scan in scans]))


def digests(files: Sequence[Sequence[Scan]]) -> str:
    """Return the digest of each file's pixels, in the places that the files have in their text."""
    return BAG.join(SEQUENCES.join(map(_digest_of_pixels, scans)) for scans in files)


def _digest_of_pixels(scan: Scan) -> str:
    """Return 128 bits of the sha256 of all pixels, as hexadecimal digits: equal for equal pictures in any file."""
    found = hashlib.sha256(repr(scan.voxels.shape).encode())
    found.update(np.ascontiguousarray(scan.voxels, dtype="<f4").data)
    return found.hexdigest()[:32]


def key_of(text: str, digest: str) -> str:
    """Return the key of a part: its text and the digests of its pixels, so that it is known without its files."""
    return f"{_DIGEST.sub('', text)}@{digest}"


def digest_of(key: str) -> str:
    """Return the digests in a key, "" where there are none."""
    found = _DIGEST.search(key)
    return found[1] if found else ""
