"""Who a picture is of, and whether a text says so: names, ids, dates of birth, telephone numbers, addresses."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import pairwise, permutations

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

_OLDER = ("big5", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874")
ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be", "shift_jis", "euc_jp", "euc_kr", "gb18030", *_OLDER)
SHORT_NUMBER = 4  # digits of a number within an id that is looked for alone
SHORT_ID, SHORT_PLACE = 3, 4  # characters of a part of an id, and of an address, that is looked for as a word
LONG = 5  # characters of a word that is looked for within longer ones too; "Mary" would be found in PRIMARY
JOINED = 4  # bytes of two names written as one
NUMBER = 7  # last digits of a telephone number: without them the codes of countries and areas are left
PLAIN = ("utf-8", "latin-1", "utf-16-le")  # what is written in base64 is nearly always one of them
MOST_CODED = 2**22  # characters
_CODED = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_WRAPPED = re.compile(r"\r?\n[ \t]*")
_HEX = re.compile(r"[0-9A-Fa-f]{8,}")
_URL_SAFE = str.maketrans("-_", "+/")
_PATIENT = 0x0010
_IDS = {
    *("PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "MedicalRecordLocator", "ServiceEpisodeID"),
    *("PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest", "RequestedProcedureID"),
    *("PatientBirthDateInAlternativeCalendar",),
}
_PLACES, _CALLS = {"PatientAddress"}, {"PatientTelephoneNumbers", "PatientTelecomInformation"}
# Name nobody, and stand in names, or are one of the standard's terms.
_TITLES = {
    *("mr", "mrs", "ms", "miss", "dr", "prof", "md", "phd", "herr", "frau", "mme", "jr", "sr", "ii", "iii"),
    *("von", "van", "der", "den", "de", "del", "la", "le", "di", "da", "al", "el", "bin", "ct"),
}
# Scripts in which words follow each other without a space, or titles and particles are joined to names.
_UNSPACED = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR"}
_KATAKANA, _HIRAGANA = range(0x30A1, 0x30F7), 0x3041  # the same syllables in the same order
_SYLLABLES = {sign: sign - _KATAKANA.start + _HIRAGANA for sign in _KATAKANA}
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ł": "l"})
# Month names of English, German, French, Italian and Spanish begin so.
_MONTHS = (
    *("jan gen ene", "feb fev", "mar mae mrz", "apr avr abr", "may mai mag", "jun jui giu", "jul juil lug"),
    *("aug aou ago", "sep set", "oct okt ott", "nov", "dec dez dic"),
)
_MONTH = {begin: number for number, begins in enumerate(_MONTHS, 1) for begin in begins.split()}
_BETWEEN = {"st", "nd", "rd", "th", "of", "de", "den", "der", "the"}  # "the 3rd of April"


@dataclass(frozen=True)
class Traces:
    """Hold what tells a patient: whole words, runs of letters and digits whatever parts them, days of birth."""

    words: frozenset[str]
    runs: frozenset[str]
    births: frozenset[tuple[int, int, int]]

    def within(self, text: str) -> bool:
        """Say whether a text tells the patient.

        >>> traces = Traces(frozenset({"li", "wu"}), frozenset({"liwu"}), frozenset({(1950, 4, 3)}))
        >>> [traces.within(text) for text in ("LiWuScanner", "born 3 April 1950", "3/4/50", "Liver, 1950")]
        [True, True, True, False]
        """
        return self._told(text) or self._coded(text)

    def _told(self, text: str) -> bool:
        squeezed = (re.sub(r"[\W_]+", "", plain) for plain in _plain(text))
        if self.words & _words(text) or any(run in plain for plain in squeezed for run in self.runs):
            return True
        return bool(self.births) and any(_same_day(parts, day) for parts in _triples(text) for day in self.births)

    def within_bytes(self, content: bytes) -> bool:
        """Say whether bytes tell the patient: as text where they are one, and elsewhere by what no table has by chance.

        >>> traces = Traces(frozenset({"li"}), frozenset({"muster"}), frozenset())
        >>> [traces.within_bytes(content) for content in (b"Li, 2nd\\0", b"\\x01\\x02li\\x00", b"\\x00Muster")]
        [True, False, True]
        """
        return self._told_bytes(content, ENCODINGS) or self._sure._coded(content.decode("latin-1"))

    def _coded(self, text: str) -> bool:
        """Say whether a text tells the patient in base64 or in hexadecimal digits."""
        return any(self._told_bytes(content, PLAIN) for content in decoded(text))

    def _told_bytes(self, content: bytes, encodings: Sequence[str]) -> bool:
        for text in (content.decode(encoding, errors="replace") for encoding in encodings):
            bare = text.rstrip("\0 ")
            readable = bare.isprintable() and "\N{REPLACEMENT CHARACTER}" not in bare
            if (self if readable else self._sure)._told(bare):
                return True
        return False

    @cached_property
    def _sure(self) -> Traces:
        """Return what is told of a patient by what no noise says by chance."""
        return replace(self, words=frozenset(), births=frozenset(), runs=self._long)

    @cached_property
    def _long(self) -> frozenset[str]:
        """Return the runs that do not stand in a table of numbers by chance: a ramp of 16 bits has every sign once."""
        return frozenset(run for run in self.runs if len(run) >= LONG or (len(run) > 1 and not run.isascii()))


def decoded(text: str) -> Iterator[bytes]:
    """Yield what the runs of a text are as base64, wherever within the run it begins, and as hexadecimal digits.

    >>> list(decoded("QW5uYQ==; 416e6e6121"))[:1], list(decoded("416e6e6121"))[-2:-1]
    ([b'Anna'], [b'Anna!'])
    """
    for run in _CODED.findall(_WRAPPED.sub("", text[:MOST_CODED])):
        for start in range(4):
            digits = run[start:].rstrip("=")
            digits = digits[: len(digits) - (len(digits) % 4 == 1)].translate(_URL_SAFE)
            yield base64.b64decode(digits + "=" * (-len(digits) % 4))
        for digits in _HEX.findall(run):
            for begin in (0, 1):
                yield bytes.fromhex(digits[begin : begin + ((len(digits) - begin) & ~1)])


def traces_of(ds: Dataset) -> Traces:
    """Return what a picture says of its patient, in sequences too."""
    words: set[str] = set()
    runs: set[str] = set()
    births: set[tuple[int, int, int]] = set()
    for element in elements(ds):
        for text in _texts(element):
            if element.VR == "PN" and element.tag.group == _PATIENT:
                _add_name(text, words, runs)
            elif element.keyword in _IDS:
                _add_parts(text, words, runs, SHORT_ID)
            elif element.keyword in _PLACES:
                _add_parts(text, words, runs, SHORT_PLACE)
            elif element.keyword in _CALLS:
                digits = re.sub(r"\D", "", text)[-NUMBER:]
                runs |= {digits} if len(digits) >= NUMBER - 1 else set()
            elif element.keyword == "PatientBirthDate":
                births |= _day(text)
    for year, month, day in births:
        runs |= {f"{year:04}{month:02}{day:02}", f"{day:02}{month:02}{year:04}", f"{month:02}{day:02}{year:04}"}
        short = f"{year % 100:02}"
        words |= {f"{short}{month:02}{day:02}", f"{day:02}{month:02}{short}", f"{month:02}{day:02}{short}"}
    return Traces(frozenset(words), frozenset(runs), frozenset(births))


def elements(ds: Dataset) -> Iterator[DataElement]:
    """Yield every element, and those within sequences."""
    for element in ds:
        yield element
        if element.VR == "SQ":
            for item in element.value or ():
                yield from elements(item)


def _texts(element: DataElement) -> list[str]:
    if element.value is None or element.VR == "SQ" or isinstance(element.value, bytes):
        return []
    return [str(one) for one in element.value] if element.VM > 1 else [str(element.value)]


def _plain(text: str) -> tuple[str, str]:
    """Return a text in small letters without accents, katakana as hiragana, and the same with umlauts spelled out."""
    small = unicodedata.normalize("NFKC", text).casefold().replace("strasse", "str").translate(_SYLLABLES)
    return _bare(small), _bare(small.translate(_SPELLED))


def _bare(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _words(text: str) -> set[str]:
    """Return the words of a text; those of `LiWuScanner2` are li, wu, scanner, 2 and all of them as one."""
    parted = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", text)
    found = {word for one in (text, parted) for plain in _plain(one) for word in re.findall(r"[^\W_]+", plain)}
    return found | {part for word in found for part in re.findall(r"\d+|\D+", word)}


def _add_name(text: str, words: set[str], runs: set[str]) -> None:
    for plain in _plain(text):
        # Bytes, as one Chinese character is a name and one Latin letter is none.
        names = [name for name in re.findall(r"[^\W\d_]+", plain) if len(name.encode()) > 1 and name not in _TITLES]
        words |= {*names, *(word for word in re.findall(r"[^\W_]+", plain) if len(word) >= SHORT_ID)} - _TITLES
        pairs = {a + b for a, b in permutations(dict.fromkeys(names), 2)}
        runs |= {name for name in names if len(name) >= LONG or _is_unspaced(name)}
        runs |= {pair for pair in pairs if len(pair.encode()) >= JOINED}


def _add_parts(text: str, words: set[str], runs: set[str], shortest: int) -> None:
    for plain in _plain(text):
        parts = re.findall(r"[^\W_]+", plain)
        numbers = re.findall(r"\d+", plain)
        numbers += [number.lstrip("0") for number in numbers]
        words |= {part for part in parts if len(part) >= shortest}
        words |= {number for number in numbers if len(number) >= SHORT_NUMBER}
        runs |= {run for run in ("".join(parts), *parts) if len(run) > LONG or (len(run) == LONG and run.isalpha())}
        runs |= {number for number in numbers if len(number) > LONG}


def _is_unspaced(name: str) -> bool:
    """Tell whether a name is of a script that puts nothing between words, so that it stands within longer ones.

    One sign is looked for where it is a Chinese character; one of an alphabet is in every text.
    """
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in name}
    return scripts <= _UNSPACED and (len(name) > 1 or "CJK" in scripts)


def _day(text: str) -> set[tuple[int, int, int]]:
    try:
        day = datetime.strptime(re.sub(r"\D", "", text)[:8], "%Y%m%d")
    except ValueError:
        return set()
    return {(day.year, day.month, day.day)}


def _triples(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each three neighbours of the numbers and words of a text, months as numbers."""
    tokens = [token for token in re.findall(r"\d+|[^\W\d_]+", _plain(text)[0]) if token not in _BETWEEN]
    told = [token if token.isdigit() else str(_MONTH.get(token[:4]) or _MONTH.get(token[:3]) or "") for token in tokens]
    for (a, b), (_, c) in pairwise(pairwise(told)):
        if a and b and c:
            yield a, b, c


def _same_day(parts: tuple[str, str, str], birth: tuple[int, int, int]) -> bool:
    year, month, day = birth
    numbers = tuple(map(int, parts))
    years = {year, year % 100}
    return any(numbers in ((day, month, y), (month, day, y), (y, month, day), (y, day, month)) for y in years)
