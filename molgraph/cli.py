"""The command line: words to settings, one workflow, an exit code. Nothing slow is imported before it is needed."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import molgraph
from molgraph import config, options, registry
from molgraph.asked import given, run_settings
from molgraph.data import endable
from molgraph.data.interrupts import kept
from molgraph.errors import INTERRUPTED, ConfigError, MolgraphError, printable

EXIT_CODES = (
    "exit codes: 0 done, 2 settings, 3 data, 4 model folder, 5 training diverged, 6 disk/permission/memory, 130 Ctrl-C"
)


BEGIN_ANEW = ("predict", "evaluate", "explain", "targets", "share")  # commands that keep nothing half done


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = options.parsed(parser(), argv)
    arguments.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        with kept(), endable.limited(options.row_limit(arguments)):
            return int(arguments.run(arguments) or 0)
    except MolgraphError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"molgraph: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as error:
        return _stopped(error, arguments.command)
    except BrokenPipeError:  # the reader of our output went away (`| head`)
        sys.stderr.close()
        return 0
    except Exception as error:
        if arguments.debug:
            raise
        if _interrupted(error):
            return _stopped(KeyboardInterrupt(), arguments.command)
        theirs = registry.to_blame(error)
        whose = f"error in the package {theirs}" if theirs else "internal error"
        whom = " to its authors" if theirs else ""
        print(
            f"molgraph: {whose}: {type(error).__name__}: {printable(str(error))}. "
            f"Please report it{whom}, with what --debug prints.",
            file=sys.stderr,
        )
        return 1


def _stopped(error: KeyboardInterrupt, command: str) -> int:
    kept = "What was finished is kept; the same command goes on from there."
    anew = "The same command begins anew."
    how = str(error) or f"stopped. {anew if command in BEGIN_ANEW else kept}"
    print(f"molgraph: {printable(how)}", file=sys.stderr)
    return INTERRUPTED


def _interrupted(error: BaseException | None) -> bool:
    """Tell whether an error came of Ctrl-C: a library that was being imported may make another of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


class Parser(argparse.ArgumentParser):
    """Read words, and say of those that cannot be what a terminal may see."""

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(printable(message), file)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = Parser(
        prog="molgraph",
        description="From measured molecules, proteins and scans to a ranked library.",
        epilog=EXIT_CODES,
    )
    top.add_argument("--version", action="version", version=f"molgraph {molgraph.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    options.train(_command(commands, "train", train, "train a model on measured rows"))
    options.tune(_command(commands, "tune", tune, "look for better settings, and train with the best"))
    options.compare(_command(commands, "compare", compare, "compare models by repeated cross-validation"))
    options.evaluate(_command(commands, "evaluate", evaluate, "score models on rows with known values"))
    options.predict(_command(commands, "predict", predict, "predict the rows of a file"))
    options.explain(_command(commands, "explain", explain, "show where a model looked in scans, and check it"))
    options.screen(_command(commands, "screen", screen, "rank a library, resumably, with a report"))
    options.pretrain(_command(commands, "pretrain", pretrain, "train an encoder on scans without labels"))
    options.find(_command(commands, "find", find, "find lesions in scans, with a place and a mask for each"))
    options.targets(_command(commands, "targets", targets, "rank the targets of a molecule"))
    options.dock(_command(commands, "dock", dock, "place ligands in a pocket with a docking program"))
    options.share(_command(commands, "share", share, "copy a model without its training rows"))
    options.deidentify(_command(commands, "deidentify", deidentify, "write scans without their patients"))
    options.list_names(
        _command(commands, "list", list_names, "list models, tasks, datasets, splits, or the keys of a run file")
    )
    options.data(_command(commands, "data", data, "fetch or show a known dataset"))
    options.demo(_command(commands, "demo", demo, "the whole way on the data inside RDKit's wheel"))
    return top


def _command(commands: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    made.set_defaults(run=run)
    made.add_argument("--debug", action="store_true", help="show tracebacks")
    return made


def train(arguments: argparse.Namespace) -> int:
    """Train a model."""
    run = run_settings(arguments)
    if arguments.print_config:
        from molgraph.workflows.run_file import in_full

        print(config.dump(in_full(run)), end="")
        return 0
    if not arguments.out and not arguments.dry_run:
        raise ConfigError("--out DIR is missing: name the model folder to write.")
    from molgraph.workflows.devices import relaunch

    opener = registry.OPENERS[registry.model(run.model).opener]
    if opener.alone and (arguments.devices != 1 or arguments.tensorboard):
        raise ConfigError(f"'{run.model}' trains in one process and without TensorBoard.")
    if arguments.devices < 1:
        raise ConfigError(f"--devices {arguments.devices}: give 1 or more.")
    if arguments.devices > 1:
        code = relaunch(arguments.devices, arguments.argv)
        if code is not None:
            return code
    several = "molgraph.workflows.seeds:train_seeds"
    if run.seeds and arguments.devices != 1:
        raise ConfigError("--seeds trains one model after the other in one process; leave out --devices.")
    registry.load(several if run.seeds else opener.trainer)(
        run,
        Path(arguments.out) if arguments.out else None,
        dry_run=arguments.dry_run,
        overwrite=arguments.overwrite,
        **({} if opener.alone else {"tensorboard": arguments.tensorboard}),
    )
    return 0


def tune(arguments: argparse.Namespace) -> int:
    """Look for better settings."""
    names = (arguments.model or "").split(",")
    room, _, last = names[0].rpartition("/")
    every = len(names) == 1 and last == "all"
    if len(names) > 1 or every:
        arguments.assignments.insert(0, f"space.model={'all' if every else names}")
        arguments.model = None if every else names[0]
    run = run_settings(arguments)
    from molgraph.tune.budget import Budget
    from molgraph.workflows.nested import nested_folder
    from molgraph.workflows.tune import Request, every_model, tune_folder

    run = every_model(run, room) if every else run

    request = Request(
        Path(arguments.out),
        Budget.of(arguments.trials, arguments.timeout, arguments.epochs),
        jobs=arguments.jobs,
        storage=arguments.storage,
        study=arguments.study,
        objectives=tuple(filter(None, arguments.objectives.split(","))),
        folds=arguments.folds,
        ensemble=arguments.top,
        pick=arguments.pick,
    )
    if arguments.outer is not None:
        nested_folder(run, request, arguments.outer, overwrite=arguments.overwrite)
    else:
        tune_folder(run, request, overwrite=arguments.overwrite)
    return 0


def compare(arguments: argparse.Namespace) -> int:
    """Compare models by repeated cross-validation."""
    run = run_settings(arguments)
    from molgraph.workflows.compare import compare_folder
    from molgraph.workflows.compare_result import Request

    request = Request(
        Path(arguments.out), arguments.folds, arguments.repeats, metric=arguments.metric, test=arguments.test
    )
    compare_folder(run, arguments.models.split(","), request, overwrite=arguments.overwrite)
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Score models on rows with known values."""
    from molgraph.workflows.evaluate import evaluate_file

    out = Path(arguments.out) if arguments.out else None
    evaluate_file(
        arguments.data,
        arguments.model,
        column=arguments.column or None,
        out=out,
        given=given(arguments),
        join=arguments.join,
        by=[name.strip() for name in arguments.by.split(",") if name.strip()],
    )
    return 0


def predict(arguments: argparse.Namespace) -> int:
    """Predict the rows of a file."""
    from molgraph.workflows.predict import predict_file

    counts = predict_file(
        arguments.data,
        arguments.model,
        Path(arguments.output) if arguments.output else None,
        column=arguments.column or None,
        workers=arguments.workers,
        unit=arguments.unit,
        excel=arguments.excel,
        pictures=arguments.pictures,
        given=given(arguments),
        join=arguments.join,
    )
    return 3 if arguments.strict and counts.rejected else 0


def explain(arguments: argparse.Namespace) -> int:
    """Show where a model looked."""
    from molgraph.workflows.explain import explain_file

    explain_file(
        arguments.data,
        arguments.model,
        Path(arguments.out),
        column=arguments.column or None,
        target=arguments.target,
        method=arguments.method,
        top=arguments.top,
        mask=arguments.mask,
    )
    return 0


def screen(arguments: argparse.Namespace) -> int:
    """Rank a library."""
    from molgraph.workflows.screen import screen_file

    shard = None
    if arguments.shard:
        number, sign, of = arguments.shard.partition("/")
        if not (sign and number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
            raise ConfigError(f"--shard {arguments.shard}: write I/N with 1 <= I <= N, for example --shard 1/8.")
        shard = (int(number), int(of))
    screen_file(
        arguments.library,
        arguments.model,
        Path(arguments.out),
        column=arguments.column or None,
        top=arguments.top,
        by=arguments.by,
        low=arguments.low,
        domain=arguments.domain,
        filters=arguments.filters,
        fmt=arguments.format,
        resume=arguments.resume,
        workers=arguments.workers,
        shard=shard,
        given=given(arguments),
        join=arguments.join,
        against=arguments.against,
        hits=[Path(name) for name in arguments.hits],
    )
    return 0


def pretrain(arguments: argparse.Namespace) -> int:
    """Train an encoder on scans without labels."""
    run = run_settings(arguments)
    from molgraph.workflows.pretrain import pretrain_folder

    pretrain_folder(run, Path(arguments.out), without=arguments.without, overwrite=arguments.overwrite)
    return 0


def find(arguments: argparse.Namespace) -> int:
    """Find lesions in scans."""
    from molgraph.workflows.lesions import find_file

    find_file(arguments.scans, arguments.model, Path(arguments.out), column=arguments.column or None)
    return 0


def targets(arguments: argparse.Namespace) -> int:
    """Rank the targets of a molecule."""
    from molgraph.workflows import show
    from molgraph.workflows.targets import targets_of

    output = Path(arguments.output) if arguments.output else None
    found = targets_of(
        arguments.molecules,
        arguments.model,
        column=arguments.column or None,
        active=arguments.active,
        proteins=arguments.proteins,
        top=arguments.top,
        output=output,
    )
    if output is None:
        show.targets(found)
    return 0


def dock(arguments: argparse.Namespace) -> int:
    """Place ligands in a pocket with a docking program."""
    from molgraph.workflows.dock import dock_file

    dock_file(
        arguments.library,
        arguments.protein,
        arguments.around,
        Path(arguments.out),
        program=arguments.program,
        column=arguments.column or None,
        size=arguments.size,
        top=arguments.top,
        poses=arguments.poses,
        exhaustiveness=arguments.exhaustiveness,
        seed=arguments.seed,
        limit=arguments.limit,
        cores=arguments.cores,
        msa=arguments.msa,
    )
    return 0


def share(arguments: argparse.Namespace) -> int:
    """Copy a model without its training rows."""
    from molgraph.workflows.share import share_folder

    share_folder(Path(arguments.model), Path(arguments.out))
    return 0


def deidentify(arguments: argparse.Namespace) -> int:
    """Write scans without their patients."""
    from molgraph.workflows.deidentify import deidentify_folder

    counts = deidentify_folder(
        Path(arguments.source),
        Path(arguments.out),
        key=Path(arguments.key) if arguments.key else None,
        dates=arguments.dates,
        characteristics=arguments.characteristics,
        blanks=arguments.blank,
        inspected=arguments.inspected,
    )
    return 3 if arguments.strict and counts.reasons else 0


def list_names(arguments: argparse.Namespace) -> int:
    """Print the names of one kind with a line each; of keys the page of all."""
    from molgraph.workflows.names import printed

    print(printed(arguments.what), end="")
    return 0


def data(arguments: argparse.Namespace) -> int:
    """Fetch or show a known dataset."""
    from molgraph import datasets

    if arguments.action == "fetch":
        print(datasets.path(arguments.name))
    else:
        print(datasets.show(arguments.name))
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Run the whole way on the data inside RDKit's wheel."""
    from molgraph.workflows.demo import demo_folder

    demo_folder(Path(arguments.out), arguments.assignments)
    return 0
