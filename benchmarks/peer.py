"""Chemprop, the peer: an environment of its own, made where it is missing, and its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = "2.3.1"
NAMED = "CHEMPROP_PYTHON"  # the variable that names the Python of an environment that is there already
FOLDER = ROOT / ".venv-chemprop"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Both sides run the same builds of what they share; the last lets our training core run beside the peer's.
SHARED = ("rdkit", "numpy", "pandas", "cuik-molmaker-pin", "safetensors")


class PeerError(Exception):
    """Say why the peer could not be installed or did not do its work."""


def python() -> Path:
    """Return the Python of the peer's environment, made first where it is missing.

    Raises: PeerError where it cannot be made.
    """
    if named := os.environ.get(NAMED):
        return _checked(Path(named))
    inside = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = FOLDER / "made"
    if not done.exists():
        _make(inside)
        done.write_text(f"chemprop {VERSION}\n", encoding="utf-8")
    return _checked(inside)


def command(*arguments: str) -> list[str]:
    """Return the command line of `chemprop ARGUMENTS`."""
    return [str(python()), "-c", "from chemprop.cli.main import main; main()", *arguments]


def call(line: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it printed.

    Raises: PeerError with the end of its messages where it fails.
    """
    made = subprocess.run(
        line, env=environment, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )
    if made.returncode:
        said = "\n".join((made.stdout + made.stderr).splitlines()[-15:])
        raise PeerError(f"exit code {made.returncode}: {' '.join(map(str, line[:8]))} ...\n{said}")
    return made.stdout


def threaded(threads: int, **more: str) -> dict[str, str]:
    """Return this process's environment with a number of threads for every numerical library."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, str(threads)), **more}


def _checked(inside: Path) -> Path:
    ask = "import safetensors; from importlib.metadata import version; print(version('chemprop'))"
    try:
        found = call([str(inside), "-c", ask]).strip()
    except OSError as error:
        raise PeerError(f"{inside} does not run: {error}") from error
    if found != VERSION:
        raise PeerError(f"{inside} has chemprop {found}, not {VERSION}")
    return inside


def _make(inside: Path) -> None:
    print(f"making {FOLDER.name} for chemprop {VERSION} (once; some minutes)", file=sys.stderr, flush=True)
    call([sys.executable, "-m", "venv", "--clear", str(FOLDER)])
    install = [str(inside), "-m", "pip", "install", "--disable-pip-version-check"]
    torch = f"torch=={metadata.version('torch')}"  # first, or pip would fetch the build with CUDA
    try:
        call([*install, "--no-deps", "--no-index", torch])  # a build at hand
    except PeerError:
        call([*install, "--no-deps", "--extra-index-url", CPU_INDEX, torch])
    there = {name.metadata["Name"].lower().replace("_", "-") for name in metadata.distributions()}
    pins = [f"{name}=={metadata.version(name)}" for name in SHARED if name in there]
    call([*install, f"chemprop=={VERSION}", torch, *pins])
