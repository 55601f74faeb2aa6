"""Names to objects: `room/name` stands for a class that is imported only when it is asked for."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from molgraph.errors import ConfigError, did_you_mean

ENTRY_POINTS = "molgraph.models"

MODELS: dict[str, tuple[str, str]] = {
    "molecule/dmpnn": (
        "molgraph.molecule.encoders.dmpnn:DMPNN",
        "directed-edge message passing (Yang 2019)",
    ),
    "molecule/gin": (
        "molgraph.molecule.encoders.gin:GIN",
        "graph isomorphism network with edge features (GINE, Hu 2020)",
    ),
    "molecule/gat": ("molgraph.molecule.encoders.gat:GAT", "graph attention, version 2 (Brody 2022)"),
    "molecule/attentivefp": (
        "molgraph.molecule.encoders.attentivefp:AttentiveFP",
        "attentive fingerprints (Xiong 2020)",
    ),
    "molecule/mpnn": ("molgraph.molecule.encoders.mpnn:MPNN", "edge network and GRU (Gilmer 2017)"),
    "molecule/pna": ("molgraph.molecule.encoders.pna:PNA", "principal neighbourhood aggregation (Corso 2020)"),
    "molecule/gps": ("molgraph.molecule.encoders.gps:GPS", "message passing and global attention (Rampasek 2022)"),
    "molecule/smiles_cnn": (
        "molgraph.molecule.encoders.smiles:SmilesCNN",
        "convolutions along the SMILES (DeepDTA, Ozturk 2018)",
    ),
    "molecule/smiles_rnn": (
        "molgraph.molecule.encoders.smiles:SmilesRNN",
        "recurrent network along the SMILES (Elman 1990)",
    ),
    "molecule/smiles_lstm": (
        "molgraph.molecule.encoders.smiles:SmilesLSTM",
        "long short-term memory along the SMILES (Hochreiter 1997)",
    ),
    "molecule/smiles_gru": (
        "molgraph.molecule.encoders.smiles:SmilesGRU",
        "gated recurrent units along the SMILES (Cho 2014)",
    ),
    "molecule/feedforward": (
        "molgraph.molecule.encoders.feedforward:FeedForward",
        "feed-forward network on ECFP counts and descriptors (Ma 2015)",
    ),
    "molecule/forest": (
        "molgraph.molecule.forest:Forest",
        "gradient-boosted trees on ECFP, Avalon, ErG and RDKit descriptors (MapLight, Notwell 2023)",
    ),
    "protein/cnn": ("molgraph.protein.encoders.cnn:CNN", "convolutions along the residues (DeepDTA, Ozturk 2018)"),
    "protein/graphdta": (
        "molgraph.protein.encoders.graphdta:GraphDTA",
        "convolution over the embedding of 1,000 residues (GraphDTA, Nguyen 2021)",
    ),
    "protein/rnn": ("molgraph.protein.encoders.recurrent:RNN", "recurrent network along the residues (Elman 1990)"),
    "protein/lstm": (
        "molgraph.protein.encoders.recurrent:LSTM",
        "long short-term memory along the residues (Hochreiter 1997)",
    ),
    "protein/gru": ("molgraph.protein.encoders.recurrent:GRU", "gated recurrent units along the residues (Cho 2014)"),
    "protein/transformer": (
        "molgraph.protein.encoders.transformer:Transformer",
        "attention to neighbouring residues (Vaswani 2017, Beltagy 2020)",
    ),
    "protein/feedforward": (
        "molgraph.protein.encoders.feedforward:FeedForward",
        "feed-forward network on the composition",
    ),
    "protein/embedding": (
        "molgraph.protein.encoders.embedding:Embedding",
        "vectors computed elsewhere, as by a protein language model",
    ),
    "protein/forest": (
        "molgraph.protein.forest:Forest",
        "gradient-boosted trees on residues, pairs, triads and physico-chemical groups",
    ),
    "imaging/cnn": ("molgraph.imaging.encoders.cnn:CNN", "small residual convolution network (He 2016, Wu 2018)"),
    "imaging/unet": ("molgraph.imaging.encoders.unet:UNet", "U-Net that marks lesions (Ronneberger 2015)"),
    "imaging/resnet18": ("molgraph.imaging.encoders.resnet:ResNet18", "residual network of 18 layers (He 2016)"),
    "imaging/resnet34": ("molgraph.imaging.encoders.resnet:ResNet34", "residual network of 34 layers (He 2016)"),
    "imaging/resnet50": ("molgraph.imaging.encoders.resnet:ResNet50", "residual network of 50 layers (He 2016)"),
    "imaging/resnet_gn": (
        "molgraph.imaging.encoders.resnet_gn:ResNetGN",
        "residual network of 18 layers with group norms, for gradients per sample (Wu 2018)",
    ),
    "imaging/densenet121": (
        "molgraph.imaging.encoders.densenet:DenseNet121",
        "densely connected network of 121 layers (Huang 2017)",
    ),
    "imaging/forest": (
        "molgraph.imaging.forest:Forest",
        "gradient-boosted trees on small pixels, histogram and directions of gradients (Dalal 2005)",
    ),
    "fusion/concat": ("molgraph.fusion.concat:Concat", "vectors of all inputs side by side (DeepDTA, Ozturk 2018)"),
    "fusion/gated": ("molgraph.fusion.gated:Gated", "gated mixture of the inputs (Arevalo 2017)"),
    "fusion/bilinear": ("molgraph.fusion.bilinear:Bilinear", "low-rank products of the inputs (Liu 2018)"),
    "fusion/cross": (
        "molgraph.fusion.cross:Cross",
        "attention between the elements of two inputs (HyperAttentionDTI, Zhao 2022)",
    ),
    "fusion/forest": ("molgraph.fusion.forest:Growers", "gradient-boosted trees on what each input's forest sees"),
    "binding/interaction": (
        "molgraph.binding.encoders.interaction:Interaction",
        "bonds and contacts of a molecule in a pocket, by distance (GIGN, Yang 2023)",
    ),
    "binding/egnn": ("molgraph.binding.encoders.egnn:EGNN", "equivariant network on a complex (Satorras 2021)"),
    "binding/cnn3d": ("molgraph.binding.encoders.cnn3d:CNN3D", "3D convolutions over a complex (Ragoza 2017)"),
    "binding/forest": (
        "molgraph.binding.forest:Forest",
        "gradient-boosted trees on contacts (RF-Score, Ballester 2010; OnionNet, Zheng 2019) and descriptors",
    ),
}

ROOMS: dict[str, str] = {
    "molecule": "molgraph.molecule.room:ROOM",
    "protein": "molgraph.protein.room:ROOM",
    "imaging": "molgraph.imaging.room:ROOM",
    "binding": "molgraph.binding.room:ROOM",
}

# File formats that only a room can write: suffix to a class with `write(frame)` and `close()`.
WRITERS: dict[str, str] = {".sdf": "molgraph.molecule.write:SDF"}


@cache
def models() -> dict[str, tuple[str, str]]:
    """Return every known model name with (module:attribute, one line), entry points of other packages included."""
    found = dict(MODELS)
    for point in entry_points(group=ENTRY_POINTS):
        found.setdefault(point.name, (point.value, f"from {point.value.partition(':')[0].partition('.')[0]}"))
    return found


def load(target: str) -> Any:
    """Import `module:attribute`."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def model(name: str) -> Any:
    """Return the class registered as `room/name`.

    Raises: ConfigError for an unknown name, with the nearest known one.
    """
    if name not in models():
        raise ConfigError(f"unknown model '{name}'{did_you_mean(name, models())}")
    return load(models()[name][0])


def room(model_name: str) -> Any:
    """Return the `Room` of a model name (`molecule/dmpnn` stands in the room `molecule`)."""
    name = model_name.partition("/")[0]
    if name not in ROOMS:
        raise ConfigError(f"unknown room '{name}'{did_you_mean(name, ROOMS)}")
    return load(ROOMS[name])


def settings(made: Any) -> dict[str, inspect.Parameter]:
    """Return the tunable parameters of a class: its keyword-only arguments."""
    return {
        p.name: p
        for p in inspect.signature(made.__init__).parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY
    }
