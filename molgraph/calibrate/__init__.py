"""How far an estimate is to be trusted: intervals, sets and probabilities, learnt on rows that chose nothing."""

from molgraph.calibrate.chance import Chance as Chance
from molgraph.calibrate.chance import Platt as Platt
from molgraph.calibrate.interval import Interval as Interval
from molgraph.calibrate.interval import Sets as Sets
from molgraph.calibrate.interval import merge as merge
from molgraph.calibrate.tempered import Sloped as Sloped
from molgraph.calibrate.tempered import Tempered as Tempered
