"""What the room of patients is called and holds: light, read before anything is imported."""

from molgraph.registry import Named, Names

NAMES = Names(
    room=".room:ROOM",
    models={
        "feedforward": (
            ".encoders.feedforward:FeedForward",
            "feed-forward network on the fields of a record (DeepSurv, Katzman 2018)",
        ),
        "forest": (".forest:Forest", "gradient-boosted trees on the fields of a record"),
        "linear": (".linear:Linear", "ridge or logistic regression on the fields of a record"),
        "consensus": (".consensus:Consensus", "network, trees and linear model together, weighed by rows held out"),
    },
    columns={"network": "feedforward", "trees": "forest", "linear": "linear"},
    splits={
        "patient": Named(
            "group_random", "patient", "whole patients (column patient, patient_id, subject, ...) at random"
        ),
    },
)
