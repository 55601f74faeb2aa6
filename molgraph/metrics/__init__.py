"""How good predictions are, with an interval, and whether they are better than something simpler."""

from molgraph.metrics.comparison import Comparison as Comparison
from molgraph.metrics.comparison import compare as compare
from molgraph.metrics.froc import Froc as Froc
from molgraph.metrics.froc import froc as froc
from molgraph.metrics.hits import hit_rate as hit_rate
from molgraph.metrics.overlap import average as average
from molgraph.metrics.overlap import box_iou as box_iou
from molgraph.metrics.overlap import dice as dice
from molgraph.metrics.overlap import pointing as pointing
from molgraph.metrics.repeated import Pair as Pair
from molgraph.metrics.repeated import Ranking as Ranking
from molgraph.metrics.repeated import rank as rank
from molgraph.metrics.scores import METRICS as METRICS
from molgraph.metrics.scores import Family as Family
from molgraph.metrics.scores import Metric as Metric
from molgraph.metrics.scores import Score as Score
from molgraph.metrics.scores import score as score
