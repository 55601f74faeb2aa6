"""What voxel values mean: windows of computed tomography by name, and one scale per modality."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from molgraph.errors import ConfigError, did_you_mean
from molgraph.rooms.imaging.scan import Scan, ScanError, Voxels

# Centre and width in Hounsfield units. See: https://radiopaedia.org/articles/windowing-ct
WINDOWS = {
    "lung": (-600.0, 1500.0),
    "mediastinum": (50.0, 350.0),
    "soft_tissue": (50.0, 400.0),
    "liver": (30.0, 150.0),
    "bone": (400.0, 1800.0),
    "brain": (40.0, 80.0),
}
AUTO, FILE = "auto", "file"
CT_DEFAULT = "soft_tissue"
PERCENTILES = (0.5, 99.5)  # See: nnU-Net, https://doi.org/10.1038/s41592-020-01008-z (clipping of intensities)
LUMA = (0.299, 0.587, 0.114)  # red, green, blue; See: ITU-R BT.601, https://www.itu.int/rec/R-REC-BT.601
BYTE = 255.0
COLOUR = 3  # channels


def normalise(scan: Scan, window: str | tuple[float, float], where: str) -> Scan:
    """Take the values to 0..1 by a window in Hounsfield units or, "auto", by what the modality asks for.

    CT: soft tissue; stored bytes: 255 is 1; X-ray and others: percentiles of each channel; MR and what names no
    modality: the upper percentile is that of the foreground, the voxels above the mean.

    Raises: ConfigError for an unknown name; ScanError where a window in Hounsfield units is asked of something that
    is not computed tomography, or shows nothing of it.
    See: Nyul 2000, https://doi.org/10.1109/42.836373 (the mean parts foreground from background)
    """
    if window == AUTO:
        voxels = _by_modality(scan)
    else:
        centre, width = _window(window)
        if scan.modality not in ("", "CT"):
            raise ScanError("not_ct", f"{where}: is {scan.modality}; a window in Hounsfield units needs CT; try auto.")
        voxels = windowed(scan.voxels, centre, width)
    if voxels.min() == voxels.max():
        raise ScanError("outside_window", f"{where}: the window {window} shows nothing of its values; try auto.")
    return replace(scan, voxels=voxels, bits=0)


def windowed(voxels: Voxels, centre: float, width: float) -> Voxels:
    """Take a window to 0..1, what lies outside to its ends.

    See: DICOM PS3.3 C.11.2.1.3.2 (LINEAR_EXACT), https://dicom.nema.org/medical/dicom/current/output/html/part03.html

    >>> windowed(np.array([-2000.0, -600.0, 150.0], dtype=np.float32), -600, 1500).tolist()
    [0.0, 0.5, 1.0]
    """
    made: Voxels = np.clip((voxels - np.float32(centre)) / np.float32(width) + np.float32(0.5), 0, 1)
    return made


def to_channels(scan: Scan, channels: int, where: str) -> Scan:
    """Return a scan of so many channels: colour becomes grey by its luma, grey is repeated to be colour.

    Raises: ScanError where neither gives that number.
    """
    has = len(scan.voxels)
    if has == channels:
        return scan
    if has == 1 and channels == COLOUR:
        return replace(scan, voxels=np.repeat(scan.voxels, channels, axis=0))
    if has == COLOUR and channels == 1:
        return replace(scan, voxels=np.tensordot(np.array(LUMA, dtype=np.float32), scan.voxels, 1)[None])
    raise ScanError(
        "wrong_channels",
        f"{where}: has {has} channels, not {channels}; name so many, or train with --set encoder.channels={has}.",
    )


def _window(window: str | tuple[float, float]) -> tuple[float, float]:
    if isinstance(window, str):
        if window not in WINDOWS:
            raise ConfigError(f"unknown window '{window}'{did_you_mean(window, [*WINDOWS, AUTO, FILE])}")
        return WINDOWS[window]
    centre, width = window
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        raise ConfigError(f"window {centre:g}, {width:g}: give a centre and a width above 0.")
    return centre, width


def _by_modality(scan: Scan) -> Voxels:
    if scan.modality == "CT":
        return windowed(scan.voxels, *WINDOWS[CT_DEFAULT])
    if scan.bits == 8 and scan.voxels.min() >= 0 and scan.voxels.max() <= BYTE:
        return scan.voxels / np.float32(BYTE)
    made = np.empty_like(scan.voxels)
    for channel, out in zip(scan.voxels, made, strict=True):
        out[:] = _stretched(channel, foreground=scan.modality in ("", "MR"))
    return made


def _stretched(channel: Voxels, foreground: bool) -> Voxels:
    """Take percentiles to 0 and 1; air around a patient must not say how bright the patient is."""
    low, high = np.percentile(channel, PERCENTILES)
    seen = channel[channel > channel.mean(dtype=np.float64)] if foreground else channel
    high = np.percentile(seen, PERCENTILES[1]) if seen.size else high
    if not high > low:  # nearly all of it is one value
        low, high = float(channel.min()), float(channel.max())
    return windowed(channel, (low + high) / 2, high - low) if high > low else np.zeros_like(channel)
