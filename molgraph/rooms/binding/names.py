"""What the room of molecules in pockets is called and holds: light, read before anything is imported."""

from molgraph.registry import Names

NAMES = Names(
    room=".room:ROOM",
    models={
        "interaction": (
            ".encoders.interaction:Interaction",
            "bonds and contacts of a molecule in a pocket, by distance (GIGN, Yang 2023)",
        ),
        "egnn": (".encoders.egnn:EGNN", "equivariant network on a complex (Satorras 2021)"),
        "cnn3d": (".encoders.cnn3d:CNN3D", "3D convolutions over a complex (Ragoza 2017)"),
        "forest": (
            ".forest:Forest",
            "gradient-boosted trees on contacts (RF-Score, Ballester 2010; OnionNet, Zheng 2019) and descriptors",
        ),
        "linear": (".linear:Linear", "ridge or logistic regression on what the forest sees"),
        "consensus": (".consensus:Consensus", "network, trees and linear model together, weighed by rows held out"),
    },
    files=(".pdb", ".cif"),
    called=("complex",),
)
