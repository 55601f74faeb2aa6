"""Encoders of a molecule in a pocket."""
