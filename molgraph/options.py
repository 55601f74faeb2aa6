"""The words of every command; what settings they stand for is in `asked`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from molgraph import config, registry


def _source(p: argparse.ArgumentParser, name: str, what: str) -> None:
    files = " ".join((".csv", ".tsv", ".xlsx", ".parquet", *registry.words("files")))
    p.add_argument(name, help=f"{what}: {files} (also .gz, .zst), or - for standard input")
    column = f"column of the {', '.join(registry.words('holds'))}, ... (default: found by its name)"
    p.add_argument("-s", "--column", default="", metavar="COL", help=column)


def _limit(p: argparse.ArgumentParser) -> None:
    what = "time that one row may take to be read, drawn, ... (default 20s)"
    p.add_argument("--limit", metavar="TIME", dest="row_limit", help=what)


def row_limit(arguments: argparse.Namespace) -> float | None:
    """Return the seconds that one row may take, None where nothing is said.

    Raises: ConfigError for what is no time.
    """
    given = getattr(arguments, "row_limit", None)
    if given is None:
        return None
    from molgraph.tune.budget import duration

    return duration(given, "--limit")


def _models(p: argparse.ArgumentParser) -> None:
    _limit(p)
    called = "model folder, or the name of a model that ships (admet); several make one ensemble"
    p.add_argument("--model", nargs="+", required=True, metavar="DIR", help=called)
    p.add_argument(
        "--given",
        action="append",
        default=[],
        metavar="INPUT=X",
        help="an input that is the same for all rows: a file or the text",
    )
    p.add_argument(
        "--join", action="append", default=[], metavar="FILE:COL", help="add the columns of FILE by the ids in COL"
    )
    p.add_argument("--protein", metavar="X", help="the protein of all rows: a file (FASTA, PDB, mmCIF) or a sequence")
    p.add_argument("--inputs", default="", metavar="FILE", help="the visits of the patients, as in training")


def _rows(p: argparse.ArgumentParser) -> None:
    _source(p, "data", "RUN.toml, or measured rows")
    _limit(p)
    p.add_argument("--target", action="append", default=[], metavar="COL", help="target column; repeat for several")
    event = "target of time and event (COL: 1 happened, 0 not yet)"
    p.add_argument("--event", action="append", default=[], metavar="TIME:COL", help=event)
    curve = "future values as quantiles: columns (fev1=y1,y2), times ahead (fev1=+1,+2), next visits (fev1=+1visit)"
    p.add_argument("--curve", action="append", default=[], metavar="NAME=A,B", help=curve)
    p.add_argument("--within", type=float, metavar="T", help="how far from a time ahead a value may lie")
    p.add_argument("--task", help="regression, binary or multiclass (default: by the values)")
    p.add_argument(
        "--positive",
        action="append",
        default=[],
        metavar="VALUE",
        help="the positive class of two; COL:VALUE of several",
    )
    p.add_argument("--split", help="the room's own (molecules: scaffold), random, ...: see `molgraph list splits`")
    p.add_argument("--units", action="append", default=[], metavar="COL:UNIT", help="IC50:nM trains on pIC50")
    p.add_argument(
        "--join", action="append", default=[], metavar="FILE:COL", help="add the columns of FILE by the ids in COL"
    )
    weight = "column that says how much each row counts in training, 0: not at all; or one of a target, T=COL"
    p.add_argument("--weight", action="append", default=[], metavar="COL", help=weight)
    p.add_argument("--fields", metavar="A,B", help="columns that say of a patient what is known (default: all others)")
    p.add_argument("--at", metavar="COL", help="column that says until when a row may see the visits of its patient")
    p.add_argument("--time", metavar="COL", help="column of visits that says when they were (default: by its name)")
    beside = "own columns of numbers beside what the model reads, as temp,ph"
    p.add_argument("--descriptors", metavar="A,B", help=beside)
    p.add_argument("--id", metavar="COL", help="column that names the rows")
    p.add_argument("--seed", type=int, help="seed of everything random (default 0)")
    p.add_argument(
        "--leaks", choices=("drop", "report", "refuse"), help="training rows that also stand in the test set"
    )
    p.add_argument("--no-standardize", action="store_true", help="take molecules as they are")
    p.add_argument("--set", action="append", default=[], metavar="K=V", dest="assignments", help="train.epochs=3, ...")


def _run(p: argparse.ArgumentParser, models: str = "architecture") -> None:
    _rows(p)
    p.add_argument("--model", metavar="NAME", help=f"{models} (default {config.RunSettings.model})")
    p.add_argument(
        "--inputs",
        default="",
        metavar="COL:NAME,...",
        help="several inputs: smiles:molecule/gin,sequence:protein/cnn; visits of patients: visits.csv:patient_id",
    )
    p.add_argument("--ensemble", type=int, metavar="N", help="train N members")


def train(p: argparse.ArgumentParser) -> None:
    """Add the words of `train`."""
    _run(p)
    seeds = "train a model from each of these seeds; scores with mean and standard deviation over them"
    p.add_argument("--seeds", metavar="A,B,C", help=seeds)
    p.add_argument("--init", metavar="DIR", help="start from the weights of a trained model (fine-tuning)")
    p.add_argument("--devices", type=int, default=1, metavar="N", help="processes to train with (torchrun)")
    p.add_argument("--dry-run", action="store_true", help="read and split the data, train nothing")
    p.add_argument("--print-config", action="store_true", help="print all that can be set, as a run file, and stop")
    p.add_argument("--overwrite", action="store_true", help="replace a model that stands in --out")
    p.add_argument("--tensorboard", action="store_true", help="also write TensorBoard events")
    p.add_argument("--out", metavar="DIR", help="model folder to write")


def tune(p: argparse.ArgumentParser) -> None:
    """Add the words of `tune`."""
    _run(p, "architecture, several (A,B), all of the room of the data, or of a room (imaging/all)")
    p.add_argument("--init", help=argparse.SUPPRESS)  # refused with what to do, as in a run file
    p.add_argument("--trials", type=int, metavar="N", help="trials in all (default 40 where no limit is given)")
    p.add_argument("--timeout", metavar="TIME", help="time for this command (2h, 1h30m, 45s), half for the comparator")
    p.add_argument("--epochs", type=int, metavar="N", help="epochs in all; a trial of trees counts as train.epochs")
    p.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share the study (default 1)")
    where = "where the study is kept: a database, or a file *.journal (default: one in --out)"
    p.add_argument("--storage", default="", metavar="URL", help=where)
    p.add_argument("--study", default="", metavar="NAME", help="its name there (default: told by the run and the data)")
    p.add_argument("--objectives", default="", metavar="A,B", help="an accuracy, then others: rmse,latency,size")
    p.add_argument("--folds", type=int, default=1, metavar="N", help="score every trial by cross-validation")
    p.add_argument("--outer", type=int, metavar="N", help="nested: tune anew for each of N folds that test")
    p.add_argument("--top", type=int, default=5, metavar="N", help="at most so many trials in the ensemble (default 5)")
    p.add_argument("--pick", type=int, metavar="TRIAL", help="take this trial (see the Pareto front), not the best")
    p.add_argument("--overwrite", action="store_true", help="forget the study that stands in --out")
    p.add_argument("--out", required=True, metavar="DIR", help="folder of the study and of the models it makes")


def compare(p: argparse.ArgumentParser) -> None:
    """Add the words of `compare`."""
    _rows(p)
    p.add_argument("--models", required=True, metavar="A,B,...", help="architectures, or run files with settings")
    p.add_argument("--inputs", default="", metavar="FILE:COL", help="visits of patients: visits.csv:patient_id")
    p.add_argument("--folds", type=int, default=5, metavar="N", help="parts that test in turn (default 5)")
    p.add_argument("--repeats", type=int, default=5, metavar="N", help="times the rows are parted anew (default 5)")
    p.add_argument("--metric", default="", metavar="NAME", help="score that decides (default rmse, auroc, ... by task)")
    p.add_argument("--test", default="tukey", metavar="NAME", help="tukey (default) or wilcoxon")
    p.add_argument("--overwrite", action="store_true", help="forget the folds that are finished in --out")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for every fold, the table and the page")


def evaluate(p: argparse.ArgumentParser) -> None:
    """Add the words of `evaluate`."""
    _source(p, "data", "rows with known values")
    _models(p)
    p.add_argument(
        "--by", default="", metavar="COL,COL", help="columns whose groups are judged apart (default: site, sex, ...)"
    )
    p.add_argument("--out", metavar="DIR", help="also write metrics.json, scores, rejects and a report per model there")


def predict(p: argparse.ArgumentParser) -> None:
    """Add the words of `predict`."""
    _source(p, "data", "rows to predict, or one text (a SMILES)")
    _models(p)
    where = ".csv .tsv .xlsx .parquet or .sdf (default: the first rows are shown in the terminal)"
    p.add_argument("-o", "--output", default="", metavar="FILE", help=where)
    p.add_argument("--as", default="", dest="unit", metavar="UNIT", help="also in nM, uM, ...: IC50_nM beside pIC50")
    p.add_argument("--excel", action="store_true", help="write CSV so that Excel sees that it is UTF-8")
    p.add_argument("--pictures", action="store_true", help="put a picture of each structure into the .xlsx")
    p.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes that read the rows (default: all cores)"
    )
    p.add_argument("--strict", action="store_true", help="exit 3 when a row could not be predicted")


def explain(p: argparse.ArgumentParser) -> None:
    """Add the words of `explain`."""
    p.add_argument("data", help="scans: a table with a column of files, a set (.npz, HDF5), a scan, a folder")
    p.add_argument("-s", "--column", default="", metavar="COL", help="column of scans (default: found by its name)")
    p.add_argument("--model", required=True, metavar="DIR", help="model folder")
    p.add_argument("--target", metavar="T", help="target to explain (default: the model's first)")
    methods = ("gradcam", "integrated", "occlusion")
    p.add_argument("--method", choices=methods, default="gradcam", help="method of attribution (default gradcam)")
    p.add_argument("--top", type=int, default=10, metavar="N", help="explain the first N rows (default 10)")
    p.add_argument("--mask", metavar="COL", help="column of masks: score whether the model looked there")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for explain.html, explained.csv, overlays")


def screen(p: argparse.ArgumentParser) -> None:
    """Add the words of `screen`."""
    _source(p, "library", "rows to rank")
    _models(p)
    p.add_argument("--out", required=True, metavar="DIR", help="folder for scores, top.csv and report.html")
    p.add_argument(
        "--hits",
        action="append",
        default=[],
        metavar="FILE",
        help="also write the best rows as .xlsx (with pictures) or .sdf",
    )
    p.add_argument("--top", type=int, default=1000, metavar="N", help="rows in top.csv (default 1000)")
    p.add_argument(
        "--by",
        metavar="TARGET",
        help="target to rank by (default: the first), or desirability: all, higher but for --low",
    )
    p.add_argument("--low", action="append", default=[], metavar="TARGET", help="a target that is better when lower")
    p.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="X",
        help="targets to avoid (or a FASTA file of proteins): adds selectivity",
    )
    p.add_argument(
        "--domain",
        choices=("first", "only", "any"),
        default="first",
        help="rank what is in the model's domain first (default), only that, or all alike",
    )
    p.add_argument(
        "--filters", choices=("top", "all"), default="top", help="medicinal columns for the top or for all rows"
    )
    p.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="format of scores (default parquet)")
    p.add_argument("--resume", action="store_true", help="go on where a stopped screen ended")
    p.add_argument("--workers", type=int, default=0, metavar="N", help="processes (default: all cores)")
    p.add_argument("--shard", metavar="I/N", help="score only every N-th shard from I (1..N) on, for a scheduler")


def pretrain(p: argparse.ArgumentParser) -> None:
    """Add the words of `pretrain`."""
    scans = "scans without labels: a folder of them, a table with a column of files, a set (.npz, HDF5), or RUN.toml"
    p.add_argument("data", metavar="scans", help=scans)
    p.add_argument("-s", "--column", default="", metavar="COL", help="column of scans (default: found by its name)")
    p.add_argument("--model", metavar="NAME", help="encoder of scans, as imaging/cnn")
    p.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="FILE",
        help="leave out what shows a picture or a patient of FILE, as the rows that will test; repeat for several",
    )
    p.add_argument("--seed", type=int, help="seed of everything random (default 0)")
    p.add_argument("--set", action="append", default=[], metavar="K=V", dest="assignments", help="train.epochs=3, ...")
    p.add_argument("--overwrite", action="store_true", help="replace what stands in --out")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for encoder.safetensors and rejects.csv")
    of_labels: dict[str, object] = {"target": [], "units": [], "positive": [], "join": [], "no_standardize": False}
    p.set_defaults(**of_labels, fields="", descriptors="")


def find(p: argparse.ArgumentParser) -> None:
    """Add the words of `find`."""
    p.add_argument("scans", help="a scan, a folder of one series, or a table with a column of scans")
    p.add_argument("-s", "--column", default="", metavar="COL", help="column of scans (default: found by its name)")
    p.add_argument("--model", required=True, metavar="DIR", help="model trained on masks (imaging/unet)")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for nodules.csv, scans.csv and the masks")


def targets(p: argparse.ArgumentParser) -> None:
    """Add the words of `targets`."""
    _source(p, "molecules", "a SMILES, or molecules")
    p.add_argument(
        "--model", required=True, metavar="DIR", help="model of many targets, or of a molecule and a protein"
    )
    p.add_argument("--proteins", metavar="FILE", help="targets to rank: FASTA or a table (default: those trained on)")
    p.add_argument("--active", type=float, metavar="X", help="from which value on a molecule counts as active")
    p.add_argument("--top", type=int, default=10, metavar="N", help="targets shown for each molecule (default 10)")
    p.add_argument("-o", "--output", metavar="FILE", help=".csv .tsv .xlsx or .parquet (default: the terminal)")


def dock(p: argparse.ArgumentParser) -> None:
    """Add the words of `dock`."""
    _source(p, "library", "ligands to dock, for example top.csv of a screen")
    p.add_argument(
        "--protein", required=True, metavar="FILE", help="receptor with hydrogens: .pdb or .pdbqt (boltz: any)"
    )
    p.add_argument("--around", required=True, metavar="X", help="where: a file of a ligand in its place, or x,y,z")
    p.add_argument("--size", type=float, default=20.0, metavar="A", help="edge of the box in angstrom (default 20)")
    p.add_argument("--program", metavar="NAME", help="smina, gnina, vina or boltz (default: the first on the path)")
    p.add_argument("--top", type=int, metavar="K", help="dock only the first K rows")
    p.add_argument("--poses", type=int, default=1, metavar="N", help="poses kept of each ligand (default 1)")
    p.add_argument("--exhaustiveness", type=int, default=8, metavar="N", help="effort of the search (default 8)")
    p.add_argument("--seed", type=int, default=1, help="seed of conformers and search, from 1 on (default 1)")
    p.add_argument("--limit", type=float, default=600.0, metavar="S", help="seconds for one ligand (default 600)")
    p.add_argument("--cores", type=int, default=0, metavar="N", help="cores the program may use (default: all)")
    p.add_argument(
        "--msa",
        default="",
        metavar="FILE",
        help="boltz: alignment (.a3m), or server: sends the sequence to ColabFold's",
    )
    p.add_argument("--out", required=True, metavar="FILE", help="poses, an .sdf")


def share(p: argparse.ArgumentParser) -> None:
    """Add the words of `share`."""
    p.add_argument("model", metavar="DIR", help="model folder")
    p.add_argument("--out", required=True, metavar="DIR", help="folder to write; predictions then name no neighbour")


def deidentify(p: argparse.ArgumentParser) -> None:
    """Add the words of `deidentify`."""
    p.add_argument("source", metavar="IN", help="folder of scans, or one: DICOM, NIfTI, PNG, JPEG, TIFF")
    p.add_argument("out", metavar="OUT", help="folder to write; OUT_deidentified.csv beside it has old and new names")
    p.add_argument("--key", metavar="FILE", help="secret of the new names, made where there is none: keep it")
    p.add_argument(
        "--dates", choices=("shift", "remove"), default="shift", help="move the dates of each patient back (default)"
    )
    p.add_argument("--characteristics", action="store_true", help="keep sex, age, size and weight")
    p.add_argument(
        "--blank", action="append", default=[], metavar="X,Y,W,H", help="paint over this region of every picture"
    )
    p.add_argument("--inspected", action="store_true", help="somebody has looked: no text is burned into the pixels")
    p.add_argument("--strict", action="store_true", help="exit 3 when a file was refused")


def list_names(p: argparse.ArgumentParser) -> None:
    """Add the words of `list`."""
    p.add_argument("what", choices=("models", "tasks", "datasets", "splits", "keys"))


def data(p: argparse.ArgumentParser) -> None:
    """Add the words of `data`."""
    p.add_argument("action", choices=("fetch", "show"))
    p.add_argument("name", help="see `molgraph list datasets`")


def demo(p: argparse.ArgumentParser) -> None:
    """Add the words of `demo`."""
    p.add_argument("--out", default="demo", metavar="DIR", help="folder to write (default demo)")
    p.add_argument("--set", action="append", default=[], metavar="K=V", dest="assignments", help="train.epochs=3, ...")


def parsed(words: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the words of a command; a setting written as an option is refused with what to write."""
    arguments, rest = words.parse_known_args(argv)
    for word in rest:
        key = word.removeprefix("--").partition("=")[0]
        meant = config.where(key) if word.startswith("--") and hasattr(arguments, "assignments") else ()
        if meant:
            words.error(f"{word}: no option of {arguments.command}; write --set {' or --set '.join(meant)}=VALUE")
    if rest:
        words.error(f"unrecognized arguments: {' '.join(rest)}")
    return arguments
