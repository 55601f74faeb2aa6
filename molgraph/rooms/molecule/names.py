"""What the room of molecules is called and holds: light, read before anything is imported."""

from molgraph.registry import Named, Names

NAMES = Names(
    room=".room:ROOM",
    models={
        "dmpnn": (".encoders.dmpnn:DMPNN", "directed-edge message passing (Yang 2019)"),
        "gin": (".encoders.gin:GIN", "graph isomorphism network with edge features (GINE, Hu 2020)"),
        "gat": (".encoders.gat:GAT", "graph attention, version 2 (Brody 2022)"),
        "attentivefp": (".encoders.attentivefp:AttentiveFP", "attentive fingerprints (Xiong 2020)"),
        "mpnn": (".encoders.mpnn:MPNN", "edge network and GRU (Gilmer 2017)"),
        "pna": (".encoders.pna:PNA", "principal neighbourhood aggregation (Corso 2020)"),
        "gps": (".encoders.gps:GPS", "message passing and global attention (Rampasek 2022)"),
        "smiles_cnn": (".encoders.smiles:SmilesCNN", "convolutions along the SMILES (DeepDTA, Ozturk 2018)"),
        "smiles_rnn": (".encoders.smiles:SmilesRNN", "recurrent network along the SMILES (Elman 1990)"),
        "smiles_lstm": (".encoders.smiles:SmilesLSTM", "long short-term memory along the SMILES (Hochreiter 1997)"),
        "smiles_gru": (".encoders.smiles:SmilesGRU", "gated recurrent units along the SMILES (Cho 2014)"),
        "feedforward": (
            ".encoders.feedforward:FeedForward",
            "feed-forward network on ECFP counts and descriptors (Ma 2015)",
        ),
        "forest": (
            ".forest:Forest",
            "gradient-boosted trees on ECFP, Avalon, ErG and RDKit descriptors (MapLight, Notwell 2023)",
        ),
        "linear": (".linear:Linear", "ridge or logistic regression on what the forest sees (Hoerl 1970, Cox 1958)"),
        "equation": (".equation:Equation", "the same on seven descriptors, the equation that every model has to beat"),
        "consensus": (".consensus:Consensus", "network, trees and linear model together, weighed by rows held out"),
    },
    splits={
        "scaffold": Named("group", "scaffold", "whole scaffolds, largest first: the test rows have rare scaffolds"),
        "scaffold_random": Named("group_random", "scaffold", "whole scaffolds in random order"),
        "cluster": Named("group_random", "cluster", "whole clusters of similar molecules (Butina) in random order"),
    },
    splitters={
        "deepchem": (
            ".molnet:splitter",
            "deepchem:NAME, a splitter of DeepChem's (ScaffoldSplitter, ButinaSplitter, ...)",
        )
    },
    files=(".smi", ".sdf", ".cxsmiles"),
    writers={".sdf": ".write:SDF"},
    holds="SMILES",
    alone=("molecule", "drug"),
    called=("smi", "smilesstring", "mol", "molecule", "structure", "ligand"),
    ends=("smiles",),
)
