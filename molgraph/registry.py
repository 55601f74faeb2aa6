"""Names to objects: `room/name` stands for a class that is imported only when it is asked for."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_type_hints

from molgraph.errors import ConfigError, did_you_mean

ENTRY_POINTS = "molgraph.models"
FAMILIES = ("network", "trees")


@dataclass(frozen=True)
class Opener:
    """Say what a sort of model folder is read by, what trains one, and, to a person, what it is for.

    `loader` is a class with `opened(folder, recipe, digest)`, `trainer` what `molgraph train` calls; `alone` says that
    it trains in one process and without TensorBoard.
    """

    loader: str
    trainer: str
    does: str
    use: str
    alone: bool = False


# A recipe names one of these, never a module; so does an encoder, of what is made by training it.
PREDICTOR = "predictor"
OPENERS: dict[str, Opener] = {
    PREDICTOR: Opener(
        "molgraph.predictor.predictor:Predictor",
        "molgraph.workflows.train:train_folder",
        "predicts values of whole rows",
        "molgraph predict",
    ),
    "finder": Opener(
        "molgraph.predictor.finder:Finder",
        "molgraph.workflows.lesions:train_finder",
        "marks lesions in scans",
        "molgraph find",
        alone=True,
    ),
}
OPENED_BEFORE = {"segmentation": "finder"}  # by the kind of its task, where an earlier version named no opener

MODELS: dict[str, tuple[str, str]] = {
    "molecule/dmpnn": (
        "molgraph.rooms.molecule.encoders.dmpnn:DMPNN",
        "directed-edge message passing (Yang 2019)",
    ),
    "molecule/gin": (
        "molgraph.rooms.molecule.encoders.gin:GIN",
        "graph isomorphism network with edge features (GINE, Hu 2020)",
    ),
    "molecule/gat": ("molgraph.rooms.molecule.encoders.gat:GAT", "graph attention, version 2 (Brody 2022)"),
    "molecule/attentivefp": (
        "molgraph.rooms.molecule.encoders.attentivefp:AttentiveFP",
        "attentive fingerprints (Xiong 2020)",
    ),
    "molecule/mpnn": ("molgraph.rooms.molecule.encoders.mpnn:MPNN", "edge network and GRU (Gilmer 2017)"),
    "molecule/pna": ("molgraph.rooms.molecule.encoders.pna:PNA", "principal neighbourhood aggregation (Corso 2020)"),
    "molecule/gps": (
        "molgraph.rooms.molecule.encoders.gps:GPS",
        "message passing and global attention (Rampasek 2022)",
    ),
    "molecule/smiles_cnn": (
        "molgraph.rooms.molecule.encoders.smiles:SmilesCNN",
        "convolutions along the SMILES (DeepDTA, Ozturk 2018)",
    ),
    "molecule/smiles_rnn": (
        "molgraph.rooms.molecule.encoders.smiles:SmilesRNN",
        "recurrent network along the SMILES (Elman 1990)",
    ),
    "molecule/smiles_lstm": (
        "molgraph.rooms.molecule.encoders.smiles:SmilesLSTM",
        "long short-term memory along the SMILES (Hochreiter 1997)",
    ),
    "molecule/smiles_gru": (
        "molgraph.rooms.molecule.encoders.smiles:SmilesGRU",
        "gated recurrent units along the SMILES (Cho 2014)",
    ),
    "molecule/feedforward": (
        "molgraph.rooms.molecule.encoders.feedforward:FeedForward",
        "feed-forward network on ECFP counts and descriptors (Ma 2015)",
    ),
    "molecule/forest": (
        "molgraph.rooms.molecule.forest:Forest",
        "gradient-boosted trees on ECFP, Avalon, ErG and RDKit descriptors (MapLight, Notwell 2023)",
    ),
    "protein/cnn": (
        "molgraph.rooms.protein.encoders.cnn:CNN",
        "convolutions along the residues (DeepDTA, Ozturk 2018)",
    ),
    "protein/graphdta": (
        "molgraph.rooms.protein.encoders.graphdta:GraphDTA",
        "convolution over the embedding of 1,000 residues (GraphDTA, Nguyen 2021)",
    ),
    "protein/rnn": (
        "molgraph.rooms.protein.encoders.recurrent:RNN",
        "recurrent network along the residues (Elman 1990)",
    ),
    "protein/lstm": (
        "molgraph.rooms.protein.encoders.recurrent:LSTM",
        "long short-term memory along the residues (Hochreiter 1997)",
    ),
    "protein/gru": (
        "molgraph.rooms.protein.encoders.recurrent:GRU",
        "gated recurrent units along the residues (Cho 2014)",
    ),
    "protein/transformer": (
        "molgraph.rooms.protein.encoders.transformer:Transformer",
        "attention to neighbouring residues (Vaswani 2017, Beltagy 2020)",
    ),
    "protein/feedforward": (
        "molgraph.rooms.protein.encoders.feedforward:FeedForward",
        "feed-forward network on the composition",
    ),
    "protein/embedding": (
        "molgraph.rooms.protein.encoders.embedding:Embedding",
        "vectors computed elsewhere, as by a protein language model",
    ),
    "protein/forest": (
        "molgraph.rooms.protein.forest:Forest",
        "gradient-boosted trees on residues, pairs, triads and physico-chemical groups",
    ),
    "imaging/cnn": ("molgraph.rooms.imaging.encoders.cnn:CNN", "small residual convolution network (He 2016, Wu 2018)"),
    "imaging/unet": ("molgraph.rooms.imaging.encoders.unet:UNet", "U-Net that marks lesions (Ronneberger 2015)"),
    "imaging/resnet18": ("molgraph.rooms.imaging.encoders.resnet:ResNet18", "residual network of 18 layers (He 2016)"),
    "imaging/resnet34": ("molgraph.rooms.imaging.encoders.resnet:ResNet34", "residual network of 34 layers (He 2016)"),
    "imaging/resnet50": ("molgraph.rooms.imaging.encoders.resnet:ResNet50", "residual network of 50 layers (He 2016)"),
    "imaging/resnet_gn": (
        "molgraph.rooms.imaging.encoders.resnet_gn:ResNetGN",
        "residual network of 18 layers with group norms, for gradients per sample (Wu 2018)",
    ),
    "imaging/densenet121": (
        "molgraph.rooms.imaging.encoders.densenet:DenseNet121",
        "densely connected network of 121 layers (Huang 2017)",
    ),
    "imaging/forest": (
        "molgraph.rooms.imaging.forest:Forest",
        "gradient-boosted trees on small pixels, histogram and directions of gradients (Dalal 2005)",
    ),
    "disease/feedforward": (
        "molgraph.rooms.disease.encoders.feedforward:FeedForward",
        "feed-forward network on the fields of a record (DeepSurv, Katzman 2018)",
    ),
    "disease/forest": ("molgraph.rooms.disease.forest:Forest", "gradient-boosted trees on the fields of a record"),
    "fusion/concat": ("molgraph.fusion.concat:Concat", "vectors of all inputs side by side (DeepDTA, Ozturk 2018)"),
    "fusion/gated": ("molgraph.fusion.gated:Gated", "gated mixture of the inputs (Arevalo 2017)"),
    "fusion/bilinear": ("molgraph.fusion.bilinear:Bilinear", "low-rank products of the inputs (Liu 2018)"),
    "fusion/cross": (
        "molgraph.fusion.cross:Cross",
        "attention between the elements of two inputs (HyperAttentionDTI, Zhao 2022)",
    ),
    "fusion/forest": ("molgraph.fusion.forest:Growers", "gradient-boosted trees on what each input's forest sees"),
    "binding/interaction": (
        "molgraph.rooms.binding.encoders.interaction:Interaction",
        "bonds and contacts of a molecule in a pocket, by distance (GIGN, Yang 2023)",
    ),
    "binding/egnn": ("molgraph.rooms.binding.encoders.egnn:EGNN", "equivariant network on a complex (Satorras 2021)"),
    "binding/cnn3d": ("molgraph.rooms.binding.encoders.cnn3d:CNN3D", "3D convolutions over a complex (Ragoza 2017)"),
    "binding/forest": (
        "molgraph.rooms.binding.forest:Forest",
        "gradient-boosted trees on contacts (RF-Score, Ballester 2010; OnionNet, Zheng 2019) and descriptors",
    ),
}

ROOMS: dict[str, str] = {
    "molecule": "molgraph.rooms.molecule.room:ROOM",
    "protein": "molgraph.rooms.protein.room:ROOM",
    "imaging": "molgraph.rooms.imaging.room:ROOM",
    "binding": "molgraph.rooms.binding.room:ROOM",
    "disease": "molgraph.rooms.disease.room:ROOM",
}

# File formats that only a room can write: suffix to a class with `write(frame)` and `close()`.
WRITERS: dict[str, str] = {".sdf": "molgraph.rooms.molecule.write:SDF"}


@cache
def models() -> dict[str, tuple[str, str]]:
    """Return every known model name with (module:attribute, one line), entry points of other packages included."""
    found = dict(MODELS)
    for name, point in _foreign().items():
        found[name] = (point.value, f"from {_package(point)}")
    return found


def _foreign() -> dict[str, EntryPoint]:
    """Return what other packages register, but under no name of ours."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINTS):
        if point.name not in MODELS:
            found.setdefault(point.name, point)
    return found


def _package(point: EntryPoint) -> str:
    return point.value.partition(":")[0].partition(".")[0]


def distribution(name: str) -> str:
    """Return what has to be installed for a model, "" for one of ours: the name and version of its distribution."""
    point = _foreign().get(name)
    if point is None:
        return ""
    return f"{point.dist.name} {point.dist.version}" if point.dist else _package(point)


def to_blame(error: BaseException) -> str:
    """Return the package of other people's models in whose code an exception was raised, "" where it was in none."""
    theirs = {_package(point) for point in _foreign().values()} - {__package__}
    found, at = "", error.__traceback__
    while at is not None:
        package = str(at.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        found, at = package if package in theirs else found, at.tb_next
    return found


def load(target: str) -> Any:
    """Import `module:attribute`."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def model(name: str) -> Any:
    """Return the class registered as `room/name`.

    Raises: ConfigError for an unknown name, with the nearest known one, and for what cannot be imported or is no model.
    """
    if name not in models():
        alike = [known for known in models() if known.endswith(f"/{name}")]
        raise ConfigError(f"unknown model '{name}'{did_you_mean(alike[0] if alike else name, models())}")
    target, of = models()[name][0], distribution(name)
    where = f"'{name}' ({target}, {f'of the package {of}' if of else 'of molgraph'})"
    try:
        made = load(target)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the model {where} cannot be imported: {error}. Install what it needs.") from error
    wrong = _unsound(made) if of else ""
    if wrong:
        raise ConfigError(f"the model {where} {wrong}.")
    return made


def _unsound(made: Any) -> str:
    """Say what a class of another package lacks to be a model, "" where it lacks nothing."""
    known = hasattr(made, "asks") and getattr(made, "opener", "") in OPENERS
    if not (isinstance(made, type) and known and getattr(made, "family", "") in FAMILIES):
        return "is no model: derive a class from molgraph.model.encoder.Encoder, or of trees from model.grower.Grower"
    mine = settings(made)
    bare = [key for key, parameter in mine.items() if parameter.default is parameter.empty]
    if bare:
        return f"has a setting without a default: write a value for {bare[0]} in the signature of its __init__"
    unknown = [key for key in made.space if key not in mine]  # type: ignore[attr-defined]
    if unknown:
        return f"has '{unknown[0]}' in its `space`, and no keyword argument {unknown[0]} in its __init__"
    return ""


def room(model_name: str) -> Any:
    """Return the `Room` of a model name (`molecule/dmpnn` stands in the room `molecule`)."""
    name = model_name.partition("/")[0]
    if name not in ROOMS:
        raise ConfigError(f"unknown room '{name}'{did_you_mean(name, ROOMS)}")
    return load(ROOMS[name])


def settings(made: Any) -> dict[str, inspect.Parameter]:
    """Return the tunable parameters of a class: its keyword-only arguments, their annotations as types.

    One without an annotation that can be read is taken to be of its default's type.
    """
    own = inspect.signature(made.__init__).parameters.values()
    try:
        types = get_type_hints(made.__init__)
    except (NameError, TypeError):  # a name that the module knows while types are checked only
        types = {}
    usual = {p.name: Any if p.default is None or p.default is p.empty else type(p.default) for p in own}
    return {
        p.name: p.replace(annotation=types.get(p.name, usual[p.name]))
        for p in own
        if p.kind is inspect.Parameter.KEYWORD_ONLY
    }
