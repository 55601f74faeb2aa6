"""Download one file: resumed where it broke off, checked, and put in its place only when it is whole."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import itertools
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from molgraph.errors import ConfigError, DataError, ResourceError

BLOCK = 1 << 20
# Answers that a second try may change (RFC 9110, section 15): time-out, too many requests, server faults.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _BrokenOffError(Exception):
    """Say that a download ended before its end; another attempt may go on from there."""


@dataclass(frozen=True)
class Expected:
    """Hold what is known of a file before it is fetched; blank and 0 mean unknown."""

    sha256: str = ""
    md5: str = ""
    size: int = 0

    def check(self, file: Path, origin: str = "") -> None:
        """Compare a file with what was expected of it.

        Raises: DataError naming the file, what was expected, what is there and the remedy.
        """
        found: dict[str, object] = {"size in bytes": file.stat().st_size}
        wanted: dict[str, object] = {"size in bytes": self.size, "sha256": self.sha256, "md5": self.md5}
        for kind in ("sha256", "md5"):
            if wanted[kind]:
                found[kind] = digest(file, kind)
        for kind, want in wanted.items():
            if want and want != found[kind]:
                source = f" from {origin}" if origin else ""
                raise DataError(
                    f"{file}{source}: {kind} is {found[kind]}, expected {want}. "
                    "The file is damaged or another version: delete it and fetch it again, or fix the card."
                )


UNKNOWN = Expected()


def digest(file: Path, kind: str = "sha256") -> str:
    """Return the hexadecimal checksum of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def fetch(
    url: str,
    target: Path,
    expected: Expected = UNKNOWN,
    *,
    attempts: int = 4,
    pause: float = 1.0,
    timeout: float = 30.0,
) -> Path:
    """Download `url` to `target` and return `target`.

    What has arrived is kept in `<target>.part`, so that a later call goes on from there; `<target>.part.tag`
    names the version that the part belongs to, and a server that has another one by now is asked for the whole
    file (RFC 9110, section 13.1.5).

    Units: `pause` (before the second attempt, doubled before each further one) and `timeout` in seconds.
    Raises: DataError where the address does not exist or the file is not the expected one; ResourceError where
    the server cannot be reached, keeps breaking off, or the disk refuses.
    """
    if not is_safe(url):
        raise ConfigError(f"cannot fetch '{url}': only https:// addresses are fetched (http:// on this machine alone).")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in itertools.count(1):
            try:
                resumed = _receive(url, part, expected, timeout)
            except _BrokenOffError as error:
                if attempt >= attempts:
                    raise ResourceError(
                        f"{url}: gave up after {attempt} attempts: {error}. "
                        f"What arrived is kept in {part}; try again to go on from there."
                    ) from error
                time.sleep(pause * 2 ** (attempt - 1))
                continue
            try:
                expected.check(part, url)
            except DataError:
                _forget(part)
                if resumed and attempt < attempts:
                    continue  # the first half may have been of another version: once more from the start
                raise
            part.replace(target)
            _forget(part)
            break
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(
            f"cannot write {target}: {reason}. Free the disk or name another folder with MOLGRAPH_CACHE."
        ) from error
    return target


def is_safe(url: str) -> bool:
    """Tell whether nobody between here and the server can read or change what comes: https, or this machine itself."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or ""))


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Followed(urllib.request.HTTPRedirectHandler):
    """Follow a server to another address only where that one is as safe."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not is_safe(newurl):
            fp.close()
            raise DataError(
                f"{req.full_url}: the server sends to '{newurl}', which is no https:// address. Check the card."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(url: str, part: Path, expected: Expected, timeout: float) -> bool:
    """Append what is missing to `part`; return whether it began with bytes of an earlier attempt."""
    have, tag = _kept(part, expected)
    headers = {"Accept-Encoding": "identity", "User-Agent": "molgraph"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": tag} if tag else {})
    try:
        opener = urllib.request.build_opener(_Followed)
        with opener.open(urllib.request.Request(url, headers=headers), timeout=timeout) as answer:
            start, total = _span(answer, have)
            most = expected.size or total
            if expected.size and total is not None and total > expected.size:
                _forget(part)
                raise DataError(
                    f"{url}: has {total} bytes, expected {expected.size}. It is another version: fix the card."
                )
            _tag(part).write_text(_version(answer.headers), encoding="utf-8")
            with part.open("r+b" if start else "wb") as stream:
                stream.seek(start)
                stream.truncate()
                got = start + _copy(answer, stream, start, total, part.stem, most)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # the part is no beginning of what the server has now
                _forget(part)
                raise _BrokenOffError("the server refused to go on from where it broke off") from error
            if error.code in PASSING:
                raise _BrokenOffError(f"the server answered {error.code} {error.reason}") from error
            raise DataError(
                f"{url}: the server answered {error.code} {error.reason}. "
                "Check the address in the card, or put the file into the folder named by MOLGRAPH_DATA."
            ) from error
    except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, TimeoutError, ConnectionError) as error:
        raise _BrokenOffError(f"the connection failed ({getattr(error, 'reason', '') or error})") from error
    if most is not None and got > most:
        _forget(part)
        raise DataError(f"{url}: sends more than the {most} bytes that were expected. Check the address in the card.")
    if total is not None and got != total:
        raise _BrokenOffError(f"it promised {total} bytes and broke off after {got}")
    return bool(start)


def _kept(part: Path, expected: Expected) -> tuple[int, str]:
    """Return how many bytes are here to go on from, and the version they belong to."""
    if not part.exists():
        return 0, ""
    tag = _tag(part).read_text(encoding="utf-8") if _tag(part).exists() else ""
    if not tag and not expected.sha256 and not expected.md5:
        return 0, ""  # nothing would notice if the rest came from another version
    return part.stat().st_size, tag


def _span(answer: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Return at which byte the answer begins and how long the whole file is, None where the server does not say."""
    if answer.status != 206:
        length = answer.headers.get("Content-Length")
        return 0, int(length) if length and length.isdigit() else None
    where, _, whole = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    if where.partition("-")[0] != str(have):
        raise http.client.HTTPException(f"asked for bytes from {have}, got '{where}'")
    return have, int(whole) if whole.isdigit() else None


def _copy(
    answer: http.client.HTTPResponse, stream: BinaryIO, start: int, total: int | None, name: str, most: int | None
) -> int:
    """Copy the answer into a file with progress on standard error; return how many bytes came.

    It stops as soon as the file has more than `most` bytes: a server that never ends fills no disk.
    """
    from tqdm import tqdm

    got = 0
    # disable=None: silent where standard error is no terminal.
    with tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=name, disable=None, leave=False) as bar:
        while block := answer.read(BLOCK):
            stream.write(block)
            got += len(block)
            bar.update(len(block))
            if most is not None and start + got > most:
                break
    return got


def _version(headers: Mapping[str, str]) -> str:
    """Return what names the server's version of the file: a strong ETag, else the time it was changed."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)
