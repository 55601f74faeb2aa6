"""The one training core, in plain torch."""

from molgraph.fit.fit import Epoch, fit
from molgraph.fit.infer import embed, estimate

__all__ = ["Epoch", "embed", "estimate", "fit"]
