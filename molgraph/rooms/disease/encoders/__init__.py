"""Encoders of patients."""
