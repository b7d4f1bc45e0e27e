"""What the network sees of a scan where it outlines something: windows around points of the boundary that it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..analysis.intensity_fingerprint import measure
from ..core.errors import InputError
from ..core.progress import IsCancelled, never, silent
from ..core.resampling import on_voxels_of, resample
from ..core.volume import Volume
from ..evaluation.cases import Case
from ..files.reading import read_labels, read_volume
from ..inference.native.preparing import channels_in_order, prepare
from ..inference.native.tiling import tiling_of
from ..inference.network_regions import Region, plan_regions, prepare_region
from ..inference.segmenter import check_input
from ..inference.windows import blend_windows
from ..metrics.boundary import boundary_voxels
from ..packages.pipeline import Channel, ChannelNormalisation, Pipeline
from .frozen_network import FrozenNetwork

Float32 = NDArray[np.float32]
NOTHING_FOUND = "the network finds nothing in it"
FOREIGN_VALUES = "its label map has the value {value}, which is no structure of the model"
OTHER_GRID = "its label map lies on another grid than the scan"


@dataclass(frozen=True, eq=False)
class SeenScan:
    """A scan on the network's grid.

    Attributes:
        image: (channels, k, j, i), normalised.
        answer: positions (k, j, i) in the package's labels that the network gives; label: the true ones, or None.
        spacing: mm along the axes of a window; None for one that is measured in voxels.
        measures: of its grey values, see ``analysis.intensity_fingerprint``.
    """

    image: Float32
    answer: NDArray[np.uint8]
    label: NDArray[np.uint8] | None
    spacing: tuple[float, ...] | None
    measures: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class ScanWindow:
    """One window: image (channels, ...) as the network takes it, and the true label (...) where there is one."""

    image: Float32
    label: NDArray[np.uint8] | None
    spacing: tuple[float, ...] | None


def see(case: Case, network: FrozenNetwork, is_cancelled: IsCancelled = never) -> SeenScan:
    """Prepare a scan and let the network answer once.

    Raises:
        InputError: the scan cannot be used; the sentence says why.
    """
    metadata = network.package.metadata
    volume = read_volume(case.image)
    others = {name: read_volume(path) for name, path in case.channels}
    roi = case.region
    check_input(volume, network.package, () if roi is None else (roi,), False, others)
    (region,) = plan_regions(volume.grid, metadata, () if roi is None else (roi,), case.pose)
    label = None if case.label is None else _true_labels(read_labels(case.label), volume, network)
    if metadata.pipeline is None:
        image = prepare_region(volume, region, metadata)
        there = None if label is None else np.asarray(resample(label, region.model_grid, "nearest").array, np.uint8)
        spacing = None if metadata.spacing is None else region.model_grid.spacing_kji
        patch, overlap = metadata.patch, metadata.overlap
        logits = blend_windows(image, patch, overlap, lambda w: network.run(w).logits, is_cancelled=is_cancelled)
    else:
        scans = channels_in_order(volume, others, metadata.pipeline, metadata.name)
        prepared = prepare(scans, region, metadata.pipeline)
        image, spacing = prepared.image, prepared.spacing
        there = None if label is None else _prepared_labels(scans, label, region, network)
        blend = tiling_of(image, metadata.patch, metadata.overlap, metadata.pipeline)
        logits = blend(lambda w: network.run(w).logits, silent, is_cancelled)
    answer = network.labels(logits)
    if not answer.any():
        raise InputError(NOTHING_FOUND)
    return SeenScan(image, answer, there, None if network.planar else spacing, measure(image[0]))


def windows_of(seen: SeenScan, network: FrozenNetwork, count: int, seed: tuple[int, ...]) -> list[ScanWindow]:
    """``count`` windows around random points of the answer's boundary; a network in 3D gets one."""
    random = np.random.default_rng(seed)
    boundary = np.argwhere(boundary_voxels(seen.answer, None if network.planar else seen.spacing))
    if not len(boundary):
        raise InputError("the network outlines all of it as one structure, so that there is no boundary")
    points = boundary[random.integers(len(boundary), size=count if network.planar else 1)]
    if network.planar:
        points = points[np.unique(points[:, 0], return_index=True)[1]]
    return [_around(seen, point, network) for point in points]


def _around(seen: SeenScan, point: NDArray[np.intp], network: FrozenNetwork) -> ScanWindow:
    pipeline, patch = network.package.metadata.pipeline, network.package.metadata.patch
    whole = pipeline is not None and pipeline.tiles == "whole"
    size = seen.image.shape[1:] if whole else (1, *patch) if network.planar else patch
    image, label = seen.image, seen.label
    widths = [((m := max(p - n, 0)) // 2, m - m // 2) for n, p in zip(image.shape[1:], size, strict=True)]
    if any(max(width) for width in widths):
        mode = "edge" if pipeline is not None and pipeline.pad == "edge" else "constant"
        image = np.pad(image, [(0, 0), *widths], mode=mode)  # type: ignore[call-overload]
        label = None if label is None else np.pad(label, widths)
    starts = [
        int(np.clip(at + before - p // 2, 0, n - p))
        for at, (before, _), p, n in zip(point, widths, size, image.shape[1:], strict=True)
    ]
    place = tuple(slice(a, a + p) for a, p in zip(starts, size, strict=True))
    cut, truth = image[(slice(None), *place)], None if label is None else label[place]
    if network.planar:
        cut, truth = cut[:, 0], None if truth is None else truth[0]
    return ScanWindow(np.ascontiguousarray(cut), truth, seen.spacing)


def _true_labels(label: Volume, volume: Volume, network: FrozenNetwork) -> Volume:
    """The label map with positions in the package's labels in the place of values."""
    label = on_voxels_of(label, volume.grid) or label
    if not label.grid.matches(volume.grid):
        raise InputError(OTHER_GRID)
    table = np.full(256, 255, dtype=np.uint8)
    for number, one in enumerate(network.package.metadata.labels):
        table[one.value] = number
    found = np.asarray(label.array).astype(np.int64)
    foreign = [int(value) for value in np.unique(found) if not 0 <= value < 256 or table[value] == 255]
    if foreign:
        raise InputError(FOREIGN_VALUES.format(value=foreign[0]))
    return label.with_array(table[found])


def _prepared_labels(
    scans: Sequence[Volume], label: Volume, region: Region, network: FrozenNetwork
) -> NDArray[np.uint8]:
    """The labels on the network's grid: each as one more channel that goes through the same steps."""
    pipeline, classes = network.package.metadata.pipeline, len(network.package.metadata.labels)
    assert pipeline is not None
    ones = [label.with_array((label.array == number).astype(np.float32)) for number in range(1, classes)]
    found = prepare([*scans, *ones], region, _with_channels(pipeline, classes - 1)).image[len(scans) :]
    background = 1.0 - found.sum(axis=0, keepdims=True)
    return np.concatenate([background, found]).argmax(axis=0).astype(np.uint8)


def _with_channels(pipeline: Pipeline, count: int) -> Pipeline:
    more = tuple(Channel(f"label {n}", (ChannelNormalisation("none"),)) for n in range(count))
    return replace(pipeline, channels=(*pipeline.channels, *more))
