"""The one training core, in plain torch."""

from molgraph.fit.fit import Epoch, fit
from molgraph.fit.infer import estimate

__all__ = ["Epoch", "estimate", "fit"]
