#!/usr/bin/env python3
"""Set up and drive a checkout of molgraph: python dev.py demo|test|lint|bench|setup|clean [ARGUMENTS].

Needs nothing but Python's standard library. Every command first makes sure that `.venv` holds
torch (the build for this machine), the pins of `requirements.lock` and the project itself, in that
order; when they are there already that check takes a fraction of a second.
MOLGRAPH_TORCH=cuda|cpu|plain overrides the choice of the torch build.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "molgraph-setup.txt"
LOG = VENV / "molgraph-setup.log"

TORCH = "2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"  # the CUDA release that PyPI's Linux build of this pin uses
PATIENCE = 3.0  # seconds an index may take to answer
OLDEST = (3, 11)
QUIET = 30.0  # seconds between signs of life where the output is no terminal
BACK = "\r"  # to the start of the line, on a terminal


class Failed(Exception):
    """Carry an exit code, and a sentence for the user where the failing program did not say enough."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        if sys.version_info < OLDEST:
            oldest, this = "python{}.{}".format(*OLDEST), sys.version.split()[0]
            raise Failed(1, f"molgraph needs {oldest} or later and this is {this}: run {oldest} dev.py {arguments[0]}")
        return COMMANDS[arguments[0]](arguments[1:])
    except Failed as failure:
        if str(failure):
            print(failure, file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130


# The commands


def demo(arguments: list[str]) -> int:
    """Train, evaluate and screen on the sample data; the results are in `demo`."""
    return tool("-m", "molgraph", "demo", "--out", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Run the tests: all of them with coverage, a process per core, or those named."""
    return tool("-m", "pytest", *(arguments or ["--cov", "--numprocesses=logical", "--dist=loadfile"]))


def lint(arguments: list[str]) -> int:
    """Check style, types and import contracts; every check runs, the first failure decides."""
    import_linter = "from importlinter.cli import lint_imports_command as lint; lint()"  # it has no -m
    codes = [
        tool("-m", "ruff", "check", *arguments),
        tool("-m", "ruff", "format", "--check", *arguments),
        tool("-m", "mypy"),
        tool("-c", import_linter, "--no-logo"),
    ]
    return next((code for code in codes if code), 0)


def bench(arguments: list[str]) -> int:
    """Measure the speed beside the peer's."""
    return tool("benchmarks/speed.py", *arguments)


def clean(arguments: list[str]) -> int:
    """Remove what these commands made: environment, caches, builds and the demo."""
    made = [VENV, *(ROOT / name for name in ("build", "dist", "demo", "htmlcov", "molgraph.egg-info"))]
    made += [ROOT / f".{name}_cache" for name in ("mypy", "ruff", "pytest", "import_linter")]
    for folder in made:
        if folder.exists():
            print(f"removing {folder.relative_to(ROOT)}")
            shutil.rmtree(folder)
    for file in ROOT.glob(".coverage*"):
        file.unlink()
    return 0


def tool(*arguments: str) -> int:
    """Run the environment's Python in the checkout, setting the environment up first where it is not."""
    if not is_ready():
        setup([])
    print(f"> python {' '.join(arguments)}", flush=True)
    process = subprocess.Popen([str(PYTHON), *arguments], cwd=ROOT)
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:  # Ctrl-C reached the program too: it may be saving its work
            continue
        return code if code >= 0 else 128 - code  # ended by a signal: as shells count it


# The environment


def setup(arguments: list[str]) -> int:
    """Make `.venv` and install torch, the lock and the project, in this order."""
    if is_ready():
        print(f"{VENV.name} is ready")
        return 0
    begun = time.monotonic()
    if not works():
        if VENV.exists():
            print(f"{VENV.name} does not work (is its Python gone?): making it anew")
            shutil.rmtree(VENV)
        VENV.mkdir()
        advice = "On Debian and Ubuntu install the package python3-venv."
        run(f"virtual environment {VENV.name}", [sys.executable, "-m", "venv", str(VENV)], advice)
    STAMP.unlink(missing_ok=True)
    install_torch()
    pip("packages of requirements.lock", "-r", str(LOCK))
    pip("molgraph", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    STAMP.write_text(digest(), encoding="utf-8")
    print(f"{VENV.name} is ready after {time.monotonic() - begun:.0f} s", flush=True)
    return 0


def install_torch() -> None:
    """Install the torch build for this machine.

    A CUDA build where there is a GPU; else a CPU build from pip's own find-links, else from PyTorch's
    CPU index, else whatever the plain pin gives. CPU builds go in without dependencies: the lock has them.
    """
    choice = os.environ.get("MOLGRAPH_TORCH", "") or ("cuda" if has_gpu() else "cpu")
    if choice not in ("cuda", "cpu", "plain"):
        raise Failed(2, f"MOLGRAPH_TORCH is '{choice}'; it can be cuda, cpu or plain")
    pinned = ("-c", str(LOCK))
    if choice == "cuda" and sys.platform == "win32":
        pip("torch, CUDA build", "--no-deps", "--index-url", CUDA_INDEX, f"torch=={TORCH}")
    elif choice == "cuda":
        # `===` refuses the +cpu build, which a machine may have at hand and which == would prefer.
        pip("torch, CUDA build", *pinned, f"torch==={TORCH}")
    elif choice == "plain":
        pip("torch", *pinned, f"torch=={TORCH}")
    elif not pip("torch, CPU build at hand", "--no-index", "--no-deps", f"torch=={TORCH}+cpu", needed=False):
        if answers(f"{CPU_INDEX}/torch/"):
            pip("torch, CPU build", "--no-deps", "--index-url", CPU_INDEX, f"torch=={TORCH}")
        else:
            pip("torch", *pinned, f"torch=={TORCH}")


def has_gpu() -> bool:
    """Tell whether NVIDIA's driver lists a GPU."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return False
    try:
        listed = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


def answers(url: str) -> bool:
    """Tell whether a page is there within `PATIENCE` seconds."""
    found: list[int] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as page:
                found.append(page.status)
        except OSError:  # no route, no name, refused, no such page: all mean no
            return

    # A thread, because the time limit of urlopen does not cover looking the name up.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    return found == [200]


def works() -> bool:
    """Tell whether the environment's Python runs and has pip."""
    if not PYTHON.exists():
        return False
    try:
        return subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def is_ready() -> bool:
    """Tell whether the environment was set up from what the checkout says now."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == digest()


def digest() -> str:
    """Hash all that the environment depends on."""
    parts = [TORCH, os.environ.get("MOLGRAPH_TORCH", ""), str(ROOT)]  # an editable install knows its folder
    files = [LOCK, ROOT / "pyproject.toml", ROOT / "setup.cfg", VENV / "pyvenv.cfg"]  # the last: Python's version
    parts += [file.read_text(encoding="utf-8") for file in files]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


# One step, with a sign of life


def pip(title: str, *arguments: str, needed: bool = True) -> bool:
    """Install something with the environment's pip; return whether it went well."""
    advice = "Is there a network, and enough disk? Mend that and run the same command again: it goes on from here."
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    return run(title, command, advice, needed=needed)


def run(title: str, command: list[str], advice: str, *, needed: bool = True) -> bool:
    """Run a command with its output in the log, showing its title and the seconds that pass.

    Raises: Failed with the end of the log and the advice when a needed command fails.
    """
    begun = shown = time.monotonic()
    live = sys.stdout.isatty()
    print(f"  {title} ...", end="" if live else "\n", flush=True)
    with LOG.open("a", encoding="utf-8") as log:
        start = log.tell()
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - shown >= (1.0 if live else QUIET):
                shown = time.monotonic()
                print(f"{BACK * live}  {title} ... {shown - begun:.0f} s", end="" if live else "\n", flush=True)
    outcome = f"{time.monotonic() - begun:.0f} s" if process.returncode == 0 else "failed" if needed else "none"
    print(f"{BACK * live}  {title} ... {outcome}", flush=True)
    if process.returncode and needed:
        said = LOG.read_bytes()[start:].decode("utf-8", "replace").splitlines()[-20:]
        raise Failed(1, "\n".join([*said, "", f"'{title}' failed. {advice}", f"The whole log: {LOG}"]))
    return process.returncode == 0


COMMANDS = {"demo": demo, "test": test, "lint": lint, "bench": bench, "setup": setup, "clean": clean}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
