"""Encoders of proteins."""
