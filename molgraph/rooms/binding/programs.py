"""Programs of others: found on the path, run in a folder of their own, ended with all they started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from molgraph.data.stream import suffixes
from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.binding.structure import STRUCTURE_FILES
from molgraph.rooms.molecule.standardise import Refusal

MEEKO = "mk_prepare_ligand.py"  # writes the PDBQT that vina reads: https://meeko.readthedocs.io
SAID = 200  # characters of a program's last words that are repeated


@dataclass(frozen=True)
class Program:
    """Describe a program: where to get it, what receptors it reads, what else it needs on the path.

    One that `cofolds` folds the receptor's sequence anew around each ligand; the others keep the receptor as it is.
    """

    name: str
    page: str
    receptors: tuple[str, ...] = (".pdb", ".pdbqt")
    needs: tuple[str, ...] = ()
    output: str = "poses.sdf"
    cofolds: bool = False

    def check(self, receptor: Path) -> None:
        """Refuse a receptor that the program does not read; one that is folded anew we read ourselves, packed, too.

        Raises: ConfigError.
        """
        suffix, packed = suffixes(receptor)
        if suffix not in self.receptors or (packed and not self.cofolds):
            known = " or ".join(self.receptors)
            raise ConfigError(f"--protein {receptor}: {self.name} reads {known}, not '{suffix}{packed}'.")


PROGRAMS = {
    "smina": Program("smina", "https://sourceforge.net/projects/smina"),
    "gnina": Program("gnina", "https://github.com/gnina/gnina"),
    "vina": Program(
        "vina",
        "https://github.com/ccsb-scripps/AutoDock-Vina, and pip install meeko",
        (".pdbqt",),
        (MEEKO,),
        "poses.pdbqt",
    ),
    "boltz": Program("boltz", "https://github.com/jwohlwend/boltz", STRUCTURE_FILES, cofolds=True),
}


def find_program(name: str | None = None) -> Program:
    """Return the program of that name, or the first that is on the path.

    Raises: ConfigError where none is, saying where to get it.
    """
    if name is not None and name not in PROGRAMS:
        raise ConfigError(f"--program {name}: unknown{did_you_mean(name, PROGRAMS)}")
    wanted = [PROGRAMS[name]] if name else list(PROGRAMS.values())
    found = next((program for program in wanted if shutil.which(program.name)), None)
    if found is None:
        places = "; ".join(f"{program.name} ({program.page})" for program in wanted)
        raise ConfigError(
            f"no docking program is on the path; looked for {places}. Poses made "
            "elsewhere need none: `molgraph screen poses.sdf --protein FILE` reads them."
        )
    for other in found.needs:
        if not shutil.which(other):
            raise ConfigError(f"{found.name} needs {other}, which is not on the path: see {found.page}.")
    return found


def finished(words: Sequence[str], folder: Path, limit: float) -> Refusal | None:
    """Run a program to its end, or say why it did not come to one; nothing of it is left running.

    Raises: ConfigError where it cannot be started.
    """
    with (folder / "log.txt").open("wb") as log:  # a pipe could be held open by what the program started
        try:
            process = subprocess.Popen(
                [shutil.which(words[0]) or words[0], *words[1:]],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ConfigError(f"{words[0]} cannot be started: {error.strerror or error}.") from error
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return Refusal("timeout", f"{words[0]} took more than {limit:g} seconds")
        finally:
            _end(process)
    return Refusal("failed", f"{words[0]} ended with {code}{last_words(folder)}") if code else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that still runs, and on POSIX what it started."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_words(folder: Path) -> str:
    """Return the last line that a program wrote, after a colon."""
    lines = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {said[:SAID]}" if said else ""
