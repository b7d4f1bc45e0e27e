"""The places most worth a look: uncertain voxels cut into regions that a person can jump to.

An uncertain border around every structure is normal, and as one connected region it would help nobody. So connected
uncertain voxels are shared out among hot spots: the local maxima of the uncertainty above the threshold, smoothed at a
size scale in mm. Long even shells, which have few maxima, get further ones. Everything is deterministic. Large maps
are split on blocks of voxels; sizes, scores and positions always come from the voxels.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from ..core.labels import Label
from ..core.volume import Grid, Volume
from .excess_blocks import Blocks, block_map
from .region_reasons import AROUND, reason_of, without_inner_borders
from .rows import UncertainRegion

BACKGROUND = "background"
SMALLEST_SCALE_MM = 6.0
LARGEST_SCALE_MM = 30.0
LIMIT = 20
SMALLEST_SCORE_MM3 = 0.05
"""A smaller one is shown as 0.0."""
REACH = 2.0
"""Scales from the nearest hot spot beyond which there is a further one."""

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


def uncertain_regions(
    labels: Volume,
    uncertainty: Volume,
    label_set: Sequence[Label],
    threshold: float,
    limit: int = LIMIT,
    scale_mm: float | None = None,
    wholes: Sequence[Collection[int]] = (),
) -> tuple[UncertainRegion, ...]:
    """The ``limit`` most uncertain regions, ranked by summed uncertainty above the threshold times volume.

    Args:
        labels: label map (k, j, i).
        uncertainty: 0..1 on the same grid, NaN where nothing was analysed.
        threshold: a voxel above it is uncertain.
        scale_mm: size of the places that connected (26 neighbours) uncertain voxels are split into; half the radius of
            the typical structure when None, between 6 and 30 mm.
        wholes: label values of parts that make up one thing each; the border between them is not listed.

    Returns:
        Regions with their structure: the one that most of their voxels and their neighbours belong to, else
        "background" for an uncertain island that touches none. Regions whose score rounds to 0.0 mm3 are left out.
    """
    uncertainty = uncertainty.with_array(without_inner_borders(uncertainty.array, labels.array, wholes))
    blocks = block_map(uncertainty.array, threshold, labels.grid.spacing_kji)
    if blocks is None:
        return ()
    scale = scale_mm if scale_mm is not None else typical_scale(labels, len(label_set))
    pieces = split(blocks.excess, [scale / mm for mm in blocks.block_mm])
    scores = np.bincount(pieces.ravel(), blocks.excess.ravel())
    worth = scores * labels.grid.voxel_volume_mm3 >= SMALLEST_SCORE_MM3
    order = [int(n) for n in np.argsort(-scores, kind="stable") if n != 0 and worth[n]][:limit]
    boxes = ndimage.find_objects(pieces)
    names = {label.value: label.name for label in label_set}
    return tuple(
        _describe(rank, _Piece(blocks, pieces, number, boxes[number - 1]), labels, uncertainty, threshold, names)
        for rank, number in enumerate(order, start=1)
    )


def typical_scale(labels: Volume, structures: int) -> float:
    """Half the radius of a ball as large as the mean structure, mm, between 6 and 30."""
    found = np.count_nonzero(labels.array) * labels.grid.voxel_volume_mm3
    radius = (3.0 * found / (4.0 * np.pi * max(structures, 1))) ** (1.0 / 3.0)
    return float(np.clip(radius / 2, SMALLEST_SCALE_MM, LARGEST_SCALE_MM))


def split(excess: Float32, scale: Sequence[float]) -> Int32:
    """Cut the connected (26) positive parts of a map into places about ``scale`` cells large.

    Returns:
        int32 map of the same shape: 0 where ``excess`` is 0, else the place's number from 1 on.
    """
    pieces = np.zeros(excess.shape, np.int32)
    for box in ndimage.find_objects((excess > 0).view(np.uint8)):  # one, around everything; zeros beyond change nothing
        pieces[box] = _split_box(excess[box], scale)
    return pieces


def _split_box(excess: Float32, scale: Sequence[float]) -> Int32:
    from skimage.segmentation import watershed

    uncertain = excess > 0
    smooth = ndimage.gaussian_filter(excess, [s / 2 for s in scale], mode="constant")
    np.maximum(smooth, np.finfo(np.float32).tiny, out=smooth)
    seeds = np.zeros(excess.shape, np.int32)
    _plant(seeds, _hot_spots(np.where(uncertain, smooth, 0.0), scale))
    _plant(seeds, _tops_of_bare_components(uncertain, smooth, seeds))
    distance = _distance(seeds, scale)
    while (bare := uncertain & (distance > REACH)).any():
        _plant(seeds, _hot_spots(np.where(bare, smooth, 0.0), scale))
        distance = _distance(seeds, scale)
    return np.asarray(watershed(distance, seeds, connectivity=AROUND, mask=uncertain), dtype=np.int32)


def _hot_spots(height: Float32, scale: Sequence[float]) -> NDArray[np.int64]:
    """Indices of positive local maxima, highest first, at least a scale apart."""
    window = [2 * round(s / 2) + 1 for s in scale]
    highest = ndimage.maximum_filter(height, window, mode="constant")
    return _apart(np.argwhere((height > 0) & (height >= highest)), height, scale)


def _tops_of_bare_components(uncertain: NDArray[np.bool_], smooth: Float32, seeds: Int32) -> NDArray[np.int64]:
    """The maxima of components without a seed: small ones beside a larger one have none in the window."""
    components, count = ndimage.label(uncertain, AROUND)
    bare = np.setdiff1d(np.arange(1, count + 1), components[seeds > 0])
    return np.array(ndimage.maximum_position(smooth, components, bare), np.int64).reshape(-1, 3)


def _distance(seeds: Int32, scale: Sequence[float]) -> NDArray[np.float64]:
    """Distance to the nearest seed, in scales."""
    return np.asarray(ndimage.distance_transform_edt(seeds == 0, [1 / s for s in scale]))


def _plant(seeds: Int32, places: NDArray[np.int64]) -> None:
    """Number new seeds onwards from those that are there."""
    first = int(seeds.max()) + 1
    seeds[tuple(places.T)] = np.arange(first, first + len(places))


def _apart(places: NDArray[np.int64], height: Float32, scale: Sequence[float]) -> NDArray[np.int64]:
    """The places, highest first, without those less than ``scale`` from a higher one."""
    order = np.argsort(-height[tuple(places.T)], kind="stable")
    places = places[order]
    tree = cKDTree(places / np.asarray(scale))
    dropped = np.zeros(len(places), bool)
    kept = []
    for n, point in enumerate(tree.data):
        if not dropped[n]:
            kept.append(n)
            dropped[tree.query_ball_point(point, 1.0)] = True
    return np.asarray(places[kept])


class _Piece:
    """The voxels of one place, in a box that is one voxel larger on every side than the place."""

    def __init__(self, blocks: Blocks, pieces: Int32, number: int, box: tuple[slice, slice, slice]) -> None:
        self.box = blocks.voxel_box(box, margin=1)
        self.member = blocks.expand(pieces, self.box) == number


def _describe(
    rank: int, piece: _Piece, labels: Volume, uncertainty: Volume, threshold: float, names: dict[int, str]
) -> UncertainRegion:
    crop = uncertainty.array[piece.box]
    member = piece.member & (crop > threshold)
    values = crop[member].astype(np.float64)
    inside = np.argmax(np.where(member, crop, -1.0))
    local = np.unravel_index(int(inside), crop.shape)
    index = [part.start + int(n) for part, n in zip(piece.box, local, strict=True)]
    voxel = labels.grid.voxel_volume_mm3
    return UncertainRegion(
        rank=rank,
        centre_ras=_position(labels.grid, index),
        size_mm3=values.size * voxel,
        voxels=int(values.size),
        mean_uncertainty=float(values.mean()),
        max_uncertainty=float(values.max()),
        score=float((values - threshold).sum() * voxel),
        structure=_touched(labels.array[piece.box], member, names),
        reason=reason_of(labels.array[piece.box], member),
    )


def _position(grid: Grid, kji: Sequence[int]) -> tuple[float, float, float]:
    k, j, i = kji
    r, a, s = (grid.ijk_to_ras @ (i, j, k, 1.0))[:3]
    return float(r), float(a), float(s)


def _touched(labels: NDArray[Any], member: NDArray[np.bool_], names: dict[int, str]) -> str:
    """Name of the structure with most voxels in or beside the region."""
    near = labels[ndimage.binary_dilation(member, AROUND)]
    counts = np.bincount(near[near != 0].ravel(), minlength=1)
    return names.get(int(counts.argmax()), BACKGROUND) if counts.any() else BACKGROUND
