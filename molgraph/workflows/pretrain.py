"""Train an encoder of scans without labels, and write the weights that a training with labels starts from."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn

from molgraph import registry
from molgraph import split as splits
from molgraph.config import RunSettings, dump
from molgraph.data.cells import Cells
from molgraph.data.dataset import ABSENT, Input
from molgraph.data.files import alone, atomic, os_errors
from molgraph.data.interrupts import rearm
from molgraph.data.packed import owners
from molgraph.data.room import Room
from molgraph.data.stream import name_of
from molgraph.data.table import Table, is_usual, nonempty
from molgraph.data.targets import Targets
from molgraph.data.together import together
from molgraph.data.twice import Twice
from molgraph.errors import ConfigError, DataError, Reject, many
from molgraph.model.contrast import Contrast
from molgraph.predictor.checkpoint import CHECKPOINT
from molgraph.predictor.folder import clear, save_history, save_rejects
from molgraph.predictor.inputs import INPUT, Inputs, slots
from molgraph.predictor.learning import Learning
from molgraph.predictor.member import drawn, inside
from molgraph.predictor.records import whole
from molgraph.predictor.training import digest
from molgraph.rooms.imaging.identity import pictures
from molgraph.rooms.imaging.pile import scans_in
from molgraph.rooms.imaging.source import names_of
from molgraph.workflows import show

ENCODER, FACTS = "encoder.safetensors", "pretrained.json"
VIEWS = "views"  # the augmentation that makes two views of one picture
HELD_OUT = "held_out"


@dataclass(frozen=True)
class Pictures:
    """Hold what is looked at: `data` has a row for each slice (or volume); `scans` counts those they are of."""

    data: Twice
    read: int
    scans: int
    rejects: tuple[Reject, ...]

    @property
    def facts(self) -> dict[str, Any]:
        """Return what a person wants to know of the data, as JSON values."""
        why = Counter(reject.reason for reject in self.rejects)
        return {"rows_read": self.read, "scans": self.scans, "pictures": len(self.data), "rejected": dict(why)}


def pretrain_folder(run: RunSettings, out: Path, *, without: Sequence[str] = (), overwrite: bool = False) -> Path:
    """Train the encoder of a run on scans without labels; return the file of its weights, for `encoder.weights`.

    Each picture is seen twice, changed at random in two ways, and the encoder learns to find one view by the other.
    Rows that a source holds out itself, and what shows a picture or a patient of the files `without`, are left out. A
    training that was stopped goes on.

    Raises: ConfigError for a model or a setting that is not for this; DataError where no scan can be used.
    """
    with alone(out):
        return _pretrain(_settled(run), out, without, overwrite)


def _pretrain(run: RunSettings, out: Path, without: Sequence[str], overwrite: bool) -> Path:
    if not overwrite and any((out / name).exists() for name in (ENCODER, "recipe.json")):
        raise ConfigError(f"{out}: holds a trained model. Use another --out, or --overwrite to replace it.")
    seen = read_pictures(run, without)
    with os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        if overwrite:
            clear(out)
            (out / ENCODER).unlink(missing_ok=True)
        save_rejects(out, seen.rejects)
    why = ", ".join(f"{count} {reason}" for reason, count in seen.facts["rejected"].items())
    show.say(f"{run.data}: {many(seen.read, 'row')}, {many(seen.scans, 'scan')} used{f' ({why})' if why else ''}")
    show.say(f"{len(seen.data)} {'volumes' if run.encoder.get('dims') == 3 else 'pictures'}, no label of them is read")
    return _write(run, _trained(run, seen, out), seen, without, out)


def _settled(run: RunSettings) -> RunSettings:
    """Return the settings of a run without what only labels need.

    Raises: ConfigError for a model that takes no initial weights, and settings that mean nothing here.
    """
    known = registry.settings(registry.model(run.model))
    if run.inputs or not {"weights", "augment"} <= known.keys():
        able = [n for n in registry.models() if {"weights", "augment"} <= _settings_of(n).keys()]
        raise ConfigError(f"'{run.model}' cannot be pretrained; the encoders of scans can: {', '.join(able)}.")
    if run.train.mixup or run.train.batches != "random" or run.ensemble != 1 or run.init:
        raise ConfigError(
            "pretraining reads no labels: leave train.mixup, train.batches, ensemble and init as they are."
        )
    return replace(run, targets=[], task="auto", split="auto", encoder={**run.encoder, "augment": VIEWS})


def _settings_of(name: str) -> Mapping[str, Any]:
    return registry.settings(registry.model(name))


def read_pictures(run: RunSettings, without: Sequence[str] = ()) -> Pictures:
    """Read scans, each slice (or volume) a row of its own; what cannot be read or is held out is a reject.

    Raises: DataError where no scan is left.
    """
    (slot,) = slots(run)
    (view,) = slot.needs
    table = _table(slot.room, run.data, run.column or None)
    rejects = dict(_held_by_the_source(table))
    inputs = Inputs((slot,), {INPUT: slot.needs}, run.rules)
    ready = inputs.prepare(table, workers=1)
    rejects |= {at: reject for at, reject in ready.rejects.items() if at not in rejects}
    given = ready.inputs[INPUT]
    part = given.index.numpy()
    shown = pictures(given.keys)
    for at, why in _held_by_others(slot.room, table, part, shown, without).items():
        rejects.setdefault(at, Reject(int(table.rows[at]), table.texts[at], HELD_OUT, why))
    rejects |= _copies(table, part, shown, rejects)
    kept = np.array([at for at in range(len(table)) if at not in rejects], dtype=np.int64)
    if not len(kept):
        first = rejects[min(rejects)]
        raise DataError(f"{table.origin}: none of {many(len(table), 'row')} can be used; the first: {first.message}")
    of = _subjects(slot.room, table, part, shown, kept)
    parts = given.parts.apart(given.parts.level[view])
    owner = owners(given.parts.offsets[given.parts.level[view]])
    rows = (of[owner] >= 0).nonzero()[:, 0]
    keys = tuple(given.keys[at] for at in owner.tolist())
    data = Twice(
        {INPUT: Input(parts, rows, keys)},
        Targets.of(("scan",), of[owner[rows]].float().unsqueeze(1)),
        np.arange(1, len(rows) + 1),
        ("",) * len(rows),
    )
    scans = len(np.unique(part[kept]))
    return Pictures(data, len(table), scans, tuple(rejects[at] for at in sorted(rejects)))


def _table(room: Room, source: str, column: str | None) -> Table:
    """Read a table, a set, a scan or a folder of many."""
    path = Path(source)
    many: Any = scans_in(path) if path.is_dir() else source
    return replace(whole(list(nonempty(room.reading.read(many, column), name_of(source)))), origin=name_of(source))


def _held_by_the_source(table: Table) -> dict[int, Reject]:
    """Return the rows that the source's own folds do not train on."""
    if not table.split:
        return {}
    folds = [str(cell).strip() for cell in table.frame[table.split]]
    return {
        at: Reject(int(table.rows[at]), table.texts[at], HELD_OUT, f"its fold is '{fold}'")
        for at, fold in enumerate(folds)
        if splits.LABELS.get(fold.lower()) != "train"
    }


def _held_by_others(
    room: Room, table: Table, part: NDArray[np.int64], shown: Sequence[set[str]], without: Sequence[str]
) -> dict[int, str]:
    """Return the rows that show a picture, or belong to a patient, of one of the files `without`, each with why."""
    found: dict[int, str] = {}
    for source in without:
        other = _table(room, source, None)
        files = [name for text in other.texts for scan in names_of(text) for name in scan]  # one unread keeps no other
        ready = room.reading.prepare(Cells.of(files), (), workers=1)
        theirs = set[str]().union(*pictures(ready.keys))
        if ready.rejects:
            show.say(f"{source}: {len(ready.rejects)} of {len(files)} scans cannot be read, so are not looked for")
        for at in range(len(table)):
            if part[at] != ABSENT and shown[part[at]] & theirs:
                found.setdefault(at, f"the same picture stands in {source}")
        belongings = _belongings(room, other)
        for name, cells in _belongings(room, table).items():
            names = {cell for cell in belongings.get(name, []) if cell}
            for at, cell in enumerate(cells):
                if cell in names:
                    found.setdefault(at, f"{name} {cell} stands in {source}")
    return found


def _copies(
    table: Table, part: NDArray[np.int64], shown: Sequence[set[str]], rejects: Mapping[int, Reject]
) -> dict[int, Reject]:
    """Return the rows that are left and show a picture of one that is held out."""
    out = {at: reject.row for at, reject in rejects.items() if reject.reason == HELD_OUT and part[at] != ABSENT}
    held = {picture: row for at, row in out.items() for picture in shown[part[at]]}
    found = {}
    for at in (at for at in range(len(table)) if at not in rejects):
        row = next((held[picture] for picture in sorted(shown[part[at]] & held.keys())), None)
        if row is not None:
            found[at] = Reject(int(table.rows[at]), table.texts[at], HELD_OUT, f"the same picture is row {row}")
    return found


def _belongings(room: Room, table: Table) -> dict[str, list[str]]:
    """Return the cells of the columns that say which rows belong together (patient, study)."""
    columns = {
        name: next((c for c in table.frame.columns if is_usual(c, usual)), "")
        for name, usual in room.reading.belongs.items()
    }
    return {name: [str(cell).strip() for cell in table.frame[c]] for name, c in columns.items() if c}


def _subjects(
    room: Room, table: Table, part: NDArray[np.int64], shown: Sequence[set[str]], kept: NDArray[np.int64]
) -> Tensor:
    """Return of whom each part is a picture, as a number: of the patient where one is told, else of itself and those
    that have a picture in common with it; -1 where it is not used. Shapes: int64 [parts]."""
    patients = _belongings(room, table).get("patient", [""] * len(table))
    same = together(shown)
    number: dict[tuple[str, Any], int] = {}
    found = torch.full((len(shown),), ABSENT)
    for at in kept:
        who = ("patient", patients[at]) if patients[at] else ("picture", same[part[at]])
        found[part[at]] = number.setdefault(who, len(number))
    return found


def _trained(run: RunSettings, seen: Pictures, out: Path) -> Learning:
    """Learn from every picture: there is no validation, so the last epoch counts."""
    every, nothing = np.arange(len(seen.data)), np.zeros(0, dtype=np.int64)
    with drawn(run.seed):
        encoder = inside(run, {name: given.parts.schema for name, given in seen.data.inputs.items()})
        encoder.adapt(seen.data)
        learning = Learning(Contrast(encoder, run.head), run.train, run.seed)
    rearm()
    steps = learning.epochs(seen.data, seen.data.subset(nothing), out, digest(run, seen.data, every, nothing))
    with show.Epochs(run, out, tensorboard=False) as watch, contextlib.closing(steps) as epochs:
        for epoch in epochs:
            watch(0, epoch)
    return learning


def _write(run: RunSettings, learning: Learning, seen: Pictures, without: Sequence[str], out: Path) -> Path:
    """Write the weights of the encoder's network, alone, and what is to be known of them."""
    network = cast(nn.Module, learning.learner.encoder.network)  # type: ignore[union-attr]  # of encoders of scans
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    facts = {
        "method": "SimCLR",
        "model": run.model,
        **seen.facts,
        "without": list(without),
        "epochs": len(learning.history),
        "loss": learning.history[-1]["train_loss"],
        "pretrained": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = out / ENCODER
    for name, content in (
        (path.name, save(tensors)),
        ("run.toml", dump(run).encode()),
        (FACTS, json.dumps(facts, indent=1, ensure_ascii=False).encode()),
    ):
        with atomic(out / name) as file:
            file.write(content)
    save_history(out, learning.history)
    (out / CHECKPOINT).unlink(missing_ok=True)
    show.say(f"weights written to {path}; start from them: molgraph train ... --set encoder.weights={path}")
    return path
