"""molgraph: molecules, medical images and patient records in one graph-learning framework."""

__version__ = "0.1.0"
