"""Ctrl-C held back while a study writes its books, let through while a model trains."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Hold:
    """Raise KeyboardInterrupt where it does no harm: at once inside `let`, else when `let` or `check` comes next.

    An interrupt in the midst of a write to the study's storage would leave what this process knows of it half updated.
    """

    def __init__(self) -> None:
        self.pending = self.open = False

    def __call__(self, *_: object) -> None:
        if self.open:
            raise KeyboardInterrupt
        self.pending = True

    def check(self) -> None:
        """Raise what was held back."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def let(self) -> Iterator[None]:
        """Let Ctrl-C through inside the block."""
        self.open = True
        try:
            self.check()
            yield
        finally:
            self.open = False

    def through(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items; Ctrl-C is let through while the next one is made."""
        iterator = iter(items)
        while True:
            with self.let():
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item


@contextlib.contextmanager
def held() -> Iterator[Hold]:
    """Hold Ctrl-C back inside the block; only the main thread can, in others nothing changes."""
    hold = Hold()
    if threading.current_thread() is not threading.main_thread():
        yield hold
        return
    before = signal.signal(signal.SIGINT, hold)
    try:
        yield hold
    finally:
        signal.signal(signal.SIGINT, before)
    hold.check()
