"""dev.py chooses torch well, does nothing twice, and says what to do when a step fails."""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
Project = dict[str, Any]
posix_only = pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for a program")


@pytest.fixture
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand dev.py in a small checkout of its own, with an environment whose Python is this one."""
    monkeypatch.delenv("MOLGRAPH_TORCH", raising=False)
    for name in ("requirements.lock", "pyproject.toml", "setup.cfg"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7", encoding="utf-8")
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(dev, "LOG", tmp_path / ".venv" / "log")
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(dev, "works", lambda: dev.PYTHON.exists())
    return tmp_path


@pytest.fixture
def installed(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let pip succeed without running it; return what it was asked for, one string a call."""
    calls: list[str] = []

    def pip(title: str, *arguments: str, needed: bool = True) -> bool:
        calls.append(" ".join(arguments))
        return True

    monkeypatch.setattr(dev, "pip", pip)
    return calls


# Which torch


AT_HAND = "--no-index --no-deps torch==2.13.0+cpu"
CPU = "--no-deps --index-url https://download.pytorch.org/whl/cpu torch==2.13.0"
CUDA_WINDOWS = "--no-deps --index-url https://download.pytorch.org/whl/cu130 torch==2.13.0"
CUDA = "-c LOCK torch===2.13.0"
PLAIN = "-c LOCK torch==2.13.0"


@pytest.mark.parametrize(
    ("variable", "gpu", "platform", "at_hand", "index", "expected"),
    [
        ("", True, "linux", True, True, [CUDA]),
        ("", True, "win32", True, True, [CUDA_WINDOWS]),
        ("cuda", False, "linux", True, True, [CUDA]),
        ("", False, "linux", True, True, [AT_HAND]),
        ("", False, "linux", False, True, [AT_HAND, CPU]),
        ("", False, "linux", False, False, [AT_HAND, PLAIN]),
        ("", False, "darwin", False, False, [AT_HAND, PLAIN]),
        ("cpu", True, "linux", False, True, [AT_HAND, CPU]),
        ("plain", True, "linux", True, True, [PLAIN]),
    ],
)
def test_torch_is_the_build_for_the_machine(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    gpu: bool,
    platform: str,
    at_hand: bool,
    index: bool,
    expected: list[str],
) -> None:
    calls: list[str] = []

    def pip(title: str, *arguments: str, needed: bool = True) -> bool:
        calls.append(" ".join(arguments).replace(str(dev.LOCK), "LOCK"))
        return needed or at_hand

    monkeypatch.setattr(dev, "pip", pip)
    monkeypatch.setattr(dev, "has_gpu", lambda: gpu)
    monkeypatch.setattr(dev, "answers", lambda url: index)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("MOLGRAPH_TORCH", variable)
    dev.install_torch()
    assert calls == expected


def test_an_unknown_build_is_refused(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGRAPH_TORCH", "rocm")
    with pytest.raises(dev.Failed, match="'rocm'; it can be cuda, cpu or plain"):
        dev.install_torch()


@posix_only
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)'", True),
        ("echo 'No devices were found'", False),
        ("echo 'GPU 0: NVIDIA H200'; exit 9", False),
    ],
)
def test_a_gpu_is_one_that_the_driver_lists(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: bool
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.has_gpu() is expected


def test_no_driver_is_no_gpu(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert dev.has_gpu() is False


@pytest.fixture
def page() -> Iterator[str]:
    """Serve one page, and 404 for any other."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/torch/" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_index_answers_or_not(dev: ModuleType, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert dev.answers(f"{page}/torch/") is True
    assert dev.answers(f"{page}/absent/") is False


def test_a_silent_index_is_not_waited_for(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(dev, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        assert dev.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/torch/") is False
        assert time.monotonic() - begun < 5


# What is done, and when


def test_setup_installs_in_order_and_only_once(dev: ModuleType, checkout: Path, installed: list[str]) -> None:
    assert dev.setup([]) == 0
    assert installed == [
        AT_HAND,
        f"-r {checkout / 'requirements.lock'}",
        f"--no-deps --no-build-isolation -e {checkout}",
    ]
    assert dev.setup([]) == 0
    assert len(installed) == 3


def change(name: str) -> Callable[[Path, pytest.MonkeyPatch], object]:
    return lambda checkout, monkeypatch: (checkout / name).write_text("other", encoding="utf-8")


@pytest.mark.parametrize(
    "happen",
    [
        change("requirements.lock"),
        change("pyproject.toml"),
        change("setup.cfg"),
        change(".venv/pyvenv.cfg"),
        lambda checkout, monkeypatch: monkeypatch.setenv("MOLGRAPH_TORCH", "cuda"),
        lambda checkout, monkeypatch: (checkout / ".venv" / "stamp").unlink(),
    ],
    ids=["lock", "pyproject", "setup.cfg", "python", "variable", "stamp"],
)
def test_setup_runs_again_after_a_change(
    dev: ModuleType,
    checkout: Path,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    happen: Callable[[Path, pytest.MonkeyPatch], object],
) -> None:
    dev.setup([])
    assert dev.is_ready()
    happen(checkout, monkeypatch)
    assert not dev.is_ready()
    dev.setup([])
    assert len(installed) == 6
    assert dev.is_ready()


def test_a_failed_setup_is_not_taken_for_done(
    dev: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [sys.executable, "-c", "print('No space left on device'); raise SystemExit(3)"]
    run = dev.run
    monkeypatch.setattr(dev, "run", lambda title, command, advice, needed=True: run(title, told, advice, needed=needed))
    assert dev.main(["setup"]) == 1
    said = capsys.readouterr()
    assert "torch, CPU build at hand ... none" in said.out
    assert "No space left on device" in said.err
    assert "Mend that and run the same command again" in said.err
    assert str(checkout / ".venv" / "log") in said.err
    assert not dev.is_ready()


def test_a_broken_environment_is_made_anew(
    dev: ModuleType, checkout: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / ".venv" / "old").touch()
    monkeypatch.setattr(dev, "PYTHON", checkout / ".venv" / "gone")
    made = []

    def run(title: str, command: list[str], advice: str) -> bool:
        made.append(command)
        (checkout / ".venv" / "pyvenv.cfg").touch()
        return True

    monkeypatch.setattr(dev, "run", run)
    dev.setup([])
    assert made == [[sys.executable, "-m", "venv", str(checkout / ".venv")]]
    assert not (checkout / ".venv" / "old").exists()


def test_an_environment_works_when_its_python_has_pip(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    assert dev.works()
    monkeypatch.setattr(dev, "PYTHON", tmp_path / "gone")
    assert not dev.works()


def test_clean_removes_only_what_was_made(dev: ModuleType, checkout: Path) -> None:
    for name in ("demo", "build", ".pytest_cache", "runs", "datasets"):
        (checkout / name).mkdir()
    (checkout / ".coverage.host.pid1").touch()
    assert dev.clean([]) == 0
    left = {path.name for path in checkout.iterdir()}
    assert left == {"runs", "datasets", "requirements.lock", "pyproject.toml", "setup.cfg"}


# Exit codes and the command line


@pytest.mark.parametrize("code", [0, 5])
def test_the_exit_code_of_the_program_is_ours(dev: ModuleType, checkout: Path, installed: list[str], code: int) -> None:
    assert dev.tool("-c", f"raise SystemExit({code})") == code


@posix_only
def test_a_killed_program_counts_as_shells_count(dev: ModuleType, checkout: Path, installed: list[str]) -> None:
    assert dev.tool("-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == 137


def test_every_check_runs_and_the_first_failure_decides(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter([0, 3, 0, 4])
    monkeypatch.setattr(dev, "tool", lambda *arguments: next(codes))
    assert dev.lint([]) == 3
    assert next(codes, None) is None


def test_dev_needs_the_standard_library_only() -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "dev.py"), "--help"]
    said = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    assert "python dev.py demo|test|lint|bench|setup|clean" in said


def test_an_unknown_command_is_refused(dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["tset"]) == 2
    assert "demo|test|lint" in capsys.readouterr().out


def test_an_old_python_is_told_what_to_do(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "OLDEST", (9, 1))
    assert dev.main(["test"]) == 1
    assert "run python9.1 dev.py test" in capsys.readouterr().err


def test_make_knows_the_same_commands(dev: ModuleType) -> None:
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets is not None
    assert targets[1].split() == list(dev.COMMANDS)


# The lock


@pytest.fixture(scope="module")
def lock() -> dict[str, Requirement]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return {pin.name: pin for pin in map(Requirement, filter(None, lines))}


@pytest.fixture(scope="module")
def project() -> Project:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_lock_holds_exact_pins_from_no_named_index(lock: dict[str, Requirement]) -> None:
    assert all(pin.url is None and re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in lock.values())
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "+cpu" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_leaves_torch_to_dev(dev: ModuleType, lock: dict[str, Requirement], project: Project) -> None:
    assert not [name for name in lock if re.match(r"(torch|triton)$|nvidia|cuda", name)]
    assert project["tool"]["uv"]["constraint-dependencies"] == [f"torch=={dev.TORCH}"]


def test_the_lock_covers_what_the_project_asks_for(lock: dict[str, Requirement], project: Project) -> None:
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, asked):
        if requirement.name != "torch":
            assert requirement.specifier.contains(str(lock[requirement.name].specifier).removeprefix("=="))


@pytest.mark.parametrize(
    ("name", "python", "system", "machine", "there"),
    [
        ("deepchem", "3.11", "linux", "x86_64", True),
        ("deepchem", "3.12", "linux", "x86_64", False),
        ("cuik-molmaker-pin", "3.11", "linux", "x86_64", True),
        ("cuik-molmaker-pin", "3.14", "linux", "aarch64", True),
        ("cuik-molmaker-pin", "3.13", "darwin", "arm64", True),
        ("cuik-molmaker-pin", "3.12", "win32", "AMD64", True),
        ("cuik-molmaker-pin", "3.12", "darwin", "x86_64", False),
        ("cuik-molmaker-pin", "3.12", "win32", "ARM64", False),
        ("cuik-molmaker-pin", "3.15", "linux", "x86_64", False),
        ("appnope", "3.11", "linux", "x86_64", False),
        ("pexpect", "3.11", "win32", "AMD64", False),
    ],
)
def test_the_lock_asks_for_a_package_where_there_is_one(
    lock: dict[str, Requirement], name: str, python: str, system: str, machine: str, there: bool
) -> None:
    marker = lock[name].marker
    assert marker is not None
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_machine": machine,
    }
    assert marker.evaluate(environment) is there
