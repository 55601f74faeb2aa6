"""Encoders of molecules: message passing over atoms and bonds."""
