"""Where voxels lie: canonical orientation, resampling in millimetres, voxel index to patient and back."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from molgraph.errors import ConfigError
from molgraph.rooms.imaging.scan import LIMIT, Affine, Scan, ScanError, Spacing, Voxels

REACH = 4  # standard deviations at which the Gaussian ends, as in SciPy
FWHM = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum of a Gaussian, in standard deviations
SHEARED = 0.573  # degrees between two axes, a cosine of 0.01: beyond what rounded positions make
BORDER = 1e-4  # of a voxel: what lies so near to the border of a scan lies on it
TURN = np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS+ of DICOM to RAS+ of NIfTI, and back


def to_world(affine: Affine, index: ArrayLike) -> NDArray[np.float64]:
    """Return the places in mm of voxel indices (x, y, z).

    Shapes: index [..., 3] -> [..., 3].

    >>> to_world(np.diag([2.0, 2.0, 3.0, 1.0]), [1, 0, 2])
    array([2., 0., 6.])
    """
    found: NDArray[np.float64] = np.asarray(index, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3]
    return found


def to_voxel(affine: Affine, world: ArrayLike) -> NDArray[np.float64]:
    """Return the voxel indices (x, y, z), fractions kept, of places in mm.

    Shapes: world [..., 3] -> [..., 3].
    """
    inverse = np.linalg.inv(affine).astype(np.float64)
    return to_world(inverse, world)


def spacing_of(affine: Affine) -> Spacing:
    """Return the edges of a voxel in mm."""
    x, y, z = np.linalg.norm(affine[:3, :3], axis=0)
    return float(x), float(y), float(z)


def apart(one: Scan, other: Scan) -> float:
    """Return how many voxels of `one` the corners of two scans of one size lie apart, at most.

    Where one of them has no place in the world the size of their voxels is what counts, if both say it.
    """
    if one.affine is not None and other.affine is not None:
        mine, theirs = one.affine, other.affine
    elif one.spacing is not None and other.spacing is not None:
        mine, theirs = np.diag([*one.spacing, 1.0]), np.diag([*other.spacing, 1.0])
    else:
        return 0.0
    corners = np.array(list(product(*((0, size - 1) for size in one.voxels.shape[:0:-1]))))
    off = np.linalg.norm(to_world(mine, corners) - to_world(theirs, corners), axis=1)
    return float(off.max() / min(spacing_of(mine)))


def sound(affine: Affine, where: str) -> Affine:
    """Return an affine that places every voxel somewhere else.

    Raises: ScanError where a spacing is zero, no number, or beyond what is scanned, or where axes fall together.
    """
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    _sound_edges(edges, where)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3] / edges)) < 1e-3:
        raise ScanError("bad_orientation", f"{where}: the axes of the scan fall together or are no numbers.")
    return affine


def sound_spacing(spacing: Spacing, where: str) -> Spacing:
    """Return a spacing that can be one.

    Raises: ScanError where it is zero, negative, no number or beyond what is scanned.
    """
    _sound_edges(np.array(spacing), where)
    return spacing


def _sound_edges(edges: NDArray[np.float64], where: str) -> None:
    if not (np.isfinite(edges).all() and (edges > 1e-4).all() and (edges < 1e3).all()):  # 0.1 µm to 1 m
        shown = ", ".join(f"{edge:g}" for edge in edges)
        raise ScanError("bad_spacing", f"{where}: a voxel of {shown} mm is none; correct the header.")


def axes(affine: Affine, keep_z: bool = False) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return the voxel axis that runs nearest along right, anterior and superior, and whether it runs against it.

    With `keep_z` the third voxel axis stays the third, and the other two come in the order of the patient's axes.
    """
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)  # [world, voxel]
    order = max(permutations(range(3)), key=lambda p: sum(abs(cosines[world, p[world]]) for world in range(3)))
    along = sorted(range(3), key=lambda world: (order[world] == 2, world)) if keep_z else range(3)
    return tuple(order[world] for world in along), tuple(bool(cosines[world, order[world]] < 0) for world in along)


def canonical(scan: Scan, where: str = "", *, nearest: bool = False) -> Scan:
    """Turn a volume by whole axes so that x runs nearest to right, y to anterior, z to superior.

    A single slice stays in its plane: x and y run right, anterior or superior, in this order. Slices that are shifted
    against each other, as a tilted gantry leaves them, are sampled at right angles (`straight`). Without an affine
    nothing is turned.
    """
    if scan.affine is None:
        return scan
    order, against = axes(scan.affine, keep_z=scan.voxels.shape[1] == 1)
    voxels = scan.voxels.transpose(0, *(3 - axis for axis in reversed(order)))  # voxel axis i is array axis 3 - i
    move = np.zeros((4, 4))  # new index to old index
    move[3, 3] = 1
    for new, (old, flip) in enumerate(zip(order, against, strict=True)):
        size = scan.voxels.shape[3 - old]
        move[old, new], move[old, 3] = (-1, size - 1) if flip else (1, 0)
    voxels = np.flip(voxels, tuple(3 - new for new, flip in enumerate(against) if flip))
    affine = scan.affine @ move
    turned = replace(scan, voxels=np.ascontiguousarray(voxels), affine=affine, spacing=spacing_of(affine))
    return straight(turned, where, nearest=nearest)


def is_sheared(scan: Scan) -> bool:
    """Tell whether the slices of a volume are shifted against each other, so that its axes are not at right angles."""
    if scan.affine is None or scan.voxels.shape[1] == 1:
        return False
    return _shear(scan.affine) > SHEARED


def _shear(affine: Affine) -> float:
    """Return by how many degrees two axes are off a right angle, at most."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return math.degrees(math.asin(min(float(np.abs(cosines.T @ cosines - np.eye(3)).max()), 1.0)))


def straight(scan: Scan, where: str, *, nearest: bool = False) -> Scan:
    """Sample a volume whose axes are not at right angles on a grid whose axes are, and that holds it to within a voxel.

    The first axis and the plane of the first two stay. What no voxel of the scan fills is its least value, air in CT;
    so the scan says.

    Raises: ScanError where the grid would be beyond a scan.
    """
    if scan.affine is None or not is_sheared(scan):
        return scan
    directions, edges = np.linalg.qr(scan.affine[:3, :3])
    signs = np.sign(np.diag(edges))
    directions, edges = directions * signs, np.abs(np.diag(edges))
    sizes = np.array(scan.voxels.shape[:0:-1])
    corners = to_world(scan.affine, np.array(list(product(*((0, size - 1) for size in sizes)))))
    along = (corners @ directions) / edges  # the corners, in steps of the new grid
    first = along.min(axis=0)
    grown = np.floor(along.max(axis=0) - first + 1e-6).astype(int) + 1
    if math.prod(grown.tolist()) * len(scan.voxels) > LIMIT:
        raise ScanError("too_large", f"{where}: at right angles it would have {math.prod(grown.tolist()):,} voxels.")
    affine = np.eye(4)
    affine[:3, :3] = directions * edges
    affine[:3, 3] = affine[:3, :3] @ first
    shape = (len(scan.voxels), *grown[::-1].tolist())
    like = replace(scan, voxels=np.broadcast_to(np.float32(0), shape), affine=affine, spacing=spacing_of(affine))
    outside = float(scan.voxels.min())
    empty = 1 - math.prod(sizes.tolist()) / math.prod(grown.tolist())  # a shear changes no volume
    said = (
        f"slices are shifted against each other by {_shear(scan.affine):.1f} degrees, as by a tilted gantry; read at "
        f"right angles, where {empty:.0%} of the voxels lie beside the slices and hold the least value, {outside:g}"
    )
    like = replace(like, said="; ".join(filter(None, (scan.said, said))))
    return replace(like, voxels=onto(scan.voxels, scan.affine, like, nearest=nearest, outside=outside))


def as_it_lay(voxels: NDArray[Any], affine: Affine) -> NDArray[Any]:
    """Turn the voxels of a canonical scan back to where they lay under the affine of its file.

    Shapes: [Z, Y, X], both ways.
    """
    order, against = axes(affine, keep_z=len(voxels) == 1)
    turned = np.flip(voxels, tuple(2 - new for new, flip in enumerate(against) if flip))
    back: NDArray[Any] = np.ascontiguousarray(turned.transpose(np.argsort([2 - axis for axis in reversed(order)])))
    return back


def resample(scan: Scan, spacing: float | Spacing, where: str, *, nearest: bool = False) -> Scan:
    """Resample to an edge of a voxel in mm; the field of view keeps its centre, an axis of one voxel stays.

    Linear, after a Gaussian that keeps what becomes coarser from aliasing.

    Raises: ConfigError for a spacing that is none; ScanError where the scan does not say how large its voxels are, or
    the grid would be beyond a scan.
    See: Cardoso 2015, https://doi.org/10.1007/978-3-319-24571-3_81 (width of the Gaussian)
    """
    if scan.spacing is None:
        raise ScanError("no_spacing", f"{where}: does not say how large its voxels are; resample without spacing.")
    wanted: tuple[float, ...] = (spacing,) * 3 if isinstance(spacing, int | float) else spacing
    if len(wanted) != 3 or not all(0 < edge < math.inf for edge in wanted):
        raise ConfigError(f"spacing {spacing}: give one number of mm, or three, above 0.")
    sizes = scan.voxels.shape[:0:-1]  # of x, y, z
    edges = [old if size == 1 else new for old, new, size in zip(scan.spacing, wanted, sizes, strict=True)]
    if np.allclose(edges, scan.spacing, rtol=1e-4):
        return scan
    grown = [max(1, round(n * old / new)) for n, old, new in zip(sizes, scan.spacing, edges, strict=True)]
    if math.prod(grown) * len(scan.voxels) > LIMIT:
        raise ScanError("too_large", f"{where}: at {edges} mm it would have {math.prod(grown):,} voxels.")
    step = np.array(edges) / scan.spacing
    move = np.diag([*step, 1.0])
    move[:3, 3] = (np.array(sizes) - 1 - step * (np.array(grown) - 1)) / 2
    affine = None if scan.affine is None else scan.affine @ move
    voxels = _along_axes(scan.voxels, [_places(*each) for each in zip(sizes, grown, step, strict=True)], step, nearest)
    return replace(scan, voxels=voxels, affine=affine, spacing=(edges[0], edges[1], edges[2]))


def _places(size: int, grown: int, step: float) -> NDArray[np.float64]:
    """Return where the new voxels of an axis lie among its old ones: around the same centre."""
    return (size - 1 - step * (grown - 1)) / 2 + step * np.arange(grown, dtype=np.float64)


def _along_axes(voxels: Voxels, places: list[NDArray[np.float64]], step: NDArray[np.float64], nearest: bool) -> Voxels:
    """Sample along x, y and z in turn, each a small matrix: what is linear may be done axis by axis."""
    if nearest:
        z, y, x = (
            np.rint(along).clip(0, n - 1).astype(int) for along, n in zip(places[::-1], voxels.shape[1:], strict=True)
        )
        return np.ascontiguousarray(voxels[:, z[:, None, None], y[:, None], x])
    sizes = voxels.shape[:0:-1]
    x, y, z = (_weights(*each) for each in zip(sizes, places, step, strict=True))
    made = np.matmul(y, np.matmul(voxels, x.T))  # [C, Z, Y', X']
    flat = np.matmul(z, made.reshape(len(made), len(made[0]), -1))
    return np.ascontiguousarray(flat.reshape(len(made), len(z), len(y), len(x)))


def _weights(size: int, places: NDArray[np.float64], step: float) -> Voxels:
    """Return what each old voxel of an axis gives to each new one: a Gaussian, then linear; the border goes on outside.

    Shapes: [new, old].
    """
    sigma = math.sqrt(max(0.0, step * step - 1)) / FWHM  # in old voxels
    reach = math.ceil(REACH * sigma)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (sigma or 1.0)) ** 2)
    low = np.floor(places)
    made = np.zeros((len(places), size))
    rows = np.arange(len(places))
    for tap, share in zip(range(-reach, reach + 1), bell / bell.sum(), strict=True):
        for side, part in ((0, low + 1 - places), (1, places - low)):
            np.add.at(made, (rows, (low + tap + side).clip(0, size - 1).astype(int)), share * part)
    return made.astype(np.float32)


def onto(voxels: Voxels, affine: Affine, like: Scan, *, nearest: bool = False, outside: float = 0.0) -> Voxels:
    """Sample voxels that lie in one space at the places of the voxels of another scan, with one value `outside`.

    Raises: ScanError where that scan has no affine.
    """
    if like.affine is None:
        raise ScanError("no_affine", "the scan does not say where its voxels lie.")
    move = np.linalg.inv(affine) @ like.affine
    matrix, shift = move[2::-1, 2::-1], move[2::-1, 3]  # in the order z, y, x of the array
    made = np.empty((len(voxels), *like.voxels.shape[1:]), dtype=np.float32)
    how: dict[str, Any] = {"order": 0 if nearest else 1, "mode": "nearest"}
    for channel, out in zip(voxels, made, strict=True):
        ndimage.affine_transform(channel, matrix, shift, out.shape, output=out, **how)
    y, x = np.ogrid[: made.shape[2], : made.shape[3]]
    for z in range(made.shape[1]):  # by our own measure: a plane that lies on the border is not lost to rounding
        beside = np.zeros(made.shape[2:], dtype=bool)
        for (dz, dy, dx), start, size in zip(matrix, shift, voxels.shape[1:], strict=True):
            at = start + dz * z + dy * y + dx * x
            beside |= (at < -BORDER) | (at > size - 1 + BORDER)
        made[:, z, beside] = outside
    return made
