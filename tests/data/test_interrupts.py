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
