"""What the room of proteins is called and holds: light, read before anything is imported."""

from molgraph.registry import Named, Names

NAMES = Names(
    room=".room:ROOM",
    models={
        "cnn": (".encoders.cnn:CNN", "convolutions along the residues (DeepDTA, Ozturk 2018)"),
        "graphdta": (
            ".encoders.graphdta:GraphDTA",
            "convolution over the embedding of 1,000 residues (GraphDTA, Nguyen 2021)",
        ),
        "rnn": (".encoders.recurrent:RNN", "recurrent network along the residues (Elman 1990)"),
        "lstm": (".encoders.recurrent:LSTM", "long short-term memory along the residues (Hochreiter 1997)"),
        "gru": (".encoders.recurrent:GRU", "gated recurrent units along the residues (Cho 2014)"),
        "transformer": (
            ".encoders.transformer:Transformer",
            "attention to neighbouring residues (Vaswani 2017, Beltagy 2020)",
        ),
        "feedforward": (".encoders.feedforward:FeedForward", "feed-forward network on the composition"),
        "embedding": (".encoders.embedding:Embedding", "vectors computed elsewhere, as by a protein language model"),
        "forest": (".forest:Forest", "gradient-boosted trees on residues, pairs, triads and physico-chemical groups"),
        "linear": (".linear:Linear", "ridge or logistic regression on what the forest sees"),
        "consensus": (".consensus:Consensus", "network, trees and linear model together, weighed by rows held out"),
    },
    splits={
        "family": Named("group_random", "family", "whole families of similar proteins in random order"),
    },
    files=(".fasta", ".fa", ".faa", ".fas"),
    holds="sequences",
    called=("sequence", "proteinsequence", "protein", "receptor"),
)
