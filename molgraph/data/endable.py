"""Calls of native code that can be ended: they run in a process of their own, and it ends where one takes too long.

Python cannot stop a native call of its own process, and Ctrl-C waits for it. The other process is started once, when it
is first needed, and is a bare interpreter, so that a script or notebook needs no `if __name__ == "__main__"`.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from molgraph.errors import ConfigError

VARIABLE = "MOLGRAPH_LIMIT"  # seconds; the environment reaches the workers of a screen, too
USUAL = 20.0
GRACE = 60.0  # more seconds for the process to start and to end itself, before it is killed
START = "import sys; sys.path[:] = {path!r}; from molgraph.data.endable import serve; serve()"
DONE, RAISED, STEP = "done", "raised", "step"


class TooLong(Exception):
    """Tell that a call was ended; `step` is what it was at."""

    def __init__(self, step: str, crashed: bool = False) -> None:
        super().__init__(step)
        self.step, self.crashed = step, crashed


class Stopped(Exception):
    """Tell that a call was ended because nobody wants its answer any more: what comes after it is not wanted, too."""


def limit() -> float:
    """Return how many seconds one call may take.

    Raises: ConfigError where the variable MOLGRAPH_LIMIT holds no number above 0.
    """
    text = os.environ.get(VARIABLE, "")
    try:
        found = float(text) if text else USUAL
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise ConfigError(f"{VARIABLE} = {text!r}: write seconds, above 0.")
    return found


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Let one call take so long, in worker processes that are started now, too; None: as it was."""
    before = os.environ.get(VARIABLE)
    if seconds is not None:
        os.environ[VARIABLE] = str(seconds)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return `function(*arguments)`, computed in the other process.

    Raises: TooLong where it took too long, or ended its process; Stopped; and what the function raises.
    """
    _refuse_unwanted()
    with _lock:
        if not _others or not _others[0].alive:
            stop()
            _others[:] = [_Other()]
        return _others[0].call(function, arguments)


def step(name: str) -> None:
    """Say what comes next, in words for the person whose row is given up there; and that work goes on.

    Raises: Stopped in a thread whose work nobody wants any more.
    """
    _refuse_unwanted()
    if _tell is not None:
        _tell(STEP, name)


def listen(tell: Callable[[str, Any], None]) -> None:
    """Let steps of this process be told to somebody."""
    global _tell
    _tell = tell


def why(error: TooLong, cause: str = "") -> tuple[str, str]:
    """Return status and message of a row that was given up."""
    at = f" ({error.step})" if error.step else ""
    if error.crashed:
        return "crashed", f"a library broke down over this row{at}"
    cause = cause and f": {cause}"
    return "timeout", f"not done within {limit():g} s{at}{cause}; --limit gives it more time"


def until(ended: threading.Event) -> None:
    """Let the work of this thread go on, calls of other processes and steps, until an event."""
    _thread.ended = ended


def _refuse_unwanted() -> None:
    ended = getattr(_thread, "ended", None)
    if ended is not None and ended.is_set():
        raise Stopped


def stop() -> None:
    """End the call that another thread waits for; in between two calls `until` is what stops it."""
    for other in _others:
        other.end()


class _Other:
    """Hold the other process, and read what it says."""

    def __init__(self) -> None:
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is for us alone
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        code = START.format(path=[each for each in sys.path if each])
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **apart,
        )
        self.said: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
        self.stopped = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and not self.stopped

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            while (found := _receive(stream)) is not None:
                self.said.put(found)
        self.said.put(None)

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        assert self.process.stdin is not None
        at, end = "", time.monotonic() + limit() + GRACE
        try:
            _send(self.process.stdin, (function, arguments, limit()))
            while time.monotonic() < end:
                try:
                    found = self.said.get(timeout=0.2)  # Windows lets Ctrl-C in only between
                except queue.Empty:
                    step(at)  # whoever watches this process need not: that one is watched
                    continue
                if found is None:
                    break
                kind, value = found
                if kind == DONE:
                    return value
                if kind == RAISED:
                    raise value
                at = value
        except BrokenPipeError:
            pass
        except BaseException as error:
            if isinstance(error, Stopped) or not isinstance(error, Exception):  # Ctrl-C: it is wanted no more
                self.end()
            elif self.stopped:  # before it was told all
                raise Stopped from error
            raise
        if self.stopped:
            raise Stopped
        self.end()
        raise TooLong(at, crashed=self.process.returncode not in (1, -signal.SIGTERM))

    def end(self) -> None:
        assert self.process.stdin is not None
        self.stopped = True
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with suppress(OSError):  # what it was not told any more
            self.process.stdin.close()


_lock = threading.Lock()
_thread = threading.local()
_others: list[_Other] = []
_tell: Callable[[str, Any], None] | None = None
atexit.register(stop)


def serve() -> None:
    """Answer calls until the parent is gone; a call that takes too long ends the process, whatever it is at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    os.dup2(nowhere.fileno(), 1)  # what native code prints is no answer

    def tell(kind: str, value: Any) -> None:
        _send(answers, (kind, value))

    listen(tell)
    while (asked := _receive(sys.stdin.buffer)) is not None:
        function, arguments, seconds = asked
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)  # by a thread that Python does not hold up
        try:
            answer = DONE, function(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the other process
            answer = RAISED, error
        faulthandler.cancel_dump_traceback_later()
        tell(*answer)


def _send(stream: IO[bytes], value: Any) -> None:
    whole = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(len(whole).to_bytes(8, "little") + whole)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    """Return the next value, None at the end. Both ends are ours: no stranger's pickle comes this way."""
    try:
        head = stream.read(8)
        size = int.from_bytes(head, "little")
        whole = stream.read(size) if len(head) == 8 else b""
        return pickle.loads(whole) if whole and len(whole) == size else None
    except (OSError, ValueError, EOFError, pickle.UnpicklingError):
        return None
