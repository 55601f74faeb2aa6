from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from molgraph.tune.hold import held

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_ctrl_c_waits_for_a_place_where_it_does_no_harm():
    before = signal.getsignal(signal.SIGINT)
    with held() as hold:
        interrupt()
        written = True
        with pytest.raises(KeyboardInterrupt):
            hold.check()
        hold.check()
    assert written and signal.getsignal(signal.SIGINT) is before


def test_while_a_model_trains_it_strikes_at_once():
    def epochs() -> Iterator[int]:
        yield 1
        interrupt()
        yield 2

    seen = []
    with held() as hold, pytest.raises(KeyboardInterrupt):
        for epoch in hold.through(epochs()):
            seen.append(epoch)
    assert seen == [1]


def test_what_was_held_back_stops_the_next_epoch():
    seen = []
    with held() as hold, pytest.raises(KeyboardInterrupt):
        for epoch in hold.through(range(3)):
            seen.append(epoch)
            interrupt()
    assert seen == [0]


def test_items_come_through():
    with held() as hold:
        assert list(hold.through(range(3))) == [0, 1, 2]
