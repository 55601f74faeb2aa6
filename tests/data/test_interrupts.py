import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from rdkit import Chem

from molgraph.data.interrupts import rearm


def searched() -> None:
    """Do what makes RDKit leave its SIGINT handler behind."""
    Chem.MolFromSmiles("CCO").HasSubstructMatch(Chem.MolFromSmarts("O"))


@pytest.mark.skipif(os.name == "nt", reason="os.kill means another thing on Windows")
def test_ctrl_c_is_raised_again_after_rdkit_took_it():
    searched()
    rearm()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)


def test_other_threads_and_who_ignores_ctrl_c_are_left_alone():
    failed: list[BaseException] = []

    def work() -> None:
        try:
            rearm()
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failed
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "from molgraph.data.interrupts import rearm; rearm();"
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


SEARCHES = """
import sys
from rdkit import Chem
from molgraph.data.interrupts import kept
wide = Chem.MolFromSmiles("CC(C)(C)C(C(C)(C)C)(C(C)(C)C)C(C)(C)C")
path = Chem.MolFromSmarts("*~*~*~*~*~*~*~*")
def count():
    return len(wide.GetSubstructMatches(path, uniquify=False, maxMatches=10**6))

counts = {count()}
try:
    with kept():
        print("searching", flush=True)
        while True:
            counts.add(count())
except KeyboardInterrupt:
    print(len(counts), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
@pytest.mark.parametrize("wait", [0.0, 0.05, 0.13, 0.31])
def test_a_search_is_finished_before_ctrl_c_is_raised(wait):
    run = subprocess.Popen([sys.executable, "-c", SEARCHES], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None and run.stdout.readline() == "searching\n"
    time.sleep(wait)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out.strip()) == (0, "1") and "interrupted" not in err, err


RESTORED = """
import os, signal, time
from molgraph.data.interrupts import kept

def asked(number, frame): ...

def blocked():
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])

signal.signal(signal.SIGUSR1, asked)
with kept():
    assert blocked()
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)
        assert False, "not woken"
    except KeyboardInterrupt:
        pass
assert signal.getsignal(signal.SIGUSR1) is asked and not blocked()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def test_what_was_there_before_is_there_after():
    subprocess.run([sys.executable, "-c", RESTORED], check=True, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_what_is_started_while_it_is_ignored_does_not_hear_ctrl_c():
    from molgraph.data.interrupts import ignored

    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    before = signal.getsignal(signal.SIGINT)
    with ignored():
        deaf = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    hears = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (deaf.stdout.strip(), hears.stdout.strip()) == ("True", "False")
    assert signal.getsignal(signal.SIGINT) is before
