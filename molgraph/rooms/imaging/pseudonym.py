"""New names for patients, days and UIDs: always the same for one key, and nothing to be learned from without it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from molgraph.data.files import os_errors
from molgraph.errors import ConfigError

LENGTH = 32  # bytes of a new key
SHORTEST = 16  # bytes of a key that cannot be guessed
YEARS = 10  # by which dates are moved back at most
DATE = "%Y%m%d"  # DICOM's DA, and how a DT begins
# A DA or DT from its day on, with the offset from UTC. See: DICOM PS3.5 Table 6.2-1
_MOMENT = r"\d{8}(?:\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_RANGE = re.compile(rf"({_MOMENT})?(-?)({_MOMENT})?")


@dataclass(frozen=True)
class Pseudonyms:
    """Make names from a secret key."""

    key: bytes

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.new(self.key, f"{kind}\0{text}".encode("utf-8", "surrogateescape"), hashlib.sha256).digest()

    def _token(self, kind: str, text: str) -> str:
        return base64.b32encode(self._digest(kind, text)).decode("ascii")[:16].lower()

    def patient(self, name: str) -> str:
        """Return the new id of a patient."""
        return f"p-{self._token('patient', name)}"

    def file(self, name: str) -> str:
        """Return the new name of a file."""
        return f"f-{self._token('file', name)}"

    @property
    def check(self) -> str:
        """Return a word that tells two keys apart and says nothing about either."""
        return self._token("check", "")

    def uid(self, uid: str) -> str:
        """Return the new UID of an object.

        See: DICOM PS3.5 B.2 (UIDs from UUIDs)
        """
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', uid)[:16], version=5).int}"

    def days(self, patient: str) -> timedelta:
        """Return how far the dates of a patient are moved: back, by 1 day to 10 years."""
        return -timedelta(days=1 + int.from_bytes(self._digest("days", patient)[:8], "big") % (365 * YEARS))

    def moved(self, value: str, patient: str) -> str:
        """Return a DICOM date or date-time of a patient, or a range of them, moved; "" where it is anything else.

        >>> moved = Pseudonyms(b"0" * 32).moved
        >>> moved("202402291530", "a")[8:], moved("2024", "a"), moved("20240230", "a"), moved("20240229 Ada", "a")
        ('1530', '', '', '')
        """
        found = _RANGE.fullmatch(value.strip())
        if not found or (found[1] and found[3] and not found[2]):
            return ""
        try:
            return found[2].join(self._shifted(moment, patient) for moment in (found[1] or "", found[3] or ""))
        except (ValueError, OverflowError):
            return ""

    def _shifted(self, moment: str, patient: str) -> str:
        if not moment:
            return ""
        day = datetime.strptime(moment[:8], DATE) + self.days(patient)
        return f"{day.year:04}{day:%m%d}{moment[8:]}"


def key_of(file: Path | None) -> Pseudonyms:
    """Return the pseudonyms of a key file, which is made where there is none; without a file they are new each time.

    Raises: ConfigError for a key that could be guessed; ResourceError where it cannot be read or written.
    """
    if file is None:
        return Pseudonyms(secrets.token_bytes(LENGTH))
    with os_errors(file):
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # for its owner alone
        except FileExistsError:
            key = file.read_bytes()
        else:
            key = secrets.token_bytes(LENGTH)
            with os.fdopen(handle, "wb") as stream:
                stream.write(key)
    if len(key) < SHORTEST:
        raise ConfigError(f"--key {file}: {len(key)} bytes can be guessed; name a new file, and a key is made there.")
    return Pseudonyms(key)
