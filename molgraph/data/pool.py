"""Jobs in several processes, each ended where it comes to no end; imports no torch, so that they start fast.

A process watches itself, by a thread of `faulthandler` that no native code holds up: without a word (`endable.step`)
for too long, it ends. Its job is then done row by row in another, to tell which rows it was, and again without those.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from pickle import PicklingError
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from molgraph.data import endable
from molgraph.data.endable import Stopped, TooLong
from molgraph.data.interrupts import ignored
from molgraph.errors import ResourceError

T = TypeVar("T")
R = TypeVar("R")
READY = "ready"
SILENCE = 3.0  # limits without a word, after which a job is taken to come to no end; 20 s and more for its other rows
LAST = 20.0
FIRST = 10.0  # more seconds for the first job of a process: what it needs is imported there
SAID = 0.25  # seconds between two words
ENDED = 1  # exit code of faulthandler
BROKE = {
    -number for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL") if (number := getattr(signal, name, 0))
}
DIED = "a worker process died, perhaps for want of memory; try fewer workers"


class Parts(Protocol[T]):
    """Take a job apart: its rows as jobs of their own, and the job without those that were lost."""

    def rows(self, job: T) -> Sequence[T]: ...

    def without(self, job: T, lost: dict[int, TooLong]) -> T: ...


class Done(NamedTuple, Generic[T, R]):
    """Hold a job, its number, what came of it, and why its rows were lost that no answer speaks of, by position."""

    number: int
    job: T
    result: R
    lost: dict[int, TooLong]


class _Of(Parts[list[T]]):
    """Take a list of rows apart."""

    def rows(self, job: list[T]) -> Sequence[list[T]]:
        return [[row] for row in job]

    def without(self, job: list[T], lost: dict[int, TooLong]) -> list[T]:
        return [row for at, row in enumerate(job) if at not in lost]


def in_processes(
    work: Callable[[list[T]], R], chunks: Iterable[list[T]], workers: int, instead: Callable[[TooLong], R]
) -> Iterator[list[tuple[list[T], R]]]:
    """Yield what comes of every chunk, in order: the chunk with `work(chunk)`, and then each row that was lost, with
    what stands for it; the chunk is without those.

    With one worker it is done here, where nothing watches.

    Raises: ResourceError where a worker dies.
    """
    if workers == 1:
        yield from ([(chunk, work(chunk))] for chunk in chunks)
        return
    parts, waiting, number = _Of[T](), dict[int, Done[list[T], R]](), 0
    for done in as_finished(work, chunks, workers, parts):
        waiting[done.number] = done
        while number in waiting:
            _, chunk, result, lost = waiting.pop(number)
            alone = [([chunk[at]], instead(error)) for at, error in lost.items()]
            yield [(parts.without(chunk, lost), result), *alone]
            number += 1


def as_finished(
    work: Callable[[T], R],
    jobs: Iterable[T],
    workers: int,
    parts: Parts[T],
    *,
    start: Callable[[], None] | None = None,
    died: str = DIED,
) -> Generator[Done[T, R], None, None]:
    """Yield what comes of every job as it is finished; jobs are taken only as fast as they are done, one ahead of each.

    `start` is called first in every process. An interrupt, or who wants no more, ends the processes at once.

    Raises: ResourceError where a process dies for want of memory, or of a cause that is in no row.
    """
    crew = [_Worker(work, start) for _ in range(workers)]
    ahead = _Ahead(jobs, workers)
    _crews.append(crew)

    def feed(worker: _Worker[T, R]) -> None:
        if (found := ahead.next()) is not None:
            worker.take(*found, parts, died)

    try:
        for worker in crew:
            feed(worker)
        while busy := {worker.ours: worker for worker in crew if worker.task is not None}:
            ahead.fill()
            for ready in connection.wait(list(busy), timeout=0.2):  # Windows lets Ctrl-C in only between
                worker = busy[ready]
                if (done := worker.heard()) is not None:
                    feed(worker)
                    yield done
    finally:
        _crews.remove(crew)
        for worker in crew:
            worker.end()


def stop() -> None:
    """End the jobs that another thread waits for."""
    for crew in list(_crews):
        for worker in crew:
            worker.end()


_crews: list[list[_Worker[Any, Any]]] = []


class _Ahead(Generic[T]):
    """Take jobs a little before they are wanted."""

    def __init__(self, jobs: Iterable[T], count: int) -> None:
        self.jobs, self.count, self.taken = enumerate(jobs), count, list[tuple[int, T]]()

    def fill(self) -> None:
        while len(self.taken) < self.count and (found := next(self.jobs, None)) is not None:
            self.taken.append(found)

    def next(self) -> tuple[int, T] | None:
        return self.taken.pop(0) if self.taken else next(self.jobs, None)


class _Worker(Generic[T, R]):
    """Hold one process, started when it is first needed, and again when it was ended."""

    def __init__(self, work: Callable[[T], R], start: Callable[[], None] | None) -> None:
        self.work, self.start = work, start
        self.process: Any = None
        self.ours: Any = None
        self.task: Generator[tuple[T, float], R | TooLong, Done[T, R]] | None = None
        self.asked: tuple[T, float] | None = None
        self.ready = self.stopped = False
        self.step = self.died = ""

    def take(self, number: int, job: T, parts: Parts[T], died: str) -> None:
        self.task, self.died = _whole_or_apart(number, job, parts), died
        self._ask(next(self.task))

    def _ask(self, asked: tuple[T, float]) -> None:
        self.asked, self.step = asked, ""
        if self.process is None:
            self._begin()
        if self.ready:  # it reads: nothing is in the way
            self.ours.send(asked)

    def _begin(self) -> None:
        endable.step("")
        if self.stopped:
            raise Stopped
        context = get_context("spawn")
        self.ours, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, self.work, self.start), daemon=True)
        with ignored():
            self.process.start()
        theirs.close()
        self.ready = False

    def heard(self) -> Done[T, R] | None:
        """Read what the process says, and return what came of its job where that is known now."""
        try:
            kind, value = self.ours.recv()
        except (EOFError, OSError):
            return self._told(self._why_it_ended())
        if kind == READY:
            self.ready = True
            assert self.asked is not None
            self.ours.send((self.asked[0], self.asked[1] + FIRST))
        elif kind == endable.STEP:
            self.step = value
        elif kind == endable.RAISED:
            raise value
        elif kind == endable.DONE:
            return self._told(value)
        return None

    def _told(self, answer: R | TooLong) -> Done[T, R] | None:
        assert self.task is not None
        try:
            self._ask(self.task.send(answer))
        except StopIteration as end:
            self.task = None
            found: Done[T, R] = end.value
            return found
        return None

    def _why_it_ended(self) -> TooLong:
        self.process.join()
        code, ready = self.process.exitcode, self.ready
        self._forget()
        if self.stopped:
            raise Stopped
        crashed = code in BROKE or code >= 2**30  # Windows: an exception's number
        if not ready or not (crashed or code == ENDED):
            raise ResourceError(self.died)
        return TooLong(self.step, crashed)

    def _forget(self) -> None:
        self.ours.close()
        self.process.close()
        self.process, self.ready = None, False

    def end(self) -> None:
        self.stopped = True
        with suppress(ValueError, AttributeError):  # another thread saw it end
            self.process.kill()
            self.process.join()


def _whole_or_apart(number: int, job: T, parts: Parts[T]) -> Generator[tuple[T, float], R | TooLong, Done[T, R]]:
    """Yield what is to be done next for a job, and how many seconds without a word it may take; return what came of it.

    Raises: ResourceError where every row alone comes to an end and the job does not.
    """
    limit = endable.limit()
    lost: dict[int, TooLong] = {}
    answer = yield job, SILENCE * limit
    if isinstance(answer, TooLong):
        rows = parts.rows(job)
        for at, row in enumerate(rows):
            alone = answer if len(rows) == 1 else (yield row, limit)
            if isinstance(alone, TooLong):
                lost[at] = alone
        answer = yield parts.without(job, lost), LAST * limit
    if isinstance(answer, TooLong):
        at_what = f" ({answer.step})" if answer.step else ""
        raise ResourceError(
            f"{len(rows)} rows came to no end together{at_what}, though each alone does; try fewer workers"
        )
    return Done(number, job, answer, lost)


class _Watch:
    """End this process where it says nothing for too long."""

    def __init__(self, theirs: Any) -> None:
        self.theirs, self.seconds = theirs, 0.0
        self.nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
        self.last, self.said = "", 0.0

    def begin(self, seconds: float) -> None:
        self.seconds = seconds
        self._again()

    def _again(self) -> None:
        faulthandler.dump_traceback_later(self.seconds, exit=True, file=self.nowhere)

    def end(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        self.seconds = 0.0

    def tell(self, kind: str, value: Any) -> None:
        """Say what comes next, and that work goes on; not more often than somebody listens."""
        now = time.monotonic()
        if self.seconds and (value != self.last or now - self.said > SAID):
            self._again()
            if value != self.last:
                self.theirs.send((kind, value))
            self.last, self.said = value, now


def _serve(theirs: Any, work: Callable[[Any], Any], start: Callable[[], None] | None) -> None:
    """Do one job after the other until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupts are for the parent
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    watch = _Watch(theirs)
    endable.listen(watch.tell)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        begun = _answer(start) if start is not None else (READY, None)
        theirs.send(begun if begun[0] == endable.RAISED else (READY, None))
        while begun[0] != endable.RAISED:
            job, seconds = theirs.recv()
            watch.begin(seconds)
            answer = _answer(work, job)
            watch.end()
            try:
                theirs.send(answer)
            except (PicklingError, TypeError, AttributeError) as error:
                theirs.send((endable.RAISED, RuntimeError(f"a worker cannot send {answer!r:.200}: {error}")))


def _answer(function: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    try:
        return endable.DONE, function(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the parent
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")  # a traceback cannot be sent
        return endable.RAISED, error


def _leave_with_parent() -> None:
    """End this process when its parent was killed, whatever it is at."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(ENDED)
