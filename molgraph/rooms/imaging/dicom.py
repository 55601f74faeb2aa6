"""One DICOM file as voxels: parsed, decoded, in the values that were measured."""

from __future__ import annotations

import io
import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from molgraph.rooms.imaging.decoder import DECODER
from molgraph.rooms.imaging.planes import placed
from molgraph.rooms.imaging.scan import LIMIT, Scan, ScanError, Spacing, Voxels, foreign
from molgraph.rooms.imaging.shades import measured
from molgraph.rooms.imaging.stored import check_length, within_bits

PREAMBLE, MAGIC = 128, b"DICM"  # See: DICOM PS3.10 section 7.1
PLUGINS = ("pydicom", "pylibjpeg", "pillow", "pyjpegls")  # those that survive damaged data, first choice first
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_BARE_GROUPS = (0x0002, 0x0008)  # what files without a preamble begin with


def is_one(data: bytes) -> bool:
    """Say whether bytes are DICOM; the preamble may be that of a TIFF."""
    return data[PREAMBLE : PREAMBLE + 4] == MAGIC


def is_bare(data: bytes) -> bool:
    """Say whether bytes look like the elements of DICOM without a preamble."""
    if len(data) < 8:
        return False
    little, big = struct.unpack_from("<HH", data), struct.unpack_from(">HH", data)
    return any(group in _BARE_GROUPS and element < 0x0100 for group, element in (little, big))


def parse(data: bytes, where: str, *, pixels: bool = True) -> FileDataset:
    """Read the elements of a DICOM file.

    Raises: ScanError where it is cut short or none.
    """
    with foreign(where, "damaged", "the DICOM file is damaged; export it again"):
        ds = dcmread(io.BytesIO(data), force=True, stop_before_pixels=not pixels)
        if "TransferSyntaxUID" not in ds.file_meta:
            ds.file_meta.TransferSyntaxUID = _syntax(ds)
        len(str(ds.get("Modality", "")))  # values are converted when first asked for
        return ds


def _syntax(ds: FileDataset) -> Any:
    """Return the encoding that was guessed while the elements were read."""
    if ds.original_encoding[0]:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if ds.original_encoding[1] else ExplicitVRBigEndian


def read(data: bytes, where: str, from_file: bool) -> Scan:
    """Read one DICOM file; its frames stand along Z, or along C where several share their place.

    Raises: ScanError where it holds no picture or one that cannot be read.
    """
    ds = parse(data, where)
    found = frames(ds, where, from_file)
    with foreign(where, "bad_geometry", "the header does not say where its frames lie"):
        place = placed([ds], where)
    if place is None:
        return described(ds, grey(found), spacing=loose_spacing(ds, where, found.shape[1]))
    ordered = found[:, place.order]  # [S, Z, R, Y, X]
    if len(found) > 1 and place.order.shape[1] > 1:
        raise ScanError("too_many_dimensions", f"{where}: has colour frames of several kinds at one place.")
    stack = np.ascontiguousarray(ordered[:, :, 0] if len(found) > 1 else np.moveaxis(ordered[0], 1, 0))
    return described(ds, grey(stack), affine=place.affine)


def frames(ds: FileDataset, where: str, from_file: bool) -> Voxels:
    """Decode the pixels of a file, in the values that were measured.

    Shapes: [S, F, Y, X], S is 1 or, for colour, 3.
    """
    _can_be_shown(ds, where)
    with foreign(where, "damaged_pixels", "its pixels cannot be decoded; export it again"):
        stored = decoded(ds, where)
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            stored = apply_color_lut(stored, ds)
        colour = stored.ndim > 2 and stored.shape[-1] == 3 and int(ds.get("SamplesPerPixel", 1)) + stored.ndim > 3
        shape = (-1, int(ds.Rows), int(ds.Columns))
        if colour:
            made = np.ascontiguousarray(np.moveaxis(stored.reshape(*shape, 3), -1, 0), dtype=np.float32)
            return made / np.float32(2 ** bits_of(ds) - 1) if from_file else made
        return measured(ds, stored.reshape(shape), where, from_file)[None]


def _can_be_shown(ds: FileDataset, where: str) -> None:
    """Refuse what is no picture, and one that would not fit."""
    if not any(name in ds for name in PIXELS):
        kind = ds.get("Modality", "") or "of a kind that is not named"
        raise ScanError("no_pixels", f"{where}: is DICOM without a picture ({kind}); leave it out.")
    with foreign(where, "damaged", "the size of the picture is no number"):
        size = [int(ds.get(name) or 1) for name in ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel")]
        kind = [str(word).strip() for word in ds.get("ImageType") or ()]
        high, bits = ds.get("HighBit"), ds.get("BitsStored")
    if math.prod(size) > LIMIT or min(size) < 1:
        raise ScanError("too_large", f"{where}: claims {' x '.join(map(str, size))} pixels; no scan has so many.")
    if "MOSAIC" in kind:
        raise ScanError("mosaic", f"{where}: is a mosaic of slices; convert it to NIfTI (dcm2niix does).")
    if high is not None and bits and high + 1 != bits:
        raise ScanError("unusual_bits", f"{where}: its values do not end at bit {bits}; convert it to plain DICOM.")


def decoded(ds: FileDataset, where: str) -> NDArray[Any]:
    """Return the stored values, colour as RGB.

    Raises: ScanError where they are cut short, not what the header says, or nothing installed unpacks them.
    """
    syntax = ds.file_meta.TransferSyntaxUID
    grey = int(ds.get("SamplesPerPixel") or 1) == 1
    how = {"correct_unused_bits": not grey}  # what they hold is looked at before it is left out
    found = (_unpacked if syntax.is_private or syntax.is_compressed else _plain)(ds, where, how)
    return within_bits(ds, found, where) if grey else found


def _plain(ds: FileDataset, where: str, how: dict[str, Any]) -> NDArray[Any]:
    """Return the values of pixels that are not compressed."""
    check_length(ds, ds[next(name for name in PIXELS if name in ds)].value, where)
    ds.pixel_array_options(**how)
    try:
        return ds.pixel_array
    except ValueError as error:
        if "less than expected" in str(error):
            raise ScanError("truncated", f"{where}: {error}; copy or export it again.") from error
        raise


def _unpacked(ds: FileDataset, where: str, how: dict[str, Any]) -> NDArray[Any]:
    """Return the values of compressed pixels."""
    syntax = ds.file_meta.TransferSyntaxUID
    try:
        there = get_decoder(syntax).available_plugins
    except NotImplementedError as error:
        raise ScanError("no_decoder", f"{where}: nothing unpacks {syntax.name}; convert it to plain DICOM.") from error
    plugin = next((name for name in PLUGINS if name in there), "gdcm" if "gdcm" in there else "")
    if not plugin:
        raise ScanError(
            "no_decoder", f"{where}: nothing installed here unpacks {syntax.name}: pip install 'molgraph[dicom]'."
        )
    try:
        if plugin == "gdcm":
            return DECODER.decode(ds)
        ds.pixel_array_options(decoding_plugin=plugin, **how)
        return ds.pixel_array
    except RuntimeError as error:
        if "not support" in str(error):
            raise ScanError(
                "no_decoder", f"{where}: {syntax.name} of this kind cannot be unpacked; convert it to plain DICOM."
            ) from error
        raise


def bits_of(ds: FileDataset) -> int:
    """Return the bits of a stored value, behind a palette those of its colours."""
    if ds.get("PhotometricInterpretation") == "PALETTE COLOR":
        return int(ds.RedPaletteColorLookupTableDescriptor[2])
    return int(ds.get("BitsStored") or 0)


def grey(voxels: Voxels) -> Voxels:
    """Return one channel where three say the same: grey stored as colour."""
    if len(voxels) == 3 and np.array_equal(voxels[0], voxels[1]) and np.array_equal(voxels[0], voxels[2]):
        return voxels[:1]
    return voxels


def described(ds: FileDataset, voxels: Voxels, **place: Any) -> Scan:
    """Return voxels with what the file says of them."""
    from molgraph.rooms.imaging.geometry import spacing_of

    if place.get("affine") is not None:
        place["spacing"] = spacing_of(place["affine"])
    words = ("Modality", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")
    modality, patient, study, series = (str(ds.get(word) or "") for word in words)
    return Scan(
        voxels,
        modality=modality,
        bits=bits_of(ds),
        patient=patient,
        study=study,
        series=series,
        **place,
    )


def loose_spacing(ds: FileDataset, where: str, size: int) -> Spacing | None:
    """Return the edges of a voxel where the file has them but not how the patient lies."""
    from molgraph.rooms.imaging.geometry import sound_spacing

    with foreign(where, "bad_spacing", "the spacing of its pixels is no number"):
        edges = ds.get("PixelSpacing") or ds.get("ImagerPixelSpacing")
        thick = ds.get("SpacingBetweenSlices") or ds.get("SliceThickness") or (1.0 if size == 1 else None)
        if not edges or thick is None:
            return None
        return sound_spacing((float(edges[1]), float(edges[0]), abs(float(thick))), where)
