"""What a person sees while a study runs: a line per finished trial and, in a terminal, one that says what runs now."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from molgraph.data.interrupts import rearm
from molgraph.tune.attempt import WHY
from molgraph.tune.budget import EPOCHS, FINISHED, Budget, clock
from molgraph.tune.goals import Goal
from molgraph.workflows.show import say

EVERY = 0.25  # seconds between two looks at the study
WIDTH = 100


class Trials:
    """Follow a study; call it as often as you like."""

    def __init__(self, name: str, goals: Sequence[Goal], budget: Budget, deadline: float | None) -> None:
        self.name, self.goals, self.budget, self.deadline = name, goals, budget, deadline
        self.began, self.looked = time.time(), 0.0
        self.shown: set[int] | None = None
        self.before = 0
        self.live = sys.stderr.isatty()

    def __call__(self, study: Any, *, last: bool = False) -> None:
        """Look at the study, at most a few times a second unless it is the last look."""
        rearm()
        if time.time() - self.looked < EVERY and not last:
            return
        self.looked = time.time()
        trials = study.get_trials(deepcopy=False)
        ended = [t for t in trials if t.state.is_finished()]
        if self.shown is None:
            self.shown = {t.number for t in ended if t.datetime_complete.timestamp() < self.began}
            self.before = sum(t.number in self.shown and t.state.name in FINISHED for t in ended)
            if self.before:
                say(f"{self.name}: going on after {self.before} trials")
        for trial in sorted(ended, key=lambda t: t.datetime_complete):
            if trial.number not in self.shown:
                self.shown.add(trial.number)
                self._clear()
                say(f"  {self._line(trial)}")
        if self.live:
            self._clear()
            if not last:
                print(f"\r{self.status(trials)}"[:WIDTH], end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self.live:
            print("\r" + " " * WIDTH + "\r", end="", file=sys.stderr)

    def _line(self, trial: Any) -> str:
        took = f"{trial.user_attrs.get(EPOCHS, 0)} epochs, {clock(trial.duration.total_seconds())}"
        if trial.state.name == "COMPLETE":
            found = ", ".join(f"{g.label} {v:.4g}" for g, v in zip(self.goals, trial.values, strict=True))
            return f"trial {trial.number}: {found} ({took})"
        why = trial.user_attrs.get(WHY, "")
        if trial.state.name == "PRUNED":
            return f"trial {trial.number}: pruned ({took}){f': {why}' if why else ''}"
        return f"trial {trial.number}: ended early and queued once more: {why or 'its worker died'}"

    def status(self, trials: Sequence[Any]) -> str:
        """Say in one line where the study stands."""
        running = [t for t in trials if t.state.name == "RUNNING"]
        finished = [t for t in trials if t.state.name in FINISHED]
        done = [t for t in trials if t.state.name == "COMPLETE"]
        pruned = len(finished) - len(done)
        of = f"/{self.budget.trials}" if self.budget.trials else ""
        parts = [f"{self.name}: trial {len(finished) + 1}{of}"]
        if running and running[-1].last_step is not None:
            parts[0] += f" at epoch {running[-1].last_step}"
        if done:
            sign = -1 if self.goals[0].higher_is_better else 1
            best = min(done, key=lambda t: sign * t.values[0])
            parts.append(f"best {self.goals[0].label} {best.values[0]:.4g} (trial {best.number})")
        parts.append(f"{pruned} pruned")
        left = self._left(len(finished))
        return ", ".join([*parts, f"about {clock(left)} left"] if left is not None else parts)

    def _left(self, finished: int) -> float | None:
        """Return the seconds that are left: by the clock, or by the pace so far, whichever is less."""
        now, times = time.time(), []
        if self.deadline is not None:
            times.append(max(0.0, self.deadline - now))
        mine = finished - self.before
        if self.budget.trials and mine > 0:
            times.append((now - self.began) / mine * max(0, self.budget.trials - finished))
        return min(times) if times else None
