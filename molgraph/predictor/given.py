"""What a person gives once for all rows: one protein for a whole library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from molgraph.data.stream import name_of
from molgraph.data.table import Table, is_file, nonempty
from molgraph.errors import ConfigError, DataError, did_you_mean, many
from molgraph.predictor.inputs import Slot
from molgraph.predictor.records import RECORDS


def resolve(found: Sequence[Slot], given: Mapping[str, str]) -> dict[str, str]:
    """Return what a person gave for all rows (`protein` = a file or a text) by the input it is meant for.

    A name may be that of an input but the first, of its room, of a field of records beside the first, or of a file that
    the first room's reader takes beside.
    Of a file for an input, the only row is read.

    Raises: ConfigError where no input is called so, several are, or one is given twice; DataError where the file is
    not there or does not hold one row.
    """
    result: dict[str, str] = {}
    for name, value in given.items():
        records = name == RECORDS and any(slot.records for slot in found)
        if records or name in found[0].room.reading.beside or name in _fields(found):
            result[name] = value
            continue
        slot = _meant(found, name)
        if slot.name in result:
            raise ConfigError(f"the input '{slot.name}' is given twice.")
        result[slot.name] = _only(slot, value) if is_file(value) else value
    return result


def _fields(found: Sequence[Slot]) -> list[str]:
    """Name the columns that inputs beside the first read."""
    return [
        field.name
        for slot in found[1:]
        if slot.room.reading.fields is not None
        for field in slot.room.reading.fields.of_rows
    ]


def _meant(found: Sequence[Slot], name: str) -> Slot:
    slots_named = [s for s in found if s.name == name] or [s for s in found if s.room.name == name]
    known = [
        *(s.name for s in found[1:] if s.room.reading.fields is None),
        *found[0].room.reading.beside,
        *_fields(found),
    ]
    if not slots_named:
        raise ConfigError(f"the model has no input '{name}' to give{did_you_mean(name, known)}")
    if len(slots_named) > 1:
        raise ConfigError(f"'{name}' may be any of {', '.join(s.name for s in slots_named)}: name the input.")
    if slots_named[0].room.reading.fields is not None:
        raise ConfigError(f"'{name}' is read from several columns: give one, as --given {_fields(found)[0]}=X.")
    if slots_named[0] is found[0]:
        raise ConfigError(f"'{name}' is what the rows hold, and cannot be given; known: {', '.join(known) or 'none'}.")
    return slots_named[0]


def tables_of(slot: Slot, path: str | Path) -> list[Table]:
    """Read a file of one input alone: its column as in training where the file has it, else by its usual names."""
    try:
        return list(nonempty(slot.room.reading.read(path, slot.column or None), name_of(path)))
    except DataError:
        if not slot.column:
            raise
    return list(nonempty(slot.room.reading.read(path, None), name_of(path)))


def _only(slot: Slot, path: str) -> str:
    texts = [text for table in tables_of(slot, path) for text in table.texts]
    if len(texts) != 1:
        raise DataError(f"{path}: holds {many(len(texts), 'row')}; for all rows alike give a file with one.")
    return texts[0]
