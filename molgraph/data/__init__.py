"""Rows, parts, targets: what every room hands to the one training core."""
