import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from molgraph.cli import parser
from molgraph.data import endable
from molgraph.data.endable import Stopped, TooLong, call
from molgraph.errors import ConfigError
from molgraph.options import row_limit


@pytest.fixture(autouse=True)
def _ended():
    yield
    endable.stop()


def test_a_call_gives_what_it_would_give_here():
    assert call(divmod, 7, 2) == (3, 1)
    assert call(os.getpid) != os.getpid()
    assert call(os.getpid) == call(os.getpid)  # one process for all


def test_what_a_call_raises_is_raised_here_and_the_next_is_answered():
    with pytest.raises(ZeroDivisionError):
        call(divmod, 7, 0)
    assert call(divmod, 7, 2) == (3, 1)


def test_what_a_call_prints_is_no_answer():
    assert call(os.system, "echo printed") == 0
    assert call(print, "printed") is None


def test_a_call_that_takes_too_long_is_ended_even_in_native_code(monkeypatch):
    call(divmod, 1, 1)
    monkeypatch.setenv(endable.VARIABLE, "0.3")
    with pytest.raises(TooLong) as told:
        call(sum, range(10**12))  # never gives Python a turn
    assert not told.value.crashed
    monkeypatch.delenv(endable.VARIABLE)
    assert call(divmod, 7, 2) == (3, 1)


def test_a_call_that_breaks_its_process_down_is_told():
    with pytest.raises(TooLong) as told:
        call(os.abort)
    assert told.value.crashed


def test_a_call_that_another_thread_waits_for_can_be_stopped():
    found = []

    def wait():
        try:
            call(time.sleep, 600)
        except Stopped as error:  # not TooLong, after which the next row would be tried
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while not (endable._others and endable._others[0].alive):
        time.sleep(0.01)
    endable.stop()
    thread.join(30)
    assert len(found) == 1
    assert call(divmod, 7, 2) == (3, 1)


def test_a_thread_that_is_stopped_between_two_calls_makes_no_other():
    ended, between, found = threading.Event(), threading.Event(), []

    def work():
        endable.until(ended)
        found.append(call(divmod, 7, 2))
        between.set()
        ended.wait(30)
        for more in (lambda: call(divmod, 7, 2), lambda: endable.step("more")):
            try:
                found.append(more())
            except Stopped:
                found.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    between.wait(30)
    ended.set()
    endable.stop()
    thread.join(30)
    assert found == [(3, 1), "stopped", "stopped"]
    assert call(divmod, 7, 2) == (3, 1)  # this thread's work is wanted


def test_an_event_ends_a_call_that_has_begun():
    ended, found = threading.Event(), []

    def work():
        endable.until(ended)
        try:
            call(time.sleep, 600)
        except Stopped:
            found.append("stopped")

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.5)
    ended.set()
    thread.join(30)
    assert found == ["stopped"]


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf"])
def test_a_limit_that_is_none_is_told(monkeypatch, text):
    monkeypatch.setenv(endable.VARIABLE, text)
    with pytest.raises(ConfigError, match="MOLGRAPH_LIMIT"):
        endable.limit()


SCRIPT = """
from molgraph.data.endable import call
print(call(divmod, 7, 2))
call(sum, range(10**12))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of another process")
def test_a_script_needs_no_guard_and_ctrl_c_ends_it_at_once(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-u", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"(3, 1)\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert out == b"" and b"KeyboardInterrupt" in err


def test_a_limit_holds_while_a_command_runs(monkeypatch):
    monkeypatch.delenv(endable.VARIABLE, raising=False)
    with endable.limited(90.0):
        assert endable.limit() == 90
        with endable.limited(None):
            assert endable.limit() == 90
    assert endable.limit() == endable.USUAL and endable.VARIABLE not in os.environ


def test_the_limit_of_a_command_is_a_time():
    parse = parser().parse_args
    assert row_limit(parse(["predict", "a.csv", "--model", "m", "-o", "b.csv", "--limit", "1m30s"])) == 90
    assert row_limit(parse(["predict", "a.csv", "--model", "m", "-o", "b.csv"])) is None
    with pytest.raises(ConfigError, match="--limit soon: write a time"):
        row_limit(parse(["screen", "a.csv", "--model", "m", "--out", "b", "--limit", "soon"]))
