"""The command line: words to settings, one workflow, an exit code. Nothing slow is imported before it is needed."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import molgraph
from molgraph import config, registry
from molgraph.errors import INTERRUPTED, ConfigError, MolgraphError

RUN_FILE = ".toml"
EXIT_CODES = (
    "exit codes: 0 done, 2 settings, 3 data, 4 model folder, 5 training diverged, 6 disk/permission/memory, 130 Ctrl-C"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = parser().parse_args(argv)
    arguments.argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return int(arguments.run(arguments) or 0)
    except MolgraphError as error:
        if arguments.debug:
            traceback.print_exc()
        print(f"molgraph: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as stopped:
        how = str(stopped) or "stopped. What was finished is kept; the same command goes on from there."
        print(f"molgraph: {how}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away (`| head`)
        sys.stderr.close()
        return 0
    except Exception as error:
        if arguments.debug:
            raise
        print(
            f"molgraph: internal error: {type(error).__name__}: {error}. Please report it, with what --debug prints.",
            file=sys.stderr,
        )
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="molgraph", description="From measured molecules to a ranked library.", epilog=EXIT_CODES
    )
    top.add_argument("--version", action="version", version=f"molgraph {molgraph.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _train(_command(commands, "train", train, "train a model on measured molecules"))
    _tune(_command(commands, "tune", tune, "look for better settings, and train with the best"))
    _evaluate(_command(commands, "evaluate", evaluate, "score models on rows with known values"))
    _predict(_command(commands, "predict", predict, "predict the rows of a file"))
    _screen(_command(commands, "screen", screen, "rank a library, resumably, with a report"))
    _targets(_command(commands, "targets", targets, "rank the targets of a molecule"))
    _share(_command(commands, "share", share, "copy a model without its training rows"))
    _list(_command(commands, "list", list_names, "list models, tasks, datasets or splits"))
    _data(_command(commands, "data", data, "fetch or show a known dataset"))
    _demo(_command(commands, "demo", demo, "the whole way on the data inside RDKit's wheel"))
    return top


def _command(commands: Any, name: str, run: Any, what: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    made.set_defaults(run=run)
    made.add_argument("--debug", action="store_true", help="show tracebacks")
    return made


def _source(p: argparse.ArgumentParser, name: str, what: str) -> None:
    p.add_argument(name, help=f"{what}: .csv .tsv .xlsx .parquet .smi .sdf (also .gz, .zst), or - for standard input")
    p.add_argument("-s", "--column", default="", metavar="COL", help="SMILES column (default: found by its name)")


def _models(p: argparse.ArgumentParser) -> None:
    p.add_argument("--model", nargs="+", required=True, metavar="DIR", help="model folder; several make one ensemble")
    p.add_argument(
        "--given",
        action="append",
        default=[],
        metavar="INPUT=X",
        help="an input that is the same for all rows: a file or the text",
    )
    p.add_argument("--protein", metavar="X", help="the protein of all rows: a file (FASTA, PDB, mmCIF) or a sequence")


def _run(p: argparse.ArgumentParser) -> None:
    _source(p, "data", "RUN.toml, or measured molecules")
    p.add_argument("--target", action="append", default=[], metavar="COL", help="target column; repeat for several")
    p.add_argument("--model", metavar="NAME", help=f"architecture (default {config.RunSettings.model})")
    p.add_argument(
        "--inputs", default="", metavar="COL:NAME,...", help="several inputs: smiles:molecule/gin,sequence:protein/cnn"
    )
    p.add_argument("--task", help="regression, binary or multiclass (default regression)")
    p.add_argument("--split", help="the room's own (molecules: scaffold), random, ...: see `molgraph list splits`")
    p.add_argument("--ensemble", type=int, metavar="N", help="train N members")
    p.add_argument("--units", action="append", default=[], metavar="COL:UNIT", help="IC50:nM trains on pIC50")
    p.add_argument("--id", metavar="COL", help="column that names the rows")
    p.add_argument("--init", metavar="DIR", help="start from the weights of a trained model (fine-tuning)")
    p.add_argument("--seed", type=int, help="seed of everything random (default 0)")
    p.add_argument(
        "--leaks", choices=("drop", "report", "refuse"), help="training rows that also stand in the test set"
    )
    p.add_argument("--no-standardize", action="store_true", help="take molecules as they are")
    p.add_argument("--set", action="append", default=[], metavar="K=V", dest="assignments", help="train.epochs=3, ...")


def _train(p: argparse.ArgumentParser) -> None:
    _run(p)
    p.add_argument("--devices", type=int, default=1, metavar="N", help="processes to train with (torchrun)")
    p.add_argument("--dry-run", action="store_true", help="read and split the data, train nothing")
    p.add_argument("--print-config", action="store_true", help="print the complete run file and stop")
    p.add_argument("--overwrite", action="store_true", help="replace a model that stands in --out")
    p.add_argument("--tensorboard", action="store_true", help="also write TensorBoard events")
    p.add_argument("--out", metavar="DIR", help="model folder to write")


def _tune(p: argparse.ArgumentParser) -> None:
    _run(p)
    p.add_argument("--trials", type=int, metavar="N", help="trials in all (default 40 where no limit is given)")
    p.add_argument("--timeout", metavar="TIME", help="time for this command (2h, 1h30m, 45s), half for the comparator")
    p.add_argument("--epochs", type=int, metavar="N", help="epochs in all, over all trials")
    p.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share the study (default 1)")
    p.add_argument("--storage", default="", metavar="URL", help="a database for the study (default: a file in --out)")
    p.add_argument("--objectives", default="", metavar="A,B", help="an accuracy, then others: rmse,latency,size")
    p.add_argument("--folds", type=int, default=1, metavar="N", help="score every trial by cross-validation")
    p.add_argument("--top", type=int, default=5, metavar="N", help="at most so many trials in the ensemble (default 5)")
    p.add_argument("--pick", type=int, metavar="TRIAL", help="take this trial (see the Pareto front), not the best")
    p.add_argument("--overwrite", action="store_true", help="forget the study that stands in --out")
    p.add_argument("--out", required=True, metavar="DIR", help="folder of the study and of the models it makes")


def _evaluate(p: argparse.ArgumentParser) -> None:
    _source(p, "data", "rows with known values")
    _models(p)
    p.add_argument("--out", metavar="DIR", help="also write metrics.json, scores and a report per model there")


def _predict(p: argparse.ArgumentParser) -> None:
    _source(p, "data", "molecules")
    _models(p)
    p.add_argument("-o", "--output", required=True, metavar="FILE", help=".csv .tsv .xlsx .parquet or .sdf")
    p.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes that read molecules (default: all cores)"
    )
    p.add_argument("--strict", action="store_true", help="exit 3 when a row could not be predicted")


def _screen(p: argparse.ArgumentParser) -> None:
    _source(p, "library", "molecules to rank")
    _models(p)
    p.add_argument("--out", required=True, metavar="DIR", help="folder for scores, top.csv and report.html")
    p.add_argument("--top", type=int, default=1000, metavar="N", help="rows in top.csv (default 1000)")
    p.add_argument("--by", metavar="TARGET", help="target to rank by (default: the first), or desirability")
    p.add_argument("--low", action="append", default=[], metavar="TARGET", help="a target that is better when lower")
    p.add_argument(
        "--domain",
        choices=("first", "only", "any"),
        default="first",
        help="rank molecules in the model's domain first (default), only those, or all alike",
    )
    p.add_argument(
        "--filters", choices=("top", "all"), default="top", help="medicinal columns for the top or for all rows"
    )
    p.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="format of scores (default parquet)")
    p.add_argument("--resume", action="store_true", help="go on where a stopped screen ended")
    p.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: all cores)")
    p.add_argument("--shard", metavar="I/N", help="score only every N-th shard from I (1..N) on, for a scheduler")


def _targets(p: argparse.ArgumentParser) -> None:
    _source(p, "molecules", "a SMILES, or molecules")
    p.add_argument(
        "--model", required=True, metavar="DIR", help="model of many targets, or of a molecule and a protein"
    )
    p.add_argument("--proteins", metavar="FILE", help="targets to rank: FASTA or a table (default: those trained on)")
    p.add_argument("--active", type=float, metavar="X", help="from which value on a molecule counts as active")
    p.add_argument("--top", type=int, default=10, metavar="N", help="targets shown for each molecule (default 10)")
    p.add_argument("-o", "--output", metavar="FILE", help=".csv .tsv .xlsx or .parquet (default: the terminal)")


def _share(p: argparse.ArgumentParser) -> None:
    p.add_argument("model", metavar="DIR", help="model folder")
    p.add_argument("--out", required=True, metavar="DIR", help="folder to write; predictions then name no neighbour")


def _list(p: argparse.ArgumentParser) -> None:
    p.add_argument("what", choices=("models", "tasks", "datasets", "splits"))


def _data(p: argparse.ArgumentParser) -> None:
    p.add_argument("action", choices=("fetch", "show"))
    p.add_argument("name", help="see `molgraph list datasets`")


def _demo(p: argparse.ArgumentParser) -> None:
    p.add_argument("--out", default="demo", metavar="DIR", help="folder to write (default demo)")
    p.add_argument("--set", action="append", default=[], metavar="K=V", dest="assignments", help="train.epochs=3, ...")


def run_settings(arguments: argparse.Namespace) -> config.RunSettings:
    """Return the settings of `train`: the run file, the options on top, then --set."""
    given = arguments.data
    from_file = given.lower().endswith(RUN_FILE)
    raw: dict[str, Any] = config.read(given) if from_file else {"data": given}
    if from_file and raw.get("data") and not Path(raw["data"]).is_absolute() and raw["data"] != "-":
        beside = Path(given).parent / raw["data"]
        raw["data"] = str(beside) if beside.exists() else raw["data"]
    options = {"targets": arguments.target, "column": arguments.column}
    options |= {k: getattr(arguments, k) for k in ("model", "task", "split", "ensemble", "id", "init", "seed", "leaks")}
    raw |= {k: v for k, v in options.items() if v not in (None, "", [])}
    if arguments.no_standardize:
        raw["standardize"] = False
    if arguments.inputs:
        raw["inputs"] = _inputs(arguments.inputs)
    for text in arguments.units:
        column, sign, unit = text.partition(":")
        if not sign:
            raise ConfigError(f"--units {text}: write COLUMN:UNIT, for example --units IC50:nM.")
        raw.setdefault("units", {})[column] = unit
    return config.settings(config.override(raw, arguments.assignments))


def _inputs(text: str) -> dict[str, dict[str, str]]:
    """Read `COLUMN:ENCODER,COLUMN:ENCODER`."""
    found = {}
    for word in text.split(","):
        column, sign, encoder = word.strip().partition(":")
        if not (column and sign and encoder):
            raise ConfigError(f"--inputs {text}: write COLUMN:ENCODER, for example smiles:molecule/gin.")
        found[column] = {"column": column, "encoder": encoder}
    return found


def _given(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the inputs that are the same for all rows."""
    found = {"protein": arguments.protein} if arguments.protein else {}
    for text in arguments.given:
        name, sign, value = text.partition("=")
        if not (name and sign and value):
            raise ConfigError(f"--given {text}: write INPUT=FILE or INPUT=TEXT.")
        found[name] = value
    return found


def train(arguments: argparse.Namespace) -> int:
    """Train a model."""
    run = run_settings(arguments)
    if arguments.print_config:
        print(config.dump(run), end="")
        return 0
    if not arguments.out and not arguments.dry_run:
        raise ConfigError("--out DIR is missing: name the model folder to write.")
    from molgraph.workflows.devices import relaunch
    from molgraph.workflows.train import train_folder

    if arguments.devices < 1:
        raise ConfigError(f"--devices {arguments.devices}: give 1 or more.")
    if arguments.devices > 1:
        code = relaunch(arguments.devices, arguments.argv)
        if code is not None:
            return code
    train_folder(
        run,
        Path(arguments.out) if arguments.out else None,
        dry_run=arguments.dry_run,
        overwrite=arguments.overwrite,
        tensorboard=arguments.tensorboard,
    )
    return 0


def tune(arguments: argparse.Namespace) -> int:
    """Look for better settings."""
    names = (arguments.model or "").split(",")
    if len(names) > 1 or names == ["all"]:
        arguments.assignments.insert(0, f"space.model={names if len(names) > 1 else 'all'}")
        arguments.model = names[0] if len(names) > 1 else None
    run = run_settings(arguments)
    from molgraph.tune.budget import Budget
    from molgraph.workflows.tune import Request, tune_folder

    request = Request(
        Path(arguments.out),
        Budget.of(arguments.trials, arguments.timeout, arguments.epochs),
        jobs=arguments.jobs,
        storage=arguments.storage,
        objectives=tuple(filter(None, arguments.objectives.split(","))),
        folds=arguments.folds,
        ensemble=arguments.top,
        pick=arguments.pick,
    )
    tune_folder(run, request, overwrite=arguments.overwrite)
    return 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Score models on rows with known values."""
    from molgraph.workflows.evaluate import evaluate_file

    out = Path(arguments.out) if arguments.out else None
    given = _given(arguments)
    evaluate_file(arguments.data, arguments.model, column=arguments.column or None, out=out, given=given)
    return 0


def predict(arguments: argparse.Namespace) -> int:
    """Predict the rows of a file."""
    from molgraph.workflows.predict import predict_file

    counts = predict_file(
        arguments.data,
        arguments.model,
        Path(arguments.output),
        column=arguments.column or None,
        workers=arguments.workers,
        given=_given(arguments),
    )
    return 3 if arguments.strict and counts.rejected else 0


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
        given=_given(arguments),
    )
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


def share(arguments: argparse.Namespace) -> int:
    """Copy a model without its training rows."""
    from molgraph.workflows.share import share_folder

    share_folder(Path(arguments.model), Path(arguments.out))
    return 0


def list_names(arguments: argparse.Namespace) -> int:
    """Print the names of one kind with a line each."""
    if arguments.what == "models":
        rows = {name: line for name, (_, line) in registry.models().items()}
    elif arguments.what == "tasks":
        from molgraph.task import KINDS as rows
    elif arguments.what == "splits":
        from molgraph.split import METHODS

        rows = {name: method.summary for name, method in METHODS.items()}
        rows["deepchem"] = "deepchem:NAME, a splitter of DeepChem's (ScaffoldSplitter, ButinaSplitter, ...)"
    else:
        from molgraph import datasets

        rows = {name: datasets.card(name).title for name in datasets.names()}
    width = max(map(len, rows))
    for name, line in rows.items():
        print(f"{name:<{width}}  {line}")
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
