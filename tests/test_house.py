"""The house stands as docs and setup.cfg say: floors, light front door, short documented modules, no foreign traces."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "molgraph").rglob("*.py"))
LINES = 400
SLOW = {"catboost", "deepchem", "optuna", "pandas", "pyarrow", "rdkit", "sklearn", "torch", "torch_geometric"}

# The folders in which machines keep people's files; a URL has something before the slash.
MACHINE_PATH = re.compile(r"(?<![\w.:/~<>-])(?:/(?:home|Users|root|work|opt|tmp|mnt|srv)/|[A-Z]:\\+Users\\+)[\w.-]+")


def test_imports_go_down_only(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("-c", "import molgraph"), ("-m", "molgraph", "--help")], ids=" ".join)
def test_the_front_door_imports_nothing_slow(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert done.returncode == 0, done.stderr[-2000:]
    assert "molgraph" in imported
    assert not {name.partition(".")[0] for name in imported} & SLOW


def test_every_package_is_installed() -> None:
    listed = setup_cfg()["options"]["packages"].split()
    found = {".".join(file.parent.relative_to(ROOT).parts) for file in MODULES if file.name == "__init__.py"}
    folders = {".".join(file.parent.relative_to(ROOT).parts) for file in MODULES}
    assert folders == found, "a folder of modules without __init__.py is not installed"
    assert listed == sorted({*found, "molgraph.datasets"}), "the list `packages` in setup.cfg is not what is there"


def test_every_file_beside_the_modules_is_installed() -> None:
    data = setup_cfg()["options.package_data"]
    for file in files_of_the_repository():
        *folders, name = file.relative_to(ROOT).parts
        package = ".".join(["molgraph", *folders] if folders == ["datasets"] else folders)
        if package.partition(".")[0] == "molgraph" and not name.endswith(".py"):
            patterns = [pattern.strip() for pattern in data.get(package, "").split(",")]
            assert any(fnmatch(name, pattern) for pattern in patterns), f"{package}: {name} is not in package_data"


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_module_is_short_and_documented(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LINES
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "the module has no docstring"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    bare = [node.name for node in public if not ast.get_docstring(node)]
    assert not bare, f"without a docstring: {', '.join(bare)}"


def test_no_file_names_a_place_on_a_machine() -> None:
    found = []
    for file in files_of_the_repository():
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture, a compressed table
            continue
        found += [f"{file.relative_to(ROOT)}: {hit}" for hit in MACHINE_PATH.findall(text)]
    assert not found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("open('|home|ada|library.csv')", True),
        ("data = |work|data", True),
        ("C:^Users^ada^library.csv", True),
        ("https:||example.org|home|ada", False),
        ("..|tmp|library.csv", False),
        ("runs|home|ada", False),
    ],
)
def test_a_place_on_a_machine_is_seen(text: str, named: bool) -> None:
    text = text.replace("|", "/").replace("^", "\\")  # spelled so that this file names none itself
    assert bool(MACHINE_PATH.search(text)) is named


def setup_cfg() -> configparser.ConfigParser:
    """Read how the house stands."""
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", encoding="utf-8")
    return read


def files_of_the_repository() -> list[Path]:
    """Return what git holds or would hold: all files but the ignored ones."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_a_screen_starts_its_workers_without_torch():
    code = "import sys, molgraph.screen; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_kinds_know_what_kinds_are_called() -> None:
    """Whoever else asks which kind an answer is has knowledge that belongs to the kind."""
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in MODULES
        if "kinds" not in file.relative_to(ROOT / "molgraph").parts
        for line in lines_that_ask_for_a_kind(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not found, f"asked for by name: {', '.join(found)}"


WORDS = {"regression", "binary", "multiclass", "ordinal", "gaussian", "event"}
CLASSES = {"Number", "Normal", "YesNo", "OneOf", "Grade", "Event", "Curve"}


def lines_that_ask_for_a_kind(tree: ast.Module) -> set[int]:
    """Return the lines where a kind's word is compared, looked up or a key, and where a kind is told by its class."""
    found = set()
    for node in ast.walk(tree):
        asked: list[ast.expr | None] = []
        if isinstance(node, ast.Compare):
            asked = [part for each in (node.left, *node.comparators) for part in getattr(each, "elts", [each])]
        elif isinstance(node, ast.Dict):
            asked = list(node.keys)
        elif isinstance(node, ast.Subscript):
            asked = [node.slice]
        elif isinstance(node, ast.MatchValue):
            asked = [node.value]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass"):
            told = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            found |= {node.lineno} if told & CLASSES else set()
        found |= {node.lineno for each in asked if isinstance(each, ast.Constant) and each.value in WORDS}
        constants = getattr(node, "targets", []) if isinstance(node, ast.Assign) else []
        names = {name.id for target in constants for name in ast.walk(target) if isinstance(name, ast.Name)}
        if names & {"REGRESSION", "BINARY", "MULTICLASS", "ORDINAL"}:
            found.add(node.lineno)
    return found


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("if kind == 'binary': pass", True),
        ("if kind in ('multiclass', 'ordinal'): pass", True),
        ("LOSS = {'regression': 'RMSE'}", True),
        ("isinstance(task, Number | Normal)", True),
        ("task: str = 'regression'", False),
        ("make({name: Number.word})", False),
    ],
)
def test_a_question_for_a_kind_is_seen(code: str, asks: bool) -> None:
    assert bool(lines_that_ask_for_a_kind(ast.parse(code))) is asks
