"""Where and how precisely to compute: chosen in one place."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from molgraph.data.dataset import Dataset, move, nbytes
from molgraph.errors import ConfigError, ResourceError

RESIDENT_SHARE = 0.5  # datasets move to the device whole when they take at most this share of the free memory


@dataclass(frozen=True)
class Place:
    """Hold a device and whether to compute in bfloat16 there."""

    device: torch.device
    bfloat16: bool

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return the context in which the network runs."""
        if not self.bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def resident(self, *datasets: Dataset) -> list[Dataset]:
        """Return datasets on the device when they fit together, else as they are (batches move one by one)."""
        if self.device.type != "cuda":
            return list(datasets)
        free, _ = torch.cuda.mem_get_info(self.device)
        return move(datasets, self.device) if nbytes(datasets) <= RESIDENT_SHARE * free else list(datasets)


def choose(device: str = "auto", precision: str = "auto") -> Place:
    """Choose device ("auto": a CUDA card if there is one) and precision ("auto": bfloat16 if the card has it).

    Raises: ConfigError for a device that is not there.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"train.device = '{device}' is not there: {str(error).splitlines()[0]}. Use 'auto' or 'cpu'."
        ) from error
    card = place.type == "cuda" and torch.cuda.is_bf16_supported()
    return Place(place, precision == "bfloat16" or (precision == "auto" and card))


@contextlib.contextmanager
def memory_errors(what: str) -> Iterator[None]:
    """Map torch's out-of-memory errors to ResourceError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in text:
            raise ResourceError(f"{what}: out of memory. Use a smaller train.batch_size or encoder.hidden.") from error
        raise
