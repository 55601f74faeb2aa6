"""One trained member of a predictor, whatever is inside: a network, trees or equations, used alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from molgraph import registry
from molgraph.config import FUSION, RunSettings, check_values
from molgraph.data.dataset import Dataset
from molgraph.data.packed import Schema
from molgraph.errors import ConfigError, MolgraphError
from molgraph.fit import Epoch, parameters, steps
from molgraph.fit.sampler import mix
from molgraph.fit.state import State
from molgraph.kinds import Kind
from molgraph.model.encoder import ready
from molgraph.predictor.card import layers
from molgraph.predictor.ceiling import Ceiling
from molgraph.predictor.inputs import INPUT, slots
from molgraph.predictor.parts import parts, read_by

FAMILIES = {
    "network": "networks",
    "trees": "what trees see (molecule/forest, protein/forest)",
    "linear": "what linear models see (molecule/linear, protein/linear)",
}


class Member(Protocol):
    """Train, estimate, save and load; `estimate` means the same for every member (see `Kind.columns`).

    `ready` says whether it can estimate: a training that was interrupted may have left it as it was drawn.
    """

    task: Kind

    @property
    def ready(self) -> bool: ...

    def train(
        self,
        train: Dataset,
        valid: Dataset,
        run: RunSettings,
        *,
        seed: int,
        state: State | None = None,
        lengths: Sequence[int] = (),
    ) -> Iterator[Epoch]:
        """Train and yield after each epoch (trees and linear models: after each target).

        With `lengths`, the `Epoch.best` of every epoch of another training, it is as long as that was best: nothing
        is chosen.
        """
        ...

    def estimate(self, data: Dataset) -> NDArray[np.float64]:
        """Return estimates float64 [N, len(task.columns)]."""
        ...

    def embed(self, data: Dataset) -> NDArray[np.float32]:
        """Return what the member makes of every row before it answers, float32 [N, D].

        Raises: ConfigError where it makes no vectors.
        """
        ...

    def save(self, folder: Path, number: int) -> None:
        """Write the member's weights under its number."""
        ...

    def fits(self, folder: Path, number: int) -> None:
        """Raise CheckpointError where the weights of that number are not those of such a member."""
        ...

    def load(self, folder: Path, number: int) -> None:
        """Read the weights back."""
        ...

    @property
    def size(self) -> str:
        """Say how large the member is, for a person."""
        ...


def needs(run: RunSettings) -> dict[str, tuple[str, ...]]:
    """Return the features that the run's models read of each input, with all settings checked.

    Raises: ConfigError for an unknown model or setting.
    """
    for part in parts(run):
        _check_joined(part)
    steps.named(run.train)
    found = read_by(run)
    for part in parts(run) if run.inputs else ():
        check_values("encoder", part.encoder, registry.settings(registry.model(part.model)), f"model '{part.model}'")
    return found


def _check_joined(run: RunSettings) -> None:
    """Refuse a model that cannot read the inputs: a fusion of none, several without one, trees joined with networks."""
    made = registry.model(run.model)
    if made.opener != registry.PREDICTOR:
        other = registry.OPENERS[made.opener]
        raise ConfigError(f"'{run.model}' {other.does}: `molgraph train` and `{other.use}` are what it can be used in.")
    fusion = run.model.partition("/")[0] not in registry.rooms()
    if fusion and not run.inputs:
        raise ConfigError(
            f"'{run.model}' joins several inputs: name them, as in --inputs smiles:molecule/gin,sequence:protein/cnn."
        )
    if run.inputs and not fusion:
        raise ConfigError(f"'{run.model}' reads one input; several are joined by a fusion, as {FUSION} is.")
    for slot in slots(run) if fusion else ():
        if registry.model(slot.model).family != made.family:
            raise ConfigError(
                f"'{run.model}' joins {FAMILIES[made.family]}, and '{slot.model}' is none of them; "
                f"networks are joined by {FUSION} and others, trees by fusion/forest, linear models by fusion/linear."
            )


def make(
    run: RunSettings, schemas: Mapping[str, Schema], task: Kind, seed: int, train: Dataset | None = None
) -> Member:
    """Return an untrained member; `train` (training rows) is given when it is to be trained, not when it is loaded.

    `schemas` holds what the parts of each input look like.

    Weights are drawn from `seed`; the caller's random numbers stay untouched.

    Raises: ConfigError where the model refuses a setting.
    """
    from molgraph.predictor.linear import Equations
    from molgraph.predictor.network import Network
    from molgraph.predictor.trees import Trees

    kinds: dict[str, Any] = {"network": Network, "trees": Trees, "linear": Equations}
    with drawn(seed):
        member: Member = kinds[registry.model(run.model).family](inside(run, schemas), run, task, train)
    return member


@contextmanager
def drawn(seed: int) -> Iterator[None]:
    """Draw the weights of what is made here from a seed, and leave the caller's random numbers untouched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix(seed, 0))
        yield


def inside(run: RunSettings, schemas: Mapping[str, Schema]) -> Any:
    """Return what a run's model is inside: an encoder (of several inputs, a fusion of encoders), or what
    trees or a linear model see.

    Raises: ConfigError where the model refuses a setting.
    """
    made = registry.model(run.model)
    if not run.inputs:
        return _made(made, schemas[INPUT], run.encoder, run.model)
    each = {s.name: _made(registry.model(s.model), schemas[s.name], s.settings, s.model) for s in slots(run)}
    return _made(made, each, run.encoder, run.model)


def frozen(run: RunSettings, data: Dataset) -> list[str]:
    """Say which weights of its encoder a run freezes; of a run that freezes none, nothing.

    Raises: ConfigError where it has no encoder, or none with such a part.
    """
    if not run.train.freeze:
        return []
    if registry.model(run.model).family != "network":
        raise ConfigError(f"train.freeze: '{run.model}' is no network and has no encoder; leave it out.")
    with drawn(run.seed):
        encoder = inside(run, {name: given.parts.schema for name, given in data.inputs.items()})
    sizes = {name: weight.numel() for name, weight in encoder.named_parameters()}
    still = parameters.frozen(sizes, run.train.freeze)
    kept, whole = sum(sizes[name] for name in still), sum(sizes.values())
    anew = "" if run.init or run.encoder.get("weights") else " They are as drawn: no --init gives others."
    parts = ", ".join(layers(still)) if len(still) < len(sizes) else "all of it"
    return [f"frozen are {kept:,} of the encoder's {whole:,} weights ({parts}).{anew}"]


def load(run: RunSettings, schemas: Mapping[str, Schema], task: Kind, folder: Path, number: int) -> Member:
    """Return a trained member.

    It is made on no memory first and held against its file: a recipe may claim any size. An encoder of another package
    that needs memory to be made may take so much as its file can account for.

    Raises: CheckpointError where the file is missing, damaged or not of this model.
    """
    limit: AbstractContextManager[Any] = nullcontext()
    try:
        with torch.device("meta"):
            hollow = make(run, schemas, task, 0)
    except (RuntimeError, ConfigError):  # the latter where its code refuses numbers that are not there
        limit = Ceiling(sum(path.stat().st_size for path in folder.glob(f"*-{number}.safetensors")))
    else:
        with suppress(RuntimeError):
            hollow.fits(folder, number)
    with limit:
        member = make(run, schemas, task, 0)
    member.load(folder, number)
    return member


def _made(kind: Any, given: Any, settings: Mapping[str, Any], name: str) -> Any:
    check_values("encoder", settings, registry.settings(kind), f"model '{name}'")
    try:
        found = kind(given, **settings)
    except MolgraphError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model '{name}' refuses its settings {dict(settings)}: {error}.") from error
    return ready(found) if kind.family == "network" else found
