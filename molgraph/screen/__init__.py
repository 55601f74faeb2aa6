"""Score a library with a predictor and rank the best of it."""

from molgraph.screen.manifest import Manifest
from molgraph.screen.rank import DESIRABILITY, Goal
from molgraph.screen.run import ScreenResult, screen
from molgraph.screen.shard import Job, score_shard
from molgraph.screen.summary import Histogram, Summary

__all__ = [
    "DESIRABILITY",
    "Goal",
    "Histogram",
    "Job",
    "Manifest",
    "ScreenResult",
    "Summary",
    "score_shard",
    "screen",
]
