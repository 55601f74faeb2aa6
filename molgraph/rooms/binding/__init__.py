"""Molecules in pockets: proteins and poses out of structure files, cut to what lies near, and what reads them."""
