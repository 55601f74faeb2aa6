"""Texts to parts: what the room of molecules makes of a column of SMILES."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph.config import RULES
from molgraph.data import endable
from molgraph.data.packed import PART, Packed, Schema, pack
from molgraph.data.pool import in_processes
from molgraph.data.room import Prepared
from molgraph.errors import ConfigError, Reject, did_you_mean
from molgraph.rooms.molecule.features import FEATURES, GRAPH, NONE, TOKEN, WHOLE, Featurised, featurise
from molgraph.rooms.molecule.graphs import ATOM_CODES, BOND_CODES
from molgraph.rooms.molecule.hard import hard, why
from molgraph.rooms.molecule.standardise import MAX_ATOMS, Refusal
from molgraph.rooms.molecule.tokens import TOKENS

CHUNK = 1024  # texts that one process works on at a time
# Rough milliseconds per molecule on one core, to tell whether other processes are worth starting.
COST = {GRAPH: 0.2, TOKEN: 0.05, "fingerprint": 0.2, "descriptors": 6.0, "ecfp": 0.2, "avalon": 1.0, "erg": 0.5}
WORTH_STARTING = 5_000.0  # milliseconds of work; a process takes about one second to start


def prepare(
    texts: Sequence[str],
    needs: Collection[str],
    *,
    standardise: bool | int = True,
    workers: int = 1,
    max_atoms: int = MAX_ATOMS,
) -> Prepared:
    """Turn SMILES into distinct parts with the features that are needed, or into a reason why not.

    The same text is read once; with `standardise`, texts of the same compound share one part, whose key is its
    standardised SMILES by the newest rules, or by those of that number; without, the key is the text. The result is
    the same to the byte for any number of `workers`; few texts are prepared in this process.

    Raises: ConfigError for an unknown feature; ResourceError where a worker dies.
    """
    for name in needs:
        if name not in FEATURES:
            raise ConfigError(f"molecules have no feature '{name}'{did_you_mean(name, FEATURES)}")
    wanted = tuple(name for name in FEATURES if name in needs)
    distinct = list(dict.fromkeys(texts))
    chunks = list(_chunks(distinct)) or [[]]
    rules = RULES if standardise is True else int(standardise)
    work = partial(featurise, needs=wanted, rules=rules, max_atoms=max_atoms)
    enough = len(distinct) * (0.3 + sum(COST[name] for name in wanted)) > WORTH_STARTING
    made = _made(work, chunks, workers if enough else 1)
    return joined(texts, ((chunk, done, _packed(done, wanted)) for chunk, done in made))


def _made(
    work: Callable[[Sequence[str]], Featurised], chunks: list[list[str]], workers: int
) -> Iterator[tuple[list[str], Featurised]]:
    """Work on chunks in order, on a hard text where that can be ended; where it was, the text is refused."""

    def refused(error: endable.TooLong) -> Featurised:
        return replace(work([]), index=np.array([NONE], dtype=np.int64), refused={0: Refusal(*why(error))})

    easy = in_processes(work, [chunk for chunk in chunks if not _alone(chunk)], workers, refused)
    for chunk in chunks:
        if not _alone(chunk):
            yield from next(easy)
            continue
        try:
            yield chunk, endable.call(work, chunk)
        except endable.TooLong as error:
            yield chunk, refused(error)


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield texts in their order, a hard one alone."""
    for kind, run in groupby(texts, hard):
        found = list(run)
        size = 1 if kind else CHUNK
        yield from (found[start : start + size] for start in range(0, len(found), size))


def _alone(chunk: list[str]) -> bool:
    return len(chunk) == 1 and hard(chunk[0])


class Chunk(Protocol):
    """Hold what became of a chunk of texts: `index` int64 [n], the number of a key or -1, the keys, the refused, and
    what there is to say of others."""

    @property
    def index(self) -> NDArray[np.int64]: ...

    @property
    def keys(self) -> list[str]: ...

    @property
    def refused(self) -> dict[int, Refusal]: ...

    @property
    def said(self) -> dict[int, str]: ...


def joined(texts: Sequence[str], made: Iterable[tuple[list[str], Chunk, Packed]]) -> Prepared:
    """Join chunks of distinct texts and their parts, each key once, and spread the result over all texts."""
    number: dict[str, int] = {}
    packs: list[Packed] = []
    part_of: dict[str, int] = {}
    refused: dict[str, Refusal] = {}
    said: dict[str, str] = {}
    for chunk, done, parts in made:
        new = [i for i, key in enumerate(done.keys) if key not in number]
        number.update(zip((done.keys[i] for i in new), range(len(number), len(number) + len(new)), strict=True))
        packs.append(parts if len(new) == len(parts) else parts.gather(torch.tensor(new, dtype=torch.int64)))
        parts_of_chunk = [number[key] for key in done.keys] + [NONE]
        part_of.update(zip(chunk, (parts_of_chunk[i] for i in done.index), strict=True))
        refused.update((chunk[i], refusal) for i, refusal in done.refused.items())
        said.update((chunk[i], words) for i, words in done.said.items())
    return Prepared(
        parts=Packed.cat(packs),
        index=np.fromiter((part_of[text] for text in texts), dtype=np.int64, count=len(texts)),
        keys=tuple(number),
        rejects={
            i: Reject(i + 1, text, refused[text].reason, refused[text].message)
            for i, text in enumerate(texts)
            if text in refused
        },
        said={i: said[text] for i, text in enumerate(texts) if text in said},
    )


def _packed(done: Featurised, wanted: tuple[str, ...]) -> Packed:
    fields = {name: (PART, torch.from_numpy(rows)) for name, rows in done.whole.items()}
    lengths: dict[str, torch.Tensor] = {}
    schema: Schema = {name: WHOLE[name][1] for name in done.whole}
    if done.graphs is not None:
        graphs = done.graphs
        fields["atom"] = "atom", torch.from_numpy(graphs.atom)
        fields["bond"] = "bond", torch.from_numpy(graphs.bond)
        fields["ends"] = "bond", torch.from_numpy(graphs.ends)
        lengths = {"atom": torch.from_numpy(graphs.atoms), "bond": torch.from_numpy(graphs.bonds)}
        schema |= {"atom": ATOM_CODES, "bond": BOND_CODES}
    if done.tokens is not None:
        codes = np.concatenate([*done.tokens, np.zeros(0, dtype=np.uint8)])
        fields[TOKEN] = "token", torch.from_numpy(codes)
        lengths["token"] = torch.tensor([len(tokens) for tokens in done.tokens], dtype=torch.int64)
        schema[TOKEN] = [len(TOKENS)]
    return pack(fields, lengths, schema, len(done.keys))
