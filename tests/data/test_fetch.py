"""Downloads against a server on this machine that misbehaves in every way we know of."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from molgraph.data import fetch as module
from molgraph.data.fetch import Expected, fetch
from molgraph.errors import ConfigError, DataError, ResourceError

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()
KNOWN = Expected(SHA256)
Answer = Callable[[BaseHTTPRequestHandler, int], None]


class Server:
    """Answer each request with the next of `script` (the last one again and again); keep what was asked."""

    def __init__(self) -> None:
        self.script: list[Answer] = [whole]
        self.ranges: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.ranges.append(self.headers.get("Range"))
                given = self.headers.get("Range") or "bytes=0-"
                server.script[min(len(server.ranges), len(server.script)) - 1](self, int(given[6:-1]))

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/set.csv"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def whole(handler: BaseHTTPRequestHandler, start: int) -> None:
    send(handler, 200, BODY, Content_Length=str(len(BODY)), ETag='"one"')


def ranged(handler: BaseHTTPRequestHandler, start: int) -> None:
    rest = BODY[start:]
    where = f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"
    send(handler, 206, rest, Content_Length=str(len(rest)), Content_Range=where, ETag='"one"')


def broken(after: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, start: int) -> None:
        send(handler, 200, BODY[:after], Content_Length=str(len(BODY)), ETag='"one"')

    return answer


def status(code: int) -> Answer:
    return lambda handler, start: send(handler, code, b"no", Content_Length="2")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "set.csv"


def run(server: Server, target: Path, expected: Expected = KNOWN, attempts: int = 3) -> Path:
    return fetch(server.url, target, expected, attempts=attempts, pause=0.001, timeout=5.0)


def left(target: Path) -> list[str]:
    return sorted(file.name for file in target.parent.iterdir())


def test_a_whole_file_is_put_in_its_place_and_nothing_else_is_left(server: Server, target: Path) -> None:
    assert run(server, target, Expected(SHA256, MD5, len(BODY))) == target
    assert target.read_bytes() == BODY
    assert left(target) == ["set.csv"]


def test_a_broken_download_goes_on_from_where_it_broke(server: Server, target: Path) -> None:
    server.script = [broken(after=100_000), ranged]
    run(server, target)
    assert target.read_bytes() == BODY
    assert server.ranges == [None, "bytes=100000-"]


def test_a_later_call_goes_on_from_the_part_of_an_earlier_one(server: Server, target: Path) -> None:
    server.script = [broken(after=70_000)]
    with pytest.raises(
        ResourceError, match=r"gave up after 1 attempts: it promised 256000 bytes and broke off after 70000"
    ):
        run(server, target, attempts=1)
    assert left(target) == ["set.csv.part", "set.csv.part.tag"]
    server.script = [ranged]
    run(server, target)
    assert target.read_bytes() == BODY
    assert server.ranges[-1] == "bytes=70000-"
    assert left(target) == ["set.csv"]


def test_without_a_version_or_a_checksum_a_part_is_not_trusted(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "set.csv.part").write_bytes(b"from another time")
    run(server, target, Expected())
    assert server.ranges == [None]
    assert target.read_bytes() == BODY


def test_a_server_that_ignores_the_range_is_read_from_the_start(server: Server, target: Path) -> None:
    server.script = [broken(after=50_000), whole]
    run(server, target)
    assert server.ranges == [None, "bytes=50000-"]
    assert target.read_bytes() == BODY


def test_a_server_that_always_breaks_off_is_given_up_with_what_was_kept(server: Server, target: Path) -> None:
    server.script = [broken(after=1000)]
    with pytest.raises(ResourceError, match=r"gave up after 3 attempts.*kept in .*set\.csv\.part"):
        run(server, target)
    assert not target.exists()


def test_a_length_that_promises_too_much_is_noticed(server: Server, target: Path) -> None:
    server.script = [lambda h, start: send(h, 200, BODY, Content_Length=str(len(BODY) + 10))]
    with pytest.raises(ResourceError, match=r"promised 256010 bytes and broke off after 256000"):
        run(server, target)
    assert not target.exists()


def test_a_length_that_promises_too_little_is_noticed_by_the_checksum(server: Server, target: Path) -> None:
    server.script = [lambda h, start: send(h, 200, BODY[: len(BODY) - 10], Content_Length=str(len(BODY) - 10))]
    with pytest.raises(DataError, match=f"sha256 is [0-9a-f]{{64}}, expected {SHA256}"):
        run(server, target)
    assert left(target) == []


@pytest.mark.parametrize("expected", [Expected(SHA256), Expected(md5=MD5), Expected(size=len(BODY))])
def test_a_wrong_file_is_refused_and_not_kept(server: Server, target: Path, expected: Expected) -> None:
    server.script = [lambda h, start: send(h, 200, b"<html>sorry</html>", Content_Length="18")]
    with pytest.raises(DataError, match="expected") as caught:
        run(server, target, expected)
    assert server.url in str(caught.value)
    assert left(target) == []


def test_a_part_of_another_version_is_noticed_and_everything_fetched_again(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "set.csv.part").write_bytes(b"x" * 500)
    server.script = [ranged, whole]
    run(server, target)
    assert server.ranges == ["bytes=500-", None]
    assert target.read_bytes() == BODY


def test_a_changed_file_is_fetched_whole_because_its_tag_is_sent(server: Server, target: Path) -> None:
    tags: list[str | None] = []

    def changed(handler: BaseHTTPRequestHandler, start: int) -> None:
        tags.append(handler.headers.get("If-Range"))
        send(handler, 200, b"second version", Content_Length="14", ETag='"two"')

    server.script = [broken(after=1000), changed]
    run(server, target, Expected())
    assert tags == ['"one"']
    assert target.read_bytes() == b"second version"


def test_an_answer_from_the_wrong_place_is_no_continuation(server: Server, target: Path) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler, start: int) -> None:
        send(handler, 206, BODY[7:], Content_Length=str(len(BODY) - 7), Content_Range=f"bytes 7-255999/{len(BODY)}")

    server.script = [broken(after=1000), elsewhere, ranged]
    run(server, target)
    assert target.read_bytes() == BODY


def test_a_refused_range_starts_over(server: Server, target: Path) -> None:
    server.script = [broken(after=1000), status(416), whole]
    run(server, target)
    assert server.ranges == [None, "bytes=1000-", None]
    assert target.read_bytes() == BODY


def test_a_fault_that_may_pass_is_tried_again(server: Server, target: Path) -> None:
    server.script = [status(500), status(503), whole]
    run(server, target)
    assert target.read_bytes() == BODY


def test_a_fault_that_stays_is_told_with_its_code(server: Server, target: Path) -> None:
    server.script = [status(500)]
    with pytest.raises(ResourceError, match="gave up after 2 attempts: the server answered 500"):
        run(server, target, attempts=2)
    assert len(server.ranges) == 2


def test_a_missing_file_is_not_asked_for_twice(server: Server, target: Path) -> None:
    server.script = [status(404)]
    with pytest.raises(DataError, match=re.escape(f"{server.url}: the server answered 404") + ".*MOLGRAPH_DATA"):
        run(server, target)
    assert len(server.ranges) == 1


def test_no_server_at_all_is_a_resource_error(target: Path) -> None:
    gone = Server()
    gone.close()
    with pytest.raises(ResourceError, match="the connection failed"):
        run(gone, target, attempts=2)


def test_a_server_that_says_nothing_runs_out_of_time(server: Server, target: Path) -> None:
    quiet = threading.Event()
    server.script = [lambda h, start: bool(quiet.wait(5)) and None]
    with pytest.raises(ResourceError, match="timed out"):
        fetch(server.url, target, attempts=1, timeout=0.2)
    quiet.set()


def test_a_folder_that_cannot_be_written_names_itself(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ResourceError, match=r"cannot write .*MOLGRAPH_CACHE"):
        run(server, tmp_path / "file" / "set.csv")


def test_a_full_disk_is_a_resource_error_and_leaves_no_target(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_copy", full)
    with pytest.raises(ResourceError, match="No space left on device"):
        run(server, target)
    assert not target.exists()


def test_only_web_addresses_are_fetched(target: Path) -> None:
    with pytest.raises(ConfigError, match="only http"):
        fetch("file:///etc/passwd", target)


@pytest.mark.parametrize(
    "url",
    ["http://example.org/a", "ftp://127.0.0.1/a", "file:///etc/passwd", "http://127.0.0.1.example.org/a", "a.csv"],
)
def test_only_https_is_fetched_from_elsewhere(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only https"):
        fetch(url, tmp_path / "a")


@pytest.mark.parametrize(
    "url", ["https://example.org/a", "http://localhost:8/a", "http://127.0.0.1/a", "http://[::1]:9/a"]
)
def test_what_is_safe(url: str) -> None:
    assert module.is_safe(url)


@pytest.mark.parametrize("goal", ["http://example.org/other.csv", "ftp://127.0.0.1/other.csv"])
def test_a_redirection_to_an_open_line_is_refused(server: Server, goal: str, tmp_path: Path) -> None:
    server.script = [lambda handler, start: send(handler, 302, b"", Location=goal, Content_Length="0")]
    with pytest.raises(DataError, match="no https"):
        fetch(server.url, tmp_path / "set.csv", KNOWN)
    assert not list(tmp_path.iterdir())


def test_a_redirection_on_this_machine_is_followed(server: Server, tmp_path: Path) -> None:
    there = server.url.replace("set.csv", "other.csv")
    server.script = [lambda handler, start: send(handler, 301, b"", Location=there, Content_Length="0"), whole]
    assert fetch(server.url, tmp_path / "set.csv", KNOWN).read_bytes() == BODY


def test_a_server_that_never_ends_is_left(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 1000)
    sent = []

    def endless(handler: BaseHTTPRequestHandler, start: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while len(sent) < 100_000:
                handler.wfile.write(b"x" * 1000)
                sent.append(1)

    server.script = [endless]
    with pytest.raises(DataError, match="more than the 5000 bytes"):
        fetch(server.url, tmp_path / "set.csv", Expected(size=5000), attempts=1)
    assert not list(tmp_path.iterdir()) and len(sent) < 100_000


def test_a_file_that_is_announced_too_large_is_not_begun(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"has {len(BODY)} bytes, expected 10"):
        fetch(server.url, tmp_path / "set.csv", Expected(size=10))
    assert not list(tmp_path.iterdir())
