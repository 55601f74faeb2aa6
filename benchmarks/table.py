"""From the ledger's estimates to scores, intervals, verdicts and the tables in both README.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from accuracy import PEER, Contest, today
from ledger import DATA, MODELS, SEEDS, Cell, Entry, Ledger
from numpy.typing import NDArray

from molgraph import datasets
from molgraph.errors import DataError
from molgraph.kinds import NAMED
from molgraph.metrics import compare, score
from molgraph.metrics.comparison import Comparison
from molgraph.metrics.scores import METRICS, Score

ENSEMBLE = "ensemble"
OURS = ("dmpnn", "forest", ENSEMBLE)
TITLES = {
    "freesolv": "FreeSolv", "esol": "ESOL", "bace": "BACE", "bbbp": "BBBP", "clintox": "ClinTox", "sider": "SIDER",
    "lipophilicity": "Lipophilicity", "tox21": "Tox21",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """Hold the scores of one data set: of every contestant, and of each of ours beside the peer."""

    data: str
    metric: str
    seeds: tuple[int, ...]
    trained: int
    tested: int
    targets: int
    scores: dict[str, Score]
    beside: dict[str, Comparison]

    def leads(self, model: str) -> bool:
        """Tell whether one of ours scores at least as well as the peer, whatever the interval."""
        gap = self.beside[model].difference
        if gap is None:
            return False
        return gap >= 0 if METRICS[self.metric].higher_is_better else gap <= 0


def line(contest: Contest, ledger: Ledger, seeds: Sequence[int]) -> Line:
    """Score the finished cells of one data set: the mean over seeds (and targets) of the score.

    Seeds stand side by side as targets do, so that the bootstrap draws a test row for all seeds and all contestants
    at once: the interval is that of the test rows, the seeds are averaged over.

    Raises: DataError where a cell was made on other rows or folds.
    """
    entries = {m: [_checked(ledger.read(Cell(contest.name, m, s)), contest) for s in seeds] for m in MODELS}
    each = {m: [np.array(entry.estimates) for entry in found] for m, found in entries.items()}
    each[ENSEMBLE] = [(a + b) / 2 for a, b in zip(each["dmpnn"], each["forest"], strict=True)]
    estimates: dict[str, NDArray[np.float64]] = {model: np.hstack(found) for model, found in each.items()}
    truth = np.hstack([contest.truth()] * len(seeds))
    family = NAMED[contest.kind].family
    main = family.main
    scores = {m: score(family, truth, found, metrics=[main])[main] for m, found in estimates.items()}
    beside = {m: compare(family, truth, estimates[m], estimates[PEER], called=(m, PEER)) for m in OURS}
    made = contest.plan
    trained = len(made.split.train) - sum(int(row) in made.merged for row in made.split.train)
    tested, targets = len(made.split.test), len(contest.targets)
    return Line(contest.name, main, tuple(seeds), trained, tested, targets, scores, beside)


def _checked(entry: Entry, contest: Contest) -> Entry:
    if entry.split != contest.split:
        cell = Cell(entry.data, entry.model, entry.seed)
        raise DataError(f"{cell}: made on other rows or folds than today's; delete its file and run again")
    return entry


def write(ledger: Ledger, page: Path, front: Path) -> None:
    """Score what is finished and write the table into the page of the benchmarks, and in short into the front page."""
    lines = []
    for data in DATA:
        seeds = [s for s in SEEDS if all(ledger.has(Cell(data, m, s)) for m in MODELS)]
        if seeds:
            lines.append(line(today(data), ledger, seeds))
    entries = [ledger.read(Cell(found.data, m, s)) for found in lines for m in MODELS for s in found.seeds]
    stale = ledger.left_out(DATA)
    replace_block(page, "accuracy", table(lines, entries, stale))
    replace_block(front, "accuracy", in_short(lines, stale))


def table(lines: Sequence[Line], entries: Sequence[Entry], stale: str = "") -> str:
    """Return the table as Markdown, with what was left out and the circumstances."""
    if not lines:
        return "\n\n".join(filter(None, ["No data set is finished yet.", stale]))
    head = "| data | trained / tested | metric | D-MPNN | forest | D-MPNN + forest | chemprop | "
    text = [head + "D-MPNN + forest less chemprop |", "|---|---|---|---|---|---|---|---|"]
    text += [_row(found) for found in lines]
    scored = [found for found in lines if found.scores[PEER].value is not None]
    text += ["", *_summary(scored), "", " ".join(filter(None, [_left_out(lines), stale])), "", _made(entries)]
    return "\n".join(text)


def in_short(lines: Sequence[Line], stale: str = "") -> str:
    """Return the table of the front page as Markdown, with a sentence on each of ours beside the peer."""
    text = ["| | D-MPNN | trees | both, averaged | chemprop |", "|---|---|---|---|---|"]
    for found in lines:
        unit = datasets.card(found.data).targets[0].unit
        label = f"{TITLES[found.data]}, {METRICS[found.metric].label}{unit and f', {unit}'}"
        label += f" of {found.targets} targets" if found.targets > 1 else ""
        seeds = f"{len(found.seeds)} seed{'s' * (len(found.seeds) > 1)}"
        cells = [label if found.seeds == SEEDS else f"{label} ({seeds})"]
        each = [found.scores[model] for model in (*OURS, PEER)]
        cells += ["none" if s.value is None else f"{s.value:.2f} ({s.low:.2f} to {s.high:.2f})" for s in each]
        text.append(f"| {' | '.join(cells)} |")
    counts = {}
    for model in OURS:
        verdicts = Counter(found.beside[model].verdict for found in lines)
        counts[model] = sum(found.leads(model) for found in lines), verdicts["better"], verdicts["worse"]
    (reached, better, worse), trees, network = counts[ENSEMBLE], counts["forest"], counts["dmpnn"]
    sentence = (
        f"Of {len(lines)} sets, the average of both reaches chemprop's score on {reached}, is better beyond the "
        f"interval of the difference on {better} and worse on {worse}; the trees alone on {trees[0]}, {trees[1]} and "
        f"{trees[2]}; the D-MPNN alone on {network[0]}, {network[1]} and {network[2]}."
    )
    return "\n".join([*text, "", " ".join(filter(None, [sentence, stale]))])


def _row(found: Line) -> str:
    label = METRICS[found.metric].label
    better = "higher" if METRICS[found.metric].higher_is_better else "lower"
    targets = f", mean of {found.targets} targets" if found.targets > 1 else ""
    cells = [TITLES[found.data], f"{found.trained} / {found.tested}", f"{label} ({better} is better){targets}"]
    cells += [_score(found.scores[m], m in OURS and found.beside[m].verdict) for m in (*OURS, PEER)]
    gap = found.beside[ENSEMBLE]
    cells.append("none" if gap.low is None else f"{gap.difference:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})")
    return f"| {' | '.join(cells)} |"


def _score(found: Score, verdict: str | bool) -> str:
    mark = {"better": " ▲", "worse": " ▼"}.get(str(verdict), "")
    if found.value is None:
        return f"none: {found.reason}"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}){mark}"


def _summary(lines: Sequence[Line]) -> list[str]:
    text = [
        "▲ better, ▼ worse than chemprop beyond the 95 % interval of the difference; no mark: the interval holds 0.",
        "",
    ]
    names = {"dmpnn": "D-MPNN alone", "forest": "forest alone", ENSEMBLE: "D-MPNN + forest"}
    for model in OURS:
        verdicts = Counter(found.beside[model].verdict for found in lines)
        text.append(
            f"- {names[model]}: at least chemprop's score on {sum(found.leads(model) for found in lines)} of "
            f"{len(lines)}; better beyond the interval on {verdicts['better']}, worse on {verdicts['worse']}."
        )
    best = sum(any(found.leads(model) for model in OURS) for found in lines)
    beaten = sum(all(found.beside[model].verdict == "worse" for model in OURS) for found in lines)
    text.append(
        f"- The best of the three, chosen on these test rows (which flatters it): at least chemprop's score on {best} "
        f"of {len(lines)}; worse beyond the interval on {beaten}."
    )
    return text


def _left_out(lines: Sequence[Line]) -> str:
    there = {found.data: found.seeds for found in lines}
    missing = [TITLES[data] for data in DATA if data not in there]
    partly = [f"{TITLES[d]} has seeds {', '.join(map(str, s))} only" for d, s in there.items() if s != SEEDS]
    text = [f"left out for want of time: {', '.join(missing)}"] * bool(missing) + partly
    return f"Not finished: {'; '.join(text)}." if text else "Nothing was left out."


def _made(entries: Sequence[Entry]) -> str:
    dates = sorted({entry.made["date"] for entry in entries})
    machines = "; ".join(sorted({entry.made["machine"] for entry in entries}))
    versions = "; ".join(
        sorted({", ".join(f"{name} {v}" for name, v in entry.made["versions"].items()) for entry in entries})
    )
    threads = ", ".join(map(str, sorted({entry.threads for entry in entries})))
    hours = sum(entry.seconds for entry in entries) / 3600
    return (
        f"Made {' to '.join(dict.fromkeys((dates[0], dates[-1])))} on {machines}, threads per contestant: {threads}, "
        f"{len(entries)} cells in {hours:.1f} h; {versions}."
    )


def replace_block(page: Path, name: str, text: str) -> None:
    """Put a text between the markers of a page.

    Raises: DataError where the page has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before = page.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(before):
        raise DataError(f"{page}: has no block '{begin} ... {end}'")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", before), encoding="utf-8")
