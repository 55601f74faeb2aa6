"""The model `admet`: twelve ADMET endpoints of a molecule at once; what it knows is in `card.md`."""
