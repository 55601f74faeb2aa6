"""The room of molecules."""
