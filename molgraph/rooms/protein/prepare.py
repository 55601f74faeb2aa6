"""Texts to parts: what the room of proteins makes of a column of sequences, or of vectors computed elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.data.packed import PART, Packed, Schema, pack
from molgraph.data.room import Prepared
from molgraph.errors import ConfigError, Reject, did_you_mean
from molgraph.rooms.protein.composition import COMPOSITION, composition
from molgraph.rooms.protein.kmers import ALPHABET, K, kmers, signs
from molgraph.rooms.protein.residues import LETTERS, Refusal, as_written, codes_of, protein, standardised
from molgraph.rooms.protein.vectors import Vectors, stored, written

RESIDUES, KMERS, COMPOSED, EMBEDDING = "residues", "kmers", "composition", "embedding"
FEATURES = (RESIDUES, KMERS, COMPOSED, EMBEDDING)
NONE = -1


def prepare(
    texts: Sequence[str], needs: Collection[str], *, standardise: bool | int = True, workers: int = 1
) -> Prepared:
    """Turn sequences into distinct parts with the features that are needed, or into a reason why not.

    With `standardise`, sequences that differ in case, gaps, white space or a stop at the end are one part, whose key
    is the sequence in capitals; without, the key is the text, and only capitals are a sequence. Where `needs` has
    "embedding", texts are vectors, and where it has "embedding:FILE.npz" what they are called there; the key is the
    text. Such a protein has no composition (zeros), and its words are signs of projections. One process is enough,
    whatever `workers`: a protein takes about 2 ms.

    Raises: ConfigError for an unknown feature, and for residues of vectors; DataError where FILE.npz cannot be read.
    """
    for name in needs:
        if name.partition(":")[0] not in FEATURES:
            raise ConfigError(f"proteins have no feature '{name}'{did_you_mean(name, FEATURES)}")
    embeddings = [name.partition(":")[2] for name in needs if name.partition(":")[0] == EMBEDDING]
    if not embeddings:
        return _prepared(texts, needs, partial(protein, read=standardised if standardise else as_written), None)
    if RESIDUES in needs:
        raise ConfigError("one column cannot hold sequences for one model and vectors for another; train them apart.")
    with stored(embeddings[0]) if embeddings[0] else nullcontext(written) as find:
        vectors = Vectors(find)
        return _prepared(texts, needs, vectors.read, vectors)


def _prepared(
    texts: Sequence[str], needs: Collection[str], read: Callable[[str], str | Refusal], vectors: Vectors | None
) -> Prepared:
    """Read each distinct text once and make the features of every distinct key."""
    number: dict[str, int] = {}
    part_of: dict[str, int] = {}
    refused: dict[str, Refusal] = {}
    for text in dict.fromkeys(texts):
        key = read(text)
        if isinstance(key, Refusal):
            refused[text], part_of[text] = key, NONE
        else:
            part_of[text] = number.setdefault(key, len(number))
    return Prepared(
        parts=_packed(list(number), needs, vectors),
        index=np.fromiter((part_of[text] for text in texts), dtype=np.int64, count=len(texts)),
        keys=tuple(number),
        rejects={i: Reject(i + 1, text, *refused[text]) for i, text in enumerate(texts) if text in refused},
    )


def _packed(keys: Sequence[str], needs: Collection[str], vectors: Vectors | None) -> Packed:
    """Make the features of every key."""
    sequences = [codes_of("" if vectors is not None else key) for key in keys]
    fields: dict[str, tuple[str, torch.Tensor]] = {}
    lengths: dict[str, torch.Tensor] = {}
    schema: Schema = {}

    def add(name: str, level: str, rows: Sequence[NDArray[Any]], dtype: type[np.generic], sizes: list[int]) -> None:
        flat = np.concatenate([*rows, np.zeros(0, dtype)], dtype=dtype)
        fields[name] = level, torch.from_numpy(flat)
        lengths[level] = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        schema[name] = sizes

    if RESIDUES in needs:
        add(RESIDUES, "residue", sequences, np.uint8, [len(LETTERS)])
    if KMERS in needs:
        words = kmers(sequences) if vectors is None else signs(vectors.rows(keys))
        add(KMERS, "kmer", words, np.int32, [ALPHABET**K])
    if COMPOSED in needs:
        fields[COMPOSED] = PART, torch.from_numpy(composition(sequences))
        schema[COMPOSED] = [len(COMPOSITION)]
    if vectors is not None:
        fields[EMBEDDING] = PART, torch.from_numpy(vectors.rows(keys))
        schema[EMBEDDING] = [vectors.width]
    return pack(fields, lengths, schema, len(keys))
