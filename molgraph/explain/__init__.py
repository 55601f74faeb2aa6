"""Why a model says what it says: where it looked, and whether that can be believed."""

from molgraph.explain.attribution import METHODS as METHODS
from molgraph.explain.checks import Checks as Checks
from molgraph.explain.explainer import Explainer as Explainer
from molgraph.explain.explainer import Explanation as Explanation
