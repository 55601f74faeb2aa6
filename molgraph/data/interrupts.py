"""Ctrl-C, kept in our hands.

RDKit takes SIGINT over while it searches for substructures: a Ctrl-C then ends that search alone, with a wrong result
and without a word to Python; and RDKit 2026.3 leaves its handler behind after the search, which swallows every later
Ctrl-C too.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_kept = False


@contextmanager
def kept() -> Iterator[None]:
    """Let no other code see Ctrl-C while a command runs; it comes as KeyboardInterrupt in the main thread.

    SIGINT is blocked in every thread but one that waits for it and passes it on as SIGUSR1, which RDKit does not
    touch. Where that cannot be done (Windows, a thread that runs already and would take the signal), nothing is.
    """
    global _kept
    main = threading.current_thread()
    if sys.platform == "win32" or main is not threading.main_thread() or threading.active_count() > 1:
        yield
        return
    ended = threading.Event()

    def pass_on() -> None:
        while True:
            signal.sigwait({signal.SIGINT})
            if ended.is_set():
                return
            signal.pthread_kill(main.ident or 0, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, _as_interrupt)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    waiting = threading.Thread(target=pass_on, name="Ctrl-C", daemon=True)
    waiting.start()
    _kept = True
    try:
        yield
    finally:
        _kept = False
        ended.set()
        signal.pthread_kill(waiting.ident or 0, signal.SIGINT)
        waiting.join()
        rearm()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGUSR1, before)


def rearm() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again after RDKit, or who else, took it.

    Only the main thread may set handlers; called elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    ours = signal.getsignal(signal.SIGINT)  # as Python knows it; RDKit changed it behind Python's back
    if ours is not None:
        signal.signal(signal.SIGINT, ours)
    if _kept and sys.platform != "win32":  # Python 3.11 unblocks SIGINT where it starts its first worker process
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


@contextmanager
def ignored() -> Iterator[None]:
    """Ignore Ctrl-C while processes are started: they inherit that, and are not struck while they import."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _as_interrupt(number: int, frame: Any) -> None:
    """Do what Python would do at Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signal.SIGINT, frame)
