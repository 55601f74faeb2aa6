"""How much a study may spend: trials, time, epochs."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from molgraph.errors import ConfigError

TRIALS = 40  # where nothing is said: from about here on Hyperband pays (see `study.pruner`)
UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
COUNTED = ("COMPLETE", "PRUNED", "RUNNING")
FINISHED = ("COMPLETE", "PRUNED")
EPOCHS = "epochs"


def duration(text: str, option: str = "--timeout") -> float:
    """Return the seconds that `2h`, `1h30m`, `45s` or a plain number of seconds mean; `option` asked for them.

    Raises: ConfigError for anything else.

    >>> duration("1h30m"), duration("90")
    (5400.0, 90.0)
    """
    found = re.findall(r"(\d+(?:\.\d+)?)([dhms])", text)
    if found and "".join(number + unit for number, unit in found) == text:
        return sum(float(number) * UNITS[unit] for number, unit in found)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"{option} {text}: write a time, for example 2h, 1h30m or 45s.")
    return seconds


@dataclass(frozen=True)
class Budget:
    """Hold the limits: trials and epochs of the whole study, whoever runs them and how often it is taken up again;
    seconds of this command. None means no limit.

    The first trial, which is no tuning at all, always runs to its end.
    """

    trials: int | None = None
    seconds: float | None = None
    epochs: int | None = None

    @classmethod
    def of(cls, trials: int | None, timeout: str | None, epochs: int | None) -> Budget:
        """Read the limits of a command.

        Raises: ConfigError for a limit below 1.
        """
        for name, value in (("trials", trials), ("epochs", epochs)):
            if value is not None and value < 1:
                raise ConfigError(f"--{name} {value}: give 1 or more.")
        if trials is None and timeout is None and epochs is None:
            trials = TRIALS
        return cls(trials, None if timeout is None else duration(timeout), epochs)

    def open(self, trials: Sequence[Any], deadline: float | None) -> bool:
        """Say whether one more trial may begin; trials are as Optuna keeps them, the deadline of `time.time`."""
        counted = sum(t.state.name in COUNTED for t in trials)
        left = (self.trials is None or counted < self.trials) and (self.epochs is None or spent(trials) < self.epochs)
        return not counted or (left and (deadline is None or time.time() < deadline))

    def over(self, trials: Sequence[Any], deadline: float | None, mine: int) -> bool:
        """Say whether a trial that has run `mine` epochs must stop."""
        if not any(t.state.name in FINISHED for t in trials):
            return False
        late = deadline is not None and time.time() >= deadline
        return late or (self.epochs is not None and spent(trials) + mine > self.epochs)

    @property
    def words(self) -> str:
        """Return the limits as a person says them.

        >>> Budget(40, 7200.0).words
        '40 trials, 2h'
        """
        parts = [f"{self.trials} trials"] if self.trials else []
        parts += [clock(self.seconds)] if self.seconds else []
        return ", ".join(parts + ([f"{self.epochs} epochs"] if self.epochs else []))


def spent(trials: Sequence[Any]) -> int:
    """Return the epochs that trials took; one that ended took one at least, or a study of failures would never end."""
    return sum(max(int(t.user_attrs.get(EPOCHS, 0)), t.state.name in FINISHED) for t in trials)


def worked(trials: Sequence[Any]) -> float:
    """Return the seconds of work, over all workers, of the trials that ended; a killed one ends when it is found."""
    return float(sum(t.duration.total_seconds() for t in trials if t.state.name in FINISHED))


def clock(seconds: float) -> str:
    """Write a time.

    >>> clock(5400), clock(75), clock(3)
    ('1h30m', '1m15s', '3s')
    """
    left, parts = max(0, round(seconds)), []
    for unit, size in UNITS.items():
        count, left = divmod(left, int(size))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"
