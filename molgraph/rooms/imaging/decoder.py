"""Unpack with GDCM in a process of its own: on damaged data GDCM ends the process that it works in."""

from __future__ import annotations

import atexit
import io
import os
import struct
import subprocess
import sys
import threading
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

GROUPS = (0x0028, 0x7FE0)  # what says how pixels are stored, and the pixels
SIZE = struct.Struct("<Q")
DONE, FAILED = b"+", b"-"
PATIENCE = 5.0  # seconds for the other process to end when this one does


class Decoder:
    """Keep a process that unpacks one picture after the other, and start another where it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def decode(self, ds: FileDataset) -> NDArray[Any]:
        """Return the stored values, colour as RGB.

        Raises: RuntimeError where the pixels are damaged.
        """
        request = _packed(ds)
        with self._lock:
            process = self._started()
            stdin, stdout = process.stdin, process.stdout
            assert stdin is not None and stdout is not None
            try:
                _send(stdin, request)
                status, answer = stdout.read(1), _received(stdout)
            except (OSError, EOFError) as error:
                self.close()
                raise RuntimeError("GDCM gave up on it") from error
            except BaseException:  # half an answer is still to come: it must not be taken for the next one
                self.close()
                raise
        if status != DONE:
            raise RuntimeError(answer.decode("utf-8", "replace"))
        found: NDArray[Any] = np.load(io.BytesIO(answer), allow_pickle=False)
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            paths = os.pathsep.join(filter(None, sys.path))  # it finds what this process finds
            self._process = subprocess.Popen(
                [sys.executable, "-m", "molgraph.rooms.imaging.decoder"],
                env={**os.environ, "PYTHONPATH": paths},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            atexit.register(self.close)
        return self._process

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        atexit.unregister(self.close)
        if process is not None:
            process.kill()
            process.communicate(timeout=PATIENCE)


def _packed(ds: FileDataset) -> bytes:
    """Return the picture alone, as a file."""
    alone = Dataset()
    for group in GROUPS:
        alone.update(ds.group_dataset(group))
    alone.file_meta = FileMetaDataset()
    alone.file_meta.TransferSyntaxUID = ds.file_meta.TransferSyntaxUID
    stream = io.BytesIO()
    alone.save_as(stream)
    return stream.getvalue()


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(SIZE.pack(len(data)))
    stream.write(data)
    stream.flush()


def _received(stream: IO[bytes]) -> bytes:
    head = stream.read(SIZE.size)
    if len(head) < SIZE.size:
        raise EOFError
    size = SIZE.unpack(head)[0]
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Unpack what is asked for until nobody asks any more."""
    while True:
        try:
            request = _received(requests)
        except EOFError:
            return
        try:
            ds = dcmread(io.BytesIO(request), force=True)
            ds.pixel_array_options(decoding_plugin="gdcm")
            stream = io.BytesIO()
            np.save(stream, ds.pixel_array, allow_pickle=False)
            status, answer = DONE, stream.getvalue()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other process says it
            status, answer = FAILED, str(error).encode()
        answers.write(status)
        _send(answers, answer)


DECODER = Decoder()

if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
