"""What joins several inputs is called: light, read before anything is imported."""

from molgraph.registry import Names

NAMES = Names(
    models={
        "concat": (".concat:Concat", "vectors of all inputs side by side (DeepDTA, Ozturk 2018)"),
        "gated": (".gated:Gated", "gated mixture of the inputs (Arevalo 2017)"),
        "bilinear": (".bilinear:Bilinear", "low-rank products of the inputs (Liu 2018)"),
        "cross": (".cross:Cross", "attention between the elements of two inputs (HyperAttentionDTI, Zhao 2022)"),
        "forest": (".forest:Growers", "gradient-boosted trees on what each input's forest sees"),
        "linear": (".linear:Linears", "ridge or logistic regression on what each input's linear model sees"),
        "consensus": (".consensus:Together", "network, trees and linear model together, weighed by rows held out"),
    },
)
