"""Ctrl-C, kept in our hands."""

from __future__ import annotations

import signal
import threading


def rearm() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again.

    RDKit 2026.3 leaves a SIGINT handler of its own behind after a substructure search, and that one swallows Ctrl-C.
    Only the main thread may set handlers; called elsewhere this does nothing.
    """
    if threading.current_thread() is threading.main_thread():
        ours = signal.getsignal(signal.SIGINT)  # as Python knows it; RDKit changed it behind Python's back
        if ours is not None:
            signal.signal(signal.SIGINT, ours)
