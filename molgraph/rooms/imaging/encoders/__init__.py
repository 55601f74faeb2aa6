"""Encoders of pictures and volumes."""
