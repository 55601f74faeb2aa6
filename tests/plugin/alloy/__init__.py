"""A room of another package: what an alloy is made of, to its hardness."""
