"""Words of targets: what was not measured, yes and no, and which of two classes is the positive one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from shlex import quote

from molgraph.data.targets import EXACT
from molgraph.errors import DataError, did_you_mean

BLANK = frozenset(("", "na", "n/a", "#n/a", "<na>", "nan", "null"))  # never a class
NONE = "none"  # a class among words (none, mild, severe), nothing measured among numbers
MISSING = BLANK | {
    *("-", "--", ".", "?", NONE, "missing", "n.a.", "no data"),
    *("nd", "n.d.", "n/d", "nt", "n.t.", "n/t", "not determined", "not tested", "not measured"),
}
YES = frozenset(("1", "true", "t", "yes", "y", "active", "positive", "pos", "+"))
NO = frozenset(("0", "false", "f", "no", "n", "inactive", "negative", "neg", "-"))
# Of an experiment that did not decide: neither class. See: PubChem's activity outcomes, doi 10.1093/nar/gkw1118
UNDECIDED = frozenset(
    ("inconclusive", "unspecified", "ambiguous", "uncertain", "unknown", "unclear", "indeterminate", "equivocal")
)
_AFFIRMED = YES | {
    *("high", "strong", "hit", "binder", "toxic", "present", "case", "malignant", "abnormal", "sick", "disease"),
    *("dead", "event", "pass", "good", "blocker", "inhibitor", "substrate", "permeable", "soluble", "mutagenic"),
}
DENIED = NO | {
    *("low", "weak", "absent", "control", "benign", "normal", "healthy", "alive", "censored", "fail", "bad", "safe"),
}
# Of an event: nothing had happened when the row was last seen. "low" and "benign" may be what happened.
NOTHING = NO | {
    *("alive", "living", "censored", "absent", "no event", "event-free", "eventfree", "event free"),
    *("lost", "lost to follow-up", "lost to follow up", "withdrawn", "withdrew"),
}
_NEGATIONS = ("non", "not", "no", "in", "im", "un", "dis")
ZERO_ONE = ("0", "1")  # what two classes are called that have no words
MOST = 0.9  # share of the cells of a target that say what it is
_NAMED = 8  # labels that a message names


def labels_of(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the different labels, sorted as numbers where all are numbers; among words, `none` is one.

    >>> labels_of(["10", "9", "None", ""]), labels_of(["mild", "none", "", "severe"])
    (('9', '10'), ('mild', 'none', 'severe'))
    """
    found = {cell for cell in cells if cell.lower() not in MISSING}
    try:
        return tuple(sorted(found, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(found | {cell for cell in cells if cell.lower() == NONE}))


def two_classes(name: str, cells: Sequence[str], positive: str = "") -> tuple[str, str] | tuple[()]:
    """Return the negative and the positive label of a binary target; () where they are 0 and 1.

    Of two numbers the larger is positive, of two words the one that affirms; of several spellings of yes and no the
    commonest of each. A single word that stands once beside two classes is left to be rejected.

    Raises: DataError for more than two labels, for one alone that is neither yes nor no, where nobody can know which of
    two words is positive, and where `positive` is none of them.
    """
    shown, counts = _labels(cells, blanks_of(cells))
    if not counts:
        return ()
    if counts.keys() <= YES | NO and not positive:
        return _spelled(shown, counts)
    strays = [label for label, count in counts.items() if count == 1 and not _is_number(label)]
    rest = {label: count for label, count in counts.items() if label not in strays}
    if len(counts) > 2 and rest and (len(rest) == 2 or rest.keys() <= YES | NO):
        counts = Counter(rest)
    if counts.keys() <= YES | NO and not positive:
        return _spelled(shown, counts)
    found = sorted(counts, key=_order)
    if len(found) > 2:
        some = ", ".join(shown[label] for label in found[:_NAMED]) + (", ..." if len(found) > _NAMED else "")
        raise DataError(
            f"{name}: a binary target has two classes, found {len(found)}: {some}; use --task multiclass, --task "
            "regression where they are numbers, or leave blank what is neither."
        )
    if len(found) == 1:
        raise DataError(f"{name}: every measured row is '{shown[found[0]]}'; there is nothing to tell apart.")
    chosen = _chosen(name, found, positive, shown)
    return shown[found[1 - found.index(chosen)]], shown[chosen]


def blanks_of(cells: Sequence[str]) -> frozenset[str]:
    """Return the words that say of a binary target that nothing was measured or decided: "-" is "no" beside "+"."""
    blank = MISSING - {"-"} if "+" in cells else MISSING
    others = {cell.lower() for cell in cells} - blank - UNDECIDED
    return blank | UNDECIDED if len(others) > 1 or others <= YES | NO else blank


def same_label(cell: str) -> str:
    """Return what two writings of one label have in common: case aside, and 1 is 1.0."""
    with suppress(ValueError):
        return format(float(cell) + 0.0, ".15g")
    return cell.lower()


def _labels(cells: Sequence[str], blank: frozenset[str]) -> tuple[dict[str, str], Counter[str]]:
    """Return how each label is written where it comes first, and how often it stands."""
    shown: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for cell in cells:
        if cell.lower() not in blank:
            label = same_label(cell)
            shown.setdefault(label, cell)
            counts[label] += 1
    return shown, counts


def _spelled(shown: Mapping[str, str], counts: Counter[str]) -> tuple[str, str] | tuple[()]:
    """Return how the data mostly writes no and yes; () where 0 and 1, or one of both never."""
    sides = [[label for label, _ in counts.most_common() if label in words] for words in (NO, YES)]
    if not all(sides) or (sides[0][0], sides[1][0]) == ZERO_ONE:
        return ()
    return shown[sides[0][0]], shown[sides[1][0]]


def is_yes_or_no(labels: Sequence[str]) -> bool:
    """Tell whether a negative and a positive label are spellings of no and yes, of which any other will do as well.

    >>> is_yes_or_no(("Inactive", "Active")), is_yes_or_no(("-1", "1")), is_yes_or_no(())
    (True, False, True)
    """
    return not labels or (same_label(labels[0]) in NO and same_label(labels[1]) in YES)


def _chosen(name: str, found: Sequence[str], positive: str, shown: Mapping[str, str]) -> str:
    """Return the positive one of two labels."""
    if positive:
        wanted = same_label(positive)
        if wanted not in found:
            raise DataError(f"{name}: no row is '{positive}'{did_you_mean(positive, shown.values())}")
        return wanted
    affirmed = positive_of(found)
    if not affirmed:
        words = [shown[label] for label in found]
        either = " or ".join(f"--positive {quote(word)}" for word in words)
        raise DataError(f"{name}: the classes are {' and '.join(words)}, and neither says which is positive: {either}.")
    return affirmed


def positive_of(labels: Sequence[str]) -> str:
    """Return which of two labels is positive: the larger number, or the word that affirms; "" where neither does.

    >>> [positive_of(two) for two in (["-1", "1"], ["non-toxic", "toxic"], ["permeable", "impermeable"], ["a", "b"])]
    ['1', 'toxic', 'permeable', '']
    """
    one, other = labels
    if _is_number(one) and _is_number(other):
        return max(labels, key=float)
    votes = [_affirms(one, other), _affirms(other, one)]
    return "" if votes[0] == votes[1] else labels[votes.index(max(votes))]


def _affirms(word: str, other: str) -> int:
    """Return 1 for a word that affirms, -1 for one that denies, also as a denial of the other."""
    if any(word == f"{negation}{sign}{other}" for negation in _NEGATIONS for sign in ("", "-", " ", "_")):
        return -1
    return (word in _AFFIRMED) - (word in DENIED)


def _order(label: str) -> tuple[float, str]:
    return (float(label) if _is_number(label) else float("inf"), label)


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True


def words_met(name: str, cells: Sequence[str], blank: frozenset[str]) -> list[str]:
    """Say what was made of the cells of a target of classes that hold a word which may be a class or a blank."""
    met = Counter(cell for cell in cells if cell.lower() in (MISSING | UNDECIDED) - BLANK)
    kept = {word: count for word, count in met.items() if word.lower() not in blank and word.lower() == NONE}
    lost = {word: count for word, count in met.items() if word.lower() in blank}
    said = []
    if kept:
        said.append(f"{name}: {_counted(kept)} taken as a class; leave blank what was not measured.")
    if lost:
        said.append(f"{name}: {_counted(lost)} taken as not measured; call it otherwise where it is a class.")
    return said


def _counted(words: Mapping[str, int]) -> str:
    total = sum(words.values())
    return f"{total} cell{'s' * (total > 1)} ({', '.join(f'{word!r}' for word in words)})"


def refuse_words(name: str, labels: Sequence[str]) -> None:
    """Refuse grades whose order nobody can know.

    Raises: DataError for labels that are no numbers.
    """
    if not all(map(_is_number, labels)):
        raise DataError(
            f"{name}: the grades {', '.join(labels[:_NAMED])} are words, and their order is not known; number them (0, "
            "1, 2), or use --task multiclass."
        )


def label_reader(labels: Sequence[str]) -> Callable[[str], tuple[float, int]]:
    """Return what reads one of two labels, the second positive; where they are no and yes, or none, yes or no in any
    words."""
    any_words = is_yes_or_no(labels)
    known = {**dict.fromkeys(NO, 0.0), **dict.fromkeys(YES, 1.0)} if any_words else {}
    known |= {same_label(label): float(i) for i, label in enumerate(labels)}
    what = "is neither yes nor no; write 1 or 0" if any_words else f"is neither '{labels[0]}' nor '{labels[1]}'"

    def read(cell: str) -> tuple[float, int]:
        label = same_label(cell)
        if label not in known:
            raise ValueError(f"{what}; leave it blank where nothing was measured")
        return known[label], EXACT

    return read


def class_reader(labels: Sequence[str]) -> Callable[[str], tuple[float, int]]:
    """Return what reads the position of a label among those of the classes."""
    at = {label: float(i) for i, label in enumerate(labels)}

    def read(cell: str) -> tuple[float, int]:
        if cell not in at:
            raise ValueError(f"is none of the classes {', '.join(at)}")
        return at[cell], EXACT

    return read
