"""Texts to parts: what the room of imaging makes of a column of files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

import numpy as np
import torch

from molgraph.data.endable import TooLong, why
from molgraph.data.packed import PART, Packed, Schema, pack
from molgraph.data.pool import in_processes
from molgraph.data.room import Prepared
from molgraph.errors import Reject
from molgraph.rooms.imaging.made import Made, Refusal, made_of
from molgraph.rooms.imaging.similarity import SIDE, THUMBNAIL
from molgraph.rooms.imaging.store import Stack
from molgraph.rooms.imaging.view import LARGEST, View

CHUNK = 16  # texts that one process works on at a time
WORTH_STARTING = 256  # texts; a picture takes some milliseconds, a process about one second to start


def prepare(
    texts: Sequence[str], needs: Collection[str], *, standardise: bool | int = True, workers: int = 1
) -> Prepared:
    """Turn files of scans into distinct parts with what each view sees of them, or into a reason why not.

    A text names a file, a folder, or a picture of a set (`x-rays.npz#train_images/12`); `;` stands between scans of
    one part, `|` between the sequences of one scan. A key is the text with the digest of its pixels, and may be given
    as a text again. A part holds the slices (or volumes) of all its scans. The result is the same to the byte for any
    number of `workers`; `standardise` changes nothing.

    Raises: ConfigError for an unknown feature; ResourceError where a worker dies or the disk is full.
    """
    views = [View.parse(name) for name in needs if name != THUMBNAIL]
    distinct = list(dict.fromkeys(texts))
    stacks = {view.name: Stack((view.channels, *view.shape), np.uint8) for view in views}
    thumbnails = Stack((SIDE * SIDE,), np.int8)
    lengths: dict[str, list[int]] = {view.name: [] for view in views}
    keys: list[str] = []
    part_of: dict[str, int] = {}
    refused: dict[str, Refusal] = {}
    said: dict[str, str] = {}
    for text, found in _all_made(distinct, views, workers):
        if isinstance(found, Refusal):
            refused[text], part_of[text] = found, -1
            continue
        part_of[text] = len(keys)
        keys.append(found.key)
        if found.said:
            said[text] = found.said
        thumbnails.append(found.thumbnail[None])
        for name, values in found.values.items():
            stacks[name].append(values)
            lengths[name].append(len(values))
    return Prepared(
        parts=_packed(views, stacks, thumbnails, lengths, len(keys)),
        index=np.fromiter((part_of[text] for text in texts), dtype=np.int64, count=len(texts)),
        keys=tuple(keys),
        rejects={i: Reject(i + 1, text, *refused[text]) for i, text in enumerate(texts) if text in refused},
        said={i: said[text] for i, text in enumerate(texts) if text in said},
    )


def _all_made(texts: list[str], views: Sequence[View], workers: int) -> Iterator[tuple[str, Made | Refusal]]:
    chunks = [texts[at : at + CHUNK] for at in range(0, len(texts), CHUNK)]
    work = partial(made_of, views=views)
    many = workers if len(texts) >= WORTH_STARTING else 1

    def instead(error: TooLong) -> list[Made | Refusal]:
        return [Refusal(*why(error))]

    for done in in_processes(work, chunks, many, instead):
        for chunk, made in done:
            yield from zip(chunk, made, strict=True)


def _packed(
    views: Sequence[View], stacks: dict[str, Stack], thumbnails: Stack, lengths: dict[str, list[int]], count: int
) -> Packed:
    """Put end to end what each view saw; views of one kind, of slices or volumes, have offsets of their own."""
    fields = {THUMBNAIL: (PART, thumbnails.tensor())}
    fields |= {view.name: (view.name, stacks[view.name].tensor()) for view in views}
    schema: Schema = {view.name: [view.channels, *view.shape, LARGEST] for view in views}
    starts = {name: torch.tensor(each, dtype=torch.int64) for name, each in lengths.items()}
    return pack(fields, starts, schema, count)
