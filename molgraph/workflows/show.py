"""What a person sees in the terminal while something long runs, and when it is done."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Self

import pandas as pd
from tqdm import tqdm

from molgraph.config import RunSettings
from molgraph.data.interrupts import rearm
from molgraph.errors import ConfigError, printable
from molgraph.fit import Epoch
from molgraph.metrics.coverage import sentences
from molgraph.metrics.figures import decimal, figure
from molgraph.metrics.reliability import sentence
from molgraph.predictor import Predictor
from molgraph.predictor.card import (
    beside,
    covered_rows,
    domain_lines,
    headed,
    interval,
    labels,
    part_scores,
    refitted,
    simple_lines,
    tested,
    unit_of_errors,
    units,
)
from molgraph.predictor.checkpoint import unfinished
from molgraph.predictor.decided import lines
from molgraph.predictor.inputs import slots
from molgraph.predictor.parts import parts, stage
from molgraph.predictor.scored import OK
from molgraph.workflows.plan import Plan

DELAY = 0.3  # seconds before a bar appears: what is done or refused at once needs none
LONGEST = 40  # characters of a target's name in the terminal
log = logging.getLogger("molgraph")
_quiet = False


@contextlib.contextmanager
def quiet(wanted: bool) -> Iterator[None]:
    """Say nothing inside, where wanted (the other processes of a training)."""
    global _quiet
    before, _quiet = _quiet, wanted or _quiet
    try:
        yield
    finally:
        _quiet = before


def say(text: str = "") -> None:
    """Print a line for a person and log it."""
    text = printable(text)
    log.info(text)
    if not _quiet:
        print(text, file=sys.stderr, flush=True)


def plan(made: Plan) -> None:
    """Say what was read and how it was split."""
    facts = made.facts
    left_out = ", ".join(f"{n} {reason}" for reason, n in facts["rejected"].items())
    say(f"{facts['data']}: {facts['rows_read']} rows, {facts['rows_used']} used{f' ({left_out})' if left_out else ''}")
    if "inputs" in facts:
        say(f"{len(made.run.inputs)} inputs: {facts['inputs']}")
    folds = ", ".join(f"{facts[fold]} {fold}" for fold in ("train", "valid", "calibration", "test"))
    say(f"split {facts['split']}: {folds}")
    for note in facts["notes"]:
        say(f"note: {note}")


def fields(made: Plan) -> None:
    """Say what the columns of records were taken for."""
    for slot in slots(made.run):
        fields = slot.room.reading.fields
        if fields is not None and fields.line is not None and not fields.line.dates:
            say(f"field {fields.line.at or fields.line.time}: number (the moment of the row)")
        for field in fields.each if fields is not None else ():
            over_time = " over time" if field.over_time else ""
            say(f"field {field.name}: {field.kind}{over_time}{f' ({field.words})' if field.words else ''}")


def scores(predictor: Predictor, folder: Path) -> None:
    """Say how good the predictor is beside the method it had to beat."""
    metrics = predictor.recipe.metrics
    for target, found in metrics["model"].items():
        unit = units(predictor.recipe).get(target)
        say(f"\n{headed(metrics, target, unit)}: {tested(found)} test rows, 95 % intervals in brackets")
        rival = metrics["comparator_name"]
        say(f"  {'':20}{'model':36}{rival}")
        for name, label in labels(found, metrics["shown"][target]).items():
            say(f"  {label:20}{interval(found[name]):36}{beside(metrics, target, name)}")
        for name, weight, score in part_scores(predictor.recipe, target):
            say(f"  {name:20}{f'weight {weight}' if weight else '':16}{metrics['main'][target]} {score}")
        for verdict in metrics["verdicts"][target].values():
            say(f"  {verdict['sentence']}")
        for line in simple_lines(metrics, target):
            say(f"  {line}")
        for line in sentences(metrics["coverage"][target], covered_rows(metrics, target, "test rows")):
            say(f"  {line}")
        of_errors = unit_of_errors(metrics, target, unit or "")
        say(f"  reliability: {sentence(metrics['reliability'][target], of_errors)}")
        for line in (*domain_lines(metrics, target), *lines(metrics, target)):
            say(f"  {line}")
    say(f"leaks: {metrics['leaks']['sentence']}")
    if refitted(predictor.facts):
        say(f"\n{refitted(predictor.facts)}")
    if not predictor.facts["interrupted"]:  # else the last word is what `kept` says
        say(f"\nmodel written to {folder}")


def kept(predictor: Predictor, folder: Path | None) -> str:
    """Say what a stopped training leaves, and how it goes on."""
    found = predictor.facts
    rows = f"trained on the {found['train']:,} training rows of the split and scored above"
    if found.get("stopped") == "refit":
        return f"stopped while refitting. {folder} holds the split's model, {rows}; the same command refits it."
    run = predictor.recipe.run
    members = f"{found['members']} of {run.ensemble * len(parts(run))} members"
    what = f"the model so far ({members}, best weights yet), scored above"
    return f"stopped in training. {folder} holds {what}; the same command goes on from there."


def targets(found: pd.DataFrame) -> None:
    """Print the ranked targets of each molecule."""
    before = None
    wide = min(max(len(str(name)) for name in ("target", *found["target"])), LONGEST)
    for line in found.to_dict("records"):
        if line["row"] != before:
            before = line["row"]
            print(printable(f"{line['query'] or '(empty)'} (row {before})"))
            if line["status"] != OK:
                print(printable(f"  {line['status']}: {line['message']}"))
                continue
            head = f"{'target':{wide}}{'measured':>10}{'chance':>8}{'value':>9}  {'90 % (or set)':18}{'domain':8}"
            print(f"  {'':4}{head}nearest known active")
        print(printable(_target(line, wide)))
    if said := _values(found):
        print(printable(f"  {said}"))


def _target(line: Mapping[Hashable, Any], wide: int) -> str:
    value, low, high = (_value(line[key]) for key in ("value", "lo90", "hi90"))
    ends = "no interval" if pd.isna(line["set90"]) else line["set90"]
    ends = ends if pd.isna(line["lo90"]) else f"{low} to {high}"
    chance = "" if pd.isna(line["probability"]) else f"{100 * line['probability']:.0f} %"
    chance = "known" if line["measured"] else chance  # beside a measurement the chance of an estimate misleads
    known = "none is known"
    if not pd.isna(line["known_similarity"]):
        on = f" on {line['known_target']}" if line["known_target"] != line["target"] else ""
        seen = _short(line["known_measured"])
        known = f"{line['known_id']} (similarity {line['known_similarity']:.2f}, measured {seen}{on})"
    inside = {True: "in", False: "out"}.get(line["in_domain"], "")
    target = str(line["target"])
    target = target if len(target) <= wide else f"{target[: wide - 3]}..."
    estimated = f"{chance:>8}{value:>9}  {ends:18}{inside:8}"
    return f"  {line['rank']:<4.0f}{target:{wide}}{_short(line['measured']):>10}{estimated}{known}"


def _short(measured: str) -> str:
    """Write what was measured with two decimals where it has more; a class as it is called.

    >>> _short("8.736563"), _short(">5"), _short("<1.2345e-12"), _short(""), _short("Inactive")
    ('8.74', '>5', '<1.23e-12', '', 'Inactive')
    """
    sign = measured[:1] if measured[:1] in ("<", ">") else ""
    number = measured[len(sign) :]
    try:
        return measured if len(number) <= 6 else sign + _value(float(number))
    except ValueError:
        return measured


def _values(found: pd.DataFrame) -> str:
    """Say what the values of ranked targets are, "" where nobody said it."""
    units = {str(t): str(u) for t, u in zip(found["target"], found["unit"], strict=True) if isinstance(u, str) and u}
    if len(set(units.values())) == 1:
        return f"value: {next(iter(units.values()))}"
    return f"value: {'; '.join(f'{name} {unit}' for name, unit in units.items())}" if units else ""


def _value(value: float) -> str:
    """Write an estimate with two decimals, or with the digits that it needs.

    >>> _value(7.123), _value(1.2345e-12), _value(10000005.4812)
    ('7.12', '1.23e-12', '10000005.48')
    """
    return decimal(value, 2) if value == 0 or abs(value) >= 0.1 else figure(value)


class Epochs:
    """Follow the epochs of a training: a progress bar, the log, `metrics.jsonl`, TensorBoard where wanted."""

    def __init__(self, run: RunSettings, folder: Path | None, tensorboard: bool) -> None:
        self.run, self.folder = run, folder
        self.bar: Any = None
        self.lines: IO[str] | None = None
        self.board = _board(folder) if tensorboard and folder else None

    def __enter__(self) -> Self:
        if self.folder is not None:
            goes_on = unfinished(self.folder)
            if goes_on:
                say("going on where an earlier training stopped")
            self.lines = (self.folder / "metrics.jsonl").open("a" if goes_on else "w", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        for open_thing in (self.bar, self.lines, self.board):
            if open_thing is not None:
                open_thing.close()

    def __call__(self, member: int, epoch: Epoch) -> None:
        """Take note of one epoch."""
        rearm()
        found = {
            "member": member,
            "epoch": epoch.number,
            "train_loss": epoch.train_loss,
            "valid_loss": epoch.valid_loss,
            "lr": epoch.lr,
            "rows_per_second": round(epoch.rows / max(epoch.seconds, 1e-9)),
        }
        log.info("%s", found)
        if self.lines:
            self.lines.write(json.dumps(found) + "\n")
            self.lines.flush()
        for name in ("train_loss", "valid_loss", "lr"):
            if self.board is not None and found[name] is not None:
                self.board.add_scalar(f"member{member}/{name}", found[name], epoch.number)
        self._show(member, epoch)

    def _show(self, member: int, epoch: Epoch) -> None:
        label = stage(self.run, member)
        if self.bar is None or self.bar.desc != label:
            if self.bar is not None:
                self.bar.close()
            self.bar = tqdm(
                total=epoch.of, desc=label, unit="epoch", disable=_quiet, initial=epoch.number - 1, ascii=True
            )
            self.bar.desc = label
        valid = "none" if epoch.valid_loss is None else f"{epoch.valid_loss:.4f}"
        beside = "" if label.startswith("refitting") else f", valid {valid}, best {epoch.stale} ago"
        self.bar.set_postfix_str(f"train {epoch.train_loss:.4f}{beside}", refresh=False)
        self.bar.update()
        if epoch.stopped or epoch.number == epoch.of:
            self.bar.close()


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError("--tensorboard needs the package tensorboard: pip install tensorboard.") from error
    return SummaryWriter(str(folder))
